//! What is wrong is named by its line; what is only unknown is passed over.

use super::*;

#[test]
fn multivariant_errors_name_their_line() {
    for (text, line, problem) in [
        ("", 1, Problem::NotAPlaylist),
        ("\u{feff}#EXTM3U\n", 1, Problem::NotAPlaylist),
        ("#EXTM3U8\n", 1, Problem::NotAPlaylist),
        ("#EXTM3U\ns0.m3u8\n", 2, Problem::Unpaired("a URI")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", 2, Problem::Unpaired("#EXT-X-STREAM-INF")),
        ("#EXTM3U\n#EXTINF:4,\n", 2, Problem::WrongKind("#EXTINF")),
        (
            "#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\"\nx\n",
            2,
            Problem::Attribute { tag: "#EXT-X-STREAM-INF", attribute: "BANDWIDTH" },
        ),
        (
            "#EXTM3U\n\n#EXT-X-STREAM-INF:BANDWIDTH=x\n",
            3,
            Problem::Value { tag: "BANDWIDTH", value: "x".into() },
        ),
        ("#EXTM3U\n#EXT-X-STREAM-INF:CODECS=\"a\n", 2, Problem::Attributes("#EXT-X-STREAM-INF")),
        ("#EXTM3U\n#EXT-X-STREAM-INF:A=\"b\"c\n", 2, Problem::Attributes("#EXT-X-STREAM-INF")),
        (
            "#EXTM3U\n#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1\n",
            2,
            Problem::Attribute { tag: "#EXT-X-I-FRAME-STREAM-INF", attribute: "URI" },
        ),
        (
            "#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"a\"\n",
            2,
            Problem::Attribute { tag: "#EXT-X-SESSION-DATA", attribute: "VALUE" },
        ),
        (
            "#EXTM3U\n#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"b\",URI=\"c\"\n",
            2,
            Problem::Attributes("#EXT-X-SESSION-DATA"),
        ),
    ] {
        assert_eq!(MultivariantPlaylist::parse(text), Err(ParseError { line, problem }), "{text:?}");
    }
}

#[test]
fn media_errors_name_their_line() {
    let target = "#EXTM3U\n#EXT-X-TARGETDURATION:5\n";
    for (text, line, problem) in [
        ("#EXTM3U\n".to_owned(), 2, Problem::Missing("#EXT-X-TARGETDURATION")),
        (format!("{target}#EXT-X-TARGETDURATION:5\n"), 3, Problem::Repeated("#EXT-X-TARGETDURATION")),
        (format!("{target}#EXTINF:4.8,\n#EXTINF:4.8,\n"), 3, Problem::Unpaired("#EXTINF")),
        (format!("{target}#EXTINF:4.8,\n"), 3, Problem::Unpaired("#EXTINF")),
        (format!("{target}0.m4s\n"), 3, Problem::Unpaired("a URI")),
        (format!("{target}#EXTINF:-1,\n"), 3, Problem::Value { tag: "#EXTINF", value: "-1,".into() }),
        (format!("{target}#EXT-X-MEDIA:TYPE=AUDIO\n"), 3, Problem::WrongKind("#EXT-X-MEDIA")),
        (
            format!("{target}#EXT-X-PLAYLIST-TYPE:LIVE\n"),
            3,
            Problem::Value { tag: "#EXT-X-PLAYLIST-TYPE", value: "LIVE".into() },
        ),
    ] {
        assert_eq!(MediaPlaylist::parse(&text), Err(ParseError { line, problem }), "{text:?}");
    }
}

#[test]
fn unknown_tags_comments_and_windows_line_ends_are_passed_over() {
    let text = "#EXTM3U\r\n# made elsewhere\r\n#EXT-X-TARGETDURATION:6\r\n#EXT-X-NEW:1\r\n\r\n\
                #EXTINF:6.006,第一节\r\n#EXT-X-BITRATE:9\r\nseg 0.ts\r\n";
    let playlist = MediaPlaylist::parse(text).unwrap();
    assert_eq!(
        playlist.segments,
        [Segment { uri: "seg 0.ts".to_owned(), duration_ms: 6_006, ..Segment::default() }]
    );
    assert_eq!((playlist.version, playlist.playlist_type, playlist.end_list), (1, None, false));
}

#[test]
fn an_endless_playlist_is_refused() {
    let text = format!("#EXTM3U\n{}", "#\n".repeat(MAX_PLAYLIST_BYTES / 2));
    assert_eq!(MediaPlaylist::parse(&text).unwrap_err().problem, Problem::TooLong);
}
