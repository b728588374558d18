//! By which names the admin listener may be asked.
//!
//! A page that an operator has open can make its own name lead to this machine (DNS rebinding): to the browser the admin listener
//! is then that page's own server, which it may read. What gives it away is `Host`. Addresses are believed: no name was looked
//! up for them. Names are believed when they are this machine's or were configured.

use http::uri::Authority;
use http::{Request, header};
use settings::SettingsError;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// More names than a listener has.
const MAX_NAMES: usize = 64;
/// Where Linux keeps the machine's own name.
const OWN_NAME: &str = "/proc/sys/kernel/hostname";
/// Every machine calls itself so, and no name server is asked.
const LOCAL: &str = "localhost";

/// Names by which the admin listener may be asked, beside addresses, `localhost` and the machine's own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts(Arc<[String]>);

impl Hosts {
    /// `names` as configured, and the machine's own.
    ///
    /// # Errors
    /// What is wrong with one, or that there are too many.
    pub fn new(names: &[String]) -> Result<Self, String> {
        if names.len() > MAX_NAMES {
            return Err(format!("has more than {MAX_NAMES} names"));
        }
        let mut known = Vec::new();
        for name in names {
            match name.parse::<Authority>() {
                Ok(authority) if authority.host() == name && !name.contains('@') => {
                    known.push(plain(name).to_owned());
                }
                _ => return Err(format!("has {name:?}; give names as in http://NAME:PORT, without a port")),
            }
        }
        // What cannot be read is no name.
        let own = std::fs::read_to_string(OWN_NAME).unwrap_or_default();
        known.extend(Some(plain(own.trim()).to_owned()).filter(|own| !own.is_empty()));
        Ok(Self(known.into()))
    }

    /// What `admin_hosts` of a configuration says.
    ///
    /// # Errors
    /// See [`Hosts::new`].
    pub fn configured(names: Option<&[String]>) -> Result<Self, SettingsError> {
        Self::new(names.unwrap_or_default()).map_err(|problem| SettingsError::value("admin_hosts", problem))
    }

    /// Whether `request` was meant for this listener, by every name that it gives. One without a name is no browser's.
    pub(crate) fn know<B>(&self, request: &Request<B>) -> bool {
        let told = request.headers().get_all(header::HOST).iter();
        let mut told = told.map(|host| host.to_str().ok()?.parse::<Authority>().ok());
        request.uri().authority().is_none_or(|authority| self.knows(authority.host()))
            && told.all(|host| host.is_some_and(|host| self.knows(host.host())))
    }

    fn knows(&self, host: &str) -> bool {
        let is_address = host.parse::<Ipv4Addr>().is_ok()
            || host
                .strip_prefix('[')
                .and_then(|rest| rest.strip_suffix(']'))
                .is_some_and(|inner| inner.parse::<Ipv6Addr>().is_ok());
        let host = plain(host);
        is_address
            || host.eq_ignore_ascii_case(LOCAL)
            || self.0.iter().any(|known| host.eq_ignore_ascii_case(known))
    }
}

/// Without the dot of the root.
fn plain(host: &str) -> &str {
    host.strip_suffix('.').unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_own_names_are_believed_and_no_others() {
        let hosts = Hosts::new(&["edge-1.example".to_owned()]).unwrap();
        for (host, known) in [
            ("127.0.0.1", true),
            ("127.0.0.1:9101", true),
            ("10.244.3.7:9101", true),
            ("[::1]:9101", true),
            ("[2001:db8::7]", true),
            ("localhost:9101", true),
            ("LocalHost.", true),
            ("edge-1.example:9101", true),
            ("EDGE-1.example", true),
            ("edge-1.example.evil.example", false),
            ("evil.example:9101", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("0x7f000001", false),
            ("2130706433", false),
            ("127.1", false),
            ("::1", false),
            ("a b", false),
            ("", false),
        ] {
            let request = Request::get("/metrics").header(header::HOST, host).body(()).unwrap();
            assert_eq!(hosts.know(&request), known, "{host:?}");
        }
        let own = std::fs::read_to_string(OWN_NAME).unwrap();
        let asked = |hosts: &[&str], target: &str| {
            let request = Request::get(target);
            let request = hosts.iter().fold(request, |request, host| request.header(header::HOST, *host));
            Hosts::new(&[]).unwrap().know(&request.body(()).unwrap())
        };
        assert!(asked(&[own.trim()], "/"), "its own name");
        assert!(asked(&[], "/"), "a program that speaks HTTP/1.0");
        assert!(!asked(&["localhost", "evil.example"], "/"), "one is enough");
        assert!(!asked(&["localhost"], "http://evil.example/"), "the target wins (RFC 9112 §3.2.2)");
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for wrong in ["edge:9101", "http://edge", "a@edge", "", "a b"] {
            assert!(Hosts::new(&[wrong.to_owned()]).unwrap_err().contains("without a port"), "{wrong}");
        }
        assert!(Hosts::new(&vec!["a".to_owned(); MAX_NAMES + 1]).is_err());
    }
}
