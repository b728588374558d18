//! What a path is about: the one place that reads paths of lessons and packages before anything is asked for.
//!
//! A path is read as a server behind us might read it, so that what is spelt in another way is kept shut, and waits, as well.

use package::PackageId;
use package::layout::{AUDIO_ONLY, MAIN, TS};
use std::borrow::Cow;

/// What begins a session of a lesson, in its folder.
const POINTERS: [&str; 3] = [MAIN, AUDIO_ONLY, TS];

/// What a path is about.
#[derive(Debug, PartialEq, Eq)]
pub enum Subject<'a> {
    /// Below `/lessons/<lesson>/`.
    Lesson(Cow<'a, str>),
    /// Below `/p/<package>/`.
    Package(PackageId),
}

impl<'a> Subject<'a> {
    /// What `path` is about; `None`: neither lesson nor package.
    pub fn of(path: &'a str) -> Option<Self> {
        let path = read(path);
        if let Some(lesson) = part(&path, |path| path.strip_prefix("/lessons/").map(first)) {
            return Some(Self::Lesson(lesson));
        }
        let package = first(path.strip_prefix("/p/")?);
        package.parse().or_else(|_| package.to_ascii_lowercase().parse()).ok().map(Self::Package)
    }
}

/// The lesson that a session of begins with `path`: with its pointer, or that of sound alone or of old devices.
pub fn begun_with(path: &str) -> Option<Cow<'_, str>> {
    part(&read(path), |path| {
        let (lesson, file) = path.strip_prefix("/lessons/")?.split_once('/')?;
        POINTERS.contains(&file).then_some(lesson)
    })
}

/// What stands before the next slash.
fn first(rest: &str) -> &str {
    rest.split('/').next().unwrap_or(rest)
}

/// What `find` finds, for as long as the path itself lives where that could be kept.
fn part<'a>(path: &Cow<'a, str>, find: impl for<'p> Fn(&'p str) -> Option<&'p str>) -> Option<Cow<'a, str>> {
    match path {
        Cow::Borrowed(path) => find(path).map(Cow::Borrowed),
        Cow::Owned(path) => find(path).map(|part| Cow::Owned(part.to_owned())),
    }
}

/// The path as the most obliging server would read it. Almost all paths are plain.
fn read(path: &str) -> Cow<'_, str> {
    let odd = |byte: u8| matches!(byte, b'%' | b'\\' | b';');
    match path.bytes().any(odd) || path.contains("//") || path.contains("/.") {
        true => Cow::Owned(plain(path)),
        false => Cow::Borrowed(path),
    }
}

/// Escapes read once, both slashes, parameters of steps left out, steps gone.
fn plain(path: &str) -> String {
    let mut bytes = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let digits = tail.split_at_checked(2).filter(|_| byte == b'%');
        let decoded = digits.and_then(|(digits, tail)| {
            let digit = |at: usize| char::from(digits[at]).to_digit(16).and_then(|d| u8::try_from(d).ok());
            Some((digit(0)? << 4 | digit(1)?, tail))
        });
        let (byte, tail) = decoded.unwrap_or((byte, tail));
        bytes.push(if byte == b'\\' { b'/' } else { byte });
        rest = tail;
    }
    let decoded = String::from_utf8_lossy(&bytes);
    let mut steps: Vec<&str> = Vec::new();
    for step in decoded.split('/').map(|step| step.split(';').next().unwrap_or_default()) {
        match step {
            "" | "." => {}
            ".." => drop(steps.pop()),
            step => steps.push(step),
        }
    }
    format!("/{}", steps.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::plans::package;

    #[test]
    fn packages_are_known_in_large_letters_too() {
        let path = format!("/p/{}/main.m3u8", package(0xab)).to_uppercase().replace("/P/", "/p/");
        assert!(matches!(Subject::of(&path), Some(Subject::Package(_))));
    }

    #[test]
    fn sessions_begin_with_pointers_alone() {
        for path in ["/lessons/a/main.m3u8", "/lessons/a/audio.m3u8", "/lessons/a/ts.m3u8"] {
            assert_eq!(begun_with(path).as_deref(), Some("a"), "{path}");
        }
        for path in
            ["/lessons/a/lesson.json", "/lessons/a/b/main.m3u8", "/lessons/main.m3u8", "/p/0/main.m3u8"]
        {
            assert_eq!(begun_with(path), None, "{path}");
        }
    }

    /// They went past the line, and the origin read them as what they are.
    #[test]
    fn sessions_begin_with_other_spellings_of_pointers_too() {
        for path in ["/lessons/%61/main.m3u8", "/lessons/a/main%2em3u8", "/lessons/a/./ts.m3u8;v=1"] {
            assert_eq!(begun_with(path).as_deref(), Some("a"), "{path}");
        }
    }
}
