//! Files.

use super::{Answer, Ask, Fetch, FetchError, cut};
use std::fs;
use std::io;

/// Objects at `file:` addresses.
#[derive(Debug, Clone, Copy, Default)]
pub struct Folder;

impl Fetch for Folder {
    fn get(&self, ask: &Ask<'_>) -> Result<Answer, FetchError> {
        let path =
            ask.url.to_file_path().map_err(|()| FetchError::Address(format!("{} is no file", ask.url)))?;
        let missing = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                FetchError::Missing("no such file".to_owned())
            }
            _ => FetchError::Io(error),
        };
        let about = fs::metadata(&path).map_err(missing)?;
        if !about.is_file() {
            return Err(FetchError::Missing("no file".to_owned()));
        }
        if about.len() > ask.limit {
            return Err(FetchError::TooLong(ask.limit));
        }
        if ask.head {
            return Ok(Answer { length: Some(about.len()), ..Answer::default() });
        }
        cut(ask, fs::read(&path).map_err(missing)?)
    }
}
