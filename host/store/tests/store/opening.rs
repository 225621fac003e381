//! Files that cannot be opened, each with an error that says which and what to do; formats and
//! the way between them.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
};

use gatewright_store::{
    Migration, OpenError, OrganizationScope, Range, Read, RedbEngine, RedbOptions, Store,
    StoreError, SystemScope, WriteError, json_table,
};
use redb::{Database, TableDefinition};
use tempfile::TempDir;

use crate::tables::{Blobs, Tally, organization};

#[test]
fn a_database_of_another_process_is_left_alone() {
    const PATH: &str = "STORE_TEST_HELD";
    // The other process is this test again.
    if let Some(path) = env::var_os(PATH) {
        let _store = open(Path::new(&path), &[]).unwrap();
        println!("\nopen");
        let _ = std::io::stdin().read_line(&mut String::new());
        return;
    }
    let (_folder, path) = database();
    let mut other = Command::new(env::current_exe().unwrap())
        .args([
            "opening::a_database_of_another_process_is_left_alone",
            "--exact",
            "--nocapture",
        ])
        .env(PATH, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "open"));
    let error = open(&path, &[]).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    says(&error, &path, "stop that process");
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    open(&path, &[]).unwrap();
}

#[test]
fn a_truncated_file_is_not_taken_for_a_database() {
    let (_folder, path) = database();
    let whole = fs::read(&path).unwrap();
    for len in [
        9,
        64,
        320,
        4096,
        8192,
        whole.len() / 2,
        whole.len() - 4096,
        whole.len() - 1,
    ] {
        fs::write(&path, &whole[..len]).unwrap();
        let error = open(&path, &[]).unwrap_err();
        assert!(
            matches!(error, OpenError::Damaged { .. }),
            "{len}: {error:?}"
        );
        says(&error, &path, "restore it from a backup");
    }
    fs::write(&path, &whole[..5]).unwrap();
    let error = open(&path, &[]).unwrap_err();
    says(&error, &path, "restore the file from a backup");
    fs::write(&path, []).unwrap();
    let error = open(&path, &[]).unwrap_err();
    assert!(matches!(error, OpenError::Empty { .. }), "{error:?}");
    says(&error, &path, "restore it from a backup");
    fs::write(&path, &whole).unwrap();
    open(&path, &[]).unwrap();
}

#[test]
fn a_file_cut_after_a_crash_is_whole_or_refused() {
    let (folder, path) = database();
    let store = open(&path, &[]).unwrap();
    fill(&store);
    // Copied while open, the file looks as after a power loss.
    let crashed = fs::read(&path).unwrap();
    drop(store);
    let copy = folder.path().join("copy.redb");
    let mut refused = 0;
    for len in (0..=crashed.len()).rev().step_by(128 * 1024) {
        fs::write(&copy, &crashed[..len]).unwrap();
        match open(&copy, &[]) {
            Ok(store) => assert_eq!(count(&store), ROWS),
            Err(OpenError::Damaged { .. } | OpenError::Empty { .. }) => refused += 1,
            Err(error) => panic!("{len}: {error:?}"),
        }
    }
    assert!(refused > 2, "{refused}");
}

#[test]
fn other_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(
        &text,
        "not a database, and longer than its header".repeat(200),
    )
    .unwrap();
    let other = folder.path().join("other.redb");
    let database = Database::create(&other).unwrap();
    let write = database.begin_write().unwrap();
    write
        .open_table(TableDefinition::<u64, u64>::new("theirs"))
        .unwrap();
    write.commit().unwrap();
    drop(database);
    for path in [text, other] {
        let error = open(&path, &[]).unwrap_err();
        assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
        says(&error, &path, "check the path");
    }
    let nowhere = folder.path().join("absent").join("gateway.redb");
    let error = open(&nowhere, &[]).unwrap_err();
    assert!(matches!(error, OpenError::Inaccessible { .. }), "{error:?}");
    says(&error, &nowhere, "check that its folder exists");
}

#[test]
fn rows_without_a_format_are_refused() {
    let (_folder, path) = database();
    let store = open(&path, &[]).unwrap();
    fill(&store);
    let removed: Result<bool, WriteError<StoreError>> =
        store.system().write(|writer| writer.delete::<Format>(&()));
    assert!(removed.unwrap());
    drop(store);
    let error = open(&path, &[]).unwrap_err();
    assert!(matches!(error, OpenError::Foreign { .. }), "{error:?}");
}

#[test]
fn a_newer_format_is_refused() {
    let (_folder, path) = database();
    drop(open(&path, &UPGRADES).unwrap());
    let error = open(&path, &UPGRADES[..1]).unwrap_err();
    let expected = matches!(
        error,
        OpenError::Newer {
            found: 3,
            supported: 2,
            ..
        }
    );
    assert!(expected, "{error:?}");
    says(&error, &path, "start the newer release again");
}

#[test]
fn an_older_format_is_migrated_once_and_in_order() {
    let (_folder, path) = database();
    let store = open(&path, &[]).unwrap();
    fill(&store);
    drop(store);
    for _ in 0..2 {
        let store = open(&path, &UPGRADES).unwrap();
        let system = store.system().read().unwrap();
        assert_eq!(system.get::<Tally>(&()).unwrap(), Some(21));
        assert_eq!(system.get::<Format>(&()).unwrap(), Some(3));
        let owner = system.organization(organization(1));
        assert_eq!(owner.keys::<Blobs>(Range::all()).unwrap().count(), 0);
        let sizes = owner.scan::<Sizes>(Range::all()).unwrap();
        let sizes: Vec<_> = sizes.map(Result::unwrap).collect();
        assert_eq!(sizes.len(), ROWS);
        assert!(sizes.iter().all(|(_, size)| *size == SIZE));
    }
}

#[test]
fn a_new_database_has_the_newest_format_and_runs_no_migration() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(&folder.path().join("new.redb"), &UPGRADES).unwrap();
    let system = store.system().read().unwrap();
    assert_eq!(system.get::<Format>(&()).unwrap(), Some(3));
    assert_eq!(system.get::<Tally>(&()).unwrap(), None);
}

#[test]
fn a_failed_migration_changes_nothing_of_its_step() {
    static FAILING: [Migration; 2] = [
        UPGRADES[0],
        Migration {
            name: "fail halfway",
            run: |writer| {
                writer.put::<Tally>(&(), &1_000)?;
                Err(StoreError::Exists { table: "tally" })
            },
        },
    ];
    let (_folder, path) = database();
    let error = open(&path, &FAILING).unwrap_err();
    assert!(
        matches!(error, OpenError::Migration { from: 2, .. }),
        "{error:?}"
    );
    says(&error, &path, "the previous release can still open it");
    let store = open(&path, &UPGRADES[..1]).unwrap();
    let system = store.system().read().unwrap();
    assert_eq!(system.get::<Tally>(&()).unwrap(), Some(2));
}

/// Two steps that only in this order come to 21: to 2, then to ten times that and one.
static UPGRADES: [Migration; 2] = [
    Migration {
        name: "begin the tally",
        run: |writer| writer.put::<Tally>(&(), &2),
    },
    Migration {
        name: "keep the sizes of blobs",
        run: |writer| {
            let tally = writer.get::<Tally>(&())?.unwrap_or(0);
            writer.put::<Tally>(&(), &(tally * 10 + 1))?;
            let mut owner = writer.organization(organization(1));
            let rows: Vec<_> = owner
                .scan::<Blobs>(Range::all())?
                .collect::<Result<_, _>>()?;
            for (key, value) in rows {
                owner.delete::<Blobs>(&key)?;
                owner.insert::<Sizes>(&key.0, &value.len())?;
            }
            Ok(())
        },
    },
];

json_table! {
    /// What the second step makes of [`Blobs`].
    struct Sizes = 4, "sizes", OrganizationScope, u64 => usize;
}

json_table! {
    /// The store's own row, as it lies in every database.
    struct Format = 0, "format", SystemScope, () => u32;
}

const ROWS: usize = 200;
const SIZE: usize = 5_000;

/// A new database in a folder of its own, closed.
fn database() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gateway.redb");
    drop(open(&path, &[]).unwrap());
    (folder, path)
}

fn open(path: &Path, migrations: &'static [Migration]) -> Result<Store, OpenError> {
    let options = RedbOptions {
        cache_bytes: 4 * 1024 * 1024,
    };
    let engine = RedbEngine::open(path, options)?;
    Store::open_with(Arc::new(engine), migrations)
}

fn fill(store: &Store) {
    let filled: Result<(), WriteError<StoreError>> =
        store.organization(organization(1)).write(|writer| {
            (0..ROWS as u64).try_for_each(|row| writer.put::<Blobs>(&(row, 0), &vec![7; SIZE]))
        });
    filled.unwrap();
}

fn count(store: &Store) -> usize {
    let reader = store.organization(organization(1)).read().unwrap();
    let rows = reader.scan::<Blobs>(Range::all()).unwrap();
    rows.map(|row| assert_eq!(row.unwrap().1, [7; SIZE]))
        .count()
}

/// The error's text names the file and the remedy.
fn says(error: &OpenError, path: &Path, remedy: &str) {
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains(remedy), "{text}");
}
