//! Whom to trust: a TOML file of public keys, each with a name and the days within which its signatures count.
//!
//! Rotation: add the new key here and everywhere, sign with it from then on (`airclass package sign --all` signs what
//! is there), and let the old one end by `until`.

use crate::key::{KeyId, PublicKey};
use crate::paper::Signatures;
use jiff::civil::Date;
use serde::Deserialize;
use settings::SettingsError;
use std::path::Path;

/// The keys that are trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trust(Vec<Trusted>);

/// One key that is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trusted {
    /// Its name; must be that of `public`.
    pub id: KeyId,
    /// The key.
    pub public: PublicKey,
    /// Whose it is, for people.
    #[serde(default)]
    pub name: Option<String>,
    /// The first day on which it counts (UTC); left out: always so far.
    #[serde(default)]
    pub from: Option<Date>,
    /// The last day on which it counts (UTC); left out: for ever.
    #[serde(default)]
    pub until: Option<Date>,
}

/// What a manifest's signatures are worth.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// A trusted key has signed exactly these bytes.
    Good(Trusted),
    /// A trusted key is said to have signed and has not signed these bytes.
    Forged(KeyId),
    /// The only keys known here do not count today.
    Outdated(KeyId),
    /// Others have signed.
    Unknown(Vec<KeyId>),
    /// Nobody has signed.
    Unsigned,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    key: Vec<Trusted>,
}

impl Trust {
    /// Reads a file's text. `path` is for the error, which names file and line.
    ///
    /// # Errors
    /// When it is no such TOML, or an id is not that of its key.
    pub fn parse(text: &str, path: &Path) -> Result<Self, SettingsError> {
        // Of the two files that `keygen` makes neither is the one that it prints.
        if text.starts_with("-----BEGIN ") {
            let problem = "is a key in PEM; give a TOML file with a [[key]] each, as `airclass package keygen` prints it";
            return Err(SettingsError::Invalid {
                path: path.to_owned(),
                line: 1,
                problem: problem.to_owned(),
            });
        }
        let File { key: keys } = settings::parse(text, path)?;
        for key in &keys {
            let id = key.public.id();
            if id != key.id {
                let problem = format!("{} is not the id of its public key, which is {id}", key.id);
                return Err(SettingsError::value("key.id", problem));
            }
        }
        Ok(Self(keys))
    }

    /// The keys that it names, whenever they count.
    pub fn ids(&self) -> impl Iterator<Item = KeyId> {
        self.0.iter().map(|key| key.id)
    }

    /// What `signatures` over `manifest` are worth on `today`. One good signature is enough.
    pub fn judge(&self, manifest: &[u8], signatures: &Signatures, today: Date) -> Verdict {
        let (mut forged, mut outdated) = (None, None);
        for signature in signatures.iter() {
            let Some(key) = self.0.iter().find(|key| key.id == signature.key_id) else { continue };
            if !key.public.verifies(manifest, signature) {
                forged = Some(key.id);
            } else if key.counts_on(today) {
                return Verdict::Good(key.clone());
            } else {
                outdated = Some(key.id);
            }
        }
        match (forged, outdated) {
            (Some(id), _) => Verdict::Forged(id),
            (None, Some(id)) => Verdict::Outdated(id),
            (None, None) if signatures.is_empty() => Verdict::Unsigned,
            (None, None) => Verdict::Unknown(signatures.iter().map(|signature| signature.key_id).collect()),
        }
    }
}

impl Trusted {
    fn counts_on(&self, today: Date) -> bool {
        self.from.is_none_or(|from| from <= today) && self.until.is_none_or(|until| today <= until)
    }
}

impl Verdict {
    /// As JSON and tables name it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Good(_) => "good",
            Self::Forged(_) => "forged",
            Self::Outdated(_) => "outdated",
            Self::Unknown(_) => "unknown",
            Self::Unsigned => "unsigned",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::SigningKey;
    use faults::Fault;

    fn entry(key: &SigningKey, more: &str) -> String {
        format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n{more}\n", key.id(), key.public())
    }

    fn trust(text: &str) -> Trust {
        Trust::parse(text, Path::new("trust.toml")).unwrap()
    }

    #[test]
    fn what_signatures_are_worth() {
        let (old, new, other) = (
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
            SigningKey::generate().unwrap(),
        );
        let file =
            entry(&old, "until = \"2026-08-31\"") + &entry(&new, "from = \"2026-08-01\"\nname = \"new\"");
        let trust = trust(&file);
        let day = |text: &str| text.parse::<Date>().unwrap();
        let by = |keys: &[(&SigningKey, &[u8])]| {
            let mut signatures = Signatures::default();
            keys.iter().for_each(|(key, bytes)| {
                signatures.add(key.sign(bytes));
            });
            signatures
        };
        let m: &[u8] = b"manifest";
        for (what, signatures, today, expected) in [
            ("nobody", by(&[]), "2026-08-15", "unsigned"),
            ("the old key in its time", by(&[(&old, m)]), "2026-08-31", "good"),
            ("the old key after its time", by(&[(&old, m)]), "2026-09-01", "outdated"),
            ("the new key before its time", by(&[(&new, m)]), "2026-07-31", "outdated"),
            ("both, after the old one's time", by(&[(&old, m), (&new, m)]), "2026-09-01", "good"),
            ("somebody else", by(&[(&other, m)]), "2026-08-15", "unknown"),
            ("somebody else and a trusted one", by(&[(&other, m), (&new, m)]), "2026-08-15", "good"),
            ("another manifest's", by(&[(&new, b"another")]), "2026-08-15", "forged"),
            ("another manifest's and a good one", by(&[(&old, b"x"), (&new, m)]), "2026-08-15", "good"),
        ] {
            assert_eq!(trust.judge(m, &signatures, day(today)).as_str(), expected, "{what}");
        }
        assert_eq!(Trust(Vec::new()).judge(m, &by(&[(&new, m)]), day("2026-08-15")).as_str(), "unknown");
    }

    #[test]
    fn files_that_say_what_cannot_be() {
        let (one, two) = (SigningKey::generate().unwrap(), SigningKey::generate().unwrap());
        let swapped = format!("[[key]]\nid = \"{}\"\npublic = \"{}\"\n", one.id(), two.public());
        let day = entry(&one, "until = \"2026-02-30\"");
        for text in
            [&swapped, &day, "[[key]]\nid = \"00\"\npublic = \"00\"", "key = 1", "[[key]]\nunknown = 1"]
        {
            let error = Trust::parse(text, Path::new("trust.toml")).unwrap_err();
            assert!(error.code().starts_with("CONFIG_"), "{text}: {error}");
        }
        assert_eq!(trust(""), Trust(Vec::new()));
    }
}
