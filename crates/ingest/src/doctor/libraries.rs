//! Which libraries open and encode media in this program.

use crate::ffmpeg;
use serde::Serialize;

/// Versions of what is linked.
#[derive(Debug, Serialize)]
pub struct Libraries {
    /// As FFmpeg calls itself: `5.1.9-0+deb12u1`.
    pub ffmpeg: String,
    /// All of it that decides the encoded bytes.
    pub build: String,
    /// Of libx264, by its file's name: the number of its interface, `164`.
    pub x264: Option<String>,
    /// Of libSvtAv1Enc, by its file's name: `1.4.1`.
    pub svt_av1: Option<String>,
}

impl Libraries {
    /// Those of this process.
    pub fn linked() -> Self {
        let build = ffmpeg::build();
        let ffmpeg = build.split_whitespace().next().unwrap_or_default().to_owned();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let version = |library: &str| version_in(&maps, library);
        Self { ffmpeg, x264: version("libx264.so."), svt_av1: version("libSvtAv1Enc.so."), build }
    }
}

/// What follows the library's name in the path of the file that is mapped.
fn version_in(maps: &str, library: &str) -> Option<String> {
    let file =
        maps.lines().filter_map(|line| line.rsplit_once('/')).find(|(_, file)| file.starts_with(library));
    file.map(|(_, file)| file[library.len()..].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_from_the_file_that_is_mapped() {
        let maps =
            "7f0 r--p 0 fd:00 1 /usr/lib/libc.so.6\n7f1 r-xp 0 fd:00 2 /usr/lib/x/libSvtAv1Enc.so.1.4.1\n";
        assert_eq!(version_in(maps, "libSvtAv1Enc.so."), Some("1.4.1".to_owned()));
        assert_eq!(version_in(maps, "libx264.so."), None);
    }
}
