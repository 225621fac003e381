//! `/plugins`: installed components.

use super::access::Operator;
use super::answer::Answer;
use super::error::ApiError;
use crate::http::{Shared, body};
use crate::model::plugins::{ComponentRecord, ImportedInterface};
use crate::plugins::folder::{FileReport, FileState, FolderReport};
use crate::plugins::install::Outcome;
use crate::plugins::usage::{self, Holder, Usage};
use axum::extract::{Path, Query, Request, State};
use serde_json::{Value, json};
use std::collections::HashMap;

pub(super) async fn list(State(shared): State<Shared>, _: Operator) -> Result<Answer, ApiError> {
    let all = shared
        .gateway
        .run(|gateway| gateway.plugins.installed())
        .await??;
    let all: Vec<Value> = all
        .iter()
        .map(|(digest, record)| show_record(digest, record))
        .collect();
    Ok(Answer::ok(json!({ "plugins": all })))
}

/// Installs the component that is the body, or with `check=true` says what that would come to.
pub(super) async fn install(
    State(shared): State<Shared>,
    _: Operator,
    Query(query): Query<HashMap<String, String>>,
    request: Request,
) -> Result<Answer, ApiError> {
    // First: a client that is still sending would see a broken connection instead of a refusal.
    let wasm = body::read(request.into_body(), shared.gateway.limits.component).await?;
    let check = match query.get("check").map(String::as_str) {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            return Err(ApiError::Query {
                name: "check",
                problem: "must be true or false".into(),
            });
        }
    };
    let received = shared
        .gateway
        .run(move |gateway| match check {
            true => gateway.plugins.check(&wasm),
            false => gateway.plugins.install(&wasm),
        })
        .await??;
    let mut shown = show_report(&received.digest, &received.record);
    let word = match received.outcome {
        Outcome::Installed => "installed",
        Outcome::AlreadyInstalled => "already-installed",
        Outcome::Checked => {
            shown["installed"] = Value::Null;
            "checked"
        }
    };
    shown["outcome"] = json!(word);
    Ok(match received.outcome {
        Outcome::Installed => Answer::created(shown),
        Outcome::AlreadyInstalled | Outcome::Checked => Answer::ok(shown),
    })
}

/// The report of one, by digest or name, and who uses it.
pub(super) async fn show(
    State(shared): State<Shared>,
    _: Operator,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let wanted = named(&path);
    let shown = shared
        .gateway
        .run(move |gateway| {
            let (digest, record) = gateway.plugins.report(&wanted)?;
            let mut shown = show_report(&digest, &record);
            shown["used_by"] = show_uses(&usage::of(&gateway.store, &digest)?);
            Ok::<_, ApiError>(shown)
        })
        .await??;
    Ok(Answer::ok(shown))
}

/// Removes one that nobody uses.
pub(super) async fn remove(
    State(shared): State<Shared>,
    _: Operator,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let wanted = named(&path);
    let (digest, record, kept) = shared
        .gateway
        .run(move |gateway| gateway.plugins.remove(&wanted))
        .await??;
    let mut shown = show_record(&digest, &record);
    shown["returned_to_by"] = show_uses(&kept);
    Ok(Answer::ok(shown))
}

/// The watched folder, and what became of each of its files.
pub(super) async fn folder(State(shared): State<Shared>, _: Operator) -> Result<Answer, ApiError> {
    let Some(folder) = &shared.gateway.plugin_folder else {
        return Ok(Answer::ok(json!({
            "folder": null,
            "problem": "no folder is watched: set `plugins.folder`",
            "files": [],
        })));
    };
    let FolderReport { problem, files } = folder.report();
    let files: Vec<Value> = files
        .iter()
        .map(|(file, report)| show_file(file, report))
        .collect();
    let path = folder.path().display().to_string();
    let shown = json!({ "folder": path, "problem": problem, "files": files });
    Ok(Answer::ok(shown))
}

fn show_file(file: &str, report: &FileReport) -> Value {
    let mut shown = json!({
        "file": file,
        "state": "settling",
        "digest": null,
        "name": null,
        "version": null,
        "error": null,
        "since": report.since.to_string(),
    });
    match &report.state {
        FileState::Settling => {}
        FileState::Installed {
            digest,
            name,
            version,
        } => {
            shown["state"] = json!("installed");
            shown["digest"] = json!(digest);
            shown["name"] = json!(name);
            shown["version"] = json!(version);
        }
        FileState::Refused { why } => {
            shown["state"] = json!("refused");
            shown["error"] = json!(why);
        }
    }
    shown
}

fn named(path: &HashMap<String, String>) -> String {
    path.get("plugin").cloned().unwrap_or_default()
}

fn show_record(digest: &str, record: &ComponentRecord) -> Value {
    json!({
        "digest": digest,
        "name": record.name,
        "version": record.version,
        "kind": record.kind,
        "summary": record.summary,
        "settings_schema": record.settings_schema,
        "size": record.size,
        "built_in": record.built_in,
        "installed": record.installed.to_string(),
    })
}

/// What was found out about a component.
pub(crate) fn show_report(digest: &str, record: &ComponentRecord) -> Value {
    let mut shown = show_record(digest, record);
    shown["world"] = json!(record.kind.world());
    if let Some(report) = &record.report {
        let imports: Vec<Value> = report.imports.iter().map(show_import).collect();
        let mut warnings = Vec::new();
        if !report.has_names {
            warnings.push(
                "it has no names of functions, so that a trap cannot say where it happened: build \
                 it with `strip = \"debuginfo\"` instead of `strip = true`",
            );
        }
        shown["contract"] = json!(report.contract);
        shown["imports"] = json!(imports);
        shown["has_names"] = json!(report.has_names);
        shown["compile_ms"] = json!(report.compile_ms);
        shown["warnings"] = json!(warnings);
    }
    shown
}

/// An interface is as its most useful function. One of types alone gives nothing to call.
fn show_import(import: &ImportedInterface) -> Value {
    let ImportedInterface {
        name,
        granted,
        nothing,
        denied,
    } = import;
    let access = match (granted.is_empty(), nothing.is_empty(), denied.is_empty()) {
        (false, _, _) => "granted",
        (true, false, _) => "answered-with-nothing",
        (true, true, false) => "denied",
        (true, true, true) => "types-only",
    };
    json!({
        "name": name,
        "access": access,
        "granted": granted,
        "answered_with_nothing": nothing,
        "denied": denied,
    })
}

pub(super) fn show_uses(uses: &[Usage]) -> Value {
    let shown = uses.iter().map(|usage| {
        let mut shown = json!({
            "organization": usage.organization,
            "organization_name": usage.name,
        });
        let (by, name, what) = match &usage.holder {
            Holder::Binding(slot) => ("binding", "slot", json!(slot)),
            Holder::Shadow(slot) => ("shadow", "slot", json!(slot)),
            Holder::Plan(plan) => ("plan", "plan", json!(plan)),
            Holder::Directory(id) => ("directory", "directory", json!(id)),
            Holder::PreviousProvider(id) => ("previous-provider", "directory", json!(id)),
            Holder::Version(slot, version) => {
                shown["version"] = json!(version);
                ("kept-version", "slot", json!(slot))
            }
        };
        shown["by"] = json!(by);
        shown[name] = what;
        shown
    });
    Value::Array(shown.collect())
}
