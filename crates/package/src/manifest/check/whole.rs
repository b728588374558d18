//! Whether everything is there that playlists and papers will name.

use super::ManifestError;
use crate::layout::{self, Rendition, slide_time};
use crate::manifest::{Manifest, Thumbs};
use crate::path::ObjectPath;
use grid::SegmentCount;

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    let required = |path: ObjectPath| match manifest.object(path.as_str()) {
        Some(_) => Ok(()),
        None => Err(ManifestError::Missing(path)),
    };
    papers(manifest).into_iter().try_for_each(required)?;
    let numbers = || manifest.segments.numbers();
    for rendition in renditions(manifest) {
        required(rendition.init())?;
        numbers().try_for_each(|number| required(rendition.segment(number)))?;
    }
    for track in &manifest.subtitles {
        numbers().try_for_each(|number| required(layout::subtitles_segment(&track.language, number)))?;
        if !manifest.ts.is_empty() {
            let segment = |number| layout::ts_subtitles_segment(&track.language, number);
            numbers().try_for_each(|number| required(segment(number)))?;
        }
    }
    for rung in &manifest.ts {
        numbers().try_for_each(|number| required(layout::ts_segment(rung.slot, number)))?;
    }
    if let Some(thumbs) = &manifest.thumbs {
        (0..sheets(manifest.segments, thumbs)).try_for_each(|sheet| required(layout::thumbs_sheet(sheet)))?;
    }
    slides(manifest)
}

/// Those that have objects of their own.
fn renditions(manifest: &Manifest) -> impl Iterator<Item = Rendition> {
    let real = manifest.video.iter().filter(|rung| rung.alias_of.is_none());
    let video = real.map(|rung| Rendition::Video(rung.slot));
    let audio = manifest.audio.iter().map(|sound| Rendition::Audio(sound.slot));
    video.chain(audio).chain(manifest.trick.iter().map(|_| Rendition::Trick))
}

/// Playlists and what they name beside segments.
fn papers(manifest: &Manifest) -> Vec<ObjectPath> {
    let mut papers = vec![layout::main_playlist(), layout::audio_playlist()];
    // An alias has playlists of its own and nothing else.
    papers.extend(manifest.video.iter().map(|rung| Rendition::Video(rung.slot).playlist()));
    // Apple 6.1; the first edition had none.
    if manifest.format > 1 {
        papers.extend(manifest.video.iter().map(|rung| Rendition::Video(rung.slot).iframes()));
    }
    papers.extend(manifest.audio.iter().map(|sound| Rendition::Audio(sound.slot).playlist()));
    papers.extend(manifest.trick.iter().map(|_| Rendition::Trick.iframes()));
    for track in &manifest.subtitles {
        papers
            .extend([layout::subtitles_playlist(&track.language), layout::subtitles_whole(&track.language)]);
    }
    if manifest.chapters > 0 {
        papers.extend([layout::chapters(), layout::chapters_vtt()]);
    }
    papers.extend(manifest.thumbs.iter().map(|_| layout::thumbs()));
    if manifest.slides.is_some() {
        papers.extend([layout::slides(), layout::slides_vtt()]);
    }
    if !manifest.ts.is_empty() {
        papers.push(layout::ts_main_playlist());
        papers.extend(manifest.ts.iter().map(|rung| layout::ts_playlist(rung.slot)));
        papers.extend(manifest.ts.iter().map(|rung| layout::ts_iframes(rung.slot)));
        papers.extend(manifest.subtitles.iter().map(|track| layout::ts_subtitles_playlist(&track.language)));
    }
    if manifest.dash {
        papers.push(layout::dash());
    }
    papers.extend(manifest.bundle.map(|_| layout::bundle()));
    papers
}

/// Sheets of the storyboard.
fn sheets(SegmentCount(segments): SegmentCount, thumbs: &Thumbs) -> u32 {
    segments.div_ceil(thumbs.per_sheet().max(1))
}

/// As many pictures as are said to be there; a lesson without slides has none.
fn slides(manifest: &Manifest) -> Result<(), ManifestError> {
    let there = manifest.objects.iter().filter(|object| slide_time(&object.path).is_some()).count() as u64;
    let told = manifest.slides.as_ref().map_or(0, |slides| u64::from(slides.count));
    if there == told {
        Ok(())
    } else {
        Err(ManifestError::Section { section: "slides", what: "pictures", value: there })
    }
}
