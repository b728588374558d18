//! Which certificate a client is shown: by the name it asks for (SNI, RFC 6066 §3), and of those by the signatures that it can read.

use super::{Read, TlsError, pem};
use crate::options::CertificateFiles;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};
use x509_parser::extensions::{GeneralName, ParsedExtension, X509Extension};
use x509_parser::oid_registry::OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS;
use x509_parser::prelude::{ASN1Time, FromDer, Validity, X509Certificate};

/// The certificates in force.
#[derive(Debug)]
pub(super) struct Certificates(RwLock<Arc<Named>>);

/// Those of one name, in the order of the files: one of ECDSA, and one of RSA for clients that know nothing else.
type Alike = Vec<Arc<CertifiedKey>>;

/// Certificates by name.
#[derive(Debug)]
pub(super) struct Named {
    /// For names that nobody has, and for clients that name none: the first, and those of its first name.
    default: Alike,
    /// Lower case; `*.example.cn` as it is written.
    by_name: HashMap<String, Alike>,
    /// For each of them, in the order of the files.
    pub(super) terms: Vec<Term>,
}

/// From when until when a certificate counts.
#[derive(Debug, Clone)]
pub(crate) struct Term {
    /// The first of its names; the file where it has none.
    pub(crate) name: String,
    flaw: Option<Flaw>,
    validity: Validity,
    issuer: Option<Issuer>,
}

/// The authority beside a certificate that has signed it. What stands behind that one devices may have themselves, and go by another
/// way where it has run out.
#[derive(Debug, Clone)]
struct Issuer {
    name: String,
    not_after: ASN1Time,
}

/// Why browsers refuse a certificate that counts.
#[derive(Debug, Clone)]
enum Flaw {
    /// It has no name in which they look, nor an address.
    Nameless,
    /// The authority that has signed it is none that devices know, and its own certificate is not beside it.
    Alone { issuer: String },
    /// Clients are to be shown beside it that it is not revoked (TLS feature `status_request`, RFC 7633), which nobody here asks for.
    Staple,
}

impl Term {
    /// Its end, in Unix seconds: its issuer's where that comes first.
    pub(crate) fn ends(&self) -> i64 {
        let own = self.validity.not_after.timestamp();
        self.issuer.as_ref().map_or(own, |issuer| own.min(issuer.not_after.timestamp()))
    }

    /// Why no browser takes it at `now`, in Unix seconds, and what to do. It is shown all the same: nothing better is there, and a node
    /// whose clock is wrong must not go silent for it.
    pub(crate) fn trouble(&self, now: u64) -> Option<String> {
        let (now, name) = (i64::try_from(now).unwrap_or(i64::MAX), &self.name);
        let Validity { not_before, not_after } = &self.validity;
        if now < not_before.timestamp() {
            let problem = format!("the certificate of {name} does not count before {not_before}");
            return Some(format!(
                "{problem}, and browsers refuse it: look at this machine's clock, or wait with it"
            ));
        }
        if now > not_after.timestamp() {
            return Some(format!(
                "the certificate of {name} has run out on {not_after}, and browsers refuse it: renew it"
            ));
        }
        if let Some(Issuer { name: issuer, not_after }) =
            self.issuer.as_ref().filter(|issuer| now > issuer.not_after.timestamp())
        {
            return Some(format!(
                "the certificate of {name} is signed by {issuer}, whose own in the same file has run out on {not_after}, and \
                 browsers refuse it: put the one of today in its place (`fullchain.pem`)"
            ));
        }
        Some(match self.flaw.as_ref()? {
            Flaw::Nameless => format!(
                "the certificate of {name} has no subjectAltName, and browsers refuse it, whatever its CN is: have one made with \
                 the names that students ask for"
            ),
            Flaw::Alone { issuer } => format!(
                "the certificate of {name} is without that of {issuer}, by whom it is signed, and many phones refuse it: put that \
                 behind it into its file (`fullchain.pem`)"
            ),
            Flaw::Staple => format!(
                "the certificate of {name} wants an OCSP answer beside itself (must-staple), which is not given here, and Firefox \
                 refuses it: have one made without that"
            ),
        })
    }
}

impl Certificates {
    pub(super) fn new(named: Named) -> Self {
        Self(RwLock::new(Arc::new(named)))
    }

    pub(super) fn replace(&self, named: Named) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(named);
    }

    pub(super) fn terms(&self) -> Vec<Term> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).terms.clone()
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let named = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let alike = named.for_name(hello.server_name());
        let readable = |key: &&Arc<CertifiedKey>| key.key.choose_scheme(hello.signature_schemes()).is_some();
        alike.iter().find(readable).or(alike.first()).cloned()
    }
}

impl Named {
    /// Reads each pair.
    pub(super) fn load(files: &[CertificateFiles], read_file: Read) -> Result<Self, TlsError> {
        let mut default: Option<Alike> = None;
        let mut by_name: HashMap<_, Alike> = HashMap::new();
        let mut terms: Vec<Term> = Vec::new();
        for pair in files {
            let key = Arc::new(certified(pair, read_file)?);
            let Leaf { names, flaw, validity, issuer } = read(&key, &pair.cert)?;
            let name = names.first().cloned().unwrap_or_else(|| pair.cert.display().to_string());
            terms.push(Term { name, flaw, validity, issuer });
            if default.is_none() || names.contains(&terms[0].name) {
                default.get_or_insert_default().push(Arc::clone(&key));
            }
            for name in names {
                by_name.entry(name).or_default().push(Arc::clone(&key));
            }
        }
        let default = default.ok_or_else(|| file(Path::new("cert"), "no certificate is named".to_owned()))?;
        Ok(Self { default, by_name, terms })
    }

    /// The name itself, then a wildcard for its first label (RFC 9525 §6.3), then the default. Names that browsers send
    /// are lower case already; rustls sees to it that they are names at all.
    fn for_name(&self, name: Option<&str>) -> &Alike {
        let Some(name) = name else { return &self.default };
        let name = name.to_ascii_lowercase();
        let wildcard = || {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        };
        self.by_name.get(&name).or_else(wildcard).unwrap_or(&self.default)
    }
}

/// The longest chain or key that is read; a chain of four has some 8 kB.
const MAX_PEM_BYTES: u64 = 1 << 20;

fn certified(pair: &CertificateFiles, read_file: Read) -> Result<CertifiedKey, TlsError> {
    let bad_chain = |error: &dyn std::fmt::Display| file(&pair.cert, error.to_string());
    let chain = read_file(&pair.cert, MAX_PEM_BYTES).map_err(|error| bad_chain(&error))?;
    let chain = pem::certificates(&chain).map_err(|problem| bad_chain(&problem))?;
    let bad_key = |error: &dyn std::fmt::Display| TlsError::File {
        path: pair.key.clone(),
        wanted: "a private key in PEM",
        problem: error.to_string(),
    };
    let key = read_file(&pair.key, MAX_PEM_BYTES).map_err(|error| bad_key(&error))?;
    let key = pem::key(&key).map_err(|problem| bad_key(&problem))?;
    let mismatch = |source| TlsError::Mismatch { path: pair.cert.clone(), source };
    CertifiedKey::from_der(chain, key, &aws_lc_rs::default_provider()).map_err(mismatch)
}

/// 1.3.6.1.5.5.7.1.24 (RFC 7633). The one feature that is in use is `status_request`.
const TLS_FEATURE: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 1, 24];

/// The server's own certificate.
struct Leaf {
    /// Those of DNS.
    names: Vec<String>,
    flaw: Option<Flaw>,
    validity: Validity,
    issuer: Option<Issuer>,
}

fn read(key: &CertifiedKey, path: &Path) -> Result<Leaf, TlsError> {
    let unreadable = |problem: &dyn std::fmt::Display| file(path, format!("no X.509 certificate: {problem}"));
    let leaf = key.end_entity_cert().map_err(|error| unreadable(&error))?;
    let (_, leaf) = X509Certificate::from_der(leaf).map_err(|error| unreadable(&error))?;
    let alternatives = leaf.subject_alternative_name().map_err(|error| unreadable(&error))?;
    let general = || alternatives.iter().flat_map(|extension| &extension.value.general_names);
    let names = general().filter_map(|name| match name {
        GeneralName::DNSName(name) => Some(name.to_ascii_lowercase()),
        _ => None,
    });
    let is_name =
        |name: &GeneralName<'_>| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_));
    let issuer = issuer_of(&leaf, &key.cert[1..]);
    let flaw = if !general().any(is_name) {
        Some(Flaw::Nameless)
    } else if is_alone(&leaf) && issuer.is_none() {
        Some(Flaw::Alone { issuer: leaf.issuer().to_string() })
    } else if leaf.extensions().iter().any(|extension| extension.oid.as_bytes() == TLS_FEATURE) {
        Some(Flaw::Staple)
    } else {
        None
    };
    Ok(Leaf { names: names.collect(), flaw, validity: leaf.validity().clone(), issuer })
}

/// Among the `others` the one that has signed `leaf`; of several that counts for longest: clients take one that counts.
fn issuer_of(leaf: &X509Certificate<'_>, others: &[CertificateDer<'_>]) -> Option<Issuer> {
    let read = others.iter().filter_map(|other| X509Certificate::from_der(other).ok());
    let ends = read
        .filter(|(_, other)| other.subject() == leaf.issuer())
        .map(|(_, other)| other.validity().not_after);
    let not_after = ends.max_by_key(ASN1Time::timestamp)?;
    Some(Issuer { name: leaf.issuer().to_string(), not_after })
}

/// Whether `leaf` needs the one that has signed it beside itself. Only who says where that one can be had (RFC 5280 §4.2.2.1) is signed
/// by an authority between; what a private one has signed itself, devices know that were made to.
fn is_alone(leaf: &X509Certificate<'_>) -> bool {
    let says_where = |extension: &X509Extension<'_>| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(access) => {
            access.iter().any(|place| place.access_method == OID_PKIX_ACCESS_DESCRIPTOR_CA_ISSUERS)
        }
        _ => false,
    };
    leaf.extensions().iter().any(says_where)
}

fn file(path: &Path, problem: String) -> TlsError {
    TlsError::File { path: path.to_owned(), wanted: "certificates in PEM", problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use settings::small_file;
    use std::path::PathBuf;

    fn pair(folder: &Path, name: &str, names: &[&str]) -> CertificateFiles {
        let made = rcgen::generate_simple_self_signed(
            names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(),
        )
        .unwrap();
        let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        CertificateFiles { cert, key }
    }

    #[test]
    fn names_then_wildcards_then_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            pair(folder.path(), "first", &["lessons.example.cn"]),
            pair(folder.path(), "wild", &["*.example.cn", "example.cn"]),
            pair(folder.path(), "exact", &["Province.example.cn", "lessons.example.cn"]),
        ];
        let named = Named::load(&files, small_file).unwrap();
        let terms: Vec<_> = named.terms.iter().map(|term| term.name.as_str()).collect();
        assert_eq!(terms, ["lessons.example.cn", "*.example.cn", "province.example.cn"]);
        let keys: Vec<_> = files.iter().map(|pair| certified(pair, small_file).unwrap().cert).collect();
        for (name, which) in [
            (None, 0),
            (Some("lessons.example.cn"), 0),
            (Some("LESSONS.example.cn"), 0),
            (Some("example.cn"), 1),
            (Some("anything.example.cn"), 1),
            (Some("province.example.cn"), 2),
            // A wildcard is for one label.
            (Some("a.b.example.cn"), 0),
            (Some("cn"), 0),
            (Some("elsewhere.org"), 0),
        ] {
            assert_eq!(named.for_name(name)[0].cert, keys[which], "{name:?}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (pair(folder.path(), "one", &["a.cn"]), pair(folder.path(), "two", &["b.cn"]));
        let crossed = CertificateFiles { cert: one.cert.clone(), key: two.key };
        assert!(matches!(Named::load(&[crossed], small_file), Err(TlsError::Mismatch { .. })));
        let missing = CertificateFiles { cert: PathBuf::from("/nowhere.pem"), key: one.key.clone() };
        assert!(Named::load(&[missing], small_file).unwrap_err().to_string().contains("/nowhere.pem"));
        let swapped = CertificateFiles { cert: one.key.clone(), key: one.cert.clone() };
        assert!(matches!(Named::load(&[swapped], small_file), Err(TlsError::File { .. })));
    }

    /// An expired one began to serve without a word.
    #[test]
    fn a_certificate_that_browsers_refuse_is_told_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let mut made = rcgen::CertificateParams::new(vec!["a.cn".to_owned()]).unwrap();
        (made.not_before, made.not_after) =
            (rcgen::date_time_ymd(2026, 9, 1), rcgen::date_time_ymd(2026, 12, 1));
        let key = rcgen::KeyPair::generate().unwrap();
        let files = CertificateFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
        std::fs::write(&files.cert, made.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(&files.key, key.serialize_pem()).unwrap();
        let named = Named::load(&[files], small_file).unwrap();
        let day = 24 * 3_600;
        let (begin, end) = (1_788_220_800, 1_796_083_200);
        for (now, told) in [
            (
                begin - day,
                Some("the certificate of a.cn does not count before Sep  1 00:00:00 2026 +00:00, "),
            ),
            (begin, None),
            (end, None),
            (end + day, Some("the certificate of a.cn has run out on Dec  1 00:00:00 2026 +00:00, ")),
        ] {
            let said = named.terms[0].trouble(now);
            assert_eq!(said.is_some(), told.is_some(), "{now}: {said:?}");
            assert!(said.unwrap_or_default().starts_with(told.unwrap_or_default()), "{now}");
        }
    }

    /// As `openssl req -x509 -subj /CN=…` makes it: nobody heard why browsers stayed out.
    #[test]
    fn a_certificate_without_a_name_is_told_of_and_one_for_an_address_is_not() {
        let folder = tempfile::tempdir().unwrap();
        for (names, told) in
            [(vec![], true), (vec!["192.0.2.1".to_owned()], false), (vec!["a.cn".to_owned()], false)]
        {
            let mut made = rcgen::CertificateParams::new(names).unwrap();
            made.not_before = rcgen::date_time_ymd(2026, 9, 1);
            let key = rcgen::KeyPair::generate().unwrap();
            let files = CertificateFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
            std::fs::write(&files.cert, made.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(&files.key, key.serialize_pem()).unwrap();
            let named = Named::load(&[files], small_file).unwrap();
            let said = named.terms[0].trouble(1_800_000_000);
            assert_eq!(said.is_some_and(|said| said.contains("/cert has no subjectAltName")), told);
        }
    }

    /// Computers fetch what is missing, so that nobody who had set it up saw what phones see.
    #[test]
    fn a_certificate_without_the_one_that_has_signed_it_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let files = CertificateFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
        let mut authority = rcgen::CertificateParams::new(vec![]).unwrap();
        authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        authority.distinguished_name.push(rcgen::DnType::CommonName, "Between");
        let (authority_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let between = authority.self_signed(&authority_key).unwrap().pem();
        let issuer = rcgen::Issuer::new(authority, authority_key);
        // caIssuers: http://a/
        let access =
            [&b"\x30\x17\x30\x15\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x09"[..], b"http://a/"].concat();
        for (says_where, has_it, told) in [(true, false, true), (true, true, false), (false, false, false)] {
            let mut made = rcgen::CertificateParams::new(vec!["a.cn".to_owned()]).unwrap();
            made.not_before = rcgen::date_time_ymd(2026, 9, 1);
            if says_where {
                let access =
                    rcgen::CustomExtension::from_oid_content(&[1, 3, 6, 1, 5, 5, 7, 1, 1], access.clone());
                made.custom_extensions.push(access);
            }
            let leaf = made.signed_by(&key, &issuer).unwrap().pem();
            std::fs::write(&files.cert, if has_it { format!("{leaf}{between}") } else { leaf }).unwrap();
            std::fs::write(&files.key, key.serialize_pem()).unwrap();
            let named = Named::load(std::slice::from_ref(&files), small_file).unwrap();
            let said = named.terms[0].trouble(1_800_000_000).unwrap_or_default();
            assert_eq!(said.starts_with("the certificate of a.cn is without that of "), told, "{said}");
            assert_eq!(said.contains("CN=Between"), told, "{said}");
        }
    }

    /// Firefox alone stayed out, and nobody heard why.
    #[test]
    fn a_certificate_that_wants_ocsp_beside_itself_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        for must_staple in [false, true] {
            let mut made = rcgen::CertificateParams::new(vec!["a.cn".to_owned()]).unwrap();
            made.not_before = rcgen::date_time_ymd(2026, 9, 1);
            let feature = || {
                rcgen::CustomExtension::from_oid_content(
                    &[1, 3, 6, 1, 5, 5, 7, 1, 24],
                    vec![0x30, 3, 2, 1, 5],
                )
            };
            made.custom_extensions.extend(must_staple.then(feature));
            let key = rcgen::KeyPair::generate().unwrap();
            let files = CertificateFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
            std::fs::write(&files.cert, made.self_signed(&key).unwrap().pem()).unwrap();
            std::fs::write(&files.key, key.serialize_pem()).unwrap();
            let said = Named::load(&[files], small_file).unwrap().terms[0].trouble(1_800_000_000);
            assert_eq!(said.is_some_and(|said| said.contains("(must-staple)")), must_staple);
        }
    }

    /// It passed for well until the server's own ended, and no browser came in.
    #[test]
    fn an_issuer_that_has_run_out_ends_the_certificate_that_it_has_signed() {
        let folder = tempfile::tempdir().unwrap();
        let (authority_key, key) = (rcgen::KeyPair::generate().unwrap(), rcgen::KeyPair::generate().unwrap());
        let authority = |year| {
            let mut made = rcgen::CertificateParams::new(vec![]).unwrap();
            made.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            made.distinguished_name.push(rcgen::DnType::CommonName, "Between");
            (made.not_before, made.not_after) =
                (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(year, 1, 1));
            made
        };
        let mut made = rcgen::CertificateParams::new(vec!["a.cn".to_owned()]).unwrap();
        (made.not_before, made.not_after) =
            (rcgen::date_time_ymd(2026, 9, 1), rcgen::date_time_ymd(2027, 9, 1));
        let issuer = rcgen::Issuer::new(
            authority(2040),
            rcgen::KeyPair::from_pem(&authority_key.serialize_pem()).unwrap(),
        );
        let leaf = made.signed_by(&key, &issuer).unwrap().pem();
        // 2026-12-01; 2025, 2027 and the leaf's own end.
        let (now, old, soon, own) = (1_796_083_200, 1_735_689_600, 1_798_761_600, 1_819_756_800);
        for (years, ends, told) in [
            (&[][..], own, false),
            (&[2040], own, false),
            (&[2027], soon, false),
            (&[2025], old, true),
            (&[2025, 2040], own, false),
        ] {
            let files = CertificateFiles { cert: folder.path().join("cert"), key: folder.path().join("key") };
            let others = years.iter().map(|&year| authority(year).self_signed(&authority_key).unwrap().pem());
            std::fs::write(&files.cert, [leaf.clone()].into_iter().chain(others).collect::<String>())
                .unwrap();
            std::fs::write(&files.key, key.serialize_pem()).unwrap();
            let named = Named::load(&[files], small_file).unwrap();
            let said = named.terms[0].trouble(now).unwrap_or_default();
            assert_eq!(named.terms[0].ends(), ends, "{years:?}");
            assert_eq!(
                said.contains("CN=Between, whose own in the same file has run out on Jan  1"),
                told,
                "{years:?}: {said}"
            );
        }
    }

    /// `/dev/zero` was read until no memory was left.
    #[test]
    fn no_more_is_read_than_certificates_and_keys_can_have() {
        let folder = tempfile::tempdir().unwrap();
        let sound = pair(folder.path(), "sound", &["a.cn"]);
        let long = folder.path().join("long.pem");
        let mut text = std::fs::read(&sound.cert).unwrap();
        text.resize(MAX_PEM_BYTES as usize + 1, b'\n');
        std::fs::write(&long, text).unwrap();
        for (path, says) in [
            (long, "has more than 1048576 bytes"),
            (PathBuf::from("/dev/zero"), "has more than 1048576 bytes"),
        ] {
            for files in [
                CertificateFiles { cert: path.clone(), ..sound.clone() },
                CertificateFiles { key: path.clone(), ..sound.clone() },
            ] {
                let said = Named::load(&[files], small_file).unwrap_err().to_string();
                assert!(said.starts_with(&format!("{}: {says}", path.display())), "{said}");
            }
        }
    }
}
