//! What a condition may name, so that a misspelt name is told when the rule is entered: in a decision
//! it would be an attribute that nobody has.

/// What is known of a name: which names it may be followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person: [`USER`] and attributes.
    User,
    /// A part of a user, such as `name`, with these below it.
    Part(&'static [&'static str]),
    /// Something with exactly these fields.
    Record(&'static [&'static str]),
    /// A list of users.
    Users,
    /// A list of presence signals.
    Signals,
    /// A value that nothing is known of.
    Value,
}

/// A variable, and what it is.
pub(crate) type Variable = (&'static str, Kind);

/// What every condition sees.
pub(crate) const VARIABLES: [Variable; 5] = [
    ("user", Kind::User),
    ("users", Kind::Users),
    ("groups", Kind::Value),
    ("account", Kind::Record(&ACCOUNT)),
    ("signals", Kind::Signals),
];

/// What that of a seat policy sees as well.
pub(crate) const ROLES: Variable = ("roles", Kind::Value);

pub(crate) const ACCOUNT: [&str; 2] = ["id", "status"];

pub(crate) const SIGNAL: [&str; 2] = ["source", "active"];

/// Where the attributes of the enterprise extension are; they are known by their short names, too.
pub(crate) const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// What the contract has fields for.
pub(crate) const OWN: [&str; 8] = [
    "id",
    "userName",
    "displayName",
    "email",
    "active",
    "externalId",
    "provider",
    "directory",
];

/// Single attributes of the core schema.
pub(crate) const CORE: [&str; 7] = [
    "title",
    "nickName",
    "profileUrl",
    "userType",
    "preferredLanguage",
    "locale",
    "timezone",
];

/// Single attributes of the enterprise extension.
pub(crate) const OF_ENTERPRISE: [&str; 5] = [
    "employeeNumber",
    "costCenter",
    "organization",
    "division",
    "department",
];

pub(crate) const NAME: [&str; 6] = [
    "formatted",
    "familyName",
    "givenName",
    "middleName",
    "honorificPrefix",
    "honorificSuffix",
];

pub(crate) const MANAGER: [&str; 2] = ["value", "displayName"];

/// Multi-valued attributes of the core schema: they are reached by the path of one element.
const LISTS: [&str; 8] = [
    "emails",
    "phoneNumbers",
    "ims",
    "photos",
    "addresses",
    "entitlements",
    "roles",
    "x509Certificates",
];

/// What `user.NAME` is, or why there is no such thing.
pub(crate) fn field_of_user(name: &str) -> Result<Kind, String> {
    match name {
        "name" => return Ok(Kind::Part(&NAME)),
        "manager" => return Ok(Kind::Part(&MANAGER)),
        _ => {}
    }
    let single = OWN.iter().chain(&CORE).chain(&OF_ENTERPRISE);
    if single.clone().any(|known| *known == name) {
        return Ok(Kind::Value);
    }
    if LISTS.contains(&name) {
        return Err(format!(
            "a user may have several {name}: name one by its path, such as \
             user[\"{name}[work].value\"]"
        ));
    }
    let known: Vec<&str> = single
        .copied()
        .chain(["name.familyName", "manager.value"])
        .collect();
    Err(format!(
        "a user has no attribute \"{name}\": there are {}; an attribute of a schema of your own is \
         user[\"urn:...:{name}\"]",
        known.join(", ")
    ))
}

/// What `user["KEY"]` is: a path as the contract has it, or a short name.
pub(crate) fn key_of_user(key: &str) -> Result<Kind, String> {
    if key.contains(':') {
        return Ok(Kind::Value);
    }
    let (first, rest) = key.split_at(key.find(['.', '[']).unwrap_or(key.len()));
    match (field_of_user(first), rest.strip_prefix('.')) {
        (Ok(kind), _) if rest.is_empty() => Ok(kind),
        (Ok(Kind::Part(below)), Some(sub)) => field(first, below, sub),
        (Ok(_), _) => Err(format!(
            "\"{first}\" has nothing below it: leave \"{rest}\" out"
        )),
        (Err(_), _) if LISTS.contains(&first) && is_element(rest) => Ok(Kind::Value),
        (Err(why), _) => Err(why),
    }
}

/// What `NAME.FIELD` is where a name has these fields.
pub(crate) fn field(name: &str, known: &[&str], field: &str) -> Result<Kind, String> {
    match known.contains(&field) {
        true => Ok(Kind::Value),
        false => Err(format!(
            "{name} has no \"{field}\": there are {}",
            known.join(", ")
        )),
    }
}

/// Whether it names one value of one element: `[work].value`, or `.value` of one without a type.
fn is_element(rest: &str) -> bool {
    let after = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']').filter(|(of, _)| !of.is_empty()),
        None => Some(("", rest)),
    };
    let sub = after.and_then(|(_, after)| after.strip_prefix('.'));
    sub.is_some_and(|sub| !sub.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{Kind, MANAGER, NAME, field_of_user, key_of_user};

    #[test]
    fn names_are_known_in_the_spelling_of_their_schema() {
        for name in ["userName", "title", "department", "active"] {
            assert_eq!(field_of_user(name), Ok(Kind::Value));
        }
        assert_eq!(field_of_user("name"), Ok(Kind::Part(&NAME)));
        let why = field_of_user("titel").unwrap_err();
        assert!(why.starts_with("a user has no attribute \"titel\": there are id, userName"));
        let why = field_of_user("emails").unwrap_err();
        assert!(why.contains("user[\"emails[work].value\"]"), "{why}");
    }

    #[test]
    fn keys_are_paths() {
        for key in [
            "title",
            "name.givenName",
            "emails[work].value",
            "emails.value",
            "addresses[home].locality",
            "urn:acme:User:badge",
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department",
        ] {
            assert_eq!(key_of_user(key), Ok(Kind::Value), "{key}");
        }
        assert_eq!(key_of_user("manager"), Ok(Kind::Part(&MANAGER)));
        for key in [
            "",
            "titel",
            "title.value",
            "title[work]",
            "name.first",
            "emails",
            "emails[work]",
            "emails[].value",
            "emails[work.value",
            "emails.",
            "name.",
        ] {
            assert!(key_of_user(key).is_err(), "{key}");
        }
    }
}
