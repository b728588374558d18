//! What a file really is, when it is none of ours: told by its first bytes.
//!
//! FFmpeg would not take these either (the list of containers is closed), but "not a video" helps nobody who renamed a
//! playlist, and some of them are how FFmpeg was once made to open other files.

use std::fmt;

/// Bytes looked at.
pub(super) const LOOK: usize = 4 << 10;

/// What a file really is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disguise {
    /// HLS, or another list of addresses.
    Playlist,
    /// A script for FFmpeg that joins other files.
    Concat,
    /// SDP: the description of a stream elsewhere.
    Session,
    /// DASH, SMIL, a web page.
    Markup,
    /// One picture, or several.
    Picture,
    /// Zip, and office documents, which are zip.
    Archive,
    /// PDF, older office documents.
    Document,
    /// AVI, Flash, Windows Media, Ogg, RealMedia, a DVD's stream: a video, but none that is accepted.
    OtherVideo,
}

impl Disguise {
    /// The fault's code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Playlist => "SOURCE_IS_PLAYLIST",
            Self::Concat => "SOURCE_IS_CONCAT_SCRIPT",
            Self::Session => "SOURCE_IS_SDP",
            Self::Markup => "SOURCE_IS_XML",
            Self::Picture => "SOURCE_IS_PICTURE",
            Self::Archive => "SOURCE_IS_ARCHIVE",
            Self::Document => "SOURCE_IS_DOCUMENT",
            Self::OtherVideo => "SOURCE_NOT_MEDIA",
        }
    }
}

impl Disguise {
    /// What whoever has such a file does next.
    pub(crate) fn way_out(self) -> &'static str {
        match self {
            Self::OtherVideo => "convert or export it as MP4 (H.264 and AAC)",
            _ => "give the video itself, as MP4",
        }
    }
}

impl fmt::Display for Disguise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Playlist => "a playlist, which only names other files",
            Self::Concat => "a script that joins other files",
            Self::Session => "the description of a stream (SDP)",
            Self::Markup => "XML or a web page (a DASH manifest, perhaps)",
            Self::Picture => "a picture",
            Self::Archive => "an archive or an office document",
            Self::Document => "a document",
            Self::OtherVideo => "a video of another kind than MP4, MOV, MKV, WebM and MPEG-TS",
        })
    }
}

/// How files begin that are none of ours: where, what, what it is.
const SIGNATURES: [(usize, &[u8], Disguise); 29] = [
    (0, b"\x89PNG\r\n\x1a\n", Disguise::Picture),
    (0, b"\xff\xd8\xff", Disguise::Picture),
    (0, b"GIF8", Disguise::Picture),
    (0, b"II*\0", Disguise::Picture),
    (0, b"MM\0*", Disguise::Picture),
    (0, b"8BPS", Disguise::Picture),
    (8, b"WEBP", Disguise::Picture),
    (0, b"\0\0\0\x0cJXL \r\n\x87\n", Disguise::Picture),
    (0, b"\0\0\0\x0cjP  \r\n\x87\n", Disguise::Picture),
    // Pictures in boxes: HEIF and AVIF.
    (4, b"ftypheic", Disguise::Picture),
    (4, b"ftypheix", Disguise::Picture),
    (4, b"ftypmif1", Disguise::Picture),
    (4, b"ftypavif", Disguise::Picture),
    (0, b"PK\x03\x04", Disguise::Archive),
    (0, b"PK\x05\x06", Disguise::Archive),
    (0, b"Rar!\x1a\x07", Disguise::Archive),
    (0, b"7z\xbc\xaf\x27\x1c", Disguise::Archive),
    (0, b"\x1f\x8b\x08", Disguise::Archive),
    (257, b"ustar", Disguise::Archive),
    (0, b"%PDF-", Disguise::Document),
    (0, b"{\\rtf", Disguise::Document),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Disguise::Document),
    (8, b"AVI ", Disguise::OtherVideo),
    (0, b"FLV\x01", Disguise::OtherVideo),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Disguise::OtherVideo),
    (0, b"OggS", Disguise::OtherVideo),
    (0, b".RMF", Disguise::OtherVideo),
    (0, b"\0\0\x01\xba", Disguise::OtherVideo),
    (0, b"YUV4MPEG2 ", Disguise::OtherVideo),
];

/// How texts begin, behind a byte order mark and blanks, in small letters.
const TEXTS: [(&[u8], Disguise); 14] = [
    (b"#extm3u", Disguise::Playlist),
    (b"#extinf", Disguise::Playlist),
    (b"#ext-x-", Disguise::Playlist),
    (b"[playlist]", Disguise::Playlist),
    (b"[reference]", Disguise::Playlist),
    (b"<asx", Disguise::Playlist),
    (b"ffconcat", Disguise::Concat),
    (b"<?xml", Disguise::Markup),
    (b"<mpd", Disguise::Markup),
    (b"<smil", Disguise::Markup),
    (b"<smoothstreamingmedia", Disguise::Markup),
    (b"<html", Disguise::Markup),
    (b"<!doctype", Disguise::Markup),
    (b"<svg", Disguise::Picture),
];

/// Recognises a file by its first [`LOOK`] bytes; `None` if it may be one of ours.
pub(super) fn recognise(start: &[u8]) -> Option<Disguise> {
    let is_there = |at: usize, what: &[u8]| start.get(at..).is_some_and(|rest| rest.starts_with(what));
    if let Some((.., disguise)) = SIGNATURES.iter().find(|(at, what, _)| is_there(*at, what)) {
        return Some(*disguise);
    }
    // Text in two bytes a letter reads the same without its zeros.
    let plain: Vec<u8> = start.iter().filter(|byte| **byte != 0).map(u8::to_ascii_lowercase).collect();
    let blank = |byte: &u8| byte.is_ascii_whitespace() || [0xef, 0xbb, 0xbf, 0xff, 0xfe].contains(byte);
    let text = &plain[plain.iter().position(|byte| !blank(byte)).unwrap_or(plain.len())..];
    if let Some((_, disguise)) = TEXTS.iter().find(|(what, _)| text.starts_with(what)) {
        return Some(*disguise);
    }
    is_session(text).then_some(Disguise::Session)
}

/// SDP begins with its version, and FFmpeg takes any text with a connection line for it (RFC 8866 §5).
fn is_session(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| matches!(byte, b'\n' | b'\r'));
    let first = lines.clone().find(|line| !line.is_empty());
    first == Some(b"v=0") || lines.any(|line| line.starts_with(b"c=in ip"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_video_of_another_kind_is_to_be_converted() {
        let told = |disguise| crate::fault::SourceFault::Disguised(disguise).to_string();
        assert!(told(Disguise::OtherVideo).ends_with("MPEG-TS; convert or export it as MP4 (H.264 and AAC)"));
        assert!(told(Disguise::Picture).ends_with("really a picture; give the video itself, as MP4"));
    }

    #[test]
    fn what_is_none_of_ours_is_named() {
        let wide: Vec<u8> =
            b"\xff\xfe".iter().copied().chain(b"#EXTM3U".iter().flat_map(|b| [*b, 0])).collect();
        let cases: [(&[u8], Option<Disguise>); 14] = [
            (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", Some(Disguise::Playlist)),
            (b"\xef\xbb\xbf\n #EXTM3U\n", Some(Disguise::Playlist)),
            (&wide, Some(Disguise::Playlist)),
            (b"ffconcat version 1.0\nfile /etc/passwd\n", Some(Disguise::Concat)),
            (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", Some(Disguise::Session)),
            (b"hello\nc=IN IP4 10.0.0.1\n", Some(Disguise::Session)),
            (b"  <?xml version=\"1.0\"?><MPD/>", Some(Disguise::Markup)),
            (b"\x89PNG\r\n\x1a\n....", Some(Disguise::Picture)),
            (b"RIFF....AVI LIST", Some(Disguise::OtherVideo)),
            (b"\0\0\0\x18ftypheic", Some(Disguise::Picture)),
            (b"\0\0\0\x18ftypisom", None),
            (b"\x1a\x45\xdf\xa3", None),
            (b"\x47\x40\x00", None),
            (b"", None),
        ];
        for (start, expected) in cases {
            assert_eq!(recognise(start), expected, "{}", start.escape_ascii());
        }
    }
}
