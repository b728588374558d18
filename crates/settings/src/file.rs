//! Small files, whole: configuration, keys, plans. A wrong name can lead to a film, a disk or `/dev/zero`, so no reader takes
//! more than such a file can have.

use crate::SettingsError;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// The largest configuration read; ours have some 20 kB.
pub const MAX_TEXT_BYTES: u64 = 4 << 20;

/// All of the file at `path`, which may be a pipe (`<(…)` of a shell): what is in it comes once.
///
/// # Errors
/// When it cannot be read or has more than `most` bytes.
pub fn small_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        let problem = format!("has more than {most} bytes, the most that is read of such a file");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

/// As [`small_file`], of a file that is read again and again: a pipe would be waited for the second time, for ever.
///
/// # Errors
/// As [`small_file`], and when it is no file.
pub fn followed_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    // Looked at before it is opened: opening a pipe waits for its writer.
    if !path.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no regular file"));
    }
    small_file(path, most)
}

/// As [`small_file`], a text.
///
/// # Errors
/// As [`small_file`], and when it is no UTF-8.
pub fn small_text(path: &Path, most: u64) -> io::Result<String> {
    text(small_file(path, most)?)
}

/// As [`followed_file`], a text.
///
/// # Errors
/// As [`followed_file`], and when it is no UTF-8.
pub fn followed_text(path: &Path, most: u64) -> io::Result<String> {
    text(followed_file(path, most)?)
}

/// The text of a file of settings, of at most [`MAX_TEXT_BYTES`].
///
/// # Errors
/// [`SettingsError::Unreadable`].
pub fn read(path: &Path) -> Result<String, SettingsError> {
    small_text(path, MAX_TEXT_BYTES)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })
}

/// As [`read`], when it is not the first time.
pub(crate) fn read_again(path: &Path) -> Result<String, SettingsError> {
    followed_text(path, MAX_TEXT_BYTES)
        .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })
}

/// What editors in China save by themselves is GBK, or UTF-16.
const NO_TEXT: &str = "is no UTF-8 text; save it again with the encoding UTF-8";

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|_| io::Error::new(io::ErrorKind::InvalidData, NO_TEXT))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was read until no memory was left.
    #[test]
    fn no_more_is_read_than_such_a_file_can_have() {
        let error = small_file(Path::new("/dev/zero"), 1_000).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::FileTooLarge);
        let said = read(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(said.starts_with("/dev/zero: has more than 4194304 bytes"), "{said}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), [b'a'; 7]).unwrap();
        assert_eq!(small_text(file.path(), 7).unwrap(), "aaaaaaa");
        assert_eq!(small_text(file.path(), 6).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn what_is_no_text_and_what_is_no_file_is_said_in_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, pipe) = (folder.path().join("bytes"), folder.path().join("pipe"));
        std::fs::write(&bytes, b"\xff\xfe").unwrap();
        assert_eq!(small_text(&bytes, 9).unwrap_err().to_string(), NO_TEXT);
        assert_eq!(read(&bytes).unwrap_err().to_string(), format!("{}: {NO_TEXT}", bytes.display()));
        assert_eq!(small_file(folder.path(), 9).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        for path in [folder.path(), &pipe, Path::new("/dev/zero")] {
            let error = followed_text(path, 9).unwrap_err();
            assert_eq!(error.to_string(), "is no regular file", "{path:?}");
        }
    }
}
