//! What users of other SCIM servers reported most often and most harmful, under the numbers of that
//! list, one test each.

mod from_01;
mod from_11;
mod from_18;

use serde_json::{Value, json};

/// A PATCH of these operations.
fn operations(operations: &Value) -> Value {
    json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations })
}
