//! Users as OneLogin's templates make them.

use crate::urn;
use gatewright_sdk::{
    Repair, Repairs,
    shallow::{Object, mend_operations},
};
use serde_json::Value;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

/// A POST or PUT.
pub(crate) fn written(body: &str, repairs: &mut Repairs) -> Option<String> {
    let mut user = Object::parse(body)?;
    mend(&mut user, repairs).then(|| user.text())
}

/// A PATCH: of operations without a path the attributes, of the others the path and the value.
pub(crate) fn patched(body: &str, repairs: &mut Repairs) -> Option<String> {
    mend_operations(body, |operation| {
        let Some(path) = operation.string("path") else {
            let mut value = Object::parse(operation.get("value")?)?;
            if !mend(&mut value, repairs) {
                return None;
            }
            let value = value.text();
            return Some(operation.with("value", value));
        };
        // A path and its value are an attribute and its value.
        let mut attribute = Object::parse("{}")?;
        let value = operation.get("value").unwrap_or("null").to_owned();
        attribute.set(&path, value);
        if !mend(&mut attribute, repairs) {
            return None;
        }
        let path = attribute.names().next()?.to_owned();
        let value = attribute.get(&path)?.to_owned();
        operation.replace("path", Value::from(path).to_string());
        operation.replace("value", value);
        Some(operation.text())
    })
}

/// Mends attributes; whether there was something to mend.
fn mend(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    // Each of them, whatever the others find.
    let urns = rename_urns(user, repairs);
    let language = rename_language(user, repairs);
    urns | language | mend_manager(user, repairs)
}

fn rename_urns(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let old: Vec<(String, String)> = user
        .names()
        .filter_map(|name| Some((name.to_owned(), urn::modern(name)?)))
        .collect();
    let mut renamed = false;
    for (draft, rfc) in old {
        renamed |= user.rename(&draft, &rfc);
    }
    if renamed {
        repairs.note(urn::repair());
    }
    renamed
}

fn rename_language(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let renamed = user.rename("prefferedLanguage", "preferredLanguage");
    if renamed {
        repairs.note(Repair::new(
            "read prefferedLanguage as preferredLanguage",
            "templates for OneLogin have the name misspelt",
        ));
    }
    renamed
}

/// The manager stands in the extension, or by its full name or alone beside the core's attributes.
fn mend_manager(user: &mut Object<'_>, repairs: &mut Repairs) -> bool {
    let mut mended = false;
    if let Some(mut extension) = user.get(ENTERPRISE).and_then(Object::parse)
        && rename_manager_id(&mut extension, "manager")
    {
        let extension = extension.text();
        user.replace(ENTERPRISE, extension);
        mended = true;
    }
    mended |= rename_manager_id(user, &format!("{ENTERPRISE}:manager"));
    mended |= rename_manager_id(user, "manager");
    if mended {
        repairs.note(Repair::new(
            "read manager.managerId as manager.value",
            "OneLogin's templates name the manager as SCIM 1.1 did",
        ));
    }
    mended
}

fn rename_manager_id(holder: &mut Object<'_>, name: &str) -> bool {
    let Some(mut manager) = holder.get(name).and_then(Object::parse) else {
        return false;
    };
    if !manager.rename("managerId", "value") {
        return false;
    }
    let manager = manager.text();
    holder.replace(name, manager);
    true
}
