//! PATCH, which Okta's catalogue applications send.

use crate::user::password_removed;
use gatewright_sdk::{
    Repair, Repairs,
    shallow::{Object, mend_operations},
};

/// A PATCH of a user.
pub(crate) fn user(body: &str, repairs: &mut Repairs) -> Option<String> {
    mend_operations(body, |operation| match operation.string("path") {
        None => {
            let mut value = Object::parse(operation.get("value")?)?;
            let had_password = value.remove("password");
            let active = value.get("active").and_then(boxed_boolean);
            if had_password {
                repairs.note(password_removed());
            }
            if let Some(active) = active {
                value.replace("active", active.to_string());
                repairs.note(boolean_unboxed());
            }
            let value = value.text();
            (had_password || active.is_some()).then(|| operation.with("value", value))
        }
        Some(path) if is_password(&path) => {
            repairs.note(password_removed());
            // An operation that changes nothing: a PATCH must have one at least, and this may have
            // been the only one.
            Some(r#"{"op":"replace","value":{}}"#.to_owned())
        }
        Some(path) if path.eq_ignore_ascii_case("active") => {
            let active = boxed_boolean(operation.get("value")?)?;
            repairs.note(boolean_unboxed());
            Some(operation.with("value", active.to_string()))
        }
        Some(_) => None,
    })
}

/// A PATCH of a group, of a hundred thousand members perhaps.
pub(crate) fn group(body: &str, repairs: &mut Repairs) -> Option<String> {
    // Much faster than reading, and seldom true: members have no `id`.
    if !body.contains("\"id\"") {
        return None;
    }
    mend_operations(body, |operation| {
        if operation.string("path").is_some() {
            return None;
        }
        let mut value = Object::parse(operation.get("value")?)?;
        if !value.remove("id") {
            return None;
        }
        repairs.note(Repair::new(
            "removed id",
            "Okta sends the group's id among the attributes to change, and it is read-only",
        ));
        let value = value.text();
        Some(operation.with("value", value))
    })
}

fn is_password(path: &str) -> bool {
    const WITH_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User:password";
    path.eq_ignore_ascii_case("password") || path.eq_ignore_ascii_case(WITH_SCHEMA)
}

/// The boolean in `[true]`. That Okta sends it is one project's word and not verified; a list is wrong
/// for `active` in any case, so nothing is lost by reading it.
fn boxed_boolean(text: &str) -> Option<bool> {
    let [boolean] = serde_json::from_str(text).ok()?;
    Some(boolean)
}

fn boolean_unboxed() -> Repair {
    Repair::new(
        "took active out of its list",
        "Okta is said to send a list of one boolean",
    )
}
