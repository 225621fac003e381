//! Plans whose time is over, and what deleted plans leave behind, erased in bounded steps.

use super::{open, watch};
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::plans::{
    Moved, PlanRecord, PlanState, Planned, PlannedAsks, PlannedLinks, PlannedOwners,
    PlannedUnlinked, Plans, Proposals,
};
use gatewright_store::{
    Organization, OrganizationScope, Range, Read, Reader, StoreError, Table, WriteError,
};
use serde_json::json;
use uuid::Uuid;

/// Rows that are erased in a step.
const STEP: usize = 250;

/// How long a plan can be looked at after it was confirmed or could have been, in milliseconds.
const KEEP: u64 = 7 * 24 * 3_600_000;

/// Does one step. Says whether there was one to do.
pub(super) fn step(
    organization: &Organization,
    now: Timestamp,
) -> Result<bool, WriteError<StoreError>> {
    let reader = organization.read().map_err(WriteError::Aborted)?;
    if !is_due(&reader, now).map_err(WriteError::Aborted)? {
        return Ok(false);
    }
    drop(reader);
    change(organization, now, move |change| {
        for (plan, record) in plans(change.tx)? {
            expire(change, now, plan, record)?;
        }
        let mut left = STEP;
        erase::<Planned>(change, &mut left)?;
        erase::<PlannedOwners>(change, &mut left)?;
        erase::<PlannedAsks>(change, &mut left)?;
        erase::<PlannedLinks>(change, &mut left)?;
        erase::<PlannedUnlinked>(change, &mut left)?;
        if open(change)? == 0 {
            let keys = change.tx.keys::<Moved>(Range::all())?.take(left);
            for account in keys.collect::<Result<Vec<_>, _>>()? {
                change.tx.delete::<Moved>(&account)?;
            }
        }
        Ok(())
    })?;
    Ok(true)
}

/// When there will be something to do, if ever.
pub(super) fn next(reader: &Reader<OrganizationScope>) -> Result<Option<Timestamp>, StoreError> {
    let plans = plans(reader)?;
    Ok(plans.iter().map(|(_, record)| due(record)).min())
}

fn plans(reader: &impl Read<OrganizationScope>) -> Result<Vec<(Uuid, PlanRecord)>, StoreError> {
    reader.scan::<Plans>(Range::all())?.collect()
}

/// When the plan expires, or is to be erased.
fn due(record: &PlanRecord) -> Timestamp {
    match &record.state {
        PlanState::Computing | PlanState::Ready => record.expires,
        PlanState::Confirming => Timestamp(u64::MAX),
        PlanState::Confirmed { at, .. } => at.plus(KEEP),
        PlanState::Outdated { .. } | PlanState::Failed { .. } => record.expires.plus(KEEP),
    }
}

fn expire(
    change: &mut Change<'_, '_>,
    now: Timestamp,
    plan: Uuid,
    mut record: PlanRecord,
) -> Result<(), StoreError> {
    if due(&record) > now {
        return Ok(());
    }
    if record.state.is_open() {
        record.state = PlanState::Outdated {
            why: format!("it expired at {}: make a new plan", record.expires),
        };
        change.tx.put::<Plans>(&plan, &record)?;
        change.event("plan.expired", json!({ "plan": plan }))?;
    } else {
        change.tx.delete::<Plans>(&plan)?;
        change.tx.delete::<Proposals>(&plan)?;
        change.event("plan.deleted", json!({ "plan": plan }))?;
    }
    watch(change)
}

fn is_due(reader: &Reader<OrganizationScope>, now: Timestamp) -> Result<bool, StoreError> {
    let plans = plans(reader)?;
    let known: Vec<Uuid> = plans.iter().map(|(plan, _)| *plan).collect();
    let none_open = !plans.iter().any(|(_, record)| record.state.is_open());
    Ok(plans.iter().any(|(_, record)| due(record) <= now)
        || orphan::<Planned>(reader, &known)?.is_some()
        || orphan::<PlannedOwners>(reader, &known)?.is_some()
        || orphan::<PlannedAsks>(reader, &known)?.is_some()
        || orphan::<PlannedLinks>(reader, &known)?.is_some()
        || orphan::<PlannedUnlinked>(reader, &known)?.is_some()
        || (none_open && reader.keys::<Moved>(Range::all())?.next().is_some()))
}

/// A plan of which there are rows, and which is not among these. Costs a look for each of these.
fn orphan<T>(
    reader: &impl Read<OrganizationScope>,
    known: &[Uuid],
) -> Result<Option<Uuid>, StoreError>
where
    T: Table<Scope = OrganizationScope, Key = (Uuid, Uuid)>,
{
    let mut range = Range::all();
    while let Some(row) = reader.keys::<T>(range)?.next() {
        let (plan, _) = row?;
        if !known.contains(&plan) {
            return Ok(Some(plan));
        }
        range = Range::all().after(&(plan, Uuid::max()));
    }
    Ok(None)
}

/// Erases rows of plans that are gone.
fn erase<T>(change: &mut Change<'_, '_>, left: &mut usize) -> Result<(), StoreError>
where
    T: Table<Scope = OrganizationScope, Key = (Uuid, Uuid)>,
{
    let known: Vec<Uuid> = plans(change.tx)?
        .into_iter()
        .map(|(plan, _)| plan)
        .collect();
    let Some(plan) = orphan::<T>(change.tx, &known)? else {
        return Ok(());
    };
    let keys = change.tx.keys::<T>(Range::prefix(&plan))?.take(*left);
    for key in keys.collect::<Result<Vec<_>, _>>()? {
        change.tx.delete::<T>(&key)?;
        *left -= 1;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::plan::{delete, find};
    use crate::model::access::{AccountOrigin, AccountRecord, AccountStatus, Accounts, Dirty};
    use crate::model::plans::{ChangeKind, Holding, PlannedRecord, ProposalRecord, Watching};
    use gatewright_store::{OrganizationId, RedbEngine, RedbOptions, Store};
    use std::sync::Arc;

    const PLAN: Uuid = Uuid::from_u128(7);

    struct World {
        organization: Organization,
        _folder: tempfile::TempDir,
    }

    impl World {
        /// With an open plan that expires at 1,000 and changes the accounts below `accounts`.
        fn new(accounts: u128) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("x.redb");
            let engine = RedbEngine::open(&file, RedbOptions::default()).unwrap();
            let store = Store::open(Arc::new(engine)).unwrap();
            let world = Self {
                organization: store.organization(OrganizationId::from(Uuid::from_u128(1))),
                _folder: folder,
            };
            world.change(move |change| {
                let record = PlanRecord {
                    state: PlanState::Ready,
                    walked: true,
                    ..PlanRecord::new(Timestamp(0), Timestamp(1_000), 1)
                };
                let proposal = ProposalRecord {
                    changes: Vec::new(),
                    base: String::new(),
                };
                change.tx.put::<Plans>(&PLAN, &record)?;
                change.tx.put::<Proposals>(&PLAN, &proposal)?;
                change.tx.put::<Watching>(&(), &true)?;
                for account in 0..accounts {
                    let key = (PLAN, Uuid::from_u128(account));
                    change.tx.put::<Planned>(&key, &planned())?;
                    change.tx.put::<PlannedAsks>(&key, &5)?;
                }
                Ok(())
            });
            world
        }

        fn change(
            &self,
            body: impl Fn(&mut Change<'_, '_>) -> Result<(), StoreError> + Send + 'static,
        ) {
            change(&self.organization, Timestamp(0), move |change| body(change)).unwrap();
        }

        fn steps(&self, now: u64) -> usize {
            (0..)
                .take_while(|_| step(&self.organization, Timestamp(now)).unwrap())
                .count()
        }

        fn rows(&self) -> (usize, usize, usize) {
            let reader = self.organization.read().unwrap();
            (
                reader.keys::<Planned>(Range::all()).unwrap().count(),
                reader.keys::<PlannedAsks>(Range::all()).unwrap().count(),
                reader.keys::<Moved>(Range::all()).unwrap().count(),
            )
        }
    }

    fn planned() -> PlannedRecord {
        let nothing = Holding {
            status: AccountStatus::Active,
            status_reason: String::new(),
            grants: Vec::new(),
        };
        PlannedRecord {
            label: String::new(),
            before: nothing.clone(),
            after: nothing,
            kinds: vec![ChangeKind::Gains],
            losses: 0,
            failure: None,
            link: None,
        }
    }

    #[test]
    fn a_plan_expires_and_is_erased_a_week_later_step_by_step() {
        let world = World::new(300);
        assert_eq!(world.steps(999), 0);
        let reader = world.organization.read().unwrap();
        assert_eq!(next(&reader).unwrap(), Some(Timestamp(1_000)));
        assert_eq!(world.steps(1_000), 1);
        let reader = world.organization.read().unwrap();
        let expired = find(&reader, PLAN).unwrap().state;
        assert!(matches!(expired, PlanState::Outdated { .. }), "{expired:?}");
        assert_eq!(next(&reader).unwrap(), Some(Timestamp(1_000 + KEEP)));
        assert_eq!(world.steps(999 + KEEP), 0);
        // 600 rows, 250 at a time; what looks for more finds none.
        assert_eq!(world.steps(1_000 + KEEP), 3);
        assert_eq!(world.rows(), (0, 0, 0));
        let reader = world.organization.read().unwrap();
        assert!(find(&reader, PLAN).is_err());
        assert_eq!(next(&reader).unwrap(), None);
    }

    /// What is marked has to be there.
    fn account(change: &mut Change<'_, '_>, id: Uuid) -> Result<(), StoreError> {
        let record = AccountRecord {
            users: Vec::new(),
            status: AccountStatus::Active,
            status_reason: String::new(),
            created: Timestamp(0),
            label: String::new(),
            origin: AccountOrigin::Directory,
            external_id: None,
            email: None,
            free: false,
            left: None,
        };
        change.tx.put::<Accounts>(&id, &record)
    }

    #[test]
    fn what_happens_to_accounts_is_noted_while_a_plan_is_open() {
        let world = World::new(1);
        let (planned, other) = (Uuid::from_u128(0), Uuid::from_u128(9));
        world.change(move |change| {
            account(change, planned)?;
            account(change, other)
        });
        world.change(move |change| {
            change.mark(planned)?;
            change.mark(other)
        });
        assert_eq!(world.rows().2, 2);
        delete(&world.organization, Timestamp(0), PLAN).unwrap();
        assert_eq!(world.steps(0), 1);
        assert_eq!(world.rows(), (0, 0, 0));
        world.change(move |change| change.mark(other));
        assert_eq!(world.rows().2, 0);
    }

    #[test]
    fn a_mark_names_the_plan_that_shows_the_account_until_its_own_facts_change() {
        let world = World::new(1);
        let (shown, unshown) = (Uuid::from_u128(0), Uuid::from_u128(9));
        world.change(move |change| {
            account(change, shown)?;
            account(change, unshown)
        });
        let plan_of = |account: Uuid| {
            let reader = world.organization.read().unwrap();
            reader.get::<Dirty>(&account).unwrap().unwrap().plan
        };
        let revision = |it: &World| crate::ledger::revision(&it.organization.read().unwrap());
        // What waited for a decision when the plan was confirmed was seen by the confirmation.
        world.change(move |change| change.mark(shown));
        let confirmed = revision(&world).unwrap();
        world.change(move |change| {
            change.mark_planned(shown, confirmed, PLAN)?;
            change.mark_planned(unshown, confirmed, PLAN)
        });
        assert_eq!((plan_of(shown), plan_of(unshown)), (Some(PLAN), None));
        world.change(move |change| change.mark(shown));
        assert_eq!(plan_of(shown), None);
        // What happened behind the confirmation was not.
        world.change(move |change| change.mark_planned(shown, confirmed, PLAN));
        assert_eq!(plan_of(shown), None);
    }
}
