//! Okta's two dialects, as recorded dialogues.

use gatewright_tests::dialogue;

#[test]
fn custom_apps_put() {
    dialogue::play("okta-aiw.json");
}

#[test]
fn catalogue_apps_patch() {
    dialogue::play("okta-oin.json");
}
