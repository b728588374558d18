//! Records of TLS 1.3 that are encrypted from where a body lies to where they are sent from.
//!
//! rustls copies what a record says into it and encrypts it there. A body is large and lies in memory that all share, so that copy
//! is the first to touch it: a twelfth of what an answer costs over TLS. The suites are rustls' own in all but this.

use super::prefetch;
use rustls::crypto::cipher::{
    AeadKey, Iv, MessageDecrypter, MessageEncrypter, Nonce, OutboundChunks, OutboundOpaqueMessage,
    OutboundPlainMessage, PrefixedPayload, Tls13AeadAlgorithm, UnsupportedOperationError, make_tls13_aad,
};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::{
    CipherSuite, CipherSuiteCommon, ConnectionTrafficSecrets, ContentType, Error, ProtocolVersion,
    SupportedCipherSuite, Tls13CipherSuite,
};

use ::aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, LessSafeKey, UnboundKey};
use std::sync::LazyLock;

/// What a record may say (RFC 8446 §5.1).
const MOST_PLAIN: usize = 1 << 14;

/// From how many bytes on what a record says is most likely a piece of something longer: a full record, or a full frame of HTTP/2 less
/// what is in the record of its head.
const PIECE: usize = MOST_PLAIN - 512;

/// From how many bytes on a record has the room of a full one: one of 16 KiB or less is wiped when it is given back, as are all blocks
/// that a client's words may be in, and in this one nobody reads anything.
const LONG: usize = 4 * 1_024;

/// The suites whose records are made here, by the ones of the library that they are otherwise.
static SUITES: LazyLock<Vec<Tls13CipherSuite>> = LazyLock::new(|| {
    let library = aws_lc_rs::default_provider().cipher_suites;
    library.iter().filter_map(SupportedCipherSuite::tls13).filter_map(ours).collect()
});

fn ours(suite: &'static Tls13CipherSuite) -> Option<Tls13CipherSuite> {
    let algorithm = match suite.common.suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => &AES_128_GCM,
        CipherSuite::TLS13_AES_256_GCM_SHA384 => &AES_256_GCM,
        _ => return None,
    };
    let common = CipherSuiteCommon {
        suite: suite.common.suite,
        hash_provider: suite.common.hash_provider,
        confidentiality_limit: suite.common.confidentiality_limit,
    };
    // One for each suite, for as long as the process lives: that is how the library has them.
    let aead_alg = Box::leak(Box::new(OutOfPlace { algorithm, library: suite.aead_alg }));
    Some(Tls13CipherSuite { common, hkdf_provider: suite.hkdf_provider, aead_alg, quic: suite.quic })
}

/// rustls on aws-lc, with records of AES-GCM made here.
pub(super) fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    for suite in &mut provider.cipher_suites {
        let name = suite.suite();
        if let Some(own) = SUITES.iter().find(|own| own.common.suite == name) {
            *suite = SupportedCipherSuite::Tls13(own);
        }
    }
    provider
}

struct OutOfPlace {
    algorithm: &'static Algorithm,
    library: &'static dyn Tls13AeadAlgorithm,
}

impl Tls13AeadAlgorithm for OutOfPlace {
    fn encrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageEncrypter> {
        match UnboundKey::new(self.algorithm, key.as_ref()) {
            Ok(unbound) => Box::new(Encrypter { key: LessSafeKey::new(unbound), iv }),
            // A key of another length, which there is not.
            Err(_) => self.library.encrypter(key, iv),
        }
    }

    fn decrypter(&self, key: AeadKey, iv: Iv) -> Box<dyn MessageDecrypter> {
        self.library.decrypter(key, iv)
    }

    fn key_len(&self) -> usize {
        self.library.key_len()
    }

    fn extract_keys(
        &self,
        key: AeadKey,
        iv: Iv,
    ) -> Result<ConnectionTrafficSecrets, UnsupportedOperationError> {
        self.library.extract_keys(key, iv)
    }
}

struct Encrypter {
    key: LessSafeKey,
    iv: Iv,
}

impl MessageEncrypter for Encrypter {
    /// RFC 8446 §5.2: what it says, then one byte of what kind it is, encrypted; the tag behind.
    fn encrypt(
        &mut self,
        message: OutboundPlainMessage<'_>,
        sequence: u64,
    ) -> Result<OutboundOpaqueMessage, Error> {
        let length = self.encrypted_payload_len(message.payload.len());
        let capacity =
            if message.payload.len() < LONG { length } else { self.encrypted_payload_len(MOST_PLAIN) };
        let mut payload = PrefixedPayload::with_capacity(capacity);
        // The number of the record is in it, and no number comes twice: rustls ends a connection before they run out.
        let nonce = ::aws_lc_rs::aead::Nonce::assume_unique_for_key(Nonce::new(&self.iv, sequence).0);
        let aad = Aad::from(make_tls13_aad(length));
        let kind = [u8::from(message.typ)];
        match one_piece(&message.payload) {
            Some(plain) => {
                let seal = || {
                    // What is encrypted over: the library has no room that is not initialised. Copied from zeros that lie somewhere it
                    // would cost twice as much.
                    payload.extend(std::iter::repeat_n(&0, length));
                    let (sealed, rest) = payload.as_mut().split_at_mut(plain.len());
                    self.key.seal_out_of_place_scatter(nonce, aad, plain, sealed, &kind, rest)
                };
                if plain.len() >= PIECE { prefetch::around(plain, MOST_PLAIN, seal) } else { seal() }
            }
            None => {
                payload.extend_from_chunks(&message.payload);
                payload.extend_from_slice(&kind);
                self.key.seal_in_place_append_tag(nonce, aad, &mut payload)
            }
        }
        .map_err(|_| Error::EncryptError)?;
        // RFC 8446 §5.1: all look like application data of TLS 1.2 from outside.
        Ok(OutboundOpaqueMessage::new(ContentType::ApplicationData, ProtocolVersion::TLSv1_2, payload))
    }

    fn encrypted_payload_len(&self, plain: usize) -> usize {
        plain + 1 + self.key.algorithm().tag_len()
    }
}

/// What a record says, where it lies in one piece. Most do: a head and the first bytes behind it do not, nor what
/// spans two blocks of a body.
fn one_piece<'a>(payload: &OutboundChunks<'a>) -> Option<&'a [u8]> {
    match *payload {
        OutboundChunks::Single(piece) => Some(piece),
        OutboundChunks::Multiple { chunks, start, end } => {
            let mut before = 0;
            for chunk in chunks {
                let behind = before + chunk.len();
                if start < behind {
                    return chunk.get(start - before..end.checked_sub(before)?);
                }
                before = behind;
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_is_found_wherever_it_lies() {
        let chunks: [&[u8]; 4] = [b"", b"abc", b"", b"defg"];
        for (start, end, expected) in [
            (0, 3, Some(&b"abc"[..])),
            (1, 3, Some(b"bc")),
            (0, 4, None),
            (2, 5, None),
            (3, 7, Some(b"defg")),
            (4, 6, Some(b"ef")),
            (7, 7, None),
        ] {
            let payload = OutboundChunks::Multiple { chunks: &chunks, start, end };
            assert_eq!(one_piece(&payload), expected, "{start}..{end}");
        }
        assert_eq!(one_piece(&OutboundChunks::Single(b"x")), Some(&b"x"[..]));
    }

    #[test]
    fn records_are_byte_for_byte_what_the_library_makes() {
        let suite = SUITES.iter().find(|suite| suite.aead_alg.key_len() == 32).unwrap();
        let library = aws_lc_rs::cipher_suite::TLS13_AES_256_GCM_SHA384.tls13().unwrap();
        let [mut ours, mut theirs] =
            [suite, library].map(|suite| suite.aead_alg.encrypter(AeadKey::from([7; 32]), Iv::from([9; 12])));
        let body: Vec<u8> = (0..MOST_PLAIN).map(|at| (at * 31 % 251) as u8).collect();
        let mut sequence = 0;
        for length in [0, 1, 15, 16, 17, 4_097, MOST_PLAIN] {
            let plain = &body[..length];
            // Whole, cut in two, and the middle of something longer.
            let halves = [&plain[..length / 3], &plain[length / 3..]];
            let around: [&[u8]; 3] = [b"before", plain, b"behind"];
            for payload in [
                OutboundChunks::Single(plain),
                OutboundChunks::Multiple { chunks: &halves, start: 0, end: length },
                OutboundChunks::Multiple { chunks: &around, start: 6, end: 6 + length },
            ] {
                let message = |payload| OutboundPlainMessage {
                    typ: ContentType::ApplicationData,
                    version: ProtocolVersion::TLSv1_3,
                    payload,
                };
                let made = ours.encrypt(message(payload.clone()), sequence).unwrap().encode();
                assert_eq!(made, theirs.encrypt(message(payload), sequence).unwrap().encode(), "{length}");
                sequence += 1;
            }
        }
    }

    #[test]
    fn suites_stay_in_the_librarys_order_and_both_of_aes_gcm_are_ours() {
        let name = SupportedCipherSuite::suite;
        let library = aws_lc_rs::default_provider().cipher_suites;
        let made = provider().cipher_suites;
        assert_eq!(made.iter().map(name).collect::<Vec<_>>(), library.iter().map(name).collect::<Vec<_>>());
        let ours = |suite: &&SupportedCipherSuite| {
            suite.tls13().is_some_and(|suite| SUITES.iter().any(|own| std::ptr::eq(own, suite)))
        };
        assert_eq!(made.iter().filter(ours).count(), 2);
    }
}
