//! Clips, made by the `ffmpeg` tool.

use std::path::{Path, PathBuf};
use std::process::Command;

/// A folder for one test, gone when dropped.
pub(crate) struct Bench(tempfile::TempDir);

impl Bench {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Makes `name` with `ffmpeg`, options as in a shell (quotes are not needed: no option here holds a space).
    pub(crate) fn clip(&self, name: &str, options: &str) -> PathBuf {
        let path = self.path(name);
        ffmpeg(options.split_whitespace().chain([path.to_str().unwrap()]));
        path
    }

    /// Pictures with a bit of sound, quickly encoded.
    pub(crate) fn plain(&self, name: &str, seconds: u32) -> PathBuf {
        self.clip(name, &format!("{} {} {H264} {AAC}", pictures("320x180", 25, seconds), tone(seconds)))
    }
}

/// Fast H.264.
pub(crate) const H264: &str = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p";
/// Usual sound.
pub(crate) const AAC: &str = "-c:a aac";

/// Moving pictures.
pub(crate) fn pictures(size: &str, rate: impl std::fmt::Display, seconds: impl std::fmt::Display) -> String {
    format!("-f lavfi -i testsrc2=s={size}:r={rate}:d={seconds}")
}

/// A tone.
pub(crate) fn tone(seconds: impl std::fmt::Display) -> String {
    format!("-f lavfi -i sine=f=440:r=48000:d={seconds}")
}

/// Runs `ffmpeg`, which must succeed.
pub(crate) fn ffmpeg<'a>(options: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let output =
        Command::new("ffmpeg").args(["-nostdin", "-v", "error", "-y"]).args(options).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// Runs `ffprobe` for `entries` of the first stream of `kind`, as `key=value` lines.
pub(crate) fn ffprobe(path: &Path, kind: &str, entries: &str) -> String {
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-count_packets", "-count_frames", "-select_streams", kind])
        .args(["-show_entries", &format!("stream={entries}"), "-of", "default=nw=1"])
        .arg(path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
