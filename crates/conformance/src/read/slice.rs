//! Access units: what kind of picture a sample is.

use super::Nonsense;
use super::bits::Bits;
use super::h264::{Sets, unescape};

/// What the NAL units of one picture say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Picture {
    /// All slices are of an IDR picture.
    pub(crate) is_idr: bool,
    /// All slices are I slices.
    pub(crate) is_intra: bool,
    /// A field, not a frame.
    pub(crate) is_field: bool,
    /// Parameter sets are in the sample.
    pub(crate) has_sps: bool,
    pub(crate) has_pps: bool,
    /// An access unit delimiter comes first.
    pub(crate) has_delimiter: bool,
    pub(crate) slices: usize,
}

/// Looks at the NAL units of one picture. Parameter sets within are added to `sets`.
pub(crate) fn picture(nals: &[&[u8]], sets: &mut Sets) -> Result<Picture, Nonsense> {
    let mut picture = Picture { is_idr: true, is_intra: true, ..Picture::default() };
    for (place, nal) in nals.iter().enumerate() {
        if nal.first().is_some_and(|header| header & 0x80 != 0) {
            return Err(Nonsense::new("a NAL unit with its forbidden bit set"));
        }
        match nal.first().map_or(0, |header| header & 31) {
            7 => picture.has_sps = true,
            8 => picture.has_pps = true,
            9 => picture.has_delimiter |= place == 0,
            kind @ (1 | 5) => {
                let slice = slice(nal, sets)?;
                if picture.slices == 0 && slice.first_macroblock != 0 {
                    return Err(Nonsense::new(format!(
                        "the first slice begins at macroblock {}",
                        slice.first_macroblock
                    )));
                }
                picture.slices += 1;
                picture.is_idr &= kind == 5;
                picture.is_intra &= matches!(slice.kind % 5, 2 | 4);
                picture.is_field |= slice.is_field;
            }
            2..=4 => return Err(Nonsense::new("data partitions")),
            _ => {}
        }
        sets.take(nal)?;
    }
    if picture.slices == 0 {
        return Err(Nonsense::new("a sample without a picture"));
    }
    Ok(picture)
}

struct Slice {
    first_macroblock: u32,
    kind: u32,
    is_field: bool,
}

/// Bytes of a slice that hold its header as far as it is read, with room for emulation prevention.
const HEAD: usize = 64;

/// 7.3.3, as far as the field flag.
fn slice(nal: &[u8], sets: &Sets) -> Result<Slice, Nonsense> {
    let plain = unescape(&nal[..nal.len().min(HEAD)]);
    let mut bits = Bits::of(plain.get(1..).unwrap_or_default());
    let (first_macroblock, kind, pps) = (bits.ue()?, bits.ue()?, bits.ue()?);
    if kind > 9 {
        return Err(Nonsense::new(format!("a slice of type {kind}")));
    }
    let Some(pps) = sets.pps.get(&pps) else {
        return Err(Nonsense::new(format!("a slice names PPS {pps}, which is not there")));
    };
    let Some(sps) = sets.sps.get(&pps.sps) else {
        return Err(Nonsense::new(format!("PPS {} names SPS {}, which is not there", pps.id, pps.sps)));
    };
    if sps.separate_planes {
        bits.bits(2)?;
    }
    bits.bits(sps.frame_num_bits.min(16))?;
    let is_field = !sps.frame_mbs_only && bits.flag()?;
    Ok(Slice { first_macroblock, kind, is_field })
}
