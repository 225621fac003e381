//! What wit-bindgen makes of the contract, each interface once, so that every kind of plugin shares
//! one set of types.
//!
//! The contract's own worlds cannot be generated side by side (each would bring its own copy of
//! `plugin`, and the macros of two copies have the same name), so each interface stands in a world of
//! its own here. [`export!`](crate::export) uses two of them, and the linker unites what they say
//! into exactly one of the contract's worlds.

/// The shared types, the log, and what every plugin exports.
#[expect(missing_docs, reason = "generated")]
pub mod base {
    wit_bindgen::generate!({
        path: "../../wit/v0.1",
        inline: "
            package gatewright:sdk;
            world base {
                import gatewright:plugin/types@0.1.0;
                import gatewright:plugin/log@0.1.0;
                export gatewright:plugin/plugin@0.1.0;
            }
        ",
        world: "gatewright:sdk/base",
        additional_derives: [PartialEq],
        generate_all,
        generate_unused_types: true,
        pub_export_macro: true,
        runtime_path: "wit_bindgen::rt",
    });
}

macro_rules! interface {
    ($(#[$doc:meta])* $module:ident, $world:literal, $inline:literal) => {
        $(#[$doc])*
        #[expect(missing_docs, reason = "generated")]
        pub mod $module {
            wit_bindgen::generate!({
                path: "../../wit/v0.1",
                inline: $inline,
                world: $world,
                with: {
                    "gatewright:plugin/types@0.1.0": crate::bindings::base::gatewright::plugin::types,
                },
                additional_derives: [PartialEq],
                generate_all,
                pub_export_macro: true,
                runtime_path: "wit_bindgen::rt",
            });
        }
    };
}

interface!(
    /// What a provider plugin exports.
    provider,
    "gatewright:sdk/provider-only",
    "package gatewright:sdk; world provider-only { export gatewright:plugin/provider@0.1.0; }"
);

interface!(
    /// What a lifecycle policy exports.
    lifecycle_policy,
    "gatewright:sdk/lifecycle-policy-only",
    "package gatewright:sdk; world lifecycle-policy-only { export gatewright:plugin/lifecycle-policy@0.1.0; }"
);

interface!(
    /// What a role policy exports.
    role_policy,
    "gatewright:sdk/role-policy-only",
    "package gatewright:sdk; world role-policy-only { export gatewright:plugin/role-policy@0.1.0; }"
);

interface!(
    /// What a seat policy exports.
    seat_policy,
    "gatewright:sdk/seat-policy-only",
    "package gatewright:sdk; world seat-policy-only { export gatewright:plugin/seat-policy@0.1.0; }"
);
