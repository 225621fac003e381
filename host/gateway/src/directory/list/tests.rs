//! Listings against the plainest way to make them: look at everything, keep what matches.

use super::*;
use crate::clock::{Random, Timestamp};
use crate::directory::{Moment, groups, users};
use crate::model::facts::UserRecord;
use crate::model::plugins::PluginRef;
use crate::model::tenancy::{Behaviour, DirectoryRecord, Phase};
use gatewright_scim::schema::Declared;
use gatewright_scim::{Group, Limits, MemberKind, Preconditions, Profile, ScimType, User};
use gatewright_store::{OrganizationId, RedbEngine, RedbOptions, Store, Writer};
use proptest::prelude::*;
use serde_json::json;
use std::sync::{Arc, LazyLock};
use tempfile::TempDir;

const BASE: &str = "https://scim.example/v2";
const LIMITS: Limits = Limits {
    json_depth: 64,
    filter_depth: 32,
    filter_terms: 100,
    patch_operations: 1,
    max_results: 1_000,
};

/// A directory with users and groups that have much in common, beside another one with the same.
struct World {
    _folder: TempDir,
    directory: Directory,
    users: Vec<Uuid>,
    groups: Vec<Uuid>,
}

const URN: &str = "urn:example:2.0:User";

/// With attributes of its own, indexed and not.
static PROFILE: LazyLock<Profile> = LazyLock::new(|| {
    let text = json!([{ "id": URN, "name": "Example", "attributes": [
        { "name": "badge", "uniqueness": "server", "caseExact": true },
        { "name": "team", "indexed": true },
        { "name": "level", "type": "integer", "indexed": true },
        { "name": "tags", "multiValued": true, "indexed": true },
        { "name": "note" },
    ] }]);
    Profile {
        declared: Declared::of_text(&text.to_string()).unwrap(),
        ..Profile::default()
    }
});

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.redb");
    let engine = RedbEngine::open(&path, RedbOptions::default()).unwrap();
    let store = Store::open(Arc::new(engine)).unwrap();
    let (_, _) = populate(&store, 2);
    let directory = directory(&store, 1);
    let (users, groups) = populate(&store, 1);
    World {
        _folder: folder,
        directory,
        users,
        groups,
    }
});

fn directory(store: &Store, id: u128) -> Directory {
    let record = DirectoryRecord {
        name: "Test".into(),
        provider: PluginRef {
            digest: String::new(),
            settings: json!({}),
        },
        previous_provider: None,
        behaviour: Behaviour::default(),
        has_schemas: false,
        phase: Phase::Enforcing,
        created: Timestamp(0),
    };
    Directory {
        organization: store.organization(OrganizationId::from(Uuid::from_u128(7))),
        id: Uuid::from_u128(id),
        record,
        profile: *PROFILE,
        names: Some(Arc::default()),
    }
}

fn populate(store: &Store, id: u128) -> (Vec<Uuid>, Vec<Uuid>) {
    let directory = directory(store, id);
    let moment = |at: u64| Moment {
        now: Timestamp(1_700_000_000_000 + at),
        random: Random::system(),
        request: None,
    };
    let mut made: Vec<Uuid> = Vec::new();
    for n in 0..36u64 {
        let mut body = json!({
            "userName": format!("U{n}@Acme.test"),
            "active": n % 3 != 0,
            "emails": [
                { "value": format!("Mail{}@acme.test", n % 5), "type": "work" },
                { "value": format!("home{}@acme.test", n % 4), "type": "home" },
            ],
        });
        if n % 2 == 0 {
            body["externalId"] = format!("E{}", n % 6).into();
            body["title"] = format!("T{}", n % 3).into();
            body["displayName"] = format!("Name {}", n % 4).into();
        }
        if n % 3 != 1 {
            body[URN] = json!({
                "badge": format!("B{n}"), "team": format!("Team{}", n % 4), "level": n % 5,
                "tags": [format!("Tag{}", n % 2), format!("tag{}", n % 6)], "note": format!("N{}", n % 3),
            });
        }
        if let (4, Some(boss)) = (n % 5, made.first()) {
            body["manager"] = boss.to_string().into();
        }
        let user = User::parse(body, *PROFILE).unwrap().resource;
        let created = users::create(&directory, &moment(n), user).unwrap();
        made.push(created.value.id);
    }
    let mut groups_made = Vec::new();
    for n in 0..6u64 {
        let members: Vec<Value> = made
            .iter()
            .skip(usize::try_from(n).unwrap_or(0))
            .step_by(4)
            .map(|user| json!({ "value": user }))
            .collect();
        let body = json!({
            "displayName": format!("Group {}", n % 4), "externalId": format!("G{n}"), "members": members,
        });
        let group = Group::parse(body, *PROFILE).unwrap().resource;
        let created = groups::create(&directory, &moment(100 + n), group).unwrap();
        groups_made.push(created.value.id);
    }
    // Ids of what is gone are asked for too.
    let any = Preconditions::default();
    for user in made.iter().step_by(7) {
        let _ = users::delete(&directory, &moment(200), &user.to_string(), &any).unwrap();
    }
    let gone = groups_made[2].to_string();
    let _ = groups::delete(&directory, &moment(200), &gone, &any).unwrap();
    (made, groups_made)
}

fn query(resource: ResourceType, filter: Option<&str>, sort: Option<&str>) -> ListQuery {
    let mut pairs = vec![("count".to_owned(), "1000".to_owned())];
    pairs.extend(filter.map(|filter| ("filter".to_owned(), filter.to_owned())));
    pairs.extend(sort.map(|sort| ("sortBy".to_owned(), sort.to_owned())));
    ListQuery::parse(&pairs, PROFILE.shape(resource), &LIMITS)
        .unwrap_or_else(|error| panic!("{filter:?}: {error}"))
}

fn everything() -> ListQuery {
    query(ResourceType::User, None, None)
}

fn list(resource: ResourceType, query: &ListQuery, start: Start<'_>) -> Page {
    page(&WORLD.directory, resource, query, start, BASE).unwrap()
}

/// A term over users: attributes that an index knows, and others.
fn user_term() -> BoxedStrategy<String> {
    let number = 0..8usize;
    let operator =
        prop::sample::select(&["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"][..]);
    prop_oneof![
        number
            .clone()
            .prop_map(|n| format!("userName eq \"u{}@ACME.test\"", n * 5)),
        number
            .clone()
            .prop_map(|n| format!("externalId eq \"E{n}\"")),
        number
            .clone()
            .prop_map(|n| format!("externalId eq \"e{n}\"")),
        number
            .clone()
            .prop_map(|n| format!("emails.value eq \"mail{n}@acme.test\"")),
        number
            .clone()
            .prop_map(|n| format!("displayName eq \"NAME {n}\"")),
        number
            .clone()
            .prop_map(|n| format!("emails[type eq \"home\" and value eq \"HOME{n}@acme.test\"]")),
        number
            .clone()
            .prop_map(|n| format!("emails[type eq \"work\"].value eq \"home{n}@acme.test\"")),
        number
            .clone()
            .prop_map(|n| format!("id eq \"{}\"", WORLD.users[n * 4])),
        number
            .clone()
            .prop_map(|n| format!("groups.value eq \"{}\"", WORLD.groups[n % 6])),
        number.clone().prop_map(|n| format!(
            "groups[value eq \"{}\" and display ew \"1\"]",
            WORLD.groups[n % 6]
        )),
        number
            .clone()
            .prop_map(|n| format!("manager eq \"{}\"", WORLD.users[n % 2])),
        number
            .clone()
            .prop_map(|n| format!("{URN}:badge eq \"B{}\"", n * 3)),
        number
            .clone()
            .prop_map(|n| format!("{URN}:BADGE eq \"b{n}\"")),
        number
            .clone()
            .prop_map(|n| format!("{URN}:team eq \"TEAM{n}\"")),
        number
            .clone()
            .prop_map(|n| format!("{URN}:tags eq \"tag{n}\"")),
        (operator.clone(), number.clone()).prop_map(|(o, n)| format!("{URN}:note {o} \"n{n}\"")),
        (
            prop::sample::select(&["eq", "ne", "gt", "le"][..]),
            number.clone()
        )
            .prop_map(|(o, n)| format!("{URN}:level {o} {n}")),
        (operator.clone(), number.clone()).prop_map(|(o, n)| format!("userName {o} \"u{n}\"")),
        (operator.clone(), number.clone()).prop_map(|(o, n)| format!("title {o} \"t{n}\"")),
        (operator, number).prop_map(|(o, n)| {
            format!("meta.created {o} \"2023-11-14T22:13:20.{:03}Z\"", n * 5)
        }),
        Just("id eq \"nobody\"".to_owned()),
        Just("groups.value eq \"nothing\"".to_owned()),
        Just("active eq true".to_owned()),
        Just("externalId pr".to_owned()),
        Just("groups.display eq \"GROUP 1\"".to_owned()),
        Just("manager.displayName pr".to_owned()),
    ]
    .boxed()
}

fn group_term() -> BoxedStrategy<String> {
    let number = 0..8usize;
    prop_oneof![
        number
            .clone()
            .prop_map(|n| format!("displayName eq \"GROUP {n}\"")),
        number
            .clone()
            .prop_map(|n| format!("displayName ge \"group {n}\"")),
        number
            .clone()
            .prop_map(|n| format!("externalId eq \"G{n}\"")),
        number
            .clone()
            .prop_map(|n| format!("id eq \"{}\"", WORLD.groups[n % 6])),
        number
            .clone()
            .prop_map(|n| format!("members eq \"{}\"", WORLD.users[n])),
        number.prop_map(|n| format!(
            "members[value eq \"{}\" and type eq \"User\"]",
            WORLD.users[n]
        )),
        Just("members.value eq \"nobody\"".to_owned()),
        Just("members pr".to_owned()),
    ]
    .boxed()
}

fn filter(term: BoxedStrategy<String>) -> BoxedStrategy<String> {
    term.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            2 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) or ({b})")),
            1 => inner.prop_map(|inner| format!("not ({inner})")),
        ]
    })
    .boxed()
}

/// The resource with its members in their place.
fn whole(shown: &Represented) -> Value {
    let mut body = shown.body.clone();
    if !shown.members.is_empty() {
        let stand_ins = body["members"].to_string();
        let [user, group] = serde_json::from_str::<[Value; 2]>(&stand_ins).unwrap();
        let nobody = Uuid::nil().to_string();
        let members = shown.members.iter().map(|(kind, id)| {
            let one = match kind {
                MemberKind::User => &user,
                MemberKind::Group => &group,
            };
            let text = one.to_string().replace(&nobody, &id.to_string());
            serde_json::from_str::<Value>(&text).unwrap()
        });
        body["members"] = members.collect();
    }
    body
}

/// That a listing by filter is what a look at everything gives, as a whole and in pages.
fn check(resource: ResourceType, text: &str, size: usize) -> Result<(), TestCaseError> {
    let everything = list(resource, &query(resource, None, None), Start::Behind(0));
    let mut query = query(resource, Some(text), None);
    let plain = query
        .filter
        .clone()
        .ok_or_else(|| TestCaseError::fail("no filter"))?;
    let expected: Vec<Represented> = everything
        .resources
        .into_iter()
        .filter(|resource| plain.matches(&whole(resource)))
        .collect();
    let whole = list(resource, &query, Start::Behind(0));
    prop_assert_eq!(&whole.resources, &expected, "{}", text);
    prop_assert_eq!(whole.total, expected.len(), "{}", text);
    query.count = Some(size);
    let mut position: Option<Position> = None;
    for at in (0..=expected.len()).step_by(size) {
        let shown = &expected[at..expected.len().min(at + size)];
        let counted = list(resource, &query, Start::Behind(at));
        prop_assert_eq!(counted.resources.as_slice(), shown, "{}", text);
        prop_assert_eq!(counted.total, expected.len(), "{}", text);
        let start = position.as_ref().map_or(Start::Behind(0), Start::After);
        let walked = list(resource, &query, start);
        prop_assert_eq!(walked.resources.as_slice(), shown, "{}", text);
        prop_assert_eq!(walked.total, expected.len() - at, "{}", text);
        if let Some((sorted_by, id)) = walked.last {
            position = Some(Position {
                served: at + size,
                resource,
                id,
                sorted_by,
            });
        }
    }
    Ok(())
}

#[test]
fn too_many_are_not_sorted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("test.redb");
    let engine = RedbEngine::open(&path, RedbOptions::default()).unwrap();
    let directory = directory(&Store::open(Arc::new(engine)).unwrap(), 1);
    let (id, count) = (directory.id, SORTED as u128 + 1);
    let store = move |tx: &mut Writer<'_, OrganizationScope>| {
        for n in 0..count {
            let document = json!({ "userName": format!("u{n}"), "active": n > 0 });
            let record = UserRecord {
                document: document.as_object().cloned().unwrap_or_default(),
                terms: Vec::new(),
                account: Uuid::from_u128(n),
                created: Timestamp(0),
                modified: Timestamp(0),
                revision: 1,
            };
            tx.put::<Users>(&(id, Uuid::from_u128(n)), &record)?;
        }
        Ok::<_, StoreError>(())
    };
    directory.organization.write(store).unwrap();
    let sorted = |filter| {
        let query = query(ResourceType::User, filter, Some("userName"));
        page(
            &directory,
            ResourceType::User,
            &query,
            Start::Behind(0),
            BASE,
        )
    };
    let refused = match sorted(None).err() {
        Some(FactError::Scim(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused.scim_type, Some(ScimType::TooMany));
    assert!(refused.detail.contains("10000"), "{refused}");
    assert_eq!(sorted(Some("active eq true")).unwrap().total, SORTED);
}

proptest! {
    #[test]
    fn users_by_filter_are_those_that_match(text in filter(user_term()), size in 1..9usize) {
        check(ResourceType::User, &text, size)?;
    }

    #[test]
    fn groups_by_filter_are_those_that_match(text in filter(group_term()), size in 1..4usize) {
        check(ResourceType::Group, &text, size)?;
    }

    #[test]
    fn an_order_shows_everybody_once(by in prop::sample::select(
        &["title", "userName", "externalId", "active", "emails", "groups.display", "meta.created"][..]
    ), size in 1..9usize) {
        let mut query = query(ResourceType::User, None, Some(by));
        let sort = query.sort.clone().ok_or_else(|| TestCaseError::fail("no order"))?;
        let whole = list(ResourceType::User, &query, Start::Behind(0));
        let all = everything();
        let mut expected = list(ResourceType::User, &all, Start::Behind(0)).resources;
        // A stable order: those alike stay in the order of creation.
        expected.sort_by(|a, b| sort.compare(&a.body, &b.body));
        prop_assert_eq!(&whole.resources, &expected, "{}", by);
        query.count = Some(size);
        let mut walked = Vec::new();
        let mut position: Option<Position> = None;
        loop {
            let start = position.as_ref().map_or(Start::Behind(0), Start::After);
            let page = list(ResourceType::User, &query, start);
            prop_assert_eq!(page.total, expected.len() - walked.len());
            walked.extend(page.resources);
            let Some((sorted_by, id)) = page.last else { break };
            let served = walked.len();
            position = Some(Position { served, resource: ResourceType::User, id, sorted_by });
        }
        prop_assert_eq!(walked, expected, "{}", by);
    }
}
