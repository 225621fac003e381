//! The log of requests: what an identity provider sent to a directory, and what became of it.

use crate::clock::Timestamp;
use gatewright_store::{OrganizationScope, json_table, raw_table};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

/// Where a segment is: its directory, then the greatest id in it. Ids sort by the time at which
/// requests came in, so a segment has nothing that came in after its key.
pub type SegmentKey = (Uuid, Uuid);

/// Requests of one directory that were written together, ordered by id. Very many requests would
/// otherwise be very many rows, which cost the requests themselves their time in the store.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RequestSegment {
    /// Each with its id.
    pub requests: Vec<(Uuid, RequestRecord)>,
}

/// What a list of requests shows of one. The rest is its [`RequestDetails`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// When it came in.
    pub at: Timestamp,
    /// The HTTP method.
    pub method: String,
    /// The path as it was called.
    pub path: String,
    /// The query as it was called, without secrets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The HTTP status of the answer. 0 in a row that only says how many were left out.
    pub status: u16,
    /// Microseconds from its head to its answer.
    pub micros: u64,
    /// The revision that holds what it wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// The id of the token; none: it had no token of this directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<Uuid>,
    /// The id of the user or group that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// The `userName` of that user, or the `displayName` of that group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// By what it is found: digests of ids and names, for names may be masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    /// How many things the provider plugin mended.
    #[serde(default)]
    pub repaired: u32,
    /// How many things were ignored.
    #[serde(default)]
    pub ignored: u32,
    /// Whether personal values are masked.
    #[serde(default)]
    pub masked: bool,
    /// Bytes that it takes up, which is what the log's size is counted in.
    pub bytes: u64,
    /// Where its [`RequestDetails`] begin in those of its segment, and how many bytes they are.
    pub details: (u64, u64),
    /// How many requests before it were left out, because more came in than could be written.
    #[serde(default)]
    pub left_out: u64,
}

impl RequestRecord {
    /// Hexadecimal digits of a subject.
    pub const SUBJECT_DIGITS: usize = 32;
}

/// The rest of a request.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct RequestDetails {
    /// The headers that help to tell clients apart.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<KeptBody>,
    /// What the provider plugin changed.
    pub changes: Option<PluginChanges>,
    /// What the provider plugin says that it mended.
    pub repaired: Vec<String>,
    /// What was not kept of the request.
    pub ignored: Vec<String>,
    /// The body of the answer.
    pub answer: Option<KeptBody>,
}

/// What is kept of a body.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBody {
    /// The text, as far as it is kept, without secrets.
    pub text: String,
    /// Bytes as it came.
    pub bytes: u64,
    /// How much of it is there.
    pub kept: Kept,
    /// Whether a secret was removed.
    #[serde(default)]
    pub removed: bool,
}

/// How much of a body is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kept {
    /// All of it.
    Whole,
    /// Its beginning.
    Cut,
    /// Nothing: it is not JSON, or too large, so that a secret in it might be overlooked.
    Nothing,
}

/// What a provider plugin changed of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PluginChanges {
    /// JSON Patch (RFC 6902) from the body that came to the one that was understood; none where
    /// one of them is not kept, or the patch would be too large.
    pub body: Option<Value>,
    /// The query that was understood, where it is another one.
    pub query: Option<String>,
}

/// How large a directory's log is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestLogRecord {
    /// Rows.
    pub rows: u64,
    /// Bytes, as the rows count them.
    pub bytes: u64,
}

raw_table! {
    /// Logged requests, each value a [`RequestSegment`] as JSON.
    pub struct RequestSegments = 137, "request segments", OrganizationScope, SegmentKey;
}
raw_table! {
    /// The details of a segment's requests, as JSON, one behind the other. Apart, so that a list does
    /// not read them.
    pub struct SegmentDetails = 141, "request details", OrganizationScope, SegmentKey;
}
raw_table! {
    /// What a segment's requests are about: the first four bytes of each subject, in order. A search
    /// reads these few bytes of each segment, and the segments that they say may have somebody.
    pub struct SegmentSubjects = 142, "request subjects", OrganizationScope, SegmentKey;
}
json_table! {
    /// How large each directory's log is.
    pub struct RequestLogs = 143, "request logs", OrganizationScope, Uuid => RequestLogRecord;
}
