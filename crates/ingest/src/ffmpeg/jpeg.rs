//! One picture as a JPEG file.

use super::{Encoder, FfmpegError, Packet, Picture};
use ff::ffi;
use ffmpeg_next as ff;

/// `picture` as JPEG; it must be [`Picture::full_range`]. `quality`: 2 the best to 31 the worst.
///
/// An encoder for each picture, so that none depends on the one before: the same picture gives the same bytes.
///
/// # Errors
/// When FFmpeg has no JPEG encoder or refuses the picture.
pub fn jpeg(picture: &Picture, quality: u32) -> Result<Vec<u8>, FfmpegError> {
    let shape = picture.shape();
    let options = [("qmin", quality.to_string()), ("qmax", quality.to_string())];
    let options = options.map(|(name, value)| (name.to_owned(), value));
    let mut encoder = Encoder::open("mjpeg", &options, |raw| {
        raw.codec_type = ffi::AVMediaType::AVMEDIA_TYPE_VIDEO;
        raw.width = shape.width.cast_signed();
        raw.height = shape.height.cast_signed();
        raw.pix_fmt = ffi::AVPixelFormat::AV_PIX_FMT_YUVJ420P;
        raw.color_range = ffi::AVColorRange::AVCOL_RANGE_JPEG;
        raw.time_base = ffi::AVRational { num: 1, den: 1 };
        raw.sample_aspect_ratio = ffi::AVRational { num: 1, den: 1 };
        raw.thread_count = 1;
    })?;
    let mut shown = picture.share()?;
    shown.set_pts(0);
    encoder.send_picture(&shown)?;
    encoder.finish()?;
    let mut packet = Packet::empty();
    match encoder.receive(&mut packet)? {
        true => Ok(packet.data().to_vec()),
        false => Err(FfmpegError::Missing("JPEG of a picture".to_owned())),
    }
}
