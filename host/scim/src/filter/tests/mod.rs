mod model;

use super::*;
use crate::{ResourceType, ScimType};
use serde_json::json;

const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

fn parse(text: &str) -> Result<Filter, Error> {
    Filter::parse(text, ResourceType::User, &Limits::default())
}

fn ada() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "1aB", "externalId": "Ada-7", "userName": "Ada@Example.com", "title": "Countess",
        "active": true, "name": {"givenName": "Ada"},
        "emails": [
            {"value": "ada@example.com", "type": "work", "primary": true},
            {"value": "ada@home.example", "type": "home"},
        ],
        ENTERPRISE: {"manager": {"value": "m-1"}, "department": "Engines"},
        "meta": {"created": "2026-01-02T03:04:05Z", "lastModified": "2026-01-02T03:04:05.5Z"},
    })
}

/// Whether `ada` matches, and that printing gives the same filter.
fn check(text: &str, expected: bool) {
    let filter = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(filter.matches(&ada()), expected, "{text}");
    assert_eq!(
        parse(&filter.to_string()).as_ref(),
        Ok(&filter),
        "{text} -> {filter}"
    );
}

fn check_refused(text: &str, part: &str) {
    let error = parse(text).expect_err(text);
    assert_eq!(error.scim_type, Some(ScimType::InvalidFilter));
    assert!(error.detail.contains(part), "{text}: {}", error.detail);
}

#[test]
fn every_operator() {
    check(r#"userName eq "ada@example.COM""#, true);
    check(r#"externalId eq "ada-7""#, false);
    check(r#"externalId eq "Ada-7""#, true);
    check(r#"id eq "1ab""#, false);
    check(r#"userName ne "ada@example.com""#, false);
    check(r#"userName ne "b""#, true);
    check(r#"title co "OUNT""#, true);
    check(r#"title sw "count""#, true);
    check(r#"title ew "count""#, false);
    check(r#"title gt "count""#, true);
    check(r#"title lt "count""#, false);
    check(r#"title ge "COUNTESS" and title le "countess""#, true);
    check("title pr", true);
    check("nickName pr", false);
    check("emails pr and name pr and name.givenName pr", true);
    check("active eq true", true);
    check("active eq \"False\"", false);
    check("active eq True", true);
}

#[test]
fn moments_are_compared_as_such() {
    check(r#"meta.created eq "2026-01-02T04:04:05+01:00""#, true);
    check(r#"meta.created lt "2026-01-02T03:04:06Z""#, true);
    check(r#"meta.lastModified gt "2026-01-02T03:04:05Z""#, true);
    check(r#"meta.created ge "2026-01-02T03:04:05""#, true);
    check(r#"meta.created sw "2026-01""#, true);
    check_refused(r#"meta.created gt "yesterday""#, "must be of type dateTime");
}

#[test]
fn precedence_and_spelling() {
    check(r#"title eq "x" and title eq "y" or active eq true"#, true);
    check(
        r#"title eq "x" and (title eq "y" or active eq true)"#,
        false,
    );
    check(r#"active eq true or title eq "x" and title eq "y""#, true);
    check(r#"NOT (title EQ "x") AND ACTIVE Eq true"#, true);
    check(r#"not(title eq "x")and(active eq true)"#, true);
    check(r#"  username Eq "ada@example.com"  "#, true);
    check(r#"not (not (title pr))"#, true);
}

#[test]
fn multi_valued_and_extension_attributes() {
    check(r#"emails.value eq "ADA@home.example""#, true);
    check(r#"emails eq "ada@home.example""#, true);
    check(r#"emails[type eq "work"].value eq "ada@example.com""#, true);
    check(
        r#"emails[type eq "home"].value eq "ada@example.com""#,
        false,
    );
    check(r#"emails[type eq "work" and value co "@home"]"#, false);
    check(
        r#"emails[type eq "work" or primary eq "True"].value sw "ada""#,
        true,
    );
    check(
        r#"emails.type eq "home" and emails.value eq "ada@example.com""#,
        true,
    );
    check(r#"emails[not (type pr)]"#, false);
    check(r#"emails[type eq "work"].display pr"#, false);
    check(r#"manager eq "m-1""#, true);
    check(&format!(r#"{ENTERPRISE}:department eq "engines""#), true);
    check(
        &format!(r#"{}:manager.value eq m-1"#, ENTERPRISE.to_uppercase()),
        true,
    );
    check(
        r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "ada""#,
        true,
    );
    check(
        r#"schemas eq "urn:ietf:params:scim:schemas:core:2.0:User""#,
        true,
    );
}

#[test]
fn absence_and_null() {
    check("nickName eq null", true);
    check("nickName ne null", false);
    check("title eq null", false);
    check("title ne null", true);
    check(r#"nickName ne "x""#, true);
    check(r#"nickName eq "x""#, false);
    check(r#"nickName lt "x""#, false);
}

#[test]
fn values_without_quotes() {
    check("externalId eq Ada-7", true);
    check("userName eq ada@example.com and active eq true", true);
    check("(userName eq ada@example.com)", true);
    check("emails[type eq work].value eq ada@example.com", true);
    check("externalId eq 1e5", false);
    let filter = parse("externalId eq 007").unwrap();
    assert_eq!(filter.to_string(), "externalId eq \"007\"");
    let filter = parse("externalId eq true").unwrap();
    assert_eq!(filter.equalities(), [("externalId", &json!("true"))]);
}

#[test]
fn escapes_are_those_of_json() {
    let filter = parse(r#"title eq "a\"b\\\u00e9)""#).unwrap();
    assert_eq!(filter.equalities(), [("title", &json!("a\"b\\\u{e9})"))]);
    check(r#"title eq "\\""#, false);
}

#[test]
fn what_is_wrong_is_said_with_its_position() {
    check_refused(
        "",
        "character 1: expected an attribute, `not` or `(`, but the text ends",
    );
    check_refused("userName", "character 9: expected an operator");
    check_refused("userName is \"a\"", "character 10: expected an operator");
    check_refused(
        "userName eq",
        "character 12: expected a value, but the text ends",
    );
    check_refused(
        "userName eq \"a",
        "character 13: the quote that begins here does not end",
    );
    check_refused("userName eq 'a'", "character 13: a value in double quotes");
    check_refused("userName eq \u{201c}a\u{201d}", "double quotes");
    check_refused("userName eq \"\\x\"", "not a valid JSON string");
    check_refused(
        "userName eq a b",
        "character 15: expected `and`, `or` or the end, but found `b`",
    );
    check_refused("(userName pr", "character 13: expected `and`, `or` or `)`");
    check_refused(
        "userName pr)",
        "character 12: expected `and`, `or` or the end",
    );
    check_refused("not userName pr", "expected `(` after `not`");
    check_refused(
        "\u{e9} eq 1",
        "character 1: a User has no attribute `\u{e9}`",
    );
    check_refused("userNam eq \"a\"", "has no attribute `userNam`");
    check_refused(
        "title pr and members pr",
        "character 14: a User has no attribute `members`",
    );
    check_refused(
        "emails[kind eq 1]",
        "character 8: `emails` has no attribute `kind`",
    );
    check_refused("emails[type eq \"x\"].kind pr", "no sub-attribute `kind`");
    check_refused("emails[type eq \"x\"", "expected `and`, `or` or `]`");
    check_refused(
        "emails[type eq \"x\"] eq \"y\"",
        "expected `and`, `or` or the end",
    );
    check_refused("title[value pr]", "not complex");
    check_refused(
        "name eq \"x\"",
        "`name` is complex; compare one of its sub-attributes",
    );
    check_refused("active gt true", "`gt` does not apply to `active`");
    check_refused("active eq yes", "must be of type boolean");
    check_refused("title gt null", "`null` does not go with `gt`");
    check_refused("x509Certificates gt \"a\"", "`gt` does not apply");
}

#[test]
fn depth_and_the_number_of_comparisons_are_limited() {
    let nested = |depth: usize| format!("{}title pr{}", "not (".repeat(depth), ")".repeat(depth));
    assert!(parse(&nested(32)).is_ok());
    check_refused(&nested(33), "nested too deep");
    check_refused(&"(".repeat(200_000), "nested too deep");
    let long = |terms: usize| vec!["title eq \"x\""; terms].join(" or ");
    assert!(!parse(&long(100)).unwrap().matches(&ada()));
    check_refused(&long(101), "more than 100 comparisons");
    // Those within brackets count, and so does the one behind them.
    let elements = |terms: usize| {
        let inner = vec!["type eq \"work\""; terms].join(" and ");
        format!("emails[{inner}].value eq \"x\"")
    };
    assert!(parse(&elements(99)).is_ok());
    check_refused(&elements(100), "more than 100 comparisons");
    // A long filter takes no stack, whatever the limit is.
    let limits = Limits {
        filter_terms: 20_000,
        ..Limits::default()
    };
    let long = Filter::parse(&long(20_000), ResourceType::User, &limits);
    assert!(!long.unwrap().matches(&ada()));
}

#[test]
fn equalities_are_those_that_must_hold() {
    let check = |text: &str, resource: ResourceType, expected: &[(&str, Value)]| {
        let filter = Filter::parse(text, resource, &Limits::default()).unwrap();
        let expected: Vec<(&str, &Value)> = expected
            .iter()
            .map(|(path, value)| (*path, value))
            .collect();
        assert_eq!(filter.equalities(), expected, "{text}");
    };
    use ResourceType::{Group, User};
    check("USERNAME eq \"A\"", User, &[("userName", json!("A"))]);
    check(
        "id eq \"1\" and (manager eq \"2\" and active eq true) and title ne \"x\"",
        User,
        &[
            ("id", json!("1")),
            (&format!("{ENTERPRISE}:manager.value"), json!("2")),
            ("active", json!(true)),
        ],
    );
    check("userName eq \"a\" or id eq \"1\"", User, &[]);
    check("not (userName eq \"a\") and title eq null", User, &[]);
    check(
        "emails[type eq \"work\"].value eq \"x\"",
        User,
        &[("emails.type", json!("work")), ("emails.value", json!("x"))],
    );
    check("emails[type eq \"work\" or value eq \"x\"]", User, &[]);
    check(
        "members[value eq \"7\"] and id eq \"1\"",
        Group,
        &[("members.value", json!("7")), ("id", json!("1"))],
    );
    check("members eq \"7\"", Group, &[("members.value", json!("7"))]);
    check(
        "displayName eq \"G\"",
        Group,
        &[("displayName", json!("G"))],
    );
}

#[test]
fn sorting() {
    let order = |by: &str, direction: Option<&str>, a: Value, b: Value| {
        Sort::parse(by, direction, ResourceType::User)
            .unwrap()
            .compare(&a, &b)
    };
    use std::cmp::Ordering::{Equal, Greater, Less};
    assert_eq!(
        order(
            "username",
            None,
            json!({"userName": "b"}),
            json!({"userName": "A"})
        ),
        Greater
    );
    assert_eq!(
        order("id", None, json!({"id": "b"}), json!({"id": "A"})),
        Greater
    );
    assert_eq!(
        order("id", None, json!({"id": "a"}), json!({"id": "B"})),
        Greater
    );
    assert_eq!(order("title", None, json!({"title": "x"}), json!({})), Less);
    assert_eq!(
        order(
            "title",
            Some("Descending"),
            json!({"title": "x"}),
            json!({})
        ),
        Greater
    );
    assert_eq!(order("title", None, json!({}), json!({})), Equal);
    let first = json!({"emails": [{"value": "z"}, {"value": "a", "primary": true}]});
    let second = json!({"emails": [{"value": "b"}]});
    assert_eq!(order("emails", None, first, second), Less);
    assert!(Sort::parse("userName", Some("up"), ResourceType::User).is_err());
}
