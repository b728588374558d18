//! Tables of an MP4's index: how many entries they say they have, and whether those can be there.

use super::movie::{Kind, nonsense};
use crate::cmaf::Reader;
use crate::fault::SourceFault;

/// Samples of one track that are listed or counted: twice those of six hours at 120 pictures a second. Sound in PCM, where
/// a sample has two bytes, is counted otherwise and needs no list.
const MAX_SAMPLES: u64 = 6_000_000;
/// Parts of an edit list; a camera writes one, an editor's export a few.
const MAX_EDITS: u64 = 1_000;

/// Entries at `at` bytes into the box (a count of four bytes), each of so many bytes.
const TABLES: [(&Kind, usize, u64); 7] = [
    (b"stts", 4, 8),
    (b"ctts", 4, 8),
    (b"stsc", 4, 12),
    (b"stco", 4, 4),
    (b"co64", 4, 8),
    (b"stss", 4, 4),
    (b"stps", 4, 4),
];

/// Whether [`check`] knows the box.
pub(super) fn is_table(kind: &Kind) -> bool {
    matches!(kind, b"stsz" | b"stz2" | b"elst") || TABLES.iter().any(|(table, ..)| *table == kind)
}

/// Compares a table with the box that holds it; `length` is the file's, `handler` what the track carries.
pub(super) fn check(kind: &Kind, content: &[u8], length: u64, handler: &Kind) -> Result<(), SourceFault> {
    match kind {
        b"stsz" => sizes(content, length, handler),
        b"stz2" => small_sizes(content),
        b"elst" => edits(content),
        kind => match TABLES.iter().find(|(table, ..)| *table == kind) {
            Some((_, at, each)) => fits(kind, count(content, *at)?, *each, content.len() - at - 4),
            None => Ok(()),
        },
    }
}

/// A fragment's samples (ISO/IEC 14496-12 8.8.8), added to those `before`.
pub(super) fn run(content: &[u8], before: u64) -> Result<u64, SourceFault> {
    let flags = content.get(2..4).map_or(0, |low| u16::from_be_bytes([low[0], low[1]]));
    let count = count(content, 4)?;
    let optional = u64::from((flags & 0x1).count_ones() + (flags & 0x4).count_ones()) * 4;
    let each = u64::from((flags & 0xf00).count_ones()) * 4;
    let rest = (content.len() as u64 - 8).checked_sub(optional).ok_or_else(|| short(b"trun"))?;
    fits(b"trun", count, each, usize::try_from(rest).unwrap_or(usize::MAX))?;
    let all = before.saturating_add(count);
    if all > MAX_SAMPLES { Err(too_many(b"trun", all)) } else { Ok(all) }
}

fn sizes(content: &[u8], length: u64, handler: &Kind) -> Result<(), SourceFault> {
    let size = u64::from(field(content, 4, b"stsz")?);
    let count = count(content, 8)?;
    if size == 0 {
        return fits(b"stsz", count, 4, content.len() - 12);
    }
    // All of one size: nothing is listed, so the file itself is the measure. A part of it may be lost.
    if count.saturating_mul(size) > length.saturating_mul(2) || handler != b"soun" && count > MAX_SAMPLES {
        return Err(too_many(b"stsz", count));
    }
    Ok(())
}

fn small_sizes(content: &[u8]) -> Result<(), SourceFault> {
    let bits = u64::from(field(content, 4, b"stz2")? & 0xff);
    let count = count(content, 8)?;
    if !matches!(bits, 4 | 8 | 16) {
        return Err(nonsense(format!("sizes of {bits} bits in `stz2`")));
    }
    fits(b"stz2", count.saturating_mul(bits).div_ceil(8), 1, content.len() - 12)
}

fn edits(content: &[u8]) -> Result<(), SourceFault> {
    let count = count(content, 4)?;
    let each = if content.first() == Some(&1) { 20 } else { 12 };
    if count > MAX_EDITS {
        return Err(too_many(b"elst", count));
    }
    fits(b"elst", count, each, content.len() - 8)
}

fn fits(kind: &Kind, count: u64, each: u64, rest: usize) -> Result<(), SourceFault> {
    let name = kind.escape_ascii();
    if count.saturating_mul(each) > rest as u64 {
        return Err(nonsense(format!("`{name}` says it has {count} entries and has room for fewer")));
    }
    if count > MAX_SAMPLES { Err(too_many(kind, count)) } else { Ok(()) }
}

fn count(content: &[u8], at: usize) -> Result<u64, SourceFault> {
    let mut fields = Reader::of(content.get(at..).unwrap_or_default());
    fields.u32().map(u64::from).map_err(|_| nonsense("a table is too short for its count".to_owned()))
}

fn field(content: &[u8], at: usize, kind: &Kind) -> Result<u32, SourceFault> {
    Reader::of(content.get(at..).unwrap_or_default()).u32().map_err(|_| short(kind))
}

fn short(kind: &Kind) -> SourceFault {
    nonsense(format!("a `{}` is too short", kind.escape_ascii()))
}

fn too_many(kind: &Kind, count: u64) -> SourceFault {
    nonsense(format!("{count} entries in `{}`, more than any lesson has", kind.escape_ascii()))
}
