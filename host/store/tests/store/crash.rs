//! Power loss at every sync: what was acknowledged is there, and nothing is there by half.

use std::thread;

use gatewright_store::{EngineError, Range, Read, StoreError, SystemScope, WriteError, Writer};

use crate::{
    disk::{Disk, Event},
    tables::{BLOBS_BY_PART, Blobs, Tally, open, organization},
};

/// How many of the newest transactions have rows.
const KEPT: u64 = 6;
/// Rows of one transaction.
const PARTS: u8 = 5;

#[test]
fn every_crash_leaves_a_whole_number_of_transactions() {
    // The disk begins with a database: a crash while one is first made leaves a file that is
    // refused, with the advice to delete it.
    let mut durable = new_database();
    let disk = Disk::holding(durable.clone());
    work(&disk, 3, 30);
    let mut survivors = (0, 0);
    let mut pending = Vec::new();
    let mut acknowledged = 0;
    let mut random = Random(7);
    for event in disk.log() {
        match event {
            Event::Acknowledged(transaction) => acknowledged = acknowledged.max(transaction),
            Event::Sync => {
                for image in images(&durable, &pending, &mut random) {
                    let found = check(image, acknowledged);
                    if found > acknowledged {
                        survivors.0 += 1;
                    } else {
                        survivors.1 += 1;
                    }
                }
                pending
                    .drain(..)
                    .for_each(|event: Event| event.apply(&mut durable));
            }
            event => pending.push(event),
        }
    }
    assert_eq!(check(durable, acknowledged), 90);
    assert!(
        survivors.0 > 10 && survivors.1 > 10,
        "crashes fell on both sides of the commit: {survivors:?}"
    );
}

#[test]
fn a_failing_disk_fails_the_batch_and_keeps_what_was_acknowledged() {
    let disk = Disk::default();
    let (store, engine) = open(&disk);
    for _ in 0..3 {
        store.system().write(transaction).unwrap();
    }
    let before = disk.bytes();
    disk.fail();
    thread::scope(|scope| {
        let failed: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| store.system().write(transaction)))
            .collect();
        for thread in failed {
            let error = thread.join().unwrap().unwrap_err();
            assert!(
                matches!(error, WriteError::Engine(EngineError::Storage(_))),
                "{error:?}"
            );
        }
    });
    drop((store, engine));
    assert_eq!(check(before, 3), 3);
    // What the failed commit wrote may have reached the disk, but only as a whole.
    assert!(check(disk.bytes(), 3) >= 3);
}

fn new_database() -> Vec<u8> {
    let disk = Disk::default();
    drop(open(&disk));
    disk.bytes()
}

/// Writes from several threads, and closes.
fn work(disk: &Disk, threads: usize, each: usize) {
    let (store, engine) = open(disk);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                for _ in 0..each {
                    disk.acknowledge(store.system().write(transaction).unwrap());
                }
            });
        }
    });
    drop((store, engine));
}

/// The next transaction: writes its rows, removes those of the oldest, and counts itself.
fn transaction(writer: &mut Writer<'_, SystemScope>) -> Result<u64, StoreError> {
    let number = writer.get::<Tally>(&())?.unwrap_or(0) + 1;
    writer.put::<Tally>(&(), &number)?;
    for part in 0..PARTS {
        let mut owner = writer.organization(organization(u128::from(number % 2)));
        owner.insert::<Blobs>(&(number, part), &content(number, part))?;
        if let Some(old) = number.checked_sub(KEPT) {
            let mut owner = writer.organization(organization(u128::from(old % 2)));
            owner.delete::<Blobs>(&(old, part))?;
        }
    }
    Ok(number)
}

/// Sizes from a few bytes to more than the file begins with, so that it grows.
fn content(number: u64, part: u8) -> Vec<u8> {
    let size = match part {
        0 => 10,
        1 if number.is_multiple_of(7) => 300_000,
        _ => 700 * usize::from(part),
    };
    vec![u8::try_from(number % 251).unwrap() ^ part; size]
}

/// Opens the image and compares everything in it with what its count says. Returns the count.
fn check(image: Vec<u8>, acknowledged: u64) -> u64 {
    let (store, _engine) = open(&Disk::holding(image));
    let reader = store.system().read().unwrap();
    let count = reader.get::<Tally>(&()).unwrap().unwrap_or(0);
    assert!(
        count >= acknowledged,
        "{acknowledged} were acknowledged, {count} are there"
    );
    for parity in 0..2 {
        let expected: Vec<_> = (count.saturating_sub(KEPT - 1).max(1)..=count)
            .filter(|number| number % 2 == parity)
            .flat_map(|number| (0..PARTS).map(move |part| (number, part)))
            .collect();
        let owner = reader.organization(organization(u128::from(parity)));
        let rows = owner.scan::<Blobs>(Range::all()).unwrap();
        let keys: Vec<_> = rows
            .map(|row| {
                let ((number, part), value) = row.unwrap();
                assert!(value == content(number, part), "{number}/{part} is torn");
                (number, part)
            })
            .collect();
        assert_eq!(keys, expected);
        let entries = owner.index_scan(&BLOBS_BY_PART, Range::all()).unwrap();
        let mut entries: Vec<_> = entries.map(|entry| entry.unwrap().1).collect();
        entries.sort_unstable();
        assert_eq!(entries, expected);
    }
    count
}

/// What a crash during the sync of `pending` can leave of the disk.
fn images(durable: &[u8], pending: &[Event], random: &mut Random) -> Vec<Vec<u8>> {
    let image = |kept: Vec<Event>| {
        let mut image = durable.to_vec();
        kept.iter().for_each(|event| event.apply(&mut image));
        image
    };
    let mut images = vec![image(Vec::new()), image(pending.to_vec())];
    // The header alone is the most dangerous write to survive.
    images.push(image(pending.last().cloned().into_iter().collect()));
    for _ in 0..3 {
        let kept = pending.iter().filter_map(|event| torn(event, random));
        images.push(image(kept.collect()));
    }
    images
}

/// The event whole, a part of it, or nothing.
fn torn(event: &Event, random: &mut Random) -> Option<Event> {
    match (event, random.below(4)) {
        (_, 0) => None,
        (Event::Write { offset, data }, 1) => Some(Event::Write {
            offset: *offset,
            data: data[..random.below(data.len())].to_vec(),
        }),
        (Event::Write { offset, data }, 2) => {
            let cut = random.below(data.len());
            Some(Event::Write {
                offset: offset + cut,
                data: data[cut..].to_vec(),
            })
        }
        (event, _) => Some(event.clone()),
    }
}

/// Numbers that are the same in every run (the generator SplitMix64).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((bits ^ (bits >> 31)) % bound as u64).unwrap()
    }
}
