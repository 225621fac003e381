//! Walks through listings that lose nobody, whatever is created and deleted meanwhile; and orders.

use crate::shared::Tenant;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

fn encoded(text: &str) -> String {
    text.replace(' ', "%20").replace('"', "%22")
}

fn ids(page: &Value) -> Vec<String> {
    let resources = page["Resources"].as_array().unwrap();
    assert_eq!(page["itemsPerPage"], resources.len());
    let ids = resources
        .iter()
        .map(|one| one["id"].as_str().unwrap().to_owned());
    ids.collect()
}

fn page(tenant: &Tenant, path: &str) -> Value {
    tenant.scim.get(path).expect(200).json()
}

/// Walks by cursor from the first page to the last.
fn by_cursor(tenant: &Tenant, path: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for number in 0.. {
        let page = page(tenant, &format!("{path}&cursor={cursor}"));
        seen.extend(ids(&page));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => break,
        }
        assert!(
            page["totalResults"].as_u64().unwrap() as usize > seen.len(),
            "{page}"
        );
        between(number);
    }
    seen
}

/// Walks by index as providers do: on by what came, until `totalResults` is reached.
fn by_index(tenant: &Tenant, path: &str, mut between: impl FnMut(usize)) -> Vec<String> {
    let mut seen = Vec::new();
    for number in 0.. {
        let page = page(tenant, &format!("{path}&startIndex={}", seen.len() + 1));
        assert_eq!(page["startIndex"], seen.len() + 1);
        let found = ids(&page);
        let ended = found.is_empty();
        seen.extend(found);
        if ended || seen.len() as u64 >= page["totalResults"].as_u64().unwrap() {
            break;
        }
        between(number);
    }
    seen
}

type Walk = fn(&Tenant, &str, &mut dyn FnMut(usize)) -> Vec<String>;
const WALKS: [(&str, Walk); 2] = [
    ("cursor", |tenant, path, between| {
        by_cursor(tenant, path, between)
    }),
    ("index", |tenant, path, between| {
        by_index(tenant, path, between)
    }),
];

#[test]
fn who_was_there_all_the_time_is_seen_once() {
    let paths = [
        "/Users?count=5&attributes=id",
        "/Users?count=5&attributes=id&filter=userName%20co%20%22a%22",
        "/Users?count=5&attributes=id&sortBy=userName",
    ];
    for (name, walk) in WALKS {
        for path in paths {
            let tenant = Tenant::new(&format!("Walk by {name}"));
            let users: Vec<String> = (0..40)
                .map(|n| tenant.user(&format!("a{n:02}@acme.test")).id())
                .collect();
            // After each page the first users that were seen are deleted, so that all that follow
            // move to the front; and some come that sort before everybody.
            let mut gone = BTreeSet::new();
            let seen = walk(&tenant, path, &mut |number| {
                for id in users.iter().skip(number * 5).take(4) {
                    let _ = tenant.scim.delete(&format!("/Users/{id}")).expect(204);
                    gone.insert(id.clone());
                }
                let _ = tenant.user(&format!("Aa{number}@acme.test"));
            });
            let unique: BTreeSet<&String> = seen.iter().collect();
            assert_eq!(unique.len(), seen.len(), "{name} {path}: somebody twice");
            for id in &users {
                assert!(seen.contains(id), "{name} {path}: lost {id} of {seen:?}");
            }
            assert!(gone.len() > 20, "{name} {path}: nothing was deleted");
            // Once nothing moves, the numbers are those of what is there.
            let total = page(&tenant, "/Users?count=0")["totalResults"]
                .as_u64()
                .unwrap();
            let again = walk(&tenant, path, &mut |_| {});
            assert_eq!(again.len() as u64, total);
        }
    }
}

#[test]
fn two_walks_of_one_token_lose_nobody() {
    let tenant = Tenant::new("Two walks");
    let users: Vec<String> = (0..30)
        .map(|n| tenant.user(&format!("a{n:02}@acme.test")).id())
        .collect();
    let mut walks = [Vec::new(), Vec::new()];
    let mut ended = [false, false];
    for turn in 0.. {
        let walk = turn % 2;
        if !ended[walk] {
            let start = walks[walk].len() + 1;
            let page = page(
                &tenant,
                &format!("/Users?count=4&attributes=id&startIndex={start}"),
            );
            walks[walk].extend(ids(&page));
            ended[walk] = walks[walk].len() as u64 >= page["totalResults"].as_u64().unwrap();
        }
        // Whom both have seen, from the front on.
        if let Some(id) = users.get(turn).filter(|_| turn < 10) {
            let _ = tenant.scim.delete(&format!("/Users/{id}")).expect(204);
        }
        if ended == [true, true] {
            break;
        }
        assert!(turn < 100, "no end");
    }
    for walk in &walks {
        for id in &users[10..] {
            assert!(walk.contains(id), "lost {id} of {walk:?}");
        }
    }
}

#[test]
fn walks_stand_concurrent_writers() {
    let tenant = Tenant::new("Walk among writers");
    let stay: Vec<String> = (0..60)
        .map(|n| tenant.user(&format!("stay{n:02}@acme.test")).id())
        .collect();
    let passing: Vec<String> = (0..60)
        .map(|n| tenant.user(&format!("passing{n:02}@acme.test")).id())
        .collect();
    let stay_too: Vec<String> = (0..60)
        .map(|n| tenant.user(&format!("too{n:02}@acme.test")).id())
        .collect();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let (tenant, done, passing) = (&tenant, &done, &passing);
        scope.spawn(move || {
            for id in passing {
                let _ = tenant.scim.delete(&format!("/Users/{id}")).expect(204);
            }
            done.store(true, Ordering::Release);
        });
        scope.spawn(move || {
            let mut n = 0;
            while !done.load(Ordering::Acquire) {
                let _ = tenant.user(&format!("new{n}@acme.test"));
                n += 1;
            }
        });
        let mut walked = 0;
        while !done.load(Ordering::Acquire) || walked == 0 {
            for (name, walk) in WALKS {
                let seen = walk(tenant, "/Users?count=7&attributes=id", &mut |_| {});
                let unique: BTreeSet<&String> = seen.iter().collect();
                assert_eq!(unique.len(), seen.len(), "{name}: somebody twice");
                for id in stay.iter().chain(&stay_too) {
                    assert!(unique.contains(id), "{name}: lost {id}");
                }
            }
            walked += 1;
        }
    });
}

#[test]
fn cursors_are_of_one_query_and_directory() {
    let tenant = Tenant::new("Cursors");
    for n in 0..3 {
        let _ = tenant.user(&format!("ada{n}@acme.test"));
    }
    let first = page(&tenant, "/Users?count=1&cursor=");
    assert_eq!(first["totalResults"], 3);
    assert_eq!(first["startIndex"], Value::Null);
    let cursor = first["nextCursor"].as_str().unwrap();
    let invalid = |path: String, scim: &gatewright_tests::Client| {
        let body = scim.get(&path).expect(400).json();
        assert_eq!(body["scimType"], "invalidCursor", "{path}");
    };
    invalid(format!("/Users?cursor={cursor}0"), &tenant.scim);
    invalid(format!("/Users?cursor={}", &cursor[2..]), &tenant.scim);
    invalid("/Users?cursor=x".into(), &tenant.scim);
    invalid(format!("/Groups?cursor={cursor}"), &tenant.scim);
    invalid(
        format!("/Users?filter=active%20pr&cursor={cursor}"),
        &tenant.scim,
    );
    invalid(
        format!("/Users?sortBy=userName&cursor={cursor}"),
        &tenant.scim,
    );
    invalid(
        format!("/Users?cursor={cursor}"),
        &tenant.another("Other").scim,
    );
    // Count and attributes are those of the page.
    let second = page(
        &tenant,
        &format!("/Users?count=2&attributes=id&cursor={cursor}"),
    );
    assert_eq!(
        (ids(&second).len(), &second["nextCursor"]),
        (2, &Value::Null)
    );
    let refused = |path: String, scim_type: &str| {
        assert_eq!(
            tenant.scim.get(&path).expect(400).json()["scimType"],
            scim_type
        );
    };
    refused("/Users?cursor=&count=0".into(), "invalidCount");
    refused(
        format!("/Users?startIndex=2&cursor={cursor}"),
        "invalidValue",
    );
    let config = page(&tenant, "/ServiceProviderConfig");
    let expected = json!({
        "cursor": true, "index": true, "defaultPaginationMethod": "index",
        "defaultPageSize": 100, "maxPageSize": 1_000, "cursorTimeout": 600,
    });
    assert_eq!(
        (&config["pagination"], &config["sort"]["supported"]),
        (&expected, &json!(true))
    );
}

#[test]
fn a_search_of_everything_is_one_walk() {
    let tenant = Tenant::new("Search walk");
    let mut all: Vec<String> = (0..7)
        .map(|n| tenant.user(&format!("u{n}@acme.test")).id())
        .collect();
    all.extend((0..4).map(|n| tenant.group(&format!("Group {n}"), &[]).id()));
    let search = |body: Value| tenant.scim.post("/.search", &body).expect(200).json();
    for by_cursor in [true, false] {
        let (mut seen, mut cursor) = (Vec::new(), json!(""));
        while cursor != Value::Null {
            let page = if by_cursor {
                search(json!({ "count": 3, "cursor": cursor }))
            } else {
                search(json!({ "count": 3, "startIndex": seen.len() + 1 }))
            };
            assert_eq!(page["totalResults"], all.len());
            seen.extend(ids(&page));
            cursor = if by_cursor {
                page["nextCursor"].clone()
            } else {
                json!((seen.len() < all.len()).then_some(""))
            };
        }
        assert_eq!(seen, all);
    }
    // A page by index that nobody came to is found by counting.
    assert_eq!(
        ids(&search(json!({ "count": 2, "startIndex": 7 }))),
        all[6..8]
    );
}

#[test]
fn lists_are_sorted_when_asked_to() {
    let tenant = Tenant::new("Sorting");
    let create = |name: &str, title: Option<&str>| {
        let body = json!({ "userName": name, "title": title });
        let _ = tenant.scim.post("/Users", &body).expect(201);
    };
    for (name, title) in [
        ("Bob", Some("B")),
        ("ada", None),
        ("Cleo", Some("a")),
        ("dan", Some("B")),
    ] {
        create(name, title);
    }
    let names = |query: &str| {
        let page = page(&tenant, &format!("/Users?{query}"));
        let names = page["Resources"].as_array().unwrap().iter();
        names
            .map(|user| user["userName"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("sortBy=userName"), ["ada", "Bob", "Cleo", "dan"]);
    assert_eq!(
        names("sortBy=userName&sortOrder=descending&count=2"),
        ["dan", "Cleo"]
    );
    assert_eq!(names("sortBy=title"), ["Cleo", "Bob", "dan", "ada"]);
    assert_eq!(
        names("sortBy=title&sortOrder=Descending&attributes=userName"),
        ["ada", "Bob", "dan", "Cleo"]
    );
    assert_eq!(
        names("sortBy=meta.created&filter=title%20pr"),
        ["Bob", "Cleo", "dan"]
    );
    assert_eq!(names("startIndex=3&sortBy=USERNAME"), ["Cleo", "dan"]);
    for wrong in [
        "sortBy=shoeSize",
        "sortBy=name",
        "sortBy=userName&sortOrder=up",
    ] {
        let body = tenant
            .scim
            .get(&format!("/Users?{wrong}"))
            .expect(400)
            .json();
        assert_eq!(body["scimType"], "invalidValue", "{wrong}");
    }
}

#[test]
fn members_and_groups_are_found_through_each_other() {
    let tenant = Tenant::new("Found by group");
    let users: Vec<String> = (0..3)
        .map(|n| tenant.user(&format!("u{n}@acme.test")).id())
        .collect();
    let group = tenant.group("Engineering", &[&users[2], &users[0]]).id();
    let gone = tenant.group("Gone", &[&users[1]]).id();
    let _ = tenant.scim.delete(&format!("/Groups/{gone}")).expect(204);
    let found = |path: &str, filter: String| {
        ids(&page(
            &tenant,
            &format!("{path}?filter={}", encoded(&filter)),
        ))
    };
    assert_eq!(
        found("/Users", format!("groups.value eq \"{group}\"")),
        [&*users[0], &users[2]]
    );
    assert_eq!(
        found(
            "/Users",
            format!("groups[value eq \"{group}\" and display eq \"engineering\"]")
        ),
        [&*users[0], &users[2]]
    );
    assert!(found("/Users", format!("groups.value eq \"{gone}\"")).is_empty());
    assert!(found("/Users", "groups.value eq \"x\"".into()).is_empty());
    assert_eq!(
        found("/Users", "groups.display sw \"eng\"".into()),
        [&*users[0], &users[2]]
    );
    assert_eq!(found("/Users", "not (groups pr)".into()), [&*users[1]]);
    assert_eq!(
        found("/Groups", format!("members eq \"{}\"", users[0])),
        [&*group]
    );
    assert_eq!(
        found("/Groups", format!("members.$ref ew \"{}\"", users[2])),
        [&*group]
    );
    assert!(found("/Groups", format!("members.value eq \"{}\"", users[1])).is_empty());
}
