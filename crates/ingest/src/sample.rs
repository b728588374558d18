//! `airclass-ingest sample`: a lesson made of nothing, for demonstrations and benchmarks.
//!
//! Compresses like the real thing: slides with Chinese text that stand for half a minute and are written on, a camera
//! picture with motion and noise in a corner, a voice with pauses. Always the same file for the same options.

mod camera;
mod canvas;
mod chance;
mod slides;
mod voice;

use crate::cli::Sample;
use crate::ffmpeg::{
    self, AudioSettings, Encoder, FfmpegError, Mp4File, Packet, Picture, Sound, Verbosity, VideoSettings,
};
use camera::Camera;
use faults::{Blame, Fault, say};
use grid::{AAC_FRAME, AUDIO_RATE};
use package::Codec;
use slides::Slides;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use voice::Voice;

/// Why there is no sample.
#[derive(Debug, thiserror::Error)]
enum SampleFault {
    #[error("there is no font with Chinese letters; install the Debian package fonts-noto-cjk")]
    Font,
    #[error("{0} must be even: chroma has half the samples")]
    Odd(&'static str),
    #[error("cannot write {}: {source}; give a path in a folder that is there and writable", path.display())]
    Write { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Ffmpeg(#[from] FfmpegError),
}

impl Fault for SampleFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Font => "SAMPLE_FONT",
            Self::Odd(_) => "SAMPLE_SIZE",
            Self::Write { .. } => "SAMPLE_NOT_WRITABLE",
            Self::Ffmpeg(_) => "MEDIA_FFMPEG",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Ffmpeg(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// Makes it.
pub fn make(options: &Sample) -> ExitCode {
    ffmpeg::set_up(Verbosity::Silent);
    match write(options) {
        Ok(()) => {
            say!("{}", options.out.display());
            ExitCode::SUCCESS
        }
        Err(fault) => faults::AnyFault::from(fault).report(),
    }
}

/// Written beside its place and renamed: nobody ingests half a sample.
fn write(options: &Sample) -> Result<(), SampleFault> {
    for (name, side) in [("width", options.width), ("height", options.height)] {
        if !side.is_multiple_of(2) {
            return Err(SampleFault::Odd(name));
        }
    }
    let part = options.out.with_extension("part");
    let wrong = |source| SampleFault::Write { path: options.out.clone(), source };
    std::fs::File::create(&part).map_err(wrong)?;
    let result = film(options, &part).and_then(|()| std::fs::rename(&part, &options.out).map_err(wrong));
    if result.is_err() {
        let _ = std::fs::remove_file(&part);
    }
    result
}

fn film(options: &Sample, path: &Path) -> Result<(), SampleFault> {
    let font = slides::font().ok_or(SampleFault::Font)?;
    let mut tracks = Tracks::open(options, path)?;
    let mut slides = Slides::new(options.width, options.height, font);
    let mut camera = Camera::new(options.width, options.height);
    let mut voice = Voice::new();
    let pictures = u64::from(options.seconds) * u64::from(options.fps);
    for number in 0..pictures {
        let millis = number * 1_000 / u64::from(options.fps);
        // Sound first: the speaker's mouth follows it.
        let spoken = (number + 1) * u64::from(AUDIO_RATE) / u64::from(options.fps);
        tracks.speak(&mut voice, spoken)?;
        let mut picture = slides.at(millis)?.share()?;
        camera.draw(&mut picture, millis, voice.loudness())?;
        tracks.show(picture, number)?;
    }
    tracks.finish()
}

/// Both encoders and the file.
struct Tracks {
    video: Encoder,
    audio: Encoder,
    file: Mp4File,
    packet: Packet,
    samples: u64,
}

impl Tracks {
    fn open(options: &Sample, path: &Path) -> Result<Self, FfmpegError> {
        let video = Encoder::h264(&VideoSettings {
            codec: Codec::H264,
            width: options.width,
            height: options.height,
            rate: options.fps,
            thinning: 1,
            gop: options.fps * 2,
            threads: 0,
            // Fast; some 8 Mbit/s, which is what teachers are asked to deliver.
            options: vec![("preset".to_owned(), "ultrafast".to_owned()), ("crf".to_owned(), "21".to_owned())],
        })?;
        let audio = Encoder::aac(&AudioSettings { channels: 2, bits_per_second: 128_000 })?;
        let file = Mp4File::create(path, &[&video, &audio])?;
        Ok(Self { video, audio, file, packet: Packet::empty(), samples: 0 })
    }

    /// Sound up to sample `until`, in whole frames.
    fn speak(&mut self, voice: &mut Voice, until: u64) -> Result<(), FfmpegError> {
        while self.samples < until {
            let mut sound = Sound::silence(AAC_FRAME as usize, 2);
            voice.say(sound.channel_mut(0));
            let left = sound.channel(0).to_vec();
            sound.channel_mut(1).copy_from_slice(&left);
            sound.set_pts(self.samples.cast_signed());
            self.samples += u64::from(AAC_FRAME);
            self.audio.send_sound(&sound)?;
            Self::drain(&mut self.audio, &mut self.file, &mut self.packet, 1)?;
        }
        Ok(())
    }

    fn show(&mut self, mut picture: Picture, number: u64) -> Result<(), FfmpegError> {
        picture.tag_as_published();
        picture.set_pts(number.cast_signed());
        self.video.send_picture(&picture)?;
        Self::drain(&mut self.video, &mut self.file, &mut self.packet, 0)
    }

    fn finish(mut self) -> Result<(), SampleFault> {
        self.video.finish()?;
        Self::drain(&mut self.video, &mut self.file, &mut self.packet, 0)?;
        self.audio.finish()?;
        Self::drain(&mut self.audio, &mut self.file, &mut self.packet, 1)?;
        Ok(self.file.finish()?)
    }

    fn drain(
        encoder: &mut Encoder,
        file: &mut Mp4File,
        packet: &mut Packet,
        track: usize,
    ) -> Result<(), FfmpegError> {
        while encoder.receive(packet)? {
            if track == 0 {
                packet.set_duration(1);
            }
            file.add(track, packet)?;
        }
        Ok(())
    }
}
