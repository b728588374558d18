//! Behind a load balancer: whose connection it is, and who may say so.

use crate::server::Server;
use serve::Options;
use std::io::{Read, Write};
use std::net::TcpStream;

const REQUEST: &[u8] = b"GET /who HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";

fn server(more: &str) -> Server {
    let table = format!("address = \"127.0.0.1:0\", {more}");
    Server::with(Options { listener: Some(vec![table.parse().unwrap()]), ..Options::default() })
}

/// The last line of what comes back.
fn exchange(stream: &mut (impl Read + Write), bytes: &[u8]) -> String {
    let mut answer = Vec::new();
    // A server that refuses may close before it has read everything.
    let _ = stream.write_all(bytes).and_then(|()| stream.read_to_end(&mut answer).map(drop));
    String::from_utf8_lossy(&answer).lines().last().unwrap_or_default().to_owned()
}

fn ask(server: &Server, header: &[u8]) -> String {
    exchange(&mut TcpStream::connect(server.address()).unwrap(), &[header, REQUEST].concat())
}

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [b"\r\n\r\n\0\r\nQUIT\n", &[0x20 | command, family][..], &length, rest].concat()
}

#[test]
fn a_load_balancer_says_whose_the_connection_is() {
    let server = server("proxy_from = [\"127.0.0.0/8\"]");
    let client = [192, 0, 2, 7, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
    let with_tlv = [&client[..], &[0x20, 0, 3, 1, 2, 3]].concat();
    for header in [
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n".to_vec(),
        binary(1, 0x11, &client),
        binary(1, 0x11, &with_tlv),
    ] {
        assert_eq!(ask(&server, &header), "192.0.2.7:56324 http");
    }
    let six = b"PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n";
    assert_eq!(ask(&server, six), "[2001:db8::7]:56324 http");
    // Its health check is its own.
    assert!(ask(&server, &binary(0, 0, &[])).starts_with("127.0.0.1:"));
    assert!(ask(&server, b"PROXY UNKNOWN\r\n").starts_with("127.0.0.1:"));
}

#[test]
fn one_that_says_nothing_or_nonsense_is_not_served() {
    let server = server("proxy_from = [\"127.0.0.0/8\"]");
    for header in [&b""[..], b"PROXY TCP4 nowhere\r\n", b"PROXY ", &binary(7, 0x11, &[0; 12])] {
        assert_eq!(ask(&server, header), "");
    }
    server.wait_until_quiet();
    assert_eq!(server.metric("serve_connections_ended_total", Some("proxy")), 4.0);
}

#[test]
fn who_may_not_say_it_is_refused_or_served_as_itself() {
    let stranger = "proxy_from = [\"10.0.0.0/8\"]";
    let header = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
    for bytes in [&header[..], b""] {
        assert_eq!(ask(&server(stranger), bytes), "");
    }
    let direct = server(&format!("{stranger}, proxy_others = \"direct\""));
    assert!(ask(&direct, b"").starts_with("127.0.0.1:"));
    // To HTTP a header is no request.
    assert!(!ask(&direct, header).contains("192.0.2.7"));
}

#[test]
fn a_unix_socket_serves_and_may_be_a_load_balancers() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.sock");
    let table = format!("address = \"unix:{}\", proxy_from = [\"unix\"]", path.display());
    let _server = Server::with(Options {
        listener: Some(vec![table.parse().unwrap()]),
        cores: Some(2),
        ..Options::default()
    });
    for _ in 0..4 {
        let mut stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
        let header = b"PROXY TCP4 192.0.2.7 198.51.100.1 56324 443\r\n";
        assert_eq!(exchange(&mut stream, &[header, REQUEST].concat()), "192.0.2.7:56324 http");
    }
}

#[test]
fn ipv6_is_a_listener_like_any_other() {
    let table = "address = \"[::1]:0\"".parse().unwrap();
    let server = Server::with(Options { listener: Some(vec![table]), ..Options::default() });
    assert!(ask(&server, b"").starts_with("[::1]:"));
}
