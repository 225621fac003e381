//! Conditions that are made to break something.

use super::{compile, problem};
use crate::MAX_CONDITION;
use gatewright_sdk::{Account, testing};
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::{collection, proptest, sample};

/// As much of `unit` as fits into a condition, before `end`.
fn many(unit: &str, end: &str) -> String {
    let times = (MAX_CONDITION - end.len()) / unit.len();
    format!("{}{end}", unit.repeat(times))
}

#[test]
fn endless_nesting_is_refused_and_breaks_nothing() {
    for unit in [
        "(",
        "[",
        "{",
        "{1:",
        "f(",
        "user[",
        "groups.all(x,",
        "true?",
        "true?false:",
        "has(",
        "!(",
        "-(",
        "[{1:(",
    ] {
        for end in ["", "1", "true"] {
            assert!(!problem(&many(unit, end)).is_empty());
        }
    }
    let deep = |levels: usize| format!("{}true{}", "(".repeat(levels), ")".repeat(levels));
    assert!(compile(&deep(20)).is_ok());
    assert_eq!(
        problem(&deep(900)),
        "nests too deeply: 32 levels are allowed"
    );
    assert!(problem(&"(".repeat(10_000)).starts_with("has 10000 characters"));
}

#[test]
fn endless_chains_are_refused_or_harmless() {
    for unit in ["1+", "1-", "1*", "1<", "user.", "groups[0].", "x.y()."] {
        let why = problem(&many(unit, "1"));
        assert!(!why.is_empty());
    }
    for (unit, end) in [
        ("true||", "true"),
        ("true&&", "true"),
        ("!!", "true"),
        ("!", "!true"),
    ] {
        let account = account();
        let rules = compile(&many(unit, end)).unwrap();
        assert!(rules.granted(&testing::context(), &account, None).is_ok());
    }
    let text = many("a", "");
    assert!(problem(&text).contains("is not known"));
}

fn account() -> Account {
    testing::account("ada@example.com")
        .attribute("title", "Controller")
        .in_group("Finance")
        .signal("chat", true, 1)
        .build()
}

/// Reads it, and decides by it if it can be read. Only that it returns is of interest.
fn survives(text: &str) {
    if let Ok(rules) = compile(text) {
        _ = rules.granted(&testing::context(), &account(), Some(&[]));
    }
}

/// Texts of what the language is made of.
fn tokens() -> impl Strategy<Value = String> {
    const TOKENS: &[&str] = &[
        "user",
        "users",
        "groups",
        "account",
        "signals",
        "title",
        "name",
        ".",
        "?",
        ":",
        ",",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "*",
        "/",
        "%",
        "in",
        "0",
        "1",
        "2u",
        "1.5",
        "9223372036854775807",
        "-9223372036854775808",
        "'Finance'",
        "\"a\"",
        "b'x'",
        "r'\\'",
        "'''",
        "true",
        "false",
        "null",
        "has(",
        ".all(",
        ".exists(",
        ".exists_one(",
        ".map(",
        ".filter(",
        "size(",
        ".size()",
        ".startsWith(",
        ".endsWith(",
        ".contains(",
        ".lowerAscii()",
        "x",
        "y",
        " ",
        "\n",
        "// ",
        "`",
        "@",
        "é",
        "\u{0}",
    ];
    let token = prop_oneof![
        8 => sample::select(TOKENS).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => "\\PC{0,4}",
    ];
    collection::vec(token, 0..40).prop_map(|tokens| tokens.concat())
}

/// Expressions that can be read, nested as the language nests.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        sample::select(vec![
            "user.title",
            "user",
            "users",
            "groups",
            "signals",
            "account.status",
            "user.name",
            "user['urn:x:y']",
            "x",
            "true",
            "0",
            "-1",
            "9223372036854775807",
            "1u",
            "0.0",
            "1e308",
            "'Finance'",
            "''",
            "b'a'",
            "null",
            "[]",
            "{}",
            "has(user.title)",
        ])
        .prop_map(str::to_owned),
        any::<i64>().prop_map(|number| format!("({number})")),
    ];
    leaf.prop_recursive(5, 40, 3, |inner| {
        let operator = sample::select(vec![
            "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in",
        ]);
        let call = sample::select(vec!["all", "exists", "exists_one", "map", "filter"]);
        let method = sample::select(vec!["startsWith", "endsWith", "contains"]);
        prop_oneof![
            (inner.clone(), operator, inner.clone())
                .prop_map(|(a, by, b)| format!("({a} {by} {b})")),
            (inner.clone(), call, inner.clone()).prop_map(|(a, of, b)| format!("{a}.{of}(x, {b})")),
            (inner.clone(), method, inner.clone()).prop_map(|(a, of, b)| format!("{a}.{of}({b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}[{b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[{a}, {b}]")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{{a}: {b}}}")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("!{a}")),
            inner.clone().prop_map(|a| format!("-{a}")),
            inner.clone().prop_map(|a| format!("size({a})")),
            inner.prop_map(|a| format!("{a}.lowerAscii()")),
        ]
    })
    .prop_flat_map(|text| {
        (
            Just(text.clone()),
            Just(format!("[1].exists(x, {text} == x)")),
        )
    })
    .prop_flat_map(|(plain, bound)| prop_oneof![Just(plain), Just(bound)])
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,80}") {
        survives(&text);
    }

    #[test]
    fn no_order_of_tokens_makes_it_panic(text in tokens()) {
        survives(&text);
    }

    #[test]
    fn no_expression_makes_it_panic(text in expressions()) {
        survives(&text);
    }
}
