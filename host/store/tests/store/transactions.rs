//! What transactions promise each other, and organizations.

use std::{
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use gatewright_store::{
    EngineError, Organization, OrganizationScope, Range, Read, StoreError, WriteError, Writer,
    json_table, raw_table,
};

use crate::{
    disk::Disk,
    tables::{BY_NAME, BY_TAG, Blobs, Item, ItemKey, Items, Tally, open, organization},
};

#[test]
fn organizations_share_keys_and_nothing_else() {
    let (store, _engine) = open(&Disk::default());
    let [one, two, three] = [1, 2, 3].map(|number| store.organization(organization(number)));
    let key = (1, "same".to_owned());
    for (owner, tag) in [(&one, 1), (&two, 2)] {
        let key = key.clone();
        owner
            .write(move |writer| writer.insert::<Items>(&key, &item("same", &[tag])))
            .unwrap();
    }
    let removed: Result<_, WriteError<StoreError>> = {
        let key = key.clone();
        three.write(move |writer| writer.delete::<Items>(&key))
    };
    assert!(!removed.unwrap());
    for (owner, tag) in [(&one, 1), (&two, 2)] {
        let reader = owner.read().unwrap();
        assert_eq!(reader.get::<Items>(&key).unwrap().unwrap().tags, [tag]);
        assert_eq!(reader.scan::<Items>(Range::all()).unwrap().count(), 1);
        assert_eq!(reader.find(&BY_TAG, &(3 - tag)).unwrap(), None);
    }
    let reader = three.read().unwrap();
    assert_eq!(reader.find(&BY_NAME, &"same".to_owned()).unwrap(), None);
    assert_eq!(reader.keys::<Items>(Range::all()).unwrap().count(), 0);
    assert_eq!(reader.index_scan(&BY_TAG, Range::all()).unwrap().count(), 0);
}

#[test]
fn a_reader_stays_at_its_moment() {
    let (store, _engine) = open(&Disk::default());
    let write = |number: u64| {
        let result: Result<(), WriteError<StoreError>> = store.system().write(move |writer| {
            writer.put::<Tally>(&(), &number)?;
            let mut owner = writer.organization(organization(1));
            owner.put::<Blobs>(&(number, 0), &vec![1])
        });
        result.unwrap();
    };
    write(1);
    let before = store.system().read().unwrap();
    write(2);
    let after = store.system().read().unwrap();
    let seen = |reader: &gatewright_store::Reader<_>| {
        let blobs = reader.organization(organization(1));
        let blobs = blobs.keys::<Blobs>(Range::all()).unwrap().count();
        (reader.get::<Tally>(&()).unwrap(), blobs)
    };
    assert_eq!(seen(&before), (Some(1), 1));
    assert_eq!(seen(&after), (Some(2), 2));
}

#[test]
fn writers_share_commits_and_see_each_other() {
    let disk = Disk::default();
    let (store, engine) = open(&disk);
    disk.set_sync_time(Duration::from_millis(2));
    let before = engine.stats();
    thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                for _ in 0..10 {
                    let result: Result<(), WriteError<StoreError>> =
                        store.system().write(|writer| {
                            let count = writer.get::<Tally>(&())?.unwrap_or(0);
                            writer.put::<Tally>(&(), &(count + 1))
                        });
                    result.unwrap();
                }
            });
        }
    });
    let stats = engine.stats();
    assert_eq!(stats.transactions - before.transactions, 160);
    let commits = stats.commits - before.commits;
    assert!(commits < 80, "{commits} commits for 160 transactions");
    let reader = store.system().read().unwrap();
    assert_eq!(reader.get::<Tally>(&()).unwrap(), Some(160));
}

#[test]
fn a_failing_transaction_fails_alone() {
    let (store, _engine) = open(&Disk::default());
    let owner = store.organization(organization(1));
    let (begun, running) = mpsc::channel::<()>();
    let (release, gate) = mpsc::channel::<()>();
    let write = |number: u64| -> Result<(), WriteError<StoreError>> {
        owner.write(move |writer| {
            writer.put::<Blobs>(&(number, 0), &vec![0; 10])?;
            match number {
                2 => Err(StoreError::Exists { table: "none" }),
                3 => std::panic::resume_unwind(Box::new("deliberate".to_owned())),
                _ => Ok(()),
            }
        })
    };
    // The first holds its batch open until the others are queued behind it.
    let hold = || -> Result<(), WriteError<StoreError>> {
        owner.write(move |writer| {
            let _ = begun.send(());
            let _ = gate.recv();
            writer.put::<Blobs>(&(0, 0), &Vec::new())
        })
    };
    thread::scope(|scope| {
        let held = scope.spawn(hold);
        running.recv().unwrap();
        let others = [1, 2, 3, 4].map(|number| scope.spawn(move || write(number)));
        thread::sleep(Duration::from_millis(50));
        release.send(()).unwrap();
        held.join().unwrap().unwrap();
        let [first, aborted, panicked, last] = others.map(|thread| thread.join().unwrap());
        first.unwrap();
        last.unwrap();
        assert!(matches!(
            aborted,
            Err(WriteError::Aborted(StoreError::Exists { .. }))
        ));
        let Err(WriteError::Engine(EngineError::Panicked { message })) = panicked else {
            panic!("{panicked:?}");
        };
        assert_eq!(message, "deliberate");
    });
    let keys = owner.read().unwrap();
    let keys = keys.keys::<Blobs>(Range::all()).unwrap();
    let numbers: Vec<u64> = keys.map(|key| key.unwrap().0).collect();
    assert_eq!(numbers, [0, 1, 4]);
}

#[test]
fn an_index_is_filled_for_rows_from_before_it() {
    json_table! {
        /// [`Items`] as they were before they had indexes.
        struct Bare = 1, "items", OrganizationScope, ItemKey => Item;
    }

    let (store, _engine) = open(&Disk::default());
    let owner = store.organization(organization(1));
    let key = |number: u8| (number, "item".to_owned());
    let item = |name: &str, tags: &[u8]| Item {
        name: name.to_owned(),
        tags: tags.to_vec(),
    };
    let filled: Result<(), WriteError<StoreError>> = owner.write(move |writer| {
        writer.put::<Bare>(&key(1), &item("a", &[7, 8]))?;
        writer.put::<Bare>(&key(2), &item("b", &[8]))?;
        writer.put::<Items>(&key(3), &item("c", &[8]))?;
        writer.fill(&BY_TAG)?;
        writer.fill(&BY_NAME)
    });
    filled.unwrap();
    let reader = owner.read().unwrap();
    let tagged = reader.index_scan(&BY_TAG, Range::all()).unwrap();
    let tagged: Vec<_> = tagged.map(Result::unwrap).collect();
    assert_eq!(tagged, [(7, key(1)), (8, key(1)), (8, key(2)), (8, key(3))]);
    let found = reader.find(&BY_NAME, &"b".to_owned()).unwrap();
    assert_eq!(found, Some(key(2)));

    // Two rows with one name: the index cannot be.
    let refused: Result<(), WriteError<StoreError>> = owner.write(move |writer| {
        writer.put::<Bare>(&key(4), &item("a", &[]))?;
        writer.fill(&BY_NAME)
    });
    let duplicate = matches!(
        refused,
        Err(WriteError::Aborted(StoreError::Duplicate {
            index: "name",
            ..
        }))
    );
    assert!(duplicate, "{refused:?}");
}

#[test]
fn a_refused_put_leaves_the_transaction_usable() {
    let (store, _engine) = open(&Disk::default());
    let owner = store.organization(organization(1));
    let written: Result<(), WriteError<StoreError>> = owner.write(|writer| {
        writer.put::<Items>(&(1, "a".into()), &item("taken", &[1]))?;
        writer.put::<Items>(&(1, "b".into()), &item("free", &[2]))?;
        let clash = writer.put::<Items>(&(1, "b".into()), &item("taken", &[3]));
        assert!(matches!(clash, Err(StoreError::Duplicate { .. })));
        assert_eq!(writer.find(&BY_TAG, &2)?, Some((1, "b".into())));
        assert_eq!(writer.find(&BY_TAG, &3)?, None);
        // A name can move within one transaction.
        writer.put::<Items>(&(1, "a".into()), &item("other", &[1]))?;
        writer.put::<Items>(&(1, "b".into()), &item("taken", &[3]))
    });
    written.unwrap();
    let reader = owner.read().unwrap();
    let found = reader.find(&BY_NAME, &"taken".to_owned()).unwrap();
    assert_eq!(found, Some((1, "b".into())));
    assert_eq!(reader.find(&BY_NAME, &"free".to_owned()).unwrap(), None);
}

#[test]
fn a_transaction_inside_another_is_an_error_and_not_a_deadlock() {
    let (store, _engine) = open(&Disk::default());
    let owner = store.organization(organization(1));
    let inner = owner.clone();
    let nested: Result<(), WriteError<StoreError>> = owner.write(move |_| {
        let result = inner.write(|writer| writer.put::<Blobs>(&(1, 0), &vec![1]));
        result.map_err(StoreError::from)
    });
    let Err(WriteError::Aborted(StoreError::Engine(error))) = nested else {
        panic!("{nested:?}");
    };
    assert!(matches!(error, EngineError::Nested), "{error:?}");
}

#[test]
fn what_reads_alone_costs_no_commit() {
    let (store, engine) = open(&Disk::default());
    let before = engine.stats();
    let read: Result<_, WriteError<StoreError>> =
        store.system().write(|writer| writer.get::<Tally>(&()));
    assert_eq!(read.unwrap(), None);
    assert_eq!(engine.stats().commits, before.commits);
}

#[test]
fn foreign_bytes_name_their_table() {
    raw_table! {
        /// Takes the keys of [`Blobs`] for shorter ones.
        struct OtherKeys = 2, "other keys", OrganizationScope, u64;
    }
    json_table! {
        /// Takes the values of [`Blobs`] for documents.
        struct OtherValues = 2, "other values", OrganizationScope, (u64, u8) => Item;
    }

    let (store, _engine) = open(&Disk::default());
    let owner = store.organization(organization(1));
    let written: Result<(), WriteError<StoreError>> =
        owner.write(|writer| writer.put::<Blobs>(&(7, 7), &b"{".to_vec()));
    written.unwrap();
    let reader = owner.read().unwrap();
    let key = reader.keys::<OtherKeys>(Range::all()).unwrap().next();
    let error = key.unwrap().unwrap_err();
    assert_eq!(
        error.to_string(),
        "a key of other keys could not be decoded"
    );
    let error = reader.get::<OtherValues>(&(7, 7)).unwrap_err();
    assert!(matches!(
        error,
        StoreError::Value {
            table: "other values",
            ..
        }
    ));
}

fn item(name: &str, tags: &[u8]) -> Item {
    Item {
        name: name.to_owned(),
        tags: tags.to_vec(),
    }
}

#[test]
fn a_write_that_nobody_waits_for_is_durable_all_the_same_and_in_its_place() {
    let disk = Disk::default();
    let (store, engine) = open(&disk);
    let add = |number: u8| {
        move |writer: &mut Writer<'_, OrganizationScope>| {
            let mut so_far = writer.get::<Blobs>(&(1, 0))?.unwrap_or_default();
            so_far.push(number);
            writer.put::<Blobs>(&(1, 0), &so_far)
        }
    };
    let owner = store.organization(organization(1));
    let unhurried = owner.clone().unhurried();
    let before = engine.stats();
    for (handle, number) in [(&unhurried, 1), (&owner, 2), (&unhurried, 3)] {
        let written: Result<(), WriteError<StoreError>> = handle.write(add(number));
        written.unwrap();
    }
    let after = engine.stats();
    assert_eq!(after.transactions - before.transactions, 3);
    assert_eq!(
        after.commits - before.commits,
        3,
        "with nobody to share with"
    );
    drop((unhurried, owner, store, engine));
    let (store, _engine) = open(&disk);
    let reader = store.organization(organization(1)).read().unwrap();
    assert_eq!(reader.get::<Blobs>(&(1, 0)).unwrap(), Some(vec![1, 2, 3]));
}

#[test]
fn a_write_that_nobody_waits_for_comes_to_its_turn_beside_others() {
    let disk = Disk::default();
    let (store, _engine) = open(&disk);
    let owner = store.organization(organization(1));
    let stop = AtomicBool::new(false);
    let put = |owner: &Organization, key: (u64, u8)| {
        let put =
            move |writer: &mut Writer<'_, OrganizationScope>| writer.put::<Blobs>(&key, &vec![1]);
        let written: Result<(), WriteError<StoreError>> = owner.write(put);
        written.unwrap();
    };
    thread::scope(|scope| {
        // For one of these somebody always waits.
        for number in 0..4 {
            let (owner, stop) = (&owner, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    put(owner, (2, number));
                }
            });
        }
        let unhurried = owner.clone().unhurried();
        for number in 0..10 {
            put(&unhurried, (3, number));
        }
        stop.store(true, Ordering::Relaxed);
    });
    let reader = owner.read().unwrap();
    for number in 0..10 {
        assert_eq!(reader.get::<Blobs>(&(3, number)).unwrap(), Some(vec![1]));
    }
}
