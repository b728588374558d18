//! How lines are written: attacks 13 to 21.

use crate::{HIDDEN, Scene, get};
use journeys::raw::{exchange, statuses};

#[test]
fn attack_13_line_ends_and_nul_in_a_value() {
    let scene = Scene::new();
    scene.refuses(get("X: a\rb\r\n"));
    scene.refuses(get("X: a\0b\r\n"));
    scene.refuses(get("X: a\nContent-Length: 5\r\n"));
    scene.refuses(get("X: a\n\r\n"));
    scene.refuses(get("X: a\r\r\n"));
    scene.refuses(format!("GET /x HTTP/1.1\nHost: lessons.example\n\n{HIDDEN}"));
    scene.refuses("GET /x HTTP/1.1\r\nHost: lessons.example\r\n\n");
    scene.refuses(get("X: \u{1}\r\n"));
    scene.refuses(get("X: \u{7f}\r\n"));
}

#[test]
fn attack_14_a_space_before_the_colon() {
    let scene = Scene::new();
    scene.refuses(get("X : a\r\n"));
    scene.refuses(get("X\t: a\r\n"));
    scene.refuses(get("Content-Length : 5\r\n"));
    scene.refuses(get("Transfer-Encoding : chunked\r\n"));
}

#[test]
fn attack_15_folded_lines() {
    let scene = Scene::new();
    scene.refuses(get("X: a\r\n b\r\n"));
    scene.refuses(get("X: a\r\n\tContent-Length: 5\r\n"));
    scene.refuses("GET /x HTTP/1.1\r\n Host: lessons.example\r\n\r\n");
    scene.refuses(get("Transfer-Encoding:\r\n chunked\r\n"));
    scene.refuses(get("X: a\r\n \r\n"));
}

#[test]
fn attack_16_a_line_without_a_colon() {
    let scene = Scene::new();
    scene.refuses(get("X\r\n"));
    scene.refuses(get("GET /hidden HTTP/1.1\r\n"));
    scene.refuses(get("Content-Length 5\r\n"));
}

#[test]
fn attack_17_a_field_without_a_name() {
    let scene = Scene::new();
    scene.refuses(get(": a\r\n"));
    scene.refuses(get(":\r\n"));
    scene.refuses(get("\0: a\r\n"));
    scene.refuses(get("(x): a\r\n"));
}

#[test]
fn attack_18_bytes_beyond_ascii() {
    let scene = Scene::new();
    let bytes = |head: &[u8], byte: u8, tail: &[u8]| [head, &[byte], tail].concat();
    for byte in [0x80, 0x85, 0xa0, 0xe9, 0xff] {
        // What some trim as white space stays part of the value, and so makes a number or a host none.
        let end = b"\r\nHost: lessons.example\r\n\r\n";
        scene.refuses(bytes(b"POST /x HTTP/1.1\r\nContent-Length: 5", byte, end));
        scene.refuses(bytes(b"POST /x HTTP/1.1\r\nTransfer-Encoding: chunked", byte, end));
        scene.refuses(bytes(b"POST /x HTTP/1.1\r\nTransfer-Encoding:", byte, b"chunked\r\nHost: a\r\n\r\n"));
        scene.refuses(bytes(b"GET /x HTTP/1.1\r\nHost: lessons.example", byte, b"\r\n\r\n"));
        scene.refuses(bytes(b"GET /x HTTP/1.1\r\nHost: lessons.example\r\nX", byte, b": a\r\n\r\n"));
        scene.refuses(bytes(b"GET /x", byte, b" HTTP/1.1\r\nHost: lessons.example\r\n\r\n"));
        scene.refuses(bytes(b"GET", byte, b" /x HTTP/1.1\r\nHost: lessons.example\r\n\r\n"));
        // In any other value it is what it is, at both ends.
        let payload = bytes(b"GET /x HTTP/1.1\r\nHost: lessons.example\r\nX-Name: a", byte, b"\r\n\r\n");
        exchange(scene.edge.address(), payload);
        let seen = scene.origin.take();
        assert!(seen[0].raw.windows(10).any(|ten| ten[..9] == *b"x-name: a" && ten[9] == byte), "{seen:?}");
    }
}

#[test]
fn attack_19_versions_that_are_none() {
    let scene = Scene::new();
    for version in [
        "HTTP/1.10",
        "HTTP/0.9",
        "HTTP/2.0",
        "HTTP/1.2",
        "HTTP/1.1x",
        "http/1.1",
        "HTTP/1",
        "HTTPS/1.1",
        "HTTP/1.1 ",
        "HTTP/ 1.1",
    ] {
        scene.refuses(format!("GET /x {version}\r\nHost: lessons.example\r\n\r\n"));
    }
    scene.refuses("GET /x\r\n\r\n");
    scene.refuses("\r\n\r\n\r\nGET /x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.forwards("\r\nGET /x HTTP/1.1\r\nHost: lessons.example\r\n\r\n", &["GET /x "]);
}

#[test]
fn attack_20_no_host_two_hosts_or_a_list() {
    let scene = Scene::new();
    for hosts in [
        "",
        "Host:\r\n",
        "Host: a\r\nHost: a\r\n",
        "Host: a\r\nHost: b\r\n",
        "Host: a, b\r\n",
        "Host: a b\r\n",
        "Host: u@a\r\n",
        "Host: a/b\r\n",
        "Host: a:b\r\n",
        "Host: http://a\r\n",
    ] {
        scene.refuses(format!("GET /x HTTP/1.1\r\n{hosts}\r\n"));
    }
    // HTTP/1.0 may name none, as balancers do that look whether a node is well: it asks the node.
    scene.refuses("GET /x HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n");
    let answers = exchange(scene.edge.address(), "GET /x HTTP/1.0\r\n\r\n");
    assert_eq!(statuses(&answers), [200]);
    let heard = scene.origin.take();
    assert_eq!(heard.len(), 1);
    assert_eq!(heard[0].values("host"), [scene.origin.address.to_string()]);
}

#[test]
fn attack_21_a_whole_url_as_target() {
    let scene = Scene::new();
    scene.refuses("GET http://evil.example/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET http://lessons.example:81/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET http://u@lessons.example/x HTTP/1.1\r\nHost: u@lessons.example\r\n\r\n");
    scene.refuses("GET ftp://lessons.example/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    // Legal, and nothing that a client sends: to some its path is `/`, to some it has none.
    scene.refuses("GET http://lessons.example?y HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET lessons.example HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET lessons.example:80 HTTP/1.1\r\nHost: lessons.example:80\r\n\r\n");
    scene.refuses("GET x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET /x#y HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET /x y HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET  /x HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    scene.refuses("GET * HTTP/1.1\r\nHost: lessons.example\r\n\r\n");
    // The server as a whole, which is this one.
    let answers = exchange(
        scene.edge.address(),
        "OPTIONS * HTTP/1.1\r\nHost: lessons.example\r\nConnection: close\r\n\r\n",
    );
    assert_eq!((statuses(&answers), scene.origin.targets()), (vec![204], Vec::<String>::new()));
    scene.forwards("GET http://lessons.example:80/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n", &["GET /x "]);
    scene.forwards("GET http://lessons.example/x HTTP/1.1\r\nHost: lessons.example\r\n\r\n", &["GET /x "]);
    scene.forwards("GET http://lessons.example HTTP/1.1\r\nHost: lessons.example\r\n\r\n", &["GET / "]);
}
