//! Packets of several encoders into one ordinary MP4 file, for the sample lesson.

use super::{Encoder, FfmpegError, Operation, Packet};
use ff::ffi;
use ffmpeg_next as ff;
use std::path::Path;

/// An MP4 file in the making; its index is moved to the front at the end.
pub struct Mp4File {
    output: ff::format::context::Output,
    time_bases: Vec<ff::Rational>,
}

impl Mp4File {
    /// A new file at `path`, which must be UTF-8, with a track for each encoder.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn create(path: &Path, encoders: &[&Encoder]) -> Result<Self, FfmpegError> {
        let failed = || FfmpegError::of(Operation::Mux);
        let name = path.to_str().ok_or_else(|| failed()(ff::Error::Other { errno: ffi::EINVAL }))?;
        // The prefix keeps a name like "http://…" a name.
        let mut output = ff::format::output_as(&format!("file:{name}"), "mp4").map_err(failed())?;
        let mut time_bases = Vec::new();
        for encoder in encoders {
            output.add_stream_with(&encoder.0).map_err(failed())?.set_time_base(encoder.0.time_base());
            time_bases.push(encoder.0.time_base());
        }
        let options: ff::Dictionary = [("movflags", "+faststart")].into_iter().collect();
        output.write_header_with(options).map_err(failed())?;
        Ok(Self { output, time_bases })
    }

    /// Adds a packet of encoder `track`.
    ///
    /// # Errors
    /// When the disk is full or the muxer refuses it.
    pub fn add(&mut self, track: usize, packet: &mut Packet) -> Result<(), FfmpegError> {
        let failed = FfmpegError::of(Operation::Mux);
        let target = self.output.stream(track).map_or(self.time_bases[track], |stream| stream.time_base());
        packet.0.set_stream(track);
        packet.0.rescale_ts(self.time_bases[track], target);
        packet.0.write_interleaved(&mut self.output).map_err(failed)
    }

    /// Writes the index; the file is whole.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(mut self) -> Result<(), FfmpegError> {
        self.output.write_trailer().map_err(FfmpegError::of(Operation::Mux))
    }
}
