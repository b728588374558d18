//! Text tracks within the source: the container gives the times, a packet the text.

use crate::cue::{Cue, MAX_CUE_TEXT};
use crate::encoding::decode;
use crate::markup::{Markup, to_cue_text};

/// How a packet's text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PacketFormat {
    /// SubRip within Matroska: text with tags.
    SubRip,
    /// ASS within Matroska: `ReadOrder, Layer, Style, Name, MarginL, MarginR, MarginV, Effect, Text`.
    Ass,
    /// WebVTT within Matroska.
    WebVtt,
    /// 3GPP Timed Text within MP4 (3GPP TS 26.245): a length of 16 bits, the text, and boxes of style behind it.
    TimedText,
    /// Text without markup.
    Plain,
}

impl PacketFormat {
    /// The cue that a packet shows from `start_ms` to `end_ms`; `None` when there is nothing to show or it is no text.
    pub fn cue(self, start_ms: u64, end_ms: u64, packet: &[u8]) -> Option<Cue> {
        let packet = match self {
            Self::TimedText => {
                let (length, text) = packet.split_first_chunk()?;
                text.get(..usize::from(u16::from_be_bytes(*length)))?
            }
            _ => packet,
        };
        // In Unicode by every format's rule; what was copied from a teacher's file stays as it was there.
        let text =
            Some(packet).filter(|text| text.len() <= MAX_CUE_TEXT).and_then(|text| decode(text).ok())?;
        let (text, markup) = match self {
            Self::SubRip => (text.as_str(), Markup::Srt),
            Self::WebVtt => (text.as_str(), Markup::WebVtt),
            Self::Ass => (text.splitn(9, ',').nth(8)?, Markup::Ass),
            Self::TimedText | Self::Plain => (text.as_str(), Markup::Plain),
        };
        Cue::new(start_ms, end_ms, to_cue_text(text, markup))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_by_table() {
        for (format, packet, text) in [
            (PacketFormat::SubRip, &b"<i>a</i>"[..], Some("<i>a</i>")),
            (PacketFormat::Ass, b"1,0,Default,,0,0,0,,{\\b1}a{\\b0}, b", Some("<b>a</b>, b")),
            (PacketFormat::Ass, b"1,0,Default", None),
            (PacketFormat::WebVtt, b"<v Ann>a", Some("a")),
            (PacketFormat::TimedText, b"\0\x03a<b\0\0\0\x0cstyl", Some("a&lt;b")),
            (PacketFormat::TimedText, b"\0\0", None),
            (PacketFormat::TimedText, b"\0\x09a", None),
            (PacketFormat::TimedText, b"\0", None),
            (PacketFormat::TimedText, b"\0\x06\xfe\xff\x54\x0c\x5b\x66", Some("同学")),
            (PacketFormat::SubRip, b"\xbf\xce\xce\xc4", Some("课文")),
            (PacketFormat::Plain, b"\xff\xfe", None),
            (PacketFormat::Plain, b"\xff\xff", None),
        ] {
            let cue = format.cue(1, 2, packet);
            assert_eq!(cue.as_ref().map(|cue| cue.text.as_str()), text, "{format:?} {packet:?}");
        }
    }
}
