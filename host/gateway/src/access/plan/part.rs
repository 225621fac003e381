//! Which accounts a step of a plan tries, and where the plan is after them.
//!
//! First come all accounts, then all users of the directory that the plan puts into force, then those
//! to whom something happened meanwhile.

use super::people::{self, Concerned};
use super::step::failing;
use crate::clock::Timestamp;
use crate::model::access::{Accounts, Dirty};
use crate::model::facts::Users;
use crate::model::plans::{
    MOVED_BY_REVISION, PLANNED_BY_ASK, PlanRecord, PlannedLinkRecord, ProposalRecord,
};
use gatewright_store::{OrganizationScope, Range, Read, Reader, StoreError};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many accounts are tried in a step.
const STEP: usize = 64;

/// Where the ids of a part come from.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The walk through all accounts.
    Accounts,
    /// The walk through the users of the directory.
    Users,
    /// The policies wanted to be asked again by now.
    Asked,
    /// Something happened to them.
    Moved,
}

/// What a step goes through: accounts and users, each with those that it concerns.
pub(super) struct Part {
    stage: Stage,
    ids: Vec<Uuid>,
    /// Of each of them, in which revision something happened to it; empty but in the last stage.
    moved: Vec<u64>,
    /// Whom each of them concerns.
    concerned: Vec<Concerned>,
    /// Whether the walk ends with these.
    last: bool,
    /// Whether the next one waits for its decision, which moves it again.
    pub(super) waits: bool,
}

impl Part {
    pub(super) fn next(
        reader: &Reader<OrganizationScope>,
        plan: Uuid,
        record: &PlanRecord,
        proposal: &ProposalRecord,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        let directory = proposal.confirms();
        let mut part = Self::ids(reader, plan, record, directory, now)?;
        for id in &part.ids {
            let mut concerned = Concerned::default();
            match (part.stage, directory) {
                (Stage::Users, _) => {
                    concerned.users.insert(*id);
                }
                (Stage::Asked | Stage::Moved, Some(directory)) => {
                    concerned = people::concerned(reader, plan, directory, *id)?;
                }
                (Stage::Accounts, _) | (Stage::Asked | Stage::Moved, None) => {
                    concerned.accounts.insert(*id);
                }
            }
            part.concerned.push(concerned);
        }
        Ok(part)
    }

    fn of(stage: Stage) -> Self {
        Self {
            stage,
            ids: Vec::with_capacity(STEP),
            moved: Vec::new(),
            concerned: Vec::with_capacity(STEP),
            last: false,
            waits: false,
        }
    }

    fn ids(
        reader: &Reader<OrganizationScope>,
        plan: Uuid,
        record: &PlanRecord,
        directory: Option<Uuid>,
        now: Timestamp,
    ) -> Result<Self, StoreError> {
        if !record.walked && !record.accounts_walked {
            let mut part = Self::of(Stage::Accounts);
            let range = Range::all().behind(record.done);
            for account in reader.keys::<Accounts>(range)?.take(STEP) {
                part.ids.push(account?);
            }
            part.last = part.ids.len() < STEP;
            if !part.ids.is_empty() {
                return Ok(part);
            }
        }
        if !record.walked
            && let Some(directory) = directory
        {
            let mut part = Self::of(Stage::Users);
            let range = Range::prefix(&directory);
            let range = range.behind(record.done_users.map(|done| (directory, done)));
            for user in reader.keys::<Users>(range)?.take(STEP) {
                part.ids.push(user?.1);
            }
            part.last = part.ids.len() < STEP;
            if !part.ids.is_empty() {
                return Ok(part);
            }
        }
        // What was decided until a time that is over may be decided otherwise now.
        let mut part = Self::of(Stage::Asked);
        for row in reader
            .index_scan(&PLANNED_BY_ASK, Range::prefix(&plan))?
            .take(STEP)
        {
            let ((_, at), (_, account)) = row?;
            if at > now.0 {
                break;
            }
            part.ids.push(account);
        }
        if !part.ids.is_empty() {
            return Ok(part);
        }
        let mut part = Self::of(Stage::Moved);
        let patient = !failing(reader)?;
        let range = Range::all().after(&record.seen);
        for row in reader.index_scan(&MOVED_BY_REVISION, range)?.take(STEP) {
            let ((revision, account), _) = row?;
            let dirty = reader.get::<Dirty>(&account)?;
            if patient && dirty.is_some_and(|dirty| dirty.failures == 0) {
                part.waits = true;
                break;
            }
            part.ids.push(account);
            part.moved.push(revision);
        }
        Ok(part)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The users to look at, each once.
    pub(super) fn users(&self) -> Vec<Uuid> {
        let all = self.concerned.iter().flat_map(|one| &one.users);
        all.copied().collect::<BTreeSet<_>>().into_iter().collect()
    }

    /// The accounts to try, each once, with those that the users get.
    pub(super) fn accounts(&mut self, links: &[(Uuid, Option<PlannedLinkRecord>)]) -> Vec<Uuid> {
        let mut seen = BTreeSet::new();
        let mut accounts = Vec::new();
        for concerned in &mut self.concerned {
            for user in &concerned.users {
                let found = links.iter().find(|(other, _)| other == user);
                // The id that is reserved for who waits is tried, too: it may have been shown as a
                // new account.
                if let Some((_, Some(link))) = found {
                    concerned.accounts.insert(link.account);
                }
            }
            concerned.accounts.retain(|account| seen.insert(*account));
            accounts.extend(&concerned.accounts);
        }
        accounts
    }

    /// What is left of it where only so many of its accounts were come to. Answers how many of them
    /// belong to what is left.
    pub(super) fn cut(&mut self, reached: usize) -> usize {
        let mut accounts = 0;
        let whole = self
            .concerned
            .iter()
            .take_while(|concerned| {
                let with = accounts + concerned.accounts.len();
                let fits = with <= reached;
                if fits {
                    accounts = with;
                }
                fits
            })
            .count();
        self.last &= whole == self.ids.len();
        self.ids.truncate(whole);
        self.moved.truncate(whole);
        self.concerned.truncate(whole);
        accounts
    }

    /// Moves the plan's place behind these accounts. `opened` of them are new.
    pub(super) fn pass(&self, record: &mut PlanRecord, opened: u64, confirms: bool) {
        let Some(last) = self.ids.last() else {
            return;
        };
        match self.stage {
            Stage::Accounts => {
                record.done = Some(*last);
                record.accounts_walked |= self.last;
                record.walked |= self.last && !confirms;
                record.considered += self.ids.len() as u64;
            }
            Stage::Users => {
                record.accounts_walked = true;
                record.done_users = Some(*last);
                record.walked |= self.last;
                record.considered += opened;
            }
            Stage::Asked => {}
            Stage::Moved => {
                if let Some(revision) = self.moved.last() {
                    record.seen = (*revision, *last);
                }
            }
        }
    }
}
