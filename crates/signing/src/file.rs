//! A file of trusted keys that may change while the process that follows it runs.

use crate::trust::Trust;
use settings::SettingsError;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest file read; a key takes 200 bytes.
const MAX_FILE_BYTES: u64 = 256 << 10;

/// A file that has changed within this time may still be being written, and half of one may read as well as the whole: with
/// fewer keys, or one that never ends. Who writes takes less.
const SETTLED_AFTER: Duration = Duration::from_secs(1);

/// The keys in a file, as they were when they could last be used.
#[derive(Debug, Clone)]
pub struct TrustFile {
    path: PathBuf,
    text: String,
    trust: Trust,
}

impl TrustFile {
    /// Reads them.
    ///
    /// # Errors
    /// When the file cannot be read, or says what cannot be.
    pub fn read(path: &Path) -> Result<Self, SettingsError> {
        let text = settings::followed_text(path, MAX_FILE_BYTES)
            .map_err(|source| SettingsError::Unreadable { path: path.to_owned(), source })?;
        let trust = Trust::parse(&text, path)?;
        Ok(Self { path: path.to_owned(), text, trust })
    }

    /// The keys as they were last read.
    pub fn trust(&self) -> &Trust {
        &self.trust
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The keys as the file has them now. One that cannot be used changes nothing: what was trusted stays so. Nor does an
    /// empty one, or one that has [just changed](SETTLED_AFTER), which is what a file is for a moment that is written in place: a comment
    /// in it says that nobody is trusted.
    pub fn now(&mut self) -> &Trust {
        match settings::followed_text(&self.path, MAX_FILE_BYTES) {
            Ok(text) if text == self.text => {}
            Ok(text) if text.trim().is_empty() => {
                tracing::warn!(path = %self.path.display(), "an empty file; trusted keys stay as they were");
            }
            Ok(_) if !is_settled(&self.path) => {}
            Ok(text) => match Trust::parse(&text, &self.path) {
                Ok(trust) => {
                    tracing::info!(path = %self.path.display(), "trusted keys read again");
                    (self.text, self.trust) = (text, trust);
                }
                Err(error) => tracing::warn!(%error, "trusted keys stay as they were"),
            },
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "trusted keys stay as they were");
            }
        }
        &self.trust
    }
}

/// Whether nobody has changed the file for a while; looked at behind reading it. A time to come, by a clock that was set back, says
/// nothing.
fn is_settled(path: &Path) -> bool {
    let changed = path.metadata().and_then(|about| about.modified());
    changed.is_ok_and(|changed| changed.elapsed().map_or(true, |age| age >= SETTLED_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use std::fs::File;

    #[test]
    fn a_file_that_changes_and_one_that_goes_bad() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        assert!(TrustFile::read(&path).unwrap_err().to_string().contains("keys.toml"));
        let entry = || {
            let key = SigningKey::generate().unwrap();
            format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public())
        };
        let parse = |text: &str| Trust::parse(text, &path).unwrap();
        let (old, new) = (entry(), entry());
        std::fs::write(&path, &old).unwrap();
        let mut keys = TrustFile::read(&path).unwrap();
        assert_eq!(*keys.now(), parse(&old));
        write(&path, &new);
        assert_eq!(*keys.now(), parse(&new));
        write(&path, "[[key]]\nid = 1\n");
        assert_eq!(*keys.now(), parse(&new));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(*keys.now(), parse(&new));
    }

    /// For as long as it was empty nobody was trusted, and every order and plan was refused.
    #[test]
    fn a_file_that_is_emptied_to_be_written_anew_takes_nobodys_trust_away() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let key = SigningKey::generate().unwrap();
        let entry = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        std::fs::write(&path, &entry).unwrap();
        let mut keys = TrustFile::read(&path).unwrap();
        let trusted = keys.trust().clone();
        for text in ["", "\n \n"] {
            write(&path, text);
            assert_eq!(*keys.now(), trusted, "{text:?}");
        }
        // Said on purpose.
        write(&path, "# nobody\n");
        assert_eq!(*keys.now(), Trust::parse("", &path).unwrap());
        write(&path, &entry);
        assert_eq!(*keys.now(), trusted);
    }

    /// Those who came later in the file were trusted by nobody, and who had left it was trusted for ever, for one look.
    #[test]
    fn a_file_that_is_half_written_is_not_believed_where_that_reads_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.toml");
        let key = SigningKey::generate().unwrap();
        let entry = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", key.id(), key.public());
        let whole = format!("{entry}until = \"2026-08-31\"\n");
        write(&path, &whole);
        let mut keys = TrustFile::read(&path).unwrap();
        let trusted = keys.trust().clone();
        std::fs::write(&path, &entry).unwrap();
        assert_eq!(*keys.now(), trusted, "it was written just now");
        set_age(&path, SETTLED_AFTER);
        assert_eq!(*keys.now(), Trust::parse(&entry, &path).unwrap(), "nobody goes on with it");
        // The machine's clock was ahead when it was written.
        std::fs::write(&path, &whole).unwrap();
        let ahead = std::fs::metadata(&path).unwrap().modified().unwrap() + Duration::from_secs(3_600);
        File::options().write(true).open(&path).unwrap().set_modified(ahead).unwrap();
        assert_eq!(*keys.now(), trusted);
    }

    /// Writes a file that nobody is writing any more.
    fn write(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        set_age(path, SETTLED_AFTER);
    }

    fn set_age(path: &Path, age: Duration) {
        let modified = std::fs::metadata(path).unwrap().modified().unwrap() - age;
        File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
    }
}
