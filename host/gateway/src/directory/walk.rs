//! Walks through a listing, page by page, that lose nobody: a page begins behind the resource that
//! ended the one before, whatever was created or deleted meanwhile. A walk by cursor carries that
//! place itself (RFC 9865); for a walk by index the gateway remembers it.

use crate::clock::Timestamp;
use crate::directory::credentials::hex;
use gatewright_scim::{Error, ListQuery, ResourceType};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use uuid::Uuid;

/// How long the place of a page is good, in milliseconds.
pub const KEPT: u64 = 10 * 60 * 1_000;
/// How many places are remembered for one credential: one that walks asks for the newest of them.
const OF_ONE: usize = 256;
/// How many are remembered in all.
const OF_ALL: usize = 20_000;
/// Bytes of a value to sort by that is remembered. Behind a longer one a page is found by counting.
const REMEMBERED_VALUE: usize = 1 << 10;
/// Bytes of the digest in a cursor.
const MARK: usize = 8;

/// The resource that ended a page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// How many resources the walk has had so far.
    pub served: usize,
    /// The resource's type.
    #[serde(with = "by_name")]
    pub resource: ResourceType,
    /// Its id.
    pub id: Uuid,
    /// What it was sorted by, in a walk that is sorted.
    pub sorted_by: Option<Value>,
}

/// Which listing is walked: the directory, the types, the filter and the order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Listing([u8; 32]);

impl Listing {
    /// The listing that queries ask for, whatever the page and the attributes.
    #[must_use]
    pub fn of(directory: Uuid, queries: &[(ResourceType, ListQuery)]) -> Self {
        let mut digest = Sha256::new();
        digest.update(directory.as_bytes());
        for (resource, query) in queries {
            let filter = query.filter.as_ref().map(ToString::to_string);
            let sort = query.sort.as_ref().map(ToString::to_string);
            // As JSON no part can be taken for another.
            digest.update(serde_json::json!([resource.name(), filter, sort]).to_string());
        }
        Self(digest.finalize().into())
    }

    /// The cursor that continues behind a position. Nothing in it is secret, and whoever makes one
    /// up gets no more than a page of what its token may read; the digest tells mistakes.
    #[must_use]
    pub fn cursor(&self, position: &Position, now: Timestamp) -> String {
        let text = serde_json::json!([now.plus(KEPT), position]).to_string();
        format!(
            "{}{}",
            hex(&self.mark(text.as_bytes())),
            hex(text.as_bytes())
        )
    }

    /// The position that a cursor holds.
    ///
    /// # Errors
    /// 400 `invalidCursor` for one that the gateway did not make for this listing; 400
    /// `expiredCursor` for one that is too old.
    pub fn position(&self, cursor: &str, now: Timestamp) -> Result<Position, Error> {
        let invalid = || {
            Error::invalid_cursor(
                "`cursor` is not one that the gateway gave out for this query: begin again with \
                 an empty one, and repeat filter and order with each",
            )
        };
        let bytes = unhex(cursor).ok_or_else(invalid)?;
        let (mark, text) = bytes.split_at_checked(MARK).ok_or_else(invalid)?;
        if mark != self.mark(text) {
            return Err(invalid());
        }
        let (until, position): (Timestamp, Position) =
            serde_json::from_slice(text).map_err(|_| invalid())?;
        if until < now {
            return Err(Error::expired_cursor(format!(
                "`cursor` is older than {} seconds: begin again with an empty one",
                KEPT / 1_000
            )));
        }
        Ok(position)
    }

    fn mark(&self, text: &[u8]) -> [u8; MARK] {
        let digest: [u8; 32] = Sha256::new()
            .chain_update(self.0)
            .chain_update(text)
            .finalize()
            .into();
        let mut mark = [0; MARK];
        mark.copy_from_slice(&digest[..MARK]);
        mark
    }
}

/// Who walks: the digest of the token.
pub type Walker = [u8; 32];

/// Where the pages of walks by index ended, in memory. A place that is forgotten costs no more
/// than the promise: the page is found by counting then.
#[derive(Debug, Default)]
pub struct Walks(Mutex<Places>);

#[derive(Debug, Default)]
struct Places {
    of: HashMap<Walker, VecDeque<Place>>,
    /// Whose place comes next to be forgotten, and when.
    oldest: VecDeque<(Timestamp, Walker)>,
}

#[derive(Debug)]
struct Place {
    listing: Listing,
    position: Position,
    until: Timestamp,
    /// Whether a page behind it was asked for: then it is no more of use to another walk.
    continued: bool,
}

impl Walks {
    /// Where the page ended that a page at `start` (counted from 1) continues.
    ///
    /// Two walks of one token through one listing cannot be told apart. Then the first place to be
    /// remembered is given to both, which lies furthest to the front: one may see somebody twice,
    /// and none loses anybody.
    pub fn position(
        &self,
        walker: &Walker,
        listing: Listing,
        start: usize,
        now: Timestamp,
    ) -> Option<Position> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_one: Vec<&mut Place> = places
            .of
            .get_mut(walker)?
            .iter_mut()
            .filter(|place| {
                place.listing == listing && place.position.served + 1 == start && now <= place.until
            })
            .collect();
        match of_one.iter().position(|place| !place.continued) {
            Some(first) => {
                // As many are continued as ask, but it is the first that stays for the others.
                if let Some(last) = of_one.iter_mut().rfind(|place| !place.continued) {
                    last.continued = true;
                }
                Some(of_one[first].position.clone())
            }
            // Who asks once more did not get the answer.
            None => of_one.last().map(|place| place.position.clone()),
        }
    }

    /// Remembers where a page ended.
    pub fn remember(&self, walker: Walker, listing: Listing, position: Position, now: Timestamp) {
        let value = position.sorted_by.as_ref().and_then(Value::as_str);
        if value.is_some_and(|value| value.len() > REMEMBERED_VALUE) {
            return;
        }
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let until = now.plus(KEPT);
        while let Some((first, _)) = places.oldest.front()
            && (*first < now || places.oldest.len() >= OF_ALL)
        {
            places.forget_oldest();
        }
        let of_one = places.of.entry(walker).or_default();
        let full = of_one.len() >= OF_ONE;
        of_one.push_back(Place {
            listing,
            position,
            until,
            continued: false,
        });
        if full {
            of_one.pop_front();
            // Whoever fills its share loses its own oldest place, and nobody else's.
            if let Some(at) = places.oldest.iter().position(|(_, of)| *of == walker) {
                places.oldest.remove(at);
            }
        }
        places.oldest.push_back((until, walker));
    }
}

impl Places {
    fn forget_oldest(&mut self) {
        let Some((_, walker)) = self.oldest.pop_front() else {
            return;
        };
        if let Some(of_one) = self.of.get_mut(&walker) {
            of_one.pop_front();
            if of_one.is_empty() {
                self.of.remove(&walker);
            }
        }
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|digit| {
            digit
                .to_digit(16)
                .and_then(|value| u8::try_from(value).ok())
        })
        .collect();
    let digits = digits?;
    let pairs = digits.chunks_exact(2);
    pairs
        .remainder()
        .is_empty()
        .then(|| pairs.map(|pair| pair[0] << 4 | pair[1]).collect())
}

mod by_name {
    use gatewright_scim::ResourceType;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(
        resource: &ResourceType,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(resource.name())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<ResourceType, D::Error> {
        let name = String::deserialize(deserializer)?;
        ResourceType::ALL
            .into_iter()
            .find(|resource| resource.name() == name)
            .ok_or_else(|| D::Error::custom("no resource type"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gatewright_scim::{Limits, ScimType};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    fn listing(directory: u128, filter: Option<&str>) -> Listing {
        let pairs: Vec<_> = filter
            .map(|filter| ("filter".to_owned(), filter.to_owned()))
            .into_iter()
            .collect();
        let query = ListQuery::parse(&pairs, ResourceType::User, &Limits::default()).unwrap();
        Listing::of(Uuid::from_u128(directory), &[(ResourceType::User, query)])
    }

    fn position(served: usize) -> Position {
        Position {
            served,
            resource: ResourceType::User,
            id: Uuid::from_u128(9),
            sorted_by: Some("ada".into()),
        }
    }

    #[test]
    fn a_cursor_holds_its_place_for_ten_minutes_and_one_listing() {
        let one = listing(1, Some("active eq true"));
        let cursor = one.cursor(&position(7), NOW);
        let read = |listing: Listing, cursor: &str, now| {
            listing
                .position(cursor, now)
                .map_err(|error| error.scim_type)
        };
        assert_eq!(read(one, &cursor, NOW), Ok(position(7)));
        assert_eq!(read(one, &cursor, NOW.plus(KEPT)), Ok(position(7)));
        let expired = Err(Some(ScimType::ExpiredCursor));
        assert_eq!(read(one, &cursor, NOW.plus(KEPT + 1)), expired);
        let invalid = Err(Some(ScimType::InvalidCursor));
        assert_eq!(
            read(listing(2, Some("active eq true")), &cursor, NOW),
            invalid
        );
        assert_eq!(read(listing(1, None), &cursor, NOW), invalid);
        assert_eq!(
            read(listing(1, Some("ACTIVE eq \"True\"")), &cursor, NOW),
            Ok(position(7))
        );
        for at in 0..cursor.len() {
            let mut wrong = cursor.clone().into_bytes();
            wrong[at] = if wrong[at] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                read(one, &String::from_utf8(wrong).unwrap(), NOW),
                invalid,
                "{at}"
            );
        }
        for wrong in [
            "",
            "x",
            "00",
            "\u{e9}",
            &cursor[1..],
            &cursor[2..],
            &cursor[..20],
        ] {
            assert_eq!(read(one, wrong, NOW), invalid, "{wrong}");
        }
    }

    #[test]
    fn places_are_remembered_for_one_walker_and_one_listing() {
        let walks = Walks::default();
        let (ada, bob) = ([1; 32], [2; 32]);
        let all = listing(1, None);
        walks.remember(ada, all, position(100), NOW);
        walks.remember(ada, all, position(200), NOW);
        assert_eq!(walks.position(&ada, all, 101, NOW), Some(position(100)));
        assert_eq!(
            walks.position(&ada, all, 201, NOW.plus(KEPT)),
            Some(position(200))
        );
        assert_eq!(walks.position(&ada, all, 201, NOW.plus(KEPT + 1)), None);
        assert_eq!(walks.position(&ada, all, 102, NOW), None);
        assert_eq!(walks.position(&bob, all, 101, NOW), None);
        let others = listing(1, Some("active eq true"));
        assert_eq!(walks.position(&ada, others, 101, NOW), None);
    }

    #[test]
    fn walks_beside_each_other_lose_nobody() {
        let walks = Walks::default();
        let (ada, all) = ([1; 32], listing(1, None));
        let ended_at = |id: u128| Position {
            id: Uuid::from_u128(id),
            ..position(100)
        };
        let next = || {
            walks
                .position(&ada, all, 101, NOW)
                .map(|found| found.id.as_u128())
        };
        // One after the other: each continues where its own page ended.
        walks.remember(ada, all, ended_at(10), NOW);
        assert_eq!(next(), Some(10));
        walks.remember(ada, all, ended_at(20), NOW);
        assert_eq!(next(), Some(20));
        assert_eq!(
            next(),
            Some(20),
            "the answer was lost and is asked for again"
        );
        // Beside each other: both continue behind the first.
        walks.remember(ada, all, ended_at(30), NOW);
        walks.remember(ada, all, ended_at(40), NOW);
        assert_eq!([next(), next()], [Some(30), Some(30)]);
    }

    #[test]
    fn memory_is_bounded_for_each_and_for_all() {
        let walks = Walks::default();
        let all = listing(1, None);
        let (ada, bob) = ([1; 32], [2; 32]);
        walks.remember(bob, all, position(1), NOW);
        for served in 1..=2 * OF_ONE {
            walks.remember(ada, all, position(served), NOW);
        }
        assert_eq!(walks.position(&ada, all, 2, NOW), None);
        assert!(walks.position(&ada, all, 2 * OF_ONE + 1, NOW).is_some());
        assert!(walks.position(&bob, all, 2, NOW).is_some());
        for walker in 0..OF_ALL {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&walker.to_be_bytes());
            walks.remember(digest, all, position(1), NOW);
        }
        let places = walks.0.lock().unwrap();
        assert!(places.oldest.len() <= OF_ALL);
        let kept: usize = places.of.values().map(VecDeque::len).sum();
        assert_eq!(kept, places.oldest.len());
        drop(places);
        walks.remember(ada, all, position(1), NOW.plus(KEPT + 1));
        assert_eq!(walks.0.lock().unwrap().oldest.len(), 1);
    }
}
