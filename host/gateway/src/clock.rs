//! Time and randomness, the two things that a computation cannot repeat. All code takes them from
//! here, so that tests own them; a lint closes the other doors.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use uuid::Uuid;

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// This time and `milliseconds` more.
    #[must_use]
    pub fn plus(self, milliseconds: u64) -> Self {
        Self(self.0.saturating_add(milliseconds))
    }
}

/// RFC 3339 in UTC with milliseconds, as SCIM's `dateTime` (RFC 7643 section 2.3.5).
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", jiff::Timestamp::from(*self))
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        let milliseconds = i64::try_from(time.0).ok();
        milliseconds
            .and_then(|ms| Self::from_millisecond(ms).ok())
            .unwrap_or(Self::MAX)
    }
}

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self::from_fn(|| {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one door to the clock"
            )]
            let now = jiff::Timestamp::now().as_millisecond();
            Timestamp(u64::try_from(now).unwrap_or(0))
        })
    }

    /// A clock that answers what `now` returns, for tests.
    pub fn from_fn(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Where random bytes come from.
#[derive(Clone)]
pub struct Random(Arc<Fill>);

type Fill = dyn Fn(&mut [u8]) + Send + Sync;

impl Random {
    /// The operating system's generator.
    ///
    /// # Panics
    /// Where the operating system has no random bytes to give: nothing safe can be done then.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(|bytes| {
            #[expect(
                clippy::disallowed_methods,
                reason = "this is the one door to randomness"
            )]
            getrandom::fill(bytes).expect("the operating system gives random bytes");
        }))
    }

    /// `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.0)(&mut bytes);
        bytes
    }

    /// A new id: a version 7 UUID (RFC 9562), so that ids sort by the time they were made, and the
    /// order of a listing never changes.
    #[must_use]
    pub fn id(&self, now: Timestamp) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(now.0, &self.bytes()).into_uuid()
    }

    /// The lowest id that can be made at a time: all made earlier are below it.
    #[must_use]
    pub fn lowest_id(time: Timestamp) -> Uuid {
        uuid::Builder::from_unix_timestamp_millis(time.0, &[0; 10]).into_uuid()
    }
}

/// Makes ids that sort in the order in which they are made, also within a millisecond: the bits
/// behind the time count on (RFC 9562 section 6.2, method 1).
#[derive(Debug, Default)]
pub struct Sequence(AtomicU64);

impl Sequence {
    /// A new id, above all before it. Where the clock goes back, the ids go on from the last one.
    #[must_use]
    pub fn id(&self, now: Timestamp, random: &Random) -> Uuid {
        let next = |last: u64| (now.0 << 12).max(last + 1);
        let last = self
            .0
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |last| {
                Some(next(last))
            });
        let number = next(last.unwrap_or_else(|last| last));
        let mut bytes: [u8; 10] = random.bytes();
        let [high, low] = (number as u16 & 0xfff).to_be_bytes();
        (bytes[0], bytes[1]) = (high, low);
        uuid::Builder::from_unix_timestamp_millis(number >> 12, &bytes).into_uuid()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_print_as_scim_date_times() {
        assert_eq!(
            Timestamp(1_700_000_000_123).to_string(),
            "2023-11-14T22:13:20.123Z"
        );
        assert_eq!(Timestamp(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn ids_sort_by_time() {
        let random = Random::system();
        assert!(random.id(Timestamp(1_000)) < random.id(Timestamp(1_001)));
        let lowest = Random::lowest_id(Timestamp(1_001));
        assert!(random.id(Timestamp(1_000)) < lowest && lowest <= random.id(Timestamp(1_001)));
    }

    #[test]
    fn a_sequence_sorts_within_a_millisecond_and_when_the_clock_goes_back() {
        let (random, sequence) = (Random::system(), Sequence::default());
        // More than fit into one millisecond.
        let times = std::iter::repeat_n(7_000, 5_000).chain([6_000, 9_000, 9_000]);
        let ids: Vec<Uuid> = times
            .map(|time| sequence.id(Timestamp(time), &random))
            .collect();
        assert!(ids.is_sorted_by(|one, next| one < next));
        assert!(Random::lowest_id(Timestamp(7_000)) <= ids[0]);
        assert!(ids[5_000] < Random::lowest_id(Timestamp(9_000)));
        assert!(Random::lowest_id(Timestamp(9_000)) <= ids[5_001]);
        assert_eq!(ids[0].get_version_num(), 7);
    }
}
