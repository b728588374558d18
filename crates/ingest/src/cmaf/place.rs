//! The place of a segment in the lesson, written over the muxer's own counting.

use super::boxes::{BoxError, Boxes, Reader};

/// Moves every movie fragment in `segment` by `ticks` of its track and numbers them from `sequence` × their count on.
///
/// A chunk's muxer starts at 0; FFmpeg's can be told to start later only together with an edit list, which CMAF does
/// not want. So the two fields that say where a fragment belongs are written here: `mfhd` sequence_number and `tfdt`
/// baseMediaDecodeTime (ISO/IEC 14496-12 8.8.5, 8.8.12). Nothing else in a fragment is absolute.
///
/// # Errors
/// When the boxes make no sense. The segment is then not to be used.
pub fn place(segment: &mut [u8], sequence: u32, ticks: u64) -> Result<(), BoxError> {
    let mut fields = Vec::new();
    for item in Boxes::of(segment) {
        let (kind, content) = item?;
        if &kind == b"moof" {
            let moof = Boxes::of(content);
            let traf = Boxes::of(moof.first(b"traf")?);
            let (number, time) = (moof.first(b"mfhd")?, traf.first(b"tfdt")?);
            fields.push((offset(segment, number), offset(segment, time), Time::read(time)?));
        }
    }
    let count = u32::try_from(fields.len()).unwrap_or(u32::MAX);
    for (index, (number, time, at)) in (0..count).zip(fields) {
        let value = sequence.saturating_sub(1).saturating_mul(count).saturating_add(index + 1);
        write(segment, number + 4, &value.to_be_bytes())?;
        match at {
            Time::Short(at) => {
                let at = u64::from(at).saturating_add(ticks);
                let at = u32::try_from(at).map_err(|_| BoxError::Short)?;
                write(segment, time + 4, &at.to_be_bytes())?;
            }
            Time::Long(at) => write(segment, time + 4, &at.saturating_add(ticks).to_be_bytes())?,
        }
    }
    Ok(())
}

/// A decode time as it is written: version 0 has 32 bits, version 1 has 64.
enum Time {
    Short(u32),
    Long(u64),
}

impl Time {
    fn read(tfdt: &[u8]) -> Result<Self, BoxError> {
        let mut reader = Reader::of(tfdt);
        match reader.full_box()?.0 {
            0 => reader.u32().map(Self::Short),
            _ => reader.u64().map(Self::Long),
        }
    }
}

/// Where `part`, which lies in `whole`, begins.
fn offset(whole: &[u8], part: &[u8]) -> usize {
    part.as_ptr().addr() - whole.as_ptr().addr()
}

fn write(segment: &mut [u8], at: usize, field: &[u8]) -> Result<(), BoxError> {
    segment.get_mut(at..at + field.len()).ok_or(BoxError::Short)?.copy_from_slice(field);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn boxed(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes(), kind.as_slice(), content].concat()
    }

    fn fragment(sequence: u32, tfdt: &[u8]) -> Vec<u8> {
        let mfhd = boxed(b"mfhd", &[0u32, sequence].map(u32::to_be_bytes).concat());
        boxed(b"moof", &[mfhd, boxed(b"traf", &boxed(b"tfdt", tfdt))].concat())
    }

    fn long(time: u64) -> Vec<u8> {
        [&[1, 0, 0, 0], time.to_be_bytes().as_slice()].concat()
    }

    #[test]
    fn fragments_get_their_place_and_nothing_else_changes() {
        let mdat = boxed(b"mdat", b"moof");
        let mut one = [fragment(1, &long(432_000)), mdat.clone()].concat();
        place(&mut one, 27, 10_800_000).unwrap();
        assert_eq!(one, [fragment(27, &long(11_232_000)), mdat].concat());

        let mut two = [fragment(1, &long(0)), fragment(2, &long(5))].concat();
        place(&mut two, 3, 100).unwrap();
        assert_eq!(two, [fragment(5, &long(100)), fragment(6, &long(105))].concat());

        let mut old = fragment(1, &[0, 0, 0, 0, 0, 0, 0, 7]);
        place(&mut old, 1, 1).unwrap();
        assert_eq!(old, fragment(1, &[0, 0, 0, 0, 0, 0, 0, 8]));
    }

    #[test]
    fn a_fragment_without_its_fields_is_refused() {
        for bytes in [boxed(b"moof", b""), fragment(1, &[1, 0, 0, 0]), fragment(1, &[0, 0, 0, 0])] {
            assert!(place(&mut bytes.clone(), 1, 1).is_err());
        }
        let mut late = fragment(1, &[0, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(place(&mut late, 1, 1), Err(BoxError::Short));
    }
}
