//! A resource as the text of an answer. Members are written one by one: 100,000 of them as a tree of
//! JSON would take five times the memory of the answer.

use crate::directory::groups::Represented;
use gatewright_scim::MemberKind;
use serde_json::Value;
use std::fmt::Write as _;
use uuid::Uuid;

/// The text of an id.
const ID: usize = 36;

/// Writes the resource with its members in the place of those that stand for them.
pub(super) fn write(text: &mut String, resource: &Represented) {
    let Represented { body, members } = resource;
    let outline = Outline::of(body).filter(|_| !members.is_empty());
    let (Some(outline), Some(body)) = (outline, body.as_object()) else {
        // Writing to a string cannot fail.
        let _ = write!(text, "{body}");
        return;
    };
    let mut first = true;
    text.push('{');
    for (name, value) in body {
        separate(text, &mut first);
        let _ = write!(text, "{}:", Value::from(name.as_str()));
        if name == "members" {
            outline.write(text, members);
        } else {
            let _ = write!(text, "{value}");
        }
    }
    text.push('}');
}

/// Writes a list of resources behind what is said of it.
pub(super) fn write_list(frame: &Value, resources: &[Represented]) -> String {
    let mut text = frame.to_string();
    let closing = text.pop();
    text.push_str(",\"Resources\":[");
    let mut first = true;
    for resource in resources {
        separate(&mut text, &mut first);
        write(&mut text, resource);
    }
    text.push(']');
    text.extend(closing);
    text
}

fn separate(text: &mut String, first: &mut bool) {
    if !std::mem::take(first) {
        text.push(',');
    }
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

    fn write(&self, text: &mut String, members: &[(MemberKind, Uuid)]) {
        // The length is known: to grow on the way would take twice the memory.
        let length = |kind| {
            let parts = self.parts(kind);
            let own: usize = parts.iter().map(String::len).sum();
            own + (parts.len() - 1) * ID + ",".len()
        };
        let (user, group) = (length(MemberKind::User), length(MemberKind::Group));
        let lengths = members.iter().map(|(kind, _)| match kind {
            MemberKind::User => user,
            MemberKind::Group => group,
        });
        text.reserve_exact(lengths.sum::<usize>() + 1_024);
        let mut first = true;
        text.push('[');
        for (kind, id) in members {
            separate(text, &mut first);
            for (place, part) in self.parts(*kind).iter().enumerate() {
                if place > 0 {
                    let _ = write!(text, "{id}");
                }
                text.push_str(part);
            }
        }
        text.push(']');
    }
}
