//! The init section: one track, no edit list, and the codec's name for playlists.

use super::boxes::{BoxError, Boxes, Kind, Reader};
use super::fragment::Coding;
use super::obu::SequenceHeader;

/// What an init section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Init {
    /// Pictures or sound.
    pub media: Media,
    /// How its samples are coded.
    pub coding: Coding,
    /// Ticks a second.
    pub timescale: u32,
    /// RFC 6381: `avc1.64001F`, `av01.0.05M.08`, `mp4a.40.2`.
    pub codecs: String,
}

/// What the track carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Media {
    /// Pictures of this size.
    Video {
        /// Columns.
        width: u16,
        /// Rows.
        height: u16,
    },
    /// Sound.
    Audio {
        /// As the AudioSpecificConfig says.
        channels: u8,
        /// Samples a second, as the AudioSpecificConfig says.
        rate: u32,
    },
}

/// Why an init section is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitError {
    /// A box is missing or makes no sense.
    #[error("init section: {0}")]
    Box(#[from] BoxError),
    /// A brand players look for is not there.
    #[error("init section: brand `{}` is not told", .0.escape_ascii())]
    Brand(Kind),
    /// CMAF: one track a file.
    #[error("init section: {0} tracks instead of one")]
    Tracks(usize),
    /// Several players mishandle edit lists, and nothing of ours needs one.
    #[error("init section: there is an edit list")]
    EditList,
    /// Not `avc1`, `av01` or `mp4a`, or parameters that make no sense.
    #[error("init section: the sample entry is none of ours")]
    SampleEntry,
}

impl Init {
    /// Reads `ftyp` and `moov`.
    ///
    /// # Errors
    /// When it breaks one of the rules above.
    pub fn parse(bytes: &[u8]) -> Result<Self, InitError> {
        brands(Boxes::of(bytes).first(b"ftyp")?)?;
        let moov = Boxes::of(Boxes::of(bytes).first(b"moov")?);
        match moov.how_many(b"trak")? {
            1 => {}
            tracks => return Err(InitError::Tracks(tracks)),
        }
        let trak = Boxes::of(moov.first(b"trak")?);
        if trak.how_many(b"edts")? > 0 {
            return Err(InitError::EditList);
        }
        let timescale = timescale(trak.at(&[b"mdia", b"mdhd"])?)?;
        let mut stsd = Reader::of(trak.at(&[b"mdia", b"minf", b"stbl", b"stsd"])?);
        stsd.full_box()?;
        stsd.u32()?;
        let (kind, entry) = Boxes::of(stsd.rest()).next().ok_or(InitError::SampleEntry)??;
        let (coding, (media, codecs)) = match &kind {
            b"avc1" => (Coding::H264, avc1(entry)?),
            b"av01" => (Coding::Av1, av01(entry)?),
            b"mp4a" => (Coding::Aac, mp4a(entry)?),
            _ => return Err(InitError::SampleEntry),
        };
        Ok(Self { media, coding, timescale, codecs })
    }
}

/// ISO/IEC 23000-19 7.2: CMAF tracks say `cmfc`; players that know only base media look for `iso6`.
fn brands(ftyp: &[u8]) -> Result<(), InitError> {
    let told: Vec<&[u8]> =
        ftyp.chunks(4).enumerate().filter(|(place, _)| *place != 1).map(|(_, brand)| brand).collect();
    for brand in [*b"cmfc", *b"iso6"] {
        if !told.contains(&brand.as_slice()) {
            return Err(InitError::Brand(brand));
        }
    }
    Ok(())
}

fn timescale(mdhd: &[u8]) -> Result<u32, BoxError> {
    let mut reader = Reader::of(mdhd);
    let (version, _) = reader.full_box()?;
    reader.bytes(if version == 1 { 16 } else { 8 })?;
    reader.u32()
}

/// ISO/IEC 14496-15: the name is profile, constraints and level of the parameter set (RFC 6381 3.3).
fn avc1(entry: &[u8]) -> Result<(Media, String), InitError> {
    let (media, boxes) = visual(entry)?;
    let mut config = Reader::of(boxes.first(b"avcC")?);
    let [version, profile, constraints, level, _length_size, sets] = config.array()?;
    if version != 1 || sets & 0x1f != 1 {
        return Err(InitError::SampleEntry);
    }
    // The set itself has to say what the box says: decoders believe the set.
    let length = usize::from(config.u16()?);
    match config.bytes(length)? {
        [header, set_profile, set_constraints, set_level, ..]
            if header & 0x1f == 7
                && (*set_profile, *set_constraints, *set_level) == (profile, constraints, level) => {}
        _ => return Err(InitError::SampleEntry),
    }
    Ok((media, format!("avc1.{profile:02X}{constraints:02X}{level:02X}")))
}

/// AV1 in ISOBMFF 2.3 and 5: the name is profile, level, tier and bits a sample; what follows has the values that are
/// understood when nothing is said (4:2:0, BT.709, limited range).
fn av01(entry: &[u8]) -> Result<(Media, String), InitError> {
    let (media, boxes) = visual(entry)?;
    let mut config = Reader::of(boxes.first(b"av1C")?);
    let [marker, levels, samples, _delay] = config.array()?;
    let told = SequenceHeader {
        profile: levels >> 5,
        level: levels & 0x1f,
        high_tier: samples & 0x80 != 0,
        high_bit_depth: samples & 0x40 != 0,
    };
    // As for H.264: the sequence header is what decoders believe. 8 bits is all we make.
    if marker != 0x81 || told.high_bit_depth || SequenceHeader::read(config.rest())? != Some(told) {
        return Err(InitError::SampleEntry);
    }
    let tier = if told.high_tier { 'H' } else { 'M' };
    Ok((media, format!("av01.{}.{:02}{tier}.08", told.profile, told.level)))
}

/// A visual sample entry (ISO/IEC 14496-12 12.1.3): its size, and the boxes behind its fields.
fn visual(entry: &[u8]) -> Result<(Media, Boxes<'_>), InitError> {
    let mut reader = Reader::of(entry);
    reader.bytes(24)?;
    let (width, height) = (reader.u16()?, reader.u16()?);
    reader.bytes(50)?;
    Ok((Media::Video { width, height }, Boxes::of(reader.rest())))
}

/// ISO/IEC 14496-14: `mp4a.40.` and the object type of the AudioSpecificConfig.
fn mp4a(entry: &[u8]) -> Result<(Media, String), InitError> {
    let mut reader = Reader::of(entry);
    reader.bytes(28)?;
    let mut esds = Reader::of(Boxes::of(reader.rest()).first(b"esds")?);
    esds.full_box()?;
    let mut stream = Reader::of(descriptor(&mut esds, 0x03)?);
    stream.bytes(3)?;
    let mut config = Reader::of(descriptor(&mut stream, 0x04)?);
    if config.u8()? != 0x40 {
        return Err(InitError::SampleEntry);
    }
    config.bytes(12)?;
    let mut specific = Reader::of(descriptor(&mut config, 0x05)?);
    let word = specific.u16()?;
    let (object_type, rate, channels) = (word >> 11, word >> 7 & 0xf, word >> 3 & 0xf);
    // ISO/IEC 14496-3 table 1.18; escapes (31, 15) do not occur in AAC-LC at usual rates.
    const RATES: [u32; 13] = [
        96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350,
    ];
    let rate = *RATES.get(usize::from(rate)).ok_or(InitError::SampleEntry)?;
    let channels = u8::try_from(channels).unwrap_or(0);
    Ok((Media::Audio { channels, rate }, format!("mp4a.40.{object_type}")))
}

/// The content of the next descriptor, which must have `tag` (ISO/IEC 14496-1 8.3.3: 7 bits of length a byte).
fn descriptor<'a>(reader: &mut Reader<'a>, tag: u8) -> Result<&'a [u8], InitError> {
    if reader.u8()? != tag {
        return Err(InitError::SampleEntry);
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
