//! Packets into frames.

use super::{FfmpegError, Operation, Packet, Picture, Sound, Source};
use crate::accepted;
use ff::ffi;
use ffmpeg_next as ff;

/// What came of asking a decoder for a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// The frame is filled.
    Frame,
    /// It wants another packet first.
    Hungry,
    /// What it was given makes no sense; it goes on with the next packet.
    Damaged,
    /// It was told the end and has nothing left.
    End,
}

/// An opened decoder. The only one its stream ever gets: where a stream changes its codec on the way, the packets behind
/// are damage to this one, and no other decoder is made.
pub struct Decoder(ff::decoder::Opened);

impl Decoder {
    /// Opens the decoder for stream `index` of `source`, with `threads` threads (0: as many as there are cores).
    ///
    /// # Errors
    /// When the codec is not on the list of [`accepted`] or the stream's headers make no sense to it.
    pub fn open(source: &Source, index: usize, threads: usize) -> Result<Self, FfmpegError> {
        let name = source.streams().get(index).map_or("", |stream| stream.codec.as_str());
        if !accepted::is_video(name) && !accepted::is_audio(name) {
            return Err(FfmpegError::NotAccepted(name.to_owned()));
        }
        let operation = || Operation::OpenDecoder(name.to_owned());
        let parameters =
            source.parameters(index).ok_or_else(|| FfmpegError::Missing(format!("stream {index}")))?;
        let codec = ff::decoder::find_by_name(name).ok_or_else(|| FfmpegError::Missing(name.to_owned()))?;
        let mut context =
            ff::codec::Context::from_parameters(parameters).map_err(FfmpegError::of(operation()))?;
        context.set_threading(ff::threading::Config { count: threads, ..ff::threading::Config::default() });
        let (num, den) = source.streams()[index].time_base;
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(ff::Rational(num, den));
        #[expect(unsafe_code, reason = "fields without a setter in the wrapper")]
        // SAFETY: exclusive access to a context that is not open yet; plain fields are written.
        unsafe {
            let raw = decoder.as_mut_ptr();
            (*raw).max_pixels = i64::try_from(accepted::MAX_PIXELS).expect("a few million");
            // Threads by frame and by slice, whichever the codec can.
            (*raw).thread_type = ffi::FF_THREAD_FRAME | ffi::FF_THREAD_SLICE;
        }
        decoder.open_as(codec).map(Self).map_err(FfmpegError::of(operation()))
    }

    /// Gives a packet. `Damaged` when it makes no sense; the stream goes on behind it.
    ///
    /// # Errors
    /// When the decoder itself failed, not the packet.
    pub fn send(&mut self, packet: &Packet) -> Result<Received, FfmpegError> {
        // Every frame is taken out before the next packet goes in, so "full" cannot happen.
        self.0.send_packet(&packet.0).map(|()| Received::Hungry).or_else(damage)
    }

    /// Tells the end: what is inside comes out.
    ///
    /// # Errors
    /// When the decoder failed.
    pub fn finish(&mut self) -> Result<(), FfmpegError> {
        match self.0.send_eof() {
            Ok(()) | Err(ff::Error::Eof) => Ok(()),
            Err(error) => damage(error).map(|_| ()),
        }
    }

    /// Takes a picture out.
    ///
    /// # Errors
    /// When the decoder failed.
    pub fn picture(&mut self, picture: &mut Picture) -> Result<Received, FfmpegError> {
        self.0.receive_frame(&mut picture.0).map(|()| Received::Frame).or_else(damage)
    }

    /// Takes sound out.
    ///
    /// # Errors
    /// When the decoder failed.
    pub fn sound(&mut self, sound: &mut Sound) -> Result<Received, FfmpegError> {
        self.0.receive_frame(&mut sound.0).map(|()| Received::Frame).or_else(damage)
    }
}

/// Sorts a decoder's answers: states, faults of the data, faults of the machine.
fn damage(error: ff::Error) -> Result<Received, FfmpegError> {
    match error {
        ff::Error::Other { errno: ffi::EAGAIN } => Ok(Received::Hungry),
        ff::Error::Eof => Ok(Received::End),
        // Decoders use all of these for streams that make no sense; the oldest return a bare -1, which reads as EPERM.
        ff::Error::InvalidData
        | ff::Error::PatchWelcome
        | ff::Error::Bug
        | ff::Error::Unknown
        | ff::Error::Other { errno: ffi::EPERM | ffi::EINVAL | ffi::ERANGE | ffi::ENOSYS } => {
            Ok(Received::Damaged)
        }
        ff::Error::Other { errno } if is_frame_header(errno) => Ok(Received::Damaged),
        error => Err(FfmpegError::of(Operation::Decode)(error)),
    }
}

/// The numbers of FFmpeg's own for a header of an AAC or AC-3 frame that makes no sense (libavcodec/aac_ac3_parser.h: 1 is a missing
/// sync word, 3 the sample rate, 7 the channels). Some decoders give them on as they are.
fn is_frame_header(errno: i32) -> bool {
    matches!(errno >> 24, 1..=7) && errno & 0xff_ffff == 0x03_0c0a
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_decoder_answers_by_table() {
        for (code, expected) in [
            (ffi::AVERROR_EOF, Some(Received::End)),
            (-ffi::EAGAIN, Some(Received::Hungry)),
            (ffi::AVERROR_INVALIDDATA, Some(Received::Damaged)),
            (-ffi::EPERM, Some(Received::Damaged)),
            (-0x0103_0c0a, Some(Received::Damaged)),
            (-0x0303_0c0a, Some(Received::Damaged)),
            (-0x0703_0c0a, Some(Received::Damaged)),
            (-0x0803_0c0a, None),
            (-0x0003_0c0a, None),
            (-ffi::ENOMEM, None),
        ] {
            assert_eq!(damage(ff::Error::from(code)).ok(), expected, "{code:#x}");
        }
    }
}
