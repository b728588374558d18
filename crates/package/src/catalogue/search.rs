//! The index of one shard that the page searches: words as they are written, and how they are read.

use super::Listed;
use pinyin::ToPinyinMulti;
use serde::Serialize;

/// The most readings of one character that are kept; 和 has five.
const MAX_READINGS: usize = 4;

/// One lesson's entry: `["maths-3", "分数的初步认识 数学 王老师", "fen shu de/di chu bu ren shi/zhi …"]`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Entry(String, String, String);

/// The index of `lessons`.
pub(super) fn entries<'a>(lessons: impl Iterator<Item = &'a Listed>) -> Vec<Entry> {
    lessons.map(entry).collect()
}

fn entry(lesson: &Listed) -> Entry {
    let Listed { title, subject, edition, unit, teacher, .. } = lesson;
    let parts = [subject, edition, unit, teacher].into_iter().filter_map(Option::as_deref);
    let words = std::iter::once(title.as_str()).chain(parts).collect::<Vec<_>>().join(" ");
    Entry(lesson.lesson.to_string(), words.to_lowercase(), read(&words))
}

/// Syllables with spaces between them, several readings of one character joined by `/`, ü as v as keyboards have it. What is
/// not read this way (digits, letters) stays what it is; everything else parts syllables.
pub(super) fn read(words: &str) -> String {
    let mut read = String::with_capacity(words.len() * 2);
    let mut in_word = false;
    for c in words.chars() {
        let Some(readings) = c.to_pinyin_multi() else {
            if c.is_ascii_alphanumeric() {
                if !in_word {
                    part(&mut read);
                }
                in_word = true;
                read.push(c.to_ascii_lowercase());
            } else {
                in_word = false;
            }
            continue;
        };
        in_word = false;
        part(&mut read);
        let mut seen: Vec<String> = Vec::with_capacity(MAX_READINGS);
        for reading in readings {
            let plain: String = reading.plain().replace('ü', "v");
            if !seen.contains(&plain) && seen.len() < MAX_READINGS {
                seen.push(plain);
            }
        }
        read.push_str(&seen.join("/"));
    }
    read
}

fn part(read: &mut String) {
    if !read.is_empty() {
        read.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_read_and_everything_else_parts_them() {
        for (words, syllables) in [
            ("分数", "fen shu/shuo"),
            ("孔乙己（一）", "kong yi ji yi"),
            ("女生 Unit 3", "nv/ru sheng unit 3"),
            ("", ""),
            ("😀", ""),
        ] {
            let read = read(words);
            let first = |text: &str| {
                text.split(' ')
                    .map(|syllable| syllable.split('/').next().unwrap_or("").to_owned())
                    .collect::<Vec<_>>()
            };
            assert_eq!(first(&read), first(syllables), "{words}: {read}");
        }
        assert!(read("重庆").split(' ').next().unwrap().split('/').any(|reading| reading == "chong"));
    }
}
