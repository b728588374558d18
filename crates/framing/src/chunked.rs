//! The lines between a chunked body's data (RFC 9112 §7.1).

use crate::Fault;
use crate::head::trim;

/// Hexadecimal digits of a chunk's size: what fits 64 bits. Some count digits, some overflow.
const MAX_DIGITS: usize = 16;

/// Fields that say something before the body is read; at its end they would be believed by some and not by others
/// (RFC 9110 §6.5.1).
const NOT_TRAILERS: [&[u8]; 16] = [
    b"content-length",
    b"transfer-encoding",
    b"host",
    b"trailer",
    b"te",
    b"connection",
    b"upgrade",
    b"authorization",
    b"cookie",
    b"set-cookie",
    b"content-encoding",
    b"content-type",
    b"content-range",
    b"range",
    b"expect",
    b"cache-control",
];

/// The size in a chunk's first line, given without its line end. Extensions are passed over (§7.1.1).
pub(crate) fn size(line: &[u8]) -> Result<u64, Fault> {
    let digits = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    if digits == 0 || digits > MAX_DIGITS {
        return Err(Fault::Chunk);
    }
    let extension = &line[digits..];
    // White space before the `;` is "bad" and to be removed (RFC 9110 §5.6.3); without a `;` behind it, it is nothing.
    if !extension.is_empty() && trim(extension).first() != Some(&b';') {
        return Err(Fault::Chunk);
    }
    // A CR inside ends the line for some. Other controls are nobody's extension.
    if extension.iter().any(|byte| (*byte < 0x20 && *byte != b'\t') || *byte == 0x7f) {
        return Err(Fault::Chunk);
    }
    let value = |byte: &u8| u64::from(char::from(*byte).to_digit(16).unwrap_or_default());
    Ok(line[..digits].iter().fold(0, |size, byte| size << 4 | value(byte)))
}

/// A line of the trailer section, without its line end.
pub(crate) fn trailer(line: &[u8]) -> Result<(), Fault> {
    let colon = memchr::memchr(b':', line).ok_or(Fault::Trailer)?;
    let name = &line[..colon];
    let is_token = !name.is_empty() && name.iter().all(|byte| is_token(*byte));
    let is_value = line[colon + 1..].iter().all(|byte| *byte >= 0x20 && *byte != 0x7f || *byte == b'\t');
    if !is_token || !is_value || NOT_TRAILERS.iter().any(|field| name.eq_ignore_ascii_case(field)) {
        return Err(Fault::Trailer);
    }
    Ok(())
}

/// RFC 9110 §5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
