//! What a full region holds, at its end: read at the start instead of the region.
//!
//! ```text
//! entries    fingerprint u64 | offset u32 | length u32 | front u32 | kind u8 | size u8 | until u16
//! trailer    sum u64 over entries and what follows | store u64 | sequence u32 | entries u32 | - u64   (the last 32 bytes)
//! ```

use crate::checksum;
use crate::media::{Media, read_full};
use crate::pin::{Size, Until};
use crate::record::{Numbers, UNIT};
use bytes::BufMut;
use std::io;

const ENTRY: usize = 24;
const TRAILER: usize = 32;
/// Read in one go; most footers are no longer.
const TAIL: usize = 64 * 1_024;

/// One thing that a region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) fingerprint: u64,
    /// Bytes into the region.
    pub(crate) offset: u32,
    pub(crate) kind: Kind,
}

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An object's record; bytes of it and of its front.
    Object { length: u32, front: u32, until: Until, size: Size },
    /// Word that the object is gone.
    Removal,
}

/// Bytes of a footer of `entries`, padded so that it begins at a unit.
pub(crate) const fn length(entries: usize) -> usize {
    bare(entries).next_multiple_of(UNIT as usize)
}

/// The same without padding.
pub(crate) const fn bare(entries: usize) -> usize {
    entries * ENTRY + TRAILER
}

/// The footer, padding first: to be written so that it ends where the region ends.
pub(crate) fn encode(store: u64, sequence: u32, contents: &[Listed]) -> Vec<u8> {
    let mut out = vec![0; length(contents.len()) - bare(contents.len())];
    let begin = out.len();
    for listed in contents {
        out.put_u64_le(listed.fingerprint);
        out.put_u32_le(listed.offset);
        let (length, front, kind, size, until) = match listed.kind {
            Kind::Object { length, front, until, size } => (length, front, 1, size.0, until.0),
            Kind::Removal => (0, 0, 2, 0, 0),
        };
        out.put_u32_le(length);
        out.put_u32_le(front);
        out.put_u8(kind);
        out.put_u8(size);
        out.put_u16_le(until);
    }
    let mut trailer = Vec::with_capacity(TRAILER);
    trailer.put_u64_le(store);
    trailer.put_u32_le(sequence);
    trailer.put_u32_le(u32::try_from(contents.len()).unwrap_or(u32::MAX));
    trailer.put_u64_le(0);
    let sum = sum(&out[begin..], &trailer);
    out.put_u64_le(sum);
    out.extend_from_slice(&trailer);
    out
}

fn sum(entries: &[u8], trailer: &[u8]) -> u64 {
    checksum::sum(entries) ^ checksum::sum(trailer).rotate_left(1)
}

/// The footer of a region that begins at `start`; `None` when there is no whole one. Its sequence comes with it.
pub(crate) fn read(
    media: &dyn Media,
    store: u64,
    start: u64,
    region: u32,
) -> io::Result<Option<(u32, Vec<Listed>)>> {
    let end = start + u64::from(region);
    let length = TAIL.min(region as usize);
    let mut tail = vec![0; length];
    read_full(media, &mut tail, end - length as u64)?;
    let Some(wanted) = listed_length(&tail, store, region) else { return Ok(None) };
    if wanted > tail.len() {
        tail = vec![0; wanted];
        read_full(media, &mut tail, end - wanted as u64)?;
    }
    Ok(parse(&tail, store))
}

/// Bytes from the first entry to the end; `None` when `tail` does not end in a trailer of this store.
fn listed_length(tail: &[u8], store: u64, region: u32) -> Option<usize> {
    let mut trailer = Numbers(tail.get(tail.len().checked_sub(TRAILER)? + 8..)?);
    if trailer.u64()? != store {
        return None;
    }
    trailer.u32()?;
    let wanted = (trailer.u32()? as usize).checked_mul(ENTRY)?.checked_add(TRAILER)?;
    (wanted <= region as usize).then_some(wanted)
}

/// Reads the footer that `tail` ends with. `None` unless every bit of it is as it was written.
pub(crate) fn parse(tail: &[u8], store: u64) -> Option<(u32, Vec<Listed>)> {
    let begin = tail.len().checked_sub(listed_length(tail, store, u32::MAX)?)?;
    let (entries, trailer) = tail[begin..].split_at(tail.len() - begin - TRAILER);
    let mut numbers = Numbers(trailer);
    if numbers.u64()? != sum(entries, &trailer[8..]) {
        return None;
    }
    numbers.u64()?;
    let sequence = numbers.u32()?;
    let contents = entries.as_chunks::<ENTRY>().0.iter().map(listed);
    Some((sequence, contents.collect::<Option<_>>()?))
}

fn listed(entry: &[u8; ENTRY]) -> Option<Listed> {
    let mut numbers = Numbers(entry);
    let (fingerprint, offset) = (numbers.u64()?, numbers.u32()?);
    let (length, front) = (numbers.u32()?, numbers.u32()?);
    let (kind, size, until) = (numbers.u8()?, numbers.u8()?, numbers.u16()?);
    let kind = match kind {
        1 => Kind::Object { length, front, until: Until(until), size: Size(size) },
        2 => Kind::Removal,
        _ => return None,
    };
    Some(Listed { fingerprint, offset, kind })
}

/// The store that a footer says it is of.
pub(crate) fn store(tail: &[u8]) -> Option<u64> {
    Numbers(tail.get(tail.len().checked_sub(TRAILER)? + 8..)?).u64()
}

/// `bytes` with a trailer that holds, over as many entries as there is room for. For the fuzz target.
pub(crate) fn sound(bytes: &[u8]) -> Vec<u8> {
    let entries = &bytes[..bytes.len() - bytes.len() % ENTRY];
    let mut trailer = [0; TRAILER - 8];
    trailer[12..16].copy_from_slice(&u32::try_from(entries.len() / ENTRY).unwrap_or(u32::MAX).to_le_bytes());
    [entries, &sum(entries, &trailer).to_le_bytes(), &trailer].concat()
}
