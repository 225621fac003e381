//! One transaction's writes, kept in memory above the batch that it belongs to.

use std::{cmp::Ordering, collections::BTreeMap, iter::Peekable, ops::Bound};

use redb::ReadableTable;

use super::{
    EngineError, Row, RowIter, Rows, Scan, Transaction,
    redb::{get, rows},
};

/// A key's new value, or its removal.
pub(super) type Writes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// Writes above a table that they have not reached yet.
pub(super) struct Overlay<'t, T> {
    base: &'t T,
    writes: Writes,
}

impl<'t, T> Overlay<'t, T> {
    pub(super) fn new(base: &'t T) -> Self {
        Self {
            base,
            writes: Writes::new(),
        }
    }

    pub(super) fn into_writes(self) -> Writes {
        self.writes
    }
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Rows for Overlay<'_, T> {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, EngineError> {
        match self.writes.get(key) {
            Some(own) => Ok(own.clone()),
            None => get(self.base, key),
        }
    }

    fn scan(&self, scan: &Scan) -> Result<RowIter<'_>, EngineError> {
        let base = rows(self.base, scan)?;
        if scan.is_empty() {
            return Ok(base);
        }
        let bounds = (
            Bound::Included(scan.from.as_slice()),
            Bound::Excluded(scan.until.as_slice()),
        );
        let own = self.writes.range::<[u8], _>(bounds);
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
}

impl<T: ReadableTable<&'static [u8], &'static [u8]>> Transaction for Overlay<'_, T> {
    fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.writes.insert(key, Some(value));
    }

    fn delete(&mut self, key: Vec<u8>) {
        self.writes.insert(key, None);
    }
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
