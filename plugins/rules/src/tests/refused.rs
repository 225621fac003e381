//! What is wrong with rules, when they are entered and in a decision.

use super::{Role, problem, refusal, rule};
use crate::{MAX_CONDITION, MAX_RULES, Rules};
use gatewright_sdk::{AttributeValue, Period, testing};

#[test]
fn a_condition_that_cannot_be_read_says_where() {
    for (when, expected) in [
        (
            "",
            "must not be empty: \"true\" is a condition that always holds",
        ),
        (
            "user.title = 'x'",
            "at column 12: \"=\" compares nothing: write \"==\"",
        ),
        (
            "user.title == ",
            "at column 15: something is missing behind it",
        ),
        ("user.title == 'x", "at column 15: ''x' cannot stand here"),
        ("'é' == 'é' 'x'", "at column 12: ''x'' cannot stand here"),
        (
            "true\n && && false",
            "at line 2, column 5: '&&' cannot stand here",
        ),
        ("user.?title == 'x'", "at column 5: unsupported syntax '.?'"),
        ("(true", "at column 6: ')' is missing here"),
        ("has(user)", "at column 5: invalid argument to has() macro"),
        (
            "groups.exists(1, true)",
            "at column 15: argument must be a simple name",
        ),
    ] {
        assert_eq!(problem(when), expected, "{when}");
    }
}

#[test]
fn unknown_names_are_told_with_what_there_is() {
    let there_are = "there are user, users, groups, account, signals";
    for (when, expected) in [
        (
            "usr.title == 'x'",
            format!("at column 1: \"usr\" is not known: {there_are}"),
        ),
        (
            "'é' == nix",
            format!("at column 8: \"nix\" is not known: {there_are}"),
        ),
        (
            "groups.all(g, h == g)",
            "at column 15: \"h\" is not known: there are g, user, users, groups, account, signals"
                .to_owned(),
        ),
        (
            "roles == []",
            format!("at column 1: \"roles\" is not known: {there_are}"),
        ),
        (
            "now > 3",
            "at column 1: a condition does not know the time: say account_younger_than or \
             account_older_than beside it"
                .to_owned(),
        ),
        (
            "account.created == 1",
            "at column 9: it has no \"created\": there are id, status".to_owned(),
        ),
        (
            "signals.exists(s, s.at == 1)",
            "at column 21: it has no \"at\": there are source, active".to_owned(),
        ),
        (
            "user.name.first == 'x'",
            "at column 11: it has no \"first\": there are formatted, familyName, givenName, \
             middleName, honorificPrefix, honorificSuffix"
                .to_owned(),
        ),
        (
            "users.title == 'x'",
            "at column 7: it is a list: ask for \"title\" of one element, such as with exists(x, \
             x.title == ...)"
                .to_owned(),
        ),
        (
            "groups.exists(user, true)",
            "at column 14: \"user\" is known as something else: name the element otherwise"
                .to_owned(),
        ),
        (
            "user.exists(u, true)",
            "at column 1: it is no list that could be gone through".to_owned(),
        ),
        (
            "user[1] == 'x'",
            "at column 6: it is reached by a name in quotes".to_owned(),
        ),
        (
            "Foo{a: 1} == 1",
            "at column 4: \"Foo\" is no type that can be made here".to_owned(),
        ),
    ] {
        assert_eq!(problem(when), expected, "{when}");
    }
    for when in [
        "user.titel == 'x'",
        "has(user.titel)",
        "user['titel'] == 'x'",
        "users[0].titel == 'x'",
        "users.exists(u, u.titel == 'x')",
    ] {
        let why = problem(when);
        let told = why.contains("a user has no attribute \"titel\": there are id, userName, ");
        assert!(told && why.ends_with("is user[\"urn:...:titel\"]"), "{why}");
    }
}

#[test]
fn there_are_the_functions_that_there_are() {
    for (when, column, name) in [
        ("user.title.matches('C.*')", 19, "matches"),
        ("string(1) == '1'", 7, "string"),
        ("size() == 1", 5, "size"),
        ("startsWith('a', 'b')", 11, "startsWith"),
        ("groups.exists(g)", 14, "exists"),
        ("user.title.startsWith()", 22, "startsWith"),
        ("duration('1h') == 1", 9, "duration"),
        ("optional.of(1) == 1", 12, "of"),
    ] {
        let why = problem(when);
        let expected =
            format!("at column {column}: no function {name} is called like this: there are has(");
        assert!(why.starts_with(&expected), "{why}");
    }
}

#[test]
fn a_condition_is_true_or_false() {
    for when in [
        "1",
        "'x'",
        "groups",
        "[true]",
        "{}",
        "1 + 1",
        "size(groups)",
        "null",
        "groups.filter(g, true)",
        "groups.map(g, g)",
        "user",
    ] {
        assert!(
            problem(when).ends_with("is not true or false: compare it with something"),
            "{when}"
        );
    }
    let account = testing::account("ada@example.com")
        .attribute("title", "CEO")
        .build();
    assert_eq!(
        refusal("user.title", &account),
        "rule 1 (\"the rule\"): its condition is a string, and not true or false"
    );
}

#[test]
fn a_value_of_another_type_is_refused_and_not_shown() {
    let mut account = testing::account("ada@example.com")
        .attribute("title", "CEO")
        .build();
    account.users[0].attributes[0].value = AttributeValue::Text("Secret".to_owned());
    for (when, why) in [
        (
            "user.title > 3",
            "its condition applies > to string and int, which it does not take",
        ),
        (
            "user.title + 1 == 'x'",
            "its condition cannot add string and int",
        ),
        (
            "user.title && true",
            "its condition applies && to string and bool, which it does not take",
        ),
        (
            "!user.title",
            "its condition applies ! to string, which it does not take",
        ),
        (
            "-user.title == 1",
            "its condition applies - to string, which it does not take",
        ),
        (
            "'x' in user.title",
            "its condition applies in to string and string, which it does not take",
        ),
        (
            "user.title ? true : false",
            "its condition has a string where a bool is wanted",
        ),
        (
            "user.title.x == 1",
            "its condition applies . to string and string, which it does not take",
        ),
        (
            "user.title[0] == 1",
            "its condition applies [] to string and int, which it does not take",
        ),
        (
            "user.title.all(x, true)",
            "its condition has a string where a list is wanted",
        ),
        (
            "groups.startsWith('x')",
            "its condition applies startsWith to list and string, which it does not take",
        ),
        ("user + 1 == 1", "its condition cannot add null and int"),
        (
            "1 / (size(groups) - size(groups)) == 1",
            "its condition divides by zero",
        ),
        ("1 % size(groups) == 1", "its condition divides by zero"),
        (
            "9223372036854775807 + 1 == 1",
            "its condition comes to a number beyond 64 bits",
        ),
        (
            "{'a': 1, 'a': 2} == {}",
            "its condition makes a map with one key twice",
        ),
        (
            "{[]: 1} == {}",
            "its condition makes a map with a key that cannot be one",
        ),
    ] {
        assert_eq!(
            refusal(when, &account),
            format!("rule 1 (\"the rule\"): {why}"),
            "{when}"
        );
    }
}

#[test]
fn a_grant_that_the_catalogue_lacks_is_refused_where_the_condition_holds() {
    let grants = |when: &str| {
        let mut second = rule(when);
        second.grant = Role::CustomRole("Pilot".to_owned());
        second.reason = "they fly".to_owned();
        let rules = Rules::compile(vec![rule("true"), second], false).unwrap();
        let account = testing::account("ada@example.com").build();
        rules.granted(&testing::context(), &account, None)
    };
    assert_eq!(
        grants("user.active").unwrap_err().message,
        "rule 2 (\"they fly\"): it grants the custom role \"Pilot\", which the catalogue does not have"
    );
    assert_eq!(grants("!user.active").unwrap().proposals.len(), 1);
}

#[test]
fn all_mistakes_are_told_at_once_each_with_its_place() {
    let mut wrong = rule("usr == 1");
    wrong.reason = "x".repeat(201);
    wrong.grant = Role::CustomRole(" ".to_owned());
    wrong.account_older_than = Period::parse("7d");
    wrong.account_younger_than = Period::parse("7d");
    let problems = Rules::compile(vec![rule("1 +"), rule("true"), wrong], false).unwrap_err();
    let pointers: Vec<_> = problems.iter().map(|one| &*one.pointer).collect();
    let expected = [
        "/rules/0/when",
        "/rules/2/reason",
        "/rules/2/grant",
        "/rules/2/account_younger_than",
        "/rules/2/when",
    ];
    assert_eq!(pointers, expected);
}

#[test]
fn there_are_limits() {
    let count = |number| Rules::compile(vec![rule("true"); number], false);
    assert!(count(1).is_ok() && count(MAX_RULES).is_ok());
    assert_eq!(count(0).unwrap_err()[0].pointer, "/rules");
    assert_eq!(
        count(MAX_RULES + 1).unwrap_err()[0].message,
        "must be 1 to 200 rules"
    );

    let padded = |length: usize| format!("true{}", " ".repeat(length - 4));
    assert!(super::compile(&padded(MAX_CONDITION)).is_ok());
    assert_eq!(
        problem(&padded(MAX_CONDITION + 1)),
        "has 2001 characters, and 2000 are allowed: make several rules of it"
    );
    let loops = |number: usize| {
        format!(
            "{}true{}",
            "groups.all(a, ".repeat(number),
            ")".repeat(number)
        )
    };
    assert!(super::compile(&loops(2)).is_ok());
    assert!(problem(&loops(3)).ends_with("at most 2 of all, exists, map and the like may nest"));
}
