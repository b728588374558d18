//! Stores with a few objects in them.

use std::path::Path;

/// The name of a package that nobody made with FFmpeg.
pub const PACKAGE: &str = "0123456789abcdef0123456789abcdef01234567";

/// Puts a file at `path` below `store`.
pub fn put(store: &Path, path: &str, bytes: &[u8]) {
    let file = store.join(path);
    let folder = file.parent().expect("an object lies in a folder");
    std::fs::create_dir_all(folder).expect("a scratch folder takes folders");
    std::fs::write(file, bytes).expect("a scratch folder takes files");
}

/// The path of segment `number` of the smallest rung.
pub fn segment(number: u32) -> String {
    format!("p/{PACKAGE}/s0/{number:05}.m4s")
}

/// `length` bytes that are not all alike.
pub fn pattern(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at % 251) as u8).collect()
}

/// Lesson `sample` of two rungs and one sound, as ingest lays it out. Its segments hold no pictures: nobody looks.
pub fn lesson(store: &Path, segments: usize) {
    let package = format!("p/{PACKAGE}");
    let main = |prefix: &str| {
        let rung = |bits: u32, size: &str, slot: &str| {
            format!(
                "#EXT-X-STREAM-INF:BANDWIDTH={bits},CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION={size},AUDIO=\"hi\"\n\
                 {prefix}{slot}/index.m3u8\n"
            )
        };
        format!(
            "#EXTM3U\n#EXT-X-VERSION:4\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"hi\",NAME=\"a\",DEFAULT=YES,AUTOSELECT=YES,\
             URI=\"{prefix}audio/hi/index.m3u8\"\n{}{}",
            rung(700_000, "640x360", "s2"),
            rung(180_000, "256x144", "s0")
        )
    };
    put(store, "lessons/sample/main.m3u8", main(&format!("../../{package}/")).as_bytes());
    let listed: String = (0..segments).map(|number| format!("#EXTINF:4.800,\n{number:05}.m4s\n")).collect();
    let list = format!(
        "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:5\n#EXT-X-PLAYLIST-TYPE:VOD\n\
         #EXT-X-MAP:URI=\"init.mp4\"\n{listed}#EXT-X-ENDLIST\n"
    );
    for (folder, length) in [("s0", 60_000), ("s2", 300_000), ("audio/hi", 40_000)] {
        put(store, &format!("{package}/{folder}/index.m3u8"), list.as_bytes());
        put(store, &format!("{package}/{folder}/init.mp4"), &pattern(800));
        for number in 0..segments {
            put(store, &format!("{package}/{folder}/{number:05}.m4s"), &pattern(length));
        }
    }
}
