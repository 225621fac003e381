//! Microsoft Entra ID's two dialects, as recorded dialogues.

use gatewright_tests::dialogue;

#[test]
fn the_default_dialect() {
    dialogue::play("entra-default.json");
}

#[test]
fn the_dialect_of_the_flag() {
    dialogue::play("entra-flagged.json");
}
