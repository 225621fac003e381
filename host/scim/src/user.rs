use crate::{
    Error, GroupRef, Limits, ManagerRef, Meta, Profile, ResourceType,
    json::{is_clear, kind_of},
    keep,
    patch::{Action, Change, Target, resolve_object},
    reading::Reading,
    response::{complete_manager, frame, groups_json},
    rules,
    schema::ENTERPRISE_USER,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A user in canonical form: attribute names in the spelling of the schema, values of the schema's
/// types, the enterprise extension under its full URN. Nothing readOnly (`id`, `meta`, `groups`)
/// and no password is in it.
///
/// Serialized, it is the plain object that [`User::from_stored`] takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct User {
    document: Map<String, Value>,
}

/// What was read from a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed<T> {
    /// The resource.
    pub resource: T,
    /// The paths of what was sent and left out, for the request log: attributes that the schema
    /// does not have, readOnly ones, `password`. What was sent empty is not among them.
    pub ignored: Vec<String>,
}

impl User {
    /// Reads the body of a POST or PUT. A user of whom it does not say whether it is active is
    /// active, and is stored so: providers read `active` back, and take its absence for no.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` if `userName` is missing or a value is not of its attribute's type;
    /// 400 `invalidSyntax` if the body is no object.
    pub fn parse(body: Value, profile: Profile) -> Result<Parsed<Self>, Error> {
        let mut reading = Reading::new(profile.shape(ResourceType::User));
        let (mut document, _) = read_body(body, &mut reading)?;
        require(&document, "userName")?;
        if !document.contains_key("active") {
            document.insert("active".into(), true.into());
        }
        Ok(Parsed {
            resource: Self { document },
            ignored: reading.ignored,
        })
    }

    /// A user as [`User::as_map`] gave it. Not checked again.
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

    /// `userName`. Compared without regard to case.
    #[must_use]
    pub fn user_name(&self) -> &str {
        self.text("userName").unwrap_or_default()
    }

    /// `externalId`. Compared with regard to case.
    #[must_use]
    pub fn external_id(&self) -> Option<&str> {
        self.text("externalId")
    }

    /// `displayName`.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.text("displayName")
    }

    /// Whether the provider lets the person in. A user whose provider says nothing is active; one
    /// that was inactive when a PATCH removed the attribute stays inactive.
    #[must_use]
    pub fn active(&self) -> bool {
        match self.document.get("active") {
            None => true,
            Some(value) => value == &Value::Bool(true),
        }
    }

    /// The value of the primary email, else of the first that has one.
    #[must_use]
    pub fn primary_email(&self) -> Option<&str> {
        let primary = self
            .elements("emails")
            .find(|email| email.get("primary") == Some(&Value::Bool(true)));
        primary
            .and_then(|email| email.get("value")?.as_str())
            .or_else(|| self.emails().next())
    }

    /// The values of all emails, in their order.
    pub fn emails(&self) -> impl Iterator<Item = &str> {
        self.elements("emails")
            .filter_map(|email| email.get("value")?.as_str())
    }

    /// The first value at a path as PATCH has it: `name.givenName`,
    /// `emails[type eq "work"].value`, an extension's attribute with its URN. None for no value and
    /// for a path that is none.
    #[must_use]
    pub fn attribute(&self, path: &str) -> Option<&Value> {
        let target = Target::parse(path, ResourceType::User.into(), &Limits::default())?;
        let holder = match target.path.schema {
            Some(schema) => self.document.get(schema.id)?.as_object()?,
            None => &self.document,
        };
        let value = holder.get(target.path.attribute.name)?;
        let mut elements = match value {
            Value::Array(_) if target.filter.is_none() && target.path.sub.is_none() => {
                return Some(value);
            }
            Value::Array(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        }
        .iter()
        .filter(|element| {
            target
                .filter
                .as_ref()
                .is_none_or(|filter| filter.matches(element))
        });
        match target.path.sub {
            Some(sub) => elements.find_map(|element| element.get(sub.name)),
            None => elements.next().filter(|value| !value.is_null()),
        }
    }

    /// The user that a PUT makes of this one: `new`, with what was set once and is not named in it.
    ///
    /// # Errors
    ///
    /// 400 `mutability` for another value of an attribute that is set once, `invalidValue` for a
    /// required one that is missing.
    pub fn replaced_by(&self, mut new: Self, profile: Profile) -> Result<Self, Error> {
        let shape = profile.shape(ResourceType::User);
        rules::keep_immutable(shape, &self.document, true, &mut new.document)?;
        rules::check_required(shape, Some(&self.document), &new.document)?;
        Ok(new)
    }

    /// Refuses a new user without an attribute that a declared schema requires.
    ///
    /// # Errors
    ///
    /// 400 `invalidValue` that names it.
    pub fn check_required(&self, profile: Profile) -> Result<(), Error> {
        rules::check_required(profile.shape(ResourceType::User), None, &self.document)
    }

    /// The representation that clients get (RFC 7643 section 8.1), with the groups that the user
    /// is in. `manager` is the user that [`manager_id`] leads to, if it leads to one.
    #[must_use]
    pub fn to_response(
        &self,
        profile: Profile,
        id: &str,
        meta: &Meta,
        groups: &[GroupRef],
        manager: Option<&ManagerRef>,
    ) -> Value {
        let mut response = frame(profile.shape(ResourceType::User), id, &self.document);
        if let Some(manager) = manager {
            complete_manager(&mut response, manager);
        }
        if !groups.is_empty() {
            response.insert("groups".into(), groups_json(groups));
        }
        meta.finish(ResourceType::User, response)
    }

    /// After a PATCH: taking `active` away never lets anybody in who was shut out before. The
    /// attribute is null in the document then, and not shown.
    pub(crate) fn keep_shut_out(before: &Self, document: &mut Map<String, Value>) {
        if !before.active() && !document.contains_key("active") {
            document.insert("active".into(), Value::Null);
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.document.get(name)?.as_str()
    }

    fn elements(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.document
            .get(name)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    }
}

/// What a user names as its manager in its canonical document: the id of a user, where the
/// provider follows the RFC.
#[must_use]
pub fn manager_id(document: &Map<String, Value>) -> Option<&str> {
    let extension = document.get(ENTERPRISE_USER.id)?;
    extension.get("manager")?.get("value")?.as_str()
}

/// Reads a whole body as if its attributes were set one by one on an empty resource. The value of
/// `members`, if there is one, is handed back as it was sent: members are no part of the document.
pub(crate) fn read_body(
    body: Value,
    reading: &mut Reading,
) -> Result<(Map<String, Value>, Option<Value>), Error> {
    if reading.is_strict() {
        require_schema(&body, reading.shape.core().id)?;
    }
    let Value::Object(body) = body else {
        return Err(Error::invalid_syntax(format!(
            "the body must be a JSON object, but is {}",
            kind_of(&body)
        )));
    };
    let mut document = Map::new();
    let mut members = None;
    for (target, value) in resolve_object(body, None, &Limits::default(), reading)? {
        if target.is_members() {
            members = Some(value);
        } else {
            Change::set(Action::Replace, target, value, reading)?.apply(&mut document)?;
        }
    }
    keep::apply(&reading.kept, &mut document)?;
    Ok((document, members))
}

/// Refuses a body that does not name its schema in `schemas` (RFC 7643 section 3, in strict mode).
pub(crate) fn require_schema(body: &Value, id: &str) -> Result<(), Error> {
    let named = body.get("schemas").and_then(Value::as_array);
    let is_named = |one: &Value| one.as_str().is_some_and(|one| one.eq_ignore_ascii_case(id));
    if named.is_some_and(|named| named.iter().any(is_named)) {
        return Ok(());
    }
    Err(Error::invalid_value(format!("`schemas` must name `{id}`")))
}

/// Refuses a document without a required attribute.
pub(crate) fn require(document: &Map<String, Value>, name: &str) -> Result<(), Error> {
    if document.get(name).is_some_and(|value| !is_clear(value)) {
        return Ok(());
    }
    Err(Error::invalid_value(format!(
        "`{name}` is required and missing or empty; map a value to it in the identity provider"
    )))
}
