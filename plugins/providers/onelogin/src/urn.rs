//! The URNs that SCIM's drafts and SCIM 1.1 had, which OneLogin's templates still do.

use gatewright_sdk::Repair;

const DRAFTS: [(&str, &str); 2] = [
    (
        "urn:scim:schemas:core:",
        "urn:ietf:params:scim:schemas:core:2.0:User",
    ),
    (
        "urn:scim:schemas:extension:enterprise:",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User",
    ),
];

/// A name with the URN of RFC 7643 in the place of the draft's; none if it has no draft's URN. What
/// follows the URN stays: `:department`, `:manager.value`.
pub(crate) fn modern(name: &str) -> Option<String> {
    DRAFTS.into_iter().find_map(|(draft, rfc)| {
        let rest = strip(name, draft)?;
        let rest = ["2.0:User", "2.0", "1.0"].into_iter().find_map(|version| {
            let rest = strip(rest, version)?;
            (rest.is_empty() || rest.starts_with(':')).then_some(rest)
        })?;
        Some(format!("{rfc}{rest}"))
    })
}

/// The repair, in words.
pub(crate) fn repair() -> Repair {
    Repair::new(
        "replaced a draft's URN",
        "OneLogin's templates name attributes by the URNs of SCIM 1.1 and of the drafts of 2.0",
    )
}

fn strip<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..))?
}
