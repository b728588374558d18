//! Times, days and lists of grades, as people write them.

use crate::school::{Band, grades};
use crate::time::DAY_S;
use jiff::civil::Date;
use package::Grade;
use std::ops::{Range, RangeInclusive};

/// What separates the members of a list in a cell.
const SEPARATORS: [char; 6] = [',', '、', ';', '/', ' ', '\n'];

/// `０８：３０` as `08:30`: Chinese keyboards write digits and signs as wide as 汉字 (U+FF01 to U+FF5E and U+3000), and nobody
/// sees the difference in a sheet.
pub(crate) fn narrow(text: &str) -> String {
    let narrow = |sign: char| match sign {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(sign) - 0xfee0).unwrap_or(sign),
        _ => sign,
    };
    text.chars().map(narrow).collect()
}

/// What stands between a beginning and an end.
const TO: [char; 6] = ['-', '~', '—', '–', '至', '到'];

/// What days of the week begin with, and how they end, from Monday on.
const WEEK: [&str; 3] = ["星期", "礼拜", "周"];
const WEEKDAYS: [&[&str]; 7] = [&["一"], &["二"], &["三"], &["四"], &["五"], &["六"], &["日", "天"]];

/// Words for a part of the day, the hours of the clock face that mean twelve more behind it, and the hours that it has then. 晚上12:00 is one
/// day's end or the next one's begin, and 上午14:00 a slip: neither is taken for anything.
const HALVES: [(&str, Range<u32>, RangeInclusive<u32>); 7] = [
    ("上午", 0..0, 0..=12),
    ("早上", 0..0, 0..=12),
    ("早晨", 0..0, 0..=12),
    ("中午", 0..3, 11..=14),
    ("下午", 0..12, 12..=23),
    ("傍晚", 0..12, 16..=23),
    ("晚上", 5..12, 17..=23),
];

/// `08:30`, `8:30`, `08：30`, `08:30:00`, up to `24:00`, `下午2:30`, `晚上7点半`, and `0.354166667`, which is how a spreadsheet saves
/// 08:30 where the cell's format is lost; as seconds of the day.
pub(crate) fn clock(text: &str) -> Option<u32> {
    let text = narrow(text);
    let text = text.trim();
    let half = HALVES.iter().find_map(|half| Some((text.strip_prefix(half.0)?.trim(), half)));
    let Some((rest, (_, later, hours))) = half else { return face(text).or_else(|| part_of_day(text)) };
    let second = face(rest)?;
    let second = if later.contains(&(second / 3_600)) { second + DAY_S / 2 } else { second };
    hours.contains(&(second / 3_600)).then_some(second)
}

/// A time, or from when until when as one cell of a sheet has it: `08:30-08:50`, `下午2:30～3:10`.
pub(crate) fn span(text: &str) -> Option<(u32, Option<u32>)> {
    let text = narrow(text);
    let mut ends = text.split(TO).map(str::trim).filter(|end| !end.is_empty());
    let (first, last) = (ends.next()?, ends.next());
    let (start, None) = (clock(first)?, ends.next()) else { return None };
    let Some(last) = last else { return Some((start, None)) };
    // The part of the day is written once.
    let half = HALVES.iter().find(|half| first.starts_with(half.0)).map_or("", |half| half.0);
    let end = clock(&format!("{half}{last}")).or_else(|| clock(last))?;
    Some((start, Some(end)))
}

/// The minutes of `7点`, `7点整`, `7点半`, `7点05分`.
fn spoken(minutes: &str) -> &str {
    match minutes.trim() {
        "" | "整" | "钟" => "00",
        "半" => "30",
        digits => digits.strip_suffix('分').unwrap_or(digits),
    }
}

/// `8:30`, `8点30分` as seconds of the day.
fn face(text: &str) -> Option<u32> {
    let parts: Vec<&str> = match text.split_once(['点', '时']) {
        Some((hour, minutes)) => vec![hour.trim(), spoken(minutes)],
        None => text.split(':').collect(),
    };
    let number = |part: &&str| -> Option<u32> {
        ((1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit()))
            .then(|| part.parse().ok())?
    };
    let numbers: Vec<u32> = parts.iter().map(number).collect::<Option<_>>()?;
    let second = match numbers[..] {
        [hour, minute] if minute < 60 => hour * 3_600 + minute * 60,
        [hour, minute, second] if minute < 60 && second < 60 => hour * 3_600 + minute * 60 + second,
        _ => return None,
    };
    (second <= DAY_S).then_some(second)
}

/// Off a whole minute by less than this is what rounding to [`EXACT`] digits makes of one.
const ROUNDED_S: f64 = 5.0;
/// With so many digits a part of a day is a minute of its own.
const EXACT: usize = 4;
/// With fewer it is one of these minutes or none: 0.5 and 0.375 are, and who writes 0.30 or 0.45 means no part of a day.
const STEP_MIN: u32 = 5;

/// `0.354166667` as seconds of the day.
fn part_of_day(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("0.")?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let second = text.parse::<f64>().ok()? * f64::from(DAY_S);
    let minute = (second / 60.0).round();
    let is_near = (second - minute * 60.0).abs() < ROUNDED_S;
    // Below one day, so no more than 1,440.
    let minute = minute as u32;
    (is_near && (digits.len() >= EXACT || minute.is_multiple_of(STEP_MIN))).then_some(minute * 60)
}

/// `08:30`, or `08:30:05` where seconds matter.
pub(crate) fn clock_text(second: u32) -> String {
    let (hour, minute, rest) = (second / 3_600, second / 60 % 60, second % 60);
    if rest == 0 { format!("{hour:02}:{minute:02}") } else { format!("{hour:02}:{minute:02}:{rest:02}") }
}

/// `2026-09-01`, `2026/9/1`, `2026年9月1日`, each with its day of the week behind it or without (`星期二`, `（周二）`).
pub(crate) fn day(text: &str) -> Option<Date> {
    let text = narrow(text);
    let text = text.trim();
    let Some((at, named)) = WEEK.iter().find_map(|week| text.find(week).map(|at| (at, *week))) else {
        return plain_day(text);
    };
    let day = plain_day(text[..at].trim_end().trim_end_matches('('))?;
    let written = text[at + named.len()..].trim_end_matches(')').trim();
    // 2026年9月1日星期三 is a slip, and nobody knows of which of the two.
    (WEEKDAYS[usize::try_from(day.weekday().to_monday_zero_offset()).ok()?].contains(&written)).then_some(day)
}

/// Days that spreadsheets are taken to mean by their numbers: 2009 to 2064, in five digits that nothing else in a column of days has.
const SERIALS: RangeInclusive<i32> = 40_000..=60_000;
/// The day before their first one, by which the count is right from March 1900 on.
const SERIAL_ZERO: Date = jiff::civil::date(1899, 12, 30);

/// What a cell of a column of days says: a [`day`], or `46266`, which is how a spreadsheet saves 2026-09-01 where the cell's format is
/// lost. Mac sheets of before 2011 count from 1904: their days come out four years ago, which is told as days that are over.
pub(crate) fn day_cell(text: &str) -> Option<Date> {
    let serial = || {
        let number = narrow(text).trim().parse().ok().filter(|number| SERIALS.contains(number))?;
        SERIAL_ZERO.checked_add(jiff::Span::new().days(number)).ok()
    };
    day(text).or_else(serial)
}

fn plain_day(text: &str) -> Option<Date> {
    let mut parts = text.trim().trim_end_matches('日').split(['-', '/', '.', '年', '月']).map(str::trim);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()
}

/// `7`, `七年级`, `7-9`, `初一、初二`, `小学`, `all`; in order, none twice.
pub(crate) fn grade_list(text: &str) -> Option<Vec<Grade>> {
    let mut list = Vec::new();
    for part in narrow(text).split(SEPARATORS).filter(|part| !part.is_empty()) {
        list.extend(part_of_list(part)?);
    }
    list.sort();
    list.dedup();
    (!list.is_empty()).then_some(list)
}

fn part_of_list(part: &str) -> Option<Vec<Grade>> {
    let of = |bands: &[Band]| grades().filter(|&grade| bands.contains(&Band::of(grade))).collect();
    match part {
        "all" | "全部" | "全体" | "各年级" => return Some(grades().collect()),
        "primary" | "小学" => return Some(of(&[Band::PrimaryLower, Band::PrimaryUpper])),
        "junior" | "初中" => return Some(of(&[Band::Junior])),
        "senior" | "高中" => return Some(of(&[Band::Senior])),
        _ => {}
    }
    let mut ends = part.split(['-', '~', '—', '至']).map(|end| end.trim().parse::<Grade>());
    let first = ends.next()?.ok()?;
    let last = ends.next().transpose().ok()?.unwrap_or(first);
    (ends.next().is_none() && first <= last)
        .then(|| grades().filter(|grade| (first..=last).contains(grade)).collect())
}

/// `7–9, 12` for people.
pub(crate) fn grades_text(grades: &[Grade]) -> String {
    let mut parts: Vec<(u8, u8)> = Vec::new();
    for year in grades.iter().map(|grade| grade.year()) {
        match parts.last_mut() {
            Some((_, last)) if *last + 1 == year => *last = year,
            _ => parts.push((year, year)),
        }
    }
    let text = parts
        .iter()
        .map(|(first, last)| if first == last { first.to_string() } else { format!("{first}-{last}") });
    text.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn times_as_people_write_them() {
        for (text, second) in [
            ("08:30", Some(30_600)),
            (" 8:30 ", Some(30_600)),
            ("08：30", Some(30_600)),
            ("０８：３０", Some(30_600)),
            ("08:30:05", Some(30_605)),
            ("上午8:30", Some(30_600)),
            ("上午 12:00", Some(43_200)),
            ("中午12:30", Some(45_000)),
            ("中午1:00", Some(46_800)),
            ("下午2:30", Some(52_200)),
            ("下午14:30", Some(52_200)),
            ("下午12:10", Some(43_800)),
            ("下午0:30", Some(45_000)),
            ("上午14:30", None),
            ("晚上2:00", None),
            ("晚上７：００", Some(68_400)),
            ("晚上12:00", None),
            ("下午", None),
            ("下午2:60", None),
            ("晚上7点", Some(68_400)),
            ("晚上 7 点半", Some(70_200)),
            ("下午2点05分", Some(50_700)),
            ("8时30分", Some(30_600)),
            ("8点整", Some(28_800)),
            ("8点分", None),
            ("点", None),
            ("8点60分", None),
            ("0.354166667", Some(30_600)),
            ("0.3333", Some(28_800)),
            ("0.334722222", Some(28_920)),
            ("0.375", Some(32_400)),
            ("0.5", Some(43_200)),
            // No times that rounding leaves: somebody's half past midnight, and what lies between two minutes.
            ("0.30", None),
            ("0.45", None),
            ("0.354", None),
            ("0.3337", None),
            ("0.", None),
            ("0.5e0", None),
            ("上午0.354166667", None),
            ("1.354166667", None),
            ("24:00", Some(86_400)),
            ("24:01", None),
            ("8.30", None),
            ("08:60", None),
            ("-8:30", None),
            ("", None),
            ("99:99:99", None),
        ] {
            assert_eq!(clock(text), second, "{text}");
        }
        assert_eq!((clock_text(30_600), clock_text(30_605)), ("08:30".into(), "08:30:05".into()));
    }

    #[test]
    fn a_beginning_and_an_end_in_one_cell() {
        for (text, start, end) in [
            ("08:30", "08:30", None),
            ("08:30-08:50", "08:30", Some("08:50")),
            ("８：３０—８：５０", "08:30", Some("08:50")),
            ("8:30——8:50", "08:30", Some("08:50")),
            ("8:30 ～ 8:50", "08:30", Some("08:50")),
            ("8:30至8:50", "08:30", Some("08:50")),
            ("下午2:30-3:10", "14:30", Some("15:10")),
            ("下午2:30-下午3:10", "14:30", Some("15:10")),
            ("上午11:50-13:00", "11:50", Some("13:00")),
            ("中午12:30-1:10", "12:30", Some("13:10")),
            ("晚上7点至7点半", "19:00", Some("19:30")),
        ] {
            let told = span(text).map(|(start, end)| (clock_text(start), end.map(clock_text)));
            assert_eq!(told, Some((start.to_owned(), end.map(str::to_owned))), "{text}");
        }
        for text in ["", "-", "8:30-8:50-9:10", "8:30-later", "第1节"] {
            assert_eq!(span(text), None, "{text}");
        }
    }

    #[test]
    fn days_as_people_write_them() {
        for text in [
            "2026-09-01",
            "2026/9/1",
            "2026年9月1日",
            "2026.09.01",
            "２０２６－０９－０１",
            "２０２６年９月１日",
            "2026-09-01 星期二",
            "2026年9月1日（周二）",
            "2026/9/1(星期二)",
        ] {
            assert_eq!(day(text), Some(date(2026, 9, 1)), "{text}");
        }
        for text in [
            "",
            "1/9/2026",
            "2026-13-01",
            "2026-09",
            "2026-09-01-02",
            "26-09-01",
            "2026-09-01 星期三",
            "2026-09-01周",
            "星期二",
        ] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    /// Of sheets that were saved from cells without a format.
    #[test]
    fn days_as_spreadsheets_count_them() {
        for (text, read) in [
            ("46266", Some(date(2026, 9, 1))),
            ("45987", Some(date(2025, 11, 26))),
            ("40000", Some(date(2009, 7, 6))),
            ("2026-09-01", Some(date(2026, 9, 1))),
            ("39999", None),
            ("60001", None),
            ("20260901", None),
            ("46266.35", None),
            ("-46266", None),
        ] {
            assert_eq!(day_cell(text), read, "{text}");
        }
        assert_eq!(day("46266"), None, "a row of one number is no heading");
    }

    #[test]
    fn grades_as_people_write_them() {
        for (text, years) in [
            ("7", "7"),
            ("七年级", "7"),
            ("７年级", "7"),
            ("7-9年级", "7-9"),
            ("７～９年级", "7-9"),
            ("７－９", "7-9"),
            ("７，８", "7-8"),
            ("7-9", "7-9"),
            ("9、初一", "7,9"),
            ("高一至高三", "10-12"),
            ("小学", "1-6"),
            ("all", "1-12"),
            ("1, 2,2", "1-2"),
        ] {
            assert_eq!(grades_text(&grade_list(text).unwrap()), years, "{text}");
        }
        for text in ["", "13", "9-7", "1-2-3", "大一", "-", "年级", "13年级"] {
            assert_eq!(grade_list(text), None, "{text}");
        }
    }
}
