//! What each provider sends, as dialogues, and what its plugin leaves alone.

use crate::shared::server;
use gatewright_tests::dialogue;

/// All of those that come with the gateway.
const PROVIDERS: [&str; 8] = [
    "okta",
    "entra",
    "google",
    "onelogin",
    "jumpcloud",
    "ping",
    "cyberark",
    "generic",
];

fn play(name: &str) {
    dialogue::play(&server().api(), name);
}

#[test]
fn okta_custom_apps_put() {
    play("okta-aiw.json");
}

#[test]
fn okta_catalogue_apps_patch() {
    play("okta-oin.json");
}

#[test]
fn entra_by_default() {
    play("entra-default.json");
}

#[test]
fn entra_with_its_flag() {
    play("entra-flagged.json");
}

#[test]
fn entra_validates() {
    play("entra-validator.json");
}

#[test]
fn google() {
    play("google.json");
}

#[test]
fn onelogin() {
    play("onelogin.json");
}

#[test]
fn jumpcloud() {
    play("jumpcloud.json");
}

#[test]
fn ping() {
    play("ping.json");
}

#[test]
fn cyberark() {
    play("cyberark.json");
}

#[test]
fn what_the_rfcs_allow_passes_through_every_plugin_unchanged() {
    let server = server();
    for provider in PROVIDERS {
        dialogue::play_under(&server.api(), "rfc.json", provider);
    }
}

/// What needs no plugin of its own is understood under every other one.
#[test]
fn a_directory_told_the_wrong_provider_still_works() {
    let server = server();
    for (name, wrong) in [
        ("okta-oin.json", "entra"),
        ("entra-flagged.json", "okta"),
        ("google.json", "onelogin"),
        ("jumpcloud.json", "entra"),
        ("cyberark.json", "ping"),
    ] {
        dialogue::play_under(&server.api(), name, wrong);
    }
}
