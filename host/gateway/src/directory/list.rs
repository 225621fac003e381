//! Listings of users and groups: by an index where the filter has a term that an index answers,
//! else in the order of creation.

use super::Directory;
use super::error::FactError;
use super::groups::{self, StoredGroup};
use super::users::{self, StoredUser};
use crate::model::facts::{
    Counted, Counters, GROUPS_BY_EXTERNAL_ID, GROUPS_BY_NAME, Groups, MEMBERS_BY_USER, ResourceKey,
    USERS_BY_EMAIL, USERS_BY_EXTERNAL_ID, USERS_BY_NAME, Users,
};
use gatewright_scim::{Filter, ListQuery, ResourceType};
use gatewright_store::{Index, Key, OrganizationScope, Range, Read, Reader, StoreError, Table};
use serde_json::Value;
use uuid::Uuid;

/// How many resources a page has where the request does not say.
pub const DEFAULT_COUNT: usize = 100;

/// A page of a listing.
pub struct Page {
    /// How many resources there are in all.
    pub total: usize,
    /// Those of this page, with the attributes that were asked for.
    pub resources: Vec<Value>,
}

/// Lists users or groups.
///
/// # Errors
/// What the store says.
pub fn page(
    directory: &Directory,
    resource: ResourceType,
    query: &ListQuery,
    base_url: &str,
) -> Result<Page, FactError> {
    let reader = directory.organization.read()?;
    let view = View {
        reader: &reader,
        directory: directory.id,
        resource,
        base_url,
        query,
    };
    let skip = query.start_index.saturating_sub(1);
    let take = query.count.unwrap_or(DEFAULT_COUNT);
    let mut page = match &query.filter {
        None => view.unfiltered(skip, take)?,
        Some(filter) => view.filtered(filter, skip, take)?,
    };
    for found in &mut page.resources {
        query.projection.apply(found, resource);
    }
    Ok(page)
}

struct View<'a> {
    reader: &'a Reader<OrganizationScope>,
    directory: Uuid,
    resource: ResourceType,
    base_url: &'a str,
    query: &'a ListQuery,
}

impl View<'_> {
    fn unfiltered(&self, skip: usize, take: usize) -> Result<Page, FactError> {
        let counted = match self.resource {
            ResourceType::User => Counted::Users,
            ResourceType::Group => Counted::Groups,
        };
        let total = self
            .reader
            .get::<Counters>(&counted.of(self.directory))?
            .unwrap_or(0);
        let mut resources = Vec::new();
        for key in self.keys()?.skip(skip).take(take) {
            resources.extend(self.resource(key?, None)?);
        }
        Ok(Page {
            total: usize::try_from(total).unwrap_or(usize::MAX),
            resources,
        })
    }

    fn filtered(&self, filter: &Filter, skip: usize, take: usize) -> Result<Page, FactError> {
        let mut page = Page {
            total: 0,
            resources: Vec::new(),
        };
        let mut visit = |key: ResourceKey| -> Result<(), FactError> {
            let Some(resource) = self.resource(key, Some(filter))? else {
                return Ok(());
            };
            if filter.matches(&resource) {
                if page.total >= skip && page.resources.len() < take {
                    page.resources.push(resource);
                }
                page.total += 1;
            }
            Ok(())
        };
        match self.plan(filter)? {
            Some(candidates) => {
                for key in candidates {
                    visit(key)?;
                }
            }
            None => {
                for key in self.keys()? {
                    visit(key?)?;
                }
            }
        }
        Ok(page)
    }

    /// All keys of the directory, in the order of creation.
    fn keys(
        &self,
    ) -> Result<Box<dyn Iterator<Item = Result<ResourceKey, StoreError>> + '_>, StoreError> {
        let range = Range::prefix(&self.directory);
        Ok(match self.resource {
            ResourceType::User => Box::new(self.reader.keys::<Users>(range)?),
            ResourceType::Group => Box::new(self.reader.keys::<Groups>(range)?),
        })
    }

    /// The resources that can match, in the order of creation, where an index knows them.
    fn plan(&self, filter: &Filter) -> Result<Option<Vec<ResourceKey>>, StoreError> {
        for (path, value) in filter.equalities() {
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
                (ResourceType::User, "userName") => self.find(&USERS_BY_NAME, &folded)?,
                (ResourceType::User, "externalId") => self.find(&USERS_BY_EXTERNAL_ID, &exact)?,
                (ResourceType::User, "emails.value") => self.find(&USERS_BY_EMAIL, &folded)?,
                (ResourceType::Group, "displayName") => self.find(&GROUPS_BY_NAME, &folded)?,
                (ResourceType::Group, "externalId") => self.find(&GROUPS_BY_EXTERNAL_ID, &exact)?,
                (ResourceType::Group, "members.value") => {
                    let Ok(user) = users::key(ResourceType::User, value) else {
                        return Ok(Some(Vec::new()));
                    };
                    let rows = self
                        .reader
                        .index_scan(&MEMBERS_BY_USER, Range::prefix(&user))?;
                    rows.map(|row| row.map(|(_, (group, _))| (self.directory, group)))
                        .collect::<Result<_, _>>()?
                }
                _ => continue,
            };
            return Ok(Some(found));
        }
        Ok(None)
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

    /// A resource with what the answer shows and the filter looks at; what neither needs and what
    /// costs reads of its own is left out.
    fn resource(
        &self,
        key: ResourceKey,
        filter: Option<&Filter>,
    ) -> Result<Option<Value>, FactError> {
        // A filter prints canonical names. A value that looks like one costs a read, no more.
        let needs = |name: &str| {
            self.query.projection.includes(name)
                || filter.is_some_and(|filter| filter.to_string().contains(name))
        };
        Ok(match self.resource {
            ResourceType::User => {
                let Some(record) = self.reader.get::<Users>(&key)? else {
                    return Ok(None);
                };
                let user = StoredUser { id: key.1, record };
                let wanted = users::Wanted {
                    groups: needs("groups"),
                    manager: needs("manager"),
                    meta: needs("meta"),
                };
                Some(users::represent(
                    self.reader,
                    key.0,
                    user,
                    self.base_url,
                    wanted,
                )?)
            }
            ResourceType::Group => {
                let Some(record) = self.reader.get::<Groups>(&key)? else {
                    return Ok(None);
                };
                let group = StoredGroup { id: key.1, record };
                let members = needs("members");
                Some(groups::represent(
                    self.reader,
                    group,
                    self.base_url,
                    members,
                )?)
            }
        })
    }
}
