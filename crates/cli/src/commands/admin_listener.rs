//! The admin listener of a node, as it is named on the command line.

use http::Uri;
use std::fmt;
use std::str::FromStr;
use tokio::net::TcpStream;

/// Where `/metrics`, `/readyz` and orders are.
#[derive(Debug, Clone)]
pub(crate) struct AdminListener {
    /// As it was given.
    authority: String,
    /// With its port.
    pub(crate) address: String,
}

/// What Host is to say on `stream`: the address that a name has led to. Admin listeners believe addresses, and of names only their own.
pub(crate) fn host_of(stream: &TcpStream) -> String {
    stream.peer_addr().map(|address| address.to_string()).unwrap_or_default()
}

impl FromStr for AdminListener {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        const WANTED: &str = "must be http://HOST:PORT, a node's admin listener";
        let uri: Uri = text.parse().map_err(|_| WANTED)?;
        let authority =
            uri.authority().filter(|authority| !authority.as_str().contains('@')).ok_or(WANTED)?;
        if uri.scheme_str() != Some("http") || uri.path() != "/" || uri.query().is_some() {
            return Err(WANTED);
        }
        let address = format!("{}:{}", authority.host(), authority.port_u16().unwrap_or(80));
        Ok(Self { authority: authority.to_string(), address })
    }
}

impl fmt::Display for AdminListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}", self.authority)
    }
}
