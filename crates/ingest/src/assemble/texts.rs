//! Papers of text: subtitles, chapters, the storyboard, slides.

use super::AssembleError;
use super::desk::Desk;
use crate::papers::Papers;
use grid::{SEGMENT_MS, TARGET_DURATION_S};
use hls::MediaPlaylist;
use hls::bitrate::{SegmentSize, measure};
use package::manifest::{Slides, Subtitles, Thumbs};
use package::{Manifest, layout};
use serde::Serialize;
use std::fmt::Write;
use subtitles::{Track, chapters_json, chapters_vtt, webvtt};

/// Media times beside fMP4 begin at 0.
const MPEGTS_OF_FMP4: u64 = 0;

/// Writes what there is and says so in `manifest`.
pub(super) fn write(
    manifest: &mut Manifest,
    papers: &Papers,
    desk: &mut Desk<'_>,
) -> Result<(), AssembleError> {
    for track in &papers.subtitles {
        manifest.subtitles.push(subtitles(manifest, track, desk)?);
    }
    let lesson_ms = manifest.duration_ms();
    let within = papers.chapters.iter().filter(|chapter| chapter.start_ms < lesson_ms).count();
    if within > 0 {
        let json = chapters_json(&papers.chapters, &papers.language, lesson_ms);
        desk.write(layout::chapters(), json)?;
        desk.write(layout::chapters_vtt(), chapters_vtt(&papers.chapters, lesson_ms))?;
        manifest.chapters = u32::try_from(within).unwrap_or(u32::MAX);
    }
    if desk.holds(&layout::thumbs_sheet(0)) {
        desk.write(layout::thumbs(), storyboard(manifest, &Thumbs::LESSON))?;
        manifest.thumbs = Some(Thumbs::LESSON);
    }
    slides(manifest, desk)
}

fn subtitles(manifest: &Manifest, track: &Track, desk: &mut Desk<'_>) -> Result<Subtitles, AssembleError> {
    let language = &track.language;
    let mut sizes = Vec::new();
    let segments = webvtt::segments(track, manifest.segments, MPEGTS_OF_FMP4);
    for (number, text) in manifest.segments.numbers().zip(segments) {
        let bytes = desk.write(layout::subtitles_segment(language, number), text)?;
        sizes.push(SegmentSize { bytes, duration_ms: SEGMENT_MS });
    }
    let uris = manifest.segments.numbers().map(layout::subtitles_segment_name);
    desk.write(
        layout::subtitles_playlist(language),
        MediaPlaylist::lesson_without_map(uris, false).render(),
    )?;
    desk.write(layout::subtitles_whole(language), webvtt::whole(track))?;
    let peak_bps = measure(&sizes, TARGET_DURATION_S).peak_bps;
    Ok(Subtitles { language: language.clone(), name: track.name.clone(), peak_bps })
}

/// Which part of which sheet shows which segment (a convention of players: W3C media fragments in WebVTT).
fn storyboard(manifest: &Manifest, sheet: &Thumbs) -> String {
    webvtt::of_cues(manifest.segments.numbers().map(|number| {
        let place = number.0 % sheet.per_sheet();
        let (column, row) = (place % sheet.columns, place / sheet.columns);
        let path = layout::thumbs_sheet(number.0 / sheet.per_sheet());
        let name = path.as_str().rsplit('/').next().unwrap_or_default();
        let (x, y) = (column * sheet.width, row * sheet.height);
        let start_ms = u64::from(number.0) * SEGMENT_MS;
        let picture = format!("{name}#xywh={x},{y},{},{}", sheet.width, sheet.height);
        (start_ms, start_ms + SEGMENT_MS, picture)
    }))
}

/// A slide, as `slides.json` lists it.
#[derive(Serialize)]
struct Slide<'a> {
    at_ms: u64,
    image: &'a str,
}

/// Slides and sound are the form for the weakest networks: the pictures that the desk holds, and `audio.m3u8`.
fn slides(manifest: &mut Manifest, desk: &mut Desk<'_>) -> Result<(), AssembleError> {
    let slides = desk.slides();
    if slides.is_empty() {
        return Ok(());
    }
    let mut json = "[".to_owned();
    let mut cues = Vec::new();
    for (place, (at_ms, path)) in slides.iter().enumerate() {
        let image = path.as_str().rsplit('/').next().unwrap_or_default();
        let slide = serde_json::to_string(&Slide { at_ms: *at_ms, image }).expect("a number and a string");
        write!(json, "{}\n{slide}", if place == 0 { "" } else { "," }).expect("a String takes all");
        let end_ms = slides.get(place + 1).map_or(manifest.duration_ms(), |(next, _)| *next);
        cues.push((*at_ms, end_ms.max(at_ms + 1), image.to_owned()));
    }
    json.push_str("\n]\n");
    desk.write(layout::slides(), json)?;
    desk.write(layout::slides_vtt(), webvtt::of_cues(cues))?;
    manifest.slides = Some(Slides { count: u32::try_from(slides.len()).unwrap_or(u32::MAX) });
    Ok(())
}
