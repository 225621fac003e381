//! The directory's provider plugin around a request: it mends what comes in, and presents what
//! goes back. Requests that it does not want to see pass by it at no cost.

use super::Incoming;
use super::answer::Answer;
use super::error::Failure;
use super::journal::Notes;
use super::route;
use crate::gateway::Gateway;
use crate::model::plugins::{BoundLimits, PluginRef};
use crate::model::tenancy::DirectoryRecord;
use crate::plugins::PluginError;
use crate::plugins::watch::{Bound, Call, Came, Who};
use crate::turns::Turn;
use axum::body::Bytes;
use gatewright_sandbox::{CallError, Called, Grants, Plugin, Provider, types};
use std::sync::Arc;
use tracing::{debug, warn};

/// What became of a request.
pub(super) enum Passed {
    /// It has its answer.
    Answered(Answer),
    /// Its directory has as many calls under way as it may have: it is to come again with a turn,
    /// and is not to take up a worker meanwhile.
    Waits(Box<Incoming>),
}

/// Whether a request may call the plugin of its directory, which has a bounded number of calls.
pub(super) enum Room {
    /// It has to take a turn, where the plugin wants to see it.
    ToTake,
    /// It has one.
    Turn(Turn),
    /// Who asks has one for all of several requests.
    Held,
}

/// Runs `inner` behind the provider plugin of the request's directory.
pub(super) fn through(
    gateway: &Arc<Gateway>,
    mut request: Incoming,
    room: Room,
    notes: &mut Notes,
    inner: fn(&Gateway, &Incoming) -> Result<Answer, Failure>,
) -> Result<Passed, Failure> {
    let plugin = load(gateway, &request.directory.record.provider)
        .or_else(|error| fall_back(gateway, &request.directory.record, error))?;
    let wants = plugin.wants(request.route.method(), request.route.resource());
    let mut turn = match room {
        Room::ToTake if wants.normalize || wants.present => {
            let Some(turn) = gateway.turns.take(request.directory.id) else {
                return Ok(Passed::Waits(Box::new(request)));
            };
            Some(turn)
        }
        Room::Turn(turn) => Some(turn),
        Room::ToTake | Room::Held => None,
    };
    let mut repairs = Vec::new();
    if wants.normalize {
        repairs = normalize(gateway, &plugin, &mut request, notes)?;
    }
    if !wants.present {
        // The next one need not wait for this one's commit.
        turn = None;
    }
    let answer = match inner(gateway, &request) {
        Ok(answer) => answer,
        Err(failure) if wants.present && failure.cause().is_none() => failure.into_answer(),
        Err(failure) => return Err(failure),
    };
    let answer = answer.repaired_by(repairs);
    let answer = if wants.present {
        present(gateway, &plugin, &request, answer)
    } else {
        answer
    };
    drop(turn);
    Ok(Passed::Answered(answer))
}

fn load(gateway: &Gateway, plugin: &PluginRef) -> Result<Provider, PluginError> {
    match &*gateway
        .plugins
        .load(plugin, &Grants::default(), BoundLimits::default())?
    {
        Plugin::Provider(provider) => Ok(provider.clone()),
        Plugin::Lifecycle(_) | Plugin::Role(_) | Plugin::Seat(_) => {
            Err(PluginError::WrongKind { slot: "provider" })
        }
    }
}

fn fall_back(
    gateway: &Gateway,
    record: &DirectoryRecord,
    error: PluginError,
) -> Result<Provider, Failure> {
    let Some(previous) = &record.previous_provider else {
        return Err(Failure::PluginNotLoaded(error));
    };
    warn!(
        error = crate::telemetry::chain(&error),
        "provider plugin not loaded: using the last one"
    );
    load(gateway, previous).map_err(Failure::PluginNotLoaded)
}

fn normalize(
    gateway: &Gateway,
    plugin: &Provider,
    request: &mut Incoming,
    notes: &mut Notes,
) -> Result<Vec<String>, Failure> {
    // What is not JSON is refused in the host's words, whatever the plugin would make of it.
    if request.route.has_body() {
        gatewright_scim::check_json(&request.body, &gateway.limits.scim)?;
    }
    let asked = for_plugin(gateway, request);
    let called = plugin.normalize(&asked);
    watch(gateway, request, plugin, &called);
    let called = called.or_else(|error| {
        let previous = request.directory.record.previous_provider.as_ref();
        match previous.and_then(|previous| load(gateway, previous).ok()) {
            Some(previous) => {
                warn!(%error, "provider plugin failed: using the last one");
                previous.normalize(&asked)
            }
            None => Err(error),
        }
    });
    let called = called.map_err(Failure::Plugin)?;
    for line in &called.log {
        debug!(level = ?line.level, "provider plugin: {}", line.text);
    }
    let normalized = called
        .value
        .map_err(|refusal| Failure::Refused(refusal.message))?;
    let Some(normalized) = normalized else {
        return Ok(Vec::new());
    };
    request.query = normalized
        .query
        .into_iter()
        .map(|p| (p.name, p.value))
        .collect();
    if let Some(body) = normalized.body {
        request.body = Bytes::from(body);
    }
    let told = |repair: types::Repair| format!("{} ({})", repair.what, repair.why);
    let repairs: Vec<String> = normalized.repairs.into_iter().map(told).collect();
    notes.understood(&request.query, &request.body, &repairs);
    Ok(repairs)
}

/// The change is committed: a plugin that fails here is passed by.
fn present(gateway: &Gateway, plugin: &Provider, request: &Incoming, answer: Answer) -> Answer {
    let shown = types::Answer {
        status: answer.status(),
        body: answer
            .body()
            .map(|body| String::from_utf8_lossy(&body).into_owned()),
        extra: Vec::new(),
    };
    let called = plugin.present(&for_plugin(gateway, request), &shown);
    watch(gateway, request, plugin, &called);
    match called {
        Ok(called) => match called.value {
            Ok(Some(presented)) => answer.presented(presented.status, presented.body),
            Ok(None) => answer,
            Err(refusal) => {
                warn!(
                    refusal.message,
                    "provider plugin did not present the answer"
                );
                answer
            }
        },
        Err(error) => {
            warn!(%error, "provider plugin failed to present the answer");
            answer
        }
    }
}

/// Counts a call, for those who operate the gateway.
fn watch<T>(
    gateway: &Gateway,
    request: &Incoming,
    plugin: &Provider,
    called: &Result<Called<Result<T, types::Refusal>>, CallError>,
) {
    let about = &plugin.loaded().inspection().about;
    let (came, elapsed, memory) = match called {
        Ok(called) => {
            let came = Came::Answered {
                rejected: u64::from(called.value.is_err()),
                output: called.output,
            };
            (came, called.elapsed, called.memory)
        }
        Err(error) => (
            Came::Failed(error.kind.clone()),
            error.elapsed,
            error.memory,
        ),
    };
    let call = Call {
        who: Who {
            place: 0,
            plugin: about.name.clone(),
            version: about.version.clone(),
            binding: 0,
        },
        items: 1,
        came,
        elapsed,
        memory,
    };
    let bound = Bound::Provider(request.directory.id);
    let organization = request.directory.organization.id();
    gateway
        .plugins
        .watch
        .note(organization, bound, gateway.clock.now(), [call]);
}

fn for_plugin(gateway: &Gateway, request: &Incoming) -> types::Request {
    let parameters = |pairs: &[(String, String)]| {
        pairs
            .iter()
            .map(|(name, value)| types::Parameter {
                name: name.clone(),
                value: value.clone(),
            })
            .collect()
    };
    types::Request {
        method: request.route.method().to_owned(),
        resource: request.route.resource().to_owned(),
        id: request.route.id().map(str::to_owned),
        query: parameters(&request.query),
        headers: parameters(&route::headers(&request.headers)),
        body: request
            .route
            .has_body()
            .then(|| String::from_utf8_lossy(&request.body).into_owned()),
        extra: vec![types::NamedValue {
            name: "time".into(),
            value: gateway.clock.now().0.to_string(),
        }],
    }
}
