//! Bytes to text: spreadsheets in China save UTF-8 with a mark, UTF-16 or GBK.

use encoding_rs::{Encoding, GB18030, UTF_8};

/// The text of a file: by its byte order mark; else UTF-8 when it is valid, else GB 18030, which holds GBK and GB 2312.
/// `None` when it is none of these.
pub(super) fn decode(bytes: &[u8]) -> Option<String> {
    let encoding = match Encoding::for_bom(bytes) {
        Some((encoding, _)) => encoding,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => GB18030,
    };
    let (text, _, malformed) = encoding.decode(bytes);
    // Binary data is often "valid" in double-byte encodings; text holds no NUL.
    (!malformed && !text.contains('\0')).then(|| text.into_owned())
}
