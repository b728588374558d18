//! Whether what stands beside rungs and sounds makes sense.

use super::{ManifestError, has, is_picture, name, ordered};
use crate::layout::Slot;
use crate::manifest::{Manifest, Thumbs, Trick};

/// The most tracks of subtitles.
const MAX_SUBTITLES: usize = 32;
/// The most pictures side by side, or one above the other, on a sheet of the storyboard.
const MAX_SHEET_SIDE: u32 = 20;

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if let Some(trick) = &manifest.trick {
        self::trick(trick, manifest.frame_rate.per_segment())?;
    }
    if manifest.subtitles.len() > MAX_SUBTITLES {
        return Err(section("subtitles", "tracks", manifest.subtitles.len() as u64));
    }
    ordered(manifest.subtitles.iter().map(|track| &track.language))?;
    manifest.subtitles.iter().try_for_each(|track| name(&track.name))?;
    if let Some(thumbs) = &manifest.thumbs {
        self::thumbs(thumbs)?;
    }
    if let Some(slides) = &manifest.slides
        && slides.count == 0
    {
        return Err(section("slides", "pictures", 0));
    }
    ordered(manifest.ts.iter().map(|rung| rung.slot))?;
    for rung in &manifest.ts {
        if !Slot::TS.contains(&rung.slot) || !has(&manifest.video, rung.slot) {
            return Err(ManifestError::NoRung { section: "ts", slot: rung.slot });
        }
    }
    match manifest.bundle {
        Some(slot) if !has(&manifest.video, slot) => Err(ManifestError::NoRung { section: "bundle", slot }),
        _ => Ok(()),
    }
}

fn trick(trick: &Trick, pictures: u32) -> Result<(), ManifestError> {
    name(&trick.codecs)?;
    if !is_picture(trick.width, trick.height) {
        return Err(section("trick", "pixels in a row", u64::from(trick.width)));
    }
    if pictures.checked_rem(trick.per_segment) != Some(0) {
        return Err(section("trick", "pictures a segment", u64::from(trick.per_segment)));
    }
    Ok(())
}

fn thumbs(thumbs: &Thumbs) -> Result<(), ManifestError> {
    for (what, value) in [("columns", thumbs.columns), ("rows", thumbs.rows)] {
        if !(1..=MAX_SHEET_SIDE).contains(&value) {
            return Err(section("thumbs", what, u64::from(value)));
        }
    }
    if !is_picture(thumbs.width, thumbs.height) {
        return Err(section("thumbs", "pixels in a row", u64::from(thumbs.width)));
    }
    Ok(())
}

fn section(section: &'static str, what: &'static str, value: u64) -> ManifestError {
    ManifestError::Section { section, what, value }
}
