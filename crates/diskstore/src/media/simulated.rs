//! A disk in memory that can fail in every way a real one does.

use super::{Folder, Media};
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What a power cut leaves whole.
const SECTOR: usize = 512;

/// A disk with its files. Clones are the same disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: BTreeMap<String, File>,
    faults: Faults,
    locked: bool,
}

/// What goes wrong from now on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// After so many more writes every write fails with this; what was written of the first one is its beginning.
    pub(crate) writes_fail: Option<(u32, io::ErrorKind)>,
    /// After so many more reads every read fails.
    pub(crate) reads_fail: Option<u32>,
    /// From here to there no byte of the file `data` can be read.
    pub(crate) unreadable: Option<(u64, u64)>,
    /// Everything is at hand.
    pub(crate) at_hand: bool,
    /// Barriers fail.
    pub(crate) syncs_fail: bool,
    /// And what was written before one that fails is seen until the power goes, and never arrives, whatever later barriers say.
    pub(crate) syncs_lose: bool,
    /// Each write takes at most so many bytes.
    pub(crate) short_writes: Option<usize>,
    /// The directory is gone.
    pub(crate) gone: bool,
    /// There is no room for this file to be any longer.
    pub(crate) no_room_for: Option<&'static str>,
}

#[derive(Debug, Default)]
struct File {
    /// As a reader sees it.
    bytes: Vec<u8>,
    /// As it was at the last barrier.
    durable: Vec<u8>,
    /// Since then.
    pending: Vec<(usize, Vec<u8>)>,
}

impl SimulatedDisk {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// The machine goes dark. `chance` is asked for a number below its argument: which of the writes since the last
    /// barrier arrive, in which order, and which of their sectors.
    pub(crate) fn cut_power(&self, mut chance: impl FnMut(usize) -> usize) {
        let mut state = self.state();
        for file in state.files.values_mut() {
            let mut pending = std::mem::take(&mut file.pending);
            let length = file.bytes.len();
            file.durable.resize(length, 0);
            while !pending.is_empty() {
                let (at, bytes) = pending.swap_remove(chance(pending.len()));
                let fate = chance(3);
                for (place, sector) in bytes.chunks(SECTOR).enumerate() {
                    // All, nothing, or each sector by itself.
                    if fate == 0 || (fate == 1 && chance(2) == 0) {
                        let at = at + place * SECTOR;
                        file.durable[at..at + sector.len()].copy_from_slice(sector);
                    }
                }
            }
            file.bytes.clone_from(&file.durable);
        }
        state.locked = false;
        state.faults = Faults::default();
    }

    /// Bytes of the file `name`.
    pub(crate) fn length(&self, name: &str) -> usize {
        self.state().files.get(name).map_or(0, |file| file.bytes.len())
    }

    /// Changes bits of one byte.
    pub(crate) fn flip(&self, name: &str, at: usize, mask: u8) {
        if let Some(file) = self.state().files.get_mut(name) {
            file.bytes[at] ^= mask;
            file.durable.clone_from(&file.bytes);
        }
    }

    /// The bytes of a file.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        self.state().files.get(name).map(|file| file.bytes.clone()).unwrap_or_default()
    }

    /// Overwrites a file's beginning.
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8]) {
        let mut state = self.state();
        let file = state.files.entry(name.to_owned()).or_default();
        let length = file.bytes.len().max(bytes.len());
        file.bytes.resize(length, 0);
        file.bytes[..bytes.len()].copy_from_slice(bytes);
        file.durable.clone_from(&file.bytes);
    }
}

#[derive(Debug)]
struct Lock(SimulatedDisk);

impl Drop for Lock {
    fn drop(&mut self) {
        self.0.state().locked = false;
    }
}

impl Folder for SimulatedDisk {
    fn lock(&self) -> io::Result<Box<dyn Debug + Send + Sync>> {
        let mut state = self.state();
        if state.faults.gone {
            return Err(io::ErrorKind::NotFound.into());
        }
        if std::mem::replace(&mut state.locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Lock(self.clone())))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn Media>> {
        self.state().files.entry(name.to_owned()).or_default();
        Ok(Arc::new(SimulatedFile { disk: self.clone(), name: name.to_owned() }))
    }

    fn is_there(&self) -> bool {
        !self.state().faults.gone
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    name: String,
}

impl SimulatedFile {
    fn with<T>(&self, run: impl FnOnce(&mut Faults, &mut File) -> io::Result<T>) -> io::Result<T> {
        let mut state = self.disk.state();
        let State { files, faults, .. } = &mut *state;
        run(faults, files.entry(self.name.clone()).or_default())
    }
}

impl Media for SimulatedFile {
    fn read_at(&self, into: &mut [u8], at: u64) -> io::Result<usize> {
        self.with(|faults, file| {
            match &mut faults.reads_fail {
                Some(0) => return Err(io::Error::from_raw_os_error(5)),
                Some(left) => *left -= 1,
                None => {}
            }
            let is_in = |(from, to)| self.name == "data" && at < to && at + into.len() as u64 > from;
            if faults.unreadable.is_some_and(is_in) {
                return Err(io::Error::from_raw_os_error(5));
            }
            let at = usize::try_from(at).unwrap_or(usize::MAX).min(file.bytes.len());
            let length = into.len().min(file.bytes.len() - at);
            into[..length].copy_from_slice(&file.bytes[at..at + length]);
            Ok(length)
        })
    }

    fn read_at_hand(&self, into: &mut [u8], at: u64) -> io::Result<Option<usize>> {
        let at_hand = self.with(|faults, _| Ok(faults.at_hand))?;
        at_hand.then(|| self.read_at(into, at)).transpose()
    }

    fn write_at(&self, parts: &[IoSlice<'_>], at: u64) -> io::Result<usize> {
        self.with(|faults, file| {
            let mut bytes: Vec<u8> = parts.iter().flat_map(|part| part.iter().copied()).collect();
            let mut failed = None;
            match &mut faults.writes_fail {
                Some((0, kind)) => return Err((*kind).into()),
                Some((left, kind)) => {
                    *left -= 1;
                    if *left == 0 {
                        bytes.truncate(bytes.len() / 2);
                        failed = Some(*kind);
                    }
                }
                None => {}
            }
            if let Some(most) = faults.short_writes {
                bytes.truncate(most);
            }
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            if faults.no_room_for == Some(&self.name) && at + bytes.len() > file.bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            assert!(at + bytes.len() <= file.bytes.len(), "the store writes inside what it has reserved");
            file.bytes[at..at + bytes.len()].copy_from_slice(&bytes);
            let written = bytes.len();
            file.pending.push((at, bytes));
            failed.map_or(Ok(written), |kind| Err(kind.into()))
        })
    }

    fn sync(&self) -> io::Result<()> {
        self.with(|faults, file| {
            if faults.syncs_fail {
                if faults.syncs_lose {
                    file.pending.clear();
                }
                return Err(io::Error::from_raw_os_error(5));
            }
            let pending = std::mem::take(&mut file.pending);
            let length = file.bytes.len();
            file.durable.resize(length, 0);
            for (at, bytes) in pending {
                file.durable[at..at + bytes.len()].copy_from_slice(&bytes);
            }
            Ok(())
        })
    }

    fn reserve(&self, length: u64) -> io::Result<()> {
        self.with(|faults, file| {
            if let Some((0, kind)) = faults.writes_fail {
                return Err(kind.into());
            }
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            if faults.no_room_for == Some(&self.name) && length > file.bytes.len() {
                return Err(io::ErrorKind::StorageFull.into());
            }
            file.bytes.resize(length, 0);
            file.durable.resize(length, 0);
            Ok(())
        })
    }

    fn length(&self) -> io::Result<u64> {
        self.with(|_, file| Ok(file.bytes.len() as u64))
    }

    fn forget(&self, _range: Range<u64>) {}
}
