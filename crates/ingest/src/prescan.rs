//! Our own look at a file before FFmpeg sees it: is it what it says, is it whole, is it locked, can it be true?
//!
//! Encrypted tracks are refused here and not by FFmpeg, whose reader of encrypted samples had an out-of-bounds write
//! (CVE-2026-40962). Media elsewhere, tables that cannot be there and sizes that nobody has are refused before something
//! believes them; cut-off files because FFmpeg only says "invalid data". Time and memory are bounded: at most
//! [`MAX_BOXES`] boxes at the top, and one index of at most [`MAX_INDEX`] at a time.

mod disguise;
mod movie;
mod tables;

pub use disguise::Disguise;

use crate::fault::SourceFault;
use movie::{Walk, nonsense};
use std::io::{self, Read, Seek, SeekFrom};

/// The largest index read into memory; a lesson's has a few hundred kB, six hours some 20 MB.
const MAX_INDEX: u64 = 64 << 20;
/// Top-level boxes looked at; a fragmented day has a few ten thousand.
const MAX_BOXES: usize = 200_000;
/// The start of a box of any content: enough to tell what it is.
const GLANCE: u64 = 16;
/// A file may lack this part (in thousandths) and still be worth decoding, with a warning.
const MAY_LACK: u64 = 10;

/// First boxes of files of the MP4 family (ISO/IEC 14496-12, QuickTime).
const FIRST: [&[u8; 4]; 15] = [
    b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof", b"uuid", b"sidx",
    b"emsg", b"junk", b"pict", b"udta",
];

/// Whether a file that begins with these bytes is of the MP4 family. FFmpeg reads it as such only then: what this module
/// has not seen, its MP4 reader does not see either.
pub fn is_mp4(start: &[u8]) -> bool {
    start.get(4..8).is_some_and(|kind| FIRST.iter().any(|first| first.as_slice() == kind))
}

/// Looks at a file of `length` bytes; returns a warning if something small is missing. Containers other than MP4 are only
/// known by their first bytes.
///
/// # Errors
/// When it is something else, cut off, encrypted, refers to other files, or says what cannot be.
pub fn prescan(file: &mut (impl Read + Seek), length: u64) -> Result<Option<String>, SourceFault> {
    let mut start = Vec::new();
    let looked = file.rewind().and_then(|()| file.take(disguise::LOOK as u64).read_to_end(&mut start));
    if looked.is_ok()
        && let Some(disguise) = disguise::recognise(&start)
    {
        return Err(SourceFault::Disguised(disguise));
    }
    if !start.is_empty() && !is_mp4(&start) {
        return Ok(None);
    }
    match scan(file, length) {
        Ok(result) => result,
        // The same error comes again when FFmpeg reads, and is told there.
        Err(_) => Ok(None),
    }
}

fn scan(file: &mut (impl Read + Seek), length: u64) -> io::Result<Result<Option<String>, SourceFault>> {
    let mut walk = Walk::of(length);
    let mut at = 0;
    let mut indexes = 0_usize;
    let mut fragmented = false;
    let mut warning = None;
    for number in 0.. {
        if number == MAX_BOXES {
            return Ok(Err(nonsense(format!("there are more than {MAX_BOXES} boxes"))));
        }
        let Some((kind, size, header)) = header(file, at, length)? else { break };
        if size < header {
            // FFmpeg reads no further either.
            break;
        }
        let end = at.saturating_add(size);
        let indexed = indexes > 0;
        if end > length {
            if indexed && !kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9)) {
                // Rubbish behind the last box.
                break;
            }
            // A recorder that crashed, say: nobody has the rest, and what is before the last part is whole.
            let breaks_off = indexed && fragmented && matches!(&kind, b"moof" | b"mdat");
            if matches!(&kind, b"moov" | b"moof") && !breaks_off {
                let kind = kind.escape_ascii();
                return Ok(Err(SourceFault::Truncated(format!("a part of its index ({kind}) is missing"))));
            }
            let missing = end - length;
            if breaks_off && &kind == b"moof" {
                // Nobody reads what there is of it, see `readable`.
                return Ok(Ok(Some(breaks_off_by(missing))));
            } else if breaks_off {
                warning = Some(breaks_off_by(missing));
            } else if !indexed || missing.saturating_mul(1_000) > end.saturating_mul(MAY_LACK) {
                let problem = format!("{} of {} are missing", bytes(missing), bytes(end));
                return Ok(Err(SourceFault::Truncated(problem)));
            } else {
                warning = Some(format!("the last {} of the file are missing", bytes(missing)));
            }
        }
        indexes += usize::from(&kind == b"moov");
        fragmented |= &kind == b"moof";
        if movie::is_visited(&kind) {
            let size = size - header;
            let wanted = match &kind {
                b"free" | b"skip" | b"hoov" | b"uuid" => size.min(GLANCE),
                _ if size > MAX_INDEX => {
                    let kind = kind.escape_ascii();
                    return Ok(Err(nonsense(format!("a `{kind}` of {}", bytes(size)))));
                }
                _ => size,
            };
            file.seek(SeekFrom::Start(at + header))?;
            let mut content = Vec::new();
            file.take(wanted).read_to_end(&mut content)?;
            if let Err(fault) = walk.visit(&kind, &content, 0) {
                return Ok(Err(fault));
            }
        }
        at = end;
        if at >= length {
            break;
        }
    }
    Ok(match indexes {
        0 => Err(SourceFault::Truncated("its index (moov) is missing".to_owned())),
        1 => Ok(warning),
        // FFmpeg passes over every index behind the first.
        several => Ok(Some(format!(
            "the file is {several} recordings one behind the other (拼接), and only the first is in the lesson; join them in an editor, or \
             ingest each by itself"
        ))),
    })
}

fn breaks_off_by(missing: u64) -> String {
    format!(
        "the recording breaks off (录制中断): its last part lacks {}, and the lesson ends there; if the file was copied, copy it again",
        bytes(missing)
    )
}

/// How much of a file of the MP4 family, of `length` bytes, is given to a reader: all, but for the index of a last fragment that is torn.
/// [`prescan`] has not looked at that, and FFmpeg refuses the whole file for it.
///
/// # Errors
/// When it cannot be read.
pub fn readable(file: &mut (impl Read + Seek), length: u64) -> io::Result<u64> {
    let (mut at, mut fragmented) = (0, false);
    for _ in 0..MAX_BOXES {
        let Some((kind, size, header)) = header(file, at, length)? else { break };
        let end = at.saturating_add(size);
        if fragmented && &kind == b"moof" && end > length {
            return Ok(at);
        }
        if size < header || end >= length {
            break;
        }
        fragmented |= &kind == b"moof";
        at = end;
    }
    Ok(length)
}

/// Type, whole size and header size of the box at `at`; `None` at the end of the file.
fn header(file: &mut (impl Read + Seek), at: u64, length: u64) -> io::Result<Option<([u8; 4], u64, u64)>> {
    if length.saturating_sub(at) < 8 {
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut start = [0; 8];
    file.read_exact(&mut start)?;
    let [s0, s1, s2, s3, k0, k1, k2, k3] = start;
    let kind = [k0, k1, k2, k3];
    Ok(Some(match u32::from_be_bytes([s0, s1, s2, s3]) {
        0 => (kind, length - at, 8),
        1 if length - at >= 16 => {
            let mut large = [0; 8];
            file.read_exact(&mut large)?;
            (kind, u64::from_be_bytes(large), 16)
        }
        size => (kind, u64::from(size), 8),
    }))
}

fn bytes(count: u64) -> String {
    units::ByteCount(count).to_string()
}

#[cfg(test)]
mod tests;
