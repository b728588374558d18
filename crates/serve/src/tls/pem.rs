//! Files in PEM as people put them together: with `cat`, where the first file has no last line end, and with editors of Windows.

use rustls::pki_types::pem::{Error, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// All certificates of a file, in its order.
///
/// # Errors
/// What is wrong with it, in words.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, String> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&with_lines_apart(pem)).collect();
    let chain = chain.map_err(|error| words(&error))?;
    if chain.is_empty() { Err("no certificate in it".to_owned()) } else { Ok(chain) }
}

/// The first private key of a file.
///
/// # Errors
/// What is wrong with it, in words.
pub fn key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&with_lines_apart(pem)).map_err(|error| {
        let is_locked = pem.windows(LOCKED.len()).any(|part| part == LOCKED);
        if is_locked {
            "is locked with a password; unlock it (`openssl pkey -in LOCKED -out KEY`)".to_owned()
        } else {
            words(&error)
        }
    })
}

/// What stands in a key that a password is asked for, by PKCS #8 and by OpenSSL's own form.
const LOCKED: &[u8] = b"ENCRYPTED";
const DASHES: &[u8] = b"-----";
const BEGIN: &[u8] = b"-----BEGIN ";

/// With each beginning in a line of its own, and without a byte order mark: a section whose first line is not one is passed over, and
/// phones miss the certificate that was in it.
fn with_lines_apart(pem: &[u8]) -> Vec<u8> {
    let pem = pem.strip_prefix("\u{feff}".as_bytes()).unwrap_or(pem);
    let mut apart = Vec::with_capacity(pem.len() + BEGIN.len());
    for (at, byte) in pem.iter().enumerate() {
        if pem[at..].starts_with(BEGIN) && pem[..at].ends_with(DASHES) {
            apart.push(b'\n');
        }
        apart.push(*byte);
    }
    apart
}

/// The library's own have bytes in them.
fn words(error: &Error) -> String {
    match error {
        Error::MissingSectionEnd { .. } => "has no line `-----END …-----` behind what begins".to_owned(),
        Error::IllegalSectionStart { .. } => "has a line `-----BEGIN …` that is none".to_owned(),
        Error::NoItemsFound => "has none".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two certificates that `cat` had put into one line the second was not there, without a word.
    #[test]
    fn what_was_put_together_by_hand_is_read_whole() {
        let [one, two] =
            ["a.cn", "b.cn"].map(|name| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap());
        let [first, second] = [&one, &two].map(|made| made.cert.pem());
        for text in [
            format!("{first}{second}"),
            format!("{}{second}", first.trim_end()),
            format!("\u{feff}{first}{second}"),
            format!("Bag Attributes\r\n{first}\r\n{}", second.replace('\n', "\r\n")),
        ] {
            assert_eq!(
                certificates(text.as_bytes()).unwrap(),
                [one.cert.der().clone(), two.cert.der().clone()],
                "{text}"
            );
        }
        let private = one.signing_key.serialize_pem();
        assert_eq!(
            key(format!("{}{private}", first.trim_end()).as_bytes()).unwrap().secret_der(),
            one.signing_key.serialized_der()
        );
    }

    #[test]
    fn what_cannot_be_read_is_said_in_words() {
        let begun = "-----BEGIN CERTIFICATE-----\nMIIB\n";
        assert_eq!(certificates(b"").unwrap_err(), "no certificate in it");
        assert_eq!(
            certificates(begun.as_bytes()).unwrap_err(),
            "has no line `-----END …-----` behind what begins"
        );
        assert_eq!(key(begun.as_bytes()).unwrap_err(), "has no line `-----END …-----` behind what begins");
        assert_eq!(key(b"").unwrap_err(), "has none");
        for locked in [
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIB\n-----END RSA PRIVATE KEY-----\n",
        ] {
            assert!(key(locked.as_bytes()).unwrap_err().starts_with("is locked with a password; "));
        }
    }
}
