//! What a node keeps of itself, in a folder.
//!
//! ```text
//! HOME/node.key   its key, made here; it never leaves      node.pem   its certificate      authority.pem   whose word counts
//! HOME/relay.key  signs late orders for its own edge       state.json what it has heard and done
//! HOME/next.key   the key of a certificate that was asked for, until it is here
//! ```

use crate::error::AgentError;
use crate::late::LatePlans;
use crate::line::Control;
use fleet::wire::Papers;
use fleet::{Effect, NodeName};
use jiff::Timestamp;
use package::Digest;
use serde::{Deserialize, Serialize};
use signing::SigningKey;
use std::collections::BTreeMap;
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
/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody to read.
const PUBLIC: u32 = 0o644;

/// The folder.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// What is remembered from one start to the next.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// Where the control is.
    pub control: String,
    /// Who this node is.
    pub node: NodeName,
    /// Since when the certificate counts.
    pub since: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// The last order that was looked at.
    #[serde(default)]
    pub heard: u64,
    /// Hashes of records up to which it has heard, the last one's and some of before, ever farther apart.
    #[serde(default)]
    pub known: BTreeMap<u64, Digest>,
    /// What came of the last ones.
    #[serde(default)]
    pub effects: BTreeMap<u64, Effect>,
    /// Orders of plans of which the edge may say more.
    #[serde(default)]
    pub late: LatePlans,
    /// Whether the control has taken it out of service.
    #[serde(default)]
    pub drained: bool,
}

/// What came of hearing up to which number there are no more orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// It was known.
    Nothing,
    /// It grew.
    More,
    /// The control does not know that: its records were brought back from a copy, and numbers are given anew.
    Less {
        /// What this node had heard up to.
        before: u64,
    },
}

impl State {
    /// All orders up to `up_to`, whose record has this hash, were heard.
    pub(crate) fn hear(&mut self, up_to: u64, hash: Option<Digest>) -> Heard {
        let before = self.heard;
        if up_to < before {
            self.go_back(up_to);
            return Heard::Less { before };
        }
        self.heard = up_to;
        let is_new = hash.is_some_and(|hash| self.known.insert(up_to, hash) != Some(hash));
        if is_new {
            self.thin_out();
        }
        if up_to > before || is_new { Heard::More } else { Heard::Nothing }
    }

    /// The path at which the control is asked for what is to be done, and whether a hash is told in it.
    pub(crate) fn question(&self) -> (String, bool) {
        let after = self.heard;
        match self.known.get(&after) {
            Some(hash) => (format!("/v1/orders?after={after}&hash={hash}"), true),
            None => (format!("/v1/orders?after={after}"), false),
        }
    }

    /// To the last record before that may be known to the control, which says so the next time; to `up_to` where none is known here.
    fn go_back(&mut self, up_to: u64) {
        self.known.split_off(&self.heard);
        let to = self.known.last_key_value().map_or(up_to, |(number, _)| *number);
        self.heard = to;
        // What came of others must not be told of those to come.
        self.effects.retain(|number, _| *number <= to);
        self.late.forget_after(to);
    }

    /// Of all that are between half as far back and as far, from each power of two to the next, one stays: the oldest.
    fn thin_out(&mut self) {
        let (heard, mut last) = (self.heard, None);
        self.known.retain(|number, _| {
            let distance = (heard - number.min(&heard)).checked_ilog2();
            last.replace(distance) != Some(distance)
        });
    }
}

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
        let text = fs::read(&path).map_err(|error| {
            AgentError::file(&path, format!("{error}; enrol first: `airclass node enroll`"))
        })?;
        serde_json::from_slice(&text)
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
        match fs::read_to_string(&path) {
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
            fs::read_to_string(&path).map_err(|error| AgentError::file(&path, error))
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
        replace(&path, mode, bytes).map_err(|error| AgentError::file(&path, error))
    }
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

    #[test]
    fn who_has_heard_more_than_the_control_knows_goes_back_and_forgets_what_came_of_it() {
        let json = r#"{"control":"","node":"hubei/dianxin/acme/a/1","since":"2026-09-01T00:00:00Z",
            "until":"2026-10-01T00:00:00Z","heard":7,"effects":{"5":{"effect":"done"},"7":{"effect":"done"}}}"#;
        let mut state: State = serde_json::from_str(json).unwrap();
        assert_eq!(state.hear(7, None), Heard::Nothing);
        assert_eq!(state.hear(9, None), Heard::More);
        assert_eq!((state.heard, state.effects.len()), (9, 2));
        assert_eq!(state.hear(6, None), Heard::Less { before: 9 });
        assert_eq!((state.heard, state.effects.keys().copied().collect::<Vec<_>>()), (6, vec![5]));
    }

    /// It went back to where the control had been started last, and what was ordered between that and the copy's end it never heard.
    #[test]
    fn it_goes_back_from_one_record_that_it_knows_to_the_one_before() {
        let json = r#"{"control":"","node":"hubei/dianxin/acme/a/1","since":"2026-09-01T00:00:00Z",
            "until":"2026-10-01T00:00:00Z"}"#;
        let mut state: State = serde_json::from_str(json).unwrap();
        let hash = |number: u64| Digest::of(&number.to_be_bytes());
        for number in 1..=1_000 {
            assert_eq!(state.hear(number, Some(hash(number))), Heard::More);
        }
        assert_eq!(state.hear(1_000, Some(hash(1_000))), Heard::Nothing);
        assert!(state.known.len() <= 12, "{:?}", state.known.keys());
        let mut back = vec![state.heard];
        while state.hear(0, None) != Heard::Nothing {
            back.push(state.heard);
            assert!(state.heard == 0 || state.known[&state.heard] == hash(state.heard));
        }
        let farther = back.windows(3).all(|three| three[1] - three[2] <= 4 * (1_000 - three[1]));
        assert!(back.ends_with(&[1, 0]) && farther, "{back:?}");
    }

    /// What the edge said days later of an order that was lost was told of the one that had got its number.
    #[test]
    fn of_orders_that_are_lost_nothing_is_told_days_later() {
        let json = r#"{"control":"","node":"hubei/dianxin/acme/a/1","since":"2026-09-01T00:00:00Z",
            "until":"2026-10-01T00:00:00Z","heard":9}"#;
        let mut state: State = serde_json::from_str(json).unwrap();
        let days = ["2999-09-01", "2999-09-02"].map(|date| date.parse().unwrap());
        for (number, date) in [(5, days[0]), (7, days[1])] {
            state.late.note(number, date, Digest::of(b"x"));
        }
        state.hear(6, None);
        assert_eq!(state.late.days(), [days[0]].into());
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
