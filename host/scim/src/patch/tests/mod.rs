//! Tables of operations and what they come to.

mod group;
mod model;
mod refusals;
mod selection;
mod user;

use super::*;
use crate::{Error, Group, Limits, Profile, ScimType, User};
use serde_json::{Value, json};

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn user(mut document: Value) -> User {
    document["userName"] = "ada".into();
    User::parse(document, Profile::default())
        .expect("a user")
        .resource
}

fn body(operations: &Value) -> Value {
    json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations})
}

fn run(before: &User, operations: &Value) -> Result<Patched<User>, Error> {
    UserPatch::parse(&body(operations), Profile::default(), &Limits::default())?.apply(before)
}

/// One or more operations on a user, and the user that comes out.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn check(before: Value, operations: Value, after: Value) {
    let before = user(before);
    let patched = run(&before, &operations).unwrap_or_else(|error| panic!("{operations}: {error}"));
    let after = user(after);
    assert_eq!(patched.resource, after, "{operations}");
    assert_eq!(patched.changed, before != after, "{operations}");
    assert!(
        patched.ignored.is_empty(),
        "{operations}: {:?}",
        patched.ignored
    );
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "a table of values reads better without `&`"
)]
fn check_refused(before: Value, operations: Value, expected: ScimType, part: &str) {
    let error = run(&user(before), &operations).expect_err(&operations.to_string());
    assert_eq!(error.scim_type, Some(expected), "{operations}: {error}");
    assert!(error.detail.contains(part), "{operations}: {error}");
}
