//! A rehearsal sees what it writes, and nobody else does.

use gatewright_store::{EngineError, Range, Read, StoreError, WriteError};

use crate::{
    disk::Disk,
    tables::{BY_NAME, BY_TAG, Item, Items, open, organization},
};

fn item(name: &str, tag: u8) -> Item {
    Item {
        name: name.to_owned(),
        tags: vec![tag],
    }
}

#[test]
fn what_is_rehearsed_is_read_there_and_nowhere_else() {
    let (store, engine) = open(&Disk::default());
    let real = store.organization(organization(1));
    let key = |number: u8| (number, "x".to_owned());
    for number in 1..=3 {
        real.write(move |writer| writer.put::<Items>(&key(number), &item(&number.to_string(), 7)))
            .unwrap();
    }
    let before = engine.stats();
    let rehearsal = store.rehearsal().unwrap().organization(organization(1));
    rehearsal
        .write(move |writer| {
            writer.delete::<Items>(&key(2))?;
            writer.put::<Items>(&key(3), &item("changed", 8))?;
            writer.insert::<Items>(&key(4), &item("new", 7))
        })
        .unwrap();
    // A second transaction sees the first, and one that fails leaves nothing.
    let clash: Result<(), _> = rehearsal.write(move |writer| {
        writer.delete::<Items>(&key(1))?;
        writer.insert::<Items>(&key(4), &item("again", 1))
    });
    assert!(matches!(
        clash,
        Err(WriteError::Aborted(StoreError::Exists { .. }))
    ));
    let reader = rehearsal.read().unwrap();
    let keys = |range| -> Vec<u8> {
        let keys = reader.keys::<Items>(range).unwrap();
        keys.map(|key| key.unwrap().0).collect()
    };
    assert_eq!(keys(Range::all()), [1, 3, 4]);
    assert_eq!(keys(Range::all().reverse()), [4, 3, 1]);
    assert_eq!(reader.find(&BY_NAME, &"3".to_owned()).unwrap(), None);
    let changed = reader.find(&BY_NAME, &"changed".to_owned()).unwrap();
    assert_eq!(changed, Some(key(3)));
    let tagged = reader.index_scan(&BY_TAG, Range::prefix(&7u8)).unwrap();
    assert_eq!(tagged.count(), 2);

    // What is written meanwhile is not seen, and nothing came to the real one.
    real.write(move |writer| writer.insert::<Items>(&key(9), &item("real", 1)))
        .unwrap();
    assert_eq!(
        rehearsal.read().unwrap().get::<Items>(&key(9)).unwrap(),
        None
    );
    let reader = real.read().unwrap();
    let keys = reader.keys::<Items>(Range::all()).unwrap();
    assert_eq!(
        keys.map(|key| key.unwrap().0).collect::<Vec<_>>(),
        [1, 2, 3, 9]
    );
    assert_eq!(engine.stats().transactions, before.transactions + 1);
}

#[test]
fn a_rehearsal_refuses_a_transaction_in_another_and_survives_a_panic() {
    let (store, _engine) = open(&Disk::default());
    let rehearsal = store.rehearsal().unwrap().organization(organization(1));
    let inner = rehearsal.clone();
    let nested: Result<(), WriteError<StoreError>> = rehearsal.write(move |_| {
        inner
            .write(|writer| writer.put::<Items>(&(1, String::new()), &item("inner", 1)))
            .map_err(StoreError::from)
    });
    assert!(matches!(
        nested,
        Err(WriteError::Aborted(StoreError::Engine(EngineError::Nested)))
    ));
    let panicked: Result<(), WriteError<StoreError>> = rehearsal.write(|_| panic!("on purpose"));
    assert!(matches!(
        panicked,
        Err(WriteError::Engine(EngineError::Panicked { .. }))
    ));
    let reader = rehearsal.read().unwrap();
    assert_eq!(reader.keys::<Items>(Range::all()).unwrap().count(), 0);
}
