//! A run of the program and the lesson that came of it.

use crate::clip::{Bench, ffmpeg, ffprobe};
use ingest::cmaf::{Fragment, Init};
use ingest::plan::SHIPPED;
use package::{Codec, Manifest, PackageId, Rendition, Sealed};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// What a test's lessons consist of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// H.264 with all pictures.
    Plain,
    /// H.264 and AV1, pictures left out where nothing moves.
    Shipped,
}

/// The shipped ladder, or a plainer one.
pub(crate) fn ladder(made: Made) -> String {
    let plainer = |text: String, from: &str, to: &str| {
        assert!(text.contains(from), "{from} is in the shipped ladder");
        text.replacen(from, to, 1)
    };
    match made {
        Made::Shipped => SHIPPED.to_owned(),
        Made::Plain => {
            let text = plainer(SHIPPED.to_owned(), "[av1]\nenabled = true", "[av1]\nenabled = false");
            let text = plainer(text, "still = { s0 = 4, s1 = 2 }", "still = { s0 = 1, s1 = 1 }");
            plainer(text, "camera = { s0 = 2, s1 = 1 }", "camera = { s0 = 1, s1 = 1 }")
        }
    }
}

/// The program, to be run on `files` and the bench's store.
pub(crate) fn program(bench: &Bench, files: &[&Path]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_airclass-ingest"));
    command.arg("run").args(files).arg("--store").arg(bench.path("store"));
    // Most tests ask about one rung or all pictures; what is left out of small rungs and AV1 have tests of their own.
    let plain = bench.path("plain.toml");
    fs::write(&plain, ladder(Made::Plain)).unwrap();
    command.env("AIRCLASS_LADDER", plain);
    command
}

/// Standard error as text.
pub(crate) fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A published lesson.
pub(crate) struct Published {
    pub(crate) package: Sealed,
    pub(crate) said: String,
    folder: PathBuf,
    joined: PathBuf,
}

/// Ingests `file`, which must succeed, and checks what every package must be like. Quality control may say what it likes:
/// test pictures are no lessons.
pub(crate) fn ingest(bench: &Bench, file: &Path) -> Published {
    ingest_flagged(bench, file, &["--accept-quality"])
}

/// The same of a file called `name` that consists of `bytes`.
pub(crate) fn ingest_bytes(bench: &Bench, name: &str, bytes: impl AsRef<[u8]>) -> Published {
    let file = bench.path(name);
    fs::write(&file, bytes).unwrap();
    ingest(bench, &file)
}

/// The same with `flags`.
pub(crate) fn ingest_flagged(bench: &Bench, file: &Path, flags: &[&str]) -> Published {
    let output = program(bench, &[file]).args(flags).output().unwrap();
    published(bench, &output)
}

fn published(bench: &Bench, output: &Output) -> Published {
    assert_eq!(output.status.code(), Some(0), "{}", said(output));
    let line = String::from_utf8(output.stdout.clone()).unwrap();
    let id = line.split_whitespace().nth(3).unwrap().parse().unwrap();
    let published = open(bench, id, said(output));
    published.check();
    published
}

/// The same with the ladder at `config`.
pub(crate) fn ingest_with(bench: &Bench, file: &Path, config: &Path) -> Published {
    let output = program(bench, &[file]).arg("--config").arg(config).output().unwrap();
    published(bench, &output)
}

/// The package `id` in the bench's store.
pub(crate) fn open(bench: &Bench, id: PackageId, said: String) -> Published {
    let folder = bench.path("store").join("p").join(id.to_string());
    let package = Manifest::parse(&fs::read(folder.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(package.id(), id);
    Published { package, said, folder, joined: bench.path("joined.mp4") }
}

impl Published {
    pub(crate) fn manifest(&self) -> &Manifest {
        self.package.manifest()
    }

    /// Every rendition that has objects of its own.
    pub(crate) fn renditions(&self) -> Vec<Rendition> {
        let manifest = self.manifest();
        let video = manifest.video.iter().filter(|rung| rung.alias_of.is_none());
        let audio = manifest.audio.iter().map(|sound| Rendition::Audio(sound.slot));
        video.map(|rung| Rendition::Video(rung.slot)).chain(audio).collect()
    }

    /// The largest rung.
    pub(crate) fn top(&self) -> Rendition {
        let real = self.manifest().video.iter().rev().find(|rung| rung.alias_of.is_none());
        Rendition::Video(real.unwrap().slot)
    }

    /// Where an object of the package lies.
    pub(crate) fn path(&self, object: &str) -> PathBuf {
        self.folder.join(object)
    }

    pub(crate) fn read(&self, object: &str) -> Vec<u8> {
        fs::read(self.folder.join(object)).unwrap()
    }

    /// One file of all segments, for tools that know no playlists.
    pub(crate) fn joined(&self, rendition: Rendition) -> &Path {
        let mut whole = self.read(rendition.init().as_str());
        for number in self.manifest().segments.numbers() {
            whole.extend(self.read(rendition.segment(number).as_str()));
        }
        fs::write(&self.joined, whole).unwrap();
        &self.joined
    }

    /// Every picture of the rung as grey samples.
    pub(crate) fn grey(&self, rendition: Rendition) -> Vec<u8> {
        let path = self.joined(rendition).to_str().unwrap();
        ffmpeg(["-i", path, "-vsync", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"])
    }

    /// All sound as 16-bit samples of one channel.
    pub(crate) fn samples(&self, rendition: Rendition) -> Vec<i16> {
        let path = self.joined(rendition).to_str().unwrap();
        let bytes = ffmpeg(["-i", path, "-f", "s16le", "-ac", "1", "-"]);
        bytes.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    /// What holds for every package: our own reading of the boxes, and the opinions of ffprobe and m3u8-rs.
    fn check(&self) {
        let manifest = self.manifest();
        for object in &manifest.objects {
            assert_eq!(
                package::Digest::of(&self.read(object.path.as_str())),
                object.sha256,
                "{}",
                object.path
            );
        }
        for rendition in self.renditions() {
            self.check_boxes(rendition);
            self.check_decoding(rendition);
        }
        for object in manifest.objects.iter().filter(|object| object.path.as_str().ends_with(".m3u8")) {
            let text = self.read(object.path.as_str());
            let (_, playlist) = m3u8_rs::parse_playlist(&text).unwrap();
            let m3u8_rs::Playlist::MediaPlaylist(playlist) = playlist else { continue };
            let (each, seconds) =
                if object.path.as_str().starts_with("trick/") { (6, 0.8) } else { (1, 4.8) };
            assert_eq!(playlist.segments.len(), manifest.segments.0 as usize * each, "{}", object.path);
            assert_eq!(playlist.i_frames_only, object.path.as_str().ends_with("iframes.m3u8"));
            assert!(playlist.end_list && playlist.segments.iter().all(|segment| segment.duration == seconds));
        }
        // Apple 9.21.
        let main = String::from_utf8(self.read("main.m3u8")).unwrap();
        let main = hls::MultivariantPlaylist::parse(&main).unwrap();
        assert!(main.variants.iter().any(|variant| variant.bandwidth <= 192_000));
        // The smallest rung alone is there with mono and with stereo.
        let distinct = manifest.video.iter().filter(|rung| rung.alias_of.is_none()).count();
        assert_eq!(main.variants.len(), distinct.max(2));
    }

    fn check_boxes(&self, rendition: Rendition) {
        let init = Init::parse(&self.read(rendition.init().as_str())).unwrap();
        let ticks = u64::from(init.timescale) * grid::SEGMENT_MS / 1_000;
        for number in self.manifest().segments.numbers() {
            let segment = self.read(rendition.segment(number).as_str());
            let fragment = Fragment::parse(&segment, init.coding).unwrap();
            assert_eq!(fragment.decode_time, u64::from(number.0) * ticks, "{rendition} {number:?}");
            assert_eq!(fragment.duration, ticks);
            assert_eq!((fragment.first_offset, fragment.earliest), (0, 0), "{rendition} {number:?}");
            assert!(fragment.starts_afresh);
        }
    }

    fn check_decoding(&self, rendition: Rendition) {
        let manifest = self.manifest();
        let path = self.joined(rendition);
        let pictures = match rendition {
            Rendition::Trick => {
                u64::from(manifest.segments.0 * manifest.trick.as_ref().map_or(0, |trick| trick.per_segment))
            }
            Rendition::Video(slot) => {
                let rung = manifest.video.iter().find(|rung| rung.slot == slot).unwrap();
                manifest.segments.pictures(manifest.frame_rate) / u64::from(rung.thinning)
            }
            Rendition::Audio(_) => 0,
        };
        let (kind, frames, facts) = match rendition {
            Rendition::Video(slot) if slot.codec() == Codec::Av1 => (
                "v:0",
                pictures,
                "codec_name=av1 profile=Main pix_fmt=yuv420p color_range=tv color_space=bt709 \
                 color_transfer=bt709 color_primaries=bt709",
            ),
            Rendition::Video(_) | Rendition::Trick => (
                "v:0",
                pictures,
                "codec_name=h264 pix_fmt=yuv420p color_range=tv color_space=bt709 color_transfer=bt709 \
                 color_primaries=bt709 field_order=progressive sample_aspect_ratio=1:1",
            ),
            Rendition::Audio(_) => {
                ("a:0", manifest.segments.aac_frames(), "codec_name=aac profile=LC sample_rate=48000")
            }
        };
        let entries = "codec_name,profile,pix_fmt,color_range,color_space,color_transfer,color_primaries,field_order,\
                       sample_aspect_ratio,sample_rate,nb_read_frames,nb_read_packets";
        let found = ffprobe(path, kind, entries);
        let counts = [format!("nb_read_frames={frames}"), format!("nb_read_packets={frames}")];
        for fact in facts.split_whitespace().map(str::to_owned).chain(counts) {
            assert!(found.lines().any(|line| line == fact), "{rendition}: {fact} not in\n{found}");
        }
    }
}
