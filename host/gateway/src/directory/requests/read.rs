//! Reading the log: the newest first, by page, and by whom a request is about.

use super::subject::digest;
use crate::clock::{Random, Timestamp};
use crate::model::requests::{
    REQUESTS_BY_SUBJECT, RequestBodies, RequestDetails, RequestRecord, Requests,
};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use uuid::Uuid;

/// Rows that one search looks at: where few match, a page is shorter and the next goes on.
const LOOKED_AT: usize = 5_000;

/// Which requests are wanted.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Those about the user or group of this id, `userName`, `displayName`, or of what a lookup
    /// asked for. In any case.
    pub about: Option<String>,
    /// Those with this status, or of this class: 4 for all of 400 to 499.
    pub status: Option<u16>,
    /// Those with this method.
    pub method: Option<String>,
    /// Those that came in then or later.
    pub after: Option<Timestamp>,
    /// Those that came in earlier.
    pub before: Option<Timestamp>,
    /// Those older than this one: where the page before ended.
    pub cursor: Option<Uuid>,
}

/// Some requests, the newest first.
pub struct Page {
    /// Ids and records.
    pub requests: Vec<(Uuid, RequestRecord)>,
    /// Where the next page goes on; none: this was the last.
    pub next: Option<Uuid>,
}

/// Up to `limit` requests of a directory.
///
/// # Errors
/// What the store says.
pub fn search(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    search: &Search,
    limit: usize,
) -> Result<Page, StoreError> {
    let bound = search.before.map(first_id);
    let start = match (search.cursor, bound) {
        (Some(cursor), Some(bound)) => Some(cursor.min(bound)),
        (cursor, bound) => cursor.or(bound),
    };
    let mut page = Page {
        requests: Vec::new(),
        next: None,
    };
    for (looked_at, key) in keys(reader, directory, search, start)?.enumerate() {
        let key = key?;
        if page.requests.len() == limit || looked_at == LOOKED_AT {
            return Ok(page);
        }
        let Some(record) = reader.get::<Requests>(&key)? else {
            continue;
        };
        if search.after.is_some_and(|after| record.at < after) {
            break;
        }
        page.next = Some(key.1);
        if search.fits(&record) {
            page.requests.push((key.1, record));
        }
    }
    page.next = None;
    Ok(page)
}

type Keys<'r> = Box<dyn Iterator<Item = Result<(Uuid, Uuid), StoreError>> + 'r>;

/// The keys that can match, the newest first.
fn keys<'r>(
    reader: &'r impl Read<OrganizationScope>,
    directory: Uuid,
    search: &Search,
    start: Option<Uuid>,
) -> Result<Keys<'r>, StoreError> {
    Ok(match &search.about {
        Some(about) => {
            let subject = (directory, digest(directory, about));
            let range = Range::prefix(&subject);
            let range = match start {
                Some(start) => range.reverse().after_entry(&subject, &(directory, start)),
                None => range.reverse(),
            };
            let entries = reader.index_scan(&REQUESTS_BY_SUBJECT, range)?;
            Box::new(entries.map(|entry| entry.map(|(_, key)| key)))
        }
        None => {
            let range = Range::prefix(&directory).reverse();
            let range = match start {
                Some(start) => range.after(&(directory, start)),
                None => range,
            };
            Box::new(reader.keys::<Requests>(range)?)
        }
    })
}

impl Search {
    fn fits(&self, record: &RequestRecord) -> bool {
        let status = self.status.is_none_or(|wanted| match wanted {
            1..=9 => record.status / 100 == wanted,
            _ => record.status == wanted,
        });
        let method = self.method.as_ref();
        status && method.is_none_or(|wanted| record.method.eq_ignore_ascii_case(wanted))
    }
}

/// The smallest id of a time.
fn first_id(time: Timestamp) -> Uuid {
    Random::lowest_id(time)
}

/// One request.
///
/// # Errors
/// What the store says.
pub fn find(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    request: Uuid,
) -> Result<Option<RequestRecord>, StoreError> {
    reader.get::<Requests>(&(directory, request))
}

/// The details of one request.
///
/// # Errors
/// What the store says.
pub fn details(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    request: Uuid,
) -> Result<RequestDetails, StoreError> {
    let bytes = reader.get::<RequestBodies>(&(directory, request))?;
    // A row that only counts has none.
    Ok(bytes
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default())
}

/// The newest request about a subject.
pub(super) fn last_of(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    subject: &str,
) -> Result<Option<RequestRecord>, StoreError> {
    let range = Range::prefix(&(directory, subject.to_owned())).reverse();
    let mut entries = reader.index_scan(&REQUESTS_BY_SUBJECT, range)?;
    match entries.next().transpose()? {
        Some((_, key)) => reader.get::<Requests>(&key),
        None => Ok(None),
    }
}
