//! A look at an MP4's boxes before FFmpeg sees the file: is it whole, is it under lock and key?
//!
//! Encrypted tracks are refused here and not by FFmpeg, whose reader of encrypted samples had an out-of-bounds write
//! (CVE-2026-40962). Cut-off files are refused here because FFmpeg only says "invalid data".

use crate::cmaf::Boxes;
use crate::fault::SourceFault;
use std::io::{self, Read, Seek, SeekFrom};

/// The largest index read into memory; a lesson's has a few hundred kB.
const MAX_MOOV: u64 = 64 << 20;
/// Top-level boxes looked at; a fragmented day has a few ten thousand.
const MAX_BOXES: usize = 200_000;
/// A file may lack this part (in thousandths) and still be worth decoding, with a warning.
const MAY_LACK: u64 = 10;

/// First boxes of files of the MP4 family (ISO/IEC 14496-12, QuickTime).
const FIRST: [&[u8; 4]; 9] =
    [b"ftyp", b"styp", b"moov", b"mdat", b"free", b"skip", b"wide", b"pnot", b"moof"];
/// Sample entries of encrypted tracks: Common Encryption, and Apple's older two.
const LOCKED: [(&[u8; 4], &str); 6] = [
    (b"encv", "encv"),
    (b"enca", "enca"),
    (b"enct", "enct"),
    (b"encs", "encs"),
    (b"drmi", "drmi"),
    (b"drms", "drms"),
];

/// Looks at a file of `length` bytes; returns a warning if something small is missing. Other containers pass unseen.
///
/// # Errors
/// When it is cut off or encrypted.
pub fn prescan(file: &mut (impl Read + Seek), length: u64) -> Result<Option<String>, SourceFault> {
    match scan(file, length) {
        Ok(result) => result,
        // The same error comes again when FFmpeg reads, and is told there.
        Err(_) => Ok(None),
    }
}

fn scan(file: &mut (impl Read + Seek), length: u64) -> io::Result<Result<Option<String>, SourceFault>> {
    let mut at = 0;
    let mut indexed = false;
    let mut warning = None;
    for number in 0..MAX_BOXES {
        let Some((kind, size, header)) = header(file, at, length)? else { break };
        if number == 0 && !FIRST.contains(&&kind) {
            return Ok(Ok(None));
        }
        if size < header || !kind.iter().all(|byte| matches!(byte, b' '..=b'~' | 0xa9)) {
            // Not a box: rubbish behind the last one, or in the middle. FFmpeg will see what can be read.
            break;
        }
        let end = at.saturating_add(size);
        if end > length {
            let missing = end - length;
            if !indexed && &kind != b"moov" || missing.saturating_mul(1_000) > end.saturating_mul(MAY_LACK) {
                return Ok(Err(SourceFault::Truncated(format!(
                    "{} of {} are missing",
                    bytes(missing),
                    bytes(end)
                ))));
            }
            warning = Some(format!("the last {} of the file are missing", bytes(missing)));
        }
        match &kind {
            b"moov" => {
                if end > length {
                    return Ok(Err(SourceFault::Truncated(
                        "a part of its index (moov) is missing".to_owned(),
                    )));
                }
                indexed = true;
                if let Some(found) = lock(file, at + header, size - header)? {
                    return Ok(Err(SourceFault::Encrypted(found)));
                }
            }
            b"pssh" => return Ok(Err(SourceFault::Encrypted("pssh"))),
            _ => {}
        }
        at = end;
        if at >= length {
            break;
        }
    }
    match indexed {
        true => Ok(Ok(warning)),
        false => Ok(Err(SourceFault::Truncated("its index (moov) is missing".to_owned()))),
    }
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

/// What shows that a track is encrypted, if any is.
fn lock(file: &mut (impl Read + Seek), at: u64, size: u64) -> io::Result<Option<&'static str>> {
    if size > MAX_MOOV {
        // FFmpeg refuses such an index by itself.
        return Ok(None);
    }
    file.seek(SeekFrom::Start(at))?;
    let mut moov = Vec::new();
    file.take(size).read_to_end(&mut moov)?;
    for (kind, content) in Boxes::of(&moov).flatten() {
        match &kind {
            b"pssh" => return Ok(Some("pssh")),
            b"trak" => {
                if let Some(found) = track_lock(content) {
                    return Ok(Some(found));
                }
            }
            _ => {}
        }
    }
    Ok(None)
}

fn track_lock(trak: &[u8]) -> Option<&'static str> {
    let stsd = Boxes::of(trak).at(&[b"mdia", b"minf", b"stbl", b"stsd"]).ok()?;
    // Version, flags, count; then the entries.
    for (kind, entry) in Boxes::of(stsd.get(8..)?).flatten() {
        if let Some((_, name)) = LOCKED.iter().find(|(locked, _)| **locked == kind) {
            return Some(name);
        }
        // The protection box lies behind fields whose length depends on the codec: looked for by its name.
        if entry.windows(4).any(|four| four == b"sinf") {
            return Some("sinf");
        }
    }
    None
}

fn bytes(count: u64) -> String {
    units::ByteCount(count).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;
    use std::io::Cursor;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), content].concat()
    }

    fn moov(entry: &[u8; 4], inside: &[u8]) -> Vec<u8> {
        let entry = boxed(entry, inside);
        let stsd = boxed(b"stsd", &[&[0, 0, 0, 0, 0, 0, 0, 1], entry.as_slice()].concat());
        let mdia = boxed(b"mdia", &boxed(b"minf", &boxed(b"stbl", &stsd)));
        boxed(b"moov", &boxed(b"trak", &mdia))
    }

    fn verdict(file: &[u8]) -> Result<bool, &'static str> {
        let result = prescan(&mut Cursor::new(file), file.len() as u64);
        result.map(|warning| warning.is_some()).map_err(|fault| fault.code())
    }

    #[test]
    fn verdicts() {
        let ftyp = boxed(b"ftyp", b"isom");
        let mdat = boxed(b"mdat", &[7; 5_000]);
        let plain = moov(b"avc1", &[0; 90]);
        let cut = |file: &[u8], by: usize| file[..file.len() - by].to_vec();
        let front = [ftyp.clone(), plain.clone(), mdat.clone()].concat();
        let back = [ftyp.clone(), mdat.clone(), plain.clone()].concat();
        let pssh = boxed(b"moov", &boxed(b"pssh", &[0; 20]));
        for (file, expected, case) in [
            (front.clone(), Ok(false), "whole, index first"),
            (back.clone(), Ok(false), "whole, index last"),
            ([front.clone(), vec![0; 3]].concat(), Ok(false), "three bytes of rubbish behind"),
            (cut(&front, 20), Ok(true), "a few bytes lost"),
            (cut(&front, 2_000), Err("SOURCE_TRUNCATED"), "a large part lost"),
            (cut(&back, 20), Err("SOURCE_TRUNCATED"), "a part of the index lost"),
            ([ftyp.clone(), mdat.clone()].concat(), Err("SOURCE_TRUNCATED"), "no index"),
            (cut(&[ftyp.clone(), mdat.clone()].concat(), 2_000), Err("SOURCE_TRUNCATED"), "cut in the data"),
            ([ftyp.clone(), moov(b"encv", &[0; 90]), mdat.clone()].concat(), Err("SOURCE_ENCRYPTED"), "encv"),
            ([ftyp.clone(), moov(b"enca", &[0; 30])].concat(), Err("SOURCE_ENCRYPTED"), "enca"),
            ([ftyp.clone(), moov(b"avc1", b"\0\0\0\x08sinf")].concat(), Err("SOURCE_ENCRYPTED"), "sinf"),
            ([ftyp.clone(), pssh, mdat.clone()].concat(), Err("SOURCE_ENCRYPTED"), "pssh"),
            (b"this is no video at all".to_vec(), Ok(false), "a text passes on to FFmpeg"),
            (vec![0x47; 188], Ok(false), "a transport stream passes on to FFmpeg"),
            (Vec::new(), Err("SOURCE_TRUNCATED"), "nothing (never asked: empty files are refused before)"),
        ] {
            assert_eq!(verdict(&file), expected, "{case}");
        }
    }
}
