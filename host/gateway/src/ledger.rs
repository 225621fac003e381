//! A change of one organization: one transaction that carries the facts, the revision they get,
//! the events the application is told, and the marks that say what is to be decided anew. All of
//! it commits together or not at all.

use crate::clock::Timestamp;
use crate::model::access::{Accounts, Dirty, DirtyRecord};
use crate::model::events::{EventRecord, Events, Revision};
use crate::model::plans::{Moved, Planned, Watching};
use crate::model::spread::{Spread, SpreadRecord, Spreads};
use gatewright_store::{Organization, OrganizationScope, Read, StoreError, WriteError, Writer};
use serde_json::Value;
use uuid::Uuid;

/// What a committed change came to.
#[derive(Clone, Copy, Debug)]
pub struct Committed<R> {
    /// What the change returned.
    pub value: R,
    /// The revision that holds it. Where nothing changed: the present one.
    pub revision: u64,
}

/// When and by what a change is made.
#[derive(Clone, Copy, Debug)]
pub struct Cause {
    /// The time.
    pub at: Timestamp,
    /// The identity provider's request, by its id in the log of requests.
    pub request: Option<Uuid>,
}

impl From<Timestamp> for Cause {
    fn from(at: Timestamp) -> Self {
        Self { at, request: None }
    }
}

/// A change under way.
pub struct Change<'a, 'w> {
    /// Reads and writes of the transaction.
    pub tx: &'a mut Writer<'w, OrganizationScope>,
    cause: Cause,
    before: u64,
    changed: bool,
    events: u32,
    spreads: u32,
    /// Whether a plan is open, once that was read.
    watched: Option<bool>,
}

/// Runs `body` as one change of the organization. `body` may run more than once, so it has no
/// effect but through the change. Where it neither reports an event nor marks anything, the
/// revision stays as it was.
///
/// # Errors
/// What `body` returns, and what the store says.
pub fn change<R, E>(
    organization: &Organization,
    cause: impl Into<Cause>,
    mut body: impl FnMut(&mut Change<'_, '_>) -> Result<R, E> + Send + 'static,
) -> Result<Committed<R>, WriteError<E>>
where
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    let cause = cause.into();
    organization.write(move |tx| {
        let mut change = Change::begin(tx, cause)?;
        let value = body(&mut change)?;
        let revision = change.finish()?;
        Ok(Committed { value, revision })
    })
}

/// The revision of the newest change.
///
/// # Errors
/// What the store says.
pub fn revision(reader: &impl Read<OrganizationScope>) -> Result<u64, StoreError> {
    Ok(reader.get::<Revision>(&())?.unwrap_or(0))
}

impl<'a, 'w> Change<'a, 'w> {
    /// Begins a change in a transaction that spans more than the organization.
    ///
    /// # Errors
    /// What the store says.
    pub fn begin(
        tx: &'a mut Writer<'w, OrganizationScope>,
        cause: impl Into<Cause>,
    ) -> Result<Self, StoreError> {
        let before = revision(tx)?;
        Ok(Self {
            tx,
            cause: cause.into(),
            before,
            changed: false,
            events: 0,
            spreads: 0,
            watched: None,
        })
    }

    /// The revision that this change will have.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.before + 1
    }

    /// The time of the change.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.cause.at
    }

    /// The identity provider's request that it follows from.
    #[must_use]
    pub fn request(&self) -> Option<Uuid> {
        self.cause.request
    }

    /// Says that the change follows from an earlier request: what happens from here on, does.
    pub fn follows(&mut self, request: Option<Uuid>) {
        self.cause.request = request;
    }

    /// Adds an event to the log.
    ///
    /// # Errors
    /// What the store says.
    pub fn event(&mut self, kind: &str, data: Value) -> Result<(), StoreError> {
        let record = EventRecord {
            at: self.cause.at,
            kind: kind.to_owned(),
            data,
            request: self.cause.request,
        };
        self.tx
            .put::<Events>(&(self.revision(), self.events), &record)?;
        self.events += 1;
        self.changed = true;
        Ok(())
    }

    /// Says that an account is to be decided anew.
    ///
    /// # Errors
    /// What the store says.
    pub fn mark(&mut self, account: Uuid) -> Result<(), StoreError> {
        let failures = self
            .tx
            .get::<Dirty>(&account)?
            .map_or(0, |dirty| dirty.failures);
        self.put_mark(account, self.revision(), failures, None)
    }

    /// Says that an account is to be decided anew because of an earlier change, that of revision
    /// `since`.
    ///
    /// # Errors
    /// What the store says.
    pub fn mark_since(&mut self, account: Uuid, since: u64) -> Result<(), StoreError> {
        self.put_mark(account, since, 0, None)
    }

    /// Says that a user's facts moved, in this change or in that of revision `since`: its account is
    /// to be decided anew. One that has no account yet, because its directory is not in force, is
    /// only noted for a plan that puts it into force.
    ///
    /// # Errors
    /// What the store says.
    pub fn mark_user(
        &mut self,
        user: Uuid,
        account: Uuid,
        since: Option<u64>,
    ) -> Result<(), StoreError> {
        if !self.tx.contains::<Accounts>(&account)? {
            return self.moved(user);
        }
        match since {
            Some(since) => self.mark_since(account, since),
            None => self.mark(account),
        }
    }

    /// Says that an account is to be decided anew because of the change of revision `since`, and may
    /// lose what is to be taken from it.
    ///
    /// # Errors
    /// What the store says.
    pub fn approve(&mut self, account: Uuid, since: u64) -> Result<(), StoreError> {
        self.mark_since(account, since)?;
        if let Some(mut dirty) = self.tx.get::<Dirty>(&account)? {
            dirty.approved = true;
            self.tx.put::<Dirty>(&account, &dirty)?;
        }
        Ok(())
    }

    /// The same, where that change is a confirmed plan: what the plan shows of the account is known
    /// with the mark, unless something happened to the account since.
    ///
    /// # Errors
    /// What the store says.
    pub fn mark_planned(
        &mut self,
        account: Uuid,
        since: u64,
        plan: Uuid,
    ) -> Result<(), StoreError> {
        let as_planned = self.is_untouched(account, since, plan)?;
        self.put_planned(account, since, plan, as_planned)
    }

    /// Whether nothing happened to an account since the plan was confirmed, but what that brought.
    ///
    /// # Errors
    /// What the store says.
    pub fn is_untouched(&self, account: Uuid, since: u64, plan: Uuid) -> Result<bool, StoreError> {
        let known = self.tx.get::<Dirty>(&account)?;
        Ok(known.is_none_or(|dirty| dirty.last <= since || dirty.plan == Some(plan)))
    }

    /// Marks an account as [`mark_planned`](Self::mark_planned) does, where the caller knows whether
    /// anything else happened to it.
    ///
    /// # Errors
    /// What the store says.
    pub fn put_planned(
        &mut self,
        account: Uuid,
        since: u64,
        plan: Uuid,
        as_planned: bool,
    ) -> Result<(), StoreError> {
        let shown = as_planned && self.tx.contains::<Planned>(&(plan, account))?;
        self.put_mark(account, since, 0, Some(plan).filter(|_| shown))
    }

    /// Says that something happened to an account that an open plan may have to see: its facts moved,
    /// or what it has was decided, or who could be its person; or to a user that has no account yet.
    /// A mark says it by itself. Costs one look where no plan is open.
    ///
    /// # Errors
    /// What the store says.
    pub fn moved(&mut self, account: Uuid) -> Result<(), StoreError> {
        let watched = match self.watched {
            Some(watched) => watched,
            None => self.tx.contains::<Watching>(&())?,
        };
        self.watched = Some(watched);
        if watched {
            self.tx.put::<Moved>(&account, &self.revision())?;
            // A plan looks for what has happened by its revision.
            self.changed = true;
        }
        Ok(())
    }

    fn put_mark(
        &mut self,
        account: Uuid,
        since: u64,
        failures: u32,
        plan: Option<Uuid>,
    ) -> Result<(), StoreError> {
        // The id that is reserved for a user whose directory is not in force is no account.
        if !self.tx.contains::<Accounts>(&account)? {
            return Ok(());
        }
        self.moved(account)?;
        let last = self.revision();
        let known = self.tx.get::<Dirty>(&account)?;
        let first = known.map_or(since, |dirty| dirty.first.min(since));
        // Whatever made the last try fail may be mended by this change: it is due at once.
        let record = DirtyRecord {
            first,
            last,
            due: Timestamp(0),
            failures,
            request: self.cause.request,
            plan,
            approved: false,
        };
        self.tx.put::<Dirty>(&account, &record)?;
        self.changed = true;
        Ok(())
    }

    /// Says that more accounts are concerned than one request may touch. Answers the key of what is
    /// to be expanded.
    ///
    /// # Errors
    /// What the store says.
    pub fn spread(&mut self, cause: Spread) -> Result<(u64, u32), StoreError> {
        self.put_spread(cause, None)
    }

    /// Says the same of what a confirmed plan changes.
    ///
    /// # Errors
    /// What the store says.
    pub fn spread_plan(&mut self, cause: Spread, plan: Uuid) -> Result<(u64, u32), StoreError> {
        self.put_spread(cause, Some(plan))
    }

    fn put_spread(&mut self, cause: Spread, plan: Option<Uuid>) -> Result<(u64, u32), StoreError> {
        let record = SpreadRecord {
            cause,
            done: None,
            request: self.cause.request,
            plan,
        };
        let key = (self.revision(), self.spreads);
        self.tx.put::<Spreads>(&key, &record)?;
        self.spreads += 1;
        self.changed = true;
        Ok(key)
    }

    /// Ends the change: stores the new revision if there is one, and says which holds it.
    ///
    /// # Errors
    /// What the store says.
    pub fn finish(self) -> Result<u64, StoreError> {
        if !self.changed {
            return Ok(self.before);
        }
        let revision = self.revision();
        self.tx.put::<Revision>(&(), &revision)?;
        Ok(revision)
    }
}
