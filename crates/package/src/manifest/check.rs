//! Whether a manifest is that of a whole package.

mod sections;
mod whole;

use super::{AudioRendition, FORMAT, Manifest, OLDEST_FORMAT, Object, VideoRung};
use crate::layout::{AudioSlot, BUNDLE, MANIFEST, SIGNATURES, Slot};
use crate::path::ObjectPath;
use grid::{FrameRate, SegmentCount};

/// The longest manifest read: 64 MiB, a day of twenty renditions.
pub const MAX_MANIFEST_BYTES: usize = 64 << 20;
/// The most objects in a package: twenty renditions of a day, and some papers.
pub const MAX_OBJECTS: usize = 400_000;
/// The largest object but the bundle: 64 MiB, 100 Mbit/s for a segment.
pub const MAX_OBJECT_BYTES: u64 = 64 << 20;
/// The largest bundle: 256 MiB, 45 minutes at 800 kbit/s. Publishing holds it in memory.
pub const MAX_BUNDLE_BYTES: u64 = 256 << 20;
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
    #[error("manifest format {0} is not known here; this release knows {OLDEST_FORMAT} to {FORMAT}")]
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
    /// The manifest can list neither itself nor what is signed under it.
    #[error("the manifest lists itself")]
    ListsItself,
    /// A section says something that cannot be.
    #[error("`{section}` cannot have {value} {what}")]
    Section {
        /// Which.
        section: &'static str,
        /// What is wrong in it.
        what: &'static str,
        /// Its value.
        value: u64,
    },
    /// A section names a rung that is not there with objects of its own.
    #[error("`{section}` needs {slot}, which is not there")]
    NoRung {
        /// Which.
        section: &'static str,
        /// The rung.
        slot: Slot,
    },
    /// Something a player will ask for is not there.
    #[error("`{0}` is missing")]
    Missing(ObjectPath),
}

pub(super) fn within(length: usize) -> Result<(), ManifestError> {
    if length > MAX_MANIFEST_BYTES { Err(ManifestError::TooLong(length)) } else { Ok(()) }
}

pub(super) fn check(manifest: &Manifest) -> Result<(), ManifestError> {
    if !(OLDEST_FORMAT..=FORMAT).contains(&manifest.format) {
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
    rungs(&manifest.video, &manifest.audio, manifest.frame_rate)?;
    sounds(&manifest.audio)?;
    sections::check(manifest)?;
    objects(&manifest.objects)?;
    whole::check(manifest)
}

fn rungs(video: &[VideoRung], audio: &[AudioRendition], rate: FrameRate) -> Result<(), ManifestError> {
    if video.is_empty() {
        return Err(ManifestError::NoVideo);
    }
    ordered(video.iter().map(|rung| rung.slot))?;
    for rung in video {
        let VideoRung { slot, width, height, .. } = *rung;
        if !is_picture(width, height) {
            return Err(ManifestError::Size { slot, width, height });
        }
        name(&rung.codecs)?;
        // A segment is a whole number of the pictures that are left.
        if rate.per_segment().checked_rem(rung.thinning) != Some(0) {
            let value = u64::from(rung.thinning);
            return Err(ManifestError::Section { section: slot.as_str(), what: "as its thinning", value });
        }
        if !audio.iter().any(|sound| sound.slot == rung.audio) {
            return Err(ManifestError::NoAudio { slot, audio: rung.audio });
        }
        if let Some(alias_of) = rung.alias_of {
            // Never of another format: who plays one may not play the other.
            let fits = alias_of < slot && alias_of.codec() == slot.codec();
            if !fits || !has(video, alias_of) {
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
        let most = if object.path.as_str() == BUNDLE { MAX_BUNDLE_BYTES } else { MAX_OBJECT_BYTES };
        if !(1..=most).contains(&object.bytes) {
            return Err(ManifestError::ObjectSize { path: object.path.clone(), bytes: object.bytes });
        }
        if object.path.media_type() != Some(object.media_type) {
            return Err(ManifestError::ObjectType(object.path.clone()));
        }
        if [MANIFEST, SIGNATURES].contains(&object.path.as_str()) {
            return Err(ManifestError::ListsItself);
        }
    }
    Ok(())
}

/// Whether the rung is there with objects of its own.
fn has(video: &[VideoRung], slot: Slot) -> bool {
    video.iter().any(|rung| rung.slot == slot && rung.alias_of.is_none())
}

fn is_picture(width: u32, height: u32) -> bool {
    (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height)
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
