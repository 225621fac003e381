//! One account of an import: known, adopted or new, and what it is given.

use super::{Imported, ItemError, NewAccount, Outcome, Problem};
use crate::access::standing::{Phases, Standing};
use crate::access::{accounts, assignment, catalogue, domains, guard, history, links};
use crate::clock::Random;
use crate::ledger::Change;
use crate::model::access::{
    ACCOUNTS_BY_EMAIL, ACCOUNTS_BY_EXTERNAL_ID, AccountOrigin, AccountRecord, AccountStatus,
    Accounts, AssignmentRecord, Assignments, GrantKind, GrantOrigin, GrantRecord,
};
use crate::model::catalogue::Catalogue;
use crate::model::facts::{
    ResourceKey, USERS_BY_EMAIL, USERS_BY_EXTERNAL_ID, USERS_BY_NAME, Users,
};
use crate::model::people::Links;
use crate::model::tenancy::LinkBy;
use gatewright_store::{Range, Read, StoreError};
use serde_json::json;
use uuid::Uuid;

/// Characters of a text.
const MOST_TEXT: usize = 256;

/// What is the same for all accounts of a part.
pub(super) struct Import<'a> {
    pub(super) catalogue: Catalogue,
    pub(super) phases: Phases,
    pub(super) random: &'a Random,
}

impl Import<'_> {
    /// Takes one account.
    pub(super) fn one(
        &self,
        change: &mut Change<'_, '_>,
        new: &NewAccount,
        again: bool,
    ) -> Result<Imported, ItemError> {
        self.check(new, again)?;
        let known = change.tx.find(&ACCOUNTS_BY_EXTERNAL_ID, &new.external_id)?;
        if let Some(id) = known {
            let changed = self.update(change, id, new)?;
            return self.imported(
                change,
                id,
                if changed {
                    Outcome::Changed
                } else {
                    Outcome::Unchanged
                },
            );
        }
        if let Some(id) = self.to_adopt(change, new)? {
            self.update(change, id, new)?;
            return self.imported(change, id, Outcome::Adopted);
        }
        let id = self.random.id(change.at());
        let record = AccountRecord {
            users: Vec::new(),
            status: new.status.map_or(AccountStatus::Active, Into::into),
            status_reason: "imported".into(),
            created: change.at(),
            label: new.label.clone().unwrap_or_else(|| new.email.clone()),
            origin: AccountOrigin::Import,
            external_id: Some(new.external_id.clone()),
            email: Some(new.email.to_lowercase()),
            free: true,
            left: None,
        };
        change.tx.put::<Accounts>(&id, &record)?;
        change.event(
            "account.imported",
            json!({
                "account": id, "label": record.label, "external_id": record.external_id,
                "email": record.email, "status": record.status,
            }),
        )?;
        change.moved(id)?;
        history::status(change, id, None, record.status, &record.status_reason)?;
        self.grant(change, id, &record.label, new)?;
        self.settle_waiting(change, new)?;
        self.imported(change, id, Outcome::Created)
    }

    fn imported(
        &self,
        change: &Change<'_, '_>,
        account: Uuid,
        result: Outcome,
    ) -> Result<Imported, ItemError> {
        let record = change.tx.get::<Accounts>(&account)?;
        let standing = record.map(|record| Standing::of(&record, &self.phases));
        Ok(Imported {
            account,
            result,
            managed_by: standing.and_then(Standing::manager),
        })
    }

    fn check(&self, new: &NewAccount, again: bool) -> Result<(), ItemError> {
        let texts = [
            ("external_id", Some(&new.external_id)),
            ("email", Some(&new.email)),
            ("label", new.label.as_ref()),
        ];
        for (field, text) in texts {
            let long = |text: &&String| text.trim().is_empty() || text.chars().count() > MOST_TEXT;
            if text.filter(long).is_some() {
                let problem = format!("must not be empty or longer than {MOST_TEXT} characters");
                return Err(Problem::of(field, problem));
            }
        }
        if again {
            let problem = "is there twice in this request: the first was taken";
            return Err(Problem::of("external_id", problem));
        }
        if domains::of_email(&new.email).is_none() {
            let problem = format!("\"{}\" is no email", new.email);
            return Err(Problem::of("email", problem));
        }
        let role = new
            .role
            .iter()
            .map(|name| ("role".to_owned(), GrantKind::BaseRole, name));
        let listed = |field: &'static str, kind, names: &'_ Option<Vec<String>>| {
            let names = names.clone().unwrap_or_default();
            let named = names.into_iter().enumerate();
            named
                .map(|(place, name)| (format!("{field}[{place}]"), kind, name))
                .collect::<Vec<_>>()
        };
        let custom = listed("custom_roles", GrantKind::CustomRole, &new.custom_roles);
        let seats = listed("seats", GrantKind::Seat, &new.seats);
        let role = role.map(|(field, kind, name)| (field, kind, name.clone()));
        for (field, kind, name) in role.chain(custom).chain(seats) {
            if !catalogue::has(&self.catalogue, kind, &name) {
                let (kind_name, known) = (
                    catalogue::kind_name(kind),
                    catalogue::names(&self.catalogue, kind).join(", "),
                );
                let problem =
                    format!("the catalogue has no {kind_name} \"{name}\"; it has: {known}");
                return Err(Problem::of(field, problem));
            }
        }
        Ok(())
    }

    /// Brings a known account up to date. Answers whether anything changed.
    fn update(
        &self,
        change: &mut Change<'_, '_>,
        id: Uuid,
        new: &NewAccount,
    ) -> Result<bool, ItemError> {
        let Some(mut record) = change.tx.get::<Accounts>(&id)? else {
            return Ok(false);
        };
        let before = record.clone();
        let free = Standing::of(&record, &self.phases) == Standing::Free;
        if free {
            self.refuse_last_owner(change, id, &record, new)?;
        }
        record.external_id = Some(new.external_id.clone());
        record.email = Some(new.email.to_lowercase());
        if free && let Some(label) = &new.label {
            record.label.clone_from(label);
        }
        let same = record == before;
        if !same {
            change.tx.put::<Accounts>(&id, &record)?;
            change.event(
                "account.changed",
                json!({
                    "account": id, "label": record.label, "external_id": record.external_id,
                    "email": record.email,
                }),
            )?;
        }
        let status = new.status.map(AccountStatus::from);
        let status = status.filter(|status| free && *status != record.status);
        if let Some(status) = status {
            accounts::set_status(change, id, &record, status, "imported")?;
        }
        let granted = free && self.grant(change, id, &record.label, new)?;
        let changed = !same || status.is_some() || granted;
        if changed {
            change.moved(id)?;
        }
        Ok(changed)
    }

    /// Whether the application would take the owner role, or the access, from the last active account
    /// that has it: asked before anything is stored.
    fn refuse_last_owner(
        &self,
        change: &Change<'_, '_>,
        account: Uuid,
        record: &AccountRecord,
        new: &NewAccount,
    ) -> Result<(), ItemError> {
        if record.status != AccountStatus::Active {
            return Ok(());
        }
        let stored = change.tx.get::<Assignments>(&account)?;
        let had = stored.map_or_else(Vec::new, |stored| stored.grants);
        let field = if guard::is_last(change.tx, account, &had, &brought(change, &had, new))? {
            "role"
        } else if new.status.map(AccountStatus::from) == Some(AccountStatus::Deactivated)
            && guard::is_last(change.tx, account, &had, &[])?
        {
            "status"
        } else {
            return Ok(());
        };
        let owner = guard::owner_role(change.tx)?.unwrap_or_default();
        let problem = format!(
            "is the last active account with the role \"{owner}\" and has to stay it: bring another \
             one with that role first, which an earlier item of this request may do"
        );
        Err(Problem::of(field, problem))
    }

    /// Gives what the application says the account has, and takes what it does not say, but for what
    /// a person gave by hand. Answers whether anything changed.
    fn grant(
        &self,
        change: &mut Change<'_, '_>,
        account: Uuid,
        label: &str,
        new: &NewAccount,
    ) -> Result<bool, StoreError> {
        let stored = change.tx.get::<Assignments>(&account)?;
        let mut stored = stored.unwrap_or_else(|| AssignmentRecord::undecided(change.at()));
        let before = stored.grants;
        stored.grants = brought(change, &before, new);
        if stored.grants == before {
            return Ok(false);
        }
        let why = |_: &GrantRecord| "the application brought the account without it".to_owned();
        assignment::changed(change, (account, label), &before, &stored.grants, &why)?;
        change.tx.put::<Assignments>(&account, &stored)?;
        let record = change.tx.get::<Accounts>(&account)?;
        if record.is_some_and(|record| record.status == AccountStatus::Active) {
            guard::activated(change, account)?;
        }
        Ok(true)
    }

    /// The account that the gateway opened itself for a user whom this account is: without the
    /// application's id so far, and of a verified domain.
    fn to_adopt(
        &self,
        change: &Change<'_, '_>,
        new: &NewAccount,
    ) -> Result<Option<Uuid>, ItemError> {
        let mut found = Vec::new();
        for user in self.users_of(change, new)? {
            let Some(record) = change.tx.get::<Users>(&user)? else {
                continue;
            };
            let account = change.tx.get::<Accounts>(&record.account)?;
            let opened = account.is_some_and(|account| {
                account.users.contains(&user) && account.external_id.is_none()
            });
            if opened && !found.contains(&record.account) {
                found.push(record.account);
            }
        }
        // One that was left behind when its directory was uninstalled has kept its email.
        let email = new.email.to_lowercase();
        let rows = change
            .tx
            .index_scan(&ACCOUNTS_BY_EMAIL, Range::prefix(&email))?;
        for row in rows.take(2) {
            let (_, id) = row?;
            let account = change.tx.get::<Accounts>(&id)?;
            let without = account.is_some_and(|account| account.external_id.is_none());
            if without && !found.contains(&id) {
                found.push(id);
            }
        }
        let why = match found[..] {
            [] => return Ok(None),
            [id] if domains::is_verified(change.tx, &email)? => return Ok(Some(id)),
            [id] => format!(
                "account {id} was opened for a user with this email, and its domain is not \
                 verified: verify it, then bring the account again"
            ),
            _ => "several accounts were opened for users with this email: which one it is cannot \
                  be told"
                .to_owned(),
        };
        Err(Problem::of("email", why))
    }

    /// The users, of directories in force, whom the account is by what their directory links by.
    fn users_of(
        &self,
        change: &Change<'_, '_>,
        new: &NewAccount,
    ) -> Result<Vec<ResourceKey>, StoreError> {
        let mut users = Vec::new();
        let email = new.email.to_lowercase();
        for directory in self.phases.all_in_force() {
            let (index, value) = match links::link_by(change.tx, directory)? {
                LinkBy::Email => (&USERS_BY_EMAIL, email.clone()),
                LinkBy::UserName => (&USERS_BY_NAME, email.clone()),
                LinkBy::ExternalId => (&USERS_BY_EXTERNAL_ID, new.external_id.clone()),
            };
            let rows = change
                .tx
                .index_scan(index, Range::prefix(&(directory, value)))?;
            for row in rows.take(10) {
                users.push(row?.1);
            }
        }
        Ok(users)
    }

    /// Looks again at users that wait and whom the new account is.
    fn settle_waiting(
        &self,
        change: &mut Change<'_, '_>,
        new: &NewAccount,
    ) -> Result<(), StoreError> {
        for user in self.users_of(change, new)? {
            if change.tx.contains::<Links>(&user.1)? {
                let link_by = links::link_by(change.tx, user.0)?;
                links::settle(change, &self.phases, link_by, user)?;
            }
        }
        Ok(())
    }
}

/// What an account has that the application brings: what it says, and what a person gave by hand.
fn brought(change: &Change<'_, '_>, before: &[GrantRecord], new: &NewAccount) -> Vec<GrantRecord> {
    let mut grants = before.to_vec();
    let role = new.role.as_ref().map(std::slice::from_ref);
    let lists = [
        (GrantKind::BaseRole, role),
        (GrantKind::CustomRole, new.custom_roles.as_deref()),
        (GrantKind::Seat, new.seats.as_deref()),
    ];
    for (kind, names) in lists {
        let Some(names) = names else {
            continue;
        };
        let by_hand =
            |grant: &GrantRecord| grant.kind == kind && grant.origin == GrantOrigin::Manual;
        // There is one base role, and the one that was given by hand stands.
        if kind == GrantKind::BaseRole && before.iter().any(by_hand) {
            continue;
        }
        grants.retain(|grant| grant.kind != kind || by_hand(grant) || names.contains(&grant.name));
        for name in names {
            let same = |grant: &GrantRecord| grant.kind == kind && grant.name == *name;
            if !grants.iter().any(same) {
                grants.push(GrantRecord {
                    kind,
                    name: name.clone(),
                    reason: "the application brought it with the account".into(),
                    mapping_entry: None,
                    since: change.at(),
                    origin: GrantOrigin::Import,
                    by: None,
                    revision: change.revision(),
                    request: None,
                });
            }
        }
    }
    assignment::sort(&mut grants);
    grants
}
