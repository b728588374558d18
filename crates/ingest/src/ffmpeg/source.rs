//! An untrusted file, opened: closed lists of containers and codecs, no protocols, bounded probing.

use super::{FfmpegError, Operation, Packet};
use crate::cancel::Cancel;
use crate::timeline::Flicks;
use crate::{accepted, prescan};
use ff::ffi;
use ffmpeg_next as ff;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom};
use std::ptr;

/// Bytes FFmpeg reads from the file at once.
const IO_BUFFER: usize = 256 << 10;
/// Bytes that tell which family of containers is considered.
const STARTING: u64 = 8;
/// Bytes looked at to recognise the container and its streams.
const PROBE_BYTES: &str = "20000000";
/// Microseconds of media looked at for the same.
const ANALYSE_MICROS: &str = "10000000";

/// What a stream carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Moving pictures.
    Video,
    /// Sound.
    Audio,
    /// A cover picture, subtitles, data.
    Other,
}

/// What the container says about one stream. Nothing of it is trusted beyond this crate's plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Its place in the container.
    pub index: usize,
    /// What it carries.
    pub kind: StreamKind,
    /// The decoder FFmpeg would take, or the codec's own name when there is none.
    pub codec: String,
    /// Seconds a tick, as a fraction.
    pub time_base: (i32, i32),
    /// First presentation time in ticks, if told.
    pub start: Option<i64>,
    /// Length in ticks, if told.
    pub duration: Option<i64>,
    /// Pictures a second on average; `(0, _)` if unknown.
    pub average_rate: (i32, i32),
    /// Columns of samples, 0 for sound.
    pub width: u32,
    /// Rows of samples, 0 for sound.
    pub height: u32,
    /// Width of a sample over its height; never zero.
    pub sample_aspect: (i32, i32),
    /// How to turn the picture before it is shown: the first two rows of the container's matrix, 16.16 fixed.
    pub display_matrix: Option<[i32; 4]>,
    /// Channels, 0 for pictures.
    pub channels: u32,
    /// Samples a second, 0 for pictures.
    pub sample_rate: u32,
    /// The container marks it as the one to play.
    pub is_default: bool,
    /// In the container's own letters, if told.
    pub language: Option<String>,
}

/// What came of reading a packet.
pub enum Read {
    /// A packet of the stream with this index.
    Packet(usize),
    /// A part that makes no sense was skipped; more may follow.
    Damaged,
    /// Nothing follows.
    End,
}

/// An opened file.
pub struct Source {
    input: ff::format::context::Input,
    container: String,
    streams: Vec<Stream>,
}

impl Source {
    /// Reads the headers of `file` and the first few seconds.
    ///
    /// Only the containers and decoders of [`accepted`] are considered; nothing but `file` can be opened, whatever
    /// it refers to. When `cancel` is set, the next read fails.
    ///
    /// # Errors
    /// When the file is none of those containers or its headers make no sense.
    pub fn open(mut file: File, cancel: Cancel) -> Result<Self, FfmpegError> {
        let failed = FfmpegError::of(Operation::OpenSource);
        // Errors here come again, and are told, at FFmpeg's first read.
        let mut start = Vec::new();
        let _ = file.rewind().and_then(|()| (&mut file).take(STARTING).read_to_end(&mut start));
        let _ = file.rewind();
        let whole = prescan::is_mp4(&start)
            .then(|| file.seek(SeekFrom::End(0)).and_then(|length| prescan::readable(&mut file, length)));
        let end = whole.and_then(Result::ok).unwrap_or(u64::MAX);
        let _ = file.rewind();
        let containers = accepted::containers(&start);
        let io = ff::format::context::StreamIo::from_read_seek_with_capacity(
            Watched { file, cancel, end, at: 0 },
            IO_BUFFER,
        )
        .map_err(failed)?;
        let mut input = open_closed(io, containers)?;
        find_streams(&mut input)?;
        let container = input.format().name().to_owned();
        let streams = (0..input.nb_streams() as usize).filter_map(|index| describe(&input, index)).collect();
        Ok(Self { input, container, streams })
    }

    /// FFmpeg's name of the container.
    pub fn container(&self) -> &str {
        &self.container
    }

    /// All streams, in the container's order.
    pub fn streams(&self) -> &[Stream] {
        &self.streams
    }

    /// Microseconds the container says it lasts, if it does.
    pub fn duration_micros(&self) -> Option<i64> {
        Some(self.input.duration()).filter(|&micros| micros != ffi::AV_NOPTS_VALUE)
    }

    /// Where chapters begin, and their titles, byte for byte as the container has them: it says Unicode, and they are as often GBK.
    pub fn chapters(&self) -> impl Iterator<Item = (Flicks, Vec<u8>)> {
        self.input.chapters().filter_map(|chapter| {
            let base = chapter.time_base();
            #[expect(unsafe_code, reason = "the wrapper takes what the file says for UTF-8")]
            // SAFETY: the dictionary is the chapter's own and lives as long as the context.
            let title = unsafe { word((*chapter.as_ptr()).metadata, c"title") }?;
            Some((Flicks::from_ticks(chapter.start(), (base.numerator(), base.denominator())), title))
        })
    }

    /// Has only the streams `wanted` read; the rest is skipped by the demuxer.
    pub fn select(&mut self, wanted: &[usize]) {
        for index in 0..self.streams.len() {
            let discard = match wanted.contains(&index) {
                true => ffi::AVDiscard::AVDISCARD_DEFAULT,
                false => ffi::AVDiscard::AVDISCARD_ALL,
            };
            #[expect(unsafe_code, reason = "the wrapper's StreamMut has no discard")]
            // SAFETY: index < nb_streams, and the streams live as long as the context.
            unsafe {
                (**(*self.input.as_mut_ptr()).streams.add(index)).discard = discard;
            }
        }
    }

    /// Reads the next packet into `packet`.
    ///
    /// # Errors
    /// When the file cannot be read on, or the run was cancelled.
    pub fn read(&mut self, packet: &mut Packet) -> Result<Read, FfmpegError> {
        packet.clear();
        match packet.0.read(&mut self.input) {
            Ok(()) => Ok(Read::Packet(packet.0.stream())),
            Err(ff::Error::Eof) => Ok(Read::End),
            // FFmpeg's reader of MPEG-TS says "again" where it has gone 64 KiB without finding the next packet: a file lies there, and what
            // follows is further on.
            Err(ff::Error::InvalidData | ff::Error::Other { errno: ffi::EAGAIN }) => Ok(Read::Damaged),
            Err(error) => Err(FfmpegError::of(Operation::Demux)(error)),
        }
    }

    pub(super) fn parameters(&self, index: usize) -> Option<ff::codec::Parameters> {
        self.input.stream(index).map(|stream| stream.parameters())
    }
}

/// The file, until the run is cancelled.
struct Watched {
    file: File,
    cancel: Cancel,
    /// What lies behind is not there for FFmpeg.
    end: u64,
    at: u64,
}

impl io::Read for Watched {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.cancel.is_stopped() {
            return Err(io::Error::other("cancelled"));
        }
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let count = self.file.read(&mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl Seek for Watched {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let to = match to {
            SeekFrom::End(by) if self.end != u64::MAX => SeekFrom::Start(self.end.saturating_add_signed(by)),
            to => to,
        };
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

/// Opens with every list closed.
///
/// By hand, because the wrapper drops the options nobody took: a whitelist that FFmpeg does not know by that name
/// would leave the door open in silence.
fn open_closed(
    mut io: ff::format::context::StreamIo,
    containers: &str,
) -> Result<ff::format::context::Input, FfmpegError> {
    let streams = accepted::MAX_STREAMS.to_string();
    let decoders = accepted::decoders().collect::<Vec<_>>().join(",");
    let mut options: ff::Dictionary = [
        ("format_whitelist", containers),
        ("codec_whitelist", &decoders),
        // Custom IO needs no protocol, so none is left to be tricked into opening something else.
        ("protocol_whitelist", ""),
        ("max_streams", &streams),
        ("probesize", PROBE_BYTES),
        ("analyzeduration", ANALYSE_MICROS),
        // Packets with a broken checksum are dropped, not decoded.
        ("fflags", "+discardcorrupt"),
    ]
    .into_iter()
    .collect();
    #[expect(unsafe_code, reason = "the wrapper ignores options that were not used")]
    // SAFETY: `context` is freed by avformat_open_input on failure and owned by Input afterwards. `io` outlives it:
    // wrap_with_custom_io keeps it until the context is closed, and on failure it is dropped after the call.
    // The dictionary is taken over as a raw pointer and given back to an owner that frees it.
    unsafe {
        let mut context = ffi::avformat_alloc_context();
        if context.is_null() {
            return Err(FfmpegError::of(Operation::Allocate)(ff::Error::Other { errno: ffi::ENOMEM }));
        }
        (*context).pb = io.as_mut_ptr();
        (*context).flags |= ffi::AVFMT_FLAG_CUSTOM_IO;
        let mut raw = std::mem::take(&mut options).disown();
        let code = ffi::avformat_open_input(&raw mut context, ptr::null(), ptr::null(), &raw mut raw);
        let leftover = ff::Dictionary::own(raw);
        FfmpegError::check(code, || Operation::OpenSource)?;
        let input = ff::format::context::Input::wrap_with_custom_io(context, io);
        match leftover.iter().next() {
            None => Ok(input),
            Some((option, _)) => {
                Err(FfmpegError::UnusedOption { operation: Operation::OpenSource, option: option.to_owned() })
            }
        }
    }
}

/// Decodes a little of each stream to learn what the headers do not say; pictures beyond the limit are refused.
fn find_streams(input: &mut ff::format::context::Input) -> Result<(), FfmpegError> {
    let count = input.nb_streams() as usize;
    let pixels = CString::new(accepted::MAX_PIXELS.to_string()).expect("digits hold no zero byte");
    #[expect(unsafe_code, reason = "the wrapper passes no options to avformat_find_stream_info")]
    // SAFETY: `options` has one dictionary for each stream the context has at the call, as the function requires;
    // streams that appear during it get none. Each dictionary is freed after the call.
    unsafe {
        let mut options = vec![ptr::null_mut::<ffi::AVDictionary>(); count];
        for dictionary in &mut options {
            ffi::av_dict_set(dictionary, c"max_pixels".as_ptr(), pixels.as_ptr(), 0);
            ffi::av_dict_set(dictionary, c"threads".as_ptr(), c"1".as_ptr(), 0);
        }
        let table = if count == 0 { ptr::null_mut() } else { options.as_mut_ptr() };
        let code = ffi::avformat_find_stream_info(input.as_mut_ptr(), table);
        for dictionary in &mut options {
            ffi::av_dict_free(dictionary);
        }
        FfmpegError::check(code, || Operation::OpenSource)?;
    }
    Ok(())
}

fn describe(input: &ff::format::context::Input, index: usize) -> Option<Stream> {
    let stream = input.stream(index)?;
    let known = |ticks: i64| Some(ticks).filter(|&ticks| ticks != ffi::AV_NOPTS_VALUE);
    #[expect(unsafe_code, reason = "codec parameters have no getters in the wrapper")]
    // SAFETY: stream and parameters live as long as the context. Numbers that come from the file are read as the
    // C integers they are, never as Rust enums.
    let (kind, codec, size, aspect, channels, sample_rate) = unsafe {
        let raw = stream.as_ptr();
        let parameters = (*raw).codecpar;
        let id = (&raw const (*parameters).codec_id).cast::<u32>().read();
        let kind = match (&raw const (*parameters).codec_type).cast::<i32>().read() {
            0 if (*raw).disposition & ffi::AV_DISPOSITION_ATTACHED_PIC == 0 => StreamKind::Video,
            1 => StreamKind::Audio,
            _ => StreamKind::Other,
        };
        let aspect = match (*raw).sample_aspect_ratio {
            unknown if unknown.num <= 0 || unknown.den <= 0 => (*parameters).sample_aspect_ratio,
            known => known,
        };
        (
            kind,
            codec_name(id),
            ((*parameters).width, (*parameters).height),
            if aspect.num > 0 && aspect.den > 0 { (aspect.num, aspect.den) } else { (1, 1) },
            (*parameters).ch_layout.nb_channels,
            (*parameters).sample_rate,
        )
    };
    Some(Stream {
        index,
        kind,
        codec,
        time_base: (stream.time_base().numerator(), stream.time_base().denominator()),
        start: known(stream.start_time()),
        duration: known(stream.duration()).filter(|&ticks| ticks > 0),
        average_rate: (stream.avg_frame_rate().numerator(), stream.avg_frame_rate().denominator()),
        width: size.0.max(0).cast_unsigned(),
        height: size.1.max(0).cast_unsigned(),
        sample_aspect: aspect,
        display_matrix: stream.side_data().find_map(|data| display_matrix(&data)),
        channels: channels.max(0).cast_unsigned(),
        sample_rate: sample_rate.max(0).cast_unsigned(),
        is_default: stream.disposition().contains(ff::format::stream::Disposition::DEFAULT),
        #[expect(unsafe_code, reason = "the wrapper takes what the file says for UTF-8")]
        // SAFETY: the dictionary is the stream's own and lives as long as the context.
        language: unsafe { word((*stream.as_ptr()).metadata, c"language") }
            .map(|code| String::from_utf8_lossy(&code).into_owned()),
    })
}

/// What a dictionary of the file says under `key`.
#[expect(unsafe_code, reason = "the wrapper takes what the file says for UTF-8")]
unsafe fn word(dictionary: *mut ffi::AVDictionary, key: &CStr) -> Option<Vec<u8>> {
    // SAFETY: the caller's dictionary is alive or null, which av_dict_get takes for an empty one; an entry's value is a
    // C string that lives as long as its dictionary.
    unsafe {
        let entry = ffi::av_dict_get(dictionary, key.as_ptr(), ptr::null(), 0);
        let value = entry.as_ref()?.value;
        (!value.is_null()).then(|| CStr::from_ptr(value).to_bytes().to_vec())
    }
}

/// The name of the decoder FFmpeg prefers for codec `id`; without one, the codec's name.
fn codec_name(id: u32) -> String {
    #[expect(unsafe_code, reason = "the wrapper turns ids from the file into a closed enum")]
    // SAFETY: ids come from FFmpeg's own demuxers, which number codecs as this FFmpeg's headers do (the bindings are
    // made from them); the names are static strings.
    unsafe {
        let id = std::mem::transmute::<u32, ffi::AVCodecID>(id);
        let decoder = ffi::avcodec_find_decoder(id);
        let name = if decoder.is_null() { ffi::avcodec_get_name(id) } else { (*decoder).name };
        CStr::from_ptr(name).to_string_lossy().into_owned()
    }
}

/// a, b, c, d of the matrix `[a b u; c d v; x y w]` (ISO/IEC 14496-12 6.2.2): x' = a·x + c·y, y' = b·x + d·y.
fn display_matrix(data: &ff::codec::packet::SideData<'_>) -> Option<[i32; 4]> {
    if data.kind() != ff::codec::packet::side_data::Type::DisplayMatrix {
        return None;
    }
    let at = |index: usize| {
        let bytes = data.data().get(index * 4..index * 4 + 4)?;
        Some(i32::from_ne_bytes(bytes.try_into().ok()?))
    };
    Some([at(0)?, at(1)?, at(3)?, at(4)?])
}
