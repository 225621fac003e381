//! Listings of users and groups: by an index where the filter has a term that an index answers,
//! else in the order of creation, unless another order is asked for.

use super::error::FactError;
use super::groups::{self, Represented, StoredGroup};
use super::membership::Memberships;
use super::users::{self, StoredUser};
use super::walk::Position;
use super::{Directory, exposed, identifier, nesting};
use crate::clock::Timestamp;
use crate::model::facts::{
    Counted, Counters, GROUPS_BY_EXTERNAL_ID, GROUPS_BY_NAME, GROUPS_BY_TERM, Groups,
    MEMBERS_BY_USER, Members, NESTED_BY_MEMBER, ResourceKey, USERS_BY_DISPLAY_NAME, USERS_BY_EMAIL,
    USERS_BY_EXTERNAL_ID, USERS_BY_NAME, USERS_BY_TERM, Users,
};
use gatewright_scim::{Error as ScimError, Filter, ListQuery, ResourceType, Sort};
use gatewright_store::{Index, Key, OrganizationScope, Range, Read, Reader, StoreError, Table};
use serde_json::Value;
use std::cell::{OnceCell, RefCell};
use uuid::Uuid;

/// How many resources a page has where the request does not say.
pub const DEFAULT_COUNT: usize = 100;

/// How many resources are sorted for one request. To sort means to look at all of them.
pub const SORTED: usize = 10_000;
/// Bytes of what they are sorted by.
const SORTED_BYTES: usize = 16 << 20;

/// A page of a listing.
pub struct Page {
    /// How many resources there are. Behind a position: how many the walk still has, which is what
    /// lets it come to its end, though others were deleted or created before that place meanwhile.
    pub total: usize,
    /// Those of this page, with the attributes that were asked for.
    pub resources: Vec<Represented>,
    /// What the last of them was sorted by, and its id; none on an empty page.
    pub last: Option<Sorted>,
}

/// What a resource is sorted by, if it is, and its id, which tells equals apart.
pub type Sorted = (Option<Value>, Uuid);

/// Where a page begins.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a> {
    /// Behind so many resources.
    Behind(usize),
    /// Behind the resource of a position, which need not exist any more.
    After(&'a Position),
}

/// Lists users or groups.
///
/// # Errors
/// 400 `tooMany` where more than [`SORTED`] resources would have to be sorted; what the store says.
pub fn page(
    directory: &Directory,
    resource: ResourceType,
    query: &ListQuery,
    start: Start<'_>,
    base_url: &str,
) -> Result<Page, FactError> {
    let reader = directory.organization.read()?;
    let identifier = directory.record.behaviour.unique_identifier;
    let given = query.filter.as_ref();
    let meant = given.and_then(|filter| identifier::meant(identifier, resource, filter));
    let filter = meant.as_ref().or(given);
    let view = View {
        reader: &reader,
        exposed: OnceCell::new(),
        memberships: RefCell::new(Memberships::of(&reader, directory)),
        entered: directory,
        directory: directory.id,
        resource,
        base_url,
        query,
        filter,
        names: [
            filter.map(ToString::to_string),
            query.sort.as_ref().map(ToString::to_string),
        ]
        .into_iter()
        .flatten()
        .collect(),
        members_asked: members_asked(filter, query.sort.as_ref()),
    };
    let take = query.count.unwrap_or(DEFAULT_COUNT);
    let mut page = match (&query.sort, filter) {
        (Some(sort), _) => view.sorted(sort, start, take)?,
        (None, None) => view.unfiltered(start, take)?,
        (None, Some(filter)) => view.filtered(filter, start, take)?,
    };
    for found in &mut page.resources {
        query
            .projection
            .apply(&mut found.body, directory.profile.shape(resource));
    }
    Ok(page)
}

struct View<'a> {
    reader: &'a Reader<OrganizationScope>,
    /// Accounts that are shown as users.
    exposed: OnceCell<Vec<Uuid>>,
    /// Of all users of the page.
    memberships: RefCell<Memberships<'a, Reader<OrganizationScope>>>,
    entered: &'a Directory,
    directory: Uuid,
    resource: ResourceType,
    base_url: &'a str,
    query: &'a ListQuery,
    /// As the directory means it.
    filter: Option<&'a Filter>,
    /// The canonical names in filter and order, among other things. A value that looks like a name
    /// costs a read, no more.
    names: String,
    /// The members of groups that alone decide whether the filter holds; none where others do too,
    /// or groups are sorted by members.
    members_asked: Option<Vec<Uuid>>,
}

/// What is no id is nobody's, and need not be looked for.
fn members_asked(filter: Option<&Filter>, sort: Option<&Sort>) -> Option<Vec<Uuid>> {
    if sort.is_some_and(|sort| sort.to_string().contains("members")) {
        return None;
    }
    let asked = filter.map_or(Some(Vec::new()), |filter| filter.elements_asked("members"))?;
    let asked = asked.into_iter();
    Some(asked.filter_map(|id| Uuid::parse_str(id).ok()).collect())
}

/// What a resource is read for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needed {
    /// To see whether it matches, and where it comes in the order.
    ToFind,
    /// For the answer, too.
    ToShow,
}

impl Page {
    fn empty() -> Self {
        Self {
            total: 0,
            resources: Vec::new(),
            last: None,
        }
    }

    fn push(&mut self, resource: Represented, sorted: Sorted) {
        self.resources.push(resource);
        self.last = Some(sorted);
    }
}

impl View<'_> {
    fn unfiltered(&self, start: Start<'_>, take: usize) -> Result<Page, FactError> {
        let count = self.count()?;
        let (skip, after, served) = match start {
            Start::Behind(skip) => (skip, None, 0),
            Start::After(position) => (0, Some(position.id), position.served),
        };
        let mut page = Page::empty();
        let mut keys = self.keys(after)?.skip(skip);
        for key in keys.by_ref().take(take) {
            let key = key?;
            if let Some(resource) = self.to_show(key)? {
                page.push(resource, (None, key.1));
            }
        }
        let shown = page.resources.len();
        page.total = match after {
            None => count,
            // A walk has as many left as are there. How many that is need not be counted while it
            // goes on, as long as it is not told that this is the end.
            Some(_) if keys.next().is_some() => count.saturating_sub(served).max(shown + 1),
            Some(_) => shown,
        };
        Ok(page)
    }

    fn filtered(&self, filter: &Filter, start: Start<'_>, take: usize) -> Result<Page, FactError> {
        let (skip, after) = match start {
            Start::Behind(skip) => (skip, None),
            Start::After(position) => (0, Some(position.id)),
        };
        let mut page = Page::empty();
        self.visit(Some(filter), after, |key| {
            let shown = page.total >= skip && page.resources.len() < take;
            // A user is read once for both. A group is found by some members and shown with all.
            let once = shown && self.resource == ResourceType::User;
            let needed = if once { Needed::ToShow } else { Needed::ToFind };
            let Some(resource) = self.resource(key, needed)? else {
                return Ok(());
            };
            if filter.matches(&resource) {
                let resource = match once {
                    true => Some(resource.into()),
                    false if shown => self.to_show(key)?,
                    false => None,
                };
                if let Some(resource) = resource {
                    page.push(resource, (None, key.1));
                }
                page.total += 1;
            }
            Ok(())
        })?;
        Ok(page)
    }

    fn sorted(&self, sort: &Sort, start: Start<'_>, take: usize) -> Result<Page, FactError> {
        let filter = self.filter;
        let mut found: Vec<Sorted> = Vec::new();
        let mut bytes = 0;
        self.visit(filter, None, |key| {
            let Some(resource) = self.resource(key, Needed::ToFind)? else {
                return Ok(());
            };
            if filter.is_none_or(|filter| filter.matches(&resource)) {
                let value = sort.key(&resource).cloned();
                bytes += value.as_ref().and_then(Value::as_str).map_or(0, str::len);
                found.push((value, key.1));
            }
            if found.len() > SORTED || bytes > SORTED_BYTES {
                let detail = format!(
                    "`sortBy` works for up to {SORTED} resources: narrow them by a filter, or \
                     leave it out"
                );
                return Err(ScimError::too_many(detail).into());
            }
            Ok(())
        })?;
        let compare = |a: &Sorted, b: &Sorted| {
            let order = sort.compare_keys(a.0.as_ref(), b.0.as_ref());
            order.then(a.1.cmp(&b.1))
        };
        found.sort_by(compare);
        let skip = match start {
            Start::Behind(skip) => skip.min(found.len()),
            Start::After(position) => {
                let last = (position.sorted_by.clone(), position.id);
                found.partition_point(|one| compare(one, &last).is_le())
            }
        };
        let mut page = Page::empty();
        page.total = match start {
            Start::Behind(_) => found.len(),
            Start::After(_) => found.len() - skip,
        };
        for one in found.into_iter().skip(skip).take(take) {
            if let Some(resource) = self.to_show((self.directory, one.1))? {
                page.push(resource, one);
            }
        }
        Ok(page)
    }

    /// All resources of the directory.
    fn count(&self) -> Result<usize, StoreError> {
        let counted = match self.resource {
            ResourceType::User => Counted::Users,
            ResourceType::Group => Counted::Groups,
        };
        let count = self.reader.get::<Counters>(&counted.of(self.directory))?;
        let stored = usize::try_from(count.unwrap_or(0)).unwrap_or(usize::MAX);
        Ok(stored.saturating_add(self.exposed()?.len()))
    }

    /// Accounts that are shown as users, in the order of their ids.
    fn exposed(&self) -> Result<&[Uuid], StoreError> {
        if self.exposed.get().is_none() {
            let ids = match self.resource {
                ResourceType::User => exposed::ids(self.reader, self.entered)?,
                ResourceType::Group => Vec::new(),
            };
            return Ok(self.exposed.get_or_init(|| ids));
        }
        Ok(self.exposed.get().map_or(&[], Vec::as_slice))
    }

    /// Calls `look` with the key of each resource that can match, in the order of creation, behind
    /// the one with the id `after`.
    fn visit(
        &self,
        filter: Option<&Filter>,
        after: Option<Uuid>,
        mut look: impl FnMut(ResourceKey) -> Result<(), FactError>,
    ) -> Result<(), FactError> {
        let planned = filter.map(|filter| self.plan(filter)).transpose()?;
        match planned.flatten() {
            Some(candidates) => candidates
                .into_iter()
                .filter(|key| after.is_none_or(|after| key.1 > after))
                .try_for_each(look),
            None => self.keys(after)?.try_for_each(|key| look(key?)),
        }
    }

    /// The keys of the directory, in the order of creation, behind the one with the id `after`.
    fn keys(
        &self,
        after: Option<Uuid>,
    ) -> Result<Box<dyn Iterator<Item = Result<ResourceKey, StoreError>> + '_>, StoreError> {
        let range = Range::prefix(&self.directory);
        let range = range.behind(after.map(|id| (self.directory, id)));
        let shown = self.exposed()?.iter().copied();
        let mut shown = shown
            .filter(move |id| after.is_none_or(|after| *id > after))
            .map(|id| (self.directory, id))
            .peekable();
        Ok(match self.resource {
            ResourceType::User if shown.peek().is_some() => {
                let mut stored = self.reader.keys::<Users>(range)?.peekable();
                Box::new(std::iter::from_fn(move || {
                    let first = match (stored.peek(), shown.peek()) {
                        (Some(Ok(user)), Some(account)) => user < account,
                        (Some(_), _) => true,
                        (None, _) => false,
                    };
                    match first {
                        true => stored.next(),
                        false => shown.next().map(Ok),
                    }
                }))
            }
            ResourceType::User => Box::new(self.reader.keys::<Users>(range)?),
            ResourceType::Group => Box::new(self.reader.keys::<Groups>(range)?),
        })
    }

    /// The resources that can match, in the order of creation, where an index knows them.
    fn plan(&self, filter: &Filter) -> Result<Option<Vec<ResourceKey>>, StoreError> {
        let shape = self.entered.profile.shape(self.resource);
        for (path, value) in filter.equalities() {
            if let Some(term) = shape.index_term(path, value) {
                let wanted = (self.directory, term.path, term.value);
                return Ok(Some(match self.resource {
                    ResourceType::User => self.find(&USERS_BY_TERM, &wanted)?,
                    ResourceType::Group => self.find(&GROUPS_BY_TERM, &wanted)?,
                }));
            }
            let Some(value) = value.as_str() else {
                continue;
            };
            let folded = (self.directory, value.to_lowercase());
            let exact = (self.directory, value.to_owned());
            let found = match (self.resource, path) {
                (_, "id") => {
                    let id = users::key(self.resource, value).ok();
                    id.map(|id| (self.directory, id)).into_iter().collect()
                }
                (ResourceType::User, "userName") => self.people(&USERS_BY_NAME, &folded)?,
                (ResourceType::User, "externalId") => self.find(&USERS_BY_EXTERNAL_ID, &exact)?,
                (ResourceType::User, "emails.value") => self.people(&USERS_BY_EMAIL, &folded)?,
                (ResourceType::User, "displayName") => {
                    self.find(&USERS_BY_DISPLAY_NAME, &folded)?
                }
                (ResourceType::User, "groups.value") => {
                    let Ok(group) = users::key(ResourceType::Group, value) else {
                        return Ok(Some(Vec::new()));
                    };
                    // The rows of a deleted group go step by step.
                    if !self.reader.contains::<Groups>(&(self.directory, group))? {
                        return Ok(Some(Vec::new()));
                    }
                    self.users_in(group)?
                }
                (ResourceType::Group, "displayName") => self.find(&GROUPS_BY_NAME, &folded)?,
                (ResourceType::Group, "externalId") => self.find(&GROUPS_BY_EXTERNAL_ID, &exact)?,
                (ResourceType::Group, "members.value") => {
                    let Ok(member) = users::key(ResourceType::User, value) else {
                        return Ok(Some(Vec::new()));
                    };
                    let range = || Range::prefix(&member);
                    // An id is a user's or a group's, so that one of the two has nothing.
                    let of_user = self.reader.index_scan(&MEMBERS_BY_USER, range())?;
                    let of_group = self.reader.index_scan(&NESTED_BY_MEMBER, range())?;
                    let rows = of_user.chain(of_group);
                    rows.map(|row| row.map(|(_, (group, _))| (self.directory, group)))
                        .collect::<Result<_, _>>()?
                }
                _ => continue,
            };
            return Ok(Some(found));
        }
        Ok(None)
    }

    /// The users who are in a group, also through groups in it, in the order of creation.
    fn users_in(&self, group: Uuid) -> Result<Vec<ResourceKey>, StoreError> {
        let mut users = Vec::new();
        let below = nesting::below(self.reader, &[(group, Timestamp(0))])?;
        for group in std::iter::once(group).chain(below.iter().map(|(group, _)| *group)) {
            let rows = self.reader.keys::<Members>(Range::prefix(&group))?;
            for row in rows {
                users.push((self.directory, row?.1));
            }
        }
        if !below.is_empty() {
            users.sort_unstable();
            users.dedup();
        }
        Ok(users)
    }

    /// The users that an index finds, and the accounts with that email that are shown as users.
    fn people(
        &self,
        index: &'static Index<Users, (Uuid, String)>,
        wanted: &(Uuid, String),
    ) -> Result<Vec<ResourceKey>, StoreError> {
        let mut found = self.find(index, wanted)?;
        for account in exposed::by_email(self.reader, self.entered, &wanted.1)? {
            if !found.contains(&account) {
                found.push(account);
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn find<T, K>(
        &self,
        index: &'static Index<T, K>,
        wanted: &K,
    ) -> Result<Vec<ResourceKey>, StoreError>
    where
        T: Table<Scope = OrganizationScope, Key = ResourceKey>,
        K: Key,
    {
        let rows = self.reader.index_scan(index, Range::prefix(wanted))?;
        rows.map(|row| row.map(|(_, key)| key)).collect()
    }

    /// A resource for the answer.
    fn to_show(&self, key: ResourceKey) -> Result<Option<Represented>, FactError> {
        if self.resource == ResourceType::User {
            let resource = self.resource(key, Needed::ToShow)?;
            return Ok(resource.map(Represented::from));
        }
        let Some(record) = self.reader.get::<Groups>(&key)? else {
            return Ok(None);
        };
        Ok(Some(groups::represent(
            self.reader,
            self.entered,
            StoredGroup { id: key.1, record },
            self.base_url,
            self.query.projection.includes("members"),
        )?))
    }

    /// A resource with what is needed of it; what is not and costs reads of its own is left out.
    fn resource(&self, key: ResourceKey, needed: Needed) -> Result<Option<Value>, FactError> {
        let needs = |name: &str| {
            let shown = needed == Needed::ToShow && self.query.projection.includes(name);
            shown || self.names.contains(name)
        };
        Ok(match self.resource {
            ResourceType::User => {
                let Some(record) = users::stored(self.reader, self.entered, key.1)? else {
                    return Ok(None);
                };
                let user = StoredUser { id: key.1, record };
                let wanted = users::Wanted {
                    groups: needs("groups"),
                    manager: needs("manager"),
                    meta: needs("meta"),
                };
                Some(users::represent(
                    &mut self.memberships.borrow_mut(),
                    self.entered,
                    user,
                    self.base_url,
                    wanted,
                )?)
            }
            ResourceType::Group => {
                let Some(record) = self.reader.get::<Groups>(&key)? else {
                    return Ok(None);
                };
                let asked = match self.names.contains("members") {
                    true => self.members_asked.as_deref(),
                    false => Some([].as_slice()),
                };
                Some(groups::to_match(
                    self.reader,
                    self.entered,
                    StoredGroup { id: key.1, record },
                    self.base_url,
                    asked,
                )?)
            }
        })
    }
}

#[cfg(test)]
mod tests;
