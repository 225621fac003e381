//! Who is asking: the bearer token of a request (RFC 6750).

use crate::directory::credentials::Secret;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoToken {
    /// No `Authorization` header.
    #[error("send the directory's or the API's token as `Authorization: Bearer TOKEN`")]
    Missing,
    /// Another scheme, or more than one header.
    #[error("the Authorization header must be `Bearer TOKEN`, once")]
    Malformed,
}

/// The token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Result<Secret, NoToken> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or(NoToken::Missing)?;
    if values.next().is_some() {
        return Err(NoToken::Malformed);
    }
    let text = value.to_str().map_err(|_| NoToken::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(NoToken::Malformed)?;
    let token = token.trim();
    // The scheme's name is not case-sensitive (RFC 9110 section 11.1).
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(NoToken::Malformed);
    }
    Ok(Secret::presented(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_read_from_one_bearer_header() {
        let headers = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, value.parse().unwrap());
            }
            bearer(&headers).map(|secret| secret.reveal().to_owned())
        };
        assert_eq!(headers(&["Bearer abc"]), Ok("abc".into()));
        assert_eq!(headers(&["bearer  abc "]), Ok("abc".into()));
        assert_eq!(headers(&[]), Err(NoToken::Missing));
        for bad in ["Basic abc", "Bearer", "Bearer ", "abc"] {
            assert_eq!(headers(&[bad]), Err(NoToken::Malformed), "{bad}");
        }
        assert_eq!(headers(&["Bearer a", "Bearer b"]), Err(NoToken::Malformed));
    }
}
