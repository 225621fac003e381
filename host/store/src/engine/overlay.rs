//! One transaction's writes, kept in memory above the batch that it belongs to.

use std::{cmp::Ordering, collections::BTreeMap, iter::Peekable, ops::Bound};

use super::{EngineError, Row, RowIter, Rows, Scan, Transaction};

/// A key's new value, or its removal.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Writes above rows that they have not reached yet.
pub(super) struct Overlay<'t, B> {
    base: &'t B,
    writes: Writes,
}

impl<'t, B> Overlay<'t, B> {
    pub(super) fn new(base: &'t B) -> Self {
        Self {
            base,
            writes: Writes::new(),
        }
    }

    pub(super) fn into_writes(self) -> Writes {
        self.writes
    }
}

impl<B: Rows> Rows for Overlay<'_, B> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        get_above(self.base, &self.writes, key)
    }

    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError> {
        scan_above(self.base, &self.writes, scan)
    }
}

impl<B: Rows> Transaction for Overlay<'_, B> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }
}

/// A row of `base` as it would be with `writes`.
pub(super) fn get_above<B: Rows + ?Sized>(
    base: &B,
    writes: &Writes,
    key: &[u8],
) -> Result<Option<Vec<u8>>, EngineError> {
    match writes.get(key) {
        Some(own) => Ok(own.clone()),
        None => base.get(key),
    }
}

/// The rows of `base` as they would be with `writes`.
pub(super) fn scan_above<'a, B: Rows + ?Sized>(
    base: &'a B,
    writes: &'a Writes,
    scan: &Scan,
) -> Result<RowIter<'a>, EngineError> {
    let base = base.scan(scan)?;
    if scan.is_empty() {
        return Ok(base);
    }
    let bounds = (
        Bound::Included(scan.from.as_slice()),
        Bound::Excluded(scan.until.as_slice()),
    );
    let own = writes.range::<[u8], _>(bounds);
    let own: OwnIter<'_> = if scan.reverse {
        Box::new(own.rev())
    } else {
        Box::new(own)
    };
    Ok(Box::new(Merged {
        base: base.peekable(),
        own: own.peekable(),
        reverse: scan.reverse,
    }))
}

type OwnIter<'a> = Box<dyn Iterator<Item = (&'a Vec<u8>, &'a Option<Vec<u8>>)> + 'a>;

/// Two ordered walks as one, in which the own writes hide the rows below them.
struct Merged<'a> {
    base: Peekable<RowIter<'a>>,
    own: Peekable<OwnIter<'a>>,
    reverse: bool,
}

impl Iterator for Merged<'_> {
    type Item = Result<Row, EngineError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let order = match (self.base.peek(), self.own.peek()) {
                (_, None) | (Some(Err(_)), _) => return self.base.next(),
                (None, Some(_)) => Ordering::Greater,
                (Some(Ok((base, _))), Some((own, _))) if self.reverse => own.as_slice().cmp(base),
                (Some(Ok((base, _))), Some((own, _))) => base.as_slice().cmp(own),
            };
            match order {
                Ordering::Less => return self.base.next(),
                Ordering::Equal => drop(self.base.next()),
                Ordering::Greater => {}
            }
            let (key, value) = self.own.next()?;
            if let Some(value) = value {
                return Some(Ok((key.clone(), value.clone())));
            }
        }
    }
}
