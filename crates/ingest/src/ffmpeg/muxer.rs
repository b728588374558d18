//! Packets into CMAF: an init section and one movie fragment for each flush, into memory.

use super::{Encoder, FfmpegError, Operation, Packet};
use ff::ffi;
use ffmpeg_next as ff;
use std::io::{self, Write};
use std::ptr;
use std::sync::{Arc, Mutex, PoisonError};

/// FFmpeg's muxer for one track.
///
/// `cmaf` gives an init section without edit lists, `trun` version 1 with signed composition offsets, and the
/// brands; `frag_custom` cuts nowhere but where [`Muxer::cut`] is called; `skip_trailer` writes no index.
pub struct Muxer {
    output: ff::format::context::Output,
    written: Written,
    time_base: ff::Rational,
}

/// What the muxer has written and nobody has taken yet. At most one segment and the init section.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Muxer {
    /// A muxer for what `encoder` makes, its track counting `timescale` ticks a second.
    ///
    /// # Errors
    /// When FFmpeg refuses the codec or an option.
    pub fn new(encoder: &Encoder, timescale: u32) -> Result<Self, FfmpegError> {
        let failed = || FfmpegError::of(Operation::Mux);
        let written = Written::default();
        let io = ff::format::context::StreamIo::from_write(written.clone()).map_err(failed())?;
        let mut output = ff::format::output_to_stream(io, None, Some("mp4")).map_err(failed())?;
        let mut stream = output.add_stream_with(&encoder.0).map_err(failed())?;
        stream.set_time_base((1, timescale.cast_signed()));
        let (num, den) = (encoder.0.time_base().numerator(), encoder.0.time_base().denominator());
        #[expect(unsafe_code, reason = "no setter for the context's flags")]
        // SAFETY: exclusive access to a context whose header is not written yet.
        unsafe {
            (*output.as_mut_ptr()).flags |= ffi::AVFMT_FLAG_BITEXACT;
        }
        let timescale = timescale.to_string();
        let options: ff::Dictionary = [
            ("movflags", "+cmaf+negative_cts_offsets+delay_moov+frag_custom+skip_trailer+default_base_moof"),
            ("video_track_timescale", &timescale),
            ("movie_timescale", &timescale),
        ]
        .into_iter()
        .collect();
        if let Some((option, _)) = output.write_header_with(options).map_err(failed())?.iter().next() {
            return Err(FfmpegError::UnusedOption { operation: Operation::Mux, option: option.to_owned() });
        }
        Ok(Self { output, written, time_base: ff::Rational(num, den) })
    }

    /// Adds a packet of the encoder to the fragment.
    ///
    /// # Errors
    /// When the muxer refuses it.
    pub fn add(&mut self, packet: &mut Packet) -> Result<(), FfmpegError> {
        let target = self.output.stream(0).map_or(self.time_base, |stream| stream.time_base());
        packet.0.set_stream(0);
        packet.0.rescale_ts(self.time_base, target);
        #[expect(unsafe_code, reason = "one packet, no interleaving queue")]
        // SAFETY: the context is exclusively ours with its header written; av_write_frame only reads the packet.
        let code = unsafe { ffi::av_write_frame(self.output.as_mut_ptr(), packet.raw().cast_mut()) };
        FfmpegError::check(code, || Operation::Mux).map(|_| ())
    }

    /// Ends the fragment and returns all bytes written since the last call: whole boxes.
    ///
    /// # Errors
    /// When the muxer fails.
    pub fn cut(&mut self) -> Result<Vec<u8>, FfmpegError> {
        self.flush()?;
        let bytes = self.written.take();
        // With delay_moov the first flush writes only the init section.
        if bytes.get(4..8) == Some(b"ftyp") {
            self.flush()?;
            return Ok([bytes, self.written.take()].concat());
        }
        Ok(bytes)
    }

    fn flush(&mut self) -> Result<(), FfmpegError> {
        #[expect(
            unsafe_code,
            reason = "the wrapper cannot pass a null packet, which means: end the fragment"
        )]
        // SAFETY: the context is exclusively ours with its header written; its IO lives as long as it does.
        let code = unsafe {
            let code = ffi::av_write_frame(self.output.as_mut_ptr(), ptr::null_mut());
            ffi::avio_flush((*self.output.as_mut_ptr()).pb);
            code
        };
        FfmpegError::check(code, || Operation::Mux).map(|_| ())
    }
}
