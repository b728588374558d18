//! Frames into packets.

use super::{FfmpegError, Operation, Picture, Sound};
use ff::ffi;
use ff::packet::Ref as _;
use ffmpeg_next as ff;
use package::Codec;
use serde::{Deserialize, Serialize};
use std::ptr;

/// A coded picture or a run of coded sound.
pub struct Packet(pub(super) ff::Packet);

impl Packet {
    /// Without data, to be filled.
    pub fn empty() -> Self {
        Self(ff::Packet::empty())
    }

    /// Lets go of the data. Reading and receiving overwrite a packet without freeing what it held.
    pub fn clear(&mut self) {
        self.0 = ff::Packet::empty();
    }

    /// What it carries; nothing for an empty one.
    pub fn data(&self) -> &[u8] {
        self.0.data().unwrap_or_default()
    }

    /// When it is shown, in the time base of whoever made it.
    pub fn pts(&self) -> Option<i64> {
        self.0.pts()
    }

    /// When it is decoded, in the same ticks.
    pub fn dts(&self) -> Option<i64> {
        self.0.dts()
    }

    /// How long it lasts, in the same ticks; 0 if unknown.
    pub fn duration(&self) -> i64 {
        self.0.duration()
    }

    /// Nothing before it is needed to decode it.
    pub fn is_key(&self) -> bool {
        self.0.is_key()
    }

    /// Moves both time stamps by `ticks`.
    pub fn shift(&mut self, ticks: i64) {
        self.0.set_pts(self.0.pts().map(|pts| pts.saturating_add(ticks)));
        self.0.set_dts(self.0.dts().map(|dts| dts.saturating_add(ticks)));
    }

    /// SVT-AV1 packs every temporal unit to end with a shown frame, so its packets are decoded in the order they are
    /// shown; the decode times it tells are early by its pyramid, which would become composition offsets for nothing.
    fn decode_when_shown(&mut self) {
        self.0.set_dts(self.0.pts());
    }

    /// Sets how long it lasts.
    pub fn set_duration(&mut self, ticks: i64) {
        self.0.set_duration(ticks);
    }

    /// Bytes of coded data.
    pub fn bytes(&self) -> usize {
        self.0.size()
    }
}

/// What a rung's encoder is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VideoSettings {
    /// Which encoder: libx264 or libsvtav1.
    pub codec: Codec,
    /// Columns of samples.
    pub width: u32,
    /// Rows of samples.
    pub height: u32,
    /// Pictures a second, of which every [`Self::thinning`]th is encoded.
    pub rate: u32,
    /// 1: all pictures. 4: every fourth, each shown four times as long; time stamps then count four pictures a tick.
    pub thinning: u32,
    /// Encoded pictures from one key picture to the next.
    pub gop: u32,
    /// Threads inside the encoder. Part of the recipe: x264's bytes change with it.
    pub threads: u32,
    /// Everything else, by the encoder's names in FFmpeg.
    pub options: Vec<(String, String)>,
}

/// What a sound encoder is opened with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioSettings {
    /// 1 or 2.
    pub channels: u32,
    /// Bits a second.
    pub bits_per_second: u64,
}

/// An opened encoder.
pub struct Encoder(pub(super) ff::codec::Context);

impl Encoder {
    /// Pictures as `settings` say, key pictures exactly where they say: a GOP needs nothing before or behind it.
    ///
    /// # Errors
    /// When an option is unknown or its value impossible.
    pub fn video(settings: &VideoSettings) -> Result<Self, FfmpegError> {
        match settings.codec {
            Codec::H264 => Self::h264(settings),
            Codec::Av1 => Self::av1(settings),
        }
    }

    /// H.264 by libx264.
    ///
    /// # Errors
    /// As for [`Self::video`].
    pub fn h264(settings: &VideoSettings) -> Result<Self, FfmpegError> {
        Self::open("libx264", &settings.options, |raw| {
            describe(raw, settings);
            raw.thread_count = settings.threads.cast_signed();
        })
    }

    /// AV1 by libsvtav1, 8 bits.
    fn av1(settings: &VideoSettings) -> Result<Self, FfmpegError> {
        Self::open("libsvtav1", &settings.options, |raw| {
            describe(raw, settings);
            // A key frame that resets everything at every GOP, no "forward" one that is shown later.
            raw.flags |= ffi::AV_CODEC_FLAG_CLOSED_GOP.cast_signed();
            // Its own parameters come in one string; FFmpeg only warns of those it does not know unless told to fail.
            raw.err_recognition |= ffi::AV_EF_EXPLODE;
        })
    }

    /// AAC-LC at 48 kHz by FFmpeg's own encoder, which takes planar float in frames of 1,024 samples.
    ///
    /// # Errors
    /// When FFmpeg lacks it or refuses the rate.
    pub fn aac(settings: &AudioSettings) -> Result<Self, FfmpegError> {
        Self::open("aac", &[], |raw| {
            raw.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_AUDIO;
            raw.sample_rate = grid::AUDIO_RATE.cast_signed();
            raw.sample_fmt = ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP;
            raw.time_base = ffi::AVRational { num: 1, den: grid::AUDIO_RATE.cast_signed() };
            raw.bit_rate = settings.bits_per_second.cast_signed();
            raw.profile = ffi::FF_PROFILE_AAC_LOW;
            raw.thread_count = 1;
            #[expect(unsafe_code, reason = "channel layouts have no wrapper before FFmpeg 7")]
            // SAFETY: `raw` is a fresh context whose layout is empty; the default layouts own no memory.
            unsafe {
                ffi::av_channel_layout_default(&raw mut raw.ch_layout, settings.channels.cast_signed());
            }
        })
    }

    /// Opens by hand: the wrapper's `open_with` drops the options that nobody took, and a typo would change the
    /// picture in silence.
    pub(super) fn open(
        name: &str,
        options: &[(String, String)],
        configure: impl FnOnce(&mut ffi::AVCodecContext),
    ) -> Result<Self, FfmpegError> {
        let operation = || Operation::OpenEncoder(name.to_owned());
        let codec =
            ff::encoder::find_by_name(name).ok_or_else(|| FfmpegError::Missing(format!("encoder {name}")))?;
        let mut context = ff::codec::Context::new_with_codec(codec);
        let dictionary: ff::Dictionary =
            options.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
        #[expect(unsafe_code, reason = "avcodec_open2 with its leftover options")]
        // SAFETY: a fresh context of our own making, not open yet, so its fields may be set and hold valid enums.
        // The dictionary is taken over as a raw pointer and given back to an owner that frees it.
        let leftover = unsafe {
            let raw = context.as_mut_ptr();
            if raw.is_null() {
                return Err(FfmpegError::of(Operation::Allocate)(ff::Error::Other { errno: ffi::ENOMEM }));
            }
            configure(&mut *raw);
            // Parameter sets into the sample entry (avc1, mp4a), and no build strings in the stream.
            (*raw).flags |= (ffi::AV_CODEC_FLAG_GLOBAL_HEADER | ffi::AV_CODEC_FLAG_BITEXACT).cast_signed();
            let mut options = dictionary.disown();
            let code = ffi::avcodec_open2(raw, ptr::null(), &raw mut options);
            let leftover = ff::Dictionary::own(options);
            FfmpegError::check(code, operation)?;
            leftover
        };
        match leftover.iter().next() {
            None => Ok(Self(context)),
            Some((option, _)) => {
                Err(FfmpegError::UnusedOption { operation: operation(), option: option.to_owned() })
            }
        }
    }

    /// Gives a picture.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn send_picture(&mut self, picture: &Picture) -> Result<(), FfmpegError> {
        self.send(&picture.0)
    }

    /// Gives sound.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn send_sound(&mut self, sound: &Sound) -> Result<(), FfmpegError> {
        self.send(&sound.0)
    }

    fn send(&mut self, frame: &ff::Frame) -> Result<(), FfmpegError> {
        #[expect(unsafe_code, reason = "the wrapper's encoder types cannot be made from an opened context")]
        // SAFETY: the context is open and exclusively ours; the frame is valid for the call.
        let code = unsafe { ffi::avcodec_send_frame(self.0.as_mut_ptr(), frame.as_ptr()) };
        FfmpegError::check(code, || Operation::Encode).map(|_| ())
    }

    /// Tells the end: what is inside comes out.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn finish(&mut self) -> Result<(), FfmpegError> {
        #[expect(unsafe_code, reason = "as for send")]
        // SAFETY: the context is open and exclusively ours; a null frame means the end.
        let code = unsafe { ffi::avcodec_send_frame(self.0.as_mut_ptr(), ptr::null()) };
        FfmpegError::check(code, || Operation::Encode).map(|_| ())
    }

    /// Takes a packet out, if there is one.
    ///
    /// # Errors
    /// When the encoder fails.
    pub fn receive(&mut self, packet: &mut Packet) -> Result<bool, FfmpegError> {
        use ff::packet::Mut as _;
        #[expect(unsafe_code, reason = "as for send")]
        // SAFETY: the context is open and exclusively ours; avcodec_receive_packet frees what the packet held.
        let code = unsafe { ffi::avcodec_receive_packet(self.0.as_mut_ptr(), packet.0.as_mut_ptr()) };
        match code {
            0 => {
                if self.0.id() == ff::codec::Id::AV1 {
                    packet.decode_when_shown();
                }
                Ok(true)
            }
            _ if code == ff::ffi::AVERROR(ffi::EAGAIN) || code == ffi::AVERROR_EOF => Ok(false),
            code => Err(FfmpegError::of(Operation::Encode)(ff::Error::from(code))),
        }
    }
}

/// What is said of pictures whatever their codec: size, time, BT.709 in limited range.
fn describe(raw: &mut ffi::AVCodecContext, settings: &VideoSettings) {
    let (thinning, rate) = (settings.thinning.max(1).cast_signed(), settings.rate.cast_signed());
    raw.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
    raw.width = settings.width.cast_signed();
    raw.height = settings.height.cast_signed();
    raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUV420P;
    raw.time_base = ffi::AVRational { num: thinning, den: rate };
    raw.framerate = ffi::AVRational { num: rate, den: thinning };
    raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
    raw.gop_size = settings.gop.cast_signed();
    raw.color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
    raw.colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
    raw.color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
    raw.color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
    raw.chroma_sample_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
}

impl Packet {
    pub(super) fn raw(&self) -> *const ffi::AVPacket {
        self.0.as_ptr()
    }
}
