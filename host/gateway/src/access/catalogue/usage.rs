//! Who uses what a catalogue would no longer have.

use super::{has, kind_name, load, names};
use crate::model::access::{ASSIGNMENTS_BY_GRANT, Accounts, GrantKind};
use crate::model::catalogue::Catalogue;
use crate::model::mapping::{MappingEntry, MappingRecord, Mappings};
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::collections::BTreeSet;
use uuid::Uuid;

/// How many mapping entries and accounts are named for each thing.
const NAMED: usize = 20;

/// How far accounts are counted.
const COUNTED: usize = 1_000;

/// How many things are looked at: with these everybody knows that there is something to do first.
const THINGS: usize = 10;

const KINDS: [GrantKind; 3] = [GrantKind::BaseRole, GrantKind::CustomRole, GrantKind::Seat];

/// A role or seat that is in use.
#[derive(Clone, Debug)]
pub struct Use {
    /// What it is.
    pub kind: GrantKind,
    /// Its name.
    pub name: String,
    /// How many entries of the mapping give it.
    pub entries: usize,
    /// The ids of the first of them.
    pub some_entries: Vec<Uuid>,
    /// How many accounts have it, counted up to 1,000.
    pub accounts: usize,
    /// The first of them, with their labels.
    pub some_accounts: Vec<(Uuid, String)>,
}

impl Use {
    /// What it is, in words.
    #[must_use]
    pub fn thing(&self) -> String {
        format!("{} \"{}\"", kind_name(self.kind), self.name)
    }

    /// Who uses it, in words.
    #[must_use]
    pub fn users(&self) -> String {
        let mut users = Vec::new();
        match self.entries {
            0 => {}
            1 => users.push("1 mapping entry gives it".to_owned()),
            more => users.push(format!("{more} mapping entries give it")),
        }
        match self.accounts {
            0 => {}
            1 => users.push("1 account has it".to_owned()),
            COUNTED => users.push(format!("{COUNTED} accounts or more have it")),
            more => users.push(format!("{more} accounts have it")),
        }
        users.join(" and ")
    }
}

/// What the catalogue would no longer have and the mapping gives or somebody has. Costs a look for
/// each thing that is removed, and up to 1,000 index entries for each of the first that are used.
pub(super) fn of_removed(
    reader: &impl Read<OrganizationScope>,
    after: &Catalogue,
) -> Result<Vec<Use>, StoreError> {
    let before = load(reader)?;
    let mapping = reader.get::<Mappings>(&())?.unwrap_or_default();
    let mut uses = by_mapping(after, &mapping);
    for kind in KINDS {
        for name in names(&before, kind) {
            let known = |used: &Use| used.kind == kind && used.name == name;
            if !has(after, kind, &name) && !uses.iter().any(known) {
                uses.push(Use::none(kind, &name));
            }
        }
    }
    let mut used = Vec::new();
    for mut one in uses {
        if used.len() == THINGS {
            break;
        }
        find_accounts(reader, &mut one)?;
        if one.entries + one.accounts > 0 {
            used.push(one);
        }
    }
    Ok(used)
}

/// What the mapping gives and the catalogue does not have.
pub(super) fn by_mapping(catalogue: &Catalogue, mapping: &MappingRecord) -> Vec<Use> {
    let lacks = |entry: &&MappingEntry| !has(catalogue, entry.kind, &entry.target);
    let lacking: Vec<&MappingEntry> = mapping.entries.iter().filter(lacks).collect();
    let things: BTreeSet<(GrantKind, &str)> = lacking
        .iter()
        .map(|entry| (entry.kind, entry.target.as_str()))
        .collect();
    let mut uses = Vec::new();
    for (kind, name) in things.into_iter().take(THINGS) {
        let same = |entry: &&&MappingEntry| entry.kind == kind && entry.target == name;
        let mut one = Use::none(kind, name);
        for entry in lacking.iter().filter(same) {
            one.entries += 1;
            if one.some_entries.len() < NAMED {
                one.some_entries.push(entry.id);
            }
        }
        uses.push(one);
    }
    uses
}

impl Use {
    fn none(kind: GrantKind, name: &str) -> Self {
        Self {
            kind,
            name: name.to_owned(),
            entries: 0,
            some_entries: Vec::new(),
            accounts: 0,
            some_accounts: Vec::new(),
        }
    }
}

fn find_accounts(reader: &impl Read<OrganizationScope>, one: &mut Use) -> Result<(), StoreError> {
    let range = Range::prefix(&(one.kind as u8, one.name.clone()));
    for row in reader
        .index_scan(&ASSIGNMENTS_BY_GRANT, range)?
        .take(COUNTED)
    {
        let (_, account) = row?;
        one.accounts += 1;
        if one.some_accounts.len() < NAMED {
            let record = reader.get::<Accounts>(&account)?;
            let label = record.map_or_else(String::new, |record| record.label);
            one.some_accounts.push((account, label));
        }
    }
    Ok(())
}
