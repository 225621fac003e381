//! Users that Okta creates and replaces.

use gatewright_sdk::{Repair, Repairs, shallow::Object};

/// A POST of a user.
pub(crate) fn created(body: &str, repairs: &mut Repairs) -> Option<String> {
    let mut user = Object::parse(body)?;
    remove_password(&mut user, repairs);
    if user.remove("groups") {
        repairs.note(Repair::new(
            "removed groups",
            "Okta sends an empty list of groups with each new user, and the attribute is read-only",
        ));
    }
    Some(user.text())
}

/// A PUT of a user: what Okta read a moment ago, with its changes put in.
pub(crate) fn replaced(body: &str, repairs: &mut Repairs) -> Option<String> {
    let mut user = Object::parse(body)?;
    remove_password(&mut user, repairs);
    let echoed: Vec<&str> = ["id", "meta", "groups"]
        .into_iter()
        .filter(|name| user.remove(name))
        .collect();
    if !echoed.is_empty() {
        repairs.note(Repair::new(
            format!("removed {}", echoed.join(", ")),
            "Okta sends back the read-only attributes that it read",
        ));
    }
    if let Some(repair) = remove_stale_name(&mut user) {
        repairs.note(repair);
    }
    Some(user.text())
}

/// The repair of an unwanted password.
pub(crate) fn password_removed() -> Repair {
    Repair::new(
        "removed password",
        "Okta sends a password for each user, a random one if it does not synchronize passwords, and \
         the gateway keeps none",
    )
}

fn remove_password(user: &mut Object<'_>, repairs: &mut Repairs) {
    if user.remove("password") {
        repairs.note(password_removed());
    }
}

/// Okta changes given and family name, and sends the old formatted name back. One that has both of
/// the names in it is let be, whatever else it has: a title, another order.
fn remove_stale_name(user: &mut Object<'_>) -> Option<Repair> {
    let mut name = Object::parse(user.get("name")?)?;
    let formatted = name.string("formatted")?;
    let parts = [name.string("givenName")?, name.string("familyName")?];
    let has = |part: &String| formatted.to_lowercase().contains(&part.to_lowercase());
    if parts.iter().any(String::is_empty) || parts.iter().all(has) {
        return None;
    }
    name.remove("formatted");
    let name = name.text();
    user.replace("name", name);
    Some(Repair::new(
        "removed name.formatted",
        "Okta sends back the formatted name that it read, though it changed the names in it",
    ))
}
