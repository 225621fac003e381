//! Machine code on disk. Loading it is as good as running it, so it lies where only we can write,
//! and its digest is compared before each load.

use crate::Digest;
use crate::job::Prepared;
use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// The cache directory is not usable.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It could not be made, read or written.
    #[error("the directory of compiled plugins cannot be used: {}", .path.display())]
    Io {
        /// The directory or file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Somebody else could put machine code there.
    #[error(
        "the directory of compiled plugins belongs to another user: {}; give the gateway \
         a directory of its own",
        .0.display()
    )]
    Foreign(PathBuf),
}

/// A directory of machine code, one file for each key and one that describes it.
#[derive(Debug, Clone)]
pub(crate) struct Cache {
    directory: PathBuf,
}

/// Machine code that came from the cache, checked against its digest.
pub(crate) struct Entry {
    pub(crate) prepared: Prepared,
    pub(crate) code: Vec<u8>,
}

impl Cache {
    /// Makes the directory if need be, and takes all rights from others.
    pub(crate) fn open(directory: &Path) -> Result<Self, CacheError> {
        let failed = |source| CacheError::Io {
            path: directory.to_owned(),
            source,
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)
            .map_err(failed)?;
        let owner = fs::metadata(directory).map_err(failed)?.uid();
        if owner != rustix::process::geteuid().as_raw() {
            return Err(CacheError::Foreign(directory.to_owned()));
        }
        fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(failed)?;
        Ok(Self {
            directory: directory.to_owned(),
        })
    }

    /// None for an entry that is missing, incomplete or damaged: it is made again.
    pub(crate) fn get(&self, key: &Digest) -> Option<Entry> {
        let description = fs::read(self.description(key)).ok()?;
        let prepared: Prepared = serde_json::from_slice(&description).ok()?;
        let code = fs::read(self.code(key)).ok()?;
        if Digest::of(&code) != prepared.code {
            tracing::warn!(%key, "compiled plugin does not match its digest and is made again");
            return None;
        }
        Some(Entry { prepared, code })
    }

    /// A path in the directory that nothing else uses, for the compiler to write to.
    pub(crate) fn scratch(&self, key: &Digest) -> PathBuf {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let process = std::process::id();
        self.directory.join(format!("{key}.{process}-{number}.new"))
    }

    /// Takes what the compiler wrote to `scratch`. Whoever reads in between finds a description
    /// that does not fit the code, and makes the entry again.
    pub(crate) fn put(
        &self,
        key: &Digest,
        scratch: &Path,
        prepared: Prepared,
    ) -> Result<Entry, CacheError> {
        let failed = |path: &Path| {
            let path = path.to_owned();
            |source| CacheError::Io { path, source }
        };
        let code = fs::read(scratch).map_err(failed(scratch))?;
        if Digest::of(&code) != prepared.code {
            let error = io::Error::other("the compiler's file is not what it said it wrote");
            return Err(failed(scratch)(error));
        }
        let description = serde_json::to_vec(&prepared)
            .map_err(io::Error::from)
            .map_err(failed(scratch))?;
        fs::rename(scratch, self.code(key)).map_err(failed(scratch))?;
        let second = self.scratch(key);
        fs::write(&second, description).map_err(failed(&second))?;
        fs::rename(&second, self.description(key)).map_err(failed(&second))?;
        Ok(Entry { prepared, code })
    }

    fn code(&self, key: &Digest) -> PathBuf {
        self.directory.join(format!("{key}.code"))
    }

    fn description(&self, key: &Digest) -> PathBuf {
        self.directory.join(format!("{key}.json"))
    }
}
