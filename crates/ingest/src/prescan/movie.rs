//! An MP4's index and fragments, box by box: nothing locked, nothing elsewhere, no number that its box cannot hold.
//!
//! FFmpeg believes what these boxes say before it has looked whether it can be true, and reads some of them wherever
//! they stand. So every box is visited that it would visit, at any depth, and what it would allocate is compared with
//! what is there.

use super::tables;
use crate::accepted::{MAX_PIXELS, MAX_STREAMS};
use crate::cmaf::{BoxError, Boxes, Reader};
use crate::fault::SourceFault;

/// A four-letter box type.
pub(super) type Kind = [u8; 4];

/// Boxes inside boxes; a sample entry's innermost is the ninth.
const MAX_DEPTH: usize = 12;
/// Boxes in all indexes and fragments together; six hours in fragments of a second have some 150,000.
const MAX_BOXES: usize = 1_000_000;
/// The longest side of a picture that a header may speak of.
const MAX_SIDE: u32 = 16_383;

/// What holds other boxes, so that a box of nonsense inside is not to be passed over.
const STRICT: [&Kind; 9] = [b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"mvex", b"moof", b"traf"];
/// What holds other boxes and is often written carelessly; a box of nonsense ends it.
const LOOSE: [&Kind; 9] = [b"edts", b"udta", b"meta", b"tref", b"gmhd", b"wave", b"ilst", b"mfra", b"schi"];
/// Boxes of encrypted media: Common Encryption (ISO/IEC 23001-7) and what came before it.
const LOCKS: [(&Kind, &str); 9] = [
    (b"pssh", "pssh"),
    (b"sinf", "sinf"),
    (b"senc", "senc"),
    (b"tenc", "tenc"),
    (b"schm", "schm"),
    (b"saiz", "saiz"),
    (b"saio", "saio"),
    (b"adkm", "adkm"),
    (b"ipro", "ipro"),
];
/// Sample entries of encrypted tracks: Common Encryption, and Apple's older two.
const LOCKED: [(&Kind, &str); 6] = [
    (b"encv", "encv"),
    (b"enca", "enca"),
    (b"enct", "enct"),
    (b"encs", "encs"),
    (b"drmi", "drmi"),
    (b"drms", "drms"),
];
/// Sample encryption as a `uuid` box, before it had a name of its own (PIFF).
const PIFF_SAMPLE_ENCRYPTION: [u8; 16] =
    [0xa2, 0x39, 0x4f, 0x52, 0x5a, 0x9b, 0x4f, 0x14, 0xa2, 0x44, 0x6c, 0x42, 0x7c, 0x64, 0x8d, 0xf4];

/// Whether the box is one that has to be seen wherever it stands: not the media itself, nor what nobody reads.
pub(super) fn is_visited(kind: &Kind) -> bool {
    let known = |list: &[&Kind]| list.contains(&kind);
    known(&STRICT)
        || known(&LOOSE)
        || LOCKS.iter().any(|(lock, _)| *lock == kind)
        || matches!(kind, b"uuid" | b"cmov" | b"rmra" | b"hoov" | b"free" | b"skip")
        || matches!(kind, b"stsd" | b"dref" | b"mvhd" | b"mdhd" | b"tkhd" | b"hdlr" | b"trun")
        || tables::is_table(kind)
}

/// A walk over all indexes and fragments of one file.
#[derive(Debug)]
pub(super) struct Walk {
    /// Length of the file: no table speaks of more.
    length: u64,
    boxes: usize,
    tracks: usize,
    /// Samples of all fragments.
    samples: u64,
    /// What the track that is being looked at carries.
    handler: Kind,
}

impl Walk {
    pub(super) fn of(length: u64) -> Self {
        Self { length, boxes: 0, tracks: 0, samples: 0, handler: *b"    " }
    }

    /// Looks at a box and all in it.
    ///
    /// # Errors
    /// At the first thing that must not be.
    pub(super) fn visit(&mut self, kind: &Kind, content: &[u8], depth: usize) -> Result<(), SourceFault> {
        self.boxes += 1;
        if depth > MAX_DEPTH {
            return Err(nonsense(format!("boxes are nested more than {MAX_DEPTH} deep")));
        }
        if self.boxes > MAX_BOXES {
            return Err(nonsense(format!("there are more than {MAX_BOXES} boxes")));
        }
        if let Some((_, name)) = LOCKS.iter().find(|(lock, _)| *lock == kind) {
            return Err(SourceFault::Encrypted(name));
        }
        match kind {
            b"uuid" if content.starts_with(&PIFF_SAMPLE_ENCRYPTION) => {
                return Err(SourceFault::Encrypted("uuid"));
            }
            // FFmpeg takes an index that was marked as free space for an index.
            b"free" | b"skip" | b"hoov" if matches!(content.get(4..8), Some(b"mvhd" | b"cmov")) => {
                return Err(nonsense("an index is hidden in free space".to_owned()));
            }
            b"cmov" => return Err(nonsense("the index is compressed".to_owned())),
            b"rmra" => return Err(SourceFault::Reference("rmra")),
            b"trak" => {
                self.tracks += 1;
                self.handler = *b"    ";
                if self.tracks > MAX_STREAMS {
                    return Err(nonsense(format!("there are more than {MAX_STREAMS} tracks")));
                }
            }
            b"hdlr" => {
                self.handler =
                    content.get(8..12).map_or(self.handler, |kind| [kind[0], kind[1], kind[2], kind[3]])
            }
            b"dref" => self.references(content)?,
            b"stsd" => return self.entries(content, depth),
            b"mvhd" | b"mdhd" => times(kind, content)?,
            b"tkhd" => self.header(content)?,
            b"trun" => self.samples = tables::run(content, self.samples)?,
            _ => tables::check(kind, content, self.length, &self.handler)?,
        }
        match kind {
            kind if STRICT.contains(&kind) => self.inside(kind, content, depth, true),
            // In QuickTime a plain box, in MP4 one with version and flags first.
            b"meta" if content.get(..4) == Some(&[0; 4]) => self.inside(kind, &content[4..], depth, false),
            kind if LOOSE.contains(&kind) => self.inside(kind, content, depth, false),
            _ => Ok(()),
        }
    }

    fn inside(
        &mut self,
        parent: &Kind,
        content: &[u8],
        depth: usize,
        strict: bool,
    ) -> Result<(), SourceFault> {
        for item in Boxes::of(content) {
            match item {
                Ok((kind, content)) => self.visit(&kind, content, depth + 1)?,
                Err(BoxError::Size { kind, size }) if strict => {
                    let (kind, parent) = (kind.escape_ascii(), parent.escape_ascii());
                    return Err(nonsense(format!(
                        "a box `{kind}` of {size} bytes does not fit into its `{parent}`"
                    )));
                }
                // A few bytes behind the last box.
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Where a track's media are said to be: in this file, or elsewhere (ISO/IEC 14496-12 8.7.2).
    fn references(&mut self, content: &[u8]) -> Result<(), SourceFault> {
        for (kind, entry) in Boxes::of(content.get(8..).unwrap_or_default()).flatten() {
            self.boxes += 1;
            let in_this_file = entry.get(3).is_some_and(|flags| flags & 1 == 1);
            let names_something = entry.get(4..).is_some_and(|name| name.iter().any(|byte| *byte != 0));
            if !in_this_file && names_something {
                return Err(SourceFault::Reference(match &kind {
                    b"alis" => "alis",
                    b"rsrc" => "rsrc",
                    b"urn " => "urn",
                    _ => "url",
                }));
            }
        }
        Ok(())
    }

    /// Sample entries: codecs, sizes, and the boxes behind their fields.
    fn entries(&mut self, content: &[u8], depth: usize) -> Result<(), SourceFault> {
        for item in Boxes::of(content.get(8..).unwrap_or_default()) {
            let (kind, entry) = match item {
                Ok(item) => item,
                Err(BoxError::Size { kind, size }) => {
                    let kind = kind.escape_ascii();
                    return Err(nonsense(format!("a sample entry `{kind}` of {size} bytes does not fit")));
                }
                Err(_) => break,
            };
            self.boxes += 1;
            if let Some((_, name)) = LOCKED.iter().find(|(locked, _)| **locked == kind) {
                return Err(SourceFault::Encrypted(name));
            }
            // The protection box lies behind fields whose length depends on the codec: looked for by its name.
            if entry.windows(4).any(|four| four == b"sinf") {
                return Err(SourceFault::Encrypted("sinf"));
            }
            let fields = match &self.handler {
                b"vide" => picture_entry(entry)?,
                b"soun" => sound_entry(entry)?,
                _ => continue,
            };
            self.inside(&kind, entry.get(fields..).unwrap_or_default(), depth + 1, false)?;
        }
        Ok(())
    }

    fn header(&self, content: &[u8]) -> Result<(), SourceFault> {
        let mut fields = Reader::of(content);
        let before = if content.first() == Some(&1) { 88 } else { 76 };
        let read = fields.bytes(before).and_then(|_| Ok((fields.u32()? >> 16, fields.u32()? >> 16)));
        let (width, height) = read.map_err(|_| nonsense("a `tkhd` is too short".to_owned()))?;
        if width.max(height) > MAX_SIDE {
            return Err(SourceFault::TooLarge { width, height });
        }
        Ok(())
    }
}

pub(super) fn nonsense(problem: String) -> SourceFault {
    SourceFault::Headers(problem)
}

/// Time scale and length of a movie or a track: both are divided by or multiplied with later.
fn times(kind: &Kind, content: &[u8]) -> Result<(), SourceFault> {
    let mut fields = Reader::of(content);
    let long = content.first() == Some(&1);
    let mut read = || {
        fields.bytes(if long { 20 } else { 12 })?;
        let scale = fields.u32()?;
        let duration = if long { fields.u64()? } else { fields.u32()?.into() };
        Ok::<_, BoxError>((scale, duration))
    };
    let name = kind.escape_ascii();
    let (scale, duration) = read().map_err(|_| nonsense(format!("a `{name}` is too short")))?;
    if scale == 0 {
        return Err(nonsense(format!("a time scale of zero in `{name}`")));
    }
    // All ones means "not known"; what else has the highest bit set is a negative number by mistake.
    let (unknown, negative) = if long { (u64::MAX, 1 << 63) } else { (u32::MAX.into(), 1 << 31) };
    if duration != unknown && duration & negative != 0 {
        return Err(nonsense(format!("a negative duration in `{name}`")));
    }
    Ok(())
}

/// Length of the fields before the boxes of a visual sample entry.
fn picture_entry(entry: &[u8]) -> Result<usize, SourceFault> {
    let mut fields = Reader::of(entry.get(24..).unwrap_or_default());
    if let (Ok(width), Ok(height)) = (fields.u16(), fields.u16()) {
        let (width, height) = (u32::from(width), u32::from(height));
        if u64::from(width) * u64::from(height) > MAX_PIXELS {
            return Err(SourceFault::TooLarge { width, height });
        }
    }
    Ok(78)
}

/// Length of the fields before the boxes of an audio sample entry; QuickTime has three versions of it.
fn sound_entry(entry: &[u8]) -> Result<usize, SourceFault> {
    const MAX_RATE: f64 = 768_000.0;
    const MAX_CHANNELS: u32 = 64;
    match entry.get(8..10) {
        Some([0, 1]) => Ok(44),
        Some([0, 2]) => {
            let mut fields = Reader::of(entry.get(32..).unwrap_or_default());
            let (Ok(rate), Ok(channels)) = (fields.u64(), fields.u32()) else {
                return Err(nonsense("a sound entry is too short".to_owned()));
            };
            let rate = f64::from_bits(rate);
            // NaN is in no range.
            if !(1.0..=MAX_RATE).contains(&rate) || channels > MAX_CHANNELS {
                return Err(nonsense(format!("sound of {rate} samples a second in {channels} channels")));
            }
            Ok(64)
        }
        _ => Ok(28),
    }
}
