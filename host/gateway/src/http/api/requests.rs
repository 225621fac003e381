//! The log of requests of a directory: `/directories/{directory}/requests`.

use super::access::Administers;
use super::accounts::{id, missing};
use super::answer::{Answer, Json};
use super::directories::{empty, provider};
use super::error::ApiError;
use super::query::number;
use crate::clock::Timestamp;
use crate::directory::requests::{self, Search};
use crate::directory::{Directory, organizations};
use crate::gateway::Gateway;
use crate::http::Shared;
use crate::http::scim::replay::{self, Replayed};
use crate::model::plugins::PluginRef;
use crate::model::requests::{Kept, KeptBody, RequestDetails, RequestRecord};
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::HashMap;
use uuid::Uuid;

type Parameters = Query<HashMap<String, String>>;

/// Requests, the newest first. What was answered before this request came in is there.
pub(super) async fn list(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Query(query): Parameters,
) -> Result<Answer, ApiError> {
    let directory = id(&path, "directory")?;
    let limit = number(&query, "limit", 50, 1_000)?;
    let wanted = search(&query)?;
    let body = shared
        .gateway
        .run(move |gateway| {
            organizations::directory(&gateway.store, organization.id(), directory)?;
            gateway.requests.flush();
            let reader = organization.read()?;
            let page = requests::search(&reader, directory, &wanted, limit)?;
            let requests = page.requests.iter();
            let requests: Vec<Value> = requests.map(|(id, record)| summary(*id, record)).collect();
            Ok::<_, ApiError>(json!({ "requests": requests, "next": page.next }))
        })
        .await??;
    Ok(Answer::ok(body))
}

/// One request with everything that is kept of it.
pub(super) async fn show(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
) -> Result<Answer, ApiError> {
    let (directory, request) = (id(&path, "directory")?, id(&path, "request")?);
    let body = shared
        .gateway
        .run(move |gateway| {
            organizations::directory(&gateway.store, organization.id(), directory)?;
            gateway.requests.flush();
            let reader = organization.read()?;
            let record = requests::find(&reader, directory, request)?
                .ok_or_else(|| missing("request", request))?;
            let details = requests::details(&reader, directory, request)?;
            Ok::<_, ApiError>(whole(request, &record, &details))
        })
        .await??;
    Ok(Answer::ok(body))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct With {
    /// Name or digest of an installed provider plugin; none: the directory's.
    plugin: Option<String>,
    /// Its settings; none: the directory's, where the plugin is the same.
    settings: Option<Value>,
}

/// Runs a request again without any effect, and shows what came of it then and now.
pub(super) async fn replay(
    State(shared): State<Shared>,
    Administers(organization): Administers,
    Path(path): Path<HashMap<String, String>>,
    Json(with): Json<With>,
) -> Result<Answer, ApiError> {
    let (directory, request) = (id(&path, "directory")?, id(&path, "request")?);
    let base_url = format!("{}/scim/v2/{directory}", shared.public_url);
    let body = shared
        .gateway
        .run(move |gateway| {
            let mut settings =
                organizations::directory(&gateway.store, organization.id(), directory)?;
            gateway.requests.flush();
            let reader = organization.read()?;
            let record = requests::find(&reader, directory, request)?
                .ok_or_else(|| missing("request", request))?;
            let details = requests::details(&reader, directory, request)?;
            drop(reader);
            if let Some(plugin) = chosen(gateway, &settings.provider, with)? {
                settings.provider = plugin;
                settings.previous_provider = None;
            }
            let plugin = json!({
                "name": gateway.plugins.name(&settings.provider),
                "digest": settings.provider.digest,
            });
            let reader = organization.read()?;
            let directory = Directory::new(organization, &reader, directory, settings)?;
            drop(reader);
            let now = replay::run(gateway, &directory, &record, &details, base_url)?;
            Ok::<_, ApiError>(compared(request, &record, &details, &now, &plugin))
        })
        .await??;
    Ok(Answer::ok(body))
}

fn chosen(
    gateway: &Gateway,
    present: &PluginRef,
    with: With,
) -> Result<Option<PluginRef>, ApiError> {
    let wanted = match (with.plugin, &with.settings) {
        (None, None) => return Ok(None),
        (Some(wanted), _) => gateway.plugins.find(&wanted)?.0,
        (None, Some(_)) => present.digest.clone(),
    };
    let own = || match wanted == present.digest {
        true => present.settings.clone(),
        false => empty(),
    };
    let settings = with.settings.unwrap_or_else(own);
    provider(gateway, &wanted, settings).map(Some)
}

fn search(query: &HashMap<String, String>) -> Result<Search, ApiError> {
    let wrong = |name, problem: &str| ApiError::Query {
        name,
        problem: problem.to_owned(),
    };
    let time = |name: &'static str| {
        let Some(text) = query.get(name) else {
            return Ok(None);
        };
        let time: jiff::Timestamp = text
            .parse()
            .map_err(|_| wrong(name, "must be a time such as 2026-01-31T12:00:00Z"))?;
        let milliseconds = u64::try_from(time.as_millisecond()).unwrap_or(0);
        Ok::<_, ApiError>(Some(Timestamp(milliseconds)))
    };
    let status = match query.get("status").map(String::as_str) {
        None => None,
        Some(text) => {
            let digits = text.strip_suffix("xx").unwrap_or(text);
            let status = digits.parse().ok().filter(|status| {
                let class = text.len() != digits.len() || digits.len() == 1;
                if class {
                    (1..=5).contains(status)
                } else {
                    (100..=599).contains(status)
                }
            });
            let problem = "must be a status such as 409, or a class such as 4xx";
            Some(status.ok_or_else(|| wrong("status", problem))?)
        }
    };
    let cursor = match query.get("cursor") {
        None => None,
        Some(text) => Some(
            text.parse::<Uuid>()
                .map_err(|_| wrong("cursor", "is none: take the `next` of the last answer"))?,
        ),
    };
    Ok(Search {
        about: query.get("user").cloned(),
        status,
        method: query.get("method").cloned(),
        after: time("after")?,
        before: time("before")?,
        cursor,
    })
}

/// What a list shows of a request.
fn summary(id: Uuid, record: &RequestRecord) -> Value {
    if record.left_out > 0 {
        return json!({
            "id": id,
            "at": record.at.to_string(),
            "left_out": record.left_out,
        });
    }
    json!({
        "id": id,
        "at": record.at.to_string(),
        "method": record.method,
        "path": record.path,
        "query": record.query,
        "status": record.status,
        "took_ms": record.micros as f64 / 1_000.0,
        "revision": record.revision,
        "token": record.credential,
        "resource_id": record.resource_id,
        "name": record.name,
        "repaired": record.repaired,
        "ignored": record.ignored,
        "masked": record.masked,
    })
}

fn whole(id: Uuid, record: &RequestRecord, details: &RequestDetails) -> Value {
    let mut all = summary(id, record);
    let headers: serde_json::Map<String, Value> = details
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), value.as_str().into()))
        .collect();
    all["headers"] = headers.into();
    all["body"] = kept(details.body.as_ref());
    all["plugin"] = match &details.changes {
        None => Value::Null,
        Some(changes) => json!({ "body": changes.body, "query": changes.query }),
    };
    all["repaired"] = json!(details.repaired);
    all["ignored"] = json!(details.ignored);
    all["answer"] = kept(details.answer.as_ref());
    all
}

/// What came of a request then and now, and the differences: JSON Patch from then to now. Of the
/// answers without what differs each time.
fn compared(
    id: Uuid,
    record: &RequestRecord,
    details: &RequestDetails,
    now: &Replayed,
    plugin: &Value,
) -> Value {
    let then = Then::of(record, details);
    let query = encoded(&now.query);
    let answer = |answer: &Option<Value>| answer.clone().map(comparable).unwrap_or_default();
    let difference = json!({
        "status": (record.status != now.status).then_some([record.status, now.status]),
        "query": (then.query != query).then_some([&then.query, &query]),
        "body": patch(&then.body, &now.body),
        // Of an answer that is not kept as a whole there is nothing to compare.
        "answer": then.has_answer
            .then(|| json_patch::diff(&answer(&then.answer), &answer(&now.answer))),
    });
    let same = record.status == now.status
        && then.query == query
        && then.body == now.body
        && (!then.has_answer || answer(&then.answer) == answer(&now.answer));
    json!({
        "id": id,
        "plugin": plugin,
        "created_taken_away": now.created_before,
        "same": same,
        "then": {
            "status": record.status, "query": then.query, "body": then.body,
            "repaired": details.repaired, "ignored": details.ignored, "answer": then.answer,
        },
        "now": {
            "status": now.status, "query": query, "body": now.body,
            "repaired": now.repaired, "ignored": now.ignored, "answer": now.answer,
        },
        "difference": difference,
    })
}

/// How a request was understood and answered.
struct Then {
    query: String,
    body: Option<Value>,
    answer: Option<Value>,
    has_answer: bool,
}

impl Then {
    fn of(record: &RequestRecord, details: &RequestDetails) -> Self {
        let json = |body: &Option<KeptBody>| -> Option<Value> {
            let whole = body.as_ref().filter(|body| body.kept == Kept::Whole)?;
            serde_json::from_str(&whole.text).ok()
        };
        let came = encoded(&requests::parameters(record.query.as_deref().unwrap_or("")));
        let changes = details.changes.as_ref();
        let mut body = json(&details.body);
        let change = changes.and_then(|changes| changes.body.clone());
        if let (Some(body), Some(change)) = (&mut body, change)
            && let Ok(change) = serde_json::from_value::<json_patch::Patch>(change)
        {
            // It was made from this body, so it applies.
            let _ = json_patch::patch(body, &change);
        }
        let answer = json(&details.answer);
        Self {
            query: changes
                .and_then(|changes| changes.query.clone())
                .unwrap_or(came),
            body,
            has_answer: answer.is_some() || details.answer.is_none(),
            answer,
        }
    }
}

fn encoded(pairs: &[(String, String)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(pairs);
    encoded.finish()
}

fn patch(then: &Option<Value>, now: &Option<Value>) -> Option<json_patch::Patch> {
    Some(json_patch::diff(then.as_ref()?, now.as_ref()?))
}

/// An answer without ids and times that each creation makes anew.
fn comparable(mut answer: Value) -> Value {
    if let Some(object) = answer.as_object_mut() {
        object.shift_remove("meta");
        object.shift_remove("id");
    }
    answer
}

/// A body as JSON, where all of it is there; else its text.
fn kept(body: Option<&KeptBody>) -> Value {
    let Some(body) = body else {
        return Value::Null;
    };
    let json: Option<Value> = match body.kept {
        Kept::Whole => serde_json::from_str(&body.text).ok(),
        Kept::Cut | Kept::Nothing => None,
    };
    json!({
        "kept": body.kept,
        "bytes": body.bytes,
        "secrets_removed": body.removed,
        "text": json.is_none().then_some(&body.text),
        "json": json,
    })
}
