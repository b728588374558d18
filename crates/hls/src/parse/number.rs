//! The two kinds of number a playlist holds (RFC 8216bis §4.2), read without floats.

/// decimal-integer: 1 to 20 digits, up to 2^64 - 1.
pub(super) fn integer(text: &str) -> Option<u64> {
    let plain = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// decimal-floating-point in thousandths: `4.8` is 4,800. Finer digits round half up.
pub(super) fn thousandths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 32 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digit = |place: usize| fraction.as_bytes().get(place).map_or(0, |byte| u64::from(byte - b'0'));
    let round_up = u64::from(digit(3) >= 5);
    let part = digit(0) * 100 + digit(1) * 10 + digit(2) + round_up;
    integer(whole)?.checked_mul(1_000)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact_to_the_millisecond() {
        for (text, ms) in [
            ("4.800", Some(4_800)),
            ("4.8", Some(4_800)),
            ("5", Some(5_000)),
            ("5.", Some(5_000)),
            ("6.00600", Some(6_006)),
            ("3.9995", Some(4_000)),
            ("3.99949999", Some(3_999)),
            ("0.0005", Some(1)),
            ("18446744073709551.615", Some(u64::MAX)),
            ("18446744073709551.616", None),
            (".5", None),
            ("-1", None),
            ("1e3", None),
            ("+1", None),
            ("", None),
            ("1.2.3", None),
            ("NaN", None),
        ] {
            assert_eq!(thousandths(text), ms, "{text}");
        }
    }
}
