//! A file of trusted keys that may change while the process that follows it runs.

use crate::trust::Trust;
use settings::SettingsError;
use std::path::{Path, PathBuf};

/// The largest file read; a key takes 200 bytes.
const MAX_FILE_BYTES: u64 = 256 << 10;

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
    /// empty one, which is what a file is for a moment that is written in place: a comment in it says that nobody is trusted.
    pub fn now(&mut self) -> &Trust {
        match settings::followed_text(&self.path, MAX_FILE_BYTES) {
            Ok(text) if text == self.text => {}
            Ok(text) if text.trim().is_empty() => {
                tracing::warn!(path = %self.path.display(), "an empty file; trusted keys stay as they were");
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;

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
        std::fs::write(&path, &new).unwrap();
        assert_eq!(*keys.now(), parse(&new));
        std::fs::write(&path, "[[key]]\nid = 1\n").unwrap();
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
            std::fs::write(&path, text).unwrap();
            assert_eq!(*keys.now(), trusted, "{text:?}");
        }
        // Said on purpose.
        std::fs::write(&path, "# nobody\n").unwrap();
        assert_eq!(*keys.now(), Trust::parse("", &path).unwrap());
        std::fs::write(&path, &entry).unwrap();
        assert_eq!(*keys.now(), trusted);
    }
}
