//! Swap and rollback while calls are running.

use arc_swap::ArcSwap;
use std::sync::Arc;

/// A place for one immutable value that can be exchanged at any time, from any thread, without a
/// lock. Who took the old value with [`Slot::current`] finishes on it; it is dropped after the
/// last of them and after the next swap, for the slot keeps one value to go back to.
#[derive(Debug)]
pub struct Slot<T>(ArcSwap<Versions<T>>);

/// Exchanged as one, so that nobody sees the new value beside the wrong previous one.
#[derive(Debug)]
struct Versions<T> {
    current: Arc<T>,
    previous: Option<Arc<T>>,
}

impl<T> Slot<T> {
    /// A slot with its first value and nothing to go back to.
    #[must_use]
    pub fn new(value: Arc<T>) -> Self {
        Self(ArcSwap::from_pointee(Versions {
            current: value,
            previous: None,
        }))
    }

    /// The value at this moment.
    #[must_use]
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.load().current)
    }

    /// The value that [`Slot::rollback`] would bring back.
    #[must_use]
    pub fn previous(&self) -> Option<Arc<T>> {
        self.0.load().previous.clone()
    }

    /// Puts `new` in place, keeps the value before it as the previous one, and returns that.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "the caller hands the value over; that another swap in between makes it cloned \
                  is no business of theirs"
    )]
    pub fn swap(&self, new: Arc<T>) -> Arc<T> {
        let before = self.0.rcu(|versions| Versions {
            current: Arc::clone(&new),
            previous: Some(Arc::clone(&versions.current)),
        });
        Arc::clone(&before.current)
    }

    /// Exchanges the current value and the previous one, and returns the one that is current now.
    /// None, and no change, where nothing was swapped yet. A second rollback undoes the first.
    pub fn rollback(&self) -> Option<Arc<T>> {
        let before = self.0.rcu(|versions| match &versions.previous {
            Some(previous) => Versions {
                current: Arc::clone(previous),
                previous: Some(Arc::clone(&versions.current)),
            },
            None => Versions {
                current: Arc::clone(&versions.current),
                previous: None,
            },
        });
        before.previous.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn swap_keeps_the_way_back() {
        let slot = Slot::new(Arc::new(1));
        assert_eq!(slot.rollback(), None);
        assert_eq!(*slot.swap(Arc::new(2)), 1);
        assert_eq!((*slot.current(), slot.previous().as_deref()), (2, Some(&1)));
        assert_eq!(slot.rollback().as_deref(), Some(&1));
        assert_eq!(*slot.current(), 1);
        assert_eq!(slot.rollback().as_deref(), Some(&2));
    }

    #[test]
    fn no_swap_is_lost_between_threads() {
        let slot = Slot::new(Arc::new(0_u32));
        let mut replaced: Vec<u32> = thread::scope(|scope| {
            let threads: Vec<_> = (0_u32..4)
                .map(|thread| {
                    let slot = &slot;
                    let swap = move |i| *slot.swap(Arc::new(1 + thread * 100 + i));
                    scope.spawn(move || (0_u32..100).map(swap).collect::<Vec<u32>>())
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap())
                .collect()
        });
        // Each value was replaced exactly once, but for the one that is there.
        replaced.push(*slot.current());
        replaced.sort_unstable();
        assert_eq!(replaced, (0..=400).collect::<Vec<u32>>());
    }
}
