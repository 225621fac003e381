//! A request as it will be stored: everything that need not be read again is taken out here, on
//! the writer's thread.

use super::redact::{self, Found, Rules};
use super::subject::{self, Subject};
use super::{Caller, Place, Seen};
use crate::model::requests::{PluginChanges, RequestDetails, RequestRecord};
use gatewright_store::OrganizationId;
use serde_json::Value;
use uuid::Uuid;

/// Bytes of a patch that are kept.
const PATCH: usize = redact::KEPT;
/// Bytes that a request takes beside its details, about.
const ROW: u64 = 400;

/// A row that is ready.
pub(super) struct Row {
    pub(super) organization: OrganizationId,
    pub(super) directory: Uuid,
    pub(super) id: Uuid,
    pub(super) record: RequestRecord,
    /// [`RequestDetails`] as JSON.
    pub(super) details: Vec<u8>,
}

/// Takes a request's secrets out, and finds what it is about.
pub(super) fn row(organization: OrganizationId, seen: Seen) -> Row {
    let (directory, credential, mask) = match seen.caller {
        Caller::Known {
            directory,
            credential,
            mask,
            ..
        } => (directory, Some(credential), mask),
        Caller::Stranger { directory } => (directory, None, true),
    };
    let rules = Rules {
        mask,
        groups: seen.place == Place::Groups,
    };
    let mut found = Found::default();
    let came = parameters(seen.query.as_deref().unwrap_or(""));
    let query = redact::query(&came, rules, &mut found);
    let body = redact::body(&seen.body, rules, &mut found);
    let understood = seen.understood.as_ref();
    let understood_body =
        understood.and_then(|changed| redact::body(&changed.body, rules, &mut found));
    let changes = understood.map(|changed| {
        let now = redact::query(&changed.query, rules, &mut found);
        PluginChanges {
            body: difference(body.as_ref(), understood_body.as_ref()),
            query: (now != query).then_some(now),
        }
    });
    // A list says of nobody that the request was about them.
    let is_list = super::reads(&seen) && subject::id_of(&seen.path).is_none();
    let answer = redact::answer(&seen.answer, rules, &mut found, !is_list);
    let bodies: Vec<&Value> = [&understood_body, &body]
        .into_iter()
        .flatten()
        .filter_map(|body| body.json.as_ref())
        .collect();
    let answered = answer.as_ref().and_then(|answer| answer.json.as_ref());
    let about = Subject::of(&seen, &bodies, answered);
    let sentences = |texts: &[String]| -> Vec<String> {
        let texts = texts.iter().take(100);
        texts
            .map(|text| redact::sentence(text, rules, &found))
            .collect()
    };
    let details = RequestDetails {
        headers: seen.headers,
        body: body.map(|body| body.kept),
        changes,
        repaired: sentences(&seen.repaired),
        ignored: sentences(&seen.ignored),
        answer: answer.map(|answer| answer.kept),
    };
    let details = serde_json::to_vec(&details).unwrap_or_default();
    let subjects = about.digests(directory);
    let name_is_nobodys = rules.groups || !mask;
    let record = RequestRecord {
        at: seen.at,
        method: seen.method,
        path: redact::path(&seen.path, rules),
        query: (!query.is_empty()).then_some(query),
        status: seen.status,
        micros: u64::try_from(seen.took.as_micros()).unwrap_or(u64::MAX),
        revision: seen.revision,
        credential,
        resource_id: about.id.filter(|id| !mask || id.parse::<Uuid>().is_ok()),
        name: about.name.filter(|_| name_is_nobodys),
        subjects,
        repaired: count(seen.repaired.len()),
        ignored: count(seen.ignored.len()),
        masked: mask,
        bytes: details.len() as u64 + ROW,
        details: (0, 0),
        left_out: 0,
    };
    Row {
        organization,
        directory,
        id: seen.id,
        record,
        details,
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The parameters of a query as it came.
#[must_use]
pub fn parameters(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// JSON Patch from one body to another.
fn difference(before: Option<&redact::Body>, after: Option<&redact::Body>) -> Option<Value> {
    let patch = json_patch::diff(before?.clean()?, after?.clean()?);
    let patch = serde_json::to_value(patch).ok()?;
    (patch.to_string().len() <= PATCH).then_some(patch)
}
