//! Bytes as lower-case hexadecimal digits: one spelling only, so that equal values are equal texts.

use std::fmt;

/// Writes `bytes`, two digits each.
///
/// # Errors
/// The writer's.
pub fn write(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}

/// Reads exactly `N` bytes; `None` for any other length or spelling.
pub fn read<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = (nibble(pair[0])? << 4) | nibble(pair[1])?;
    }
    Some(bytes)
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_and_no_other() {
        assert_eq!(read("00ff7a"), Some([0, 0xff, 0x7a]));
        assert_eq!(read::<0>(""), Some([]));
        for text in ["", "00ff7", "00ff7a0", "00FF7A", "00ff7g", "0x00ff", "00ff7\u{e9}", "+0ff7a"] {
            assert_eq!(read::<3>(text), None, "{text}");
        }
    }
}
