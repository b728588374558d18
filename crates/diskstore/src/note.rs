//! The file `note`: what the caller must know before it believes anything on this disk.
//!
//! ```text
//! copy 0, copy 1   sum u64 | magic [8] | turn u64 | length u32 | left u32 | bytes
//! ```
//! `left`: 1 once the disk was left alone by a process that may have ended without telling it everything, 0 again with the next note.
//! Little-endian; the sum is over what stands behind it. Both copies are written, one after the other with a barrier between:
//! what a power cut leaves of one is told by the other, and what has rotted in one is whole in the other.

use crate::checksum;
use crate::media::{Media, read_full, write_full};
use crate::record::Numbers;
use bytes::{BufMut, Bytes};
use std::io::{self, IoSlice};

/// The longest note.
pub(crate) const MOST_NOTE: usize = 1_024 * 1_024;
const MAGIC: &[u8; 8] = b"airnotes";
const COPIES: u64 = 2;
const HEADER: usize = 32;
/// Bytes from one copy to the next.
const APART: u64 = (MOST_NOTE + 4_096) as u64;

/// What was noted on a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Nothing yet.
    Nothing,
    /// This, the last time.
    Text(Bytes),
    /// Something that cannot be read any more.
    Damaged,
}

/// What the file says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Noted {
    pub(crate) note: Note,
    /// Which note it is.
    pub(crate) turn: u64,
    /// Whether the disk has been left alone since.
    pub(crate) left: bool,
}

/// The newer copy.
pub(crate) fn read(media: &dyn Media) -> io::Result<Noted> {
    let without = |note| Noted { note, turn: 0, left: false };
    if media.length()? == 0 {
        return Ok(without(Note::Nothing));
    }
    let copies = [read_copy(media, 0)?, read_copy(media, 1)?];
    let untouched = copies.iter().all(|copy| *copy == Copy::Untouched);
    let newest = copies.into_iter().filter_map(|copy| match copy {
        Copy::Whole(noted) => Some(noted),
        Copy::Untouched | Copy::Damaged => None,
    });
    Ok(match newest.max_by_key(|noted| noted.turn) {
        Some(noted) => noted,
        None if untouched => without(Note::Nothing),
        None => without(Note::Damaged),
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Copy {
    /// Reserved, or not even that, and never written.
    Untouched,
    Whole(Noted),
    Damaged,
}

fn read_copy(media: &dyn Media, copy: u64) -> io::Result<Copy> {
    let at = copy * APART;
    let mut bytes = vec![0; HEADER];
    let is_cut_off = match read_full(media, &mut bytes, at) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => true,
        read => read.map(|()| false)?,
    };
    // Also where the file ends: a disk without room may have reserved a part of it.
    if bytes.iter().all(|&byte| byte == 0) {
        return Ok(Copy::Untouched);
    }
    if is_cut_off {
        return Ok(Copy::Damaged);
    }
    let length = Numbers(&bytes[24..]).u32().unwrap_or_default() as usize;
    if length > MOST_NOTE {
        return Ok(Copy::Damaged);
    }
    bytes.resize(HEADER + length, 0);
    match read_full(media, &mut bytes[HEADER..], at + HEADER as u64) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Copy::Damaged),
        read => read?,
    }
    Ok(whole(bytes).map_or(Copy::Damaged, Copy::Whole))
}

fn whole(bytes: Vec<u8>) -> Option<Noted> {
    let mut numbers = Numbers(&bytes);
    if numbers.u64()? != checksum::sum(numbers.0) {
        return None;
    }
    let mut numbers = Numbers(numbers.0.strip_prefix(MAGIC)?);
    let (turn, _, left) = (numbers.u64()?, numbers.u32()?, numbers.u32()? != 0);
    let text = Bytes::from(bytes).slice(HEADER..);
    let note = if text.is_empty() { Note::Nothing } else { Note::Text(text) };
    Some(Noted { note, turn, left })
}

/// Bytes of the file.
pub(crate) const LENGTH: u64 = COPIES * APART;

/// Writes both copies and waits until they are on the disk. `turn` is above all before.
pub(crate) fn write(media: &dyn Media, turn: u64, text: &[u8], left: bool) -> io::Result<()> {
    if text.len() > MOST_NOTE {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut header = Vec::with_capacity(HEADER);
    header.put_u64_le(0);
    header.put_slice(MAGIC);
    header.put_u64_le(turn);
    header.put_u32_le(u32::try_from(text.len()).unwrap_or(u32::MAX));
    header.put_u32_le(left.into());
    let sum = checksum::sum(&[&header[8..], text].concat());
    header[..8].copy_from_slice(&sum.to_le_bytes());
    for copy in 0..COPIES {
        write_full(media, &mut [IoSlice::new(&header), IoSlice::new(text)], copy * APART)?;
        media.sync()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Folder;
    use crate::media::simulated::{Faults, SimulatedDisk};

    fn noted(disk: &SimulatedDisk) -> Note {
        read(&*disk.open("note").unwrap()).unwrap().note
    }

    fn text(text: &'static str) -> Note {
        Note::Text(Bytes::from_static(text.as_bytes()))
    }

    #[test]
    fn a_note_is_the_old_or_the_new_one_wherever_writing_it_ends() {
        for writes in 0..4 {
            for seed in 0..8 {
                let disk = SimulatedDisk::default();
                let file = disk.open("note").unwrap();
                file.reserve(LENGTH).unwrap();
                assert_eq!(noted(&disk), Note::Nothing);
                write(&*file, 1, b"old", false).unwrap();
                disk.set_faults(Faults {
                    writes_fail: Some((writes, io::ErrorKind::Other)),
                    ..Faults::default()
                });
                let written = write(&*file, 2, b"new", false).is_ok();
                let mut chance = seed;
                disk.cut_power(|below| {
                    chance = (chance * 5 + 1) % 64;
                    chance % below
                });
                let expected = if written { [text("new"), text("new")] } else { [text("old"), text("new")] };
                assert!(expected.contains(&noted(&disk)), "{writes} {seed}: {:?}", noted(&disk));
            }
        }
    }

    #[test]
    fn what_was_reserved_in_part_and_never_written_is_no_note() {
        let apart = usize::try_from(APART).unwrap();
        for length in [1, HEADER, apart, apart + 1, apart + HEADER] {
            let disk = SimulatedDisk::default();
            disk.overwrite("note", &vec![0; length]);
            assert_eq!(noted(&disk), Note::Nothing, "{length}");
            disk.flip("note", 0, 1);
            assert_eq!(noted(&disk), Note::Damaged, "{length}");
        }
    }

    #[test]
    fn what_has_rotted_in_one_copy_is_whole_in_the_other() {
        let disk = SimulatedDisk::default();
        let file = disk.open("note").unwrap();
        file.reserve(LENGTH).unwrap();
        write(&*file, 1, b"order", false).unwrap();
        disk.flip("note", HEADER + 1, 4);
        assert_eq!(noted(&disk), text("order"));
        disk.flip("note", usize::try_from(APART).unwrap() + 9, 4);
        assert_eq!(noted(&disk), Note::Damaged);
        write(&*file, 2, b"again", false).unwrap();
        assert_eq!(noted(&disk), text("again"));
        assert!(write(&*file, 3, &vec![0; MOST_NOTE + 1], false).is_err());
    }
}
