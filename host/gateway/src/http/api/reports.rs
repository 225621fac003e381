//! `/plugin-reports`: calls of policies that came to no decision, to be looked at and made again.

use super::access::Administers;
use super::answer::{Answer, Json};
use super::error::ApiError;
use crate::access::reports::{self, Replayed};
use crate::http::Shared;
use crate::model::access::Decider;
use crate::model::reports::{Outcome, ReportKey, ReportRecord};
use axum::extract::{Path, State};
use gatewright_sandbox::{CallError, LogLine};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;

type Named = Path<HashMap<String, String>>;

/// By which component a call is to be made again.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Again {
    /// Its name or digest; without it, the one that was called then.
    plugin: Option<String>,
}

pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
) -> Result<Answer, ApiError> {
    let shown = shared
        .gateway
        .run(move |_| {
            let all = reports::all(&organization.read()?)?;
            let all = all.iter().map(|(key, report)| represent(key, report));
            Ok::<_, ApiError>(all.collect::<Vec<Value>>())
        })
        .await??;
    Ok(Answer::ok(json!({ "reports": shown })))
}

pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |_| {
            let (key, report, call) = reports::find(&organization.read()?, id(&path))?;
            let mut shown = represent(&key, &report);
            shown["digest"] = json!(call.bound.plugin.digest);
            shown["settings"] = json!(call.bound.plugin.settings);
            shown["grants"] = json!(call.bound.grants);
            shown["limits"] = json!(call.bound.limits);
            shown["context"] = call.context;
            shown["input"] = call.input;
            shown["outcome"] = outcome(&report.by, &call.outcome);
            Ok::<_, ApiError>(shown)
        })
        .await??;
    Ok(Answer::ok(body))
}

/// Makes the call again, without any effect.
pub(super) async fn replay(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Named,
    Json(Again { plugin }): Json<Again>,
) -> Result<Answer, ApiError> {
    let body = shared
        .gateway
        .run(move |gateway| {
            let (key, report, call) = reports::find(&organization.read()?, id(&path))?;
            let now = reports::replay(&gateway.plugins, &call, plugin.as_deref())?;
            let mut shown = represent(&key, &report);
            shown["same"] = json!(now.same);
            shown["then"] = outcome(&report.by, &call.outcome);
            shown["then"]["digest"] = json!(call.bound.plugin.digest);
            shown["now"] = again(&report.by, &now);
            Ok::<_, ApiError>(shown)
        })
        .await??;
    Ok(Answer::ok(body))
}

fn id(path: &HashMap<String, String>) -> &str {
    path.get("report").map_or("", String::as_str)
}

fn represent((_, _, account): &ReportKey, report: &ReportRecord) -> Value {
    json!({
        "id": report.id.to_string(),
        "account": account,
        "label": report.label,
        "slot": report.by.slot,
        "place": report.by.place,
        "plugin": report.by.plugin,
        "plugin_version": report.by.version,
        "binding": report.by.binding,
        "message": report.message,
        "since": report.since.to_string(),
        "last": report.last.to_string(),
        "count": report.count,
        "replay": format!("gatewright plugin replay {}", report.id),
    })
}

fn again(by: &Decider, now: &Replayed) -> Value {
    let mut shown = outcome(by, &now.outcome);
    shown["digest"] = json!(now.digest);
    shown["micros"] = json!(u64::try_from(now.elapsed.as_micros()).unwrap_or(u64::MAX));
    shown["memory"] = json!(now.memory);
    shown["log"] = log(&now.log);
    shown
}

fn outcome(by: &Decider, outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Failed(error) => failed(error),
        Outcome::Rejected(why) => {
            json!({ "outcome": "rejected", "message": reports::rejection(by, why) })
        }
        Outcome::Decided(decision) => json!({ "outcome": "decided", "decision": decision }),
    }
}

fn failed(error: &CallError) -> Value {
    json!({
        "outcome": "failed",
        "failure": error.kind,
        "message": error.to_string(),
        "panic": error.panic,
        "frames": error.frames,
        "log": log(&error.log),
        "micros": u64::try_from(error.elapsed.as_micros()).unwrap_or(u64::MAX),
        "memory": error.memory,
    })
}

fn log(lines: &[LogLine]) -> Value {
    lines
        .iter()
        .map(|line| json!({ "level": line.level, "text": line.text }))
        .collect()
}
