//! Media playlists: segments, and single pictures by their byte ranges. Pure.

use super::AssembleError;
use crate::cmaf::Still;
use grid::{SEGMENT_MS, SegmentCount, SegmentNumber};
use hls::bitrate::SegmentSize;
use hls::{ByteRange, MediaPlaylist, Segment};
use package::{Rendition, layout};

/// All segments of a rendition whose objects lie at `prefix`.
pub(super) fn lesson(segments: SegmentCount, prefix: &str) -> MediaPlaylist {
    let uris = segments.numbers().map(|number| format!("{prefix}{}", layout::segment_name(number)));
    MediaPlaylist::lesson(format!("{prefix}init.mp4"), uris)
}

/// The pictures of `rendition` that can be decoded by themselves, evenly spread over their segments; and what each
/// takes.
pub(super) fn iframes(
    rendition: Rendition,
    stills: &[Vec<Still>],
    prefix: &str,
) -> Result<(MediaPlaylist, Vec<SegmentSize>), AssembleError> {
    let mut pictures = Vec::new();
    let mut sizes = Vec::new();
    for (number, stills) in (0..).map(SegmentNumber).zip(stills) {
        let duration_ms = SEGMENT_MS
            .checked_div(stills.len() as u64)
            .filter(|each| each * stills.len() as u64 == SEGMENT_MS)
            .ok_or(AssembleError::NoStill { rendition, number })?;
        for &Still { offset, length } in stills {
            pictures.push(Segment {
                uri: format!("{prefix}{}", layout::segment_name(number)),
                duration_ms,
                byte_range: Some(ByteRange { length, offset }),
                ..Segment::default()
            });
            sizes.push(SegmentSize { bytes: length, duration_ms });
        }
    }
    Ok((MediaPlaylist::iframes(Some(format!("{prefix}init.mp4")), pictures), sizes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use package::Slot;

    #[test]
    fn pictures_share_their_segment_evenly() {
        let still = |offset| Still { offset, length: 600 };
        let rung = Rendition::Video(Slot::S1);
        let (playlist, sizes) = iframes(rung, &[vec![still(0)], vec![still(8)]], "../s0/").unwrap();
        assert_eq!(playlist.segments[1].uri, "../s0/00001.m4s");
        assert_eq!(playlist.segments[1].byte_range, Some(ByteRange { length: 600, offset: 8 }));
        assert_eq!((playlist.duration_ms(), playlist.map.as_deref()), (9_600, Some("../s0/init.mp4")));
        assert_eq!(sizes[0], SegmentSize { bytes: 600, duration_ms: 4_800 });

        let six: Vec<Still> = (0..6).map(|picture| still(picture * 600)).collect();
        let (playlist, _) = iframes(Rendition::Trick, &[six], "").unwrap();
        assert!(playlist.segments.iter().all(|picture| picture.duration_ms == 800));
        assert_eq!(playlist.segments.len(), 6);
    }

    #[test]
    fn a_segment_without_a_picture_is_an_error() {
        let seven = vec![Still { offset: 0, length: 1 }; 7];
        for stills in [vec![], seven] {
            assert!(matches!(
                iframes(Rendition::Trick, &[stills], ""),
                Err(AssembleError::NoStill { number: SegmentNumber(0), .. })
            ));
        }
    }
}
