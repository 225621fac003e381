//! A person as a condition sees them: `user`, and each of `users`.

use crate::names::{ENTERPRISE, OF_ENTERPRISE};
use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelString, STRING_TYPE, Type};
use cel::common::value::{CowVal, Val};
use gatewright_sdk::{Account, Attribute, AttributeValue, User};
use serde_json::Value;

static USER: Type = Type::new_unspecified_type("user");

/// One user, or all of an account as one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Person<'a> {
    account: &'a Account,
    /// The place of the user; none: the first active user that has what is asked for, else the first
    /// inactive one.
    place: Option<usize>,
    /// What is put before a name that is asked for: this is a part of a user, such as `name`.
    part: Option<Part>,
}

/// An attribute with others below it.
#[derive(Debug, Clone, Copy)]
enum Part {
    Name,
    Manager,
}

impl<'a> Person<'a> {
    /// All users of the account as one.
    pub(crate) fn of(account: &'a Account) -> Self {
        Self {
            account,
            place: None,
            part: None,
        }
    }

    /// Each user by itself.
    pub(crate) fn each(account: &'a Account) -> CelList<'a> {
        let people = (0..account.users.len()).map(|place| {
            let person = Self {
                place: Some(place),
                ..Self::of(account)
            };
            Box::new(person) as Box<dyn Val + 'a>
        });
        CelList::from(people.collect::<Vec<_>>())
    }

    fn users(self) -> impl Iterator<Item = &'a User> {
        let users = &self.account.users;
        let (from, to) = match self.place {
            Some(place) => (place, place + 1),
            None => (0, users.len()),
        };
        let users = users.get(from..to).unwrap_or_default();
        let active = users.iter().filter(|user| user.active);
        active.chain(users.iter().filter(|user| !user.active))
    }

    fn find<'v>(self, name: &str) -> Option<Box<dyn Val + 'v>>
    where
        'a: 'v,
    {
        if let Some(part) = self.part {
            let path = Path(part.prefix(), name);
            return self.users().find_map(|user| path.value(user));
        }
        if let Some(part) = Part::named(name) {
            let whole = Self {
                part: Some(part),
                ..self
            };
            let has_any = self.users().any(|user| part.is_in(user));
            return has_any.then(|| Box::new(whole) as Box<dyn Val + 'v>);
        }
        let path = match OF_ENTERPRISE.contains(&name) {
            true => Path(&[ENTERPRISE, ":"], name),
            false => Path(&[], name),
        };
        self.users()
            .find_map(|user| own(user, name).or_else(|| path.value(user)))
    }
}

/// What the contract has a field for.
fn own<'v>(user: &'v User, name: &str) -> Option<Box<dyn Val + 'v>> {
    let text = match name {
        "active" => return Some(Box::new(CelBool::from(user.active))),
        "id" => Some(&user.id),
        "userName" => Some(&user.user_name),
        "provider" => Some(&user.provider),
        "directory" => Some(&user.directory),
        "displayName" => user.display_name.as_ref(),
        "email" => user.email.as_ref(),
        "externalId" => user.external_id.as_ref(),
        _ => None,
    };
    let text = CelString::from(text?.as_str());
    Some(Box::new(text))
}

impl Part {
    fn named(name: &str) -> Option<Self> {
        match name {
            "name" => Some(Self::Name),
            "manager" => Some(Self::Manager),
            _ => None,
        }
    }

    /// The pieces of what stands before the last name of a path.
    fn prefix(self) -> &'static [&'static str] {
        match self {
            Self::Name => &["name."],
            Self::Manager => &[ENTERPRISE, ":manager."],
        }
    }

    fn is_in(self, user: &User) -> bool {
        let below = Path(self.prefix(), "");
        user.attributes
            .iter()
            .any(|one| below.rest(&one.name).is_some())
    }
}

/// A path of an attribute, in pieces so that none has to be written for a look-up.
struct Path<'a>(&'static [&'static str], &'a str);

impl Path<'_> {
    fn value<'v>(&self, user: &'v User) -> Option<Box<dyn Val + 'v>> {
        let mut all = user.attributes.iter().chain(&user.custom_attributes);
        all.find(|one| self.rest(&one.name) == Some("")).map(value)
    }

    /// What stands behind this path in a name that begins with it, in upper or lower case.
    fn rest<'n>(&self, name: &'n str) -> Option<&'n str> {
        let mut rest = name;
        for piece in self.0.iter().chain([&self.1]) {
            let (start, behind) = rest.split_at_checked(piece.len())?;
            rest = start.eq_ignore_ascii_case(piece).then_some(behind)?;
        }
        Some(rest)
    }
}

fn value(attribute: &Attribute) -> Box<dyn Val + '_> {
    match &attribute.value {
        AttributeValue::Text(text) => Box::new(CelString::from(text.as_str())),
        AttributeValue::Truth(truth) => Box::new(CelBool::from(*truth)),
        AttributeValue::Integer(number) => Box::new(CelInt::from(*number)),
        AttributeValue::Decimal(number) => Box::new(CelDouble::from(*number)),
        AttributeValue::Json(json) => match serde_json::from_str(json) {
            Ok(Value::Array(values)) => Box::new(list(values)),
            _ => Box::new(CelString::from(json.as_str())),
        },
    }
}

/// A list of simple values, which is what the host writes as JSON; another value stays JSON text.
fn list(values: Vec<Value>) -> CelList<'static> {
    let values = values.into_iter().map(|value| -> Box<dyn Val> {
        match value {
            Value::Bool(truth) => Box::new(CelBool::from(truth)),
            Value::String(text) => Box::new(CelString::from(text)),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(integer), _) => Box::new(CelInt::from(integer)),
                (None, decimal) => Box::new(CelDouble::from(decimal.unwrap_or(f64::NAN))),
            },
            Value::Null | Value::Array(_) | Value::Object(_) => {
                Box::new(CelString::from(value.to_string()))
            }
        }
    });
    CelList::from(values.collect::<Vec<_>>())
}

impl Val for Person<'_> {
    fn get_type(&self) -> &Type {
        &USER
    }

    fn cel_type() -> &'static Type {
        &USER
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Person<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = name_of(key)?;
        let found = self.find(name).map(CowVal::Owned);
        found.ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

/// The name that is asked for. The interpreter says of what is no text that it is none.
pub(crate) fn name_of(key: &dyn Val) -> Result<&str, ExecutionError> {
    let name = key.downcast_ref::<CelString<'_>>().map(CelString::inner);
    name.ok_or_else(|| ExecutionError::UnexpectedType {
        got: key.get_type().name().to_owned(),
        want: STRING_TYPE.name().to_owned(),
    })
}
