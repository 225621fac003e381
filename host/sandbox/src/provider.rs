//! Provider plugins: one identity provider's dialect.

use crate::bindings::provider::exports::gatewright::plugin::provider::GuestIndices;
use crate::call::Called;
use crate::failure::CallError;
use crate::plugin::Loaded;
use crate::report::ComponentError;
use crate::types::{Answer, Interest, Normalized, Refusal, Request};
use serde::de::IgnoredAny;
use std::sync::Arc;

const NORMALIZE: &str = "provider.normalize";
const PRESENT: &str = "provider.present";

/// Repairs one identity provider's dialect.
#[derive(Clone)]
pub struct Provider(Arc<Inner>);

struct Inner {
    loaded: Loaded,
    indices: GuestIndices,
    interests: Vec<Interest>,
}

/// Which of its functions a provider plugin wants to be called for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// [`Provider::normalize`], before the request is parsed.
    pub normalize: bool,
    /// [`Provider::present`], before the answer is sent.
    pub present: bool,
}

impl Provider {
    /// Asks the interests that the plugin named when it was loaded: costs no call.
    ///
    /// `method` is an HTTP method in capitals, `resource` the first segment of the path.
    #[must_use]
    pub fn wants(&self, method: &str, resource: &str) -> Wants {
        let matches = |list: &[String], value: &str| {
            list.is_empty() || list.iter().any(|wanted| wanted == value)
        };
        let mut wants = Wants::default();
        for interest in &self.0.interests {
            if matches(&interest.methods, method) && matches(&interest.resources, resource) {
                wants.normalize |= interest.normalize;
                wants.present |= interest.present;
            }
        }
        wants
    }

    /// The request as strict SCIM. The inner result is the plugin's: none says that the request is
    /// fine as it is, a refusal that it cannot be repaired, in words for the administrator.
    ///
    /// # Errors
    ///
    /// [`CallError`] where the plugin fails; also if its body is not JSON, or missing where the
    /// request has one.
    pub fn normalize(
        &self,
        request: &Request,
    ) -> Result<Called<Result<Option<Normalized>, Refusal>>, CallError> {
        let Inner {
            loaded, indices, ..
        } = &*self.0;
        let budget = loaded.limits().for_bodies(size(&request.body));
        // It has no clock: strict SCIM is the same at any time.
        let called = loaded
            .guest()
            .call(NORMALIZE, &budget, None, |store, instance| {
                indices
                    .load(&mut *store, instance)?
                    .call_normalize(store, request)
            })?;
        let wrong = match &called.value {
            Ok(Some(normalized)) => wrong_body(&request.body, &normalized.body),
            Ok(None) | Err(_) => None,
        };
        match wrong {
            Some(why) => Err(loaded.garbage(NORMALIZE, why, called)),
            None => Ok(called),
        }
    }

    /// The answer as the identity provider can read it. The inner result is the plugin's: none
    /// says that the answer is fine as it is.
    ///
    /// # Errors
    ///
    /// [`CallError`] where the plugin fails; also if it changes the status beyond its class
    /// (2xx, 4xx, 5xx), or its body is not JSON.
    pub fn present(
        &self,
        request: &Request,
        answer: &Answer,
    ) -> Result<Called<Result<Option<Answer>, Refusal>>, CallError> {
        let Inner {
            loaded, indices, ..
        } = &*self.0;
        let bytes = size(&request.body) + size(&answer.body);
        let budget = loaded.limits().for_bodies(bytes);
        let called = loaded
            .guest()
            .call(PRESENT, &budget, None, |store, instance| {
                indices
                    .load(&mut *store, instance)?
                    .call_present(store, request, answer)
            })?;
        let wrong = match &called.value {
            Ok(Some(presented)) if presented.status / 100 != answer.status / 100 => Some(format!(
                "status {} in place of {}",
                presented.status, answer.status
            )),
            Ok(Some(presented)) => wrong_body(&answer.body, &presented.body),
            Ok(None) | Err(_) => None,
        };
        match wrong {
            Some(why) => Err(loaded.garbage(PRESENT, why, called)),
            None => Ok(called),
        }
    }

    /// What it has in common with the other kinds.
    #[must_use]
    pub fn loaded(&self) -> &Loaded {
        &self.0.loaded
    }

    /// The trial is the question for its interests, which the contract has the host ask once.
    pub(crate) fn try_out(loaded: Loaded) -> Result<Self, ComponentError> {
        let indices = GuestIndices::new(loaded.guest().pre())
            .map_err(|error| ComponentError::mismatch(&error))?;
        let budget = loaded.limits().for_bodies(0);
        let interests = loaded
            .guest()
            .call("provider.interests", &budget, None, |store, instance| {
                indices.load(&mut *store, instance)?.call_interests(store)
            })
            .map_err(ComponentError::Trial)?
            .value;
        Ok(Self(Arc::new(Inner {
            loaded,
            indices,
            interests,
        })))
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Provider").field(self.loaded()).finish()
    }
}

fn size(body: &Option<String>) -> usize {
    body.as_ref().map_or(0, String::len)
}

/// What is wrong with a body that replaces `before`. Found here, so that it is the plugin's fault
/// and not taken for the identity provider's.
fn wrong_body(before: &Option<String>, after: &Option<String>) -> Option<String> {
    let Some(after) = after else {
        return before
            .is_some()
            .then(|| "the body was taken away".to_owned());
    };
    serde_json::from_str::<IgnoredAny>(after)
        .err()
        .map(|error| format!("a body that is not JSON: {error}"))
}
