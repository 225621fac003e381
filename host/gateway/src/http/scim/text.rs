//! Resources as the text of an answer. Members are written one by one, and those of a large group
//! while the answer is being sent: 100,000 of them are 13 MB of text and 2 MB as ids, and as a tree
//! of JSON they would take five times the memory of the text.

use crate::directory::groups::Represented;
use axum::body::{Bytes, HttpBody};
use gatewright_scim::MemberKind;
use hyper::body::{Frame, SizeHint};
use serde_json::Value;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// Bytes that are written at once of what is written while it is being sent.
const CHUNK: usize = 64 << 10;

/// A text of which the members are not written yet.
pub(super) struct Text {
    pieces: Vec<Piece>,
    length: usize,
}

/// How far a text was written.
#[derive(Clone, Copy, Default)]
struct Place {
    piece: usize,
    /// Members of that piece.
    members: usize,
}

enum Piece {
    Plain(String),
    Members(Outline, Vec<(MemberKind, Uuid)>),
}

impl Text {
    /// One resource.
    pub(super) fn of(resource: Represented) -> Self {
        let mut text = Self::empty();
        text.resource(resource);
        text
    }

    /// A list of resources behind what is said of it.
    pub(super) fn list(frame: &Value, resources: Vec<Represented>) -> Self {
        let mut text = Self::empty();
        let mut frame = frame.to_string();
        let closing = frame.pop();
        text.plain(&frame);
        text.plain(",\"Resources\":[");
        let mut first = true;
        for resource in resources {
            text.plain(separator(&mut first));
            text.resource(resource);
        }
        text.plain("]");
        text.plain(closing.map_or("", |_| "}"));
        text
    }

    fn empty() -> Self {
        Self {
            pieces: Vec::new(),
            length: 0,
        }
    }

    /// Its bytes.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// All of it.
    pub(super) fn into_bytes(mut self) -> Bytes {
        if let [Piece::Plain(text)] = self.pieces.as_mut_slice() {
            return std::mem::take(text).into();
        }
        self.beginning(self.length)
    }

    /// As much of its beginning, or a little more.
    pub(super) fn beginning(&self, bytes: usize) -> Bytes {
        // The length is known: to grow on the way would take twice the memory.
        let mut text = String::with_capacity(self.length.min(bytes + CHUNK));
        self.write(&mut Place::default(), bytes, &mut text);
        text.into()
    }

    /// What writes it while it is being sent.
    pub(super) fn into_body(self) -> Writing {
        Writing {
            left: self.length,
            text: self,
            place: Place::default(),
        }
    }

    fn plain(&mut self, part: &str) {
        self.length += part.len();
        match self.pieces.last_mut() {
            Some(Piece::Plain(text)) => text.push_str(part),
            Some(Piece::Members(..)) | None => self.pieces.push(Piece::Plain(part.to_owned())),
        }
    }

    /// The resource with its members in the place of those that stand for them.
    fn resource(&mut self, resource: Represented) {
        let Represented { body, members } = resource;
        let outline = Outline::of(&body).filter(|_| !members.is_empty());
        let (Some(outline), Some(body)) = (outline, body.as_object()) else {
            self.plain(&body.to_string());
            return;
        };
        let mut members = Some((outline, members));
        let mut first = true;
        self.plain("{");
        for (name, value) in body {
            self.plain(separator(&mut first));
            self.plain(&Value::from(name.as_str()).to_string());
            self.plain(":");
            match members.take_if(|_| name == "members") {
                Some((outline, members)) => {
                    self.plain("[");
                    self.length += outline.length(&members);
                    self.pieces.push(Piece::Members(outline, members));
                    self.plain("]");
                }
                None => self.plain(&value.to_string()),
            }
        }
        self.plain("}");
    }

    /// Writes on from a place until there are as many bytes, or no more.
    fn write(&self, place: &mut Place, bytes: usize, text: &mut String) {
        while text.len() < bytes
            && let Some(piece) = self.pieces.get(place.piece)
        {
            match piece {
                Piece::Plain(part) => text.push_str(part),
                Piece::Members(outline, members) => {
                    while text.len() < bytes
                        && let Some((kind, id)) = members.get(place.members)
                    {
                        text.push_str(separator(&mut (place.members == 0)));
                        outline.write(text, *kind, *id);
                        place.members += 1;
                    }
                    if place.members < members.len() {
                        return;
                    }
                }
            }
            *place = Place {
                piece: place.piece + 1,
                members: 0,
            };
        }
    }
}

/// A text that is written while it is being sent.
pub(super) struct Writing {
    text: Text,
    place: Place,
    left: usize,
}

impl HttpBody for Writing {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let writing = &mut *self;
        let mut chunk = String::with_capacity(CHUNK + 1_024);
        writing.text.write(&mut writing.place, CHUNK, &mut chunk);
        writing.left = writing.left.saturating_sub(chunk.len());
        Poll::Ready(Some(Ok(Frame::data(chunk.into()))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

fn separator(first: &mut bool) -> &'static str {
    if std::mem::take(first) { "" } else { "," }
}

/// What stands around the id in a member of each kind.
struct Outline {
    user: Vec<String>,
    group: Vec<String>,
}

impl Outline {
    /// None where members are not shown.
    fn of(body: &Value) -> Option<Self> {
        let [user, group] = body.get("members")?.as_array()?.as_slice() else {
            return None;
        };
        let nobody = Uuid::nil().to_string();
        let parts = |one: &Value| one.to_string().split(&nobody).map(str::to_owned).collect();
        Some(Self {
            user: parts(user),
            group: parts(group),
        })
    }

    fn parts(&self, kind: MemberKind) -> &[String] {
        match kind {
            MemberKind::User => &self.user,
            MemberKind::Group => &self.group,
        }
    }

    /// Bytes of all members with what separates them.
    fn length(&self, members: &[(MemberKind, Uuid)]) -> usize {
        let length = |kind| {
            let parts = self.parts(kind);
            let own: usize = parts.iter().map(String::len).sum();
            own + (parts.len() - 1) * Hyphenated::LENGTH
        };
        let (user, group) = (length(MemberKind::User), length(MemberKind::Group));
        let lengths = members.iter().map(|(kind, _)| match kind {
            MemberKind::User => user,
            MemberKind::Group => group,
        });
        lengths.sum::<usize>() + members.len().saturating_sub(1)
    }

    fn write(&self, text: &mut String, kind: MemberKind, id: Uuid) {
        let mut buffer = Uuid::encode_buffer();
        let id = id.hyphenated().encode_lower(&mut buffer);
        for (place, part) in self.parts(kind).iter().enumerate() {
            if place > 0 {
                text.push_str(id);
            }
            text.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn group(members: usize) -> Represented {
        let stand_for = |kind: &str| {
            let nobody = Uuid::nil().to_string();
            json!({ "value": nobody, "type": kind, "$ref": format!("/{kind}s/{nobody}") })
        };
        let outline = [stand_for("User"), stand_for("Group")];
        Represented {
            body: json!({ "displayName": "Ä", "members": outline, "id": "7" }),
            members: (0..members)
                .map(|at| match at % 3 {
                    0 => (MemberKind::Group, Uuid::from_u128(at as u128)),
                    _ => (MemberKind::User, Uuid::from_u128(at as u128)),
                })
                .collect(),
        }
    }

    fn in_chunks(text: Text) -> String {
        let mut body = text.into_body();
        let mut context = Context::from_waker(std::task::Waker::noop());
        let mut all = Vec::new();
        while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut body).poll_frame(&mut context) {
            let chunk = frame.into_data().unwrap();
            assert!(chunk.len() <= CHUNK + 1_024, "{}", chunk.len());
            all.extend_from_slice(&chunk);
            assert_eq!(body.is_end_stream(), body.size_hint().exact() == Some(0));
        }
        String::from_utf8(all).unwrap()
    }

    #[test]
    fn a_text_is_the_same_at_once_and_while_it_is_sent_and_its_length_is_true() {
        for members in [1, 2, 5_000] {
            let list = || {
                let resources = vec![group(members), json!({ "id": "8" }).into(), group(members)];
                Text::list(&json!({ "totalResults": 3 }), resources)
            };
            for text in [|n| Text::of(group(n)), |_| Text::of(json!({}).into())] {
                let whole = text(members).into_bytes();
                assert_eq!(text(members).len(), whole.len());
                assert_eq!(in_chunks(text(members)).as_bytes(), whole);
            }
            let whole = list().into_bytes();
            assert_eq!(list().len(), whole.len());
            assert_eq!(in_chunks(list()).as_bytes(), whole);
            let read: Value = serde_json::from_slice(&whole).unwrap();
            let found = &read["Resources"][2]["members"];
            assert_eq!(found.as_array().unwrap().len(), members);
            assert_eq!(found[0]["type"], "Group");
            let id = Uuid::from_u128(members as u128 - 1);
            assert_eq!(
                found[members - 1]["$ref"]
                    .as_str()
                    .unwrap()
                    .split('/')
                    .nth(2),
                Some(&*id.to_string())
            );
            assert!(whole.starts_with(&list().beginning(100)));
            assert!(list().beginning(100).len() >= 100);
        }
    }
}
