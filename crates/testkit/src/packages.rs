//! Packages that no encoder made: whole by their manifests, and their segments are numbers.

use bytes::Bytes;
use grid::{FrameRate, SegmentCount};
use package::layout::{audio_playlist, main_playlist, segment_name};
use package::manifest::{AudioRendition, Object, Recipe, Source, VideoRung};
use package::{AudioSlot, Digest, LessonId, Manifest, ObjectPath, Rendition, Sealed, Slot};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// A package in memory.
#[derive(Debug)]
pub struct Made {
    /// Its manifest.
    pub sealed: Sealed,
    /// All its objects.
    pub objects: BTreeMap<ObjectPath, Bytes>,
}

/// A rung and a sound of `segments` segments of `bytes` bytes each; `flavour` makes the bytes, and so the package, another.
pub fn made(flavour: &str, segments: u32, bytes: usize) -> Made {
    put_together(flavour, segments, bytes, false)
}

/// The same with lists that a player can follow, and with its true bit rates.
pub fn playable(flavour: &str, segments: u32, bytes: usize) -> Made {
    put_together(flavour, segments, bytes, true)
}

fn put_together(flavour: &str, segments: u32, bytes: usize, is_playable: bool) -> Made {
    let segments = SegmentCount(segments);
    let bps = if is_playable { bytes as u64 * 8_000 / grid::SEGMENT_MS } else { 1 };
    let rung = VideoRung {
        slot: Slot::S1,
        width: 416,
        height: 234,
        codecs: "avc1.64001f".into(),
        peak_bps: bps,
        average_bps: bps,
        audio: AudioSlot::Hi,
        alias_of: None,
        thinning: 1,
        spending: None,
    };
    let audio = AudioRendition {
        slot: AudioSlot::Hi,
        codecs: "mp4a.40.2".into(),
        channels: 2,
        peak_bps: bps,
        average_bps: bps,
    };
    let mut objects = BTreeMap::new();
    let main = Bytes::from(main(flavour, is_playable.then_some(bps)));
    objects.insert(main_playlist(), main.clone());
    objects.insert(audio_playlist(), main);
    for rendition in [Rendition::Video(Slot::S1), Rendition::Audio(AudioSlot::Hi)] {
        let text = |what: &str| Bytes::from(format!("#EXTM3U\n# {flavour} {rendition} {what}\n").repeat(40));
        objects.insert(rendition.init(), text("init"));
        let list = || hls::MediaPlaylist::lesson("init.mp4", segments.numbers().map(segment_name)).render();
        objects
            .insert(rendition.playlist(), if is_playable { Bytes::from(list()) } else { text("playlist") });
        if let Rendition::Video(_) = rendition {
            objects.insert(rendition.iframes(), text("pictures"));
        }
        for number in segments.numbers() {
            let seed = Digest::of(format!("{flavour} {rendition} {}", number.0).as_bytes()).0;
            objects.insert(rendition.segment(number), seed.into_iter().cycle().take(bytes).collect());
        }
    }
    let listed = objects.iter().map(|(path, bytes)| Object {
        path: path.clone(),
        bytes: bytes.len() as u64,
        sha256: Digest::of(bytes),
        media_type: path.media_type().expect("a path of ours has a type"),
    });
    let recipe = Recipe { name: "test".into(), sha256: Digest::of(b""), ffmpeg: "none".into() };
    let source = Source { sha256: Digest::of(flavour.as_bytes()), bytes: 1 };
    let manifest = Manifest {
        video: vec![rung],
        audio: vec![audio],
        objects: listed.collect(),
        ..Manifest::new(recipe, source, segments, FrameRate::Fps25)
    };
    Made { sealed: manifest.seal().expect("a whole package"), objects }
}

/// With its sound, where it is to be played at `bps` each.
fn main(flavour: &str, bps: Option<u64>) -> String {
    const GROUP: &str = "hi";
    let variant = hls::Variant {
        uri: "s1/index.m3u8".into(),
        bandwidth: bps.map_or(1, |bps| bps * 2),
        audio_group: bps.map(|_| GROUP.to_owned()),
        ..hls::Variant::default()
    };
    let sound = bps.map(|_| hls::Rendition {
        type_: hls::MediaType::Audio,
        group: GROUP.to_owned(),
        name: "sound".to_owned(),
        language: None,
        channels: None,
        default: true,
        autoselect: true,
        uri: Some("audio/hi/index.m3u8".to_owned()),
    });
    let playlist = hls::MultivariantPlaylist::new(vec![variant], sound.into_iter().collect()).render();
    format!("{playlist}# {flavour}\n")
}

impl Made {
    /// The pointer of a lesson that it is.
    pub fn pointer(&self) -> String {
        let main = std::str::from_utf8(&self.objects[&main_playlist()]).expect("a text of ours");
        let main = hls::MultivariantPlaylist::parse(main).expect("a list of ours");
        main.rebased(&self.sealed.id().seen_from_lesson()).render()
    }

    /// The paths of everything that a player may ask for, and what lies there.
    pub fn files(&self, lesson: &str) -> BTreeMap<String, Bytes> {
        let id = self.sealed.id();
        let lesson: LessonId = lesson.parse().expect("a name");
        let description = format!("{{\"lesson\":\"{lesson}\",\"package\":\"{id}\"}}\n");
        let mut files: BTreeMap<String, Bytes> =
            self.objects.iter().map(|(path, bytes)| (id.object(path).to_string(), bytes.clone())).collect();
        files.insert(id.manifest().to_string(), self.sealed.bytes().to_vec().into());
        files.insert(lesson.pointer().to_string(), self.pointer().into());
        files.insert(lesson.description().to_string(), description.into());
        files
    }

    /// Puts it into the store in `folder` as `lesson`.
    pub fn publish(&self, folder: &Path, lesson: &str) {
        for (path, bytes) in self.files(lesson) {
            let file = folder.join(path);
            fs::create_dir_all(file.parent().expect("an object lies in a folder")).expect("a scratch folder");
            fs::write(file, bytes).expect("a scratch folder takes files");
        }
    }
}
