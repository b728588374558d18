//! Decoded pictures and sound. Samples are shared by reference count and read-only once shared.

use super::{FfmpegError, Operation};
use crate::title::glance::Luma;
use ff::ffi;
use ffmpeg_next as ff;

/// How a picture's numbers mean colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour {
    /// 0–255 instead of 16–235.
    pub full_range: bool,
    /// Matrix coefficients as ITU-T H.273 numbers them: 1 is BT.709, 5 and 6 are BT.601, 9 is BT.2020, 2 is not told.
    pub matrix: i32,
    /// Transfer characteristics as H.273 numbers them: 16 is PQ, 18 is HLG.
    pub transfer: i32,
    /// Colour primaries as H.273 numbers them.
    pub primaries: i32,
}

impl Colour {
    /// PQ or HLG: brighter than a television of the BT.709 kind can show.
    pub fn is_high_dynamic_range(self) -> bool {
        matches!(self.transfer, 16 | 18)
    }
}

/// All that a filter graph has to know about the pictures it will get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PictureShape {
    /// Columns of samples.
    pub width: u32,
    /// Rows of samples.
    pub height: u32,
    /// FFmpeg's number of the sample format.
    pub format: i32,
    /// Width of a sample over its height, never zero.
    pub sample_aspect: (i32, i32),
    /// Two fields instead of one picture.
    pub interlaced: bool,
    /// Meaning of the numbers.
    pub colour: Colour,
}

/// One picture.
pub struct Picture(pub(super) ff::frame::Video);

impl Picture {
    /// A frame without samples, to be filled.
    pub fn empty() -> Self {
        Self(ff::frame::Video::empty())
    }

    /// A black-and-undefined 4:2:0 picture of our own, to be drawn on.
    pub fn planar(width: u32, height: u32) -> Self {
        Self(ff::frame::Video::new(ff::format::Pixel::YUV420P, width, height))
    }

    /// A picture of our own in the numbers of JPEG, 4:2:0 and all 256 of them, to be drawn on.
    pub fn full_range(width: u32, height: u32) -> Self {
        Self(ff::frame::Video::new(ff::format::Pixel::YUVJ420P, width, height))
    }

    /// The same samples under a second owner, with its own time stamp. No pixel is copied.
    ///
    /// # Errors
    /// When memory runs out.
    pub fn share(&self) -> Result<Self, FfmpegError> {
        let mut copy = Self::empty();
        #[expect(unsafe_code, reason = "the crate's clone copies pixels; av_frame_ref does not")]
        // SAFETY: both frames are valid for the call; `copy` is empty, as av_frame_ref requires.
        let code = unsafe { ffi::av_frame_ref(copy.0.as_mut_ptr(), self.0.as_ptr()) };
        FfmpegError::check(code, || Operation::Allocate)?;
        Ok(copy)
    }

    /// The time stamp, in whatever ticks the neighbours agreed on.
    pub fn pts(&self) -> Option<i64> {
        self.0.pts()
    }

    /// Sets the time stamp.
    pub fn set_pts(&mut self, pts: i64) {
        self.0.set_pts(Some(pts));
    }

    /// The decoder's best guess of the time stamp, in the stream's time base.
    pub fn decoded_at(&self) -> Option<i64> {
        self.0.timestamp()
    }

    /// How long the container says it is shown, in the stream's time base; 0 if it does not say.
    pub fn shown_for(&self) -> i64 {
        self.0.packet().duration.max(0)
    }

    /// The decoder had to guess a part of it.
    pub fn is_damaged(&self) -> bool {
        self.0.is_corrupt() || self.0.has_decode_errors()
    }

    /// What it looks like.
    pub fn shape(&self) -> PictureShape {
        #[expect(unsafe_code, reason = "fields the wrapper lacks or turns into closed enums")]
        // SAFETY: the frame is valid while `self` lives. The colour fields come from the file and are read as the
        // C integers they are: as Rust enums, a number FFmpeg let through would be undefined behaviour.
        let (format, aspect, [range, matrix, transfer, primaries]) = unsafe {
            let raw = self.0.as_ptr();
            let colour = [
                (&raw const (*raw).color_range).cast::<i32>().read(),
                (&raw const (*raw).colorspace).cast::<i32>().read(),
                (&raw const (*raw).color_trc).cast::<i32>().read(),
                (&raw const (*raw).color_primaries).cast::<i32>().read(),
            ];
            ((*raw).format, (*raw).sample_aspect_ratio, colour)
        };
        let full_range = range == ffi::AVColorRange::AVCOL_RANGE_JPEG as i32 || is_jpeg_format(format);
        PictureShape {
            width: self.0.width(),
            height: self.0.height(),
            format,
            sample_aspect: if aspect.num > 0 && aspect.den > 0 { (aspect.num, aspect.den) } else { (1, 1) },
            interlaced: self.0.is_interlaced(),
            colour: Colour { full_range, matrix, transfer, primaries },
        }
    }

    /// Tags the numbers as BT.709, limited range, square samples, progressive: what every rung is.
    pub fn tag_as_published(&mut self) {
        #[expect(unsafe_code, reason = "fields without a setter in the wrapper")]
        // SAFETY: exclusive access to a valid frame; plain fields are written. They belong to this reference
        // alone: samples are shared, the AVFrame is not.
        unsafe {
            let raw = self.0.as_mut_ptr();
            (*raw).color_range = ffi::AVColorRange::AVCOL_RANGE_MPEG;
            (*raw).colorspace = ffi::AVColorSpace::AVCOL_SPC_BT709;
            (*raw).color_trc = ffi::AVColorTransferCharacteristic::AVCOL_TRC_BT709;
            (*raw).color_primaries = ffi::AVColorPrimaries::AVCOL_PRI_BT709;
            (*raw).chroma_location = ffi::AVChromaLocation::AVCHROMA_LOC_LEFT;
            (*raw).sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
            (*raw).interlaced_frame = 0;
            // The encoder decides; a type carried over from the source would force its I pictures on us.
            (*raw).pict_type = ffi::AVPictureType::AV_PICTURE_TYPE_NONE;
        }
    }

    /// Where its brightness lies: that of the first component, red where there is no brightness. `None` for formats
    /// without samples in memory of their own (palettes, bit streams).
    pub fn luma(&self) -> Option<Luma<'_>> {
        #[expect(unsafe_code, reason = "the wrapper has no components of pixel formats")]
        // SAFETY: the format is a number of this FFmpeg's own, which av_pix_fmt_desc_get checks; descriptions are
        // static.
        let (component, flags) = unsafe {
            let format = (*self.0.as_ptr()).format;
            let known = std::mem::transmute::<i32, ffi::AVPixelFormat>(format);
            let description = ffi::av_pix_fmt_desc_get(known);
            if format < 0 || description.is_null() {
                return None;
            }
            ((*description).comp[0], (*description).flags)
        };
        let odd = ffi::AV_PIX_FMT_FLAG_PAL
            | ffi::AV_PIX_FMT_FLAG_BITSTREAM
            | ffi::AV_PIX_FMT_FLAG_HWACCEL
            | ffi::AV_PIX_FMT_FLAG_BE
            | ffi::AV_PIX_FMT_FLAG_FLOAT;
        if flags & u64::try_from(odd).unwrap_or(0) != 0 {
            return None;
        }
        let field = |value: i32| usize::try_from(value).ok();
        let (bytes, stride) = self.plane(field(component.plane)?);
        Some(Luma {
            bytes,
            stride,
            step: field(component.step)?,
            offset: field(component.offset)?,
            depth: u32::try_from(component.depth).ok()?,
            shift: u32::try_from(component.shift).ok()?,
            width: self.0.width() as usize,
            height: self.0.height() as usize,
        })
    }

    /// The samples of one plane and the distance between its rows, to read.
    pub fn plane(&self, index: usize) -> (&[u8], usize) {
        (self.0.data(index), self.0.stride(index))
    }

    /// The samples of one plane and the distance between its rows, to draw on.
    ///
    /// # Errors
    /// When the samples are shared and there is no memory for a copy.
    pub fn plane_mut(&mut self, index: usize) -> Result<(&mut [u8], usize), FfmpegError> {
        #[expect(unsafe_code, reason = "no wrapper for av_frame_make_writable")]
        // SAFETY: exclusive access to a valid frame.
        let code = unsafe { ffi::av_frame_make_writable(self.0.as_mut_ptr()) };
        FfmpegError::check(code, || Operation::Allocate)?;
        let stride = self.0.stride(index);
        Ok((self.0.data_mut(index), stride))
    }
}

/// The old names for full-range 4:2:0, 4:2:2, 4:4:4 that some decoders still use.
fn is_jpeg_format(format: i32) -> bool {
    [
        ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P,
        ffi::AVPixelFormat::AV_PIX_FMT_YUVJ422P,
        ffi::AVPixelFormat::AV_PIX_FMT_YUVJ444P,
        ffi::AVPixelFormat::AV_PIX_FMT_YUVJ440P,
    ]
    .iter()
    .any(|&jpeg| jpeg as i32 == format)
}

/// All that a filter graph has to know about the sound it will get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SoundShape {
    /// Samples a second.
    pub rate: u32,
    /// FFmpeg's number of the sample format.
    pub format: i32,
    /// Channels.
    pub channels: u32,
    /// Which loudspeakers, as FFmpeg's bit mask; 0 if the stream does not say.
    pub layout: u64,
}

/// A run of samples.
pub struct Sound(pub(super) ff::frame::Audio);

impl Sound {
    /// A frame without samples, to be filled.
    pub fn empty() -> Self {
        Self(ff::frame::Audio::empty())
    }

    /// Silence at 48 kHz in the encoder's format (planar float).
    pub fn silence(samples: usize, channels: u32) -> Self {
        let layout = if channels == 1 { ff::ChannelLayout::MONO } else { ff::ChannelLayout::STEREO };
        let mut frame =
            ff::frame::Audio::new(ff::format::Sample::F32(ff::format::sample::Type::Planar), samples, layout);
        frame.set_rate(grid::AUDIO_RATE);
        for channel in 0..frame.planes() {
            frame.plane_mut::<f32>(channel).fill(0.0);
        }
        Self(frame)
    }

    /// Samples a channel.
    pub fn samples(&self) -> usize {
        self.0.samples()
    }

    /// One channel of planar float sound.
    pub fn channel(&self, index: usize) -> &[f32] {
        self.0.plane::<f32>(index)
    }

    /// One channel of planar float sound, to write.
    pub fn channel_mut(&mut self, index: usize) -> &mut [f32] {
        self.0.plane_mut::<f32>(index)
    }

    /// The time stamp, in whatever ticks the neighbours agreed on.
    pub fn pts(&self) -> Option<i64> {
        self.0.pts()
    }

    /// Sets the time stamp.
    pub fn set_pts(&mut self, pts: i64) {
        self.0.set_pts(Some(pts));
    }

    /// The decoder's best guess of the time stamp, in the stream's time base.
    pub fn decoded_at(&self) -> Option<i64> {
        self.0.timestamp()
    }

    /// What it sounds like, technically.
    pub fn shape(&self) -> SoundShape {
        #[expect(unsafe_code, reason = "fields the wrapper turns into closed enums")]
        // SAFETY: the frame is valid while `self` lives; plain integers are read.
        let (rate, format, channels) = unsafe {
            let raw = self.0.as_ptr();
            ((*raw).sample_rate, (*raw).format, (*raw).ch_layout.nb_channels)
        };
        SoundShape {
            rate: rate.max(0).cast_unsigned(),
            format,
            channels: channels.max(0).cast_unsigned(),
            layout: self.0.channel_layout().bits(),
        }
    }
}
