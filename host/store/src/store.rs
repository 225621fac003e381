//! The store and its handles.

use std::sync::{Arc, Mutex, PoisonError};

use crate::{
    OrganizationId,
    engine::{Engine, EngineError, Rehearsal, Transaction, Urgency, Verdict},
    error::{OpenError, StoreError, WriteError},
    format::{self, Migration},
    read::Reader,
    scope::{OrganizationScope, ScopeKind, SystemScope},
    write::Writer,
};

/// A database of a known format. Clones are handles to the same one.
#[derive(Clone)]
pub struct Store {
    engine: Arc<dyn Engine>,
}

impl Store {
    /// Takes an engine whose tables have never changed: [`open_with`](Self::open_with) without
    /// migrations.
    ///
    /// # Errors
    ///
    /// [`OpenError`], which names the database and what to do.
    pub fn open(engine: Arc<dyn Engine>) -> Result<Self, OpenError> {
        Self::open_with(engine, &[])
    }

    /// Takes an engine, writes the newest format's number into an empty database, and brings an
    /// older one up to date.
    ///
    /// Formats count from 1, and each migration leads to the next: `migrations[0]` from 1 to 2.
    /// Each runs in a transaction of its own, together with the change of the number, so one that
    /// is interrupted leaves the database in the format before it.
    ///
    /// # Errors
    ///
    /// [`OpenError::Newer`] for a format beyond the last migration, [`OpenError::Foreign`] for rows
    /// without a format, [`OpenError::Migration`] where a step fails, and
    /// [`OpenError::Engine`] where the storage does.
    pub fn open_with(
        engine: Arc<dyn Engine>,
        migrations: &'static [Migration],
    ) -> Result<Self, OpenError> {
        let store = Self { engine };
        format::settle(&store, migrations)?;
        Ok(store)
    }

    /// The rows of the installation, and through them those of every organization.
    #[must_use]
    pub fn system(&self) -> System {
        System {
            store: self.clone(),
            urgency: Urgency::Now,
        }
    }

    /// The rows of one organization. The store does not know which organizations there are: an id
    /// without rows is empty.
    #[must_use]
    pub fn organization(&self, id: OrganizationId) -> Organization {
        Organization {
            store: self.clone(),
            id,
            urgency: Urgency::Now,
        }
    }

    /// A store that begins as this one is now. What is written to it is read from it and reaches no
    /// disk: it is kept in memory and forgotten with the last handle. Nothing waits for it, and it
    /// does not see what is written to this one meanwhile.
    ///
    /// It is for one thread: a transaction that is begun while another one runs fails.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where the storage fails.
    pub fn rehearsal(&self) -> Result<Self, StoreError> {
        Ok(Self {
            engine: Arc::new(Rehearsal::of(&*self.engine)?),
        })
    }

    /// Whether somebody has just waited for a transaction: those for which nobody waits had better be
    /// short.
    #[must_use]
    pub fn is_pressed(&self) -> bool {
        self.engine.is_pressed()
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        &*self.engine
    }

    fn read<S: ScopeKind>(&self, scope: S) -> Result<Reader<S>, StoreError> {
        Ok(Reader::new(Arc::from(self.engine.snapshot()?), scope))
    }

    fn write<S, R, E, F>(&self, scope: S, urgency: Urgency, mut f: F) -> Result<R, WriteError<E>>
    where
        S: ScopeKind,
        F: FnMut(&mut Writer<'_, S>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: Send + 'static,
    {
        // The body may run on another thread and more than once; the last result is the one that
        // the verdict belongs to.
        let slot = Arc::new(Mutex::new(None));
        let body = {
            let slot = Arc::clone(&slot);
            move |transaction: &mut dyn Transaction| {
                let result = f(&mut Writer::new(transaction, scope));
                let verdict = if result.is_ok() {
                    Verdict::Commit
                } else {
                    Verdict::Abort
                };
                *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
                verdict
            }
        };
        self.engine
            .transact(scope.organization(), urgency, Box::new(body))?;
        let result = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
        match result {
            Some(result) => result.map_err(WriteError::Aborted),
            None => Err(WriteError::Engine(EngineError::Stopped)),
        }
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Store")
            .field(&self.engine.location())
            .finish()
    }
}

/// The whole installation: its own tables, and a way to every organization's. Code that serves one
/// organization is given an [`Organization`] and never this.
#[derive(Clone, Debug)]
pub struct System {
    store: Store,
    urgency: Urgency,
}

impl System {
    /// A view of this moment.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where the storage fails.
    pub fn read(&self) -> Result<Reader<SystemScope>, StoreError> {
        self.store.read(SystemScope(()))
    }

    /// The same rows, for one whose writes nobody waits for: they may be held back for a few
    /// milliseconds to share the commit of others.
    #[must_use]
    pub fn unhurried(self) -> Self {
        Self {
            urgency: Urgency::Soon,
            ..self
        }
    }

    /// Runs `f` as one transaction and returns when its result is durable.
    ///
    /// `f` may run more than once, on another thread, and must not wait for anything: the rules are
    /// those of [`Engine::transact`]. If it returns an error nothing is written.
    ///
    /// # Errors
    ///
    /// [`WriteError::Aborted`] with the error of `f`; [`WriteError::Engine`] where the storage
    /// fails or `f` panics.
    pub fn write<R, E, F>(&self, f: F) -> Result<R, WriteError<E>>
    where
        F: FnMut(&mut Writer<'_, SystemScope>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store.write(SystemScope(()), self.urgency, f)
    }

    /// The rows of one organization.
    #[must_use]
    pub fn organization(&self, id: OrganizationId) -> Organization {
        self.store.organization(id)
    }
}

/// One organization's rows, and no others: a table of the installation does not even compile.
///
/// ```compile_fail,E0271
/// # use gatewright_store::{Organization, Read, StoreError, SystemScope, json_table};
/// json_table! {
///     /// One number for the installation.
///     pub struct Limit = 1, "limit", SystemScope, () => u64;
/// }
///
/// fn peek(organization: &Organization) -> Result<Option<u64>, StoreError> {
///     organization.read()?.get::<Limit>(&())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Organization {
    store: Store,
    id: OrganizationId,
    urgency: Urgency,
}

impl Organization {
    /// Which organization.
    #[must_use]
    pub fn id(&self) -> OrganizationId {
        self.id
    }

    /// A view of this moment.
    ///
    /// # Errors
    ///
    /// [`StoreError::Engine`] where the storage fails.
    pub fn read(&self) -> Result<Reader<OrganizationScope>, StoreError> {
        self.store.read(OrganizationScope(self.id))
    }

    /// The same rows, for one whose writes nobody waits for: they may be held back for a few
    /// milliseconds to share the commit of others.
    #[must_use]
    pub fn unhurried(self) -> Self {
        Self {
            urgency: Urgency::Soon,
            ..self
        }
    }

    /// Runs `f` as one transaction, as [`System::write`] does.
    ///
    /// # Errors
    ///
    /// Those of [`System::write`].
    pub fn write<R, E, F>(&self, f: F) -> Result<R, WriteError<E>>
    where
        F: FnMut(&mut Writer<'_, OrganizationScope>) -> Result<R, E> + Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.store
            .write(OrganizationScope(self.id), self.urgency, f)
    }
}
