//! Bodies on their way to the origin: as large and as many as the operator allows, and announced or not.

use crate::{ALONE, Scene, post};
use journeys::Airclass;
use journeys::raw::{Loose, answers, exchange, exchange_only, read_to_end, statuses};
use std::io::{Read, Write};
use std::net::TcpStream;

fn scene() -> Scene {
    let origin = Loose::echo();
    let options = ["--upload-size", "10KiB", "--uploads", "2", "--stall-timeout", "3min"];
    let edge = Airclass::edge(origin.address, &[&ALONE[..], &options].concat());
    Scene { origin, edge }
}

#[test]
fn a_body_that_is_too_large_is_413_and_what_stands_behind_it_is_not_read() {
    let scene = scene();
    let edge = scene.edge.address();
    let fits = "x".repeat(10 * 1_024);
    let answered = exchange(edge, post(&format!("Content-Length: {}\r\n", fits.len()), &fits));
    assert_eq!(statuses(&answered), [200, 200]);
    scene.origin.take();
    // Announced: nobody waits for it, and the origin hears nothing.
    let announced = post("Content-Length: 10241\r\nExpect: 100-continue\r\n", "");
    let answered = answers(&exchange_only(edge, announced.as_bytes()));
    assert_eq!(statuses(&answered), [413], "{answered:?}");
    assert!(
        answered[0].body.contains("太大") && answered[0].head.contains("detail=too_large"),
        "{answered:?}"
    );
    assert_eq!(scene.origin.targets(), [""; 0]);
    // Found out on the way: the origin does not take it for whole.
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4_096));
    let chunked = post("Transfer-Encoding: chunked\r\n", &format!("{}0\r\n\r\n", chunk.repeat(3)));
    let answered = exchange(edge, chunked);
    assert_eq!(answered[0].status, 413, "{answered:?}");
    assert!(scene.origin.take().iter().all(|request| request.target == "/last"));
}

#[test]
fn as_many_bodies_as_are_allowed_and_then_503_until_one_has_gone() {
    let scene = scene();
    let edge = scene.edge.address();
    let begin = post("Content-Length: 10\r\nExpect: 100-continue\r\n", "");
    let mut running: Vec<_> = (0..2)
        .map(|_| {
            let mut stream = TcpStream::connect(edge).expect("the edge listens");
            stream.write_all(begin.as_bytes()).expect("a request");
            // It has its place once it is asked for.
            let mut interim = [0; 25];
            stream.read_exact(&mut interim).expect("100");
            assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
            stream
        })
        .collect();
    let answered = answers(&exchange_only(edge, begin.as_bytes()));
    assert_eq!(statuses(&answered), [503]);
    assert!(answered[0].head.contains("retry-after: "), "{answered:?}");
    // Who only reads is not concerned.
    assert_eq!(statuses(&exchange(edge, "")), [200]);
    for stream in &mut running {
        stream.write_all(b"0123456789").expect("a body");
        stream.write_all(journeys::raw::LAST.as_bytes()).expect("one more");
        assert_eq!(statuses(&answers(&read_to_end(stream))), [200, 200]);
    }
    assert_eq!(statuses(&exchange(edge, post("Content-Length: 2\r\n", "ab"))), [200, 200]);
}
