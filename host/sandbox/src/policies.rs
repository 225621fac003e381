//! The three kinds of policies. Each takes a batch and answers for each account by itself.

use crate::bindings::lifecycle::exports::gatewright::plugin::lifecycle_policy;
use crate::bindings::role::exports::gatewright::plugin::role_policy;
use crate::bindings::seat::exports::gatewright::plugin::seat_policy;
use crate::bounds::{self, Bounds, Rejection};
use crate::call::Called;
use crate::failure::CallError;
use crate::plugin::Loaded;
use crate::report::ComponentError;
use crate::types::{
    Account, Catalogue, Context, LifecycleDecision, RoleDecision, SeatDecision, SeatRequest,
};
use std::sync::Arc;

/// The answers of a batch, one for each account, in their order.
pub type Decisions<D> = Called<Vec<Result<D, Rejection>>>;

macro_rules! policy {
    (
        $(#[$doc:meta])*
        $policy:ident, $module:ident, $export:literal, $input:ty => $decision:ty, $size:ident, $check:ident
    ) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $policy(Arc<(Loaded, $module::GuestIndices)>);

        impl $policy {
            /// Decides a batch of accounts in one fresh instance.
            ///
            /// An account whose decision is refused or out of bounds has a [`Rejection`] in its
            /// place; the others are not affected.
            ///
            /// # Errors
            ///
            /// [`CallError`] where there are no answers at all. In a batch any one account may be
            /// the cause: the halves, tried again, tell which.
            pub fn decide(
                &self,
                context: &Context,
                batch: &[$input],
            ) -> Result<Decisions<$decision>, CallError> {
                let (loaded, indices) = &*self.0;
                let budget = loaded.limits().for_batch(batch.len());
                let called = loaded.guest().call(
                    $export,
                    &budget,
                    Some(context.now),
                    |store, instance| {
                        indices
                            .load(&mut *store, instance)?
                            .call_decide(store, context, batch)
                    },
                )?;
                let bounds = loaded.bounds(&context.catalogue);
                loaded.judge($export, called, batch, &bounds, $size, |asked, decision| {
                    $check(&bounds, asked, decision)
                })
            }

            /// What it has in common with the other kinds.
            #[must_use]
            pub fn loaded(&self) -> &Loaded {
                &self.0.0
            }

            /// The trial is an empty batch, which every policy can answer.
            pub(crate) fn try_out(loaded: Loaded) -> Result<Self, ComponentError> {
                let indices = $module::GuestIndices::new(loaded.guest().pre()).map_err(|error| ComponentError::mismatch(&error))?;
                let policy = Self(Arc::new((loaded, indices)));
                policy
                    .decide(&nothing(), &[])
                    .map_err(ComponentError::Trial)?;
                Ok(policy)
            }
        }

        impl std::fmt::Debug for $policy {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($policy)).field(self.loaded()).finish()
            }
        }
    };
}

policy!(
    /// Decides who may use the application.
    LifecyclePolicy,
    lifecycle_policy,
    "lifecycle-policy.decide",
    Account => LifecycleDecision,
    size_of_lifecycle,
    check_lifecycle
);

policy!(
    /// Decides base and custom roles.
    RolePolicy,
    role_policy,
    "role-policy.decide",
    Account => RoleDecision,
    size_of_roles,
    check_roles
);

policy!(
    /// Decides seats.
    SeatPolicy,
    seat_policy,
    "seat-policy.decide",
    SeatRequest => SeatDecision,
    size_of_seats,
    check_seats
);

fn size_of_lifecycle(decision: &LifecycleDecision) -> usize {
    decision.reason.len() + bounds::size_of_extra(&decision.extra)
}

fn size_of_roles(decision: &RoleDecision) -> usize {
    bounds::size_of_proposals(&decision.roles) + bounds::size_of_extra(&decision.extra)
}

fn size_of_seats(decision: &SeatDecision) -> usize {
    bounds::size_of_proposals(&decision.seats) + bounds::size_of_extra(&decision.extra)
}

/// Every status may be given: what follows from it is the guards' to hold.
fn check_lifecycle(_: &Bounds<'_>, _: &Account, _: &LifecycleDecision) -> Result<(), Rejection> {
    Ok(())
}

fn check_roles(
    bounds: &Bounds<'_>,
    account: &Account,
    decision: &RoleDecision,
) -> Result<(), Rejection> {
    bounds.roles(account, &decision.roles)
}

fn check_seats(
    bounds: &Bounds<'_>,
    request: &SeatRequest,
    decision: &SeatDecision,
) -> Result<(), Rejection> {
    bounds.seats(&request.account, &decision.seats)
}

/// The context of the trial call.
fn nothing() -> Context {
    Context {
        now: 0,
        catalogue: Catalogue {
            base_roles: vec![],
            custom_roles: vec![],
            seat_types: vec![],
        },
        organization: String::new(),
        extra: vec![],
    }
}
