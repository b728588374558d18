//! One source, a chain of filters, one or more sinks.

use super::{FfmpegError, Operation, Picture, PictureShape, Sound, SoundShape};
use ff::ffi;
use ffmpeg_next as ff;
use std::ffi::CStr;

/// A configured filter graph. Used from one thread at a time.
pub struct Graph {
    // The handles point into `graph`.
    source: ff::filter::Context,
    sinks: Vec<ff::filter::Context>,
    #[expect(dead_code, reason = "owns what the handles point to")]
    graph: ff::filter::Graph,
}

/// Whether this FFmpeg was built with the filter `name`.
pub fn has_filter(name: &str) -> bool {
    ff::filter::find(name).is_some()
}

impl Graph {
    /// A graph for pictures of `shape`, whose time stamps count in 1/`rate` s.
    ///
    /// `spec` is in FFmpeg's graph language; it starts at `[in]` and ends at `[out0]`, `[out1]`, … up to `sinks`.
    ///
    /// # Errors
    /// When `spec` is not understood, or does not fit the shape.
    pub fn for_pictures(
        shape: &PictureShape,
        rate: u32,
        spec: &str,
        sinks: usize,
    ) -> Result<Self, FfmpegError> {
        let arguments = format!(
            "video_size={}x{}:pix_fmt={}:time_base=1/{rate}:frame_rate={rate}/1:pixel_aspect={}/{}",
            shape.width, shape.height, shape.format, shape.sample_aspect.0, shape.sample_aspect.1
        );
        Self::build("buffer", &arguments, "buffersink", spec, sinks)
    }

    /// A graph for sound of `shape`, whose time stamps count samples of `shape.rate`.
    ///
    /// # Errors
    /// As for pictures.
    pub fn for_sound(shape: &SoundShape, spec: &str, sinks: usize) -> Result<Self, FfmpegError> {
        let layout = match shape.layout {
            0 => format!("channels={}", shape.channels),
            mask => format!("channel_layout=0x{mask:x}"),
        };
        let arguments = format!(
            "time_base=1/{rate}:sample_rate={rate}:sample_fmt={}:{layout}",
            sample_format_name(shape.format),
            rate = shape.rate,
        );
        Self::build("abuffer", &arguments, "abuffersink", spec, sinks)
    }

    /// The first picture of a graph without input, such as `color=…,drawtext=…[out0]`.
    ///
    /// # Errors
    /// When `spec` is not understood.
    pub fn generator(spec: &str) -> Result<Picture, FfmpegError> {
        let failed = |error| FfmpegError::of(Operation::BuildGraph(spec.to_owned()))(error);
        let missing = |name: &str| FfmpegError::Missing(format!("filter {name}"));
        let mut graph = ff::filter::Graph::new();
        let sink = ff::filter::find("buffersink").ok_or_else(|| missing("buffersink"))?;
        let mut sink = graph.add(&sink, "out0", "").map_err(failed)?;
        graph.input("out0", 0).map_err(failed)?.parse(spec).map_err(failed)?;
        graph.validate().map_err(failed)?;
        let mut picture = Picture::empty();
        sink.sink().frame(&mut picture.0).map_err(FfmpegError::of(Operation::Filter))?;
        Ok(picture)
    }

    fn build(
        source: &str,
        arguments: &str,
        sink: &str,
        spec: &str,
        sinks: usize,
    ) -> Result<Self, FfmpegError> {
        let failed = |error| FfmpegError::of(Operation::BuildGraph(spec.to_owned()))(error);
        let find =
            |name: &str| ff::filter::find(name).ok_or_else(|| FfmpegError::Missing(format!("filter {name}")));
        let (source, sink) = (find(source)?, find(sink)?);
        let mut graph = ff::filter::Graph::new();
        // One thread: the encoders are the ones that need the cores, and the result must not depend on their number.
        #[expect(unsafe_code, reason = "no setter in the wrapper")]
        // SAFETY: exclusive access to a graph without filters yet; a plain field is written.
        unsafe {
            (*graph.as_mut_ptr()).nb_threads = 1;
        }
        let input = graph.add(&source, "in", arguments).map_err(failed)?;
        let mut outputs = Vec::with_capacity(sinks);
        for index in 0..sinks {
            outputs.push(graph.add(&sink, &format!("out{index}"), "").map_err(failed)?);
        }
        // "Output" of our source is what the spec calls its input, and the other way round.
        let mut parser = graph.output("in", 0).map_err(failed)?;
        for index in 0..sinks {
            parser = parser.input(&format!("out{index}"), 0).map_err(failed)?;
        }
        parser.parse(spec).map_err(failed)?;
        graph.validate().map_err(failed)?;
        Ok(Self { source: input, sinks: outputs, graph })
    }

    /// Puts a picture in; its reference is used up.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn push_picture(&mut self, picture: Picture) -> Result<(), FfmpegError> {
        self.source.source().add(&picture.0).map_err(FfmpegError::of(Operation::Filter))
    }

    /// Puts sound in; its reference is used up.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn push_sound(&mut self, sound: Sound) -> Result<(), FfmpegError> {
        self.source.source().add(&sound.0).map_err(FfmpegError::of(Operation::Filter))
    }

    /// Tells the end: what is inside comes out.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn finish(&mut self) -> Result<(), FfmpegError> {
        self.source.source().flush().map_err(FfmpegError::of(Operation::Filter))
    }

    /// Takes a picture out of sink `index`, its time stamp in 1/`rate` s. `None`: nothing there now.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn pull_picture(&mut self, index: usize, rate: u32) -> Result<Option<Picture>, FfmpegError> {
        let mut picture = Picture::empty();
        let mut sink = self.sinks[index].sink();
        let (num, den) = (i64::from(sink.time_base().numerator()), i64::from(sink.time_base().denominator()));
        Ok(match sink.frame(&mut picture.0) {
            Ok(()) => {
                let ticks = picture.pts().unwrap_or(0);
                // Exact for the filters we use: they only ever multiply the ticks (bwdif by two).
                picture.set_pts((ticks * num * i64::from(rate) + den / 2).div_euclid(den));
                Some(picture)
            }
            Err(error) => nothing_now(error).map(|()| None)?,
        })
    }

    /// Takes sound out of sink `index`. `None`: nothing there now.
    ///
    /// # Errors
    /// When a filter fails.
    pub fn pull_sound(&mut self, index: usize) -> Result<Option<Sound>, FfmpegError> {
        let mut sound = Sound::empty();
        match self.sinks[index].sink().frame(&mut sound.0) {
            Ok(()) => Ok(Some(sound)),
            Err(error) => nothing_now(error).map(|()| None),
        }
    }
}

fn nothing_now(error: ff::Error) -> Result<(), FfmpegError> {
    match error {
        ff::Error::Eof | ff::Error::Other { errno: ffi::EAGAIN } => Ok(()),
        error => Err(FfmpegError::of(Operation::Filter)(error)),
    }
}

fn sample_format_name(format: i32) -> String {
    const FORMATS: [ffi::AVSampleFormat; 12] = [
        ffi::AVSampleFormat::AV_SAMPLE_FMT_U8,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S16,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S32,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_FLT,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_DBL,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_U8P,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S16P,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S32P,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_FLTP,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_DBLP,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S64,
        ffi::AVSampleFormat::AV_SAMPLE_FMT_S64P,
    ];
    let Some(&known) = FORMATS.iter().find(|&&known| known as i32 == format) else {
        return format.to_string();
    };
    #[expect(unsafe_code, reason = "the wrapper's name() goes through a closed enum")]
    // SAFETY: `known` is one of FFmpeg's formats, whose names are static strings.
    unsafe { CStr::from_ptr(ffi::av_get_sample_fmt_name(known)) }.to_string_lossy().into_owned()
}
