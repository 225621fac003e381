//! The watched folder: a component that is dropped into it is installed.

use super::{PluginError, Plugins};
use crate::clock::{Clock, Timestamp};
use crate::telemetry::chain;
use rustix::fs::OFlags;
use std::collections::BTreeMap;
use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;
use tracing::{info, warn};

/// How often the folder is looked at. A file that is the same twice is no longer being written.
const INTERVAL: Duration = Duration::from_secs(1);

/// A folder that is being watched. It is looked at each second, which works on every file system,
/// shared ones included, and costs one look at each file's description.
///
/// Installing is by digest and binds nothing, so whatever becomes of a file, what runs is not
/// concerned: it is in the store, not in the folder.
pub struct PluginFolder {
    shared: Arc<Shared>,
    thread: Option<thread::JoinHandle<()>>,
}

/// What is known of a folder.
#[derive(Clone, Debug, Default)]
pub struct FolderReport {
    /// Why the folder itself cannot be read.
    pub problem: Option<String>,
    /// Its files whose names end in `.wasm`, by name. Those that begin with a dot are passed by.
    pub files: BTreeMap<String, FileReport>,
}

/// What is known of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileReport {
    /// What became of it.
    pub state: FileState,
    /// When it was seen to be so.
    pub since: Timestamp,
}

/// What became of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is new or was written just now: it is looked at as soon as it stays the same.
    Settling,
    /// The component in it is installed.
    Installed {
        /// Its digest.
        digest: String,
        /// Its name.
        name: String,
        /// Its version.
        version: String,
    },
    /// It is not taken.
    Refused {
        /// Why, and what to do.
        why: String,
    },
}

/// What is different after every way to change a file.
type Stamp = (u64, u64, u64, i64, i64, i64, i64);

struct Shared {
    path: PathBuf,
    /// Bytes that a component may have.
    most: usize,
    plugins: Arc<Plugins>,
    clock: Clock,
    report: Mutex<FolderReport>,
    stop: Mutex<bool>,
    stopping: Condvar,
}

impl PluginFolder {
    /// Starts to watch.
    ///
    /// # Errors
    /// Where the operating system has no thread to give. A folder that is not there is no error: it
    /// may come, and the report says so.
    pub fn watch(
        path: PathBuf,
        most: usize,
        plugins: Arc<Plugins>,
        clock: Clock,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            path,
            most,
            plugins,
            clock,
            report: Mutex::default(),
            stop: Mutex::new(false),
            stopping: Condvar::new(),
        });
        let own = Arc::clone(&shared);
        let builder = thread::Builder::new().name("plugin-folder".into());
        let thread = Some(builder.spawn(move || own.run())?);
        Ok(Self { shared, thread })
    }

    /// The folder's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    /// What is known of it now.
    #[must_use]
    pub fn report(&self) -> FolderReport {
        lock(&self.shared.report).clone()
    }
}

impl Drop for PluginFolder {
    fn drop(&mut self) {
        *lock(&self.shared.stop) = true;
        self.shared.stopping.notify_all();
        if let Some(thread) = self.thread.take() {
            // There is nobody left to tell of a panic.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut known = BTreeMap::new();
        loop {
            self.look(&mut known);
            let stop = lock(&self.stop);
            let waited = self
                .stopping
                .wait_timeout_while(stop, INTERVAL, |stop| !*stop);
            if *waited.unwrap_or_else(PoisonError::into_inner).0 {
                return;
            }
        }
    }

    /// One look at all files. `known` has the stamp of each at the last look, and whether what it
    /// holds was dealt with.
    fn look(&self, known: &mut BTreeMap<String, (Option<Stamp>, bool)>) {
        let names = match names(&self.path) {
            Ok(names) => names,
            Err(error) => {
                let problem = format!("{error}: make it, or change `plugins.folder`");
                let mut report = lock(&self.report);
                if report.problem.as_ref() != Some(&problem) {
                    warn!(folder = %self.path.display(), problem, "plugin folder unreadable");
                    report.problem = Some(problem);
                }
                return;
            }
        };
        lock(&self.report).problem = None;
        known.retain(|name, _| names.contains(name));
        self.forget(&names);
        for name in names {
            let path = self.path.join(&name);
            let found = std::fs::metadata(&path);
            let stamp = found.as_ref().ok().map(stamp);
            let before = known.get(&name).copied();
            let dealt_with = match before {
                Some((then, dealt_with)) if then == stamp => {
                    if !dealt_with {
                        self.deal_with(&name, found.and_then(|found| self.read(&path, &found)))
                    } else {
                        true
                    }
                }
                Some(_) | None => {
                    self.note(&name, FileState::Settling);
                    false
                }
            };
            known.insert(name, (stamp, dealt_with));
        }
    }

    /// Installs what was read of a file. False where it was being written meanwhile.
    fn deal_with(&self, name: &str, read: io::Result<Option<Vec<u8>>>) -> bool {
        let state = match read {
            Ok(None) => return false,
            Ok(Some(wasm)) => match self.plugins.install(&wasm) {
                Ok(received) => FileState::Installed {
                    digest: received.digest,
                    name: received.record.name,
                    version: received.record.version,
                },
                Err(error) => FileState::Refused {
                    why: explained(&error),
                },
            },
            Err(error) => FileState::Refused {
                why: format!("it cannot be read: {error}"),
            },
        };
        match &state {
            FileState::Refused { why } => warn!(file = name, why, "not installed from the folder"),
            FileState::Installed { digest, .. } => {
                info!(file = name, digest, "installed from the folder");
            }
            FileState::Settling => {}
        }
        self.note(name, state);
        true
    }

    /// The whole of a file that is the same before and after; none where it is not.
    fn read(&self, path: &Path, seen: &Metadata) -> io::Result<Option<Vec<u8>>> {
        if seen.is_dir() {
            return Err(io::Error::other("it is a folder, and a plugin is a file"));
        }
        if !seen.is_file() {
            return Err(io::Error::other("it is no ordinary file"));
        }
        if seen.len() > self.most as u64 {
            let why = format!(
                "it has {} bytes, and at most {} are taken (`limits.component_bytes`)",
                seen.len(),
                self.most
            );
            return Err(io::Error::other(why));
        }
        // It may have become a pipe meanwhile, on which opening would wait.
        let mut options = OpenOptions::new();
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let file: File = options.read(true).custom_flags(flags).open(path)?;
        let same = |file: &File| Ok::<_, io::Error>(stamp(&file.metadata()?) == stamp(seen));
        if !same(&file)? {
            return Ok(None);
        }
        let mut bytes = Vec::new();
        (&file).take(seen.len() + 1).read_to_end(&mut bytes)?;
        Ok((same(&file)? && bytes.len() as u64 == seen.len()).then_some(bytes))
    }

    fn note(&self, name: &str, state: FileState) {
        let since = self.clock.now();
        let mut report = lock(&self.report);
        report
            .files
            .insert(name.to_owned(), FileReport { state, since });
    }

    /// Forgets files that are gone. What came from them stays installed.
    fn forget(&self, names: &[String]) {
        lock(&self.report).files.retain(|name, _| {
            let there = names.contains(name);
            if !there {
                info!(
                    file = name,
                    "gone from the plugin folder; what it held stays"
                );
            }
            there
        });
    }
}

/// The names of a folder that end as components do, in order.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if name.ends_with(".wasm") && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn stamp(of: &Metadata) -> Stamp {
    (
        of.dev(),
        of.ino(),
        of.len(),
        of.mtime(),
        of.mtime_nsec(),
        of.ctime(),
        of.ctime_nsec(),
    )
}

/// What is wrong with the component itself is mended by another file. What is not may pass.
fn explained(error: &PluginError) -> String {
    match error {
        PluginError::Load(gatewright_sandbox::LoadError::Component(_)) => chain(error),
        other => format!(
            "{}; write the file again to have it tried again",
            chain(other)
        ),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
