//! The log on a store of its own and with a clock of its own.

use super::*;
use crate::model::requests::{
    RequestLogs, RequestRecord, RequestSegments, SegmentDetails, SegmentSubjects,
};
use gatewright_store::{OrganizationScope, Range, Read, RedbEngine, RedbOptions};
use std::sync::atomic::AtomicU64;

const DAY: u64 = 86_400_000;
const DIRECTORY: Uuid = Uuid::from_u128(7);

struct Fixture {
    store: Store,
    now: Arc<AtomicU64>,
    _folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.redb");
        let options = RedbOptions {
            cache_bytes: 8 << 20,
        };
        let engine = RedbEngine::open(&path, options).unwrap();
        Self {
            store: Store::open(Arc::new(engine)).unwrap(),
            now: Arc::new(AtomicU64::new(100 * DAY)),
            _folder: folder,
        }
    }

    fn journal(&self, keep: Keep) -> Journal {
        let now = Arc::clone(&self.now);
        let clock = Clock::from_fn(move || Timestamp(now.load(Ordering::Relaxed)));
        Journal::start(self.store.clone(), clock, Random::system(), keep).unwrap()
    }

    fn organization(&self) -> gatewright_store::Organization {
        self.store.organization(organization())
    }

    /// A creation of a user at the present time.
    fn seen(&self, name: &str, status: u16) -> Seen {
        let at = Timestamp(self.now.fetch_add(1, Ordering::Relaxed));
        Seen {
            id: Random::system().id(at),
            at,
            took: Duration::from_millis(3),
            method: "POST".into(),
            path: "/scim/v2/7/Users".into(),
            query: None,
            headers: Vec::new(),
            caller: Caller::Known {
                organization: organization(),
                directory: DIRECTORY,
                credential: Uuid::nil(),
                mask: false,
            },
            place: Place::Users,
            body: format!("{{\"userName\":\"{name}\"}}").into(),
            understood: None,
            repaired: Vec::new(),
            ignored: Vec::new(),
            status,
            answer: Answered::default(),
            revision: None,
        }
    }

    /// The names that are logged, the newest first; rows, details and counters agree.
    fn names(&self) -> Vec<String> {
        let reader = self.organization().read().unwrap();
        let page = search(&reader, DIRECTORY, &Search::default(), 100).unwrap();
        let log = reader.get::<RequestLogs>(&DIRECTORY).unwrap().unwrap();
        assert_eq!(records(&reader).len() as u64, log.rows);
        let segments = reader
            .keys::<RequestSegments>(Range::all())
            .unwrap()
            .count();
        let details = reader.keys::<SegmentDetails>(Range::all()).unwrap().count();
        let subjects = reader
            .keys::<SegmentSubjects>(Range::all())
            .unwrap()
            .count();
        assert_eq!((details, subjects), (segments, segments));
        let bytes: u64 = page.requests.iter().map(|(_, row)| row.bytes).sum();
        assert_eq!(log.bytes, bytes);
        let names = page.requests.into_iter().map(|(_, row)| row.name);
        names.map(Option::unwrap_or_default).collect()
    }
}

/// All records, in the order of their ids.
fn records(reader: &impl Read<OrganizationScope>) -> Vec<RequestRecord> {
    let rows = reader.scan::<RequestSegments>(Range::all()).unwrap();
    let segments = rows.map(|row| segment::read(&row.unwrap().1));
    let requests = segments.flat_map(|segment| segment.requests);
    requests.map(|(_, record)| record).collect()
}

fn organization() -> OrganizationId {
    OrganizationId::from(Uuid::from_u128(1))
}

fn keep(days: u64, rows: u64, bytes: u64) -> Keep {
    Keep { days, rows, bytes }
}

#[test]
fn rows_go_when_they_are_too_old_too_many_or_too_large() {
    let fixture = Fixture::new();
    let journal = fixture.journal(keep(2, 5, 1 << 30));
    for name in ["a", "b"] {
        journal.note(fixture.seen(name, 201));
        journal.flush();
    }
    assert_eq!(fixture.names(), ["b", "a"]);
    fixture.now.fetch_add(2 * DAY, Ordering::Relaxed);
    journal.note(fixture.seen("c", 201));
    journal.flush();
    assert_eq!(fixture.names(), ["c"], "two days are over");
    for name in ["d", "e", "f", "g", "h"] {
        journal.note(fixture.seen(name, 201));
    }
    journal.flush();
    assert_eq!(fixture.names(), ["h", "g", "f", "e", "d"], "five are kept");
    drop(journal);
    // With a smaller size two go for each that comes.
    let journal = fixture.journal(keep(2, 5, 1_200));
    for name in ["i", "j", "k"] {
        journal.note(fixture.seen(name, 201));
        journal.flush();
    }
    assert_eq!(fixture.names(), ["k", "j"]);
}

#[test]
fn what_waits_is_written_when_the_log_is_dropped() {
    let fixture = Fixture::new();
    let journal = fixture.journal(Keep::default());
    for number in 0..50 {
        journal.note(fixture.seen(&number.to_string(), 201));
    }
    drop(journal);
    assert_eq!(fixture.names().len(), 50);
}

#[test]
fn a_sweep_removes_what_is_old_where_nothing_comes_in() {
    let fixture = Fixture::new();
    crate::directory::organizations::create(
        &fixture.store,
        &Random::system(),
        Timestamp(1),
        "acme",
        Vec::new(),
    )
    .unwrap();
    let (acme, _) = crate::directory::organizations::all(&fixture.store).unwrap()[0].clone();
    let acme = OrganizationId::from(acme);
    let journal = fixture.journal(Keep::default());
    for number in 0..600 {
        let mut seen = fixture.seen(&number.to_string(), 201);
        seen.caller = Caller::Known {
            organization: acme,
            directory: DIRECTORY,
            credential: Uuid::nil(),
            mask: false,
        };
        journal.note(seen);
    }
    drop(journal);
    let count = || {
        let reader = fixture.store.organization(acme).read().unwrap();
        records(&reader).len()
    };
    assert_eq!(count(), 600);
    fixture.now.fetch_add(8 * DAY, Ordering::Relaxed);
    let now = Arc::clone(&fixture.now);
    let clock = Clock::from_fn(move || Timestamp(now.load(Ordering::Relaxed)));
    let writer = writer::Writer::new(
        fixture.store.clone(),
        clock,
        Random::system(),
        Keep::default(),
        Arc::default(),
    );
    writer.sweep().unwrap();
    assert_eq!(count(), 0);
}

#[test]
fn a_flood_is_counted_and_writes_come_before_reads() {
    let fixture = Fixture::new();
    let journal = fixture.journal(Keep::default());
    // Many more than wait: what is not written is counted.
    let all = 3 * QUEUE;
    for _ in 0..all {
        let mut seen = fixture.seen("flood", 200);
        seen.method = "GET".into();
        journal.note(seen);
    }
    journal.note(fixture.seen("write", 201));
    drop(journal);
    let reader = fixture.organization().read().unwrap();
    let rows = records(&reader);
    let left_out: u64 = rows.iter().map(|row| row.left_out).sum();
    let logged = rows.iter().filter(|row| row.method == "GET").count();
    assert!(left_out > 0);
    assert_eq!(logged as u64 + left_out, all as u64);
    assert!(rows.iter().any(|row| row.name.as_deref() == Some("write")));
}

#[test]
fn requests_are_found_by_id_by_whom_they_are_about_and_page_by_page() {
    let fixture = Fixture::new();
    let journal = fixture.journal(Keep::default());
    let mut expected = Vec::new();
    for number in 0..200 {
        let seen = fixture.seen(&format!("user{}", number % 40), 201);
        expected.push((seen.id, format!("{{\"userName\":\"user{}\"}}", number % 40)));
        journal.note(seen);
        if number % 70 == 0 {
            journal.flush();
        }
    }
    journal.flush();
    let reader = fixture.organization().read().unwrap();
    for (id, body) in &expected {
        assert!(find(&reader, DIRECTORY, *id).unwrap().is_some());
        let details = details(&reader, DIRECTORY, *id).unwrap();
        assert_eq!(&details.body.unwrap().text, body);
    }
    assert!(
        find(&reader, DIRECTORY, Uuid::from_u128(1))
            .unwrap()
            .is_none()
    );
    let walk = |about: Option<&str>, size: usize| {
        let mut wanted = Search {
            about: about.map(str::to_owned),
            ..Search::default()
        };
        let mut ids = Vec::new();
        loop {
            let page = search(&reader, DIRECTORY, &wanted, size).unwrap();
            ids.extend(page.requests.into_iter().map(|(id, _)| id));
            match page.next {
                Some(next) => wanted.cursor = Some(next),
                None => return ids,
            }
        }
    };
    let newest_first: Vec<Uuid> = expected.iter().rev().map(|(id, _)| *id).collect();
    assert_eq!(walk(None, 7), newest_first);
    let of_seven: Vec<Uuid> = (0..5).rev().map(|turn| expected[turn * 40 + 7].0).collect();
    assert_eq!(walk(Some("USER7"), 2), of_seven);
    assert!(walk(Some("nobody"), 2).is_empty());
}
