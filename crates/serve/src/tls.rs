//! TLS 1.2 and 1.3 with rustls on aws-lc: `files → certificates by name → (tickets) → handshake`.
//!
//! Certificates and ticket keys are behind the one [`ServerConfig`] that all handshakes use, so that new ones come into
//! force with the next handshake and no connection is touched.

mod certificates;
mod error;
pub mod pem;
mod prefetch;
mod records;
mod tickets;

pub use error::TlsError;

use crate::clock;
use crate::metrics::Metrics;
use crate::options::{CertificateFiles, TlsFiles};
use certificates::{Certificates, Named, Term};
use quinn::crypto::rustls::QuicServerConfig;
use rustls::ServerConfig;
use rustls::version::TLS13;
use settings::{followed_file, small_file};
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;
use tickets::Tickets;

/// What all TLS listeners of a server share, on all cores: a student who comes back to another core resumes all the
/// same.
#[derive(Clone)]
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    /// The same for QUIC, which is TLS 1.3 and HTTP/3 alone.
    pub(crate) quic: Arc<QuicServerConfig>,
    certificates: Arc<Certificates>,
    tickets: Arc<Tickets>,
    /// How the files looked before they were last read.
    seen: Arc<Mutex<Look>>,
}

impl Tls {
    /// Reads everything that `files` names, each of which may be a pipe: what is in it comes once.
    ///
    /// # Errors
    /// The first file that cannot be used.
    pub(crate) fn load(files: &TlsFiles) -> Result<Self, TlsError> {
        // From before: what is written while they are read is news.
        let seen = Arc::new(Mutex::new(Look::at(files)));
        let certificates = Arc::new(Certificates::new(Named::load(&files.certificates, small_file)?));
        let tickets = Arc::new(Tickets::load(files.ticket_keys.as_deref(), small_file)?);
        let provider = Arc::new(records::provider());
        let make = |versions, protocols: &[&[u8]]| {
            let mut config = ServerConfig::builder_with_provider(Arc::clone(&provider))
                .with_protocol_versions(versions)
                .map_err(|source| TlsError::Provider { source })?
                .with_no_client_auth()
                .with_cert_resolver(Arc::clone(&certificates) as _);
            config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
            // Stateless tickets: a million students resuming cost the node no memory.
            config.ticketer = Arc::clone(&tickets) as _;
            // One ticket is what a player uses; the default of two is two more encryptions a handshake.
            config.send_tls13_tickets = 1;
            // No early data: it can be replayed (RFC 8446 §8), and a segment is not worth a rule about that.
            config.max_early_data_size = 0;
            Ok(Arc::new(config))
        };
        let config = make(rustls::DEFAULT_VERSIONS, &[b"h2", b"http/1.1"])?;
        let quic =
            QuicServerConfig::try_from(make(&[&TLS13], &[b"h3"])?).map_err(|_| TlsError::Provider {
                source: rustls::Error::General("no AES-128-GCM, which QUIC begins with".to_owned()),
            })?;
        Ok(Self { config, quic: Arc::new(quic), certificates, tickets, seen })
    }

    /// Everything of `files` that cannot be used, where [`Tls::load`] tells the first of it.
    pub(crate) fn problems(files: &TlsFiles) -> Vec<TlsError> {
        let alone =
            |pair: &CertificateFiles| TlsFiles { certificates: vec![pair.clone()], ticket_keys: None };
        let pairs = files.certificates.iter().filter_map(|pair| Self::load(&alone(pair)).err());
        let mut problems: Vec<_> = pairs.collect();
        problems.extend(tickets::Keys::load(files.ticket_keys.as_deref(), small_file).err());
        // Each is right by itself.
        if problems.is_empty() {
            problems.extend(Self::load(files).err());
        }
        problems
    }

    /// Puts what `files` names now in place of what was there, all of it or nothing. Whether it looks otherwise than what was read last.
    ///
    /// # Errors
    /// The first file that cannot be used, which a pipe cannot: it would be waited for, and all of a core with it. Everything
    /// stays as it was.
    pub(crate) fn reload(&self, files: &TlsFiles) -> Result<bool, TlsError> {
        let look = Look::at(files);
        let certificates = Named::load(&files.certificates, followed_file)?;
        let keys = tickets::Keys::load(files.ticket_keys.as_deref(), followed_file)?;
        self.certificates.replace(certificates);
        self.tickets.replace(keys);
        let mut seen = self.seen();
        let is_new = *seen != look;
        *seen = look;
        Ok(is_new)
    }

    /// The same where `files` look otherwise than when they were read last; `None` where they do not. Files that cannot be
    /// used are read once, and again when they change.
    pub(crate) fn reload_if_changed(&self, files: &TlsFiles) -> Option<Result<(), TlsError>> {
        let look = Look::at(files);
        if *self.seen() == look {
            return None;
        }
        *self.seen() = look;
        Some(self.reload(files).map(drop))
    }

    fn seen(&self) -> MutexGuard<'_, Look> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is wrong with when the certificates of `files` count, which can be used all the same.
    pub(crate) fn notes(files: &TlsFiles, now: u64) -> Vec<String> {
        Named::load(&files.certificates, small_file)
            .map_or_else(|_| Vec::new(), |named| troubles(&named.terms, now))
    }

    /// Brings the expiry of each name's certificate into the metrics, and into the log those that browsers refuse.
    pub(crate) fn report(&self, metrics: &Metrics) {
        let terms = self.certificates.terms();
        for problem in troubles(&terms, clock::unix_seconds()) {
            tracing::error!(problem, "browsers cannot come in");
        }
        let ends: Vec<_> = terms.iter().map(|term| (term.name.clone(), term.ends())).collect();
        metrics.certificates_expire(&ends);
    }
}

fn troubles(terms: &[Term], now: u64) -> Vec<String> {
    terms.iter().filter_map(|term| term.trouble(now)).collect()
}

/// How a file is read, of at most so many bytes.
type Read = fn(&Path, u64) -> io::Result<Vec<u8>>;

/// How files look from outside. Two looks that differ mean that somebody has written.
#[derive(Debug, PartialEq, Eq)]
struct Look(Vec<Option<(u64, u64, SystemTime)>>);

impl Look {
    /// Looks at everything that `files` names. A file that is not there is a look, too.
    fn at(files: &TlsFiles) -> Self {
        use std::os::unix::fs::MetadataExt;
        let look = |path: &Path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.ino(), metadata.len(), metadata.modified().ok()?))
        };
        Self(files.paths().map(look).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written between the first reading and the first look was never read.
    #[test]
    fn what_is_written_after_a_reading_is_news_once() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let write = |name: &str| {
            let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
            // By another name first, as whoever renews does it: no two looks share an inode.
            for (path, text) in [(&certificate, made.cert.pem()), (&key, made.signing_key.serialize_pem())] {
                let new = path.with_extension("new");
                std::fs::write(&new, text).unwrap();
                std::fs::rename(&new, path).unwrap();
            }
        };
        write("a.cn");
        let files = TlsFiles {
            certificates: vec![CertificateFiles { cert: certificate.clone(), key: key.clone() }],
            ticket_keys: None,
        };
        let tls = Tls::load(&files).unwrap();
        assert!(tls.reload_if_changed(&files).is_none());
        write("b.cn");
        assert!(tls.reload_if_changed(&files).unwrap().is_ok());
        assert!(tls.reload_if_changed(&files).is_none());
        // An order to read them is a reading, too.
        write("c.cn");
        tls.reload(&files).unwrap();
        assert!(tls.reload_if_changed(&files).is_none());
        // One that cannot be used is told of once.
        std::fs::write(&certificate, "half a certif").unwrap();
        assert!(tls.reload(&files).is_err());
        assert!(tls.reload_if_changed(&files).unwrap().is_err());
        assert!(tls.reload_if_changed(&files).is_none());
    }

    /// It was waited for, and the clients of that core with it, until somebody wrote into it.
    #[test]
    fn a_pipe_is_read_at_a_start_and_refused_at_a_reload() {
        let folder = tempfile::tempdir().unwrap();
        let (certificate, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        let (keys, pipe) = (folder.path().join("tickets"), folder.path().join("pipe"));
        let made = rcgen::generate_simple_self_signed(vec!["a.cn".to_owned()]).unwrap();
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        std::fs::write(&keys, "0123456789abcdef".repeat(4)).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let sound = TlsFiles {
            certificates: vec![CertificateFiles { cert: certificate.clone(), key: key.clone() }],
            ticket_keys: Some(keys),
        };
        let piped = TlsFiles {
            certificates: vec![CertificateFiles { cert: pipe.clone(), key: key.clone() }],
            ..sound.clone()
        };
        let (writer, pem) = (pipe.clone(), made.cert.pem());
        let writer = std::thread::spawn(move || std::fs::write(writer, pem));
        let tls = Tls::load(&piped).unwrap();
        writer.join().unwrap().unwrap();
        for files in [
            piped,
            TlsFiles {
                certificates: vec![CertificateFiles { cert: certificate, key: pipe.clone() }],
                ..sound.clone()
            },
            TlsFiles { ticket_keys: Some(pipe.clone()), ..sound.clone() },
        ] {
            let said = tls.reload(&files).unwrap_err().to_string();
            assert!(said.starts_with(&format!("{}: is no regular file; ", pipe.display())), "{said}");
        }
        assert!(tls.reload(&sound).is_ok());
    }
}
