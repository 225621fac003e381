use crate::{
    Error, MemberOut, Meta, Parsed, Profile, ResourceType, Unknown,
    json::{is_clear, kind_of},
    reading::Reading,
    response::{frame, members_json},
    rules,
    schema::GROUP,
    user::{read_body, require},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::HashSet;

/// A group in canonical form, without its members: those are kept apart, so that a large group
/// need not be loaded to be renamed.
///
/// Serialized, it is the plain object that [`Group::from_stored`] takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Group {
    document: Map<String, Value>,
}

/// What the body of a POST or PUT says.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupBody {
    /// The group itself.
    pub group: Group,
    /// The members, each once; none if the body has no `members`. Sent as null or empty, the list
    /// is there and empty.
    pub members: Option<Vec<MemberRef>>,
}

/// A member as a client names it. Of what clients send along (`display`, `$ref`, which may be null)
/// nothing is kept: the gateway knows the user or group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MemberRef {
    value: String,
    kind: Option<MemberKind>,
}

/// What a member is: the canonical values of its `type` (RFC 7643 section 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MemberKind {
    /// A user.
    User,
    /// A group.
    Group,
}

impl MemberKind {
    /// As `type` says it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "User",
            Self::Group => "Group",
        }
    }

    /// Reads a `type`, in any case. A text that is no canonical value says nothing.
    fn parse(value: &Value) -> Option<Self> {
        let text = value.as_str()?;
        [Self::User, Self::Group]
            .into_iter()
            .find(|kind| kind.as_str().eq_ignore_ascii_case(text))
    }
}

impl MemberRef {
    /// The id of the user or group. Not checked against those that there are.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }

    /// The id of the user or group.
    #[must_use]
    pub fn into_value(self) -> String {
        self.value
    }

    /// What the client says that the member is, if it says so.
    #[must_use]
    pub fn kind(&self) -> Option<MemberKind> {
        self.kind
    }
}

impl Group {
    /// Reads the body of a POST or PUT.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` if `displayName` is missing, a value is not of its attribute's type, or
    /// a member has no `value`; 400 `invalidSyntax` if the body is no object.
    pub fn parse(body: Value, profile: Profile) -> Result<Parsed<GroupBody>, Error> {
        let mut reading = Reading::new(profile.shape(ResourceType::Group));
        let (document, members) = read_body(body, &mut reading)?;
        require(&document, "displayName")?;
        let members = match members {
            Some(value) => Some(read_members(value, &mut reading)?),
            None => None,
        };
        Ok(Parsed {
            resource: GroupBody {
                group: Self { document },
                members,
            },
            ignored: reading.ignored,
        })
    }

    /// A group as [`Group::as_map`] gave it. Not checked again.
    #[must_use]
    pub fn from_stored(document: Map<String, Value>) -> Self {
        Self { document }
    }

    /// The canonical document, to be stored.
    #[must_use]
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.document
    }

    /// The canonical document, to be stored.
    #[must_use]
    pub fn into_map(self) -> Map<String, Value> {
        self.document
    }

    /// `displayName`. Compared without regard to case.
    #[must_use]
    pub fn display_name(&self) -> &str {
        self.text("displayName").unwrap_or_default()
    }

    /// `externalId`. Compared with regard to case.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// The group that a PUT makes of this one: `new`, with what was set once and is not named in it.
    ///
    /// # Errors
    ///
    /// 400 `mutability` for another value of an attribute that is set once, `invalidValue` for a
    /// required one that is missing.
    pub fn replaced_by(&self, mut new: Self, profile: Profile) -> Result<Self, Error> {
        let shape = profile.shape(ResourceType::Group);
        rules::keep_immutable(shape, &self.document, true, &mut new.document)?;
        rules::check_required(shape, Some(&self.document), &new.document)?;
        Ok(new)
    }

    /// Refuses what a PATCH made of this group, if declared schemas do not allow it.
    ///
    /// # Errors
    ///
    /// 400 `mutability` for another value of an attribute that is set once, `invalidValue` for a
    /// required one that is missing.
    pub fn check_patched(&self, after: &Self, profile: Profile) -> Result<(), Error> {
        let shape = profile.shape(ResourceType::Group);
        let mut document = after.document.clone();
        rules::keep_immutable(shape, &self.document, false, &mut document)?;
        rules::check_required(shape, Some(&self.document), &document)
    }

    /// Refuses a new group without an attribute that a declared schema requires.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` that names it.
    pub fn check_required(&self, profile: Profile) -> Result<(), Error> {
        rules::check_required(profile.shape(ResourceType::Group), None, &self.document)
    }

    /// The representation that clients get (RFC 7643 section 8.4). Without members where they are
    /// not given, which is for answers that leave them out.
    #[must_use]
    pub fn to_response(
        &self,
        profile: Profile,
        id: &str,
        meta: &Meta,
        members: Option<&[MemberOut]>,
    ) -> Value {
        let mut response = frame(profile.shape(ResourceType::Group), id, &self.document);
        if let Some(members) = members {
            response.insert("members".into(), members_json(members));
        }
        meta.finish(ResourceType::Group, response)
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str()
    }
}

/// Reads a list of members, each into one reference. One member may stand without the list, and
/// an id without the object.
pub(crate) fn read_members(value: Value, reading: &mut Reading) -> Result<Vec<MemberRef>, Error> {
    let items = match value {
        Value::Array(items) => items,
        value if is_clear(&value) => Vec::new(),
        value @ (Value::Object(_) | Value::String(_)) if !reading.is_strict() => vec![value],
        other => {
            return Err(Error::invalid_value(format!(
                "`members` must be an array, but is {}",
                kind_of(&other)
            )));
        }
    };
    let mut known = HashSet::with_capacity(items.len());
    let mut members = Vec::with_capacity(items.len());
    for (index, item) in items.into_iter().enumerate() {
        if item.is_null() {
            continue;
        }
        let member = member(item, index, reading)?;
        if known.insert(member.value.clone()) {
            members.push(member);
        }
    }
    Ok(members)
}

fn member(item: Value, index: usize, reading: &mut Reading) -> Result<MemberRef, Error> {
    let wrong = |found: &str| {
        Error::invalid_value(format!(
            "`members[{index}].value` must be the id of a user or group, but is {found}"
        ))
    };
    let object = match item {
        Value::String(value) if !value.is_empty() && !reading.is_strict() => {
            return Ok(MemberRef { value, kind: None });
        }
        Value::Object(object) => object,
        other => return Err(wrong(kind_of(&other))),
    };
    let (mut id, mut kind) = (None, None);
    for (name, value) in object {
        match GROUP
            .attribute("members")
            .and_then(|members| members.sub_attribute(&name))
        {
            Some(sub) if sub.name == "value" => id = Some(value),
            Some(sub) if sub.name == "type" => kind = MemberKind::parse(&value),
            // The same in every member: once is enough.
            None => {
                let path = format!("members.{name}");
                if reading.shape.profile.unknown == Unknown::Refuse {
                    return Err(reading.refused(&path));
                }
                if !is_clear(&value) && !reading.ignored.contains(&path) {
                    reading.ignored.push(path);
                }
            }
            Some(_) => {}
        }
    }
    match id {
        Some(Value::String(value)) if !value.is_empty() => Ok(MemberRef { value, kind }),
        Some(Value::String(_)) => Err(wrong("empty")),
        Some(other) => Err(wrong(kind_of(&other))),
        None => Err(wrong("missing")),
    }
}
