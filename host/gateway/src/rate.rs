//! How often something may happen: a bucket for each key, in memory.

use governor::clock::{Clock as _, DefaultClock};
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use uuid::Uuid;

/// After so many questions what is idle is forgotten.
const SWEEP: u32 = 1_024;

/// A rate, and how much of it may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// So often in a second, in the long run; 0: as often as it likes.
    pub per_second: u32,
    /// So often at once, after a rest. 0 counts as 1.
    pub burst: u32,
}

/// Counts for each key. A key that has rested long enough to have its whole burst again is
/// forgotten.
pub struct Rates {
    buckets: Option<RateLimiter<Uuid, HashMapStateStore<Uuid>, DefaultClock>>,
    asked: AtomicU32,
}

/// It was asked too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this token asks too often; nothing was changed. Try again in {seconds} s. The limits are \
     `limits.requests_per_second` and `limits.request_burst` of the gateway"
)]
pub struct TooOften {
    /// Whole seconds until it may be asked again; at least 1.
    pub seconds: u64,
}

impl Rates {
    /// With one rate for each key.
    #[must_use]
    pub fn new(rate: Rate) -> Self {
        let buckets = NonZeroU32::new(rate.per_second).map(|per_second| {
            let burst = NonZeroU32::new(rate.burst).unwrap_or(NonZeroU32::MIN);
            let quota = Quota::per_second(per_second).allow_burst(burst);
            RateLimiter::hashmap_with_clock(quota, DefaultClock::default())
        });
        Self {
            buckets,
            asked: AtomicU32::new(0),
        }
    }

    /// Counts one for this key.
    ///
    /// # Errors
    /// Where that is one too many. It is not counted then.
    pub fn check(&self, key: Uuid) -> Result<(), TooOften> {
        let Some(buckets) = &self.buckets else {
            return Ok(());
        };
        if self.asked.fetch_add(1, Ordering::Relaxed) % SWEEP == SWEEP - 1 {
            buckets.retain_recent();
            buckets.shrink_to_fit();
        }
        buckets.check_key(&key).map_err(|not_until| {
            let wait = not_until.wait_time_from(buckets.clock().now());
            let whole = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            TooOften {
                seconds: whole.max(1),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn rates(per_second: u32, burst: u32) -> Rates {
        Rates::new(Rate { per_second, burst })
    }

    #[test]
    fn a_key_has_its_burst_and_not_one_more() {
        let rates = rates(1, 3);
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        for _ in 0..3 {
            assert_eq!(rates.check(one), Ok(()));
        }
        assert_eq!(rates.check(one), Err(TooOften { seconds: 1 }));
        assert_eq!(rates.check(other), Ok(()), "another key has its own");
    }

    #[test]
    fn no_rate_is_no_limit() {
        let rates = rates(0, 1);
        assert!((0..10_000).all(|_| rates.check(Uuid::nil()).is_ok()));
    }

    #[test]
    fn what_rests_is_forgotten() {
        let rates = rates(1_000, 1);
        for key in 0..500 {
            let _ = rates.check(Uuid::from_u128(key));
        }
        // One is had again after a thousandth of a second.
        std::thread::sleep(Duration::from_millis(20));
        for _ in 500..SWEEP {
            let _ = rates.check(Uuid::nil());
        }
        let left = rates.buckets.as_ref().map_or(0, RateLimiter::len);
        assert!(left <= 1, "{left} are left");
    }
}
