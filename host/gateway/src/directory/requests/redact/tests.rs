use super::*;
use proptest::prelude::*;
use serde_json::json;

const PLAIN: Rules = Rules {
    mask: false,
    groups: false,
};
const MASK: Rules = Rules {
    mask: true,
    groups: false,
};

fn kept(value: &Value, rules: Rules) -> KeptBody {
    let text = value.to_string();
    body(text.as_bytes(), rules, &mut Found::default())
        .unwrap()
        .kept
}

/// A body and what is kept of it.
fn check(value: &Value, expected: &Value) {
    let kept = kept(value, PLAIN);
    let found: Value = serde_json::from_str(&kept.text).unwrap();
    assert_eq!(&found, expected);
    assert_eq!(kept.removed, value != expected);
}

#[test]
fn secrets_are_removed_by_name_and_the_rest_stays() {
    check(
        &json!({ "userName": "ada", "password": "hunter2!", "X": { "ApiToken": ["a"] } }),
        &json!({ "userName": "ada", "password": "(removed)", "X": { "ApiToken": "(removed)" } }),
    );
    let null = json!({ "password": null });
    check(&null, &null);
    let urn = "urn:ietf:params:scim:schemas:core:2.0:User:password";
    check(
        &json!({ "Operations": [
            { "op": "replace", "path": urn, "value": "hunter2!" },
            { "OP": "add", "VALUE": { "pass": 1, "new.Password": "x" }, "PATH": "name" },
            { "op": "remove", "path": "password" },
        ] }),
        &json!({ "Operations": [
            { "op": "replace", "path": urn, "value": "(removed)" },
            { "OP": "add", "VALUE": { "pass": 1, "new.Password": "(removed)" }, "PATH": "name" },
            { "op": "remove", "path": "password" },
        ] }),
    );
    check(
        &json!({ "filter": "password eq \"hunter2!\"", "attributes": ["password", "userName"] }),
        &json!({ "filter": "(removed)", "attributes": ["password", "userName"] }),
    );
    check(
        &json!({ "roles": [{ "value": "{\"a\":1,\"password\":\"hunter2!\"}" }] }),
        &json!({ "roles": [{ "value": "{\"a\":1,\"password\":\"(removed)\"}" }] }),
    );
    // A name that holds such a word is nobody's secret, nor is what the reader says of it.
    let harmless = json!({ "userName": "token jones", "detail": "User has no `password`" });
    check(&harmless, &harmless);
}

#[test]
fn what_cannot_be_trusted_is_not_kept() {
    let kept = |bytes: &[u8]| body(bytes, PLAIN, &mut Found::default()).unwrap().kept;
    for bytes in [
        b"password=hunter2".as_slice(),
        b"{\"password\":\"hunter2",
        b"\xff\xfe",
    ] {
        let kept = kept(bytes);
        assert_eq!((kept.kept, kept.text.as_str()), (Kept::Nothing, ""));
        assert_eq!(kept.bytes, bytes.len() as u64);
    }
    assert!(body(b"", PLAIN, &mut Found::default()).is_none());
    // A name can be written in other letters, and said twice.
    let hidden = kept(br#"{"p\u0061ssword":"hunter2!","password":"hunter3!"}"#);
    assert_eq!(hidden.text, r#"{"password":"(removed)"}"#);
}

#[test]
fn a_long_body_is_cut_where_a_character_ends() {
    let long = json!({ "x": "\u{e9}".repeat(KEPT) });
    let cut = kept(&long, PLAIN);
    assert_eq!(cut.kept, Kept::Cut);
    assert!(cut.text.len() <= KEPT && cut.text.len() > KEPT - 4);
    assert_eq!(cut.bytes, long.to_string().len() as u64);
    let longer = json!({ "members": "x".repeat(PARSED) });
    assert_eq!(kept(&longer, PLAIN).kept, Kept::Cut);
    let suspect = json!({ "members": "x".repeat(PARSED), "password": "hunter2!" });
    assert_eq!(kept(&suspect, PLAIN).kept, Kept::Nothing);
    let at = json!({ "x": "x".repeat(KEPT - 8) });
    assert_eq!(at.to_string().len(), KEPT);
    assert_eq!(kept(&at, PLAIN).kept, Kept::Whole);
}

#[test]
fn personal_values_are_masked_and_the_form_stays() {
    let id = "0193c5f2-7f00-7000-8000-000000000001";
    let masked = kept(
        &json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": id, "userName": "ada@acme.test", "active": "True", "x": 42,
            "name": { "givenName": "Ada" }, "displayName": "Ada",
            "emails": [{ "value": "ada@acme.test", "type": "work", "primary": true }],
            "members": [{ "value": id, "display": "Ada", "$ref": format!("https://x/Users/{id}") }],
            "Operations": [{ "op": "add", "path": "emails[value eq \"ada@acme.test\"].type" }],
            "detail": "another user has the userName \"ada@acme.test\"", "totalResults": 1,
        }),
        MASK,
    );
    let text = masked.text;
    assert!(!text.to_lowercase().contains("ada"), "{text}");
    for stays in [
        "core:2.0:User",
        "\"True\"",
        "\"work\"",
        "emails[value eq \\\"(masked)\\\"].type",
        "another user has the userName",
        "\"totalResults\":1",
        &format!("https://x/Users/{id}"),
        "\"x\":\"(masked)\"",
    ] {
        assert!(text.contains(stays), "no {stays} in {text}");
    }
    let group = Rules {
        mask: true,
        groups: true,
    };
    assert!(
        kept(&json!({ "displayName": "Staff" }), group)
            .text
            .contains("Staff")
    );
}

#[test]
fn queries_and_paths_are_cleaned_too() {
    let check = |name: &str, value: &str, rules: Rules, expected: &str| {
        let pairs = [(name.to_owned(), value.to_owned())];
        let encoded = query(&pairs, rules, &mut Found::default());
        let (_, value) = form_urlencoded::parse(encoded.as_bytes()).next().unwrap();
        assert_eq!(value, expected);
    };
    let filter = "userName eq \"ada\" and (externalId eq ada7) or active eq true";
    check("filter", filter, PLAIN, filter);
    let masked = "userName eq \"(masked)\" and (externalId eq (masked)) or active eq true";
    check("filter", filter, MASK, masked);
    check(
        "filter",
        "userName eq \"ada \\\" x\" and",
        MASK,
        "userName eq \"(masked)\" and",
    );
    check("filter", "password eq \"hunter2!\"", PLAIN, "(removed)");
    check("access_token", "x", PLAIN, "(removed)");
    check("attributes", "password", MASK, "password");
    check("count", "7", MASK, "7");
    check("q", "ada", MASK, "(masked)");
    let id = "0193c5f2-7f00-7000-8000-000000000001";
    let paths = format!("/scim/v2/{id}/Users/{id}");
    assert_eq!(path(&paths, MASK), paths);
    assert_eq!(
        path("/scim/v2/d/Users/ada/x", MASK),
        "/scim/v2/d/Users/(masked)/(masked)"
    );
    assert_eq!(path("/scim/v2/d/Users/ada", PLAIN), "/scim/v2/d/Users/ada");
}

#[test]
fn a_secret_is_not_kept_in_what_others_made_of_it() {
    let mut found = Found::default();
    let _ = body(br#"{"password":"hunter2!"}"#, PLAIN, &mut found);
    assert_eq!(sentence("left out hunter2!", PLAIN, &found), "(removed)");
    assert_eq!(
        sentence("left out `password`", PLAIN, &found),
        "left out `password`"
    );
    let moved = body(br#"{"nickName":"hunter2!"}"#, PLAIN, &mut found).unwrap();
    assert_eq!(moved.kept.kept, Kept::Nothing);
}

const SECRET: &str = "s3cr\"et\u{e9}/\\value";

/// A secret in one of the places where providers and people put one.
fn secret() -> impl Strategy<Value = Value> {
    let name = prop::sample::select(vec![
        "password",
        "PASSWORD",
        "urn:ietf:params:scim:schemas:core:2.0:User:password",
        "clientSecret",
        "access_token",
        "x.password",
    ]);
    let value = prop_oneof![
        Just(json!(SECRET)),
        Just(json!([SECRET])),
        Just(json!({ "value": SECRET })),
    ];
    (name, value, 0..5).prop_map(|(name, value, form)| match form {
        0 => json!({ name: value }),
        1 => json!({ "op": "replace", "path": name, "value": value }),
        2 => json!({ "value": value, "Path": name, "op": "add" }),
        3 => json!({ "x": json!({ name: value }).to_string() }),
        _ => json!({ "filter": format!("{name} eq {}", json!(SECRET)) }),
    })
}

/// Such a place somewhere in a document.
fn document() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        secret(),
        any::<i32>().prop_map(Value::from),
        "[a-z \"\\\\{\\[]{0,8}".prop_map(Value::from),
        Just(Value::Null),
    ];
    let inner = leaf.prop_recursive(6, 40, 4, |inner| {
        let key = prop::sample::select(vec!["a", "value", "Operations", "path", "emails", "name"]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key, inner), 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    });
    (inner, secret()).prop_map(|(inner, secret)| json!({ "a": inner, "b": secret }))
}

proptest! {
    #[test]
    fn no_secret_survives_in_any_position(document in document(), mask: bool) {
        let rules = Rules { mask, groups: false };
        let mut found = Found::default();
        let text = document.to_string();
        let kept = body(text.as_bytes(), rules, &mut found).unwrap();
        // The same value in any depth of JSON within JSON.
        let mut spelled = SECRET.to_owned();
        for _ in 0..4 {
            prop_assert!(!kept.kept.text.contains(&spelled), "{}", kept.kept.text);
            if let Some(clean) = kept.clean() {
                prop_assert!(!clean.to_string().contains(&spelled));
            }
            let quoted = Value::from(spelled).to_string();
            spelled = quoted[1..quoted.len() - 1].to_owned();
        }
        prop_assert_eq!(kept.kept.bytes, text.len() as u64);
    }
}
