//! The closed lists: what a lesson file may be made of.
//!
//! FFmpeg has over 500 decoders and 300 demuxers, most of them for formats no camera or screen recorder writes, and
//! its worst holes were in those (MagicYUV, XBIN, TTY, playlists that open other files). So only what teachers'
//! devices write is let in; FFmpeg gets the lists when it probes, and we look again before a decoder is made.

/// Demuxer of the MP4 family, by every name FFmpeg gives it.
const MP4: &str = "mov,mp4,m4a,3gp,3g2,mj2";
/// The other demuxers.
const OTHERS: &str = "matroska,webm,mpegts";

/// Demuxers for a file that begins with these bytes, as FFmpeg's list of names. Either those of the MP4 family, whose boxes
/// have been looked at before, or the others.
pub fn containers(start: &[u8]) -> &'static str {
    if crate::prescan::is_mp4(start) { MP4 } else { OTHERS }
}

/// Decoders of pictures.
pub const VIDEO_DECODERS: [&str; 9] =
    ["h264", "hevc", "mpeg2video", "mpeg1video", "mpeg4", "vp8", "vp9", "libdav1d", "prores"];

/// Decoders of sound.
pub const AUDIO_DECODERS: [&str; 20] = [
    "aac",
    "aac_latm",
    "mp3float",
    "mp3",
    "mp2float",
    "mp2",
    "ac3",
    "eac3",
    "opus",
    "vorbis",
    "flac",
    "alac",
    "pcm_s16le",
    "pcm_s16be",
    "pcm_s24le",
    "pcm_s24be",
    "pcm_s32le",
    "pcm_f32le",
    "pcm_alaw",
    "pcm_mulaw",
];

/// Streams in one file: pictures, sounds and subtitles of a few languages, what cameras add.
pub const MAX_STREAMS: usize = 16;
/// Samples in one picture: 4096 × 2160, the largest a lesson can use and a quarter of what would hurt.
pub const MAX_PIXELS: u64 = 8_847_360;
/// A lesson is about 20 minutes; six hours is a mistake, or an attack on the encoder's time.
pub const MAX_SECONDS: u64 = 6 * 3_600;

/// All decoders.
pub fn decoders() -> impl Iterator<Item = &'static str> {
    VIDEO_DECODERS.into_iter().chain(AUDIO_DECODERS)
}

/// Whether pictures may be decoded by `decoder`.
pub fn is_video(decoder: &str) -> bool {
    VIDEO_DECODERS.contains(&decoder)
}

/// Whether sound may be decoded by `decoder`.
pub fn is_audio(decoder: &str) -> bool {
    AUDIO_DECODERS.contains(&decoder)
}
