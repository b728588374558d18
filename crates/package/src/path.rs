//! Paths of objects: in the store, and within a package.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The longest path, in bytes; far below what file systems and S3 take.
const MAX_PATH: usize = 255;
/// The deepest path, in parts.
const MAX_DEPTH: usize = 8;

/// A text that is no path of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no object path: parts of a-z A-Z 0-9 . _ - that do not start with a dot, joined by /")]
pub struct InvalidPath(pub String);

macro_rules! path_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes `text` when it is such a path.
            ///
            /// # Errors
            /// When a part is empty, starts with a dot, holds anything but `a-z A-Z 0-9 . _ -`, or the whole is too
            /// long or too deep. So `..`, `//`, hidden files and the temporaries of uploads are no paths.
            pub fn parse(text: &str) -> Result<Self, InvalidPath> {
                if is_path(text) { Ok(Self(text.to_owned())) } else { Err(invalid(text)) }
            }

            /// Without a slash in front.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// What follows the last dot of the last part; empty without one.
            pub fn extension(&self) -> &str {
                let name = self.0.rsplit('/').next().unwrap_or(&self.0);
                name.rsplit_once('.').map_or("", |(_, extension)| extension)
            }

            /// A path put together from parts that are valid by their types.
            pub(crate) fn known(text: String) -> Self {
                debug_assert!(is_path(&text), "{text}");
                Self(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidPath;

            fn from_str(text: &str) -> Result<Self, InvalidPath> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidPath;

            fn try_from(text: String) -> Result<Self, InvalidPath> {
                if is_path(&text) { Ok(Self(text)) } else { Err(invalid(&text)) }
            }
        }

        impl From<$name> for String {
            fn from(path: $name) -> String {
                path.0
            }
        }
    };
}

path_type! {
    /// A path from the store's root, which is also the URL path without its first slash: `p/…`, `lessons/…`.
    StorePath
}

path_type! {
    /// A path from a package's root: `s2/00017.m4s`.
    ObjectPath
}

fn is_path(text: &str) -> bool {
    text.len() <= MAX_PATH && text.split('/').count() <= MAX_DEPTH && text.split('/').all(is_part)
}

fn is_part(part: &str) -> bool {
    !part.is_empty()
        && !part.starts_with('.')
        && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

fn invalid(text: &str) -> InvalidPath {
    InvalidPath(text.chars().take(80).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_paths_are_paths() {
        for text in ["main.m3u8", "s2/00017.m4s", "audio/hi/init.mp4", "a-b_c.D/1"] {
            assert_eq!(StorePath::parse(text).unwrap().as_str(), text);
        }
        let long = "a".repeat(256);
        for text in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "a/../b",
            "a/.",
            ".lock",
            "a/.b",
            "a#1",
            "a b",
            "a\\b",
            "a%2e",
            "课",
            "a\0",
            "a?b",
            &long,
            "1/2/3/4/5/6/7/8/9",
        ] {
            assert!(StorePath::parse(text).is_err(), "{text}");
            assert!(ObjectPath::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_extension_belongs_to_the_last_part() {
        for (text, extension) in [("a.b/c", ""), ("a/c.m4s", "m4s"), ("a.tar.gz", "gz"), ("a.", "")] {
            assert_eq!(ObjectPath::parse(text).unwrap().extension(), extension, "{text}");
        }
    }
}
