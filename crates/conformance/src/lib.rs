//! Whether what is published meets the rules: a second opinion that shares no code with what writes packages.
//!
//! ```text
//! fetch ─► read ─────────────► check ─────────────────────────────────► report
//! HTTP,    m3u8, boxes,        multivariant → playlists → segments       findings by the
//! folder,  H.264, AV1, AAC,    → run (one after the other) → across      rule's number
//! staged   TS, WebVTT, MPD     (variants) → rates → papers → live
//! ```
//!
//! [`rule`] is the registry of all rules. The gate of the ingest and `airclass check` run the same [`check`].

mod check;
mod fetch;
mod read;
mod report;
pub mod rule;

pub use check::{Options, Unreadable, check, check_package};
pub use fetch::{Answer, Ask, Bearer, Exchange, Fetch, FetchError, Folder, Http, HttpOptions, Staged};
pub use report::{Finding, Report, Volume};
pub use rule::{Rule, Severity};
pub use url::Url;

/// What bytes can be read as, for fuzzing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A playlist.
    Playlist,
    /// An init section.
    Init,
    /// A CMAF segment.
    Segment,
    /// A transport stream.
    Transport,
    /// An AV1 sample.
    Av1,
    /// WebVTT.
    Text,
    /// A DASH manifest.
    Mpd,
    /// A JPEG picture.
    Jpeg,
}

/// Whether `bytes` can be read as `reader` says. Never panics, whatever they are.
pub fn reads(reader: Reader, bytes: &[u8]) -> bool {
    let text = || String::from_utf8_lossy(bytes);
    match reader {
        Reader::Playlist => read::m3u8::read(&text()).has_header,
        Reader::Init => read::init::read(bytes).is_ok(),
        Reader::Segment => read::fragment::read(bytes, &read::init::Init::default()).is_ok_and(|segment| {
            let mut sets = read::h264::Sets::default();
            segment.mdats.iter().all(|mdat| {
                let nals = read::h264::prefixed(bytes.get(mdat.clone()).unwrap_or_default(), 4);
                nals.is_ok_and(|nals| read::slice::picture(&nals, &mut sets).is_ok())
            })
        }),
        Reader::Transport => read::ts::read(bytes).is_ok(),
        Reader::Av1 => read::av1::sample(bytes, false).is_ok(),
        Reader::Text => read::webvtt::read(&text()).has_signature,
        Reader::Mpd => read::mpd::read(&text()).is_ok(),
        Reader::Jpeg => read::jpeg::size(bytes).is_ok(),
    }
}
