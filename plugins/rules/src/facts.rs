//! What a condition sees of one account.

use crate::person::{Person, name_of};
use cel::ExecutionError;
use cel::common::traits::Indexer;
use cel::common::types::{CelBool, CelList, CelString, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use gatewright_sdk::{Account, AccountStatus, PresenceSignal, Proposal};
use std::sync::OnceLock;

static RECORD: Type = Type::new_unspecified_type("record");

/// The variables of a condition. Lists are made when the first condition asks for them.
pub(crate) struct Facts<'a> {
    account: &'a Account,
    roles: Option<&'a [Proposal]>,
    user: Person<'a>,
    status: Record<'a>,
    lists: [OnceLock<CelList<'a>>; 4],
}

impl<'a> Facts<'a> {
    /// Those of an account; for a seat policy with the roles of this pass.
    pub(crate) fn new(account: &'a Account, roles: Option<&'a [Proposal]>) -> Self {
        Self {
            account,
            roles,
            user: Person::of(account),
            status: Record::Account(account),
            lists: [const { OnceLock::new() }; 4],
        }
    }

    fn list<'b>(&'b self, place: usize, make: impl FnOnce() -> CelList<'a>) -> CowVal<'b, 'b> {
        CowVal::Borrowed(self.lists[place].get_or_init(make))
    }
}

impl VariableResolver for Facts<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let account = self.account;
        Some(match variable {
            "user" => CowVal::Borrowed(&self.user),
            "account" => CowVal::Borrowed(&self.status),
            "groups" => self.list(0, || {
                let mut names: Vec<&str> = account.groups().map(|one| &*one.group_name).collect();
                // They are ordered by name; two groups, or two users, may have the same one.
                names.dedup();
                texts(names)
            }),
            "users" => self.list(1, || Person::each(account)),
            "signals" => self.list(2, || {
                let signals = account.signals.iter().map(Record::Signal);
                boxed(signals)
            }),
            "roles" => {
                let roles = self.roles?;
                self.list(3, || texts(roles.iter().map(|role| role.name.as_str())))
            }
            _ => return None,
        })
    }
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> CelList<'a> {
    boxed(texts.into_iter().map(CelString::from))
}

fn boxed<'a, T: Val + 'a>(values: impl Iterator<Item = T>) -> CelList<'a> {
    let values = values.map(|value| Box::new(value) as Box<dyn Val + 'a>);
    CelList::from(values.collect::<Vec<_>>())
}

/// A thing with a few fields.
#[derive(Debug, Clone, Copy)]
enum Record<'a> {
    Account(&'a Account),
    Signal(&'a PresenceSignal),
}

impl<'a> Record<'a> {
    fn field<'v>(self, name: &str) -> Option<Box<dyn Val + 'v>>
    where
        'a: 'v,
    {
        let text = match (self, name) {
            (Self::Account(account), "id") => account.id.as_str(),
            (Self::Account(account), "status") => match account.status {
                AccountStatus::Active => "active",
                AccountStatus::Deactivated => "deactivated",
                AccountStatus::Deleted => "deleted",
            },
            (Self::Signal(signal), "source") => signal.source.as_str(),
            (Self::Signal(signal), "active") => {
                return Some(Box::new(CelBool::from(signal.active)));
            }
            _ => return None,
        };
        Some(Box::new(CelString::from(text)))
    }
}

impl Val for Record<'_> {
    fn get_type(&self) -> &Type {
        &RECORD
    }

    fn cel_type() -> &'static Type {
        &RECORD
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(*self)
    }
}

impl Indexer for Record<'_> {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = name_of(key)?;
        let found = self.field(name).map(CowVal::Owned);
        found.ok_or_else(|| ExecutionError::no_such_key(name))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}
