//! One-time tokens: a secret that a node shows once, and what the control keeps of it.
//!
//! `act_<64 hexadecimal digits>_<64 hexadecimal digits>`: the secret, and the SHA-256 of the control's authority, by which a
//! node knows whom it talks to before it has a certificate of its own. Who finds a record learns no secret: records name
//! a token by its hash.

use package::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The longest that a token may wait for its node: a machine that is in a lorry.
pub const MAX_VALID: Duration = Duration::from_secs(31 * 86_400);

/// A token, whole. Not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    secret: Digest,
    /// SHA-256 of the certificate (DER) of the control's authority.
    pub authority: Digest,
}

/// What a token is called in records: the SHA-256 of its secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TokenId(Digest);

impl Secret {
    /// A new one, of the authority with this hash.
    ///
    /// # Errors
    /// When the system gives no randomness.
    pub fn new(authority: Digest) -> Result<Self, &'static str> {
        let mut secret = [0; 32];
        aws_lc_rs::rand::fill(&mut secret).map_err(|_| "the system gives no randomness for a token")?;
        Ok(Self { secret: Digest(secret), authority })
    }

    /// What it is called.
    pub fn id(&self) -> TokenId {
        TokenId(Digest::of(&self.secret.0))
    }

    /// As it is given to the node's installer.
    pub fn reveal(&self) -> String {
        format!("act_{}_{}", self.secret, self.authority)
    }
}

impl FromStr for Secret {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "is no token; give all of the line that `airclass control token` printed";
        let (secret, authority) =
            text.trim().strip_prefix("act_").and_then(|rest| rest.split_once('_')).ok_or(WANTED)?;
        Ok(Self {
            secret: secret.parse().map_err(|_| WANTED)?,
            authority: authority.parse().map_err(|_| WANTED)?,
        })
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.id())
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_shown_and_tells_nothing_else() {
        let token = Secret::new(Digest([7; 32])).unwrap();
        assert_eq!(token.reveal().parse(), Ok(token.clone()));
        assert!(!format!("{token:?}").contains(&token.reveal()[4..68]));
        assert_ne!(token.id(), Secret::new(Digest([7; 32])).unwrap().id());
        let text = token.reveal();
        for wrong in ["", "act_", &text[..80], &text.replace("act", "tok"), &text.to_uppercase()] {
            assert!(wrong.parse::<Secret>().is_err(), "{wrong}");
        }
    }
}
