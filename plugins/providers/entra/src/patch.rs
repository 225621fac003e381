//! PATCH, by which Entra makes all its changes.

use crate::{mend, roles, urn};
use gatewright_sdk::{
    Repair, Repairs,
    shallow::{Object, elements, mend_operations},
};
use serde_json::Value;

/// A PATCH of a user.
pub(crate) fn user(body: &str, repairs: &mut Repairs) -> Option<String> {
    nothing(body, repairs).or_else(|| {
        mend_operations(body, |operation| match operation.string("path") {
            None => {
                let mut value = Object::parse(operation.get("value")?)?;
                if !mend(&mut value, repairs) {
                    return None;
                }
                let value = value.text();
                Some(operation.with("value", value))
            }
            Some(path) if roles::is_path(&path) => {
                let mended = roles::unpacked(operation.get("value")?, repairs)?;
                Some(operation.with("value", mended))
            }
            Some(path) => {
                let path = urn::corrected(&path)?;
                repairs.note(urn::repair());
                Some(operation.with("path", Value::from(path).to_string()))
            }
        })
    })
}

/// A PATCH without an operation: in its place one that changes nothing, as the RFC wants one at least.
fn nothing(body: &str, repairs: &mut Repairs) -> Option<String> {
    let mut patch = Object::parse(body)?;
    if !elements(patch.get("Operations")?)?.is_empty() {
        return None;
    }
    repairs.note(Repair::new(
        "made a PATCH of no operation one that changes nothing",
        "Microsoft's validator sends such a PATCH and expects success",
    ));
    Some(patch.with("Operations", r#"[{"op":"replace","value":{}}]"#.to_owned()))
}
