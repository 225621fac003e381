//! Comparing an answer with what is expected of it.

use serde_json::Value;

/// Whether `found` has everything that `wanted` has. Objects may have more members; a list has as
/// many elements, in the same order; the text `"*"` stands for any value.
///
/// # Errors
/// The first difference, with its path.
pub fn contains(found: &Value, wanted: &Value) -> Result<(), String> {
    compare(found, wanted, "")
}

fn compare(found: &Value, wanted: &Value, path: &str) -> Result<(), String> {
    match (found, wanted) {
        (_, Value::String(any)) if any == "*" => Ok(()),
        (Value::Object(found), Value::Object(wanted)) => {
            wanted
                .iter()
                .try_for_each(|(name, wanted)| match found.get(name) {
                    Some(found) => compare(found, wanted, &format!("{path}/{name}")),
                    None if wanted.is_null() => Ok(()),
                    None => Err(format!("{path}/{name} is not there, expected {wanted}")),
                })
        }
        (Value::Array(found), Value::Array(wanted)) if found.len() == wanted.len() => found
            .iter()
            .zip(wanted)
            .enumerate()
            .try_for_each(|(at, (found, wanted))| compare(found, wanted, &format!("{path}/{at}"))),
        _ if found == wanted => Ok(()),
        _ => Err(format!("{path} is {found}, expected {wanted}")),
    }
}
