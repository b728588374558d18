//! The papers of a package: playlists and manifest, from what was measured.
//!
//! ```text
//! pieces ─▶ media playlists, I-frame playlists ─▶ subtitles, chapters, storyboard, slides
//!                 ─▶ multivariant playlists, MPD ─▶ MPEG-TS ─▶ bundle ─▶ manifest
//! ```
//!
//! Media comes in as [`Pieces`], each already written; what is written here is text.

mod bundle;
mod dash;
mod desk;
mod error;
mod main_playlist;
mod media_playlist;
mod report;
mod texts;
mod transport;

pub use error::AssembleError;
pub use report::report;

use crate::cmaf::{Init, Media, Still};
use crate::papers::Papers;
use crate::plan::{Plan, Rung};
use crate::spool::{Spool, Written};
use crate::title;
use desk::Desk;
use grid::{SEGMENT_MS, SegmentCount, SegmentNumber, TARGET_DURATION_S};
use hls::bitrate::{Measured, SegmentSize, measure};
use package::manifest::{AudioRendition, Object, Recipe, Source, Trick, VideoRung};
use package::{AudioSlot, Manifest, ObjectPath, Rendition, Sealed, Slot, layout};
use std::collections::BTreeMap;

/// What has arrived of a package so far.
#[derive(Debug, Default)]
pub struct Pieces {
    objects: Vec<Object>,
    renditions: BTreeMap<Rendition, Made>,
}

#[derive(Debug, Default)]
struct Made {
    codecs: String,
    sizes: Vec<SegmentSize>,
    /// Of each segment.
    stills: Vec<Vec<Still>>,
}

/// Apple 9.21: over cellular there must be a variant of at most this.
const CELLULAR_BPS: u64 = 192_000;

impl Pieces {
    /// An init section was written.
    pub fn init(&mut self, rendition: Rendition, codecs: String, written: Written) {
        self.renditions.entry(rendition).or_default().codecs = codecs;
        self.object(rendition.init(), written);
    }

    /// A segment was written; those of a rendition come in order. `stills`: pictures in it that can be decoded by
    /// themselves; none in sound.
    pub fn segment(
        &mut self,
        rendition: Rendition,
        number: SegmentNumber,
        stills: &[Still],
        written: Written,
    ) {
        let made = self.renditions.entry(rendition).or_default();
        made.sizes.push(SegmentSize { bytes: written.bytes, duration_ms: SEGMENT_MS });
        made.stills.push(stills.to_vec());
        self.object(rendition.segment(number), written);
    }

    /// Anything else was written: a sheet of the storyboard, a slide, the report.
    pub fn object(&mut self, path: ObjectPath, written: Written) {
        self.objects.extend(desk::entry(path, written));
    }

    /// Segments of all renditions so far.
    pub fn segments(&self) -> u64 {
        self.renditions.values().map(|made| made.sizes.len() as u64).sum()
    }

    /// Writes the papers into `spool` and seals the manifest.
    ///
    /// # Errors
    /// When the store fails, or something is missing.
    pub fn seal(
        mut self,
        plan: &Plan,
        segments: SegmentCount,
        recipe: Recipe,
        source: Source,
        papers: &Papers,
        spool: &Spool<'_>,
    ) -> Result<Sealed, AssembleError> {
        let mut manifest = Manifest::new(recipe, source, segments, plan.timing.rate);
        let mut desk = Desk::new(spool, std::mem::take(&mut self.objects));
        manifest.video = self.rungs(plan);
        manifest.audio = plan.sounds.iter().map(|rung| self.sound(rung.slot)).collect();
        manifest.trick = self.trick(&desk)?;
        let stills = self.media_playlists(&manifest, &mut desk)?;
        texts::write(&mut manifest, papers, &mut desk)?;
        let main = main_playlist::main(&manifest, &stills, &papers.language);
        if let Some(smallest) = main.variants.iter().map(|variant| variant.bandwidth).min()
            && smallest > CELLULAR_BPS
        {
            return Err(AssembleError::SmallestTooLarge(smallest));
        }
        desk.write(layout::main_playlist(), main.render())?;
        desk.write(layout::audio_playlist(), main_playlist::audio_only(&manifest).render())?;
        let presentation = dash::presentation(&manifest, desk.listed(), &papers.language);
        desk.write(layout::dash(), presentation.render())?;
        manifest.dash = true;
        transport::write(&mut manifest, papers, &main, &mut desk)?;
        bundle::write(&mut manifest, &main, &mut desk)?;
        manifest.objects = desk.objects();
        Ok(manifest.seal()?)
    }

    /// Media and I-frame playlists of everything; what single pictures of each rendition take.
    fn media_playlists(
        &self,
        manifest: &Manifest,
        desk: &mut Desk<'_>,
    ) -> Result<BTreeMap<Rendition, Measured>, AssembleError> {
        let segments = manifest.segments;
        let mut measured = BTreeMap::new();
        for rung in &manifest.video {
            let rendition = Rendition::Video(rung.slot);
            let real = Rendition::Video(rung.alias_of.unwrap_or(rung.slot));
            let prefix = if real == rendition { String::new() } else { format!("../{real}/") };
            desk.write(rendition.playlist(), media_playlist::lesson(segments, &prefix).render())?;
            let (pictures, sizes) = media_playlist::iframes(real, self.stills(real), &prefix)?;
            desk.write(rendition.iframes(), pictures.render())?;
            measured.insert(rendition, measure(&sizes, TARGET_DURATION_S));
        }
        for sound in &manifest.audio {
            let rendition = Rendition::Audio(sound.slot);
            desk.write(rendition.playlist(), media_playlist::lesson(segments, "").render())?;
        }
        if manifest.trick.is_some() {
            let (pictures, _) = media_playlist::iframes(Rendition::Trick, self.stills(Rendition::Trick), "")?;
            desk.write(Rendition::Trick.iframes(), pictures.render())?;
        }
        Ok(measured)
    }

    fn rungs(&self, plan: &Plan) -> Vec<VideoRung> {
        let rung = |slot: Slot, real: Slot| {
            let thinning = plan.rung(real).map_or(1, Rung::thinning);
            let measured = self.measured(Rendition::Video(real));
            VideoRung {
                slot,
                width: real.width(),
                height: real.height(),
                codecs: self.codecs(Rendition::Video(real)),
                peak_bps: measured.peak_bps,
                average_bps: measured.average_bps,
                audio: real.audio(),
                alias_of: (slot != real).then_some(real),
                thinning,
                spending: title::spending(plan, real),
            }
        };
        let real = plan.rungs.iter().map(|made| rung(made.slot, made.slot));
        let mut rungs: Vec<_> =
            real.chain(plan.aliases.iter().map(|&(slot, real)| rung(slot, real))).collect();
        rungs.sort_by_key(|rung| rung.slot);
        rungs
    }

    fn sound(&self, slot: AudioSlot) -> AudioRendition {
        let measured = self.measured(Rendition::Audio(slot));
        AudioRendition {
            slot,
            codecs: self.codecs(Rendition::Audio(slot)),
            channels: slot.channels(),
            peak_bps: measured.peak_bps,
            average_bps: measured.average_bps,
        }
    }

    /// The dense I-frame rendition, when it was made.
    fn trick(&self, desk: &Desk<'_>) -> Result<Option<Trick>, AssembleError> {
        let Some(made) = self.renditions.get(&Rendition::Trick) else { return Ok(None) };
        let path = Rendition::Trick.init();
        let Ok(Init { media: Media::Video { width, height }, .. }) = Init::parse(&desk.read(&path)?) else {
            return Err(AssembleError::Unreadable(path));
        };
        let per_segment = made.stills.first().map_or(0, Vec::len);
        let (_, sizes) = media_playlist::iframes(Rendition::Trick, &made.stills, "")?;
        let measured = measure(&sizes, TARGET_DURATION_S);
        Ok(Some(Trick {
            codecs: made.codecs.clone(),
            width: width.into(),
            height: height.into(),
            per_segment: u32::try_from(per_segment).unwrap_or(u32::MAX),
            peak_bps: measured.peak_bps,
            average_bps: measured.average_bps,
        }))
    }

    fn measured(&self, rendition: Rendition) -> Measured {
        self.renditions
            .get(&rendition)
            .map_or_else(Measured::default, |made| measure(&made.sizes, TARGET_DURATION_S))
    }

    fn codecs(&self, rendition: Rendition) -> String {
        self.renditions.get(&rendition).map_or_else(String::new, |made| made.codecs.clone())
    }

    fn stills(&self, rendition: Rendition) -> &[Vec<Still>] {
        self.renditions.get(&rendition).map_or(&[], |made| &made.stills)
    }
}
