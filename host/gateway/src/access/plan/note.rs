//! Takes down what a step of a plan came to or, where the plan is being confirmed, in which way that
//! is not what it shows.

use super::difference::{self, Ranks};
use super::finish::close;
use super::part::Part;
use super::seats;
use crate::access::reconcile::trial::Tried;
use crate::clock::Timestamp;
use crate::ledger::{Change, change};
use crate::model::plans::{
    ChangeKind, Difference, LinkDifference, LinkKind, PlanRecord, PlanState, Planned, PlannedAsks,
    PlannedLinkRecord, PlannedLinks, PlannedOwners, PlannedRecord, PlannedUnlinked, Plans,
};
use gatewright_store::{Organization, Read, StoreError, WriteError};
use std::sync::Arc;
use uuid::Uuid;

/// How many accounts that differ are kept, of those that keep a plan from being confirmed.
const DIFFERENCES: usize = 20;

/// So many accounts without a decision, and half of all that were tried, end a plan.
const MOST_FAILED: u64 = 50;

/// What became of each user that was looked at; none of one that is gone.
type Links = Vec<(Uuid, Option<PlannedLinkRecord>)>;

/// What a step came to.
pub(super) struct Noted {
    /// What it went through.
    pub(super) part: Part,
    /// What the accounts come to.
    pub(super) tried: Vec<Tried>,
    /// What becomes of the users of the directory that the plan puts into force, if it does.
    pub(super) links: Option<Links>,
}

/// Takes down what some accounts come to.
pub(super) fn note(
    organization: &Organization,
    now: Timestamp,
    plan: Uuid,
    ranks: Ranks,
    noted: Noted,
) -> Result<(), WriteError<StoreError>> {
    let noted = Arc::new(noted);
    change(organization, now, move |change| {
        let Some(record) = change.tx.get::<Plans>(&plan)? else {
            return Ok(());
        };
        let computing = match record.state {
            PlanState::Computing => true,
            PlanState::Confirming => false,
            PlanState::Ready
            | PlanState::Confirmed { .. }
            | PlanState::Outdated { .. }
            | PlanState::Failed { .. } => return Ok(()),
        };
        let mut step = Step {
            plan,
            record,
            ranks: &ranks,
        };
        let links = noted.links.as_deref().unwrap_or(&[]);
        let opened = links.iter().filter(|(_, link)| is_new(link)).count();
        let confirms = noted.links.is_some();
        noted.part.pass(&mut step.record, opened as u64, confirms);
        for (user, link) in links {
            if computing {
                step.put_link(change, *user, link.as_ref())?;
            } else {
                step.compare_link(change, *user, link.as_ref())?;
            }
        }
        for one in &noted.tried {
            let key = (plan, one.account);
            ask(change, key, one.ask_again)?;
            // Who is owner counts in the end, whatever the plan changes.
            own(change, key, one, &ranks)?;
            if computing {
                step.put(change, one, link_of(links, one.account))?;
                if confirms {
                    step.unlinked(change, key, one)?;
                }
            } else {
                step.compare(change, one)?;
            }
        }
        let failed = step.record.counts.kinds[ChangeKind::Failed as usize];
        if computing && failed >= MOST_FAILED && failed * 2 >= step.record.considered {
            let mut failures = noted
                .tried
                .iter()
                .filter_map(|one| one.after.as_ref().err());
            let why = failures.next().cloned().unwrap_or_default();
            let why = format!("there is no decision about {failed} accounts; {why}");
            let state = PlanState::Failed { why };
            return close(change, plan, step.record, state, "plan.failed");
        }
        change.tx.put::<Plans>(&plan, &step.record)
    })
    .map(|_| ())
}

fn is_new(link: &Option<PlannedLinkRecord>) -> bool {
    link.as_ref().is_some_and(|link| link.kind == LinkKind::New)
}

/// How an account comes to a user in this step, if it does.
fn link_of(links: &[(Uuid, Option<PlannedLinkRecord>)], account: Uuid) -> Option<LinkKind> {
    let mut links = links.iter().filter_map(|(_, link)| link.as_ref());
    let link = links.find(|link| link.account == account && link.kind != LinkKind::Waiting);
    link.map(|link| link.kind)
}

/// A step of a plan that is being taken down.
struct Step<'a> {
    plan: Uuid,
    record: PlanRecord,
    ranks: &'a Ranks,
}

impl Step<'_> {
    fn put(
        &mut self,
        change: &mut Change<'_, '_>,
        one: &Tried,
        link: Option<LinkKind>,
    ) -> Result<(), StoreError> {
        let key = (self.plan, one.account);
        let before = change.tx.get::<Planned>(&key)?;
        let mut after = difference::planned(one, self.ranks);
        count(&mut self.record, before.as_ref(), after.as_ref());
        match &mut after {
            Some(after) => {
                after.link = link;
                change.tx.put::<Planned>(&key, after)
            }
            None if before.is_some() => change.tx.delete::<Planned>(&key).map(|_| ()),
            None => Ok(()),
        }
    }

    fn compare(&mut self, change: &Change<'_, '_>, one: &Tried) -> Result<(), StoreError> {
        let before = change.tx.get::<Planned>(&(self.plan, one.account))?;
        if difference::agree(before.as_ref(), one, self.ranks) {
            return Ok(());
        }
        let label = match &before {
            Some(before) if one.label.is_empty() => before.label.clone(),
            _ => one.label.clone(),
        };
        let sides = |it: PlannedRecord| (it.before, it.after);
        let now = difference::planned(one, self.ranks).map(sides);
        let planned = before.map(sides);
        let difference = self.difference(one.account, label);
        if let Some(difference) = difference {
            difference.planned = planned;
            difference.now = now;
        }
        Ok(())
    }

    fn put_link(
        &mut self,
        change: &mut Change<'_, '_>,
        user: Uuid,
        link: Option<&PlannedLinkRecord>,
    ) -> Result<(), StoreError> {
        let key = (self.plan, user);
        if let Some(before) = change.tx.get::<PlannedLinks>(&key)? {
            self.record.links.kinds[before.kind as usize] -= 1;
        }
        match link {
            Some(link) => {
                self.record.links.kinds[link.kind as usize] += 1;
                change.tx.put::<PlannedLinks>(&key, link)
            }
            None => change.tx.delete::<PlannedLinks>(&key).map(|_| ()),
        }
    }

    fn compare_link(
        &mut self,
        change: &Change<'_, '_>,
        user: Uuid,
        link: Option<&PlannedLinkRecord>,
    ) -> Result<(), StoreError> {
        let before = change.tx.get::<PlannedLinks>(&(self.plan, user))?;
        let same = match (&before, link) {
            (None, None) => true,
            // A name is no matter.
            (Some(before), Some(now)) => {
                (before.kind, before.account, before.why, &before.candidates)
                    == (now.kind, now.account, now.why, &now.candidates)
            }
            (None, Some(_)) | (Some(_), None) => false,
        };
        let Some(shown) = link.or(before.as_ref()).filter(|_| !same) else {
            return Ok(());
        };
        let (account, label) = (shown.account, shown.label.clone());
        if let Some(difference) = self.difference(account, label) {
            difference.link = Some(LinkDifference {
                user,
                planned: before.clone(),
                now: link.cloned(),
            });
        }
        Ok(())
    }

    /// The place to write down in which way an account differs; none where there are many already.
    /// It may be seen twice: undecided, and decided.
    fn difference(&mut self, account: Uuid, label: String) -> Option<&mut Difference> {
        let record = &mut self.record;
        let known = record.differences.iter();
        let place = known.into_iter().position(|known| known.account == account);
        if let Some(place) = place {
            return record.differences.get_mut(place);
        }
        record.different += 1;
        if record.differences.len() == DIFFERENCES {
            return None;
        }
        record.differences.push(Difference {
            account,
            label,
            planned: None,
            now: None,
            link: None,
        });
        record.differences.last_mut()
    }

    fn unlinked(
        &mut self,
        change: &mut Change<'_, '_>,
        key: (Uuid, Uuid),
        one: &Tried,
    ) -> Result<(), StoreError> {
        let known = change.tx.contains::<PlannedUnlinked>(&key)?;
        match (one.unlinked, known) {
            (true, _) => {
                self.record.links.unlinked += u64::from(!known);
                change.tx.put::<PlannedUnlinked>(&key, &one.label)
            }
            (false, true) => {
                self.record.links.unlinked -= 1;
                change.tx.delete::<PlannedUnlinked>(&key).map(|_| ())
            }
            (false, false) => Ok(()),
        }
    }
}

fn ask(
    change: &mut Change<'_, '_>,
    key: (Uuid, Uuid),
    ask_again: Option<u64>,
) -> Result<(), StoreError> {
    match ask_again {
        // As the reconciler does, not before a second has passed.
        Some(at) => {
            let at = at.max(change.at().plus(1_000).0);
            change.tx.put::<PlannedAsks>(&key, &at)
        }
        None => change.tx.delete::<PlannedAsks>(&key).map(|_| ()),
    }
}

/// Takes down whether the account would be an active owner. Where there is no decision it stays
/// what it is.
fn own(
    change: &mut Change<'_, '_>,
    key: (Uuid, Uuid),
    tried: &Tried,
    ranks: &Ranks,
) -> Result<(), StoreError> {
    if ranks.is_owner(tried.after.as_ref().unwrap_or(&tried.before)) {
        change.tx.put::<PlannedOwners>(&key, &tried.label)
    } else {
        change.tx.delete::<PlannedOwners>(&key).map(|_| ())
    }
}

fn count(record: &mut PlanRecord, before: Option<&PlannedRecord>, after: Option<&PlannedRecord>) {
    let counts = &mut record.counts;
    let changes = |it: &&PlannedRecord| it.failure.is_none();
    if let Some(before) = before {
        counts.changed -= u64::from(changes(&before));
        for kind in &before.kinds {
            counts.kinds[*kind as usize] -= 1;
        }
        seats::count(&mut record.seats, before, |number| number.saturating_sub(1));
    }
    if let Some(after) = after {
        counts.changed += u64::from(changes(&after));
        for kind in &after.kinds {
            counts.kinds[*kind as usize] += 1;
        }
        seats::count(&mut record.seats, after, |number| number + 1);
    }
}
