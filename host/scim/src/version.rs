/// What a request asks of the version of the resource it is about (RFC 7644 section 3.14, RFC 9110
/// section 13.1). SCIM's tags are weak and still serve for `If-Match`, so tags are compared
/// without regard to `W/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preconditions {
    wanted: Option<Tags>,
    unwanted: Option<Tags>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever version there is.
    Any,
    /// What stands between the quotes. Of a malformed list: what could be read of it.
    These(Vec<String>),
}

impl Preconditions {
    /// Reads the headers `If-Match` and `If-None-Match`; several lines of one are joined by a
    /// comma. A tag whose quotes a client has lost is taken as it is.
    #[must_use]
    pub fn parse(if_match: Option<&str>, if_none_match: Option<&str>) -> Self {
        Self {
            wanted: if_match.map(Tags::parse),
            unwanted: if_none_match.map(Tags::parse),
        }
    }

    /// Whether there is none: then the version need not be known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.wanted.is_none() && self.unwanted.is_none()
    }

    /// Whether `If-Match` lets a request do something to a resource of this version.
    #[must_use]
    pub fn matched(&self, version: &str) -> bool {
        self.wanted.as_ref().is_none_or(|tags| tags.have(version))
    }

    /// Whether `If-None-Match` names this version: the client has it.
    #[must_use]
    pub fn known(&self, version: &str) -> bool {
        self.unwanted
            .as_ref()
            .is_some_and(|tags| tags.have(version))
    }
}

impl Tags {
    fn parse(text: &str) -> Self {
        if text.trim() == "*" {
            return Self::Any;
        }
        let tags = text.split(',').map(opaque).filter(|tag| !tag.is_empty());
        Self::These(tags.map(str::to_owned).collect())
    }

    fn have(&self, version: &str) -> bool {
        match self {
            Self::Any => true,
            Self::These(tags) => tags.iter().any(|tag| tag == opaque(version)),
        }
    }
}

/// A tag without `W/` and quotes. Ours have no comma in them.
fn opaque(tag: &str) -> &str {
    let tag = tag.trim();
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    tag.strip_prefix('"')
        .and_then(|tag| tag.strip_suffix('"'))
        .unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_compared_weakly() {
        let check = |header: &str, version: &str, expected: bool| {
            let conditions = Preconditions::parse(Some(header), Some(header));
            assert_eq!(conditions.matched(version), expected, "{header} {version}");
            assert_eq!(conditions.known(version), expected, "{header} {version}");
        };
        check("W/\"7\"", "W/\"7\"", true);
        check("\"7\"", "W/\"7\"", true);
        check("W/\"6\", W/\"7\"", "W/\"7\"", true);
        check("W/\"6\"", "W/\"7\"", false);
        check("W/\"70\"", "W/\"7\"", false);
        check("7", "W/\"7\"", true);
        check(" * ", "W/\"7\"", true);
        check("\"*\"", "W/\"7\"", false);
        check("", "W/\"7\"", false);
        check("\"", "W/\"7\"", false);
    }

    #[test]
    fn without_headers_everything_may_be_done_and_nothing_is_known() {
        let none = Preconditions::parse(None, None);
        assert!(none.is_empty() && none.matched("W/\"7\"") && !none.known("W/\"7\""));
        assert!(!Preconditions::parse(None, Some("*")).is_empty());
    }
}
