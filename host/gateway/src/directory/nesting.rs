//! Groups in groups (RFC 7643 section 4.2): a row each, ways through them, and how far these may go.

use super::error::FactError;
use crate::clock::Timestamp;
use crate::ledger::Change;
use crate::model::facts::{Groups, NESTED_BY_MEMBER, Nested, NestedRecord, ResourceKey, text};
use gatewright_scim::Error as ScimError;
use gatewright_store::{OrganizationScope, Range, Read, StoreError};
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use uuid::Uuid;

/// How many groups may stand below each other, the uppermost not counted.
pub const MAX_DEPTH: usize = 16;

/// How many groups may hang together by being in each other, whichever way. Every walk visits so
/// many at most, so that this bounds what a request, a user and a decision can cost.
pub const MAX_FAMILY: usize = 1_000;

/// How many steps from group to group there may be among them: in a family that is dense, each walk
/// costs more than its groups.
pub const MAX_STEPS: usize = 5_000;

/// A group that a walk came to, and since when it has been in what the walk began at, or that in
/// it: the latest of the steps, by the way where that is earliest.
pub type Reached = (Uuid, Timestamp);

/// Puts a group into another one. False where it was in it already; none where there is no such
/// group. What that makes of all groups is for [`check`] to say.
///
/// # Errors
/// What the store says.
pub fn begin(
    change: &mut Change<'_, '_>,
    group: Uuid,
    member: ResourceKey,
) -> Result<Option<bool>, StoreError> {
    let key = (group, member.1);
    if change.tx.contains::<Nested>(&key)? {
        return Ok(Some(false));
    }
    // One that is being created is in no table yet, and nobody knows its id.
    if !change.tx.contains::<Groups>(&member)? {
        return Ok(None);
    }
    let record = NestedRecord { since: change.at() };
    change.tx.put::<Nested>(&key, &record)?;
    Ok(Some(true))
}

/// Takes a group out of another one. Answers since when it was in it; none where it was not.
///
/// # Errors
/// What the store says.
pub fn end(
    change: &mut Change<'_, '_>,
    group: Uuid,
    member: Uuid,
) -> Result<Option<Timestamp>, StoreError> {
    let Some(record) = change.tx.get::<Nested>(&(group, member))? else {
        return Ok(None);
    };
    change.tx.delete::<Nested>(&(group, member))?;
    Ok(Some(record.since))
}

/// The groups that are in a group itself, in the order of creation.
///
/// # Errors
/// What the store says.
pub fn members(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
) -> Result<Vec<Reached>, StoreError> {
    let rows = reader.scan::<Nested>(Range::prefix(&group))?;
    rows.map(|row| row.map(|((_, member), record)| (member, record.since)))
        .collect()
}

/// The groups that a group itself is in, in the order of creation.
///
/// # Errors
/// What the store says.
pub fn holders(
    reader: &impl Read<OrganizationScope>,
    group: Uuid,
) -> Result<Vec<Reached>, StoreError> {
    let mut holders = Vec::new();
    for row in reader.index_scan(&NESTED_BY_MEMBER, Range::prefix(&group))? {
        let (_, key) = row?;
        if let Some(record) = reader.get::<Nested>(&key)? {
            holders.push((key.0, record.since));
        }
    }
    Ok(holders)
}

/// All groups in some groups, through others too, without these themselves.
///
/// # Errors
/// What the store says.
pub fn below(
    reader: &impl Read<OrganizationScope>,
    from: &[Reached],
) -> Result<Vec<Reached>, StoreError> {
    walk(from, |group| members(reader, group))
}

/// Finds what groups are in. What was read once is kept, since many users are in the same groups.
pub struct Above<'a, R> {
    reader: &'a R,
    known: HashMap<Uuid, Vec<Reached>>,
    /// Whether the organization has groups in groups at all.
    any: Option<bool>,
}

impl<'a, R: Read<OrganizationScope>> Above<'a, R> {
    /// Reads from `reader`.
    pub fn new(reader: &'a R) -> Self {
        Self {
            reader,
            known: HashMap::new(),
            any: None,
        }
    }

    /// All groups that some groups are in, through others too, without these themselves. Costs one
    /// look in an organization that has no groups in groups.
    ///
    /// # Errors
    /// What the store says.
    pub fn of(&mut self, from: &[Reached]) -> Result<Vec<Reached>, StoreError> {
        if from.is_empty() {
            return Ok(Vec::new());
        }
        let any = match self.any {
            Some(any) => any,
            None => self.reader.keys::<Nested>(Range::all())?.next().is_some(),
        };
        self.any = Some(any);
        if !any {
            return Ok(Vec::new());
        }
        walk(from, |group| {
            if let Some(known) = self.known.get(&group) {
                return Ok(known.clone());
            }
            let found = holders(self.reader, group)?;
            self.known.insert(group, found.clone());
            Ok(found)
        })
    }
}

/// Goes from group to group, always on to the one that is reached since the earliest time.
fn walk(
    from: &[Reached],
    mut next: impl FnMut(Uuid) -> Result<Vec<Reached>, StoreError>,
) -> Result<Vec<Reached>, StoreError> {
    let begun: HashSet<Uuid> = from.iter().map(|(group, _)| *group).collect();
    let mut seen = HashSet::new();
    let mut waiting = BinaryHeap::new();
    let mut reached = Vec::new();
    for (group, since) in from {
        for (on, step) in next(*group)? {
            waiting.push(Reverse((step.max(*since), on)));
        }
    }
    while let Some(Reverse((since, group))) = waiting.pop() {
        if begun.contains(&group) || !seen.insert(group) {
            continue;
        }
        reached.push((group, since));
        for (on, step) in next(group)? {
            waiting.push(Reverse((step.max(since), on)));
        }
    }
    Ok(reached)
}

/// Refuses what others were put into, called `name`, if that makes a circle or goes beyond
/// [`MAX_DEPTH`], [`MAX_FAMILY`] or [`MAX_STEPS`]. All new steps begin at this group, so it is enough to look at
/// the ways through it. Within the transaction: what is put in at the same time is seen.
///
/// # Errors
/// 400 `invalidValue` with the names of the groups in the circle; [`FactError::NestedTooWide`] and
/// [`FactError::NestedTooDeep`].
pub fn check(
    reader: &impl Read<OrganizationScope>,
    group: ResourceKey,
    name: &str,
) -> Result<(), FactError> {
    let family = Family::read(reader, group.1)?.ok_or_else(|| FactError::NestedTooWide {
        name: name.to_owned(),
    })?;
    if let Some(circle) = family.circle(group.1) {
        let mut names = Vec::with_capacity(circle.len());
        for one in circle {
            names.push(if one == group.1 {
                name.to_owned()
            } else {
                name_of(reader, (group.0, one))?
            });
        }
        return Err(ScimError::circle_of_groups(&names).into());
    }
    if height(&family.above, group.1) + height(&family.below, group.1) > MAX_DEPTH {
        return Err(FactError::NestedTooDeep {
            name: name.to_owned(),
        });
    }
    Ok(())
}

fn name_of(
    reader: &impl Read<OrganizationScope>,
    group: ResourceKey,
) -> Result<String, StoreError> {
    let record = reader.get::<Groups>(&group)?;
    let name = record
        .as_ref()
        .and_then(|it| text(&it.document, "displayName"));
    Ok(name.unwrap_or_default().to_owned())
}

/// Groups that hang together, each with those that it is in and those in it.
struct Family {
    above: HashMap<Uuid, Vec<Uuid>>,
    below: HashMap<Uuid, Vec<Uuid>>,
}

impl Family {
    /// None where there are more than [`MAX_FAMILY`], or than [`MAX_STEPS`] between them.
    fn read(
        reader: &impl Read<OrganizationScope>,
        group: Uuid,
    ) -> Result<Option<Self>, StoreError> {
        let mut family = Self {
            above: HashMap::new(),
            below: HashMap::new(),
        };
        let mut seen = HashSet::from([group]);
        let mut waiting = vec![group];
        let mut steps = 0;
        while let Some(at) = waiting.pop() {
            let holders = reader.index_scan(&NESTED_BY_MEMBER, Range::prefix(&at))?;
            let holders = holders.map(|row| row.map(|(_, (holder, _))| holder));
            let holders = holders
                .take(MAX_FAMILY + 1)
                .collect::<Result<Vec<_>, _>>()?;
            let members = reader.keys::<Nested>(Range::prefix(&at))?;
            let members = members.map(|row| row.map(|(_, member)| member));
            let members = members
                .take(MAX_FAMILY + 1)
                .collect::<Result<Vec<_>, _>>()?;
            let near = holders.iter().chain(&members);
            waiting.extend(near.filter(|near| seen.insert(**near)));
            steps += members.len();
            if seen.len() > MAX_FAMILY || steps > MAX_STEPS {
                return Ok(None);
            }
            family.above.insert(at, holders);
            family.below.insert(at, members);
        }
        Ok(Some(family))
    }

    /// The shortest way from the group down to itself, if there is one: it, a member of it, a member
    /// of that, and so on.
    fn circle(&self, group: Uuid) -> Option<Vec<Uuid>> {
        let mut member: HashMap<Uuid, Uuid> = HashMap::new();
        let mut waiting = VecDeque::from([group]);
        while let Some(at) = waiting.pop_front() {
            for holder in self.above.get(&at).into_iter().flatten() {
                if *holder == group {
                    let mut circle = vec![group];
                    let mut at = at;
                    while at != group {
                        circle.push(at);
                        at = member[&at];
                    }
                    circle.push(group);
                    return Some(circle);
                }
                if !member.contains_key(holder) {
                    member.insert(*holder, at);
                    waiting.push_back(*holder);
                }
            }
        }
        None
    }
}

/// The length of the longest way from the group, as far as it matters. There is no circle.
fn height(next: &HashMap<Uuid, Vec<Uuid>>, group: Uuid) -> usize {
    let mut level = BTreeSet::from([group]);
    let mut height = 0;
    loop {
        level = level
            .iter()
            .filter_map(|at| next.get(at))
            .flatten()
            .copied()
            .collect();
        if level.is_empty() || height > MAX_DEPTH {
            return height;
        }
        height += 1;
    }
}
