//! Ed25519 signatures over manifests: a key signs, a paper beside the manifest keeps signatures, a file says whom to
//! trust.
//!
//! A manifest lists every object with its SHA-256, so one signature over its bytes covers the lesson. It is detached
//! (`manifest.sig`): the package's name is the manifest's hash and must not depend on who signs, and a new key can sign
//! what is published already. A key is named by its own hash, so no name can be put on another key.
//!
//! ```text
//! KEY          PKCS#8 in PEM, for its owner alone      openssl genpkey -algorithm ed25519 makes one as well
//! KEY.pub      the public half, SPKI in PEM            openssl pkeyutl -verify -rawin -pubin -inkey KEY.pub …
//! trust.toml   [[key]] id, public, name, from, until   whom to trust, and when
//! ```

mod error;
mod file;
mod hex;
mod key;
mod paper;
mod trust;

pub use error::SigningError;
pub use file::TrustFile;
pub use key::{KeyId, PublicKey, SigningKey};
pub use paper::{MAX_SIGNATURES, MAX_SIGNATURES_BYTES, Signature, Signatures};
pub use trust::{Trust, Trusted, Verdict};
