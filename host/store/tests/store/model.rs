//! Random transactions against plain ordered maps.

use std::{collections::BTreeMap, thread};

use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Store, StoreError, WriteError, Writer,
};
use proptest::prelude::*;

use crate::{
    disk::Disk,
    tables::{BY_NAME, BY_TAG, Item, ItemKey, Items, Tally, open, organization},
};

type Model = BTreeMap<ItemKey, Item>;

/// Organizations, each written by a thread of its own.
const ORGANIZATIONS: usize = 3;

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn tables_behave_like_maps(
        sessions in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(plan(), 0..8), ORGANIZATIONS),
            1..4,
        ),
    ) {
        let disk = Disk::default();
        let mut models = vec![Model::new(); ORGANIZATIONS];
        let mut tally = 0;
        // Between sessions the store is closed and opened again.
        for session in sessions {
            let (store, _engine) = open(&disk);
            thread::scope(|scope| {
                let threads: Vec<_> = models
                    .iter_mut()
                    .zip(session)
                    .enumerate()
                    .map(|(owner, (model, plans))| {
                        let store = store.clone();
                        scope.spawn(move || run_all(&store, owner, model, plans))
                    })
                    .collect();
                for thread in threads {
                    tally += thread.join().unwrap();
                }
            });
            check_all(&store, &models, tally);
        }
        let (store, _engine) = open(&disk);
        check_all(&store, &models, tally);
    }
}

/// One transaction.
#[derive(Clone, Debug)]
struct Plan {
    steps: Vec<Step>,
    /// Through the system handle, where it also counts itself.
    system: bool,
    end: End,
}

#[derive(Clone, Debug)]
enum End {
    Commit,
    Abort,
    Panic,
}

#[derive(Clone, Debug)]
enum Step {
    Put(ItemKey, Item),
    Insert(ItemKey, Item),
    Delete(ItemKey),
    Check,
}

fn plan() -> impl Strategy<Value = Plan> {
    let text = prop::sample::select(vec!["", "a", "a\0", "a\0b", "ab", "b", "\u{1}", "ÿ"]);
    let key = (0..3u8, text.clone().prop_map(str::to_owned));
    let tags = prop::collection::vec(prop::sample::select(vec![0, 1, 7, 255]), 0..3);
    let item = (text, tags).prop_map(|(name, tags)| Item {
        name: name.to_owned(),
        tags,
    });
    let step = prop_oneof![
        4 => (key.clone(), item.clone()).prop_map(|(key, item)| Step::Put(key, item)),
        2 => (key.clone(), item).prop_map(|(key, item)| Step::Insert(key, item)),
        2 => key.prop_map(Step::Delete),
        1 => Just(Step::Check),
    ];
    let end = prop_oneof![6 => Just(End::Commit), 1 => Just(End::Abort), 1 => Just(End::Panic)];
    (prop::collection::vec(step, 0..10), any::<bool>(), end).prop_map(|(steps, system, end)| Plan {
        steps,
        system,
        end,
    })
}

/// Runs the plans of one organization and keeps its model. Returns how many counted themselves.
fn run_all(store: &Store, owner: usize, model: &mut Model, plans: Vec<Plan>) -> u64 {
    let handle = store.organization(organization(owner as u128));
    let mut counted = 0;
    for plan in plans {
        let (end, system) = (plan.end.clone(), plan.system);
        let result = if system {
            run_counted(store, &handle, plan, model.clone())
        } else {
            let before = model.clone();
            handle.write(move |writer| run(writer, &plan, before.clone()))
        };
        match (end, result) {
            (End::Commit, Ok(after)) => {
                *model = after;
                counted += u64::from(system);
            }
            (End::Abort, Err(WriteError::Aborted(StoreError::Exists { table: "abort" }))) => {}
            (End::Panic, Err(WriteError::Engine(error))) => {
                assert_eq!(error.to_string(), "a transaction panicked: planned");
            }
            (end, result) => panic!("{end:?} came to {result:?}"),
        }
        check(&handle.read().unwrap(), model);
    }
    counted
}

fn run_counted(
    store: &Store,
    owner: &Organization,
    plan: Plan,
    before: Model,
) -> Result<Model, WriteError<StoreError>> {
    let id = owner.id();
    store.system().write(move |writer| {
        let count = writer.get::<Tally>(&())?.unwrap_or(0) + 1;
        writer.put::<Tally>(&(), &count)?;
        run(&mut writer.organization(id), &plan, before.clone())
    })
}

/// Takes each step in the table and in the model, which must agree on what it comes to.
fn run(
    writer: &mut Writer<'_, OrganizationScope>,
    plan: &Plan,
    mut model: Model,
) -> Result<Model, StoreError> {
    for step in &plan.steps {
        match step {
            Step::Put(key, item) => {
                let result = writer.put::<Items>(key, item);
                expect_write(result, &mut model, key, item);
            }
            Step::Insert(key, item) => {
                let result = writer.insert::<Items>(key, item);
                if model.contains_key(key) {
                    assert!(matches!(result, Err(StoreError::Exists { table: "items" })));
                } else {
                    expect_write(result, &mut model, key, item);
                }
            }
            Step::Delete(key) => {
                assert_eq!(writer.delete::<Items>(key)?, model.remove(key).is_some());
            }
            Step::Check => check(writer, &model),
        }
    }
    match plan.end {
        End::Commit => Ok(model),
        End::Abort => Err(StoreError::Exists { table: "abort" }),
        // Not `panic!`, which would print each planned one.
        End::Panic => std::panic::resume_unwind(Box::new("planned")),
    }
}

fn expect_write(result: Result<(), StoreError>, model: &mut Model, key: &ItemKey, item: &Item) {
    let taken = model
        .iter()
        .any(|(other, row)| other != key && row.name == item.name);
    if taken {
        let expected = matches!(
            result,
            Err(StoreError::Duplicate {
                table: "items",
                index: "name"
            })
        );
        assert!(expected, "{result:?}");
    } else {
        result.unwrap();
        model.insert(key.clone(), item.clone());
    }
}

fn check_all(store: &Store, models: &[Model], tally: u64) {
    let reader = store.system().read().unwrap();
    assert_eq!(reader.get::<Tally>(&()).unwrap().unwrap_or(0), tally);
    for (owner, model) in models.iter().enumerate() {
        check(&reader.organization(organization(owner as u128)), model);
    }
    let stranger = reader.organization(organization(99));
    check(&stranger, &Model::new());
}

/// Every way to read, compared with the model.
fn check(reader: &impl Read<OrganizationScope>, model: &Model) {
    check_rows(reader, model);
    check_names(reader, model);
    check_tags(reader, model);
}

fn check_rows(reader: &impl Read<OrganizationScope>, model: &Model) {
    let scan = |range| -> Vec<(ItemKey, Item)> {
        let rows = reader.scan::<Items>(range).unwrap();
        rows.map(Result::unwrap).collect()
    };
    let keys = |range| -> Vec<ItemKey> {
        let keys = reader.keys::<Items>(range).unwrap();
        keys.map(Result::unwrap).collect()
    };
    let mut expected: Vec<_> = model.clone().into_iter().collect();
    assert_eq!(scan(Range::all()), expected);
    expected.reverse();
    assert_eq!(scan(Range::all().reverse()), expected);
    for folder in 0..3 {
        let inside = model.keys().filter(|key| key.0 == folder).cloned();
        assert_eq!(keys(Range::prefix(&folder)), inside.collect::<Vec<_>>());
    }
    for key in [(1, String::new()), (1, "a\0".into()), (2, "b".into())] {
        assert_eq!(reader.get::<Items>(&key).unwrap().as_ref(), model.get(&key));
        assert_eq!(
            reader.contains::<Items>(&key).unwrap(),
            model.contains_key(&key)
        );
        let all: Vec<_> = model.keys().cloned().collect();
        let below = all.partition_point(|other| *other < key);
        let upto = all.partition_point(|other| *other <= key);
        assert_eq!(keys(Range::all().from(&key)), all[below..]);
        assert_eq!(keys(Range::all().after(&key)), all[upto..]);
        let back = |keys: &[ItemKey]| keys.iter().rev().cloned().collect::<Vec<_>>();
        assert_eq!(keys(Range::all().reverse().from(&key)), back(&all[..upto]));
        assert_eq!(
            keys(Range::all().reverse().after(&key)),
            back(&all[..below])
        );
    }
}

fn check_names(reader: &impl Read<OrganizationScope>, model: &Model) {
    let mut expected: Vec<_> = model
        .iter()
        .map(|(key, item)| (item.name.clone(), key.clone()))
        .collect();
    expected.sort();
    let names = reader.index_scan(&BY_NAME, Range::all()).unwrap();
    assert_eq!(names.map(Result::unwrap).collect::<Vec<_>>(), expected);
    for (name, key) in expected {
        assert_eq!(reader.find(&BY_NAME, &name).unwrap(), Some(key));
    }
    assert_eq!(reader.find(&BY_NAME, &"absent".to_owned()).unwrap(), None);
}

fn check_tags(reader: &impl Read<OrganizationScope>, model: &Model) {
    let mut expected: Vec<(u8, ItemKey)> = model
        .iter()
        .flat_map(|(key, item)| item.tags.iter().map(|&tag| (tag, key.clone())))
        .collect();
    expected.sort();
    expected.dedup();
    for tag in [0, 1, 255] {
        let first = expected.iter().find(|entry| entry.0 == tag);
        let found = reader.find(&BY_TAG, &tag).unwrap();
        assert_eq!(found.as_ref(), first.map(|entry| &entry.1));
    }
    let walk = |range: Range<u8>| -> Vec<(u8, ItemKey)> {
        let entries = reader.index_scan(&BY_TAG, range).unwrap();
        entries.map(Result::unwrap).collect()
    };
    assert_eq!(walk(Range::all()), expected);
    for tag in [0, 1, 255] {
        let behind: Vec<_> = expected.iter().filter(|one| one.0 > tag).cloned().collect();
        assert_eq!(walk(Range::all().after(&tag)), behind);
    }
    expected.reverse();
    assert_eq!(walk(Range::all().reverse()), expected);
}
