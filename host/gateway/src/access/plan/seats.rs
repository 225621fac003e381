//! What a plan comes to in seats: how many are taken, how many would be wanted, how many there are.

use super::proposal::catalogue;
use crate::model::access::GrantKind;
use crate::model::catalogue::WhenFull;
use crate::model::guard::SeatsTaken;
use crate::model::plans::{Holding, PlanRecord, PlannedRecord, ProposalRecord, SeatMoves};
use gatewright_store::{OrganizationScope, Read, StoreError};
use std::collections::BTreeMap;

/// A seat type in a plan.
pub struct SeatUse {
    /// Its name.
    pub name: String,
    /// How many accounts have one now.
    pub taken: u64,
    /// What the plan moves.
    pub moves: SeatMoves,
    /// How many there would be; none: as many as like.
    pub capacity: Option<u32>,
    /// What becomes of who finds none.
    pub when_full: WhenFull,
}

impl SeatUse {
    /// How many accounts would be to have one.
    #[must_use]
    pub fn wanted(&self) -> u64 {
        (self.taken + self.moves.gained).saturating_sub(self.moves.lost)
    }

    /// How many more that is than there are.
    #[must_use]
    pub fn beyond(&self) -> u64 {
        let capacity = self.capacity.map_or(u64::MAX, u64::from);
        self.wanted().saturating_sub(capacity)
    }
}

/// The seat types of the catalogue that would be in force, in its order.
///
/// # Errors
/// What the store says.
pub fn seats(
    reader: &impl Read<OrganizationScope>,
    proposal: &ProposalRecord,
    record: &PlanRecord,
) -> Result<Vec<SeatUse>, StoreError> {
    let catalogue = catalogue(reader, proposal)?;
    let types = catalogue.seat_types.into_iter();
    types
        .map(|seat| {
            Ok(SeatUse {
                taken: reader.get::<SeatsTaken>(&seat.name)?.unwrap_or(0),
                moves: record.seats.get(&seat.name).copied().unwrap_or_default(),
                capacity: seat.capacity,
                when_full: seat.when_full,
                name: seat.name,
            })
        })
        .collect()
}

/// Counts, with `step`, the seats that an account of the plan would get and lose. A plan that an
/// earlier version began to compute has not counted all of what is taken back.
pub(super) fn count(
    seats: &mut BTreeMap<String, SeatMoves>,
    planned: &PlannedRecord,
    step: impl Fn(u64) -> u64,
) {
    if planned.failure.is_some() {
        return;
    }
    for name in only(&planned.after, &planned.before) {
        let gained = &mut seats.entry(name.to_owned()).or_default().gained;
        *gained = step(*gained);
    }
    for name in only(&planned.before, &planned.after) {
        let lost = &mut seats.entry(name.to_owned()).or_default().lost;
        *lost = step(*lost);
    }
}

/// The seats of one side that the other lacks.
fn only<'a>(side: &'a Holding, other: &'a Holding) -> impl Iterator<Item = &'a str> {
    let of = |holding: &'a Holding| {
        let grants = holding.grants.iter();
        grants.filter(|grant| grant.kind == GrantKind::Seat)
    };
    of(side)
        .filter(move |grant| !of(other).any(|one| one.name == grant.name))
        .map(|grant| &*grant.name)
}
