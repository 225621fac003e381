//! A provider plugin, and what it is built from.

use crate::{Answer, Interest, Normalized, Parameter, Problem, Refusal, Repair, Request};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

/// Turns what one identity provider sends into strict SCIM (RFC 7643, RFC 7644), and answers into
/// what it can read.
pub trait Provider: Sized + Send + Sync + 'static {
    /// The settings object; its schema is what the host checks settings against. Give it
    /// `#[serde(deny_unknown_fields)]`, so that a misspelt key is refused.
    type Settings: DeserializeOwned + JsonSchema;

    /// Makes the plugin from settings that matched the schema.
    ///
    /// # Errors
    ///
    /// Everything else that is wrong with the settings, each with the place it stands at.
    fn configure(settings: Self::Settings) -> Result<Self, Vec<Problem>>;

    /// Which requests the plugin wants to see. The others skip it at no cost, so name as few as will
    /// do; none, if not written.
    fn interests(&self) -> Vec<Interest> {
        Vec::new()
    }

    /// The request as strict SCIM; none where it is fine as it is. Asked only for interests with
    /// [`normalize`](Interest::normalize).
    ///
    /// # Errors
    ///
    /// A refusal is answered to the provider as 400 `invalidValue` with its message.
    fn normalize(&self, request: Request) -> Result<Option<Normalized>, Refusal> {
        drop(request);
        Ok(None)
    }

    /// The answer as the provider can read it; none where it is fine as it is. `request` is the
    /// normalized one. Asked only for interests with [`present`](Interest::present).
    ///
    /// # Errors
    ///
    /// A refusal is logged and the answer sent as it was, for the change is committed already.
    fn present(&self, request: Request, answer: Answer) -> Result<Option<Answer>, Refusal> {
        drop((request, answer));
        Ok(None)
    }
}

impl Interest {
    /// To normalize requests to `resource` (`Users`) with one of `methods` (`POST`, `PUT`); an empty
    /// list stands for each method.
    #[must_use]
    pub fn normalize(methods: &[&str], resource: &str) -> Self {
        Self::of(methods, resource, true)
    }

    /// To present the answers to requests to `resource` with one of `methods`; an empty list stands
    /// for each method.
    #[must_use]
    pub fn present(methods: &[&str], resource: &str) -> Self {
        Self::of(methods, resource, false)
    }

    fn of(methods: &[&str], resource: &str, normalize: bool) -> Self {
        Self {
            methods: methods.iter().map(|&method| method.to_owned()).collect(),
            resources: vec![resource.to_owned()],
            normalize,
            present: !normalize,
        }
    }
}

impl Repair {
    /// What was changed ("removed password") and why the provider needs it.
    #[must_use]
    pub fn new(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            why: why.into(),
        }
    }
}

/// What a plugin mends in one request. The same repair of several places is told once.
#[derive(Debug, Default)]
pub struct Repairs(Vec<Repair>);

impl Repairs {
    /// Takes a repair down.
    pub fn note(&mut self, repair: Repair) {
        if !self.0.contains(&repair) {
            self.0.push(repair);
        }
    }

    /// The request with its repairs: none if there were none. A body of none leaves the body as it is.
    #[must_use]
    pub fn normalized(self, query: Vec<Parameter>, body: Option<String>) -> Option<Normalized> {
        (!self.0.is_empty()).then_some(Normalized {
            query,
            body,
            repairs: self.0,
            extra: Vec::new(),
        })
    }
}
