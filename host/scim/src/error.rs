use serde_json::{Map, Value};

/// The schema of an error body (RFC 7644 section 3.12).
const ERROR_SCHEMA: &str = "urn:ietf:params:scim:api:messages:2.0:Error";

/// What a SCIM client is told when a request cannot be done (RFC 7644 section 3.12).
///
/// The detail is read by an administrator in the identity provider's console: it names the
/// attribute or parameter, what was found and what is expected, and holds no value of the request
/// that could be a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Error {
    /// The HTTP status.
    pub status: u16,
    /// The keyword of RFC 7644 table 9, for the statuses that have one.
    pub scim_type: Option<ScimType>,
    /// One or more sentences for a person.
    pub detail: String,
}

/// The error keywords of RFC 7644 table 9 and RFC 9865 section 2.1 that this crate or its callers give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScimType {
    /// A filter that is malformed, or compares what cannot be compared.
    InvalidFilter,
    /// A body that is not what the endpoint takes.
    InvalidSyntax,
    /// A PATCH path that is malformed or names no attribute.
    InvalidPath,
    /// A PATCH path that selects nothing, or a removal without a path.
    NoTarget,
    /// A value that is missing, or not of the attribute's type.
    InvalidValue,
    /// A change of what the client may not change.
    Mutability,
    /// A value that another resource has already.
    Uniqueness,
    /// More results than the server is willing to compute.
    TooMany,
    /// A cursor that is none, or is one of another query (RFC 9865 section 2.1).
    InvalidCursor,
    /// A cursor that was kept too long.
    ExpiredCursor,
    /// A count that is no size of a page by cursor.
    InvalidCount,
}

impl ScimType {
    /// The keyword as it is sent.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidFilter => "invalidFilter",
            Self::InvalidSyntax => "invalidSyntax",
            Self::InvalidPath => "invalidPath",
            Self::NoTarget => "noTarget",
            Self::InvalidValue => "invalidValue",
            Self::Mutability => "mutability",
            Self::Uniqueness => "uniqueness",
            Self::TooMany => "tooMany",
            Self::InvalidCursor => "invalidCursor",
            Self::ExpiredCursor => "expiredCursor",
            Self::InvalidCount => "invalidCount",
        }
    }
}

impl Error {
    /// An error that has no keyword: authentication, methods, media types, faults of the server.
    pub fn new(status: u16, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: None,
            detail: detail.into(),
        }
    }

    /// 400 `invalidFilter`.
    pub fn invalid_filter(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidFilter, detail)
    }

    /// 400 `invalidSyntax`.
    pub fn invalid_syntax(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidSyntax, detail)
    }

    /// 400 `invalidPath`.
    pub fn invalid_path(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidPath, detail)
    }

    /// 400 `noTarget`.
    pub fn no_target(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::NoTarget, detail)
    }

    /// 400 `invalidValue`.
    pub fn invalid_value(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidValue, detail)
    }

    /// 400 `invalidValue`, for groups that would be members of themselves. `names` are their
    /// `displayName`s, each followed by that of a member of it; the last is the first once more. Of
    /// long circles and long names it says the beginning.
    pub fn circle_of_groups(names: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        const NAMES: usize = 20;
        const CHARACTERS: usize = 100;
        let mut names = names.into_iter();
        let mut told: Vec<_> = names
            .by_ref()
            .take(NAMES)
            .map(|name| match name.as_ref().char_indices().nth(CHARACTERS) {
                Some((end, _)) => format!("\"{}...\"", &name.as_ref()[..end]),
                None => format!("\"{}\"", name.as_ref()),
            })
            .collect();
        if names.next().is_some() {
            told.push("others".to_owned());
        }
        Self::invalid_value(format!(
            "members: a group cannot be in itself, not through other groups either: {}; nothing \
             was changed. Take one of them out of the one before it first",
            told.join(" has the member ")
        ))
    }

    /// 400 `mutability`.
    pub fn mutability(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::Mutability, detail)
    }

    /// 400 `tooMany`: a filter that would yield more than the server will compute.
    pub fn too_many(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::TooMany, detail)
    }

    /// 400 `invalidCursor`.
    pub fn invalid_cursor(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidCursor, detail)
    }

    /// 400 `expiredCursor`.
    pub fn expired_cursor(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::ExpiredCursor, detail)
    }

    /// 400 `invalidCount`.
    pub fn invalid_count(detail: impl Into<String>) -> Self {
        Self::typed(400, ScimType::InvalidCount, detail)
    }

    /// 409 `uniqueness`.
    pub fn uniqueness(detail: impl Into<String>) -> Self {
        Self::typed(409, ScimType::Uniqueness, detail)
    }

    /// 404, for a resource or endpoint that is not there.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(404, detail)
    }

    /// 413, for a request with more in it than [`Limits`](crate::Limits) lets in.
    pub fn too_large(detail: impl Into<String>) -> Self {
        Self::new(413, detail)
    }

    /// The body to answer with. `status` is a string, as the RFC has it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut body = Map::new();
        body.insert("schemas".into(), Value::from(vec![ERROR_SCHEMA]));
        body.insert("status".into(), self.status.to_string().into());
        if let Some(scim_type) = self.scim_type {
            body.insert("scimType".into(), scim_type.as_str().into());
        }
        body.insert("detail".into(), self.detail.clone().into());
        Value::Object(body)
    }

    /// The same error, told with the place in the request where it arose.
    pub(crate) fn within(mut self, place: &str) -> Self {
        self.detail = format!("{place}: {}", self.detail);
        self
    }

    fn typed(status: u16, scim_type: ScimType, detail: impl Into<String>) -> Self {
        Self {
            status,
            scim_type: Some(scim_type),
            detail: detail.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_long_circle_of_long_names_is_told_shortly() {
        let names = vec!["\u{e9}".repeat(100_000); 1_000];
        let told = Error::circle_of_groups(&names).detail;
        assert!(
            told.len() < 10_000 && told.contains("...\" has the member others"),
            "{told}"
        );
    }

    #[test]
    fn the_body_has_a_string_status_and_a_keyword_only_where_there_is_one() {
        assert_eq!(
            Error::uniqueness("taken").to_json(),
            json!({"schemas": [ERROR_SCHEMA], "status": "409", "scimType": "uniqueness", "detail": "taken"})
        );
        assert_eq!(
            Error::not_found("gone").to_json(),
            json!({"schemas": [ERROR_SCHEMA], "status": "404", "detail": "gone"})
        );
    }
}
