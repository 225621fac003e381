//! Reading the log: the newest first, by page, and by whom a request is about.

use super::segment;
use super::subject::digest;
use crate::clock::{Random, Timestamp};
use crate::model::requests::{
    RequestDetails, RequestRecord, RequestSegments, SegmentDetails, SegmentKey, SegmentSubjects,
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

/// Up to `limit` requests of a directory. Segment by segment, the newest first: requests that were
/// answered at about the same time may stand in another order than they came in.
///
/// # Errors
/// What the store says.
pub fn search(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    search: &Search,
    limit: usize,
) -> Result<Page, StoreError> {
    let wanted = search.about.as_ref().map(|about| digest(directory, about));
    let mut page = Page {
        requests: Vec::new(),
        next: None,
    };
    let mut looked_at = 0;
    // Where the page before ended: in the midst of a segment, or, where that is gone, at its id.
    let cursor = match search.cursor {
        Some(cursor) => Some((cursor, segment::find(reader, directory, cursor)?)),
        None => None,
    };
    let range = Range::prefix(&directory).reverse();
    let range = match &cursor {
        Some((_, Some((key, ..)))) => range.from(key),
        Some((id, None)) => range.after(&(directory, *id)),
        // What came in before that was written soon after.
        None => match search.before {
            Some(before) => {
                let last = Random::lowest_id(before.plus(segment::LATEST));
                range.from(&(directory, last))
            }
            None => range,
        },
    };
    for key in keys(reader, range, wanted.as_deref())? {
        let key = key?;
        let Some(bytes) = reader.get::<RequestSegments>(&key)? else {
            continue;
        };
        let mut requests = segment::read(&bytes).requests;
        if let Some((_, Some((last, _, place)))) = &cursor
            && *last == key
        {
            requests.truncate(*place);
        }
        for (id, record) in requests.into_iter().rev() {
            if page.requests.len() == limit || looked_at == LOOKED_AT {
                return Ok(page);
            }
            looked_at += 1;
            page.next = Some(id);
            let about = |wanted: &String| record.subjects.contains(wanted);
            if wanted.as_ref().is_none_or(about) && search.fits(&record) {
                page.requests.push((id, record));
            }
        }
        // Nothing in the segments before this one came in later than its key.
        if search
            .after
            .is_some_and(|after| key.1 < Random::lowest_id(after))
        {
            break;
        }
    }
    page.next = None;
    Ok(page)
}

type Keys<'r> = Box<dyn Iterator<Item = Result<SegmentKey, StoreError>> + 'r>;

/// The segments that can have what is wanted, in the order of the range.
fn keys<'r>(
    reader: &'r impl Read<OrganizationScope>,
    range: Range<SegmentKey>,
    wanted: Option<&str>,
) -> Result<Keys<'r>, StoreError> {
    let Some(mark) = wanted.and_then(segment::mark) else {
        return Ok(Box::new(reader.keys::<RequestSegments>(range)?));
    };
    let rows = reader.scan::<SegmentSubjects>(range)?;
    Ok(Box::new(rows.filter_map(move |row| match row {
        Ok((key, subjects)) => {
            let (marks, _) = subjects.as_chunks::<4>();
            marks.binary_search(&mark).is_ok().then_some(Ok(key))
        }
        Err(error) => Some(Err(error)),
    })))
}

impl Search {
    fn fits(&self, record: &RequestRecord) -> bool {
        let status = self.status.is_none_or(|wanted| match wanted {
            1..=9 => record.status / 100 == wanted,
            _ => record.status == wanted,
        });
        let method = self.method.as_ref();
        let early = self.before.is_none_or(|before| record.at < before);
        let late = self.after.is_none_or(|after| record.at >= after);
        let method = method.is_none_or(|wanted| record.method.eq_ignore_ascii_case(wanted));
        status && method && early && late
    }
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
    let found = segment::find(reader, directory, request)?;
    Ok(found.map(|(_, mut segment, place)| segment.requests.swap_remove(place).1))
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
    let Some((key, segment, place)) = segment::find(reader, directory, request)? else {
        return Ok(RequestDetails::default());
    };
    let bytes = reader.get::<SegmentDetails>(&key)?.unwrap_or_default();
    let (start, count) = segment.requests[place].1.details;
    let part = usize::try_from(start)
        .ok()
        .and_then(|start| bytes.get(start..)?.get(..usize::try_from(count).ok()?));
    Ok(part
        .and_then(|part| serde_json::from_slice(part).ok())
        .unwrap_or_default())
}
