//! What a request leaves for the log of requests: gathered on its way, handed over after its
//! answer. Nothing is read or written here that the request does not need itself.

use super::answer::Answer;
use crate::clock::Timestamp;
use crate::directory::Directory;
use crate::directory::requests::{Caller, Place, Seen, Understood};
use crate::gateway::Gateway;
use axum::body::Bytes;
use axum::extract::Request;
use axum::http::header::{ACCEPT, CONTENT_TYPE, IF_MATCH, IF_NONE_MATCH, USER_AGENT};
use axum::http::{HeaderName, HeaderValue};
use gatewright_store::OrganizationId;
use std::time::Duration;
use uuid::Uuid;

/// The headers that tell clients and their versions apart, or decide what a request does.
const HEADERS: [HeaderName; 6] = [
    USER_AGENT,
    CONTENT_TYPE,
    ACCEPT,
    IF_MATCH,
    IF_NONE_MATCH,
    HeaderName::from_static("adscimversion"),
];

/// A body up to this is copied: it is a part of the connection's buffer, which would stay as long
/// as the body waits to be logged.
const COPIED: usize = 16 << 10;

/// What is known before anybody is let in.
pub(super) struct Head {
    method: String,
    path: String,
    query: Option<String>,
    headers: Vec<(String, String)>,
}

/// What becomes known on the way.
#[derive(Default)]
pub(super) struct Notes {
    caller: Option<Caller>,
    body: Bytes,
    understood: Option<Understood>,
    repaired: Vec<String>,
}

impl Head {
    /// None where nothing is logged.
    pub(super) fn of(gateway: &Gateway, request: &Request) -> Option<Self> {
        if !gateway.requests.is_on() {
            return None;
        }
        let header = |name: &HeaderName| {
            let value: &HeaderValue = request.headers().get(name)?;
            let value = value.to_str().ok()?;
            let value: String = value.chars().take(256).collect();
            Some((name.as_str().to_owned(), value))
        };
        Some(Self {
            method: request.method().as_str().to_owned(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().map(str::to_owned),
            headers: HEADERS.iter().filter_map(header).collect(),
        })
    }

    /// The whole; none where no directory is concerned. Of who had no token of the directory
    /// nothing is kept but the path that was called.
    pub(super) fn with(
        self,
        id: Uuid,
        at: Timestamp,
        took: Duration,
        notes: Notes,
        answer: &Answer,
    ) -> Option<Seen> {
        let (caller, query) = match notes.caller {
            Some(caller) => (caller, self.query),
            None => (stranger(&self.path)?, None),
        };
        let (body, ignored, revision) = answer.parts();
        Some(Seen {
            id,
            at,
            took,
            method: self.method,
            place: place(&self.path),
            path: self.path,
            query,
            headers: self.headers,
            caller,
            body: notes.body,
            understood: notes.understood,
            repaired: notes.repaired,
            ignored: ignored.to_vec(),
            status: answer.status(),
            answer: body,
            revision,
        })
    }
}

impl Notes {
    /// Somebody was let in.
    pub(super) fn entered(&mut self, directory: &Directory, credential: Uuid) {
        self.caller = Some(Caller::Known {
            organization: directory.organization.id(),
            directory: directory.id,
            credential,
            mask: directory.record.behaviour.mask_personal_values,
        });
    }

    /// The body as it came.
    pub(super) fn came(&mut self, body: &Bytes) {
        self.body = kept(body);
    }

    /// What the provider plugin made of the request.
    pub(super) fn understood(
        &mut self,
        query: &[(String, String)],
        body: &Bytes,
        repaired: &[String],
    ) {
        self.understood = Some(Understood {
            query: query.to_vec(),
            body: body.clone(),
        });
        self.repaired = repaired.to_vec();
    }

    /// The request after its provider plugin, if that changed something, and its repairs.
    pub(super) fn into_understood(self) -> Option<(Understood, Vec<String>)> {
        Some((self.understood?, self.repaired))
    }

    pub(super) fn organization(&self) -> Option<OrganizationId> {
        match self.caller? {
            Caller::Known { organization, .. } => Some(organization),
            Caller::Stranger { .. } => None,
        }
    }

    pub(super) fn directory(&self) -> Option<Uuid> {
        match self.caller? {
            Caller::Known { directory, .. } => Some(directory),
            Caller::Stranger { .. } => None,
        }
    }
}

fn kept(body: &Bytes) -> Bytes {
    if body.len() <= COPIED {
        Bytes::copy_from_slice(body)
    } else {
        body.clone()
    }
}

/// Whom a path without a token of its directory is meant for.
fn stranger(path: &str) -> Option<Caller> {
    let directory = path.strip_prefix("/scim/v2/")?.split('/').next()?;
    let directory = directory.parse().ok()?;
    Some(Caller::Stranger { directory })
}

fn place(path: &str) -> Place {
    match path.split('/').nth(4) {
        Some("Users") => Place::Users,
        Some("Groups") => Place::Groups,
        Some(_) | None => Place::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_directories_are_read_from_the_path() {
        assert_eq!(place("/scim/v2/d/Users"), Place::Users);
        assert_eq!(place("/scim/v2/d/Groups/7"), Place::Groups);
        assert_eq!(place("/scim/v2/d/Schemas"), Place::Other);
        assert_eq!(place("/"), Place::Other);
        assert!(stranger("/scim/v2/d/Users").is_none());
        let id = Uuid::from_u128(7);
        let found = stranger(&format!("/scim/v2/{id}/Users"));
        assert!(matches!(found, Some(Caller::Stranger { directory }) if directory == id));
    }
}
