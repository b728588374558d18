//! Opening a store: from its footers, and where the last run was cut off, from its records.
//!
//! A full region is one read. The region that was being written is walked record by record for as long as each is whole
//! and follows the one before it; where that ends, writing goes on. Of that region's last record the blocks are read too:
//! a kill may have left its front without them.

use super::log::Log;
use super::scan::WINDOW;
use super::{Geometry, LEAST_REGIONS, Volume, Wanted};
use crate::counters::Counters;
use crate::footer::{self, Kind, Listed};
use crate::index::{Index, Slot};
use crate::media::{Folder, Media, is_full, read_full};
use crate::note;
use crate::record::{self, Place, UNIT};
use crate::superblock::{self, Found, SECTOR, Superblock};
use bytes::Bytes;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Footers read at once: enough for an SSD's queue, few enough that a hard disk's head does not thrash.
const READERS: usize = 4;
/// How far a generation's number may grow in one run; the epoch stands above it.
const GENERATION_BITS: u32 = 40;

/// Why a store was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it.
    #[error("another process uses this directory")]
    Locked,
    /// There is a file of ours by its name only.
    #[error("the file `store` in it is not a cache's; give an empty directory")]
    Foreign,
    /// Written by another version.
    #[error(
        "it has format version {found}, this program reads {}; empty the directory or run the version that wrote it",
        superblock::VERSION
    )]
    Version {
        /// As the file says.
        found: u32,
    },
    /// The disk has not the room.
    #[error("the disk has no room for {size} bytes")]
    Full {
        /// Bytes that were asked for.
        size: u64,
    },
    /// Too small to be cut into regions.
    #[error("{size} bytes are too few")]
    TooSmall {
        /// Bytes that were asked for.
        size: u64,
    },
    /// The system's word.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// Whether what lies in `directory` is a store of this program's, or none yet. Nothing is made, and who has it open is not asked.
///
/// # Errors
/// Why it would not be opened.
pub fn look_into(directory: &Path) -> Result<(), OpenError> {
    let mut sectors = Vec::new();
    match File::open(directory.join("store")) {
        Ok(file) => file.take(superblock::BYTES).read_to_end(&mut sectors)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    if !sectors.is_empty() {
        sectors.resize(sectors.len().next_multiple_of(SECTOR), 0);
    }
    match Superblock::latest(&sectors) {
        Found::Version(found) => Err(OpenError::Version { found }),
        Found::Foreign => Err(OpenError::Foreign),
        Found::Superblock(_) | Found::Damaged | Found::Nothing => Ok(()),
    }
}

/// How a store begins, where it does not go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Begin {
    /// Its name and its secret: random.
    pub(crate) identity: (u64, u64),
    /// Even where there is one.
    pub(crate) anew: bool,
}

impl Volume {
    /// Opens the store in `folder`, or makes one.
    pub(crate) fn open(
        folder: &dyn Folder,
        geometry: Geometry,
        begin: Begin,
        wanted: Wanted,
        counters: Arc<Counters>,
    ) -> Result<Self, OpenError> {
        if u64::from(geometry.count()) < LEAST_REGIONS {
            return Err(OpenError::TooSmall { size: geometry.size });
        }
        let lock = folder.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => OpenError::Io(error),
        })?;
        let (table, data, note) = (folder.open("store")?, folder.open("data")?, folder.open("note")?);
        let found = Superblock::read(&*table)?;
        let is_new = matches!(found, Found::Nothing);
        let superblock = match found {
            Found::Superblock(_) if begin.anew => None,
            Found::Superblock(there) => resized(there, geometry),
            Found::Nothing => None,
            Found::Damaged => {
                tracing::warn!("the superblock is damaged; the disk begins empty");
                None
            }
            Found::Version(found) => return Err(OpenError::Version { found }),
            Found::Foreign => return Err(OpenError::Foreign),
        };
        let superblock = superblock.unwrap_or_else(|| {
            let (store, secret) = begin.identity;
            Superblock { region: geometry.region, count: geometry.count(), epoch: 0, store, secret }
        });
        let superblock = Superblock { epoch: superblock.epoch.wrapping_add(1), ..superblock };
        let size = u64::from(superblock.region) * u64::from(superblock.count);
        reserve(&*table, superblock::file_length(superblock.count), size)?;
        reserve(&*data, size, size)?;
        // Not only when there is something to note: a disk that is full by then could not be told what is not to come back.
        match reserve(&*note, note::LENGTH, size + note::LENGTH) {
            // What is there serves all the same; a version that reserved none may have made it.
            Err(OpenError::Full { .. }) if !is_new => {
                tracing::warn!(
                    bytes = note::LENGTH,
                    "the disk has no room for its note; what is purged may come back with a restart"
                );
            }
            reserved => reserved?,
        }
        superblock.write(&*table)?;

        let mut regions = Vec::with_capacity(usize::from(superblock.count));
        for sequence in superblock::read_regions(&*table, &superblock)? {
            regions.push(match sequence {
                Some(sequence) => sequence,
                None => sequence_by_record(&*data, &superblock, regions.len())?,
            });
        }
        let volume = Self {
            superblock,
            data,
            buffers: Arc::default(),
            table,
            note,
            regions: regions.iter().copied().map(AtomicU32::new).collect(),
            index: Index::new(),
            log: Mutex::default(),
            lost: Mutex::default(),
            generation: AtomicU64::new(u64::from(superblock.epoch) << GENERATION_BITS),
            noted: Mutex::default(),
            wanted,
            counters,
            lock: Mutex::new(Some(lock)),
        };
        volume.recover(&regions)?;
        Ok(volume)
    }

    fn recover(&self, regions: &[u32]) -> io::Result<()> {
        let newest = (0u16..).zip(regions).max_by_key(|(_, sequence)| **sequence);
        let newest =
            newest.map(|(region, &sequence)| (region, sequence)).filter(|(_, sequence)| *sequence != 0);
        let removed: Mutex<HashMap<u64, (u32, u32)>> = Mutex::default();
        let next = AtomicUsize::new(0);
        let active = Mutex::new(None);
        let read = || -> io::Result<()> {
            loop {
                let region = next.fetch_add(1, Ordering::Relaxed);
                let Some(&sequence) = regions.get(region) else { return Ok(()) };
                let region = u16::try_from(region).unwrap_or(u16::MAX);
                if sequence == 0 {
                    continue;
                }
                let footer = footer::read(
                    &*self.data,
                    self.superblock.store,
                    self.start(region),
                    self.superblock.region,
                )?;
                let contents = match footer {
                    Some((of, contents)) if of == sequence => contents,
                    _ => {
                        let scanned = self.scan(region, sequence)?;
                        let contents = scanned.contents.clone();
                        if newest == Some((region, sequence)) {
                            *active.lock().unwrap_or_else(PoisonError::into_inner) = Some(scanned);
                        }
                        contents
                    }
                };
                self.enter(region, sequence, &contents, &removed);
            }
        };
        std::thread::scope(|scope| {
            let readers: Vec<_> = (0..READERS).map(|_| scope.spawn(read)).collect();
            let mut ended = readers.into_iter().map(std::thread::ScopedJoinHandle::join);
            ended.try_for_each(|ended| ended.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())))
        })?;
        for (print, removed) in removed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            if self.index.get(print).is_some_and(|slot| self.order(&slot) < removed) {
                self.index.remove(print);
            }
        }
        let scanned = active.into_inner().unwrap_or_else(PoisonError::into_inner);
        let mut log = self.log();
        *log = Log::resume(
            newest.filter(|_| scanned.is_some()),
            scanned.unwrap_or_default(),
            newest.map_or(0, |(_, sequence)| sequence),
        );
        self.make_room(&mut log)
    }

    pub(super) fn start(&self, region: u16) -> u64 {
        self.position(Place { region, sequence: 0, offset: 0 })
    }

    /// Where in the log a slot's record stands.
    fn order(&self, slot: &Slot) -> (u32, u32) {
        (self.sequence(slot.region), slot.offset())
    }

    fn enter(
        &self,
        region: u16,
        sequence: u32,
        contents: &[Listed],
        removed: &Mutex<HashMap<u64, (u32, u32)>>,
    ) {
        for listed in contents {
            match listed.kind {
                Kind::Object { length, front, until, size } => {
                    let place = Place { region, sequence, offset: listed.offset };
                    let slot = Slot::new(place, length, front, until, size);
                    self.index.set_if_newer(listed.fingerprint, slot, |slot| self.order(slot));
                }
                Kind::Removal => {
                    let mut removed = removed.lock().unwrap_or_else(PoisonError::into_inner);
                    let latest = removed.entry(listed.fingerprint).or_default();
                    *latest = (*latest).max((sequence, listed.offset));
                }
            }
        }
    }
}

/// The store as it goes on under `geometry`; `None` when it begins anew.
///
/// A larger disk gets more regions, as many as there may be of the size that they have. A smaller one begins empty: what is cut
/// off may hold the word that something in the rest is gone.
pub(super) fn resized(there: Superblock, geometry: Geometry) -> Option<Superblock> {
    let sound = there.region >= UNIT && there.region.is_multiple_of(UNIT);
    let count = sound.then(|| Geometry { region: there.region, ..geometry }.count());
    let going_on = count.filter(|&count| count >= there.count && u64::from(count) >= LEAST_REGIONS);
    if going_on.is_none() {
        tracing::warn!(
            size = geometry.size,
            before = u64::from(there.region) * u64::from(there.count),
            "the disk's size was reduced; it begins empty"
        );
    }
    going_on.map(|count| Superblock { count, ..there })
}

fn reserve(media: &dyn Media, length: u64, size: u64) -> Result<(), OpenError> {
    media
        .reserve(length)
        .map_err(|error| if is_full(&error) { OpenError::Full { size } } else { OpenError::Io(error) })
}

/// The lap of a region whose sector is damaged, by its first record; 0 when that tells nothing.
///
/// Not by its footer: the region may have been begun again, and the footer be of the lap before.
fn sequence_by_record(data: &dyn Media, superblock: &Superblock, region: usize) -> io::Result<u32> {
    let start = region as u64 * u64::from(superblock.region);
    let mut bytes = vec![0; WINDOW.min(superblock.region as usize)];
    read_full(data, &mut bytes, start)?;
    let front = record::parse(&Bytes::from(bytes));
    let front = front.filter(|front| front.context.store == superblock.store && front.context.offset == 0);
    tracing::warn!(region, known = front.is_some(), "a region's sector is damaged");
    Ok(front.map_or(0, |front| front.context.sequence))
}
