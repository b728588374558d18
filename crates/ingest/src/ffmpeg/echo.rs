//! What a player will see of what an encoder makes: its packets, decoded again.

use super::{Encoder, FfmpegError, Operation, Packet, Picture};
use ff::ffi;
use ffmpeg_next as ff;

/// A decoder of our own making, for our own packets only.
pub struct Echo(ff::decoder::Opened);

impl Echo {
    /// A decoder for what `encoder` makes.
    ///
    /// # Errors
    /// When FFmpeg has none.
    pub fn of(encoder: &Encoder) -> Result<Self, FfmpegError> {
        let name = match encoder.0.id() {
            // FFmpeg's own AV1 decoder needs a graphics card.
            ff::codec::Id::AV1 => "libdav1d",
            _ => "h264",
        };
        let operation = || Operation::OpenDecoder(name.to_owned());
        let codec = ff::decoder::find_by_name(name).ok_or_else(|| FfmpegError::Missing(name.to_owned()))?;
        let mut parameters = ff::codec::Parameters::new();
        #[expect(unsafe_code, reason = "the wrapper makes parameters of its own encoder types only")]
        // SAFETY: both are valid for the call; the encoder is open, so its fields are set.
        let code =
            unsafe { ffi::avcodec_parameters_from_context(parameters.as_mut_ptr(), encoder.0.as_ptr()) };
        FfmpegError::check(code, operation)?;
        let mut context =
            ff::codec::Context::from_parameters(parameters).map_err(FfmpegError::of(operation()))?;
        context.set_threading(ff::threading::Config { count: 1, ..ff::threading::Config::default() });
        let (num, den) = (encoder.0.time_base().numerator(), encoder.0.time_base().denominator());
        let mut decoder = context.decoder();
        decoder.set_packet_time_base(ff::Rational(num, den));
        decoder.open_as(codec).map(Self).map_err(FfmpegError::of(operation()))
    }

    /// Gives a packet; all pictures before it were taken out.
    ///
    /// # Errors
    /// When it cannot be decoded: the encoder made nonsense.
    pub fn send(&mut self, packet: &Packet) -> Result<(), FfmpegError> {
        self.0.send_packet(&packet.0).map_err(FfmpegError::of(Operation::Decode))
    }

    /// Tells the end: what is inside comes out.
    ///
    /// # Errors
    /// As for a packet.
    pub fn finish(&mut self) -> Result<(), FfmpegError> {
        self.0.send_eof().map_err(FfmpegError::of(Operation::Decode))
    }

    /// Takes a picture out, if there is one.
    ///
    /// # Errors
    /// As for a packet.
    pub fn receive(&mut self) -> Result<Option<Picture>, FfmpegError> {
        let mut picture = Picture::empty();
        match self.0.receive_frame(&mut picture.0) {
            Ok(()) => Ok(Some(picture)),
            Err(ff::Error::Eof | ff::Error::Other { errno: ffi::EAGAIN }) => Ok(None),
            Err(error) => Err(FfmpegError::of(Operation::Decode)(error)),
        }
    }
}
