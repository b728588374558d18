//! Single pictures of a package, one a segment: what a channel's I-frame playlist lists.

use grid::{SEGMENT_MS, SegmentCount, SegmentNumber};
use hls::MediaPlaylist;
use package::layout::segment_name;
use package::{Codec, Manifest, ObjectPath, Rendition, Slot};
use serde::{Deserialize, Serialize};

/// The first picture of each segment of one rendition, which decodes by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pictures {
    /// The rung that they are of; `None`: those made for it, below `trick/`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slot: Option<Slot>,
    /// RFC 6381 name of their format.
    pub codecs: String,
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// How many bytes each takes from the beginning of its segment.
    pub bytes: Vec<u32>,
}

impl Pictures {
    /// Where the list of the pictures of choice lies in the package: those made for it, or else those of the smallest rung, in
    /// H.264, which all devices decode. `None` where there is neither.
    pub fn listed(manifest: &Manifest) -> Option<ObjectPath> {
        Some(Self::choice(manifest)?.rendition().iframes())
    }

    /// Reads what lies there; `None` when it is no list of this package's pictures, with one at the beginning of each segment.
    pub fn read(manifest: &Manifest, list: &str) -> Option<Self> {
        let mut choice = Self::choice(manifest)?;
        let list = MediaPlaylist::parse(list).ok().filter(|list| list.iframes_only)?;
        // A segment's pictures follow each other; the first of them is wanted.
        let firsts = list.segments.chunk_by(|one, next| one.uri == next.uri).filter_map(|same| same.first());
        choice.bytes = (0..)
            .map(SegmentNumber)
            .zip(firsts)
            .map(|(number, listed)| {
                let range = listed.byte_range.filter(|range| range.offset == 0 && range.length > 0)?;
                let length = u32::try_from(range.length).ok()?;
                (listed.uri == segment_name(number)).then_some(length)
            })
            .collect::<Option<_>>()?;
        choice.fits(manifest.segments).then_some(choice)
    }

    /// Whether there is one for each segment.
    pub(crate) fn fits(&self, segments: SegmentCount) -> bool {
        u32::try_from(self.bytes.len()) == Ok(segments.0) && !self.bytes.contains(&0)
    }

    fn choice(manifest: &Manifest) -> Option<Self> {
        let of = |slot, codecs: &str, width, height| {
            Some(Self { slot, codecs: codecs.to_owned(), width, height, bytes: Vec::new() })
        };
        if let Some(trick) = manifest.trick.as_ref().filter(|trick| trick.codecs.starts_with("avc1")) {
            return of(None, &trick.codecs, trick.width, trick.height);
        }
        let mut rungs = manifest.video.iter();
        let rung = rungs.find(|rung| rung.slot.codec() == Codec::H264 && rung.alias_of.is_none())?;
        of(Some(rung.slot), &rung.codecs, rung.width, rung.height)
    }

    /// Whose segments hold them.
    pub fn rendition(&self) -> Rendition {
        self.slot.map_or(Rendition::Trick, Rendition::Video)
    }

    /// Bits a second at most, when they are fetched as time goes by.
    pub fn peak_bps(&self) -> u64 {
        self.bytes.iter().max().map_or(0, |&bytes| bps(bytes.into(), 1))
    }

    /// Bits a second over the whole.
    pub fn average_bps(&self) -> u64 {
        bps(self.bytes.iter().map(|&bytes| u64::from(bytes)).sum(), self.bytes.len())
    }
}

fn bps(bytes: u64, segments: usize) -> u64 {
    let ms = SEGMENT_MS.saturating_mul(u64::try_from(segments).unwrap_or(u64::MAX));
    bytes.saturating_mul(8_000).div_ceil(ms.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_those_of_one_picture_a_segment() {
        let pictures = Pictures {
            slot: None,
            codecs: "avc1.641016".into(),
            width: 640,
            height: 360,
            bytes: vec![6_000, 3_000, 0],
        };
        assert_eq!((pictures.peak_bps(), pictures.average_bps()), (10_000, 5_000));
        assert_eq!(Pictures { bytes: vec![], ..pictures }.average_bps(), 0);
    }
}
