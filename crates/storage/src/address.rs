//! What an address of a store means: a directory, or a bucket. Pure.

use crate::error::StoreError;
use object_store::path::Path as Key;
use std::path::PathBuf;

/// A place that can be a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Address {
    /// A directory, by its absolute path.
    Directory(PathBuf),
    /// `s3://<bucket>/<prefix>`.
    Bucket {
        /// The bucket's name.
        bucket: String,
        /// In front of every key; may be empty.
        prefix: Key,
    },
}

/// S3's bounds on a bucket's name.
const BUCKET_NAME: std::ops::RangeInclusive<usize> = 3..=63;

impl Address {
    /// Reads `/directory`, `file:///directory` or `s3://bucket[/prefix]`.
    pub(crate) fn parse(address: &str) -> Result<Self, StoreError> {
        let wrong = || StoreError::Address(address.to_owned());
        let path = match address.split_once("://") {
            None => PathBuf::from(address),
            Some(("file", rest)) => {
                let path = rest.strip_prefix("localhost").unwrap_or(rest);
                if !path.starts_with('/') {
                    return Err(wrong());
                }
                PathBuf::from(percent_decoded(path).ok_or_else(wrong)?)
            }
            Some(("s3", rest)) => return bucket(rest).ok_or_else(wrong),
            Some((kind, _)) => {
                return Err(StoreError::Unsupported { address: address.to_owned(), kind: kind.to_owned() });
            }
        };
        if path.as_os_str().is_empty() {
            return Err(wrong());
        }
        let absolute = std::path::absolute(&path);
        absolute
            .map(Self::Directory)
            .map_err(|source| StoreError::NotThere { store: path.display().to_string(), source })
    }
}

fn bucket(rest: &str) -> Option<Address> {
    let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    let prefix = prefix.trim_end_matches('/');
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    if !BUCKET_NAME.contains(&bucket.len()) || !bucket.bytes().all(plain) {
        return None;
    }
    // Parts as objects have them: a prefix with a dot in front or an empty part would be somebody's mistake.
    if !prefix.is_empty() && package::StorePath::parse(prefix).is_err() {
        return None;
    }
    Some(Address::Bucket { bucket: bucket.to_owned(), prefix: Key::from(prefix) })
}

/// RFC 3986 §2.1; `None` when a `%` is not followed by two digits or the result is no UTF-8.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        if byte == b'%' {
            let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
            bytes.push(u8::from_str_radix(digits, 16).ok()?);
            rest = &tail[2..];
        } else {
            bytes.push(byte);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use faults::Fault;

    #[test]
    fn directories() {
        for (address, path) in [
            ("/srv/store", "/srv/store"),
            ("file:///srv/my%20store", "/srv/my store"),
            ("file://localhost/srv", "/srv"),
        ] {
            assert_eq!(Address::parse(address).unwrap(), Address::Directory(path.into()), "{address}");
        }
        let Address::Directory(path) = Address::parse("store").unwrap() else { panic!("a plain name") };
        assert!(path.is_absolute());
    }

    #[test]
    fn buckets() {
        for (address, bucket, prefix) in [
            ("s3://lessons", "lessons", ""),
            ("s3://lessons/", "lessons", ""),
            ("s3://air.class-1/north/primary", "air.class-1", "north/primary"),
            ("s3://lessons/north/", "lessons", "north"),
        ] {
            let expected = Address::Bucket { bucket: bucket.into(), prefix: Key::from(prefix) };
            assert_eq!(Address::parse(address).unwrap(), expected, "{address}");
        }
    }

    #[test]
    fn what_is_no_store() {
        for (address, code) in [
            ("http://host/x", "STORE_UNSUPPORTED"),
            ("gs://bucket", "STORE_UNSUPPORTED"),
            ("file://elsewhere/srv", "STORE_ADDRESS"),
            ("file:///a%2", "STORE_ADDRESS"),
            ("file:///a%ff", "STORE_ADDRESS"),
            ("s3://", "STORE_ADDRESS"),
            ("s3:///prefix", "STORE_ADDRESS"),
            ("s3://no", "STORE_ADDRESS"),
            ("s3://Lessons", "STORE_ADDRESS"),
            ("s3://user@lessons", "STORE_ADDRESS"),
            ("s3://lessons/a//b", "STORE_ADDRESS"),
            ("s3://lessons/../other", "STORE_ADDRESS"),
            ("s3://lessons/.hidden", "STORE_ADDRESS"),
            ("", "STORE_ADDRESS"),
        ] {
            assert_eq!(Address::parse(address).unwrap_err().code(), code, "{address}");
        }
    }
}
