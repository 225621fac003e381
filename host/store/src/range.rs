//! Which rows a scan visits, and in which order.

use std::marker::PhantomData;

use crate::{
    engine::Scan,
    key::{Key, encoded},
};

/// A stretch of a table or of an index, in key order or against it.
///
/// The starting point is seen in the direction of the walk: with [`reverse`](Self::reverse),
/// [`from`](Self::from) and [`after`](Self::after) continue towards smaller keys. So a page of
/// results goes on with `after(last)` whichever way it runs.
#[derive(Clone, Debug)]
pub struct Range<K> {
    prefix: Vec<u8>,
    start: Option<Start>,
    reverse: bool,
    key: PhantomData<fn() -> K>,
}

#[derive(Clone, Debug)]
struct Start {
    key: Vec<u8>,
    inclusive: bool,
}

impl<K: Key> Range<K> {
    /// Everything.
    #[must_use]
    pub fn all() -> Self {
        Self::prefix(&())
    }

    /// The keys whose first parts are `parts`: for keys `(directory, user)` both `&directory` and
    /// `&(directory,)`. A text counts as a whole part, not as the beginning of longer texts.
    #[must_use]
    pub fn prefix(parts: &impl Key) -> Self {
        Self {
            prefix: encoded(parts),
            start: None,
            reverse: false,
            key: PhantomData,
        }
    }

    /// Starts at `key`, or at the first one behind it.
    #[must_use]
    pub fn from(self, key: &K) -> Self {
        self.start(key, true)
    }

    /// Starts behind `key`. In an index where several rows share a key, behind all of them.
    #[must_use]
    pub fn after(self, key: &K) -> Self {
        self.start(key, false)
    }

    /// Starts behind the key that a walk has come to, as [`after`](Self::after) does; at the beginning
    /// where it has come to none.
    #[must_use]
    pub fn behind(self, last: Option<K>) -> Self {
        match last {
            Some(key) => self.after(&key),
            None => self,
        }
    }

    /// Walks from the greatest key to the smallest.
    #[must_use]
    pub fn reverse(mut self) -> Self {
        self.reverse = true;
        self
    }

    fn start(mut self, key: &K, inclusive: bool) -> Self {
        self.start = Some(Start {
            key: encoded(key),
            inclusive,
        });
        self
    }

    /// The scan over the rows behind `base`.
    pub(crate) fn scan(&self, base: &[u8], keys_only: bool) -> Scan {
        let mut from = [base, &self.prefix].concat();
        let mut until = successor(from.clone());
        if let Some(start) = &self.start {
            let key = [base, &start.key].concat();
            // No key begins another, so what follows `key` follows all that begins with it.
            if self.reverse {
                until = until.min(if start.inclusive { successor(key) } else { key });
            } else {
                from = from.max(if start.inclusive { key } else { successor(key) });
            }
        }
        Scan {
            from,
            until,
            reverse: self.reverse,
            keys_only,
        }
    }
}

/// The smallest bytes above everything that begins with `prefix`. A physical key's first byte says
/// its scope and is never 0xFF, so there is always such a bound.
fn successor(mut prefix: Vec<u8>) -> Vec<u8> {
    while let Some(last) = prefix.pop() {
        if last < u8::MAX {
            prefix.push(last + 1);
            break;
        }
    }
    prefix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(range: &Range<(u8, u8)>) -> (Vec<u8>, Vec<u8>) {
        let scan = range.scan(&[0, 9], false);
        (scan.from, scan.until)
    }

    #[test]
    fn a_prefix_ends_where_its_successor_begins() {
        assert_eq!(bounds(&Range::all()), (vec![0, 9], vec![0, 10]));
        assert_eq!(bounds(&Range::prefix(&7u8)), (vec![0, 9, 7], vec![0, 9, 8]));
        assert_eq!(
            bounds(&Range::prefix(&255u8)),
            (vec![0, 9, 255], vec![0, 10])
        );
    }

    #[test]
    fn the_start_lies_in_the_direction_of_the_walk() {
        let prefix = || Range::<(u8, u8)>::prefix(&7u8);
        assert_eq!(bounds(&prefix().from(&(7, 3))).0, [0, 9, 7, 3]);
        assert_eq!(bounds(&prefix().after(&(7, 3))).0, [0, 9, 7, 4]);
        assert_eq!(bounds(&prefix().from(&(7, 3)).reverse()).1, [0, 9, 7, 4]);
        assert_eq!(bounds(&prefix().reverse().after(&(7, 3))).1, [0, 9, 7, 3]);
    }

    #[test]
    fn a_start_outside_the_prefix_does_not_widen_it() {
        let prefix = || Range::<(u8, u8)>::prefix(&7u8);
        assert_eq!(bounds(&prefix().from(&(1, 0))).0, [0, 9, 7]);
        assert_eq!(bounds(&prefix().from(&(9, 0)).reverse()).1, [0, 9, 8]);
        assert!(prefix().from(&(9, 0)).scan(&[0], false).is_empty());
    }
}
