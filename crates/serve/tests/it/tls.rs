//! Certificates by name, tickets that a group shares, and what TLS must not do (attack 65).

use crate::server::{GREETING, Server};
use rustls::client::Resumption;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs::{self, cipher_suite};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, SupportedProtocolVersion};
use serve::Options;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

pub(crate) struct Files {
    folder: TempDir,
    pub(crate) cert: Vec<PathBuf>,
    pub(crate) key: Vec<PathBuf>,
    pub(crate) trusted: RootCertStore,
}

impl Files {
    /// One certificate for each list of names.
    pub(crate) fn make(names: &[&[&str]]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut files = Self { folder, cert: Vec::new(), key: Vec::new(), trusted: RootCertStore::empty() };
        for (number, names) in names.iter().enumerate() {
            let (cert, key) = (files.path(&format!("{number}.pem")), files.path(&format!("{number}.key")));
            files.trusted.add(write(names, &cert, &key)).unwrap();
            files.cert.push(cert);
            files.key.push(key);
        }
        files
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn server(&self, ticket_keys: Option<PathBuf>) -> Server {
        self.server_with(Options { ticket_keys, ..Options::default() })
    }

    pub(crate) fn server_with(&self, options: Options) -> Server {
        Server::with(Options {
            tls_listen: Some(vec!["127.0.0.1:0".parse().unwrap()]),
            cert: Some(self.cert.clone()),
            key: Some(self.key.clone()),
            ..options
        })
    }

    pub(crate) fn client(&self, version: &'static SupportedProtocolVersion) -> Arc<ClientConfig> {
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(self.trusted.clone())
            .with_no_client_auth();
        config.resumption = Resumption::in_memory_sessions(8);
        config.enable_early_data = true;
        Arc::new(config)
    }
}

pub(crate) fn write(names: &[&str], cert: &Path, key: &Path) -> CertificateDer<'static> {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).unwrap();
    std::fs::write(cert, made.cert.pem()).unwrap();
    std::fs::write(key, made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

/// What one request over a connection of its own has shown.
struct Seen {
    certificate: CertificateDer<'static>,
    kind: HandshakeKind,
    early_data: bool,
}

fn ask(config: &Arc<ClientConfig>, address: SocketAddr, name: &str) -> Seen {
    let name = ServerName::try_from(name.to_owned()).unwrap();
    let mut connection = ClientConnection::new(Arc::clone(config), name).unwrap();
    let early_data = connection.early_data().is_some();
    let mut socket = TcpStream::connect(address).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert!(answer.ends_with(GREETING), "{}", String::from_utf8_lossy(&answer));
    Seen {
        certificate: connection.peer_certificates().unwrap()[0].clone().into_owned(),
        kind: connection.handshake_kind().unwrap(),
        early_data,
    }
}

#[test]
fn each_name_has_its_certificate() {
    let files = Files::make(&[&["lessons.example.cn"], &["*.example.cn"], &["example.org"]]);
    let server = files.server(None);
    let client = files.client(&TLS13);
    let shown = |name| ask(&client, server.address(), name).certificate;
    assert_ne!(shown("lessons.example.cn"), shown("province.example.cn"));
    assert_eq!(shown("school.example.cn"), shown("province.example.cn"));
    assert_ne!(shown("example.org"), shown("province.example.cn"));
    let ends = server.metric("serve_certificate_not_after_timestamp_seconds", Some("example.org"));
    assert!(ends > 1_700_000_000.0, "{ends}");
}

/// The second of a name was read, and shown to nobody.
#[test]
fn who_cannot_read_ecdsa_is_shown_the_certificate_of_rsa() {
    let mut files = Files::make(&[&["a.cn"]]);
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let made = rcgen::CertificateParams::new(vec!["a.cn".to_owned()]).unwrap().self_signed(&key).unwrap();
    let (cert_path, key_path) = (files.path("rsa.pem"), files.path("rsa.key"));
    std::fs::write(&cert_path, made.pem()).unwrap();
    std::fs::write(&key_path, key.serialize_pem()).unwrap();
    files.trusted.add(made.der().clone()).unwrap();
    files.cert.push(cert_path);
    files.key.push(key_path);
    let server = files.server(None);
    let provider = CryptoProvider {
        cipher_suites: vec![cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256],
        ..aws_lc_rs::default_provider()
    };
    let old = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_root_certificates(files.trusted.clone())
        .with_no_client_auth();
    assert_eq!(ask(&Arc::new(old), server.address(), "a.cn").certificate, *made.der());
    // Everybody else has the first, which costs the node less.
    assert_ne!(ask(&files.client(&TLS13), server.address(), "a.cn").certificate, *made.der());
}

#[test]
fn a_new_certificate_is_shown_to_the_next_handshake() {
    let mut files = Files::make(&[&["a.cn"]]);
    let server = files.server(None);
    let before = ask(&files.client(&TLS13), server.address(), "a.cn").certificate;
    files.trusted.add(write(&["a.cn"], &files.cert[0], &files.key[0])).unwrap();
    server.reload().unwrap();
    let after = ask(&files.client(&TLS13), server.address(), "a.cn").certificate;
    assert_ne!(before, after);

    // One that is no certificate changes nothing.
    std::fs::write(&files.cert[0], "half a certif").unwrap();
    let refused = server.reload().unwrap_err();
    assert!(refused.to_string().contains("0.pem"), "{refused}");
    assert_eq!(ask(&files.client(&TLS13), server.address(), "a.cn").certificate, after);
}

#[test]
fn a_group_of_nodes_resumes_each_others_sessions() {
    let files = Files::make(&[&["a.cn"]]);
    let keys = files.path("tickets");
    std::fs::write(&keys, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n").unwrap();
    for version in [&TLS12, &TLS13] {
        let client = files.client(version);
        let (one, two) = (files.server(Some(keys.clone())), files.server(Some(keys.clone())));
        assert_eq!(ask(&client, one.address(), "a.cn").kind, HandshakeKind::Full);
        assert_eq!(ask(&client, two.address(), "a.cn").kind, HandshakeKind::Resumed, "{version:?}");
        let stranger = files.server(None);
        assert_ne!(ask(&client, stranger.address(), "a.cn").kind, HandshakeKind::Resumed);
    }
}

#[test]
fn attack_65_no_early_data_to_replay() {
    let files = Files::make(&[&["a.cn"]]);
    let server = files.server(None);
    let client = files.client(&TLS13);
    ask(&client, server.address(), "a.cn");
    let second = ask(&client, server.address(), "a.cn");
    assert_eq!(second.kind, HandshakeKind::Resumed);
    assert!(!second.early_data, "no ticket may allow it");
}

#[test]
fn attack_65_a_ticket_that_was_touched_means_a_full_handshake() {
    let files = Files::make(&[&["a.cn"]]);
    let keys = files.path("tickets");
    std::fs::write(&keys, "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n").unwrap();
    let server = files.server(Some(keys.clone()));
    let client = files.client(&TLS13);
    ask(&client, server.address(), "a.cn");
    // The key is gone: as good as touching every ticket that it has sealed.
    std::fs::write(&keys, "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n").unwrap();
    server.reload().unwrap();
    assert_eq!(ask(&client, server.address(), "a.cn").kind, HandshakeKind::Full);
    assert_eq!(ask(&client, server.address(), "a.cn").kind, HandshakeKind::Resumed);
}
