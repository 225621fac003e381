use super::{
    change::{Action, Change},
    operation::{Step, parse_operations, place},
};
use crate::{
    Error, Group, Limits, MemberRef, Profile, ResourceType,
    filter::Expression,
    group::read_members,
    json::is_clear,
    keep::{self, Kept},
    reading::Reading,
};
use serde_json::Value;
use std::collections::HashSet;

/// A PATCH of a group, read. Members are changed by id, so that a change of one member of a large
/// group touches one row.
#[derive(Debug, Clone)]
pub struct GroupPatch {
    operations: Vec<GroupOperation>,
    reading: Reading,
}

/// One part of a PATCH of a group, in the order of the request. No list of members is empty or
/// names one twice.
#[derive(Debug, Clone)]
pub enum GroupOperation {
    /// Changes of the group itself.
    Attributes(AttributeChanges),
    /// These are members now; one that is already stays so.
    AddMembers(Vec<MemberRef>),
    /// These, by id, are members no longer; one that is none is no error.
    RemoveMembers(Vec<String>),
    /// These and nobody else are members.
    ReplaceMembers(Vec<MemberRef>),
    /// Nobody is a member.
    RemoveAllMembers,
}

/// Changes of a group's own attributes.
#[derive(Debug, Clone)]
pub struct AttributeChanges {
    changes: Vec<(usize, Change)>,
    kept: Vec<Kept>,
}

impl GroupPatch {
    /// Reads the body of a PATCH.
    ///
    /// # Errors
    ///
    /// As [`UserPatch::parse`](crate::UserPatch::parse). Of the filters on `members` only those
    /// that name ids are taken: `members[value eq "x"]`, also several joined by `or`.
    pub fn parse(body: &Value, profile: Profile, limits: &Limits) -> Result<Self, Error> {
        let shape = profile.shape(ResourceType::Group);
        let mut patch = Self {
            operations: Vec::new(),
            reading: Reading::new(shape),
        };
        let operations = parse_operations(body, shape, limits)?;
        for (index, operation) in operations.into_iter().enumerate() {
            operation
                .steps(limits, &mut patch.reading)
                .and_then(|steps| {
                    steps
                        .into_iter()
                        .try_for_each(|step| patch.push(index, step))
                })
                .map_err(|error| error.within(&place(index)))?;
        }
        if !patch.reading.kept.is_empty() {
            let mut changes = AttributeChanges::new(Vec::new());
            changes.kept = std::mem::take(&mut patch.reading.kept);
            patch.operations.push(GroupOperation::Attributes(changes));
        }
        Ok(patch)
    }

    /// What is to be done, in order.
    #[must_use]
    pub fn operations(&self) -> &[GroupOperation] {
        &self.operations
    }

    /// The paths of what was left out while reading.
    #[must_use]
    pub fn ignored(&self) -> &[String] {
        &self.reading.ignored
    }

    fn push(&mut self, index: usize, step: Step) -> Result<(), Error> {
        if step.target.is_members() {
            if let Some(operation) = membership(step, &mut self.reading)? {
                self.operations.push(operation);
            }
            return Ok(());
        }
        let change = (index, step.into_change(&mut self.reading)?);
        if let Some(GroupOperation::Attributes(last)) = self.operations.last_mut() {
            last.changes.push(change);
        } else {
            let changes = AttributeChanges::new(vec![change]);
            self.operations.push(GroupOperation::Attributes(changes));
        }
        Ok(())
    }
}

impl AttributeChanges {
    fn new(changes: Vec<(usize, Change)>) -> Self {
        Self {
            changes,
            kept: Vec::new(),
        }
    }

    /// The group with these changes.
    ///
    /// # Errors
    ///
    /// 400 `noTarget` as [`UserPatch::apply`](crate::UserPatch::apply). What declared schemas ask of
    /// the whole is for [`Group::check_patched`] to say, when all is done.
    pub fn apply(&self, group: &Group) -> Result<Group, Error> {
        let mut document = group.as_map().clone();
        for (index, change) in &self.changes {
            change
                .apply(&mut document)
                .map_err(|error| error.within(&place(*index)))?;
        }
        keep::apply(&self.kept, &mut document)?;
        Ok(Group::from_stored(document))
    }
}

/// What an operation on `members` does; none if it does nothing.
fn membership(step: Step, reading: &mut Reading) -> Result<Option<GroupOperation>, Error> {
    let path = step.target.path;
    if let Some(sub) = path.sub {
        return Err(Error::mutability(format!(
            "`members.{}` cannot be changed by itself; add or remove the whole member",
            sub.name
        )));
    }
    if let Some(filter) = &step.target.filter {
        let mut ids = Vec::new();
        if !named_ids(filter, &mut ids) {
            return Err(Error::invalid_filter(
                "members are selected by id: `members[value eq \"...\"]`",
            ));
        }
        return match step.action {
            Action::Remove => {
                let mut known = HashSet::with_capacity(ids.len());
                ids.retain(|id| known.insert(id.clone()));
                Ok(Some(GroupOperation::RemoveMembers(ids)))
            }
            Action::Add | Action::Replace => Err(Error::invalid_path(
                "members are added with the path `members` and removed with a filter; a filter \
                 cannot choose members to write to",
            )),
        };
    }
    let value = match (step.action, step.value) {
        (Action::Remove, None) => return Ok(Some(GroupOperation::RemoveAllMembers)),
        (_, value) => value.unwrap_or_default(),
    };
    // `{}` is what an empty list becomes in languages whose arrays are maps.
    let nothing = is_clear(&value) || value.as_object().is_some_and(serde_json::Map::is_empty);
    let members = if nothing {
        Vec::new()
    } else {
        read_members(value, reading)?
    };
    Ok(match (step.action, members.is_empty()) {
        (Action::Add, true) => None,
        (Action::Add, false) => Some(GroupOperation::AddMembers(members)),
        (Action::Replace, true) => Some(GroupOperation::RemoveAllMembers),
        (Action::Replace, false) => Some(GroupOperation::ReplaceMembers(members)),
        (Action::Remove, true) => {
            // T5: a removal of none must never become a removal of all.
            reading.ignored.push("members".to_owned());
            None
        }
        (Action::Remove, false) => Some(GroupOperation::RemoveMembers(
            members.into_iter().map(MemberRef::into_value).collect(),
        )),
    })
}

/// Collects the ids that a filter names; false if it selects in any other way.
fn named_ids(filter: &Expression, ids: &mut Vec<String>) -> bool {
    match filter {
        Expression::Or(terms) => terms.iter().all(|term| named_ids(term, ids)),
        Expression::Compare(comparison)
            if comparison.is_equality() && comparison.full_name() == "members.value" =>
        {
            match comparison.value().as_str() {
                Some(id) => {
                    ids.push(id.to_owned());
                    true
                }
                None => false,
            }
        }
        _ => false,
    }
}
