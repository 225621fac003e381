//! A logged request once more, against the directory's present plugin and present facts. It takes
//! the way of every request, on a rehearsal of the store, so nothing of it is kept.

use super::error::Failure;
use super::journal::Notes;
use super::provider::{Passed, Room};
use super::{Incoming, route, work};
use crate::directory::error::FactError;
use crate::directory::requests::Understood;
use crate::directory::walk::Walker;
use crate::directory::{Directory, groups, requests, users};
use crate::gateway::Gateway;
use crate::model::requests::{Kept, RequestDetails, RequestRecord};
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use gatewright_scim::Preconditions;
use gatewright_store::StoreError;
use serde_json::Value;
use std::sync::Arc;

/// What came of it now.
pub(in crate::http) struct Replayed {
    /// The query as it was understood.
    pub(in crate::http) query: Vec<(String, String)>,
    /// The body as it was understood.
    pub(in crate::http) body: Option<Value>,
    /// What the plugin mended.
    pub(in crate::http) repaired: Vec<String>,
    /// What was ignored.
    pub(in crate::http) ignored: Vec<String>,
    /// The status of the answer.
    pub(in crate::http) status: u16,
    /// The body of the answer.
    pub(in crate::http) answer: Option<Value>,
    /// Whether what the request created then was taken away first.
    pub(in crate::http) created_before: bool,
}

/// Why a request cannot be run again.
#[derive(Debug, thiserror::Error)]
pub(in crate::http) enum NoReplay {
    /// Nobody was let in.
    #[error("it had no token of this directory, so it was not read")]
    Stranger,
    /// It is no request.
    #[error("this row only counts requests that were left out")]
    Gap,
    /// Its values are gone.
    #[error("its personal values are masked: replay one from before or after the masking")]
    Masked,
    /// Its body is gone.
    #[error("not all of its body is kept: it was longer than 64 KiB, or no JSON")]
    Cut,
    /// The directory's requests are all in its plugin.
    #[error("the directory's provider plugin is busy: try again")]
    Busy,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Runs it. `directory` has the plugin to use.
pub(in crate::http) fn run(
    gateway: &Arc<Gateway>,
    directory: &Directory,
    record: &RequestRecord,
    details: &RequestDetails,
    base_url: String,
) -> Result<Replayed, NoReplay> {
    let bytes = replayable(record, details)?;
    let rehearsal = gateway.store.rehearsal()?;
    let directory = Directory {
        organization: rehearsal.organization(directory.organization.id()),
        id: directory.id,
        record: directory.record.clone(),
        profile: directory.profile,
        names: None,
    };
    let created_before = take_back(gateway, &directory, record);
    let mut notes = Notes::default();
    let run = || -> Result<Passed, Failure> {
        let incoming = incoming(directory, record, details, bytes.clone(), base_url)?;
        work(gateway, incoming, Room::ToTake, &mut notes)
    };
    let answer = match run() {
        Ok(Passed::Answered(answer)) => answer,
        Ok(Passed::Waits(_)) => return Err(NoReplay::Busy),
        Err(failure) => failure.into_answer(),
    };
    let (understood, repaired) = notes.into_understood().unwrap_or_else(|| {
        let query = query_of(record);
        (Understood { query, body: bytes }, Vec::new())
    });
    let (_, ignored, _) = answer.parts();
    let body = answer.body().unwrap_or_default();
    Ok(Replayed {
        query: understood.query,
        body: serde_json::from_slice(&understood.body).ok(),
        repaired,
        ignored: ignored.to_vec(),
        status: answer.status(),
        answer: serde_json::from_slice(&body).ok(),
        created_before,
    })
}

/// The body, of a request that is there as a whole.
fn replayable(record: &RequestRecord, details: &RequestDetails) -> Result<Bytes, NoReplay> {
    if record.left_out > 0 {
        return Err(NoReplay::Gap);
    }
    if record.credential.is_none() {
        return Err(NoReplay::Stranger);
    }
    if record.masked {
        return Err(NoReplay::Masked);
    }
    match &details.body {
        None => Ok(Bytes::new()),
        Some(body) => match body.kept {
            Kept::Whole => Ok(body.text.clone().into()),
            Kept::Cut | Kept::Nothing => Err(NoReplay::Cut),
        },
    }
}

/// What a request created is there now, and would be in its way.
fn take_back(gateway: &Gateway, directory: &Directory, record: &RequestRecord) -> bool {
    let Some(id) = record.resource_id.as_ref().filter(|_| record.status == 201) else {
        return false;
    };
    let moment = gateway.moment(None);
    let gone: Result<_, FactError> = if record.path.contains("/Groups") {
        groups::delete(directory, &moment, id, &Preconditions::default())
    } else {
        users::delete(directory, &moment, id, &Preconditions::default())
    };
    gone.is_ok()
}

fn incoming(
    directory: Directory,
    record: &RequestRecord,
    details: &RequestDetails,
    body: Bytes,
    base_url: String,
) -> Result<Incoming, Failure> {
    let (_, place) = route::parse(&record.path)?;
    let method = Method::from_bytes(record.method.as_bytes()).unwrap_or_default();
    let route = place.with_method(&method)?;
    let mut headers = HeaderMap::new();
    for (name, value) in &details.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(value)) {
            headers.insert(name, value);
        }
    }
    if route.has_body() {
        route::check_media_type(&headers)?;
    }
    Ok(Incoming {
        id: None,
        directory,
        // Nobody's, so that nobody's walk through a listing moves.
        walker: Walker::default(),
        route,
        query: query_of(record),
        headers,
        body,
        base_url,
    })
}

fn query_of(record: &RequestRecord) -> Vec<(String, String)> {
    requests::parameters(record.query.as_deref().unwrap_or(""))
}
