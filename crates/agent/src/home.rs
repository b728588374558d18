//! What a node keeps of itself, in a folder.
//!
//! ```text
//! HOME/node.key   its key, made here; it never leaves      node.pem   its certificate      authority.pem   whose word counts
//! HOME/relay.key  signs late orders for its own edge       state.json what it has heard and done
//! HOME/next.key   the key of a certificate that was asked for, until it is here
//! ```

use crate::error::AgentError;
use crate::line::Control;
use crate::state::State;
use fleet::wire::Papers;
use signing::SigningKey;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

const KEY: &str = "node.key";
const NEXT_KEY: &str = "next.key";
const CERTIFICATE: &str = "node.pem";
const AUTHORITY: &str = "authority.pem";
const RELAY: &str = "relay.key";
const STATE: &str = "state.json";
/// The largest file of the folder, written or read. What is remembered has some kilobytes, and a report of the same that the control takes
/// has no more than this (`fleet::wire::MAX_JSON_BYTES`).
const MAX_FILE_BYTES: usize = 1 << 20;
/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody to read.
const PUBLIC: u32 = 0o644;

/// The folder.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

impl Home {
    /// At this path.
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What is remembered.
    ///
    /// # Errors
    /// When the node has not enrolled, or the file is broken.
    pub fn state(&self) -> Result<State, AgentError> {
        let path = self.0.join(STATE);
        let text = read(&path).map_err(|error| {
            let problem = match error.kind() {
                io::ErrorKind::NotFound => format!("{error}; enrol first: `airclass node enroll`"),
                _ => error.to_string(),
            };
            AgentError::file(&path, problem)
        })?;
        serde_json::from_str(&text)
            .map_err(|error| AgentError::file(&path, format!("{error}; remove it and enrol anew")))
    }

    /// Whether a node has enrolled here.
    pub(crate) fn is_enrolled(&self) -> bool {
        self.0.join(STATE).exists()
    }

    pub(crate) fn remember(&self, state: &State) -> Result<(), AgentError> {
        let text = serde_json::to_vec_pretty(state).map_err(|error| AgentError::file(&self.0, error))?;
        self.write(STATE, PUBLIC, &text)
    }

    /// The node's key: the one that is here, or a new one. One that was made before an answer was lost is used again.
    pub(crate) fn key(&self) -> Result<rcgen::KeyPair, AgentError> {
        self.key_in(KEY)
    }

    /// The key of the next certificate, in the same way.
    pub(crate) fn next_key(&self) -> Result<rcgen::KeyPair, AgentError> {
        self.key_in(NEXT_KEY)
    }

    fn key_in(&self, name: &str) -> Result<rcgen::KeyPair, AgentError> {
        fs::create_dir_all(&self.0).map_err(|error| AgentError::file(&self.0, error))?;
        let path = self.0.join(name);
        match read(&path) {
            Ok(text) => rcgen::KeyPair::from_pem(&text).map_err(|error| AgentError::file(&path, error)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = rcgen::KeyPair::generate().map_err(|error| AgentError::Key(error.to_string()))?;
                self.write(name, PRIVATE, key.serialize_pem().as_bytes())?;
                Ok(key)
            }
            Err(error) => Err(AgentError::file(&path, error)),
        }
    }

    /// The key that signs late orders: the one that is here, or a new one.
    pub(crate) fn relay(&self) -> Result<SigningKey, AgentError> {
        let path = self.0.join(RELAY);
        if !path.exists() {
            let key = SigningKey::generate().map_err(|error| AgentError::Key(error.to_string()))?;
            key.write(&path).map_err(|error| AgentError::file(&path, error))?;
        }
        SigningKey::read(&path).map_err(|error| AgentError::file(&path, error))
    }

    /// Keeps what the control has issued for the key that is here.
    pub(crate) fn keep(&self, papers: &Papers) -> Result<(), AgentError> {
        self.write(AUTHORITY, PUBLIC, papers.authority.as_bytes())?;
        self.write(CERTIFICATE, PUBLIC, papers.certificate.as_bytes())
    }

    /// Keeps what it has issued for the next key, which takes the place of the one before. Whoever stops in between finds the key that
    /// fits the certificate in one of the two places.
    pub(crate) fn renew(&self, papers: &Papers) -> Result<(), AgentError> {
        self.keep(papers)?;
        self.next_takes_place()
    }

    fn next_takes_place(&self) -> Result<(), AgentError> {
        let next = self.0.join(NEXT_KEY);
        fs::rename(&next, self.0.join(KEY)).map_err(|error| AgentError::file(&next, error))
    }

    /// The control, to be spoken to as this node.
    ///
    /// # Errors
    /// When a file is missing or broken.
    pub fn control(&self, url: &str) -> Result<Control, AgentError> {
        let read = |name: &str| {
            let path = self.0.join(name);
            read(&path).map_err(|error| AgentError::file(&path, error))
        };
        let (authority, chain, key) = (read(AUTHORITY)?, read(CERTIFICATE)?, read(KEY)?);
        let known = Control::known(url, &authority, &chain, &key);
        let control = match (known, read(NEXT_KEY)) {
            // The machine stopped when a new certificate was here, and its key was not in its place yet.
            (Err(_), Ok(next)) if Control::known(url, &authority, &chain, &next).is_ok() => {
                self.next_takes_place()?;
                Control::known(url, &authority, &chain, &next)
            }
            (known, _) => known,
        };
        control.map_err(|(what, problem)| AgentError::file(&self.0, format!("{what}: {problem}; enrol anew")))
    }

    /// Writes a file whole or not at all.
    fn write(&self, name: &str, mode: u32, bytes: &[u8]) -> Result<(), AgentError> {
        let path = self.0.join(name);
        if bytes.len() > MAX_FILE_BYTES {
            let problem = format!("would have more than {MAX_FILE_BYTES} bytes, the most that is read of it");
            return Err(AgentError::file(&path, problem));
        }
        replace(&path, mode, bytes).map_err(|error| AgentError::file(&path, error))
    }
}

fn read(path: &Path) -> io::Result<String> {
    settings::small_text(path, MAX_FILE_BYTES as u64)
}

/// Puts a file in the place of the one that is there, whole or not at all.
pub(crate) fn replace(path: &Path, mode: u32, bytes: &[u8]) -> io::Result<()> {
    let mut draft = path.as_os_str().to_owned();
    draft.push(".new");
    let draft = PathBuf::from(draft);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use rcgen::{CertificateParams, KeyPair};

    fn papers(key: &KeyPair) -> Papers {
        let made = CertificateParams::new(vec!["node".to_owned()]).unwrap().self_signed(key).unwrap();
        Papers {
            node: "hubei/dianxin/acme/a/1".parse().unwrap(),
            certificate: made.pem(),
            authority: made.pem(),
            until: Timestamp::UNIX_EPOCH,
            upstream: Vec::new(),
        }
    }

    /// A control that sent a certificate without end was believed, and the next start read it.
    #[test]
    fn what_would_not_be_read_again_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().to_owned());
        let key = home.key().unwrap();
        home.keep(&papers(&key)).unwrap();
        let long = Papers { authority: "x".repeat(MAX_FILE_BYTES + 1), ..papers(&key) };
        let said = home.keep(&long).unwrap_err().to_string();
        assert!(said.contains("authority.pem: would have more than 1048576 bytes"), "{said}");
        home.control("https://control.example:8070").map(drop).unwrap();
        std::os::unix::fs::symlink("/dev/zero", folder.path().join(STATE)).unwrap();
        let said = home.state().unwrap_err().to_string();
        assert!(
            said.ends_with("state.json: has more than 1048576 bytes, the most that is read of such a file"),
            "{said}"
        );
    }

    #[test]
    fn wherever_a_renewal_is_cut_off_there_is_a_pair_that_fits() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("home"));
        let key = |name: &str| fs::read_to_string(home.path().join(name)).ok();
        let speaks = || home.control("https://control.example:8070").map(|_| ()).map_err(|e| e.to_string());
        let first = home.key().unwrap();
        home.keep(&papers(&first)).unwrap();
        speaks().unwrap();
        // The next key is made once, however often it is asked with, and the old pair serves meanwhile.
        let next = home.next_key().unwrap();
        assert_eq!(home.next_key().unwrap().serialize_pem(), next.serialize_pem());
        speaks().unwrap();
        assert_eq!(key(KEY), Some(first.serialize_pem()));
        // The certificate is here, its key not in its place.
        home.keep(&papers(&next)).unwrap();
        speaks().unwrap();
        assert_eq!((key(KEY), key(NEXT_KEY)), (Some(next.serialize_pem()), None));
        // Whole.
        let third = home.next_key().unwrap();
        assert_ne!(third.serialize_pem(), next.serialize_pem());
        home.renew(&papers(&third)).unwrap();
        assert_eq!((key(KEY), key(NEXT_KEY)), (Some(third.serialize_pem()), None));
        speaks().unwrap();
        // A pair that fits nowhere is told.
        home.keep(&papers(&first)).unwrap();
        assert!(speaks().unwrap_err().contains("enrol anew"));
    }
}
