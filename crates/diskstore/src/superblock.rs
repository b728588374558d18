//! The file `store`: whose the data is, how it is cut, and which lap of the log each region belongs to.
//!
//! ```text
//! sector 0, 1   the superblock, twice: sum u64 | magic [8] | version u32 | region u32 | count u32 | epoch u32
//!               | store u64 | secret u64
//! sector 2 + i  region i: sum u64 | store u64 | region u32 | sequence u32
//! ```
//! Everything little-endian; each sum is over what stands behind it. Two copies of the superblock, written one after
//! the other with a barrier between, so that one is whole whenever the power goes.

use crate::checksum;
use crate::media::{Media, read_full, write_full};
use crate::record::Numbers;
use bytes::BufMut;
use std::io::{self, IoSlice};

/// Bytes written at once or not at all.
pub(crate) const SECTOR: usize = 512;
/// What this program writes and reads.
pub(crate) const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"airclass";
const COPIES: usize = 2;
/// Bytes of all copies.
pub(crate) const BYTES: u64 = (COPIES * SECTOR) as u64;
const SUPERBLOCK: usize = 48;
const REGION: usize = 24;

/// How the data is cut and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Superblock {
    /// Bytes of a region.
    pub(crate) region: u32,
    /// Regions.
    pub(crate) count: u16,
    /// How often it was opened: the upper half of generations.
    pub(crate) epoch: u32,
    /// Tells the records of this store from those of one that lay here before.
    pub(crate) store: u64,
    /// Keys are hashed under it.
    pub(crate) secret: u64,
}

/// What stands where a superblock should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// One of ours.
    Superblock(Superblock),
    /// Nothing: a new file.
    Nothing,
    /// One of ours that cannot be read any more.
    Damaged,
    /// Of another program version.
    Version(u32),
    /// Something else's.
    Foreign,
}

impl Superblock {
    fn encode(&self) -> [u8; SECTOR] {
        let mut body = Vec::with_capacity(SUPERBLOCK);
        body.put_slice(MAGIC);
        body.put_u32_le(VERSION);
        body.put_u32_le(self.region);
        body.put_u32_le(u32::from(self.count));
        body.put_u32_le(self.epoch);
        body.put_u64_le(self.store);
        body.put_u64_le(self.secret);
        sealed(&body)
    }

    /// Writes both copies and waits until they are on the disk.
    pub(crate) fn write(&self, media: &dyn Media) -> io::Result<()> {
        for copy in 0..COPIES {
            write_full(media, &mut [IoSlice::new(&self.encode())], (copy * SECTOR) as u64)?;
            media.sync()?;
        }
        Ok(())
    }

    /// The latest copy.
    pub(crate) fn read(media: &dyn Media) -> io::Result<Found> {
        if media.length()? == 0 {
            return Ok(Found::Nothing);
        }
        let mut sectors = [0; COPIES * SECTOR];
        match read_full(media, &mut sectors, 0) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            read => read?,
        }
        Ok(Self::latest(&sectors))
    }

    /// The latest copy among the first sectors of the file, as far as there are any.
    pub(crate) fn latest(sectors: &[u8]) -> Found {
        let found = sectors.as_chunks::<SECTOR>().0.iter().take(COPIES).map(parse);
        // A whole copy wins; then what forbids to begin again here wins over what allows it.
        let rank = |found: &Found| match found {
            Found::Superblock(superblock) => (4, superblock.epoch),
            Found::Version(_) => (3, 0),
            Found::Damaged => (2, 0),
            Found::Foreign => (1, 0),
            Found::Nothing => (0, 0),
        };
        found.max_by_key(rank).unwrap_or(Found::Nothing)
    }
}

fn parse(sector: &[u8; SECTOR]) -> Found {
    if sector.iter().all(|&byte| byte == 0) {
        return Found::Nothing;
    }
    let Some(stated) = sector[8..].strip_prefix(MAGIC) else { return Found::Foreign };
    // Before the sum: another version may have another length.
    match Numbers(stated).u32() {
        Some(VERSION) => opened(sector, SUPERBLOCK).and_then(whole).map_or(Found::Damaged, Found::Superblock),
        version => Found::Version(version.unwrap_or_default()),
    }
}

fn whole(body: &[u8]) -> Option<Superblock> {
    let mut numbers = Numbers(body.get(MAGIC.len() + 4..)?);
    let (region, count, epoch) = (numbers.u32()?, u16::try_from(numbers.u32()?).ok()?, numbers.u32()?);
    let (store, secret) = (numbers.u64()?, numbers.u64()?);
    Some(Superblock { region, count, epoch, store, secret })
}

/// Bytes of the file for `count` regions.
pub(crate) fn file_length(count: u16) -> u64 {
    ((COPIES + usize::from(count)) * SECTOR) as u64
}

/// Notes that `region` belongs to lap `sequence` from now on; 0: to none. Not yet synced.
pub(crate) fn write_region(media: &dyn Media, store: u64, region: u16, sequence: u32) -> io::Result<()> {
    let mut body = Vec::with_capacity(REGION - 8);
    body.put_u64_le(store);
    body.put_u32_le(u32::from(region));
    body.put_u32_le(sequence);
    let at = (COPIES + usize::from(region)) * SECTOR;
    write_full(media, &mut [IoSlice::new(&sealed(&body))], at as u64)
}

/// The sequence of every region; 0 where it has none, `None` where the sector is damaged.
pub(crate) fn read_regions(media: &dyn Media, superblock: &Superblock) -> io::Result<Vec<Option<u32>>> {
    let mut sectors = vec![0; usize::from(superblock.count) * SECTOR];
    read_full(media, &mut sectors, (COPIES * SECTOR) as u64)?;
    let regions = sectors.as_chunks::<SECTOR>().0.iter().enumerate();
    Ok(regions
        .map(|(region, sector)| {
            // Never written.
            if sector.iter().all(|&byte| byte == 0) {
                return Some(0);
            }
            let mut numbers = Numbers(opened(sector, REGION)?);
            let (store, index, sequence) = (numbers.u64()?, numbers.u32()?, numbers.u32()?);
            // Of a store that lay here before: free.
            if store != superblock.store {
                return Some(0);
            }
            (index as usize == region).then_some(sequence)
        })
        .collect())
}

/// `body` behind its sum, in a sector.
fn sealed(body: &[u8]) -> [u8; SECTOR] {
    let mut sector = [0; SECTOR];
    sector[..8].copy_from_slice(&checksum::sum(body).to_le_bytes());
    sector[8..8 + body.len()].copy_from_slice(body);
    sector
}

/// The first `length` bytes of a sector without their sum, where it holds.
fn opened(sector: &[u8; SECTOR], length: usize) -> Option<&[u8]> {
    let sum = Numbers(sector).u64()?;
    let body = &sector[8..length];
    (checksum::sum(body) == sum).then_some(body)
}
