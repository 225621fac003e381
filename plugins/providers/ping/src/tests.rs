use super::{Ping, Settings};
use gatewright_sdk::{Normalized, Parameter, Provider, Request, testing};

fn normalize(query: &[(&str, &str)]) -> Option<Normalized> {
    let request = Request {
        method: "GET".to_owned(),
        resource: "Users".to_owned(),
        id: None,
        query: parameters(query),
        headers: Vec::new(),
        body: None,
        extra: Vec::new(),
    };
    Ping.normalize(request).unwrap()
}

fn parameters(query: &[(&str, &str)]) -> Vec<Parameter> {
    let parameter = |(name, value): &(&str, &str)| Parameter {
        name: (*name).to_owned(),
        value: (*value).to_owned(),
    };
    query.iter().map(parameter).collect()
}

#[test]
fn email_in_a_filter_is_one_of_the_emails() {
    for (sent, read) in [
        ("email Co \"ada\"", "emails.value Co \"ada\""),
        ("Email eq ada@acme.test", "emails.value eq ada@acme.test"),
        (
            "active eq true and (email sw \"email eq\")",
            "active eq true and (emails.value sw \"email eq\")",
        ),
    ] {
        let normalized = normalize(&[("count", "1"), ("Filter", sent)]).unwrap();
        assert_eq!(
            normalized.query,
            parameters(&[("count", "1"), ("Filter", read)])
        );
        assert_eq!(normalized.body, None);
        assert_eq!(normalized.repairs.len(), 1);
    }
}

#[test]
fn what_is_fine_passes_untouched() {
    for filter in [
        "username Eq \"email\"",
        "userName eq email",
        "emails eq ada@acme.test",
        "emails[type eq \"email\"].value eq \"email\"",
        "emails.value co \"email\"",
        "not a filter at all",
        "",
    ] {
        assert_eq!(normalize(&[("filter", filter)]), None, "{filter}");
    }
    assert_eq!(normalize(&[("sortBy", "email"), ("x", "email eq 1")]), None);
}

#[test]
fn wants_to_see_only_what_it_may_repair() {
    let [interest] = &Ping::configure(Settings {}).unwrap().interests()[..] else {
        panic!("one interest");
    };
    assert!(interest.normalize && !interest.present);
    assert_eq!(interest.methods, ["GET"]);
    assert_eq!(interest.resources, ["Users"]);
    assert!(testing::settings::<Settings>(r#"{"product": "PingOne"}"#).is_err());
}
