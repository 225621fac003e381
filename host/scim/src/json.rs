use crate::{Error, Limits};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

/// The depth at which the JSON parser itself gives up.
const PARSER_DEPTH: usize = 127;

/// Reads the body of a request: one JSON object.
///
/// # Errors
///
/// 400 `invalidSyntax` for an empty body, for what is not JSON (with line and column), for JSON
/// that is not an object, and for more than [`Limits::json_depth`] nested arrays and objects.
/// The nesting is counted before anything is parsed, so a hostile body costs no stack.
pub fn parse_json(body: &[u8], limits: &Limits) -> Result<Value, Error> {
    let value: Value = read(body, limits)?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(not_an_object(kind_of(&value)))
    }
}

/// Checks what [`parse_json`] checks without keeping what is read, for a body that somebody else
/// reads first.
///
/// # Errors
///
/// As [`parse_json`].
pub fn check_json(body: &[u8], limits: &Limits) -> Result<(), Error> {
    let _: IgnoredAny = read(body, limits)?;
    match body.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(()),
        _ => Err(not_an_object("something else")),
    }
}

fn read<'a, T: Deserialize<'a>>(body: &'a [u8], limits: &Limits) -> Result<T, Error> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid_syntax(
            "the body is empty; a JSON object is expected",
        ));
    }
    let deepest = limits.json_depth.min(PARSER_DEPTH);
    if depth(body) > deepest {
        return Err(Error::invalid_syntax(format!(
            "the body nests arrays and objects more than {deepest} deep"
        )));
    }
    serde_json::from_slice(body).map_err(|error| {
        Error::invalid_syntax(format!(
            "the body is not JSON: reading stopped at line {}, column {}",
            error.line(),
            error.column()
        ))
    })
}

fn not_an_object(found: &str) -> Error {
    Error::invalid_syntax(format!("the body must be a JSON object, but is {found}"))
}

/// What a value is, for an error message: "a string", "null", ...
pub(crate) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// Whether a value says that an attribute has none (RFC 7643 section 2.5; the empty string comes
/// from several providers).
pub(crate) fn is_clear(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    }
}

/// How deep arrays and objects are nested. Right for every valid text; of an invalid one only
/// that it ends matters, because the parser refuses it afterwards.
fn depth(body: &[u8]) -> usize {
    let (mut now, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in body {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
            continue;
        }
        match byte {
            b'"' => in_string = true,
            b'[' | b'{' => {
                now += 1;
                deepest = deepest.max(now);
            }
            b']' | b'}' => now = now.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, expected: Result<(), &str>) {
        let read = parse_json(body.as_bytes(), &Limits::default());
        let checked = check_json(body.as_bytes(), &Limits::default());
        assert_eq!(checked.is_ok(), read.is_ok(), "{body}");
        match expected {
            Ok(()) => assert!(read.is_ok(), "{body}: {read:?}"),
            Err(part) => {
                let error = read.expect_err(body);
                assert_eq!(error.status, 400);
                assert!(error.detail.contains(part), "{}", error.detail);
            }
        }
    }

    #[test]
    fn bodies() {
        check("{}", Ok(()));
        check(r#"{"a":"[[[{{{\""}"#, Ok(()));
        check("", Err("is empty"));
        check(" \r\n", Err("is empty"));
        check("{\n  \"a\": }", Err("line 2, column 8"));
        check("[1]", Err("but is an array"));
        check("null", Err("but is null"));
        check("{} {}", Err("not JSON"));
    }

    #[test]
    fn depth_is_bounded_before_parsing() {
        let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
        check(&nested(63), Ok(()));
        check(&nested(64), Err("more than 64 deep"));
        check(&"[".repeat(3_000_000), Err("more than 64 deep"));
        let unlimited = Limits {
            json_depth: usize::MAX,
            ..Limits::default()
        };
        assert!(parse_json(nested(126).as_bytes(), &unlimited).is_ok());
        assert!(parse_json(nested(127).as_bytes(), &unlimited).is_err());
    }
}
