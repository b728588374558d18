//! Planted defects: each a small change of the good package, each found by its rule's number.

use crate::bytes::{Package, atom, find, grow, length, replace, replace_in_all, without};
use crate::good::{judge, package};

type Defect = (&'static str, &'static str, fn(&mut Package));

/// What is planted, the rule that must find it, how it is planted.
const PLAYLISTS: &[Defect] = &[
    ("a variant without CODECS", "Apple 9.1", |p| without(p, "main.m3u8", "#EXT-X-STREAM-INF", "CODECS")),
    ("CODECS that name another level", "Apple 9.1", |p| {
        replace(p, "main.m3u8", "CODECS=\"avc1.42", "CODECS=\"avc1.64")
    }),
    ("CODECS without the sound", "Apple 9.1", |p| replace_in_all(p, "main.m3u8", ",mp4a.40.2\"", "\"")),
    ("a variant without RESOLUTION", "Apple 9.2", |p| {
        without(p, "main.m3u8", "#EXT-X-STREAM-INF", "RESOLUTION")
    }),
    ("RESOLUTION of another size", "Apple 9.2", |p| {
        replace(p, "main.m3u8", "RESOLUTION=640x360", "RESOLUTION=1280x720")
    }),
    ("I-frames without CODECS", "Apple 9.3", |p| without(p, "main.m3u8", "#EXT-X-I-FRAME", "CODECS")),
    ("I-frames without RESOLUTION", "Apple 9.4", |p| without(p, "main.m3u8", "#EXT-X-I-FRAME", "RESOLUTION")),
    ("BANDWIDTH a third too low", "Apple 1.27", |p| replace(p, "main.m3u8", ":BANDWIDTH=1", ":BANDWIDTH=0")),
    ("a peak above BANDWIDTH", "Apple 9.13", |p| replace(p, "main.m3u8", ":BANDWIDTH=1", ":BANDWIDTH=0")),
    ("AVERAGE-BANDWIDTH too high", "Apple 1.26", |p| {
        replace(p, "main.m3u8", ",AVERAGE-BANDWIDTH=", ",AVERAGE-BANDWIDTH=9")
    }),
    ("no AVERAGE-BANDWIDTH", "Apple 9.14", |p| {
        without(p, "main.m3u8", "#EXT-X-STREAM-INF", "AVERAGE-BANDWIDTH")
    }),
    ("no FRAME-RATE", "Apple 9.15", |p| without(p, "main.m3u8", "#EXT-X-STREAM-INF", "FRAME-RATE")),
    ("another FRAME-RATE", "Apple 9.15", |p| {
        replace_in_all(p, "main.m3u8", "FRAME-RATE=25.000", "FRAME-RATE=30.000")
    }),
    ("no variant for cellular", "Apple 9.21", |p| {
        replace_in_all(p, "main.m3u8", ":BANDWIDTH=", ":BANDWIDTH=9")
    }),
    ("sound alone among the variants", "Apple 9.20", |p| {
        let sound = "\n#EXT-X-STREAM-INF:BANDWIDTH=70000,AVERAGE-BANDWIDTH=70000,CODECS=\"mp4a.40.2\"\naudio/hi/index.m3u8\n";
        p.get_mut("main.m3u8").unwrap().extend(sound.bytes());
    }),
    ("SCORE on all variants but one", "Apple 9.19", |p| replace(p, "main.m3u8", ",SCORE=", ",X-SCORE=")),
    ("sound without LANGUAGE", "Apple 8.10", |p| without(p, "main.m3u8", "#EXT-X-MEDIA", "LANGUAGE")),
    ("a group that is not there", "RFC 8216bis 4.4.6.2", |p| {
        replace_in_all(p, "main.m3u8", "AUDIO=\"lo\"", "AUDIO=\"no\"")
    }),
    ("CHANNELS that lie", "RFC 8216bis 4.4.6.1", |p| {
        replace(p, "main.m3u8", "CHANNELS=\"2\"", "CHANNELS=\"6\"")
    }),
    ("no stereo", "Apple 2.3", |p| replace(p, "main.m3u8", "CHANNELS=\"2\"", "CHANNELS=\"1\"")),
    ("an attribute twice", "RFC 8216bis 4.2", |p| {
        replace(p, "main.m3u8", "#EXT-X-MEDIA:TYPE=AUDIO", "#EXT-X-MEDIA:TYPE=AUDIO,TYPE=AUDIO")
    }),
    ("no I-frame playlists", "Apple 6.1", |p| without_lines(p, "main.m3u8", "#EXT-X-I-FRAME-STREAM-INF")),
    ("independence told nowhere", "Apple 9.12", |p| {
        replace_in_all(p, ".m3u8", "#EXT-X-INDEPENDENT-SEGMENTS\n", "")
    }),
    ("no #EXTM3U", "RFC 8216bis 4.4.1.1", |p| replace(p, "s0/index.m3u8", "#EXTM3U\n", "")),
    ("an old version", "RFC 8216bis 4.4.1.2", |p| replace(p, "s0/index.m3u8", "VERSION:6", "VERSION:3")),
    ("no target duration", "RFC 8216bis 4.4.3.1", |p| {
        without_lines(p, "s0/index.m3u8", "#EXT-X-TARGETDURATION")
    }),
    ("a target duration too small", "RFC 8216bis 6.2.1", |p| {
        replace(p, "s0/index.m3u8", "TARGETDURATION:5", "TARGETDURATION:4")
    }),
    ("a segment far too long", "Apple 7.7", |p| replace(p, "s0/index.m3u8", "EXTINF:4.800", "EXTINF:9.800")),
    ("target durations that differ", "Apple 8.2", |p| {
        replace(p, "audio/hi/index.m3u8", "TARGETDURATION:5", "TARGETDURATION:6")
    }),
    ("EXTINF that adds up wrongly", "Apple 8.1", |p| {
        replace(p, "s1/index.m3u8", "EXTINF:4.800", "EXTINF:4.700")
    }),
    ("a title shorter in one variant", "Apple 8.3", |p| without_last_segment(p, "s1/index.m3u8")),
    ("sound that ends early", "Apple 2.15", |p| without_last_segment(p, "audio/hi/index.m3u8")),
    ("no playlist type", "Apple 8.6", |p| without_lines(p, "s0/index.m3u8", "#EXT-X-PLAYLIST-TYPE")),
    ("a VOD without end", "RFC 8216bis 6.2.1-M11", |p| without_lines(p, "s0/index.m3u8", "#EXT-X-ENDLIST")),
    ("a discontinuity in one variant", "Apple 8.14", |p| {
        replace(p, "s0/index.m3u8", "00001.m4s", "00001.m4s\n#EXT-X-DISCONTINUITY");
    }),
    ("another init without DISCONTINUITY", "Apple 8.13", |p| {
        let other = p["s0/init.mp4"].clone();
        p.insert("s0/other.mp4".to_owned(), other);
        replace(p, "s0/index.m3u8", "00001.m4s", "00001.m4s\n#EXT-X-MAP:URI=\"other.mp4\"");
    }),
    ("fMP4 without EXT-X-MAP", "Apple 8.20", |p| without_lines(p, "s0/index.m3u8", "#EXT-X-MAP")),
    ("a segment that is not there", "RFC 8216bis 6.2.1-M6", |p| drop(p.remove("s2/00001.m4s"))),
    ("segments in the wrong order", "Apple 7.1", |p| {
        replace(p, "s0/index.m3u8", "00001.m4s", "x");
        replace(p, "s0/index.m3u8", "00002.m4s", "00001.m4s");
        replace(p, "s0/index.m3u8", "x\n", "00002.m4s\n");
    }),
    ("I-frames that do not say so", "Apple 6.8", |p| {
        without_lines(p, "s2/iframes.m3u8", "#EXT-X-I-FRAMES-ONLY")
    }),
    ("a byte range off by some bytes", "Apple 6.16", |p| shift_ranges(p, "s2/iframes.m3u8", 7, 0)),
    ("a byte range that cuts the picture off", "Apple 6.16", |p| shift_ranges(p, "s2/iframes.m3u8", 0, -60)),
    ("subtitles without LANGUAGE", "Apple 4.7", |p| with_subtitles(p, 3, true, false)),
    ("subtitles that end early", "Apple 5.5", |p| with_subtitles(p, 1, true, true)),
    ("subtitles without X-TIMESTAMP-MAP", "Apple 5.3", |p| with_subtitles(p, 3, false, true)),
    ("subtitles that are no WebVTT", "Apple 5.2", |p| {
        with_subtitles(p, 3, true, true);
        replace(p, "subs/t/1.vtt", "WEBVTT", "WEB");
    }),
    ("a cue that ends before it starts", "WebVTT syntax", |p| {
        with_subtitles(p, 3, true, true);
        replace(p, "subs/t/1.vtt", "00:00:06.000", "00:00:04.000");
    }),
];

/// The same in boxes and samples.
const MEDIA: &[Defect] = &[
    ("tfdt off by a picture", "Apple 7.3", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let at = find(segment, b"tfdt");
        let end = at + length(segment, at);
        segment[end - 2] ^= 0x04;
    }),
    ("tfdt off the grid", "Airclass grid", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let at = find(segment, b"tfdt");
        let end = at + length(segment, at);
        segment[end - 1] ^= 1;
    }),
    ("no tfdt", "CMAF tfdt", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let at = find(segment, b"tfdt");
        segment[at + 4..at + 8].copy_from_slice(b"free");
    }),
    ("an edit list", "CMAF edts", |p| {
        insert(p, "s0/init.mp4", &[b"moov", b"trak"], &atom(b"edts", &atom(b"elst", &[0; 8])));
    }),
    ("two tracks in a file", "CMAF track", |p| {
        let init = &p["s0/init.mp4"];
        let at = find(init, b"trak");
        let track = init[at..at + length(init, at)].to_vec();
        insert(p, "s0/init.mp4", &[b"moov"], &track);
    }),
    ("two trafs in a moof", "CMAF traf", |p| {
        let segment = &p["s0/00001.m4s"];
        let at = find(segment, b"traf");
        let traf = segment[at..at + length(segment, at)].to_vec();
        insert(p, "s0/00001.m4s", &[b"moof"], &traf);
    }),
    ("no CMAF brand", "CMAF brands", |p| {
        let init = p.get_mut("s0/init.mp4").unwrap();
        while let Some(at) = init.windows(4).position(|four| four == b"cmfc") {
            init[at..at + 4].copy_from_slice(b"mp42");
        }
    }),
    ("a first picture that is no IDR", "Apple 7.4", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let nal = idr(segment);
        segment[nal] = segment[nal] & 0xe0 | 1;
    }),
    ("a NAL unit's length beyond the sample", "H.264 NAL", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let nal = idr(segment);
        segment[nal - 4] = 0x7f;
    }),
    ("composition offsets that begin late", "CMAF cts", |p| offsets(p, "s2/00001.m4s", 40)),
    ("composition offsets below zero", "CMAF cts", |p| offsets(p, "s2/00001.m4s", -40)),
    ("mdat with bytes of nobody", "CMAF data", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        let at = find(segment, b"mdat");
        grow(segment, at, 9);
        segment.extend([0; 9]);
    }),
    ("a segment cut short", "RFC 8216bis 3.1", |p| {
        let segment = p.get_mut("s0/00001.m4s").unwrap();
        segment.truncate(segment.len() - 100);
    }),
    ("an SPS of a level too low", "H.264 A.3", |p| {
        let init = p.get_mut("s2/init.mp4").unwrap();
        let at = find(init, b"avcC");
        // The level in the box and, behind version, sizes and the set's header, in the set.
        init[at + 11] = 10;
        init[at + 8 + 8 + 3] = 10;
    }),
    ("a level above 5.2", "Apple 1.3", |p| {
        let init = p.get_mut("s2/init.mp4").unwrap();
        let at = find(init, b"avcC");
        init[at + 11] = 62;
        init[at + 8 + 8 + 3] = 62;
    }),
    ("an avcC that contradicts its SPS", "H.264 avcC", |p| {
        let init = p.get_mut("s2/init.mp4").unwrap();
        let at = find(init, b"avcC");
        init[at + 11] = 51;
    }),
    ("an ASC of one channel for stereo", "AAC config", |p| {
        asc(p, "audio/hi/init.mp4", |config| config & !0x78 | 1 << 3)
    }),
    ("an ASC of another rate", "AAC config", |p| {
        asc(p, "audio/hi/init.mp4", |config| config & !0x0780 | 4 << 7)
    }),
    ("an ASC of HE-AAC", "Apple 9.1", |p| asc(p, "audio/hi/init.mp4", |config| config & 0x07ff | 5 << 11)),
    ("an init section without mvex", "RFC 8216bis 3.1.2", |p| {
        let init = p.get_mut("s0/init.mp4").unwrap();
        let at = find(init, b"mvex");
        init[at + 4..at + 8].copy_from_slice(b"free");
    }),
    ("something that is no media", "RFC 8216bis 3.1", |p| {
        drop(p.insert("s0/00001.m4s".to_owned(), b"<html>sorry</html>".to_vec()))
    }),
];

#[test]
fn each_planted_defect_is_found_by_its_number() {
    let good = package();
    let mut missed = Vec::new();
    for (what, rule, plant) in PLAYLISTS.iter().chain(MEDIA) {
        let mut package = good.clone();
        plant(&mut package);
        assert_ne!(package, good, "{what}: nothing was planted");
        let report = judge(&package);
        if !report.breaks(rule) {
            let found: Vec<_> =
                report.findings.iter().map(|finding| (finding.rule, &finding.found)).collect();
            missed.push(format!("{what}: {rule} not among {found:?}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
    assert!(PLAYLISTS.len() + MEDIA.len() >= 30);
}

fn without_lines(package: &mut Package, path: &str, tag: &str) {
    let text = String::from_utf8(package[path].clone()).unwrap();
    let kept: String =
        text.lines().filter(|line| !line.starts_with(tag)).map(|line| format!("{line}\n")).collect();
    package.insert(path.to_owned(), kept.into_bytes());
}

fn without_last_segment(package: &mut Package, path: &str) {
    let text = String::from_utf8(package[path].clone()).unwrap();
    let last = text.rfind("#EXTINF").unwrap();
    package.insert(path.to_owned(), format!("{}#EXT-X-ENDLIST\n", &text[..last]).into_bytes());
}

fn shift_ranges(package: &mut Package, path: &str, start: i64, length: i64) {
    let text = String::from_utf8(package[path].clone()).unwrap();
    let line =
        |line: &str| match line.strip_prefix("#EXT-X-BYTERANGE:").and_then(|range| range.split_once('@')) {
            Some((count, first)) => {
                let (count, first): (i64, i64) = (count.parse().unwrap(), first.parse().unwrap());
                format!("#EXT-X-BYTERANGE:{}@{}", count + length, first + start)
            }
            None => line.to_owned(),
        };
    let changed: Vec<_> = text.lines().map(line).collect();
    package.insert(path.to_owned(), (changed.join("\n") + "\n").into_bytes());
}

fn with_subtitles(package: &mut Package, segments: u64, map: bool, language: bool) {
    let mut list =
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n".to_owned();
    for number in 0..segments {
        list.push_str(&format!("#EXTINF:4.800,\n{number}.vtt\n"));
        let map = if map { "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:0\n" } else { "" };
        let start = number * 5;
        let text = format!("WEBVTT\n{map}\n00:00:{start:02}.000 --> 00:00:{:02}.000\n词\n", start + 1);
        package.insert(format!("subs/t/{number}.vtt"), text.into_bytes());
    }
    list.push_str("#EXT-X-ENDLIST\n");
    package.insert("subs/t/index.m3u8".to_owned(), list.into_bytes());
    let language = if language { ",LANGUAGE=\"zh-CN\"" } else { "" };
    let media = format!(
        "#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"t\",NAME=\"t\"{language},URI=\"subs/t/index.m3u8\"\n"
    );
    package.get_mut("main.m3u8").unwrap().extend(media.bytes());
}

/// Puts a box at the end of the box at the end of `path`.
fn insert(package: &mut Package, object: &str, path: &[&[u8; 4]], what: &[u8]) {
    let bytes = package.get_mut(object).unwrap();
    let places: Vec<usize> = path.iter().map(|kind| find(bytes, kind)).collect();
    let last = *places.last().unwrap();
    let end = last + length(bytes, last);
    bytes.splice(end..end, what.iter().copied());
    for place in places {
        grow(bytes, place, what.len() as i64);
    }
}

/// Where the header of the first IDR slice is.
fn idr(segment: &[u8]) -> usize {
    let mut at = find(segment, b"mdat") + 8;
    while segment[at + 4] & 31 != 5 {
        at += 4 + length(segment, at);
    }
    at + 4
}

/// Adds to every composition offset of a trun that has durations, sizes, flags or neither. In order of their flags.
fn offsets(package: &mut Package, path: &str, by: i32) {
    let segment = package.get_mut(path).unwrap();
    let at = find(segment, b"trun");
    let flags = u32::from_be_bytes(segment[at + 8..at + 12].try_into().unwrap());
    assert_ne!(flags & 0x800, 0, "the rung has B pictures");
    let count = length(segment, at + 12);
    let mut field = at + 16 + if flags & 1 != 0 { 4 } else { 0 } + if flags & 4 != 0 { 4 } else { 0 };
    let before = [0x100, 0x200, 0x400].iter().filter(|flag| flags & **flag != 0).count() * 4;
    for _ in 0..count {
        field += before;
        let offset = i32::from_be_bytes(segment[field..field + 4].try_into().unwrap()) + by;
        segment[field..field + 4].copy_from_slice(&offset.to_be_bytes());
        field += 4;
    }
}

/// Changes the first 16 bits of the AudioSpecificConfig.
fn asc(package: &mut Package, path: &str, change: fn(u16) -> u16) {
    let init = package.get_mut(path).unwrap();
    let mut at = find(init, b"esds") + 12;
    while init[at] != 5 {
        // Into ES descriptor and DecoderConfig, over their fields.
        let fields = if init[at] == 3 { 3 } else { 13 };
        at += 1;
        while init[at] & 0x80 != 0 {
            at += 1;
        }
        at += 1 + fields;
    }
    at += 1;
    while init[at] & 0x80 != 0 {
        at += 1;
    }
    at += 1;
    let changed = change(u16::from_be_bytes([init[at], init[at + 1]]));
    init[at..at + 2].copy_from_slice(&changed.to_be_bytes());
}
