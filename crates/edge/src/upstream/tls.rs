//! TLS towards servers: whom to believe, and showing who we are.

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serve::pem;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Why a group cannot speak TLS: the option, and what is wrong with it.
pub(super) type Problem = (&'static str, String);

/// One group's TLS.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) config: Arc<ClientConfig>,
    /// Of the files that it was read from: the same as long as they are.
    pub(super) mark: u64,
}

/// One group's TLS. `ca` replaces the system's authorities: a private one is not added to all the world's.
///
/// Sessions are resumed, TLS 1.2 and 1.3; only HTTP/1.1 is offered.
pub(super) fn client(ca: Option<&Path>, identity: Option<(&Path, &Path)>) -> Result<Client, Problem> {
    let mut roots = RootCertStore::empty();
    let mut mark = DefaultHasher::new();
    match ca {
        Some(path) => {
            for certificate in certificates("group.ca", path, &mut mark)? {
                roots.add(certificate).map_err(|error| {
                    ("group.ca", format!("{}: {error}; give certificates of authorities", path.display()))
                })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                let problem = "is missing and this system has no certificates of authorities; give a PEM file with \
                               those of the group's servers";
                return Err(("group.ca", problem.to_owned()));
            }
        }
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| ("group.ca", error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match identity {
        None => builder.with_no_client_auth(),
        Some((cert, key)) => {
            let chain = certificates("group.cert", cert, &mut mark)?;
            let problem = |error: &dyn std::fmt::Display| {
                ("group.key", format!("{}: {error}; give a PEM file with a private key", key.display()))
            };
            let bytes = read(key, &mut mark).map_err(|error| problem(&error))?;
            let private = pem::key(&bytes).map_err(|error| problem(&error))?;
            builder.with_client_auth_cert(chain, private).map_err(|error| {
                let problem = "give a certificate chain and the key that it was issued for";
                ("group.cert", format!("{} and its key: {error}; {problem}", cert.display()))
            })?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Client { config: Arc::new(config), mark: mark.finish() })
}

fn certificates(
    key: &'static str,
    path: &Path,
    mark: &mut DefaultHasher,
) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let problem = |what: &dyn std::fmt::Display| {
        (key, format!("{}: {what}; give a PEM file with certificates", path.display()))
    };
    let bytes = read(path, mark).map_err(|error| problem(&error))?;
    pem::certificates(&bytes).map_err(|error| problem(&error))
}

/// A file's bytes, once: what is believed is what the mark is of. It is read again at each reload.
fn read(path: &Path, mark: &mut DefaultHasher) -> io::Result<Vec<u8>> {
    let bytes = settings::followed_file(path, settings::MAX_TEXT_BYTES)?;
    bytes.hash(mark);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of two authorities that `cat` had put into one line the second was believed by nobody, without a word.
    #[test]
    fn authorities_that_were_put_together_by_hand_are_all_believed() {
        let folder = tempfile::tempdir().unwrap();
        let [one, two] =
            ["a.cn", "b.cn"].map(|name| rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap());
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, format!("{}{}", one.cert.pem().trim_end(), two.cert.pem())).unwrap();
        let read = certificates("group.ca", &path, &mut DefaultHasher::new()).unwrap();
        assert_eq!(read, [one.cert.der().clone(), two.cert.der().clone()]);
    }

    /// `/dev/zero` was read until no memory was left, and a pipe was waited for at each reload.
    #[test]
    fn what_is_no_file_of_certificates_by_its_look_is_refused_unread() {
        let folder = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(vec!["a.cn".to_owned()]).unwrap();
        let (sound, long) = (folder.path().join("sound.pem"), folder.path().join("long.pem"));
        let mut text = made.cert.pem().into_bytes();
        std::fs::write(&sound, &text).unwrap();
        assert!(client(Some(&sound), None).is_ok());
        text.resize(settings::MAX_TEXT_BYTES as usize + 1, b'\n');
        std::fs::write(&long, text).unwrap();
        for (path, says) in [
            (&*long, "has more than 4194304 bytes"),
            (Path::new("/dev/zero"), "is no regular file"),
            (folder.path(), "is no regular file"),
        ] {
            for (key, ca, identity) in [
                ("group.ca", Some(path), None),
                ("group.cert", Some(&*sound), Some((path, &*sound))),
                ("group.key", Some(&*sound), Some((&*sound, path))),
            ] {
                let (of, said) = client(ca, identity).unwrap_err();
                assert_eq!(of, key);
                assert!(said.starts_with(&format!("{}: {says}", path.display())), "{said}");
            }
        }
    }
}
