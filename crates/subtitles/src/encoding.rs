//! Bytes to text. Files of Chinese teachers are as often GBK as UTF-8.

use crate::error::{ParseError, Problem};
use encoding_rs::{Encoding, GB18030, UTF_8, UTF_16BE, UTF_16LE};

/// How many bytes are looked at to tell UTF-16 without a mark.
const LOOK: usize = 1_024;

/// The text of a file: by its byte order mark; else UTF-8 if it is valid, UTF-16 if every other byte looks like it,
/// GB 18030 (which holds GBK and GB 2312) if that is valid.
///
/// # Errors
/// When it is none of these.
pub fn decode(bytes: &[u8]) -> Result<String, ParseError> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => utf16(bytes).unwrap_or(GB18030),
    };
    let (text, _, malformed) = encoding.decode(bytes);
    // Binary data is often "valid" in double-byte encodings; text holds no NUL.
    if malformed || text.contains('\0') { Err(Problem::Encoding.at(1)) } else { Ok(text.into_owned()) }
}

/// Line ends and digits of times are ASCII: in UTF-16 they make zero bytes at even or at odd places.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    let look = &bytes[..bytes.len().min(LOOK)];
    let zeros = |from: usize| look.iter().skip(from).step_by(2).filter(|&&byte| byte == 0).count();
    match (zeros(0), zeros(1)) {
        (0, low) if low > look.len() / 8 => Some(UTF_16LE),
        (high, 0) if high > look.len() / 8 => Some(UTF_16BE),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn teachers_encodings_are_told_apart() {
        let text = "1\r\n00:00:01,000 --> 00:00:02,000\r\n孔乙己是站着喝酒\r\n";
        let utf16 = |mark: &[u8], order: fn(u16) -> [u8; 2]| {
            let mut bytes = mark.to_vec();
            bytes.extend(text.encode_utf16().flat_map(order));
            bytes
        };
        for (name, bytes) in [
            ("UTF-8", text.as_bytes().to_vec()),
            ("UTF-8 with mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
            ("GBK", GB18030.encode(text).0.into_owned()),
            ("UTF-16LE with mark", utf16(b"\xff\xfe", u16::to_le_bytes)),
            ("UTF-16BE with mark", utf16(b"\xfe\xff", u16::to_be_bytes)),
            ("UTF-16LE", utf16(b"", u16::to_le_bytes)),
            ("UTF-16BE", utf16(b"", u16::to_be_bytes)),
        ] {
            assert_eq!(decode(&bytes).as_deref(), Ok(text), "{name}");
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        for bytes in [&b"\xff"[..], b"a\0b", b"\x80\x81\xff\xff", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"] {
            assert_eq!(decode(bytes), Err(Problem::Encoding.at(1)), "{bytes:?}");
        }
    }
}
