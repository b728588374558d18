//! A folder of hostile and odd files: each ends published or with a typed fault of the input, in time and within memory.

use crate::clip::{AAC, Bench, H264, pictures, tone};
use crate::lesson::program;
use nix::sys::resource::{UsageWho, getrusage};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What no process of ours may take, resident: a worker's limit on memory, in kB.
const MAX_RESIDENT_KB: i64 = 6 << 20;

/// Runs all files; the code each ended with, `done` when it was published.
fn endings(bench: &Bench, files: &[PathBuf]) -> Vec<(String, String)> {
    let paths: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let output = program(bench, &paths).arg("--json").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{:?}\n{said}", output.status);
    assert!(!said.contains("panicked") && !said.contains("MEDIA_"), "{said}");
    let text = String::from_utf8(output.stdout).unwrap();
    let events = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let ends: Vec<String> = events
        .filter_map(|event| match event["event"].as_str()? {
            "done" => Some("done".to_owned()),
            "failed" => Some(event["code"].as_str()?.to_owned()),
            _ => None,
        })
        .collect();
    assert_eq!(ends.len(), files.len(), "an ending for each file\n{text}\n{said}");
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).unwrap();
    assert!(usage.max_rss() < MAX_RESIDENT_KB, "{} kB", usage.max_rss());
    let names = files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
    names.zip(ends).collect()
}

/// Files, and how they may end: exactly one code, or as it comes.
struct Folder {
    bench: Bench,
    files: Vec<PathBuf>,
    expected: Vec<&'static str>,
}

impl Folder {
    fn new() -> Self {
        Self { bench: Bench::new(), files: Vec::new(), expected: Vec::new() }
    }

    fn add(&mut self, name: &str, bytes: &[u8], expected: &'static str) {
        let path = self.bench.path(name);
        fs::write(&path, bytes).unwrap();
        self.files.push(path);
        self.expected.push(expected);
    }

    fn check(&self) {
        for ((name, code), expected) in endings(&self.bench, &self.files).into_iter().zip(&self.expected) {
            let typed = code == "done" || code.starts_with("SOURCE_") || code.starts_with("WORKER_");
            assert!(typed && (expected.is_empty() || code == *expected), "{name}: {code}, not {expected}");
        }
    }
}

/// Name, box, place in it, new bytes, ending.
type Patch<'a> = (&'a str, &'a [u8; 4], usize, &'a [u8], &'static str);

/// One second of a lesson.
fn small(bench: &Bench, name: &str) -> Vec<u8> {
    let options = format!("{} {} {H264} {AAC}", pictures("160x90", 25, 1), tone(1));
    fs::read(bench.clip(name, &options)).unwrap()
}

/// The place of the first box of this type: where its size stands. In the index, for names occur elsewhere too.
fn place(file: &[u8], kind: &[u8; 4]) -> usize {
    let find =
        |from: usize, kind: &[u8; 4]| (from..file.len() - 4).find(|&at| &file[at..at + 4] == kind).unwrap();
    let index = find(4, b"moov");
    find(if kind == b"mdat" { 4 } else { index }, kind) - 4
}

/// A copy with these bytes at `at` behind the box's header.
fn patched(file: &[u8], kind: &[u8; 4], at: usize, bytes: &[u8]) -> Vec<u8> {
    let start = place(file, kind) + 8 + at;
    let mut copy = file.to_vec();
    copy[start..start + bytes.len()].copy_from_slice(bytes);
    copy
}

/// A copy whose box says that it has this size.
fn sized(file: &[u8], kind: &[u8; 4], size: u32) -> Vec<u8> {
    let start = place(file, kind);
    let mut copy = file.to_vec();
    copy[start..start + 4].copy_from_slice(&size.to_be_bytes());
    copy
}

/// A copy with some bits turned, always the same ones.
fn flipped(file: &[u8], seed: u64, flips: usize, from: usize) -> Vec<u8> {
    let mut copy = file.to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..flips {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let at = from + (state >> 8) as usize % (copy.len() - from);
        copy[at] ^= 1 << (state & 7);
    }
    copy
}

#[test]
fn other_things_under_a_videos_name() {
    let mut folder = Folder::new();
    let texts: [(&str, &[u8], &'static str); 12] = [
        (
            "hls",
            b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
            "SOURCE_IS_PLAYLIST",
        ),
        ("concat", b"ffconcat version 1.0\nfile '/etc/passwd'\n", "SOURCE_IS_CONCAT_SCRIPT"),
        (
            "sdp",
            b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\nc=IN IP4 127.0.0.1\r\nm=video 5004 RTP/AVP 96\r\n",
            "SOURCE_IS_SDP",
        ),
        ("dash", b"<?xml version=\"1.0\"?><MPD><BaseURL>file:///etc/passwd</BaseURL></MPD>", "SOURCE_IS_XML"),
        ("smil", b"<smil><video src=\"file:///etc/passwd\"/></smil>", "SOURCE_IS_XML"),
        ("text", b"dear all, the lesson is attached\n", "SOURCE_NOT_MEDIA"),
        ("png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "SOURCE_IS_PICTURE"),
        ("zip", b"PK\x03\x04\x14\0\0\0\x08\0", "SOURCE_IS_ARCHIVE"),
        ("pdf", b"%PDF-1.7\n", "SOURCE_IS_DOCUMENT"),
        ("avi", b"RIFF\xff\xff\0\0AVI LIST\0\0\0\0GAB2\0#EXTM3U\nfile:///etc/passwd", "SOURCE_NOT_MEDIA"),
        ("zeros", &[0; 70_000], "SOURCE_NOT_MEDIA"),
        ("one", b"\0", "SOURCE_NOT_MEDIA"),
    ];
    for (name, bytes, expected) in texts {
        folder.add(&format!("{name}.mp4"), bytes, expected);
    }
    folder.add("noise.mkv", &flipped(&[0x55; 90_000], 7, 90_000, 0), "SOURCE_NOT_MEDIA");
    folder.check();
}

#[test]
fn indexes_that_lie() {
    let mut folder = Folder::new();
    let whole = small(&folder.bench, "source.mp4");
    let huge = u32::MAX.to_be_bytes();
    let patches: [Patch<'_>; 12] = [
        ("huge-stsz", b"stsz", 8, &huge, "SOURCE_HEADERS"),
        ("huge-stts", b"stts", 4, &huge, "SOURCE_HEADERS"),
        ("huge-ctts-or-stsc", b"stsc", 4, &huge, "SOURCE_HEADERS"),
        ("huge-stco", b"stco", 4, &huge, "SOURCE_HEADERS"),
        ("far-stco", b"stco", 8, &huge, ""),
        ("no-scale", b"mdhd", 12, &[0; 4], "SOURCE_HEADERS"),
        ("negative-duration", b"mvhd", 16, &[0xff, 0xff, 0xff, 0], "SOURCE_HEADERS"),
        ("negative-track", b"mdhd", 16, &[0x80, 0, 0, 1], "SOURCE_HEADERS"),
        ("16k-by-16k", b"avc1", 24, &[0x40, 0, 0x40, 0], "SOURCE_TOO_LARGE"),
        ("encrypted", b"avc1", 78 + 4, b"sinf", "SOURCE_ENCRYPTED"),
        ("elsewhere", b"url ", 3, &[0], ""),
        ("no-pictures", b"stts", 12, &huge, ""),
    ];
    for (name, kind, at, bytes, expected) in patches {
        folder.add(&format!("{name}.mp4"), &patched(&whole, kind, at, bytes), expected);
    }
    for (name, kind, size, expected) in [
        ("empty-trak", b"trak", 0, ""),
        ("small-mdia", b"mdia", 4, "SOURCE_HEADERS"),
        ("large-stbl", b"stbl", 1 << 30, "SOURCE_HEADERS"),
        ("large-moov", b"moov", 1 << 30, "SOURCE_TRUNCATED"),
        ("empty-mdat", b"mdat", 0, "SOURCE_TRUNCATED"),
    ] {
        folder.add(&format!("{name}.mp4"), &sized(&whole, kind, size), expected);
    }
    let boxed = |kind: &[u8; 4], content: &[u8]| {
        [&(content.len() as u32 + 8).to_be_bytes(), kind.as_slice(), content].concat()
    };
    let deep = (0..2_000).fold(Vec::new(), |inside, _| boxed(b"udta", &inside));
    folder.add("deep.mp4", &[boxed(b"ftyp", b"isom"), boxed(b"moov", &deep)].concat(), "SOURCE_HEADERS");
    let tracks = boxed(b"moov", &boxed(b"trak", &[]).repeat(100));
    folder.add("hundred-tracks.mp4", &[boxed(b"ftyp", b"isom"), tracks].concat(), "SOURCE_HEADERS");
    let nowhere = [b"\0\0\0\0".as_slice(), b"file:///etc/passwd\0"].concat();
    let dref = boxed(b"dref", &[&[0, 0, 0, 0, 0, 0, 0, 1], boxed(b"url ", &nowhere).as_slice()].concat());
    let movie =
        [b"dinf", b"minf", b"mdia", b"trak", b"moov"].iter().fold(dref, |inside, kind| boxed(kind, &inside));
    folder.add("reference.mp4", &[boxed(b"ftyp", b"isom"), movie].concat(), "SOURCE_REFERENCE");
    folder.check();
}

#[test]
fn torn_at_every_box_and_flipped() {
    let mut folder = Folder::new();
    let whole = small(&folder.bench, "source.mp4");
    let mut cuts = BTreeSet::new();
    let mut at = 0;
    while at < whole.len() {
        let size = u32::from_be_bytes([whole[at], whole[at + 1], whole[at + 2], whole[at + 3]]) as usize;
        cuts.extend([at + 8, at + 12, at + size / 2, at + size - 1]);
        at += size;
    }
    for cut in cuts {
        folder.add(&format!("cut-{cut}.mp4"), &whole[..cut], "SOURCE_TRUNCATED");
    }
    let index = place(&whole, b"moov");
    for seed in 0..4 {
        folder.add(&format!("index-{seed}.mp4"), &flipped(&whole, seed + 1, 6, index), "");
        folder.add(&format!("media-{seed}.mp4"), &flipped(&whole[..], seed + 50, 40, 48), "");
    }
    folder.check();
}

#[test]
fn other_containers_bent() {
    let mut folder = Folder::new();
    let matroska = small(&folder.bench, "source.mkv");
    let segment = (0..matroska.len()).find(|&at| matroska[at..].starts_with(b"\x18\x53\x80\x67")).unwrap();
    let mut huge = matroska.clone();
    huge[segment + 4..segment + 12].copy_from_slice(&[1, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    folder.add("huge-segment.mkv", &huge, "");
    // The length and the rate of sound as floating-point numbers that are none.
    for (name, id) in [("nan-length", b"\x44\x89\x88".as_slice()), ("nan-rate", b"\xb5\x88".as_slice())] {
        let at = (0..matroska.len()).find(|&at| matroska[at..].starts_with(id)).unwrap() + id.len();
        let mut bent = matroska.clone();
        bent[at..at + 8].copy_from_slice(&f64::NAN.to_be_bytes());
        folder.add(&format!("{name}.mkv"), &bent, "");
    }
    folder.add("half.mkv", &matroska[..matroska.len() / 2], "");
    folder.add("head.mkv", &matroska[..200], "");
    for seed in 0..2 {
        folder.add(&format!("flipped-{seed}.mkv"), &flipped(&matroska, seed + 9, 30, 0), "");
    }
    let transport = small(&folder.bench, "source.ts");
    let garbage = flipped(&[0; 3_000], 3, 9_000, 0);
    folder.add("garbage-before.ts", &[garbage.clone(), transport.clone()].concat(), "");
    let (first, second) = transport.split_at(transport.len() / 2);
    folder.add("garbage-between.ts", &[first, &garbage, second].concat(), "");
    folder.add("flipped.ts", &flipped(&transport, 77, 60, 0), "");
    folder.add("sync-only.ts", &[0x47; 188 * 200], "");
    folder.check();
}
