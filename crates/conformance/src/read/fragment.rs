//! A media segment: its movie fragments, track by track, sample by sample.

use super::Nonsense;
use super::bits::Cursor;
use super::boxes::{self, Atom};
use super::init::{Defaults, Init};
use std::ops::Range;

/// Samples of a segment that are read: ten minutes at 60 pictures a second.
const MAX_SAMPLES: usize = 36_000;

/// What a segment holds.
#[derive(Debug, Clone, Default)]
pub(crate) struct Segment {
    pub(crate) moofs: Vec<Moof>,
    /// `mdat` boxes.
    pub(crate) mdats: Vec<Range<usize>>,
    /// Kinds of the other boxes on top.
    pub(crate) others: Vec<[u8; 4]>,
}

#[derive(Debug, Clone)]
pub(crate) struct Moof {
    pub(crate) trafs: Vec<Traf>,
}

#[derive(Debug, Clone)]
pub(crate) struct Traf {
    pub(crate) track: u32,
    /// `None` without a tfdt.
    pub(crate) decode_time: Option<u64>,
    /// A trun with composition offsets is not of version 1.
    pub(crate) unsigned_offsets: bool,
    pub(crate) samples: Vec<Sample>,
}

#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Before it in the traf.
    pub(crate) since_start: u64,
    pub(crate) duration: u32,
    pub(crate) offset: i64,
    /// Where its data lies in the segment.
    pub(crate) data: Range<usize>,
    pub(crate) is_sync: bool,
}

impl Traf {
    pub(crate) fn duration(&self) -> u64 {
        self.samples.last().map_or(0, |last| last.since_start + u64::from(last.duration))
    }

    /// Earliest presentation against the first decode time.
    pub(crate) fn earliest(&self) -> Option<i64> {
        self.samples.iter().map(|sample| sample.offset.saturating_add_unsigned(sample.since_start)).min()
    }
}

/// Reads a segment of a presentation whose init section is `init`.
pub(crate) fn read(bytes: &[u8], init: &Init) -> Result<Segment, Nonsense> {
    of(boxes::walk(bytes)?, init)
}

/// The same of a part of a segment, whose last box may be cut off.
pub(crate) fn read_part(bytes: &[u8], init: &Init) -> Result<Segment, Nonsense> {
    of(boxes::walk_part(bytes)?, init)
}

fn of(atoms: Vec<Atom<'_>>, init: &Init) -> Result<Segment, Nonsense> {
    let mut segment = Segment::default();
    for atom in atoms {
        match &atom.kind {
            b"moof" => {
                let moof = moof(&atom, init)?;
                segment.moofs.push(moof);
            }
            b"mdat" => {
                // Behind a header of 8 or 16 bytes.
                let end = atom.offset.saturating_add(atom.size);
                segment.mdats.push(atom.data..end);
            }
            kind => segment.others.push(*kind),
        }
    }
    Ok(segment)
}

fn moof(atom: &Atom<'_>, init: &Init) -> Result<Moof, Nonsense> {
    let mut moof = Moof { trafs: Vec::new() };
    for child in boxes::walk(atom.body)?.iter().filter(|child| &child.kind == b"traf") {
        moof.trafs.push(traf(child.body, atom.offset, init)?);
    }
    Ok(moof)
}

fn traf(body: &[u8], moof: usize, init: &Init) -> Result<Traf, Nonsense> {
    let mut tfhd = Cursor::of(boxes::need(body, b"tfhd")?);
    let (_, flags) = tfhd.full()?;
    let track = tfhd.u32()?;
    let mut base = moof as u64;
    if flags & 0x1 != 0 {
        base = tfhd.number(8)?;
    }
    if flags & 0x2 != 0 {
        tfhd.u32()?;
    }
    let mut defaults = init.defaults.get(&track).copied().unwrap_or_default();
    if flags & 0x8 != 0 {
        defaults.duration = tfhd.u32()?;
    }
    if flags & 0x10 != 0 {
        defaults.size = tfhd.u32()?;
    }
    if flags & 0x20 != 0 {
        defaults.flags = tfhd.u32()?;
    }
    let mut traf = Traf { track, decode_time: None, unsigned_offsets: false, samples: Vec::new() };
    let mut next = base;
    for child in boxes::walk(body)? {
        match &child.kind {
            b"tfdt" => {
                let mut tfdt = Cursor::of(child.body);
                let (version, _) = tfdt.full()?;
                traf.decode_time = Some(tfdt.number(if version == 1 { 8 } else { 4 })?);
            }
            b"trun" => next = trun(&mut traf, child.body, defaults, base, next)?,
            _ => {}
        }
    }
    Ok(traf)
}

/// Adds a run; returns where the next one's data begins when it does not say so.
fn trun(traf: &mut Traf, body: &[u8], defaults: Defaults, base: u64, next: u64) -> Result<u64, Nonsense> {
    let mut cursor = Cursor::of(body);
    let (version, flags) = cursor.full()?;
    let count = cursor.u32()? as usize;
    if count > MAX_SAMPLES || traf.samples.len() + count > MAX_SAMPLES {
        return Err(Nonsense::new(format!("trun of {count} samples")));
    }
    let mut at = next;
    if flags & 0x1 != 0 {
        at = base.wrapping_add_signed(i64::from(cursor.u32()?.cast_signed()));
    }
    let first_flags = if flags & 0x4 != 0 { Some(cursor.u32()?) } else { None };
    traf.unsigned_offsets |= flags & 0x800 != 0 && version == 0;
    let mut since_start = traf.duration();
    for place in 0..count {
        let duration = if flags & 0x100 != 0 { cursor.u32()? } else { defaults.duration };
        let size = if flags & 0x200 != 0 { cursor.u32()? } else { defaults.size };
        let own = if flags & 0x400 != 0 { Some(cursor.u32()?) } else { None };
        let first = first_flags.filter(|_| place == 0);
        let sample_flags = first.or(own).unwrap_or(defaults.flags);
        let offset = match (flags & 0x800, version) {
            (0, _) => 0,
            (_, 0) => i64::from(cursor.u32()?),
            _ => i64::from(cursor.u32()?.cast_signed()),
        };
        let end = at.saturating_add(u64::from(size));
        let data = usize::try_from(at).unwrap_or(usize::MAX)..usize::try_from(end).unwrap_or(usize::MAX);
        traf.samples.push(Sample {
            since_start,
            duration,
            offset,
            data,
            is_sync: sample_flags & 0x1_0000 == 0,
        });
        since_start += u64::from(duration);
        at = end;
    }
    Ok(at)
}
