//! One record of the log: an object's front and the blocks that came with it, or a list of what was removed.
//!
//! ```text
//!   0 sum        u64  XXH3-64 over bytes 8..front
//!   8 magic      u32
//!  12 kind       u8   1 object, 2 removals
//!  13 -          u8
//!  14 until      u16  pinned until then, see `pin`; 0 not pinned
//!  16 front      u32  bytes of header, key, head and table
//!  20 length     u32  bytes of the record: front, its own blocks, padding to 512
//!  24 store      u64  whose record it is
//!  32 chain      u64  the sum of the record before it in its region
//!  40 sequence   u32  of its region
//!  44 offset     u32  where it stands in its region
//!  48 hash       u128 of the key
//!  64 generation u64  which version of the object; never used twice
//!  72 total      u64  bytes of the whole body; u64::MAX when not known
//!  80 key        u32  bytes
//!  84 head       u32  bytes
//!  88 table      u32  entries
//!  92 epoch      u32  of the run that wrote it, see `superblock`
//!  96 key, head, table; then the blocks
//! ```
//! An object's table names every block that is there, also those that older records brought: the newest record tells all.
//! A removal's table is of fingerprints, 8 bytes each.
//!
//! Where it stands (`store`, `sequence`, `offset`), what stood before it (`chain`) and who wrote it (`epoch`) are inside the
//! sum, so that what an earlier lap of the log left behind, or a write that went elsewhere, is no record of this one, and no
//! record of one run is, bit for bit, another's.

#[cfg(test)]
mod tests;

use crate::checksum;
use crate::pin::Until;
use bytes::{BufMut, Bytes};

/// Records begin at multiples of this: a sector, so that writing one never touches another's.
pub(crate) const UNIT: u32 = 512;
/// Bytes of the header.
pub(crate) const HEADER: usize = 96;
/// Bytes of a block's entry.
pub(crate) const ENTRY: usize = 28;
/// Bytes of a removal's entry.
pub(crate) const REMOVAL: usize = 8;
/// The longest front: the table of a body of 100 GB and more.
pub(crate) const MOST_FRONT: usize = 16 * 1_024 * 1_024;
/// Begins a front, behind its sum.
pub(crate) const MAGIC: u32 = 0x3152_4341;
/// `total` of a body whose length is not known.
const UNKNOWN: u64 = u64::MAX;

/// Where a record or a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) region: u16,
    /// The region's at that time: another one stands there now means that it is gone.
    pub(crate) sequence: u32,
    /// Bytes into the region.
    pub(crate) offset: u32,
}

/// A block as the table names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) number: u32,
    pub(crate) place: Place,
    /// Bytes.
    pub(crate) length: u32,
    /// See [`checksum::block`].
    pub(crate) sum: u64,
}

/// What all records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Context {
    pub(crate) store: u64,
    pub(crate) chain: u64,
    pub(crate) sequence: u32,
    pub(crate) offset: u32,
    /// Never less than that of the record before it.
    pub(crate) epoch: u32,
}

/// A front, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Front {
    pub(crate) sum: u64,
    pub(crate) context: Context,
    /// Bytes of the front itself.
    pub(crate) front: u32,
    /// Bytes of the whole record.
    pub(crate) length: u32,
    pub(crate) content: Content,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Content {
    Object(ObjectFront),
    /// Fingerprints of what is no longer there.
    Removals(Vec<u64>),
}

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectFront {
    pub(crate) hash: u128,
    pub(crate) generation: u64,
    pub(crate) until: Until,
    pub(crate) total: Option<u64>,
    pub(crate) key: Bytes,
    pub(crate) head: Bytes,
    /// Ascending by number.
    pub(crate) table: Vec<Entry>,
}

impl ObjectFront {
    /// Bytes its front takes with `entries` blocks.
    pub(crate) fn front_length(&self, entries: usize) -> usize {
        HEADER + self.key.len() + self.head.len() + entries * ENTRY
    }
}

/// `length` rounded up to whole units.
pub(crate) const fn padded(length: usize) -> usize {
    length.next_multiple_of(UNIT as usize)
}

/// Writes a front. `blocks` are the bytes of blocks that follow it.
pub(crate) fn encode(context: Context, content: &Content, blocks: usize) -> Vec<u8> {
    let front = match content {
        Content::Object(object) => object.front_length(object.table.len()),
        Content::Removals(removals) => HEADER + removals.len() * REMOVAL,
    };
    debug_assert!(front <= MOST_FRONT, "callers bound keys, heads and tables");
    let mut out = Vec::with_capacity(front);
    let small = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    out.put_u64_le(0);
    out.put_u32_le(MAGIC);
    let (kind, until) = match content {
        Content::Object(object) => (1, object.until.0),
        Content::Removals(_) => (2, 0),
    };
    out.put_u8(kind);
    out.put_u8(0);
    out.put_u16_le(until);
    out.put_u32_le(small(front));
    out.put_u32_le(small(padded(front + blocks)));
    out.put_u64_le(context.store);
    out.put_u64_le(context.chain);
    out.put_u32_le(context.sequence);
    out.put_u32_le(context.offset);
    match content {
        Content::Object(object) => {
            out.put_u128_le(object.hash);
            out.put_u64_le(object.generation);
            out.put_u64_le(object.total.unwrap_or(UNKNOWN));
            out.put_u32_le(small(object.key.len()));
            out.put_u32_le(small(object.head.len()));
            out.put_u32_le(small(object.table.len()));
            out.put_u32_le(context.epoch);
            out.put_slice(&object.key);
            out.put_slice(&object.head);
            for entry in &object.table {
                out.put_u32_le(entry.number);
                out.put_u16_le(entry.place.region);
                out.put_u16_le(0);
                out.put_u32_le(entry.place.sequence);
                out.put_u32_le(entry.place.offset);
                out.put_u32_le(entry.length);
                out.put_u64_le(entry.sum);
            }
        }
        Content::Removals(removals) => {
            out.put_bytes(0, 40);
            out.put_u32_le(small(removals.len()));
            out.put_u32_le(context.epoch);
            for fingerprint in removals {
                out.put_u64_le(*fingerprint);
            }
        }
    }
    let sum = checksum::sum(&out[8..]);
    out[..8].copy_from_slice(&sum.to_le_bytes());
    out
}

/// Little-endian numbers from the front of a slice. `None` beyond its end.
pub(crate) struct Numbers<'a>(pub(crate) &'a [u8]);

impl Numbers<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*first)
    }
    pub(crate) fn u8(&mut self) -> Option<u8> {
        self.take::<1>().map(u8::from_le_bytes)
    }
    pub(crate) fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_le_bytes)
    }
    pub(crate) fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_le_bytes)
    }
    pub(crate) fn u64(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }
    pub(crate) fn u128(&mut self) -> Option<u128> {
        self.take().map(u128::from_le_bytes)
    }
}

/// Bytes of the front whose header `bytes` begins with; `None` when that is no header. Not yet verified.
pub(crate) fn front_length(bytes: &[u8]) -> Option<usize> {
    let mut numbers = Numbers(bytes.get(8..HEADER)?);
    if numbers.u32()? != MAGIC {
        return None;
    }
    numbers.u32()?;
    let front = numbers.u32()? as usize;
    (HEADER..=MOST_FRONT).contains(&front).then_some(front)
}

/// What a damaged record seems to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Apparent {
    pub(crate) sum: u64,
    /// Bytes of the front.
    pub(crate) front: u32,
    /// Bytes of the record.
    pub(crate) length: u32,
    /// What it is about.
    pub(crate) fingerprints: Vec<u64>,
}

/// Where the record stands whose header `bytes` begins with; whether that holds is for the sum to say.
pub(crate) fn apparent_context(bytes: &[u8]) -> Option<Context> {
    let mut numbers = Numbers(bytes.get(24..HEADER)?);
    let (store, chain) = (numbers.u64()?, numbers.u64()?);
    let (sequence, offset) = (numbers.u32()?, numbers.u32()?);
    Some(Context { store, chain, sequence, offset, epoch: Numbers(bytes.get(92..)?).u32()? })
}

/// Reads what can be read of a damaged front.
pub(crate) fn apparent(bytes: &[u8]) -> Apparent {
    let number = |at| bytes.get(at..).and_then(|rest| Numbers(rest).u32()).unwrap_or_default();
    let print = |at| bytes.get(at..).and_then(|rest| Numbers(rest).u64());
    // The upper half of an object's hash; where a removal has none, its list. Either may be damaged: then something else
    // is thought removed, which costs a miss.
    let listed = bytes.get(HEADER..).unwrap_or_default().as_chunks::<REMOVAL>().0;
    let of_removals = listed.iter().map(|&entry| u64::from_le_bytes(entry));
    let object = print(56).filter(|&print| print != 0);
    let fingerprints = match object {
        Some(print) => vec![print],
        None => of_removals.collect(),
    };
    Apparent { sum: print(0).unwrap_or_default(), front: number(16), length: number(20), fingerprints }
}

/// Reads the front that `bytes` begins with. `None` unless every bit of it is as it was written.
pub(crate) fn parse(bytes: &Bytes) -> Option<Front> {
    let bytes = bytes.slice(..front_length(bytes).filter(|&front| front <= bytes.len())?);
    let mut numbers = Numbers(&bytes);
    let sum = numbers.u64()?;
    if checksum::sum(numbers.0) != sum {
        return None;
    }
    let (_magic, kind, _, until) = (numbers.u32()?, numbers.u8()?, numbers.u8()?, numbers.u16()?);
    let (front, length) = (numbers.u32()?, numbers.u32()?);
    let context = apparent_context(&bytes)?;
    numbers = Numbers(bytes.get(48..)?);
    let (hash, generation, total) = (numbers.u128()?, numbers.u64()?, numbers.u64()?);
    let (key, head, table) = (numbers.u32()? as usize, numbers.u32()? as usize, numbers.u32()? as usize);
    if length < front || !length.is_multiple_of(UNIT) {
        return None;
    }
    let content = match kind {
        1 => {
            let key_end = HEADER.checked_add(key)?;
            let head_end = key_end.checked_add(head)?;
            if head_end.checked_add(table.checked_mul(ENTRY)?)? != bytes.len() {
                return None;
            }
            Content::Object(ObjectFront {
                hash,
                generation,
                until: Until(until),
                total: (total != UNKNOWN).then_some(total),
                key: bytes.slice(HEADER..key_end),
                head: bytes.slice(key_end..head_end),
                table: entries(&bytes[head_end..])?,
            })
        }
        2 => {
            let list = &bytes[HEADER..];
            if table.checked_mul(REMOVAL)? != list.len() {
                return None;
            }
            Content::Removals(
                list.as_chunks::<REMOVAL>().0.iter().map(|&entry| u64::from_le_bytes(entry)).collect(),
            )
        }
        _ => return None,
    };
    Some(Front { sum, context, front, length, content })
}

fn entries(table: &[u8]) -> Option<Vec<Entry>> {
    let mut entries: Vec<Entry> = Vec::with_capacity(table.len() / ENTRY);
    let mut numbers = Numbers(table);
    while !numbers.0.is_empty() {
        let (number, region, _) = (numbers.u32()?, numbers.u16()?, numbers.u16()?);
        let place = Place { region, sequence: numbers.u32()?, offset: numbers.u32()? };
        let entry = Entry { number, place, length: numbers.u32()?, sum: numbers.u64()? };
        if entries.last().is_some_and(|last| last.number >= number) || entry.length as usize > crate::BLOCK {
            return None;
        }
        entries.push(entry);
    }
    Some(entries)
}
