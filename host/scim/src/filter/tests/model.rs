use super::*;
use proptest::prelude::*;

/// A filter as the tests think of it: written out and evaluated in the plainest way.
#[derive(Debug, Clone)]
enum Model {
    Compare(&'static str, &'static str, &'static str),
    Truth(bool),
    Present(&'static str),
    And(Box<Model>, Box<Model>),
    Or(Box<Model>, Box<Model>),
    Not(Box<Model>),
    Element(Box<Model>),
}

impl Model {
    fn text(&self) -> String {
        match self {
            Self::Compare(path, operator, value) => format!("{path} {operator} {}", json!(value)),
            Self::Truth(value) => format!("active eq {value}"),
            Self::Present(path) => format!("{path} pr"),
            Self::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
            Self::Not(inner) => format!("not ({})", inner.text()),
            Self::Element(inner) => format!("emails[{}]", inner.text()),
        }
    }

    fn holds(&self, root: &Value) -> bool {
        match self {
            Self::Compare(path, operator, value) => {
                let found = values(root, path);
                let fold = |text: &str| {
                    if *path == "externalId" {
                        text.to_owned()
                    } else {
                        text.to_lowercase()
                    }
                };
                if found.is_empty() {
                    return *operator == "ne";
                }
                found.iter().any(|text| {
                    let (a, b) = (fold(text), fold(value));
                    match *operator {
                        "eq" => a == b,
                        "ne" => a != b,
                        "co" => a.contains(&b),
                        "sw" => a.starts_with(&b),
                        "ew" => a.ends_with(&b),
                        "gt" => a > b,
                        "ge" => a >= b,
                        "lt" => a < b,
                        _ => a <= b,
                    }
                })
            }
            Self::Truth(value) => root["active"] == *value,
            Self::Present(path) => !values(root, path).is_empty(),
            Self::And(a, b) => a.holds(root) && b.holds(root),
            Self::Or(a, b) => a.holds(root) || b.holds(root),
            Self::Not(inner) => !inner.holds(root),
            Self::Element(inner) => root["emails"]
                .as_array()
                .is_some_and(|emails| emails.iter().any(|email| inner.holds(email))),
        }
    }
}

fn values(root: &Value, path: &str) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match path.split_once('.') {
        Some(("emails", sub)) => root["emails"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|email| text(&email[sub]))
            .collect(),
        Some((name, sub)) => text(&root[name][sub]).into_iter().collect(),
        None => text(&root[path]).into_iter().collect(),
    }
}

const WORDS: [&str; 6] = ["a", "A", "ab", "Ba", "b\"\\ )", "\u{c9}a"];
const OPERATORS: [&str; 9] = ["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"];

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&WORDS[..])
}

fn tree(leaf: BoxedStrategy<Model>) -> BoxedStrategy<Model> {
    leaf.prop_recursive(4, 24, 2, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone()
                .prop_map(|(a, b)| Model::And(a.into(), b.into())),
            pair.prop_map(|(a, b)| Model::Or(a.into(), b.into())),
            inner.prop_map(|inner| Model::Not(inner.into())),
        ]
    })
    .boxed()
}

fn leaves(paths: &'static [&'static str]) -> BoxedStrategy<Model> {
    let path = prop::sample::select(paths);
    let operator = prop::sample::select(&OPERATORS[..]);
    prop_oneof![
        4 => (path.clone(), operator, word()).prop_map(|(p, o, v)| Model::Compare(p, o, v)),
        1 => path.prop_map(Model::Present),
    ]
    .boxed()
}

fn model() -> BoxedStrategy<Model> {
    let element = tree(leaves(&["value", "type"])).prop_map(|inner| Model::Element(inner.into()));
    tree(
        prop_oneof![
            4 => leaves(&["title", "externalId", "name.givenName", "emails.value", "emails.type"]),
            1 => any::<bool>().prop_map(Model::Truth),
            2 => element,
        ]
        .boxed(),
    )
}

fn resource() -> impl Strategy<Value = Value> {
    let text = || prop::option::of(word());
    let email = (text(), text());
    let emails = prop::collection::vec(email, 0..3);
    (text(), text(), text(), any::<bool>(), emails).prop_map(
        |(title, external, given, active, emails)| {
            let mut root = json!({"active": active});
            let mut set = |path: &str, value: Option<&str>| {
                if let Some(value) = value {
                    root[path] = value.into();
                }
            };
            set("title", title);
            set("externalId", external);
            if let Some(given) = given {
                root["name"] = json!({"givenName": given});
            }
            root["emails"] = emails
                .into_iter()
                .map(|(value, kind)| {
                    let mut email = json!({});
                    for (name, text) in [("value", value), ("type", kind)] {
                        if let Some(text) = text {
                            email[name] = text.into();
                        }
                    }
                    email
                })
                .collect();
            root
        },
    )
}

proptest! {
    #[test]
    fn evaluation_and_printing_agree_with_the_model(model in model(), roots in prop::collection::vec(resource(), 4)) {
        let filter = parse(&model.text()).map_err(|error| TestCaseError::fail(error.detail))?;
        let printed = filter.to_string();
        prop_assert_eq!(parse(&printed), Ok(filter.clone()), "{}", printed);
        for root in roots {
            prop_assert_eq!(filter.matches(&root), model.holds(&root), "{} on {}", printed, root);
            if let Some(asked) = filter.elements_asked("emails") {
                let mut fewer = root.clone();
                if let Some(emails) = fewer["emails"].as_array_mut() {
                    emails.retain(|email| email["value"].as_str().is_some_and(|value| {
                        asked.iter().any(|one| one.eq_ignore_ascii_case(value))
                    }));
                }
                prop_assert_eq!(filter.matches(&fewer), model.holds(&root), "{} on {}", printed, fewer);
            }
            if filter.matches(&root) {
                for (path, value) in filter.equalities() {
                    let leaf = Filter::parse(&format!("{path} eq {value}"), ResourceType::User, &Limits::default());
                    prop_assert!(leaf.unwrap().matches(&root), "{} of {}", path, printed);
                }
            }
        }
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn no_near_filter_makes_the_parser_panic(
        text in "((userName|emails|name|active|[.\\[\\]()\" \\\\]|eq|pr|and|or|not|\"a\"|\u{e9}|true| ){0,12})"
    ) {
        if let Ok(filter) = parse(&text) {
            prop_assert_eq!(parse(&filter.to_string()), Ok(filter));
        }
    }
}
