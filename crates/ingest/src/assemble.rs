//! The papers of a package: playlists and manifest, from what was measured.

use crate::plan::Plan;
use crate::spool::{Spool, Written};
use faults::{Blame, Fault};
use grid::{SEGMENT_MS, SegmentCount, SegmentNumber, TARGET_DURATION_S};
use hls::bitrate::{Measured, SegmentSize, combined, measure};
use hls::{MediaPlaylist, MultivariantPlaylist, Resolution, Variant};
use package::manifest::{AudioRendition, ManifestError, Object, Recipe, Source, VideoRung};
use package::{AudioSlot, Manifest, MediaType, ObjectPath, Rendition, Sealed, Slot, layout};
use std::collections::BTreeMap;
use storage::StoreError;

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
}

/// Why pieces are no package.
#[derive(Debug, thiserror::Error)]
pub enum AssembleError {
    /// A paper could not be written.
    #[error(transparent)]
    Write(#[from] StoreError),
    /// The manifest would not be that of a whole package.
    #[error("the package is not whole: {0}; this is a fault of the ingest, please report it with the file")]
    Manifest(#[from] ManifestError),
    /// A rung's peak is above what cellular networks are promised.
    #[error(
        "s0 with its sound takes {0} bit/s, more than 192,000 (Apple 9.21); lower its maxrate or buffer in the ladder"
    )]
    SmallestTooLarge(u64),
}

impl Fault for AssembleError {
    fn code(&self) -> &'static str {
        match self {
            Self::Write(error) => error.code(),
            Self::Manifest(_) => "MEDIA_NONCONFORMANT",
            Self::SmallestTooLarge(_) => "LADDER_S0_TOO_LARGE",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Write(error) => error.blame(),
            Self::SmallestTooLarge(_) => Blame::Input,
            Self::Manifest(_) => Blame::Ours,
        }
    }
}

/// Apple 9.21: over cellular there must be a variant of at most this.
const CELLULAR_BPS: u64 = 192_000;
/// What is spoken where nobody says otherwise; EXT-X-MEDIA needs one (Apple 8.10).
const LANGUAGE: &str = package::lesson::DEFAULT_LANGUAGE;

impl Pieces {
    /// An init section was written.
    pub fn init(&mut self, rendition: Rendition, codecs: String, written: Written) {
        self.renditions.entry(rendition).or_default().codecs = codecs;
        self.object(rendition.init(), MediaType::Mp4, written);
    }

    /// A segment was written.
    pub fn segment(&mut self, rendition: Rendition, number: SegmentNumber, written: Written) {
        let size = SegmentSize { bytes: written.bytes, duration_ms: SEGMENT_MS };
        self.renditions.entry(rendition).or_default().sizes.push(size);
        self.object(rendition.segment(number), MediaType::Segment, written);
    }

    /// Segments of all renditions so far.
    pub fn segments(&self) -> u64 {
        self.renditions.values().map(|made| made.sizes.len() as u64).sum()
    }

    fn object(&mut self, path: ObjectPath, media_type: MediaType, written: Written) {
        self.objects.push(Object { path, bytes: written.bytes, sha256: written.sha256, media_type });
    }

    /// Writes the playlists into `spool` and seals the manifest.
    ///
    /// # Errors
    /// When the disk fails, or something is missing.
    pub fn seal(
        mut self,
        plan: &Plan,
        segments: SegmentCount,
        recipe: Recipe,
        source: Source,
        spool: &Spool<'_>,
    ) -> Result<Sealed, AssembleError> {
        let video = self.rungs(plan);
        let audio: Vec<AudioRendition> = plan.sounds.iter().map(|rung| self.sound(rung.slot)).collect();
        let main = main_playlist(&video, &audio, plan);
        if let Some(smallest) = main.variants.iter().map(|variant| variant.bandwidth).min()
            && smallest > CELLULAR_BPS
        {
            return Err(AssembleError::SmallestTooLarge(smallest));
        }
        let mut papers = vec![
            (layout::main_playlist(), main.render()),
            (layout::audio_playlist(), audio_playlist(&audio).render()),
        ];
        for rung in &video {
            let prefix = rung.alias_of.map_or_else(String::new, |real| format!("../{real}/"));
            papers.push((Rendition::Video(rung.slot).playlist(), media_playlist(segments, &prefix).render()));
        }
        for rendition in &audio {
            papers.push((Rendition::Audio(rendition.slot).playlist(), media_playlist(segments, "").render()));
        }
        for (path, text) in papers {
            let written = spool.write(&path, text.into_bytes())?;
            self.object(path, MediaType::Playlist, written);
        }
        let objects = self.objects;
        let manifest =
            Manifest { video, audio, objects, ..Manifest::new(recipe, source, segments, plan.timing.rate) };
        Ok(manifest.seal()?)
    }

    fn rungs(&self, plan: &Plan) -> Vec<VideoRung> {
        let rung = |slot: Slot, real: Slot| {
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
                thinning: 1,
                spending: None,
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

    fn measured(&self, rendition: Rendition) -> Measured {
        self.renditions
            .get(&rendition)
            .map_or_else(Measured::default, |made| measure(&made.sizes, TARGET_DURATION_S))
    }

    fn codecs(&self, rendition: Rendition) -> String {
        self.renditions.get(&rendition).map_or_else(String::new, |made| made.codecs.clone())
    }
}

fn media_playlist(segments: SegmentCount, prefix: &str) -> MediaPlaylist {
    let uris = segments.numbers().map(|number| format!("{prefix}{}", layout::segment_name(number)));
    MediaPlaylist::lesson(format!("{prefix}init.mp4"), uris)
}

/// Distinct rungs only: an alias would offer the same bits twice.
///
/// The rung nearest to 730 kbit/s comes first, where many players start (Apple 1.32b); the others follow upwards.
fn main_playlist(video: &[VideoRung], audio: &[AudioRendition], plan: &Plan) -> MultivariantPlaylist {
    let mut variants: Vec<Variant> = video
        .iter()
        .filter(|rung| rung.alias_of.is_none())
        .filter_map(|rung| {
            let sound = audio.iter().find(|sound| sound.slot == rung.audio)?;
            let both = combined([
                Measured { peak_bps: rung.peak_bps, average_bps: rung.average_bps },
                Measured { peak_bps: sound.peak_bps, average_bps: sound.average_bps },
            ]);
            Some(Variant {
                uri: Rendition::Video(rung.slot).playlist().to_string(),
                bandwidth: both.peak_bps,
                average_bandwidth: Some(both.average_bps),
                codecs: Some(format!("{},{}", rung.codecs, sound.codecs)),
                resolution: Some(Resolution { width: rung.width, height: rung.height }),
                frame_rate: Some(plan.timing.rate.into()),
                audio_group: Some(sound.slot.to_string()),
                ..Variant::default()
            })
        })
        .collect();
    const START_BPS: u64 = 730_000;
    if let Some(start) =
        (0..variants.len()).min_by_key(|&place| variants[place].bandwidth.abs_diff(START_BPS))
    {
        variants[..=start].rotate_right(1);
    }
    // Only sound that a variant plays: a group nobody refers to is one more thing for a player to stumble on.
    let used = |sound: &&AudioRendition| {
        variants.iter().any(|variant| variant.audio_group.as_deref() == Some(sound.slot.as_str()))
    };
    let renditions = audio.iter().filter(used).map(sound_rendition).collect();
    MultivariantPlaylist::new(variants, renditions)
}

fn sound_rendition(sound: &AudioRendition) -> hls::Rendition {
    hls::Rendition {
        type_: hls::MediaType::Audio,
        group: sound.slot.to_string(),
        // The same name in both groups: it is the same sound, and a player must find it again when it changes rungs.
        name: "中文".to_owned(),
        language: Some(LANGUAGE.to_owned()),
        channels: Some(sound.channels),
        default: true,
        autoselect: true,
        uri: Some(Rendition::Audio(sound.slot).playlist().to_string()),
    }
}

/// Sound alone, as variants of a playlist of its own: the main one must not offer it (Apple 9.20 tvOS).
fn audio_playlist(audio: &[AudioRendition]) -> MultivariantPlaylist {
    let variants = audio.iter().map(|sound| Variant {
        uri: Rendition::Audio(sound.slot).playlist().to_string(),
        bandwidth: sound.peak_bps,
        average_bandwidth: Some(sound.average_bps),
        codecs: Some(sound.codecs.clone()),
        ..Variant::default()
    });
    MultivariantPlaylist::new(variants.collect(), Vec::new())
}
