//! Golden playlists, the round trip, and a second opinion.

mod golden;
mod refused;
mod round_trip;

use crate::*;

fn lesson() -> MultivariantPlaylist {
    let variant = |slot: &str, bandwidth, average, width, height, group: &str| Variant {
        uri: format!("{slot}/index.m3u8"),
        bandwidth,
        average_bandwidth: Some(average),
        codecs: Some("avc1.64001f,mp4a.40.2".to_owned()),
        resolution: Some(Resolution { width, height }),
        frame_rate: Some(grid::FrameRate::Fps25.into()),
        audio_group: Some(group.to_owned()),
        ..Variant::default()
    };
    let rendition = |group: &str, channels| Rendition {
        type_: MediaType::Audio,
        group: group.to_owned(),
        name: "普通话".to_owned(),
        language: Some("zh-CN".to_owned()),
        channels: Some(channels),
        default: true,
        autoselect: true,
        uri: Some(format!("audio/{group}/index.m3u8")),
    };
    MultivariantPlaylist::new(
        vec![variant("s2", 712_000, 310_400, 640, 360, "hi"), variant("s0", 188_000, 96_000, 256, 144, "lo")],
        vec![rendition("hi", 2), rendition("lo", 1)],
    )
}
