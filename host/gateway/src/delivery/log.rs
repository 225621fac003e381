//! The event log, read from any point.

use crate::model::events::{EventKey, EventRecord, Events};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::fmt;
use std::str::FromStr;

/// A place in the log: everything up to it was read. Written `REVISION-NUMBER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor(pub EventKey);

/// A text is no cursor.
#[derive(Debug, thiserror::Error)]
#[error("a cursor looks like \"12-0\": take the one that the last answer gave")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.0.0, self.0.1)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let (revision, number) = text.split_once('-').ok_or(BadCursor)?;
        let revision = revision.parse().map_err(|_| BadCursor)?;
        let number = number.parse().map_err(|_| BadCursor)?;
        Ok(Self((revision, number)))
    }
}

/// Some events, in order.
pub struct Page {
    /// The events, each with its place.
    pub events: Vec<(Cursor, EventRecord)>,
    /// Whether there are more already.
    pub more: bool,
}

/// Reads up to `limit` events after a cursor; none: from the beginning.
///
/// # Errors
/// What the store says.
pub fn after(
    reader: &impl Read<OrganizationScope>,
    cursor: Option<Cursor>,
    limit: usize,
) -> Result<Page, StoreError> {
    let range = Range::all().behind(cursor.map(|cursor| cursor.0));
    let mut events = Vec::new();
    let mut more = false;
    for row in reader.scan::<Events>(range)? {
        let (key, event) = row?;
        if events.len() == limit {
            more = true;
            break;
        }
        events.push((Cursor(key), event));
    }
    Ok(Page { events, more })
}
