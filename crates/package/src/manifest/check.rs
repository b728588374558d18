//! Whether a manifest is that of a whole package.

use super::{AudioRendition, FORMAT, Manifest, Object, VideoRung};
use crate::layout::{AudioSlot, MANIFEST, Rendition, Slot, audio_playlist, main_playlist};
use crate::path::ObjectPath;
use grid::SegmentCount;

/// The longest manifest read: 32 MiB, a day of eight renditions.
pub const MAX_MANIFEST_BYTES: usize = 32 << 20;
/// The most objects in a package: eight renditions of a day, and some papers.
pub const MAX_OBJECTS: usize = 150_000;
/// The largest object: 64 MiB, 100 Mbit/s for a segment.
pub const MAX_OBJECT_BYTES: u64 = 64 << 20;
/// The longest lesson: a day.
const MAX_SEGMENTS: u32 = 18_000;
/// The longest side of a picture.
const MAX_SIDE: u32 = 8_192;
/// The longest name of a codec, recipe or build.
const MAX_NAME: usize = 512;

/// Why something is no manifest of a whole package.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// Longer than [`MAX_MANIFEST_BYTES`].
    #[error("a manifest of {0} bytes is longer than {MAX_MANIFEST_BYTES}")]
    TooLong(usize),
    /// Not JSON, or not of the right shape.
    #[error("not a manifest: {0}")]
    Json(#[from] serde_json::Error),
    /// Of another edition.
    #[error("manifest format {0} is not known here; this release knows {FORMAT}")]
    Format(u32),
    /// Another segment length than the grid's.
    #[error("segments of {0} ms are not on the grid of {ms} ms", ms = grid::SEGMENT_MS)]
    Grid(u64),
    /// None, or more than a day.
    #[error("{0} segments: a package has 1 to {MAX_SEGMENTS}")]
    Segments(u32),
    /// No rung at all.
    #[error("no rung of pictures")]
    NoVideo,
    /// A rung or sound is out of order or there twice.
    #[error("`{0}` is there twice or out of order")]
    Order(String),
    /// A rung's picture has no size, or an absurd one.
    #[error("a picture of {width}x{height} in {slot}")]
    Size {
        /// Where.
        slot: Slot,
        /// Pixels.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// A name that is empty, too long, or could not stand in a playlist.
    #[error("`{0}` cannot be a name")]
    Name(String),
    /// The sound of a rung is not in the package.
    #[error("{slot} needs the sound `{audio}`, which is not there")]
    NoAudio {
        /// The rung.
        slot: Slot,
        /// What it needs.
        audio: AudioSlot,
    },
    /// An alias that points up, to itself, to nothing, or to another alias.
    #[error("{slot} cannot be an alias of {alias_of}")]
    Alias {
        /// The alias.
        slot: Slot,
        /// What it points to.
        alias_of: Slot,
    },
    /// More than [`MAX_OBJECTS`].
    #[error("{0} objects are more than {MAX_OBJECTS}")]
    TooManyObjects(usize),
    /// An object has no byte or more than [`MAX_OBJECT_BYTES`].
    #[error("`{path}` cannot have {bytes} bytes")]
    ObjectSize {
        /// Which.
        path: ObjectPath,
        /// What it claims.
        bytes: u64,
    },
    /// An object's type is not what its name says.
    #[error("`{0}` is of a type its name does not say")]
    ObjectType(ObjectPath),
    /// The manifest cannot list itself.
    #[error("the manifest lists itself")]
    ListsItself,
    /// Something a player will ask for is not there.
    #[error("`{0}` is missing")]
    Missing(ObjectPath),
}

pub(super) fn within(length: usize) -> Result<(), ManifestError> {
    if length > MAX_MANIFEST_BYTES { Err(ManifestError::TooLong(length)) } else { Ok(()) }
}

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if manifest.format != FORMAT {
        return Err(ManifestError::Format(manifest.format));
    }
    if manifest.segment_ms != grid::SEGMENT_MS {
        return Err(ManifestError::Grid(manifest.segment_ms));
    }
    let SegmentCount(segments) = manifest.segments;
    if !(1..=MAX_SEGMENTS).contains(&segments) {
        return Err(ManifestError::Segments(segments));
    }
    name(&manifest.recipe.name)?;
    name(&manifest.recipe.ffmpeg)?;
    rungs(&manifest.video, &manifest.audio)?;
    sounds(&manifest.audio)?;
    objects(&manifest.objects)?;
    whole(manifest)
}

fn rungs(video: &[VideoRung], audio: &[AudioRendition]) -> Result<(), ManifestError> {
    if video.is_empty() {
        return Err(ManifestError::NoVideo);
    }
    ordered(video.iter().map(|rung| rung.slot))?;
    for rung in video {
        let VideoRung { slot, width, height, .. } = *rung;
        if !(1..=MAX_SIDE).contains(&width) || !(1..=MAX_SIDE).contains(&height) {
            return Err(ManifestError::Size { slot, width, height });
        }
        name(&rung.codecs)?;
        if !audio.iter().any(|sound| sound.slot == rung.audio) {
            return Err(ManifestError::NoAudio { slot, audio: rung.audio });
        }
        if let Some(alias_of) = rung.alias_of {
            let real = |other: &VideoRung| other.slot == alias_of && other.alias_of.is_none();
            if alias_of >= slot || !video.iter().any(real) {
                return Err(ManifestError::Alias { slot, alias_of });
            }
        }
    }
    Ok(())
}

fn sounds(audio: &[AudioRendition]) -> Result<(), ManifestError> {
    ordered(audio.iter().map(|sound| sound.slot))?;
    audio.iter().try_for_each(|sound| name(&sound.codecs))
}

fn objects(objects: &[Object]) -> Result<(), ManifestError> {
    if objects.len() > MAX_OBJECTS {
        return Err(ManifestError::TooManyObjects(objects.len()));
    }
    ordered(objects.iter().map(|object| &object.path))?;
    for object in objects {
        if !(1..=MAX_OBJECT_BYTES).contains(&object.bytes) {
            return Err(ManifestError::ObjectSize { path: object.path.clone(), bytes: object.bytes });
        }
        if object.path.media_type() != Some(object.media_type) {
            return Err(ManifestError::ObjectType(object.path.clone()));
        }
        if object.path.as_str() == MANIFEST {
            return Err(ManifestError::ListsItself);
        }
    }
    Ok(())
}

/// Whether everything is there that the playlists will name.
fn whole(manifest: &Manifest) -> Result<(), ManifestError> {
    let required = |path: ObjectPath| match manifest.object(path.as_str()) {
        Some(_) => Ok(()),
        None => Err(ManifestError::Missing(path)),
    };
    required(main_playlist())?;
    required(audio_playlist())?;
    let real = manifest.video.iter().filter(|rung| rung.alias_of.is_none());
    let video = real.map(|rung| Rendition::Video(rung.slot));
    let audio = manifest.audio.iter().map(|sound| Rendition::Audio(sound.slot));
    for rendition in video.chain(audio) {
        required(rendition.init())?;
        manifest.segments.numbers().try_for_each(|number| required(rendition.segment(number)))?;
    }
    // An alias has a playlist of its own and nothing else.
    let playlists = manifest.video.iter().map(|rung| Rendition::Video(rung.slot));
    let audio = manifest.audio.iter().map(|sound| Rendition::Audio(sound.slot));
    playlists.chain(audio).try_for_each(|rendition| required(rendition.playlist()))
}

fn ordered<T: Ord + ToString>(items: impl Iterator<Item = T>) -> Result<(), ManifestError> {
    let mut previous: Option<T> = None;
    for item in items {
        if previous.as_ref().is_some_and(|previous| *previous >= item) {
            return Err(ManifestError::Order(item.to_string()));
        }
        previous = Some(item);
    }
    Ok(())
}

fn name(text: &str) -> Result<(), ManifestError> {
    let fits = (1..=MAX_NAME).contains(&text.len()) && !text.chars().any(|c| c.is_control() || c == '"');
    if fits { Ok(()) } else { Err(ManifestError::Name(text.chars().take(40).collect())) }
}
