//! The header that a load balancer puts before a connection, to say whose it is (HAProxy's PROXY protocol, versions 1
//! and 2). Pure: bytes in, meaning out.
//!
//! Version 1 is a line: `PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 CRLF`. Version 2 is binary:
//!
//! ```text
//! signature (12) | version (4 bits) command (4 bits) | family and protocol (8) | length (16)
//! source address | destination address | source port | destination port        4, 4 or 16, 16; 2, 2
//! TLVs, up to length
//! ```

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Bytes that tell the versions apart, and that the shortest header of either has.
pub const SIGNATURE_LENGTH: usize = 12;
/// Bytes of a version 2 header up to and with its length.
pub const BINARY_HEAD: usize = 16;
/// Longest line of version 1, its CR LF included.
pub const LONGEST_LINE: usize = 107;
/// Most bytes behind a version 2 header's length. Addresses are 36 or, of UNIX sockets, 216; a TLV with a client's
/// certificate may come on top, which we pass over. The protocol allows 64 KiB.
pub const MOST_BINARY: usize = 4_096;

const SIGNATURE: &[u8; SIGNATURE_LENGTH] = b"\r\n\r\n\0\r\nQUIT\n";

/// Which version a header is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// A line of text.
    Text,
    /// Binary.
    Binary,
}

/// Whose connection it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This client's.
    Client(SocketAddr),
    /// The balancer's own (LOCAL: a health check), or of a kind that has no address (UNKNOWN, UNSPEC, UNIX).
    Sender,
}

/// Bytes that are no header. There is no way to go on: what follows cannot be told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no PROXY header")]
pub struct NoHeader;

/// By the first [`SIGNATURE_LENGTH`] bytes.
///
/// # Errors
/// [`NoHeader`] when they begin neither version.
pub fn version(first: &[u8; SIGNATURE_LENGTH]) -> Result<Version, NoHeader> {
    if first == SIGNATURE {
        Ok(Version::Binary)
    } else if first.starts_with(b"PROXY ") {
        Ok(Version::Text)
    } else {
        Err(NoHeader)
    }
}

/// A whole line of version 1, with its CR LF.
///
/// # Errors
/// [`NoHeader`] for anything that the protocol's section 2.1 does not describe.
pub fn text(line: &[u8]) -> Result<Origin, NoHeader> {
    if line.len() > LONGEST_LINE {
        return Err(NoHeader);
    }
    let line = line.strip_suffix(b"\r\n").ok_or(NoHeader)?;
    let line = std::str::from_utf8(line).map_err(|_| NoHeader)?;
    let mut words = line.split(' ');
    if words.next() != Some("PROXY") {
        return Err(NoHeader);
    }
    let family = words.next().ok_or(NoHeader)?;
    if family == "UNKNOWN" {
        // What follows must be ignored.
        return Ok(Origin::Sender);
    }
    let mut word = || words.next().ok_or(NoHeader);
    let (source, destination, port, to_port) = (word()?, word()?, word()?, word()?);
    if words.next().is_some() {
        return Err(NoHeader);
    }
    let address = |text: &str| -> Result<IpAddr, NoHeader> {
        match family {
            "TCP4" => text.parse().map(IpAddr::V4).map_err(|_| NoHeader),
            "TCP6" => text.parse().map(IpAddr::V6).map_err(|_| NoHeader),
            _ => Err(NoHeader),
        }
    };
    address(destination)?;
    decimal_port(to_port)?;
    Ok(Origin::Client(SocketAddr::new(address(source)?, decimal_port(port)?)))
}

/// `0` to `65535`, without sign or leading zeros.
fn decimal_port(text: &str) -> Result<u16, NoHeader> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if plain { text.parse().map_err(|_| NoHeader) } else { Err(NoHeader) }
}

/// How many bytes follow this beginning of a version 2 header.
///
/// # Errors
/// [`NoHeader`] for another version, or more than [`MOST_BINARY`].
pub fn binary_length(head: &[u8; BINARY_HEAD]) -> Result<usize, NoHeader> {
    let length = usize::from(u16::from_be_bytes([head[14], head[15]]));
    if head.starts_with(SIGNATURE) && head[12] >> 4 == 2 && length <= MOST_BINARY {
        Ok(length)
    } else {
        Err(NoHeader)
    }
}

/// A version 2 header: its beginning, and the bytes that [`binary_length`] announced.
///
/// # Errors
/// [`NoHeader`] for a command, family or length that the protocol's section 2.2 does not know.
pub fn binary(head: &[u8; BINARY_HEAD], rest: &[u8]) -> Result<Origin, NoHeader> {
    match head[12] & 0x0f {
        // LOCAL: "the receiver must accept this connection and must use the real connection endpoints".
        0 => return Ok(Origin::Sender),
        1 => {}
        _ => return Err(NoHeader),
    }
    let port = |at: usize| Some(u16::from_be_bytes([*rest.get(at)?, *rest.get(at + 1)?]));
    let (address, port) = match head[13] {
        // TCP over IPv4
        0x11 => {
            let octets: Option<[u8; 4]> = rest.get(..4).and_then(|bytes| bytes.try_into().ok());
            (octets.map(|octets| IpAddr::V4(Ipv4Addr::from(octets))), port(8).filter(|_| rest.len() >= 12))
        }
        // TCP over IPv6
        0x21 => {
            let octets: Option<[u8; 16]> = rest.get(..16).and_then(|bytes| bytes.try_into().ok());
            (octets.map(|octets| IpAddr::V6(Ipv6Addr::from(octets))), port(32).filter(|_| rest.len() >= 36))
        }
        // UNSPEC, and UNIX sockets, which have no address that we could use.
        0x00 | 0x31 => return Ok(Origin::Sender),
        _ => return Err(NoHeader),
    };
    match (address, port) {
        (Some(address), Some(port)) => Ok(Origin::Client(SocketAddr::new(address, port))),
        _ => Err(NoHeader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn client(text: &str) -> Result<Origin, NoHeader> {
        Ok(Origin::Client(text.parse().unwrap()))
    }

    #[test]
    fn lines() {
        for (line, meaning) in [
            ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n", client("192.0.2.7:56324")),
            ("PROXY TCP6 2001:db8::7 2001:db8::1 1 65535\r\n", client("[2001:db8::7]:1")),
            ("PROXY UNKNOWN\r\n", Ok(Origin::Sender)),
            ("PROXY UNKNOWN ffff:f...f:ffff whatever\r\n", Ok(Origin::Sender)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\n", Err(NoHeader)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 56324\r\n", Err(NoHeader)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 56324 443 1\r\n", Err(NoHeader)),
            ("PROXY TCP4  192.0.2.7 198.51.100.1 56324 443\r\n", Err(NoHeader)),
            ("PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n", Err(NoHeader)),
            ("PROXY TCP6 192.0.2.7 198.51.100.1 1 2\r\n", Err(NoHeader)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 65536 443\r\n", Err(NoHeader)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 +1 443\r\n", Err(NoHeader)),
            ("PROXY TCP4 192.0.2.7 198.51.100.1 01 443\r\n", Err(NoHeader)),
            ("PROXY UDP4 192.0.2.7 198.51.100.1 1 2\r\n", Err(NoHeader)),
            ("PROXY tcp4 192.0.2.7 198.51.100.1 1 2\r\n", Err(NoHeader)),
            ("PROXY\r\n", Err(NoHeader)),
        ] {
            assert_eq!(text(line.as_bytes()), meaning, "{line:?}");
        }
        assert_eq!(text(format!("PROXY UNKNOWN {}\r\n", "x".repeat(100)).as_bytes()), Err(NoHeader));
    }

    fn head(command: u8, family: u8, length: u16) -> [u8; BINARY_HEAD] {
        let mut head = [0; BINARY_HEAD];
        head[..12].copy_from_slice(SIGNATURE);
        head[12] = 0x20 | command;
        head[13] = family;
        head[14..].copy_from_slice(&length.to_be_bytes());
        head
    }

    #[test]
    fn binary_headers() {
        let four = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
        let with_tlv = [&four[..], &[4, 0, 1, 9]].concat();
        let mut six = [0; 36];
        six[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
        six[15] = 7;
        six[33] = 80;
        for (command, family, rest, meaning) in [
            (1, 0x11, &four[..], client("192.0.2.7:56324")),
            (1, 0x11, &with_tlv, client("192.0.2.7:56324")),
            (1, 0x21, &six, client("[2001:db8::7]:80")),
            (0, 0x00, &[], Ok(Origin::Sender)),
            (0, 0x11, &four, Ok(Origin::Sender)),
            (1, 0x00, &[], Ok(Origin::Sender)),
            (1, 0x31, &[0; 216], Ok(Origin::Sender)),
            (1, 0x11, &four[..11], Err(NoHeader)),
            (1, 0x21, &six[..35], Err(NoHeader)),
            (1, 0x12, &four, Err(NoHeader)),
            (1, 0x41, &four, Err(NoHeader)),
            (2, 0x11, &four, Err(NoHeader)),
        ] {
            let head = head(command, family, u16::try_from(rest.len()).unwrap());
            assert_eq!(binary_length(&head), Ok(rest.len()));
            assert_eq!(binary(&head, rest), meaning, "{command} {family:x}");
        }
        let mut old = head(1, 0x11, 12);
        old[12] = 0x11;
        assert_eq!(binary_length(&old), Err(NoHeader));
        assert_eq!(binary_length(&head(1, 0x11, 4_097)), Err(NoHeader));
    }

    #[test]
    fn versions_are_told_apart() {
        assert_eq!(version(SIGNATURE), Ok(Version::Binary));
        assert_eq!(version(b"PROXY UNKNOW"), Ok(Version::Text));
        assert_eq!(version(b"GET / HTTP/1"), Err(NoHeader));
    }

    proptest! {
        #[test]
        fn every_address_comes_through(address: IpAddr, port: u16) {
            let family = if address.is_ipv4() { "TCP4" } else { "TCP6" };
            let line = format!("PROXY {family} {address} {address} {port} 1\r\n");
            prop_assert_eq!(text(line.as_bytes()), Ok(Origin::Client(SocketAddr::new(address, port))));
        }

        #[test]
        fn bytes_of_any_kind_are_no_panic(head: [u8; BINARY_HEAD], rest: Vec<u8>) {
            let _ = (text(&rest), binary_length(&head), binary(&head, &rest));
        }
    }
}
