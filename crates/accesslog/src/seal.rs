//! A file that only who has the key can read: HPKE (RFC 9180) with X25519, HKDF-SHA256 and AES-256-GCM, a piece at a time.
//!
//! ```text
//! "airclass sealed 1\n" │ 32 bytes: whom it is for, this once │ piece │ piece │ …
//! piece: length, 4 bytes big endian │ ciphertext; its authenticated data is "piece", or "last" for the last one
//! ```
//! A piece is a batch of lines, zipped. Pieces are numbered by the cipher, so none can be taken out or moved, and a file without a
//! last piece was cut off. The node has only the public key: who takes the node has no log but the one that goes on.

use aws_lc_rs::digest;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey, HpkeSealer};
use std::fmt;
use std::io::{self, Read, Write};
use std::str::FromStr;
use units::hex;

const MAGIC: &[u8] = b"airclass sealed 1\n";
const INFO: &[u8] = b"airclass access log";
/// Bytes of an encapsulated secret.
const SECRET: usize = 32;
/// The largest piece that is read: a batch is a small part of it.
const MOST_PIECE: usize = 64 << 20;
const PIECE: &[u8] = b"piece";
const LAST: &[u8] = b"last";

/// Whom a log is sealed to: 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealKey([u8; 32]);

impl FromStr for SealKey {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        hex::read(text.trim())
            .map(Self)
            .ok_or("must be 64 hexadecimal digits, as `airclass node log-key` prints them")
    }
}

impl fmt::Display for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(&self.0, f)
    }
}

/// Why a file cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
    /// It is none of ours.
    #[error("is no sealed log")]
    NotSealed,
    /// The key is another's, or the file was changed here.
    #[error("piece {0} does not open: another key, or changed")]
    Piece(u64),
    /// What was read so far is all there is of it.
    #[error("was cut off behind piece {0}; what stands before it is whole")]
    CutOff(u64),
}

struct Digits<'a>(&'a [u8]);

impl fmt::Display for Digits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex::write(self.0, f)
    }
}

/// A new pair of keys.
///
/// # Errors
/// When the system gives no randomness.
pub fn generate() -> Result<(SealKey, String), &'static str> {
    let (public, private) = SUITE.generate_key_pair().map_err(|_| "no keys could be made")?;
    let public = <[u8; SECRET]>::try_from(public.0).map_err(|_| "no keys could be made")?;
    Ok((SealKey(public), Digits(private.secret_bytes()).to_string()))
}

/// Seals pieces as they come.
pub(crate) struct Sealer(Box<dyn HpkeSealer>);

impl Sealer {
    /// Begins a file: what stands before the pieces.
    pub(crate) fn begin(key: &SealKey) -> io::Result<(Self, Vec<u8>)> {
        let (secret, sealer) =
            SUITE.setup_sealer(INFO, &HpkePublicKey(key.0.to_vec())).map_err(io::Error::other)?;
        Ok((Self(sealer), [MAGIC, &secret.0].concat()))
    }

    /// Seals a piece.
    pub(crate) fn piece(&mut self, lines: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let mut zip = GzEncoder::new(Vec::with_capacity(lines.len() / 4 + 64), Compression::fast());
        zip.write_all(lines)?;
        let sealed =
            self.0.seal(if last { LAST } else { PIECE }, &zip.finish()?).map_err(io::Error::other)?;
        let length = u32::try_from(sealed.len()).map_err(io::Error::other)?;
        Ok([&length.to_be_bytes()[..], &sealed].concat())
    }
}

/// Opens a sealed log with the private key (64 hexadecimal digits) and writes its lines.
///
/// # Errors
/// [`OpenError`]. What came before the error is written.
pub fn open(mut sealed: impl Read, private: &str, mut out: impl Write) -> Result<(), OpenError> {
    let mut magic = [0; MAGIC.len()];
    let mut secret = [0; SECRET];
    if sealed.read_exact(&mut magic).is_err() || magic != *MAGIC || sealed.read_exact(&mut secret).is_err() {
        return Err(OpenError::NotSealed);
    }
    let private = hex::read::<SECRET>(private.trim()).ok_or(OpenError::Piece(0))?.to_vec();
    let secret = EncapsulatedSecret(secret.to_vec());
    let mut opener =
        SUITE.setup_opener(&secret, INFO, &HpkePrivateKey::from(private)).map_err(|_| OpenError::Piece(0))?;
    for number in 0_u64.. {
        let mut length = [0; 4];
        sealed.read_exact(&mut length).map_err(|_| OpenError::CutOff(number))?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > MOST_PIECE {
            return Err(OpenError::Piece(number));
        }
        let mut piece = Vec::new();
        sealed.by_ref().take(length as u64).read_to_end(&mut piece)?;
        if piece.len() < length {
            return Err(OpenError::CutOff(number));
        }
        // The authenticated data says which it is; a wrong guess opens nothing and moves nothing on.
        let (lines, last) = match opener.open(PIECE, &piece) {
            Ok(lines) => (lines, false),
            Err(_) => (opener.open(LAST, &piece).map_err(|_| OpenError::Piece(number))?, true),
        };
        io::copy(&mut GzDecoder::new(&lines[..]), &mut out)?;
        if last {
            return Ok(out.flush()?);
        }
    }
    Ok(())
}

/// SHA-256 as `sha256sum` writes it.
pub(crate) fn sum(mut file: impl Read) -> io::Result<String> {
    let mut context = digest::Context::new(&digest::SHA256);
    let mut piece = vec![0; 256 * 1_024];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(Digits(context.finish().as_ref()).to_string()),
            count => context.update(&piece[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_opens_it_and_no_change_goes_unseen() {
        let (key, private) = generate().unwrap();
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        let (mut sealer, mut file) = Sealer::begin(&key).unwrap();
        let head = file.len();
        file.extend(sealer.piece(b"one\n", false).unwrap());
        let first = file.len();
        file.extend(sealer.piece(b"two\n", true).unwrap());
        let opened = |file: &[u8], key: &str| {
            let mut out = Vec::new();
            let result = open(file, key, &mut out);
            (String::from_utf8(out).unwrap(), result.map_err(|error| error.to_string()))
        };
        assert_eq!(opened(&file, &private), ("one\ntwo\n".into(), Ok(())));
        assert!(!file.windows(3).any(|bytes| bytes == b"one"));
        let (_, other) = generate().unwrap();
        assert!(opened(&file, &other).1.unwrap_err().contains("another key"));
        let (text, cut) = opened(&file[..first], &private);
        assert!(text == "one\n" && cut.unwrap_err().contains("cut off"));
        for at in [head + 6, first + 6] {
            let mut changed = file.clone();
            changed[at] ^= 1;
            assert!(opened(&changed, &private).1.is_err(), "{at}");
        }
        // A piece taken out.
        let without = [&file[..head], &file[first..]].concat();
        assert!(opened(&without, &private).1.is_err());
        assert!("abc".parse::<SealKey>().is_err());
    }
}
