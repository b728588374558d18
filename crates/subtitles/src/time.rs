//! Times as subtitle files write them, and as WebVTT does.

use std::fmt;

/// The longest time, in hours: a lesson is at most a day.
const MAX_HOURS: u64 = 99;

/// `01:02:03,500`, `1:02:03.5`, `02:03.500`: milliseconds. ASS writes hundredths, WebVTT may leave out the hours.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let (whole, fraction) = match text.split_once([',', '.']) {
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let parts: Vec<u64> = whole.split(':').map(number).collect::<Option<_>>()?;
    let (hours, minutes, seconds) = match parts[..] {
        [hours, minutes, seconds] => (hours, minutes, seconds),
        [minutes, seconds] => (0, minutes, seconds),
        _ => return None,
    };
    if hours > MAX_HOURS || minutes > 59 || seconds > 59 || fraction.len() > 9 {
        return None;
    }
    let digit = |place: usize| match fraction.as_bytes().get(place) {
        None => Some(0),
        Some(byte @ b'0'..=b'9') => Some(u64::from(byte - b'0')),
        Some(_) => None,
    };
    let millis = digit(0)? * 100 + digit(1)? * 10 + digit(2)?;
    (3..fraction.len()).try_for_each(|place| digit(place).map(|_| ()))?;
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000 + millis)
}

/// `a --> b`, with whatever follows passed over; `None` without an arrow or with times that are none.
pub(crate) fn parse_span(line: &str) -> Option<(u64, u64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((parse(start.trim())?, parse(end)?))
}

fn number(text: &str) -> Option<u64> {
    let text = text.trim();
    let plain = (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// As WebVTT writes it: `00:01:02.500`.
pub(crate) struct Clock(pub(crate) u64);

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1_000;
        let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
        write!(f, "{hours:02}:{minutes:02}:{:02}.{:03}", seconds % 60, self.0 % 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_by_table() {
        for (text, ms) in [
            ("00:01:02,500", Some(62_500)),
            ("00:01:02.500", Some(62_500)),
            ("1:02:03.45", Some(3_723_450)),
            ("02:03", Some(123_000)),
            ("02:03.5", Some(123_500)),
            ("02:03.123456", Some(123_123)),
            ("99:59:59.999", Some(359_999_999)),
            ("100:00:00.000", None),
            ("00:60:00", None),
            ("00:00:60", None),
            ("-1:00:00", None),
            ("00:00:01,5x0", None),
            ("00:00:01,1234567890", None),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(parse(text), ms, "{text}");
        }
        assert_eq!(Clock(3_723_450).to_string(), "01:02:03.450");
    }

    #[test]
    fn what_follows_a_span_is_passed_over() {
        for line in
            ["00:00:01,000 --> 00:00:02,000  X1:40 X2:600", "00:01.000-->00:02.000 line:0 align:start"]
        {
            assert_eq!(parse_span(line), Some((1_000, 2_000)), "{line}");
        }
        for line in ["00:00:01,000 -> 00:00:02,000", "--> 00:00:02,000", "00:00:01,000 -->"] {
            assert_eq!(parse_span(line), None, "{line}");
        }
    }
}
