//! HTTP dates (RFC 9110 §5.6.7).

use std::time::SystemTime;

/// The instant that `text` names; `None` when it is no HTTP date.
///
/// The three formats that a recipient has to know, in any case (RFC 9111 §4.2), and nothing near them: 31 February or another zone
/// are no date. The day of the week says nothing of the instant: one that is another than the date's is passed over, since to take
/// the whole for no date would have an `Expires` that lies years ahead be long past. `httpdate` alone would pass over space around it.
pub fn parse(text: &str) -> Option<SystemTime> {
    if text.trim().len() != text.len() || text.len() > LONGEST {
        return None;
    }
    let instant = |text: &str| httpdate::parse_http_date(text).ok();
    instant(text).or_else(|| {
        let cased = cased(text);
        instant(&cased).or_else(|| on_any_day(&cased)?.iter().find_map(|text| instant(text)))
    })
}

/// The same date as of each day of the week, whose name it begins with; `None` where it begins with none.
fn on_any_day(cased: &str) -> Option<[String; 7]> {
    let (name, rest) = cased.split_at(cased.find(|letter: char| !letter.is_ascii_alphabetic())?);
    let short = name.len() == SHORT;
    let written = |day: &'static str| if short { &day[..SHORT] } else { day };
    DAYS.iter().any(|day| written(day) == name).then(|| DAYS.map(|day| [written(day), rest].concat()))
}

const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
/// Letters of a day's short name.
const SHORT: usize = 3;

/// Bytes of the longest date, `Wednesday, 06-Nov-94 08:49:37 GMT`.
const LONGEST: usize = 33;

/// With names of days and months, and the zone, as they are specified to be written.
fn cased(text: &str) -> String {
    let mut within_word = false;
    let lower_or_upper = |letter: char| {
        let begins = !std::mem::replace(&mut within_word, letter.is_ascii_alphabetic());
        if begins { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() }
    };
    let cased: String = text.chars().map(lower_or_upper).collect();
    cased.strip_suffix("Gmt").map(|date| format!("{date}GMT")).unwrap_or(cased)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn three_formats_and_nothing_near_them() {
        let then = UNIX_EPOCH + Duration::from_secs(784_111_777);
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "SUN, 06 nov 1994 08:49:37 gMt",
            "sunday, 06-NOV-94 08:49:37 gmt",
            "suN noV  6 08:49:37 1994",
            "Mon, 06 Nov 1994 08:49:37 GMT",
            "MONDAY, 06-Nov-94 08:49:37 GMT",
            "Thu Nov  6 08:49:37 1994",
        ] {
            assert_eq!(parse(text), Some(then), "{text}");
        }
        for text in [
            "",
            "0",
            "-1",
            "Mor, 06 Nov 1994 08:49:37 GMT",
            "Mond, 06 Nov 1994 08:49:37 GMT",
            "Monday, 06 Nov 1994 08:49:37 GMT",
            "Mon, 31 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 utc",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Thu, 31 Feb 2050 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0..253_402_300_799_u64) {
            let at = UNIX_EPOCH + Duration::from_secs(seconds);
            let text = httpdate::fmt_http_date(at);
            for text in [text.to_lowercase(), text.to_uppercase(), text] {
                prop_assert_eq!(parse(&text), Some(at));
            }
        }

        #[test]
        fn any_text_is_read(text in "\\PC{0,40}") {
            let _ = parse(&text);
        }
    }
}
