use crate::{Error, Filter, Limits, Projection, Shape, Sort};
use serde_json::{Value, json};

/// What a client asks of a list (RFC 7644 section 3.4.2).
#[derive(Debug, Clone, PartialEq)]
pub struct ListQuery {
    /// Which resources; none: all.
    pub filter: Option<Filter>,
    /// The place of the first resource wanted, at least 1.
    pub start_index: usize,
    /// How many at most, not above [`Limits::max_results`]; none: as the server likes. 0 asks for
    /// the total alone.
    pub count: Option<usize>,
    /// The cursor of the page wanted (RFC 9865), empty for the first; none: paged by index.
    pub cursor: Option<String>,
    /// Which attributes to answer with.
    pub projection: Projection,
    /// In which order.
    pub sort: Option<Sort>,
}

impl ListQuery {
    /// Reads decoded query parameters. Names may be in any case, unknown ones are no error, and of
    /// one that is given twice the last counts.
    ///
    /// # Errors
    ///
    /// 400 `invalidFilter` as [`Filter::parse`]; 400 `invalidValue`, naming the parameter, for
    /// `startIndex` and `count` that are no whole numbers, for an unusable `sortBy` or `sortOrder`,
    /// and for both ways of paging at once; 400 `invalidCount` for a page of nothing by cursor.
    pub fn parse(
        pairs: &[(String, String)],
        shape: impl Into<Shape>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let shape = shape.into();
        let parameter = |name| parameter(pairs, name);
        let filter = parameter("filter")
            .map(|text| Filter::parse(text, shape, limits))
            .transpose()?;
        let start_index = parameter("startIndex")
            .map(|text| whole_number("startIndex", text))
            .transpose()?
            .map_or(1, |start| start.max(1));
        let count = parameter("count")
            .map(|text| whole_number("count", text))
            .transpose()?
            .map(|count| count.min(limits.max_results));
        let cursor = parameter("cursor").map(str::to_owned);
        if cursor.is_some() && start_index > 1 {
            return Err(Error::invalid_value(
                "`startIndex` and `cursor` are two ways of paging: send one of them",
            ));
        }
        if cursor.is_some() && count == Some(0) {
            return Err(Error::invalid_count(
                "`count` must be at least 1 with a cursor",
            ));
        }
        let sort = parameter("sortBy")
            .filter(|by| !by.is_empty())
            .map(|by| Sort::parse(by, parameter("sortOrder"), shape))
            .transpose()?;
        Ok(Self {
            filter,
            start_index,
            count,
            cursor,
            projection: Projection::from_query(pairs, shape),
            sort,
        })
    }

    /// Reads the body of a POST to `/.search` (RFC 7644 section 3.4.3), which has the same
    /// parameters as JSON.
    ///
    /// # Errors
    ///
    /// As [`ListQuery::parse`].
    pub fn parse_search(
        body: &Value,
        shape: impl Into<Shape>,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let pairs: Vec<(String, String)> = body
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| {
                let value = match value {
                    Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(","),
                    single => text(single),
                };
                (name.clone(), value)
            })
            .collect();
        Self::parse(&pairs, shape, limits)
    }
}

/// The body that answers a list or search, without its `Resources` (RFC 7644 section 3.4.2).
/// `total` counts all matches, `count` those on the page.
#[must_use]
pub fn list_frame(total: usize, start_index: usize, count: usize) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start_index,
        "itemsPerPage": count,
    })
}

/// The body that answers one page of a walk by cursor, without its `Resources` (RFC 9865
/// section 2). `next` is the cursor of the next page; none on the last.
#[must_use]
pub fn cursor_frame(total: usize, next: Option<&str>, count: usize) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "itemsPerPage": count,
    });
    if let Some(next) = next {
        body["nextCursor"] = next.into();
    }
    body
}

/// The value of a parameter, by its name in any case; of several the last.
pub(crate) fn parameter<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .rev()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

/// A number of resources: negative ones count as 0, ones too large to hold as the largest.
fn whole_number(parameter: &str, text: &str) -> Result<usize, Error> {
    let text = text.trim();
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::invalid_value(format!(
            "`{parameter}` must be a whole number"
        )));
    }
    Ok(if negative {
        0
    } else {
        digits.parse().unwrap_or(usize::MAX)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ResourceType;

    fn query(pairs: &[(&str, &str)]) -> Result<ListQuery, Error> {
        let pairs: Vec<(String, String)> = pairs
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        ListQuery::parse(&pairs, ResourceType::User, &Limits::default())
    }

    #[test]
    fn paging() {
        let check = |start: &str, count: &str, expected: (usize, Option<usize>)| {
            let query = query(&[("startIndex", start), ("count", count)]).unwrap();
            assert_eq!(
                (query.start_index, query.count),
                expected,
                "{start} {count}"
            );
        };
        check("1", "100", (1, Some(100)));
        check("0", "0", (1, Some(0)));
        check("-7", "-7", (1, Some(0)));
        check("101", "5000", (101, Some(1_000)));
        check(
            "99999999999999999999999",
            "99999999999999999999999",
            (usize::MAX, Some(1_000)),
        );
        let none = query(&[("aadOptscim062020", ""), ("", "")]).unwrap();
        assert_eq!((none.start_index, none.count), (1, None));
        assert!(none.filter.is_none() && none.sort.is_none());
    }

    #[test]
    fn errors_name_the_parameter() {
        for (name, value) in [
            ("startIndex", "x"),
            ("count", "1.5"),
            ("count", ""),
            ("count", "-"),
            ("sortBy", "x"),
            ("sortBy", "name"),
        ] {
            let error = query(&[(name, value)]).unwrap_err();
            assert_eq!(error.status, 400);
            assert!(error.detail.contains(name), "{}", error.detail);
        }
        let error = query(&[("filter", "")]).unwrap_err();
        assert_eq!(error.scim_type, Some(crate::ScimType::InvalidFilter));
    }

    #[test]
    fn cursors() {
        let cursor = |pairs: &[(&str, &str)]| query(pairs).unwrap().cursor;
        assert_eq!(cursor(&[("count", "1")]), None);
        assert_eq!(cursor(&[("Cursor", "")]), Some(String::new()));
        assert_eq!(
            cursor(&[("cursor", "x"), ("startIndex", "1")]),
            Some("x".into())
        );
        assert!(query(&[("cursor", "x"), ("startIndex", "2")]).is_err());
        let error = query(&[("cursor", ""), ("count", "0")]).unwrap_err();
        assert_eq!(error.scim_type, Some(crate::ScimType::InvalidCount));
        let first = cursor_frame(7, Some("x"), 1);
        assert_eq!(first["nextCursor"], "x");
        assert_eq!(first["itemsPerPage"], 1);
        let last = cursor_frame(7, None, 0);
        assert!(last.get("nextCursor").is_none() && last.get("startIndex").is_none());
    }

    #[test]
    fn the_body_of_a_search_is_the_same_query() {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
            "filter": "userName eq \"a\"", "startIndex": 3, "count": 7,
            "attributes": ["userName", "emails.value"], "sortBy": null,
        });
        assert_eq!(
            ListQuery::parse_search(&body, ResourceType::User, &Limits::default()).unwrap(),
            query(&[
                ("filter", "userName eq \"a\""),
                ("startIndex", "3"),
                ("COUNT", "7"),
                ("attributes", "userName, emails.value"),
            ])
            .unwrap()
        );
    }

    #[test]
    fn the_frame_tells_the_page() {
        let page = list_frame(7, 3, 1);
        assert_eq!(page["totalResults"], 7);
        assert_eq!(page["startIndex"], 3);
        assert_eq!(page["itemsPerPage"], 1);
    }
}
