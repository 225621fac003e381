//! What `bindgen!` makes of the contract: one module for each exported interface, all of them
//! over the same shared types. A world has two exports (`plugin` and its own), so one component
//! is seen through two of these modules.

#![expect(
    missing_docs,
    unreachable_pub,
    reason = "generated: the contract leaves fields whose name says all without a comment"
)]

/// The shared types, the log, and the interface that every plugin exports.
pub mod base {
    wasmtime::component::bindgen!({
        path: "../../wit/v0.1",
        inline: "
            package gatewright:host;
            world base {
                import gatewright:plugin/log@0.1.0;
                export gatewright:plugin/plugin@0.1.0;
            }
        ",
        additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
    });
}

/// The bindings of one interface whose shared types are those of [`base`].
macro_rules! interface {
    ($module:ident, $world:literal) => {
        #[doc = concat!("The interface `", stringify!($module), "`.")]
        pub mod $module {
            wasmtime::component::bindgen!({
                path: "../../wit/v0.1",
                inline: $world,
                with: { "gatewright:plugin/types@0.1.0": crate::bindings::base::gatewright::plugin::types },
                additional_derives: [PartialEq, serde::Serialize, serde::Deserialize],
            });
        }
    };
}

interface!(
    provider,
    "package gatewright:host; world provider-only { export gatewright:plugin/provider@0.1.0; }"
);
interface!(
    lifecycle,
    "package gatewright:host; world lifecycle-only { export gatewright:plugin/lifecycle-policy@0.1.0; }"
);
interface!(
    role,
    "package gatewright:host; world role-only { export gatewright:plugin/role-policy@0.1.0; }"
);
interface!(
    seat,
    "package gatewright:host; world seat-only { export gatewright:plugin/seat-policy@0.1.0; }"
);
