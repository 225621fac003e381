//! Segments of the log: made of rows, stored, found again, removed.

use super::Keep;
use super::prepare::Row;
use crate::clock::Timestamp;
use crate::model::requests::{
    RequestLogRecord, RequestLogs, RequestSegment, RequestSegments, SegmentDetails, SegmentKey,
    SegmentSubjects,
};
use gatewright_store::{OrganizationScope, Range, Read, StoreError, Writer as Tx};
use uuid::Uuid;

/// Requests of one segment. A directory that keeps few has smaller ones, since a segment goes as a
/// whole.
const MOST: u64 = 64;
/// Segments of which a full log has, at least.
const LEAST_SEGMENTS: u64 = 16;
/// Bytes of details of one segment; one request may have more.
const DETAILS: usize = 1 << 20;
/// In milliseconds.
const DAY: u64 = 24 * 60 * 60_000;
/// How long after a request came in it may be written: it takes less, with all that it can wait for.
pub(super) const LATEST: u64 = 10 * 60_000;

/// A segment that is ready to be stored.
pub(super) struct Ready {
    key: SegmentKey,
    rows: u64,
    bytes: u64,
    segment: Vec<u8>,
    details: Vec<u8>,
    subjects: Vec<u8>,
}

/// Makes segments of the rows of one directory.
pub(super) fn make(directory: Uuid, mut rows: Vec<Row>, keep: Keep) -> Vec<Ready> {
    let most = usize::try_from((keep.rows / LEAST_SEGMENTS).clamp(1, MOST)).unwrap_or(1);
    rows.sort_by_key(|row| row.id);
    let mut made = Vec::new();
    let mut part = Part::default();
    for row in rows {
        let is_full = part.requests.len() >= most || part.details.len() > DETAILS;
        if is_full {
            made.extend(std::mem::take(&mut part).ready(directory));
        }
        part.push(row);
    }
    made.extend(part.ready(directory));
    made
}

/// A segment being made.
#[derive(Default)]
struct Part {
    requests: RequestsOf,
    details: Vec<u8>,
    subjects: Vec<[u8; 4]>,
    bytes: u64,
}

type RequestsOf = Vec<(Uuid, crate::model::requests::RequestRecord)>;

impl Part {
    fn push(&mut self, row: Row) {
        let mut record = row.record;
        record.details = (self.details.len() as u64, row.details.len() as u64);
        self.details.extend_from_slice(&row.details);
        self.subjects
            .extend(record.subjects.iter().filter_map(|one| mark(one)));
        self.bytes += record.bytes;
        self.requests.push((row.id, record));
    }

    fn ready(mut self, directory: Uuid) -> Option<Ready> {
        let (last, _) = self.requests.last()?;
        let key = (directory, *last);
        self.subjects.sort_unstable();
        self.subjects.dedup();
        let rows = self.requests.len() as u64;
        let segment = RequestSegment {
            requests: self.requests,
        };
        Some(Ready {
            key,
            rows,
            bytes: self.bytes,
            // A record is numbers and texts.
            segment: serde_json::to_vec(&segment).unwrap_or_default(),
            details: self.details,
            subjects: self.subjects.concat(),
        })
    }
}

/// What is noted of a subject.
pub(super) fn mark(subject: &str) -> Option<[u8; 4]> {
    let digits = subject.get(..8)?;
    Some(u32::from_str_radix(digits, 16).ok()?.to_be_bytes())
}

/// Stores segments of one directory, and removes some of the oldest where it has too much.
pub(super) fn put<'r>(
    tx: &mut Tx<'_, OrganizationScope>,
    directory: Uuid,
    segments: impl Iterator<Item = &'r Ready>,
    keep: Keep,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut log = tx.get::<RequestLogs>(&directory)?.unwrap_or_default();
    let mut count = 0;
    for ready in segments {
        tx.put::<RequestSegments>(&ready.key, &ready.segment)?;
        tx.put::<SegmentDetails>(&ready.key, &ready.details)?;
        tx.put::<SegmentSubjects>(&ready.key, &ready.subjects)?;
        log.rows += ready.rows;
        log.bytes += ready.bytes;
        count += 1;
    }
    // More may go than came, so a log that is too large gets smaller, in steps.
    trim(tx, directory, &mut log, keep, now, 2 * count)?;
    tx.put::<RequestLogs>(&directory, &log)
}

/// Removes up to `most` of the oldest segments that are too old or too many. Answers whether it
/// removed any.
pub(super) fn trim(
    tx: &mut Tx<'_, OrganizationScope>,
    directory: Uuid,
    log: &mut RequestLogRecord,
    keep: Keep,
    now: Timestamp,
    most: usize,
) -> Result<bool, StoreError> {
    let mut gone = Vec::new();
    for row in tx
        .scan::<RequestSegments>(Range::prefix(&directory))?
        .take(most)
    {
        let (key, bytes) = row?;
        let requests = read(&bytes).requests;
        let newest = requests.iter().map(|(_, record)| record.at).max();
        let old = newest.is_none_or(|at| now > at.plus(keep.days.saturating_mul(DAY)));
        if log.rows <= keep.rows && log.bytes <= keep.bytes && !old {
            break;
        }
        let bytes: u64 = requests.iter().map(|(_, record)| record.bytes).sum();
        log.rows = log.rows.saturating_sub(requests.len() as u64);
        log.bytes = log.bytes.saturating_sub(bytes);
        gone.push(key);
    }
    for key in &gone {
        tx.delete::<RequestSegments>(key)?;
        tx.delete::<SegmentDetails>(key)?;
        tx.delete::<SegmentSubjects>(key)?;
    }
    Ok(!gone.is_empty())
}

/// A stored segment. One that is damaged is an empty one: the log is no fact.
pub(super) fn read(bytes: &[u8]) -> RequestSegment {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// The segment that has a request, and the request's place in it. Costs a look at the segments that
/// were written from then on until the request was answered: one, mostly.
pub(super) fn find(
    reader: &impl Read<OrganizationScope>,
    directory: Uuid,
    request: Uuid,
) -> Result<Option<(SegmentKey, RequestSegment, usize)>, StoreError> {
    let latest = time_of(request).map(|time| time + LATEST);
    let range = Range::prefix(&directory).from(&(directory, request));
    for row in reader.scan::<RequestSegments>(range)? {
        let (key, bytes) = row?;
        let segment = read(&bytes);
        let place = segment
            .requests
            .binary_search_by_key(&request, |(id, _)| *id);
        if let Ok(place) = place {
            return Ok(Some((key, segment, place)));
        }
        if time_of(key.1) > latest {
            break;
        }
    }
    Ok(None)
}

/// The time in an id, in milliseconds.
fn time_of(id: Uuid) -> Option<u64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(seconds * 1_000 + u64::from(nanos) / 1_000_000)
}
