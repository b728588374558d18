//! The manifest as a DASH presentation. Pure.

use dash::{AdaptationSet, Content, Presentation, Representation, Segments, SetId, Storyboard, Video};
use package::manifest::{Object, VideoRung};
use package::{Codec, Language, Manifest, layout};

/// Numbers of sets; those of subtitles follow.
const H264: SetId = SetId(1);
const AV1: SetId = SetId(2);
const AUDIO: SetId = SetId(3);
const TRICK: SetId = SetId(4);
const THUMBS: SetId = SetId(5);
const FIRST_TEXT: u32 = 6;
/// How much faster than the lesson single pictures may be played: 25 a second of the 1.25.
const TRICK_RATE: u32 = 20;

/// Everything but what is for old devices.
pub(super) fn presentation(manifest: &Manifest, objects: &[Object], language: &Language) -> Presentation {
    let mut sets = Vec::new();
    let has_av1 = manifest.video.iter().any(|rung| rung.slot.codec() == Codec::Av1);
    for (id, codec, other, priority) in [(H264, Codec::H264, AV1, 1), (AV1, Codec::Av1, H264, 2)] {
        let real = manifest.video.iter().filter(|rung| rung.alias_of.is_none() && rung.slot.codec() == codec);
        let representations: Vec<_> = real.map(|rung| self::rung(manifest, rung)).collect();
        if !representations.is_empty() {
            let content = Content::Video { switches_to: has_av1.then_some(other), priority };
            sets.push(AdaptationSet { id, content, segments: template(""), representations });
        }
    }
    sets.push(sound(manifest, language));
    sets.extend(trick(manifest));
    sets.extend(storyboard(manifest, objects));
    sets.extend(texts(manifest));
    Presentation { segments: manifest.segments, sets }
}

fn rung(manifest: &Manifest, rung: &VideoRung) -> Representation {
    let rate = (manifest.frame_rate.per_second(), rung.thinning);
    Representation {
        id: rung.slot.to_string(),
        bandwidth: rung.peak_bps,
        codecs: Some(rung.codecs.clone()),
        video: Some(Video { width: rung.width, height: rung.height, rate: Some(rate) }),
        channels: None,
    }
}

fn sound(manifest: &Manifest, language: &Language) -> AdaptationSet {
    let mut representations: Vec<_> = manifest
        .audio
        .iter()
        .map(|sound| Representation {
            id: sound.slot.to_string(),
            bandwidth: sound.peak_bps,
            codecs: Some(sound.codecs.clone()),
            video: None,
            channels: Some(sound.channels),
        })
        .collect();
    representations.sort_by_key(|representation| representation.bandwidth);
    let content = Content::Audio { language: language.to_string() };
    AdaptationSet { id: AUDIO, content, segments: template("audio/"), representations }
}

fn trick(manifest: &Manifest) -> Option<AdaptationSet> {
    let trick = manifest.trick.as_ref()?;
    // Pictures in 4.8 s: as many in 24 fifths of a second.
    let rate = reduced(trick.per_segment * 5, 24);
    let representation = Representation {
        id: "trick".to_owned(),
        bandwidth: trick.peak_bps,
        codecs: Some(trick.codecs.clone()),
        video: Some(Video { width: trick.width, height: trick.height, rate: Some(rate) }),
        channels: None,
    };
    let content = Content::Trick { of: H264, max_rate: TRICK_RATE };
    Some(AdaptationSet { id: TRICK, content, segments: template(""), representations: vec![representation] })
}

fn storyboard(manifest: &Manifest, objects: &[Object]) -> Option<AdaptationSet> {
    let thumbs = manifest.thumbs.as_ref()?;
    let largest = objects
        .iter()
        .filter(|object| object.path.as_str().starts_with("thumbs/") && object.path.extension() == "jpg")
        .map(|object| object.bytes)
        .max()?;
    let each = thumbs.per_sheet();
    let representation = Representation {
        id: "thumbs".to_owned(),
        bandwidth: (largest * 8_000).div_ceil(grid::SEGMENT_MS * u64::from(each)),
        codecs: None,
        video: Some(Video {
            width: thumbs.width * thumbs.columns,
            height: thumbs.height * thumbs.rows,
            rate: None,
        }),
        channels: None,
    };
    Some(AdaptationSet {
        id: THUMBS,
        content: Content::Storyboard(Storyboard { columns: thumbs.columns, rows: thumbs.rows }),
        segments: Segments::Template {
            initialization: None,
            media: "thumbs/$Number%05d$.jpg".to_owned(),
            each,
        },
        representations: vec![representation],
    })
}

fn texts(manifest: &Manifest) -> impl Iterator<Item = AdaptationSet> {
    (FIRST_TEXT..).zip(&manifest.subtitles).map(|(id, track)| {
        let language = track.language.to_string();
        let representation = Representation {
            id: format!("subs-{language}"),
            bandwidth: track.peak_bps,
            codecs: None,
            video: None,
            channels: None,
        };
        AdaptationSet {
            id: SetId(id),
            content: Content::Text { language, label: track.name.clone() },
            segments: Segments::Whole(layout::subtitles_whole(&track.language).to_string()),
            representations: vec![representation],
        }
    })
}

fn template(folder: &str) -> Segments {
    Segments::Template {
        initialization: Some(format!("{folder}$RepresentationID$/init.mp4")),
        media: format!("{folder}$RepresentationID$/$Number%05d$.m4s"),
        each: 1,
    }
}

fn reduced(numerator: u32, denominator: u32) -> (u32, u32) {
    let (mut a, mut b) = (numerator, denominator);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    let divisor = a.max(1);
    (numerator / divisor, denominator / divisor)
}

#[cfg(test)]
mod tests {
    use super::reduced;

    #[test]
    fn fractions_are_told_in_their_lowest_terms() {
        assert_eq!([reduced(30, 24), reduced(0, 24), reduced(120, 24)], [(5, 4), (0, 1), (5, 1)]);
    }
}
