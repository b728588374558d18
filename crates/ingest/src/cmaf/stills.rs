//! Which bytes of a segment are a picture that can be decoded by itself: what an I-frame playlist names.

use super::boxes::{BoxError, Boxes, Kind, Reader};
use serde::{Deserialize, Serialize};

/// A movie fragment from its `moof` to the end of its first sample (RFC 8216bis 4.4.3.6; Apple 6.10: the range includes
/// the `moof`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Still {
    /// Of its first byte in the segment.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

/// `tfhd` flags (ISO/IEC 14496-12 8.8.7).
mod tfhd {
    pub(super) const BASE_DATA_OFFSET: u32 = 0x1;
    pub(super) const SAMPLE_DESCRIPTION: u32 = 0x2;
    pub(super) const DURATION: u32 = 0x8;
    pub(super) const SIZE: u32 = 0x10;
}

/// `trun` flags (ISO/IEC 14496-12 8.8.8).
mod trun {
    pub(super) const DATA_OFFSET: u32 = 0x1;
    pub(super) const FIRST_FLAGS: u32 = 0x4;
    pub(super) const DURATION: u32 = 0x100;
    pub(super) const SIZE: u32 = 0x200;
}

/// The first picture of each movie fragment in `segment`, whose data lies behind its `moof` (CMAF 7.5.16: the base of
/// offsets is the `moof`).
///
/// # Errors
/// When the boxes make no sense.
pub fn stills(segment: &[u8]) -> Result<Vec<Still>, BoxError> {
    let mut found = Vec::new();
    let mut begin = 0;
    for item in Boxes::of(segment) {
        let (kind, content) = item?;
        let end = content.as_ptr().addr() + content.len() - segment.as_ptr().addr();
        if &kind == b"moof" {
            let length = first_sample_end(Boxes::of(content))?;
            if length > segment.len() as u64 - begin as u64 {
                return Err(BoxError::Short);
            }
            found.push(Still { offset: begin as u64, length });
        }
        begin = end;
    }
    Ok(found)
}

/// From the start of the `moof`.
fn first_sample_end(moof: Boxes<'_>) -> Result<u64, BoxError> {
    const TRAF: Kind = *b"traf";
    let traf = Boxes::of(moof.first(&TRAF)?);
    let default_size = default_size(traf.first(b"tfhd")?)?;
    let mut run = Reader::of(traf.first(b"trun")?);
    let (_, flags) = run.full_box()?;
    let samples = run.u32()?;
    if samples == 0 || flags & trun::DATA_OFFSET == 0 {
        return Err(BoxError::Missing(*b"trun"));
    }
    let offset = run.u32()?;
    for flag in [trun::FIRST_FLAGS, trun::DURATION] {
        if flags & flag != 0 {
            run.u32()?;
        }
    }
    let size = if flags & trun::SIZE != 0 { run.u32()? } else { default_size };
    Ok(u64::from(offset) + u64::from(size))
}

fn default_size(tfhd: &[u8]) -> Result<u32, BoxError> {
    let mut reader = Reader::of(tfhd);
    let (_, flags) = reader.full_box()?;
    reader.u32()?;
    if flags & tfhd::BASE_DATA_OFFSET != 0 {
        reader.u64()?;
    }
    for flag in [tfhd::SAMPLE_DESCRIPTION, tfhd::DURATION] {
        if flags & flag != 0 {
            reader.u32()?;
        }
    }
    if flags & tfhd::SIZE != 0 { reader.u32() } else { Ok(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut bytes = u32::try_from(content.len() + 8).unwrap().to_be_bytes().to_vec();
        bytes.extend(kind);
        bytes.extend(content);
        bytes
    }

    /// One fragment; `sizes` are told sample by sample, or by `default`.
    fn fragment(sizes: &[u32], default: Option<u32>) -> Vec<u8> {
        let mut tfhd = 0x0002_0000_u32.to_be_bytes().to_vec();
        tfhd.extend(1_u32.to_be_bytes());
        if let Some(size) = default {
            tfhd[1..4].copy_from_slice(&[2, 0, 0x10]);
            tfhd.extend(size.to_be_bytes());
        }
        let flags = if default.is_some() { 0x005_u32 } else { 0x205 };
        let moof = |offset: u32| {
            let mut trun = flags.to_be_bytes().to_vec();
            trun.extend((sizes.len() as u32).to_be_bytes());
            trun.extend(offset.to_be_bytes());
            trun.extend(0_u32.to_be_bytes());
            if default.is_none() {
                trun.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
            }
            boxed(b"moof", &boxed(b"traf", &[boxed(b"tfhd", &tfhd), boxed(b"trun", &trun)].concat()))
        };
        let length = u32::try_from(moof(0).len()).unwrap() + 8;
        let data: u32 = sizes.iter().sum();
        [moof(length), boxed(b"mdat", &vec![0; data as usize])].concat()
    }

    #[test]
    fn a_still_ends_with_the_first_sample() {
        for (case, sizes, default) in [
            ("sizes sample by sample", &[9, 4, 4][..], None),
            ("one size for all", &[7, 7], Some(7)),
            ("one sample", &[5], None),
        ] {
            let segment = fragment(sizes, default);
            let data: u32 = sizes.iter().sum();
            let length = segment.len() as u64 - u64::from(data - sizes[0]);
            assert_eq!(stills(&segment), Ok(vec![Still { offset: 0, length }]), "{case}");
        }
    }

    #[test]
    fn every_fragment_has_its_still() {
        let (one, other) = (fragment(&[9], None), fragment(&[3, 3], None));
        let styp = boxed(b"styp", b"cmfs");
        let segment = [styp.clone(), one.clone(), other.clone()].concat();
        let begin = (styp.len() + one.len()) as u64;
        assert_eq!(
            stills(&segment),
            Ok(vec![
                Still { offset: styp.len() as u64, length: one.len() as u64 },
                Still { offset: begin, length: other.len() as u64 - 3 },
            ])
        );
    }

    #[test]
    fn what_is_cut_short_has_none() {
        let whole = fragment(&[9, 4], None);
        for length in 1..whole.len() {
            assert!(
                stills(&whole[..length]).map_or(true, |stills| stills.is_empty() || length > whole.len() - 4)
            );
        }
        assert!(stills(&fragment(&[], Some(3))).is_err());
    }
}
