//! What ingest has written, counted from the files and not from what it says.

use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// Rungs and renditions of a lesson that fills every slot, AV1 left out.
pub(super) const VIDEO: usize = 6;
/// AV1 rungs of such a lesson.
pub(super) const AV1: usize = 4;
pub(super) const AUDIO: usize = 2;
/// Every segment is this long.
pub(super) const SEGMENT_MS: u32 = 4_800;

/// A package as its playlists and files tell it.
#[derive(Debug, Default)]
pub(super) struct Package {
    pub(super) video: usize,
    pub(super) audio: usize,
    pub(super) fewest: usize,
    pub(super) most: usize,
    /// Segments of another length than [`SEGMENT_MS`].
    pub(super) odd: usize,
    /// Bytes of all segments of H.264 pictures.
    pub(super) h264_bytes: u64,
}

impl Package {
    /// What the H.264 rungs take together, in kbit/s, containers included.
    pub(super) fn h264_kbps(&self) -> f64 {
        self.h264_bytes as f64 * 8.0 / (self.most as f64 * f64::from(SEGMENT_MS))
    }
}

/// Reads the one package of `store`.
///
/// # Errors
/// No package, or a playlist that names a segment which is not there.
pub(super) fn read(store: &Path) -> Result<Package> {
    let packages = directories(&store.join("p"))?;
    let [root] = packages.as_slice() else { anyhow::bail!("{} packages instead of one", packages.len()) };
    let mut package = Package { fewest: usize::MAX, ..Package::default() };
    for track in directories(root)?.into_iter().filter(|track| is_media(track)) {
        let tracks = if track.ends_with("audio") { directories(&track)? } else { vec![track.clone()] };
        for directory in &tracks {
            let (durations, bytes) =
                read_track(directory).with_context(|| directory.display().to_string())?;
            if name(directory).starts_with('s') {
                package.h264_bytes += bytes;
            }
            package.fewest = package.fewest.min(durations.len());
            package.most = package.most.max(durations.len());
            package.odd += durations.iter().filter(|&&duration| duration != SEGMENT_MS).count();
        }
        let found = tracks.len();
        *(if track.ends_with("audio") { &mut package.audio } else { &mut package.video }) += found;
    }
    Ok(package)
}

/// Rungs and sound; what else a package holds is not counted here.
fn is_media(track: &Path) -> bool {
    let name = name(track);
    let is_rung = |name: &str| name.len() == 2 && name.ends_with(|c: char| c.is_ascii_digit());
    name == "audio" || (name.starts_with(['s', 'a']) && is_rung(name))
}

fn name(track: &Path) -> &str {
    track.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn directories(of: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(of).with_context(|| format!("cannot read {}", of.display()))?;
    let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    Ok(paths.into_iter().filter(|path| path.is_dir()).collect())
}

/// Durations in ms of a track's segments, each of which is there and not empty, and their bytes together.
fn read_track(directory: &Path) -> Result<(Vec<u32>, u64)> {
    let playlist = std::fs::read_to_string(directory.join("index.m3u8")).context("no playlist")?;
    let (mut durations, mut all) = (Vec::new(), 0);
    for (duration, uri) in segments(&playlist)? {
        let bytes = std::fs::metadata(directory.join(uri)).with_context(|| uri.to_owned())?.len();
        ensure!(bytes > 0, "{uri} is empty");
        durations.push(duration);
        all += bytes;
    }
    Ok((durations, all))
}

/// Durations in ms and names, in order.
fn segments(playlist: &str) -> Result<Vec<(u32, &str)>> {
    let mut duration = None;
    let mut segments = Vec::new();
    for line in playlist.lines() {
        if let Some(stated) = line.strip_prefix("#EXTINF:") {
            duration = Some(milliseconds(stated).with_context(|| format!("`{line}` has no duration"))?);
        } else if !line.is_empty() && !line.starts_with('#') {
            segments.push((duration.take().context("a segment without a duration")?, line));
        }
    }
    Ok(segments)
}

/// `4.800,title` in ms, without rounding.
fn milliseconds(stated: &str) -> Option<u32> {
    let number = stated.split(',').next()?;
    let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 3 {
        return None;
    }
    let thousandths: u32 = format!("{fraction:0<3}").parse().ok()?;
    seconds.parse::<u32>().ok()?.checked_mul(1_000)?.checked_add(thousandths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_without_rounding() {
        for (stated, ms) in [
            ("4.800,", Some(4_800)),
            ("4.8", Some(4_800)),
            ("4,", Some(4_000)),
            ("4.800000,x", Some(4_800)),
            ("4.8001,", None),
            ("x,", None),
        ] {
            assert_eq!(milliseconds(stated), ms, "{stated}");
        }
    }

    #[test]
    fn a_playlist_is_its_segments() {
        let playlist =
            "#EXTM3U\n#EXT-X-MAP:URI=\"init.mp4\"\n#EXTINF:4.800,\n00000.m4s\n#EXTINF:4.8,\n00001.m4s\n";
        assert_eq!(segments(playlist).unwrap(), [(4_800, "00000.m4s"), (4_800, "00001.m4s")]);
        assert!(segments("00000.m4s\n").is_err());
    }
}
