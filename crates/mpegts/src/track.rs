//! What an init section says of its track: how its samples become access units.

use crate::boxes::{BoxError, Boxes, Reader};
use crate::error::RemuxError;
use crate::sps;

/// What samples are like where a fragment does not say (`trex`, ISO/IEC 14496-12 8.8.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Defaults {
    pub(crate) duration: u32,
    pub(crate) size: u32,
}

/// Bytes of all parameter sets, which each IDR picture gets in front; x264's have some forty.
const MAX_SETS_BYTES: usize = 4 << 10;

/// A track of pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pictures {
    pub(crate) timescale: u32,
    pub(crate) defaults: Defaults,
    /// Bytes of the length in front of each NAL unit: 1, 2 or 4.
    pub(crate) length_bytes: usize,
    /// Sequence and picture parameter sets, each behind a start code.
    pub(crate) parameter_sets: Vec<u8>,
    /// Pictures that may be decoded before one that is shown earlier.
    pub(crate) reordered: u32,
}

/// A track of sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sound {
    pub(crate) timescale: u32,
    pub(crate) defaults: Defaults,
    pub(crate) config: AudioConfig,
}

/// The parts of an AudioSpecificConfig that ADTS repeats before each frame (ISO/IEC 14496-3 1.6.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AudioConfig {
    /// 1 Main, 2 LC, 3 SSR, 4 LTP.
    pub(crate) object_type: u8,
    /// Place in the table of rates: 3 is 48 kHz.
    pub(crate) rate_index: u8,
    /// 1 to 7.
    pub(crate) channels: u8,
}

/// Parts of `moov` that both kinds of track need: timescale, defaults, and the sample entry of type `wanted`.
fn common<'a>(init: &'a [u8], wanted: &[u8; 4]) -> Result<(u32, Defaults, &'a [u8]), RemuxError> {
    let moov = Boxes::of(Boxes::of(init).first(b"moov")?);
    let media = Boxes::of(moov.at(&[b"trak", b"mdia"])?);
    let mut mdhd = Reader::of(media.first(b"mdhd")?);
    let (version, _) = mdhd.full_box()?;
    mdhd.bytes(if version == 1 { 16 } else { 8 })?;
    let timescale = mdhd.u32()?;
    if timescale == 0 {
        return Err(RemuxError::Timescale);
    }
    let mut stsd = Reader::of(media.at(&[b"minf", b"stbl", b"stsd"])?);
    stsd.bytes(8)?;
    let entry = Boxes::of(stsd.rest()).next().ok_or(BoxError::Missing(*wanted))??;
    if entry.kind != *wanted {
        return Err(RemuxError::SampleEntry { found: entry.kind, wanted: *wanted });
    }
    let defaults = match moov.at(&[b"mvex", b"trex"]) {
        Ok(trex) => {
            let mut trex = Reader::of(trex);
            trex.bytes(12)?;
            Defaults { duration: trex.u32()?, size: trex.u32()? }
        }
        Err(BoxError::Missing(_)) => Defaults::default(),
        Err(error) => return Err(error.into()),
    };
    Ok((timescale, defaults, entry.content))
}

impl Pictures {
    /// Reads `ftyp` and `moov` of a picture track.
    pub(crate) fn parse(init: &[u8]) -> Result<Self, RemuxError> {
        let (timescale, defaults, entry) = common(init, b"avc1")?;
        let mut entry = Reader::of(entry);
        // A visual sample entry (ISO/IEC 14496-12 12.1.3).
        entry.bytes(78)?;
        let mut config = Reader::of(Boxes::of(entry.rest()).first(b"avcC")?);
        // ISO/IEC 14496-15 5.3.3.1.
        let [version, _, _, _, lengths, sets] = config.array()?;
        if version != 1 {
            return Err(RemuxError::Configuration("avcC is of another version"));
        }
        let length_bytes = match lengths & 0x3 {
            2 => return Err(RemuxError::Configuration("lengths of three bytes")),
            bytes => usize::from(bytes) + 1,
        };
        let mut parameter_sets = Vec::new();
        let mut reordered = None;
        for _ in 0..sets & 0x1f {
            let set = parameter_set(&mut config, &mut parameter_sets)?;
            reordered = Some(sps::reordered(set)?);
        }
        for _ in 0..config.u8()? {
            parameter_set(&mut config, &mut parameter_sets)?;
        }
        let reordered = reordered.ok_or(RemuxError::Configuration("no sequence parameter set"))?;
        Ok(Self { timescale, defaults, length_bytes, parameter_sets, reordered })
    }
}

/// Copies the next set behind a start code of four bytes, which parameter sets must have (ITU-T H.264 B.1.2).
fn parameter_set<'a>(config: &mut Reader<'a>, sets: &mut Vec<u8>) -> Result<&'a [u8], RemuxError> {
    let length = usize::from(config.u16()?);
    let set = config.bytes(length)?;
    if set.is_empty() {
        return Err(RemuxError::Configuration("an empty parameter set"));
    }
    if sets.len() + set.len() > MAX_SETS_BYTES {
        return Err(RemuxError::Configuration("more parameter sets than any encoder writes"));
    }
    sets.extend_from_slice(&[0, 0, 0, 1]);
    sets.extend_from_slice(set);
    Ok(set)
}

impl Sound {
    /// Reads `ftyp` and `moov` of a sound track.
    pub(crate) fn parse(init: &[u8]) -> Result<Self, RemuxError> {
        let (timescale, defaults, entry) = common(init, b"mp4a")?;
        let mut entry = Reader::of(entry);
        // An audio sample entry of version 0 (ISO/IEC 14496-12 12.2.3).
        entry.bytes(28)?;
        let mut esds = Reader::of(Boxes::of(entry.rest()).first(b"esds")?);
        esds.full_box()?;
        let mut stream = Reader::of(descriptor(&mut esds, 0x03)?);
        let [_, _, flags] = stream.array()?;
        if flags & 0xe0 != 0 {
            return Err(RemuxError::Configuration("a stream descriptor that refers to others"));
        }
        let mut decoder = Reader::of(descriptor(&mut stream, 0x04)?);
        if decoder.u8()? != 0x40 {
            return Err(RemuxError::Configuration("the sound is not MPEG-4 AAC"));
        }
        decoder.bytes(12)?;
        let word = Reader::of(descriptor(&mut decoder, 0x05)?).u16()?;
        let field = |shift: u32, mask: u16| u8::try_from(word >> shift & mask).unwrap_or(0);
        let config =
            AudioConfig { object_type: field(11, 0x1f), rate_index: field(7, 0xf), channels: field(3, 0xf) };
        // What two, four and three bits of an ADTS header can tell (ISO/IEC 14496-3 1.A.2.2.1).
        let told = (1..=4).contains(&config.object_type)
            && config.rate_index <= 12
            && (1..=7).contains(&config.channels);
        if !told {
            return Err(RemuxError::Configuration("ADTS cannot tell this kind of AAC"));
        }
        Ok(Self { timescale, defaults, config })
    }
}

/// The content of the next descriptor, which must have `tag` (ISO/IEC 14496-1 8.3.3: 7 bits of length a byte).
fn descriptor<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], RemuxError> {
    if reader.u8()? != tag {
        return Err(RemuxError::Configuration("descriptors in another order"));
    }
    let mut length = 0;
    for _ in 0..4 {
        let byte = reader.u8()?;
        length = length << 7 | usize::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Ok(reader.bytes(length)?)
}
