//! A disk in memory that can lose power: it remembers every write and what had been synced.

use std::{
    io::{self, ErrorKind},
    sync::{Arc, Mutex, MutexGuard},
    thread,
    time::Duration,
};

use redb::StorageBackend;

/// Clones are the same disk, so that it outlives the engine above it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    log: Vec<Event>,
    failing: bool,
    sync_time: Duration,
}

#[derive(Clone, Debug)]
pub(crate) enum Event {
    Write {
        offset: usize,
        data: Vec<u8>,
    },
    Resize(usize),
    Sync,
    /// The user of the store was told that this transaction is durable.
    Acknowledged(u64),
}

impl Disk {
    /// A disk that holds `bytes`.
    pub(crate) fn holding(bytes: Vec<u8>) -> Self {
        let disk = Self::default();
        disk.state().bytes = bytes;
        disk
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        self.state().bytes.clone()
    }

    /// From now on each sync takes so long.
    pub(crate) fn set_sync_time(&self, time: Duration) {
        self.state().sync_time = time;
    }

    /// From now on each sync fails.
    pub(crate) fn fail(&self) {
        self.state().failing = true;
    }

    pub(crate) fn acknowledge(&self, transaction: u64) {
        self.state().log.push(Event::Acknowledged(transaction));
    }

    pub(crate) fn log(&self) -> Vec<Event> {
        self.state().log.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn record(&self, event: Event) {
        let mut state = self.state();
        event.apply(&mut state.bytes);
        state.log.push(event);
    }
}

impl Event {
    /// Does to `bytes` what the event does to the disk.
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Write { offset, data } => {
                let end = offset + data.len();
                if bytes.len() < end {
                    bytes.resize(end, 0);
                }
                bytes[*offset..end].copy_from_slice(data);
            }
            Self::Resize(len) => bytes.resize(*len, 0),
            Self::Sync | Self::Acknowledged(_) => {}
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.state();
        let offset = usize::try_from(offset).unwrap();
        let found = state.bytes.get(offset..offset + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.record(Event::Resize(usize::try_from(len).unwrap()));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let (failing, time) = {
            let state = self.state();
            (state.failing, state.sync_time)
        };
        thread::sleep(time);
        if failing {
            return Err(io::Error::other("the disk is gone"));
        }
        self.record(Event::Sync);
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.record(Event::Write {
            offset: usize::try_from(offset).unwrap(),
            data: data.to_vec(),
        });
        Ok(())
    }
}
