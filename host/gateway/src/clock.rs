//! Time and randomness, the two things that a computation cannot repeat. All code takes them from
//! here, so that tests own them; a lint closes the other doors.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
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

/// The longest that a thread sleeps between two looks at the clock, in milliseconds: the machine's
/// goes on by itself, one that is moved by hand has to be looked at.
const LONGEST_SLEEP: u64 = 60_000;
const LONGEST_SLEEP_BY_HAND: u64 = 20;

/// Where the time comes from.
#[derive(Clone)]
pub struct Clock {
    read: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    longest_sleep: u64,
}

/// Why a file does not say how far a clock is moved.
#[derive(Debug, thiserror::Error)]
pub enum ShiftError {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Read(#[source] std::io::Error),
    /// It holds something else.
    #[error(
        "the file has to hold a span of days, hours, minutes and seconds, such as `90d` or `1h 30m`"
    )]
    Span(#[source] jiff::Error),
}

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
        Self {
            read: Arc::new(now),
            longest_sleep: LONGEST_SLEEP,
        }
    }

    /// The machine's clock, moved on by the span that a file holds whenever the time is asked: who
    /// writes `31d` into it is 31 days on. A day has 24 hours. While the file is being rewritten, what
    /// it held before is in force.
    ///
    /// # Errors
    /// Where the file holds no span at the start.
    pub fn shifted(file: PathBuf) -> Result<Self, ShiftError> {
        let last = AtomicU64::new(shift(&file)?);
        let machine = Self::system();
        let read = move || {
            if let Ok(shift) = shift(&file) {
                last.store(shift, Ordering::Relaxed);
            }
            machine.now().plus(last.load(Ordering::Relaxed))
        };
        Ok(Self {
            read: Arc::new(read),
            longest_sleep: LONGEST_SLEEP_BY_HAND,
        })
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        (self.read)()
    }

    /// How long to sleep at `now` for what is due then, if anything is: who wakes looks again.
    #[must_use]
    pub fn sleep(&self, now: Timestamp, due: Option<Timestamp>) -> Duration {
        let wait = due.map_or(self.longest_sleep, |due| due.0.saturating_sub(now.0));
        Duration::from_millis(wait.clamp(1, self.longest_sleep))
    }
}

/// How far a file moves the clock on, in milliseconds.
fn shift(file: &Path) -> Result<u64, ShiftError> {
    let text = std::fs::read_to_string(file).map_err(ShiftError::Read)?;
    let span: jiff::Span = text.trim().parse().map_err(ShiftError::Span)?;
    let length = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .and_then(Duration::try_from)
        .map_err(ShiftError::Span)?;
    Ok(u64::try_from(length.as_millis()).unwrap_or(u64::MAX))
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
    fn a_clock_is_moved_by_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("clock");
        let at = |text: &str| {
            std::fs::write(&file, text).unwrap();
            Clock::shifted(file.clone())
        };
        let days = |clock: &Clock| (clock.now().0 - Clock::system().now().0 + 500) / 86_400_000;
        let clock = at("0s\n").unwrap();
        assert_eq!(days(&clock), 0);
        std::fs::write(&file, "31d").unwrap();
        assert_eq!(days(&clock), 31);
        // In the middle of a rewriting.
        std::fs::write(&file, "").unwrap();
        assert_eq!(days(&clock), 31);
        assert_eq!(days(&at("1d 24h").unwrap()), 2);
        for wrong in ["", "soon", "2 months", "-1h"] {
            assert!(matches!(at(wrong), Err(ShiftError::Span(_))), "{wrong}");
        }
        assert!(matches!(
            Clock::shifted(folder.path().join("none")),
            Err(ShiftError::Read(_))
        ));
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
