//! The macro that makes a component of a plugin.

/// Exports the one plugin of a crate: `export!(MyPolicy: role_policy)`. The kinds are `provider`,
/// `lifecycle_policy`, `role_policy` and `seat_policy`, and the type implements the trait of the same
/// name.
///
/// The plugin describes itself by its `Cargo.toml`: `name` (lower-case letters, digits, hyphens),
/// `version`, `description` (one sentence: what it decides or repairs), and `license`, `authors` and
/// `homepage` where they are set.
#[macro_export]
macro_rules! export {
    ($plugin:ty: provider) => {
        const _: () = {
            $crate::__export_plugin!($plugin, $crate::Provider);

            impl $crate::bindings::provider::exports::gatewright::plugin::provider::Guest
                for Component
            {
                fn interests() -> Vec<$crate::Interest> {
                    <$plugin as $crate::Provider>::interests(CONFIGURED.get())
                }

                fn normalize(
                    request: $crate::Request,
                ) -> Result<Option<$crate::Normalized>, $crate::Refusal> {
                    <$plugin as $crate::Provider>::normalize(CONFIGURED.get(), request)
                }

                fn present(
                    request: $crate::Request,
                    answer: $crate::Answer,
                ) -> Result<Option<$crate::Answer>, $crate::Refusal> {
                    <$plugin as $crate::Provider>::present(CONFIGURED.get(), request, answer)
                }
            }

            #[cfg(target_arch = "wasm32")]
    $crate::bindings::provider::export!(Component with_types_in $crate::bindings::provider);
        };
    };
    ($plugin:ty: lifecycle_policy) => {
        $crate::__export_policy!(
            $plugin,
            LifecyclePolicy,
            lifecycle_policy,
            Account,
            LifecycleDecision
        );
    };
    ($plugin:ty: role_policy) => {
        $crate::__export_policy!($plugin, RolePolicy, role_policy, Account, RoleDecision);
    };
    ($plugin:ty: seat_policy) => {
        $crate::__export_policy!($plugin, SeatPolicy, seat_policy, SeatRequest, SeatDecision);
    };
}

/// What the three kinds of policy have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_policy {
    ($plugin:ty, $trait:ident, $interface:ident, $asked:ident, $decision:ident) => {
        const _: () = {
            $crate::__export_plugin!($plugin, $crate::$trait);

            impl $crate::bindings::$interface::exports::gatewright::plugin::$interface::Guest
                for Component
            {
                fn decide(
                    context: $crate::Context,
                    asked: Vec<$crate::$asked>,
                ) -> Vec<Result<$crate::$decision, $crate::Refusal>> {
                    // The instance ends with the call: to give back each text would be for nothing.
                    let context = ::core::mem::ManuallyDrop::new(context);
                    let asked = ::core::mem::ManuallyDrop::new(asked);
                    <$plugin as $crate::$trait>::decide_all(CONFIGURED.get(), &context, &asked)
                }
            }

            #[cfg(target_arch = "wasm32")]
            $crate::bindings::$interface::export!(
                Component with_types_in $crate::bindings::$interface
            );
        };
    };
}

/// What every plugin exports: `describe` and `configure`, and the place where the configured plugin
/// waits for the snapshot.
#[doc(hidden)]
#[macro_export]
macro_rules! __export_plugin {
    ($plugin:ty, $trait:path) => {
        struct Component;

        static CONFIGURED: $crate::glue::Configured<$plugin> = $crate::glue::Configured::new();

        impl $crate::bindings::base::exports::gatewright::plugin::plugin::Guest for Component {
            fn describe() -> $crate::Description {
                $crate::glue::describe::<<$plugin as $trait>::Settings>(&$crate::glue::Manifest {
                    name: env!("CARGO_PKG_NAME"),
                    version: env!("CARGO_PKG_VERSION"),
                    description: env!("CARGO_PKG_DESCRIPTION"),
                    license: env!("CARGO_PKG_LICENSE"),
                    authors: env!("CARGO_PKG_AUTHORS"),
                    homepage: env!("CARGO_PKG_HOMEPAGE"),
                })
            }

            fn configure(settings: String) -> Result<(), Vec<$crate::Problem>> {
                CONFIGURED.set(&settings, <$plugin as $trait>::configure)
            }
        }

        // Elsewhere the names of these functions, `gatewright:plugin/plugin@0.1.0#describe` and so on,
        // are more than a linker takes.
        #[cfg(target_arch = "wasm32")]
        $crate::bindings::base::export!(Component with_types_in $crate::bindings::base);

        #[cfg(not(target_arch = "wasm32"))]
        const _: fn() -> $crate::Description =
            <Component as $crate::bindings::base::exports::gatewright::plugin::plugin::Guest>::describe;
    };
}
