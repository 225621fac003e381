//! A plugin that is loaded: one type for each world, over the same foundation.

use crate::bounds::{Bounds, Grants, Rejection};
use crate::call::{Called, Guest};
use crate::failure::CallError;
use crate::job::Setup;
use crate::limits::Limits;
use crate::policies::{LifecyclePolicy, RolePolicy, SeatPolicy};
use crate::provider::Provider;
use crate::report::{ComponentError, Inspection, PluginKind};
use crate::types::Refusal;
use std::sync::Arc;

/// A plugin that was loaded, tried, and is ready to be called from any thread. Cheap to clone.
#[derive(Clone, Debug)]
pub enum Plugin {
    /// Repairs an identity provider's dialect.
    Provider(Provider),
    /// Decides who may use the application.
    Lifecycle(LifecyclePolicy),
    /// Decides roles.
    Role(RolePolicy),
    /// Decides seats.
    Seat(SeatPolicy),
}

impl Plugin {
    /// Finds the world's functions and makes one trial call of them.
    pub(crate) fn try_out(loaded: Loaded) -> Result<Self, ComponentError> {
        Ok(match loaded.inspection().kind {
            PluginKind::Provider => Self::Provider(Provider::try_out(loaded)?),
            PluginKind::Lifecycle => Self::Lifecycle(LifecyclePolicy::try_out(loaded)?),
            PluginKind::Role => Self::Role(RolePolicy::try_out(loaded)?),
            PluginKind::Seat => Self::Seat(SeatPolicy::try_out(loaded)?),
        })
    }

    /// What all kinds have in common.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        match self {
            Self::Provider(plugin) => plugin.loaded(),
            Self::Lifecycle(plugin) => plugin.loaded(),
            Self::Role(plugin) => plugin.loaded(),
            Self::Seat(plugin) => plugin.loaded(),
        }
    }
}

/// One component with one settings object, as it was compiled. Shared by all bindings that have
/// both in common.
pub(crate) struct Frozen {
    pub(crate) inspection: Inspection,
    pub(crate) setup: Setup,
    pub(crate) guest: Guest,
}

/// What every plugin that is loaded has, whatever its kind.
pub struct Loaded {
    pub(crate) frozen: Arc<Frozen>,
    pub(crate) limits: Limits,
    pub(crate) grants: Grants,
}

impl Loaded {
    /// What the component is.
    #[must_use]
    pub fn inspection(&self) -> &Inspection {
        &self.frozen.inspection
    }

    /// Whether its calls start from a snapshot.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.frozen.setup
    }

    /// What one call may use.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// What its decisions may give.
    #[must_use]
    pub fn grants(&self) -> &Grants {
        &self.grants
    }

    pub(crate) fn guest(&self) -> &Guest {
        &self.frozen.guest
    }

    pub(crate) fn garbage<T>(
        &self,
        export: &'static str,
        why: String,
        called: Called<T>,
    ) -> CallError {
        CallError::garbage(self.guest().name(), export, why, called.map(drop))
    }

    /// Holds each answer of a batch to its bounds, of which its size is one. The number of answers must be that of questions,
    /// for an answer belongs to its account by nothing but its place.
    pub(crate) fn judge<Q, D>(
        &self,
        export: &'static str,
        called: Called<Vec<Result<D, Refusal>>>,
        batch: &[Q],
        bounds: &Bounds<'_>,
        size: impl Fn(&D) -> usize,
        check: impl Fn(&Q, &D) -> Result<(), Rejection>,
    ) -> Result<Called<Vec<Result<D, Rejection>>>, CallError> {
        let (answers, questions) = (called.value.len(), batch.len());
        if answers != questions {
            let why = format!("{answers} answers for {questions} accounts");
            return Err(self.garbage(export, why, called));
        }
        let mut output = 0;
        let mut judge = |(answer, question)| match answer {
            Ok(decision) => {
                let bytes = size(&decision);
                output += bytes as u64;
                bounds.size(bytes)?;
                check(question, &decision).map(|()| decision)
            }
            Err(Refusal { message, .. }) => {
                output += message.len() as u64;
                Err(Rejection::Refused { message })
            }
        };
        let called = called.map(|answers| answers.into_iter().zip(batch).map(&mut judge).collect());
        Ok(Called { output, ..called })
    }

    /// The bounds for decisions under this catalogue.
    pub(crate) fn bounds<'a>(&self, catalogue: &'a crate::types::Catalogue) -> Bounds<'a> {
        Bounds::new(&self.grants, catalogue, self.limits.output)
    }
}

impl std::fmt::Debug for Loaded {
    /// Without the settings, which may hold what is not for a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Loaded")
            .field("plugin", &self.inspection().full_name())
            .field("digest", &self.inspection().digest)
            .field("limits", &self.limits)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}
