//! Application roles: `AppRoleAssignmentsComplex` creates them in one form and patches them in
//! another, and neither is that of RFC 7643.

use gatewright_sdk::{
    Repair, Repairs,
    shallow::{Object, mend_elements},
};
use serde::Deserialize;
use serde_json::Value;

/// The `type` that Entra gives to roles when it creates a user.
const TYPE: &str = "WindowsAzureActiveDirectoryRole";

/// A role as the text that a PATCH has for its `value`. Text with any other member is none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Packed {
    #[serde(rename = "id")]
    _id: String,
    value: String,
    #[serde(rename = "displayName")]
    display_name: String,
}

/// Whether a path leads to the roles as a whole.
pub(crate) fn is_path(path: &str) -> bool {
    const WITH_SCHEMA: &str = "urn:ietf:params:scim:schemas:core:2.0:User:roles";
    let path = path.trim();
    path.eq_ignore_ascii_case("roles") || path.eq_ignore_ascii_case(WITH_SCHEMA)
}

/// Mends the roles among a user's attributes; whether there was something to mend.
pub(crate) fn mend(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let mended = user.get("roles").and_then(|roles| unpacked(roles, repairs));
    let Some(mended) = mended else {
        return false;
    };
    user.replace("roles", mended);
    true
}

/// A list of roles as RFC 7643 has it; none if it is so already, or no list.
pub(crate) fn unpacked(roles: &str, repairs: &mut Repairs) -> Option<String> {
    mend_elements(roles, |role| {
        let mut role = Object::parse(role)?;
        let packed = unpack(&mut role, repairs);
        let renamed = role.rename("displayName", "display");
        if renamed {
            repairs.note(Repair::new(
                "read displayName of a role as display",
                "Entra gives roles a displayName when it creates a user",
            ));
        }
        (packed | renamed).then(|| role.text())
    })
}

/// Takes a role out of its text. It also gets the type that it has when Entra creates the user with
/// it, for the same role would be a second one otherwise.
fn unpack(role: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let text = role.string("value").unwrap_or_default();
    let Ok(packed) = serde_json::from_str::<Packed>(&text) else {
        return false;
    };
    role.replace("value", Value::from(packed.value).to_string());
    for (name, value) in [("display", packed.display_name.as_str()), ("type", TYPE)] {
        if role.get(name).is_none() {
            role.set(name, Value::from(value).to_string());
        }
    }
    repairs.note(Repair::new(
        "took a role out of its text",
        "Entra patches roles as objects written into a string",
    ));
    true
}
