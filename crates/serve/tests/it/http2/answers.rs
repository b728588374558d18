//! What goes out on a stream.

use crate::server::{GREETING, LARGE, Server};
use serve::LimitOptions;
use socket2::{Domain, Socket, Type};
use std::net::{SocketAddr, TcpStream};
use testkit::http2::*;

/// Looks for the server's close. A bound, not a pace.
const LOOKS: usize = 10_000;

#[test]
fn an_answer_to_head_has_no_body_and_says_how_long_it_would_be() {
    // RFC 9110 §9.3.2: a client counts a body there as a broken protocol.
    let server = Server::start(LimitOptions::default());
    let mut wire = Wire::open(server.address());
    let head = section(&[(":method", "HEAD"), (":scheme", "http"), (":authority", "a"), (":path", "/")]);
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &head));
    let answer = wire.until(|frame| frame.kind == HEADERS).expect("an answer");
    assert_eq!(answer.flags & END_STREAM, END_STREAM);
    // Content-Length is the 28th of RFC 7541's table, and this is 5 in its Huffman code.
    assert_eq!(GREETING.len(), 5);
    assert!(answer.payload.windows(4).any(|field| field == [15, 13, 0x81, 0x6f]), "{answer:?}");
    assert!(wire.lives());
}

#[test]
fn what_is_on_its_way_when_the_server_stops_comes_whole() {
    // A reader gives back what it has read, and would be told by a reset that nobody hears it any more: what the kernel still has
    // for it would be gone.
    let server = Server::start(LimitOptions::default());
    let stream = small(server.address());
    let ends = (server.address(), stream.local_addr().unwrap());
    let mut wire = Wire::over(stream).begin(&[(4, LARGE as u32)]);
    wire.send(&frame(WINDOW_UPDATE, 0, 0, &(LARGE as u32).to_be_bytes()));
    wire.send(&request(1, "/large"));
    assert!(wire.until(|frame| frame.kind == HEADERS).is_some());
    server.begin_to_stop();
    let mut taken = 0;
    while let Some(got) = wire.next_frame() {
        if got.kind == PING && got.flags != ACK {
            wire.send(&frame(PING, ACK, 0, &got.payload));
        }
        if got.kind != DATA {
            continue;
        }
        taken += got.payload.len();
        if LARGE - taken < 48 * 1_024 {
            // The rest is the kernel's by now. Where the server's last words stand behind it, it says nothing before that is read.
            for _ in (0..LOOKS).take_while(|_| is_open(ends)) {
                std::thread::yield_now();
            }
        }
        wire.send(&frame(WINDOW_UPDATE, 0, 0, &(got.payload.len() as u32).to_be_bytes()));
    }
    assert_eq!(taken, LARGE);
}

/// Whether the server has yet to close its side of a connection, by the kernel's list of all: it lingers for so many seconds from then on.
fn is_open((server, client): (SocketAddr, SocketAddr)) -> bool {
    const ESTABLISHED: &str = "01";
    let all = std::fs::read_to_string("/proc/net/tcp").unwrap();
    all.lines().any(|line| {
        let words: Vec<_> = line.split_whitespace().take(4).collect();
        let is = |place: usize, end: SocketAddr| words[place].ends_with(&format!(":{:04X}", end.port()));
        words.len() == 4 && is(1, server) && is(2, client) && words[3] == ESTABLISHED
    })
}

#[test]
fn who_sends_what_is_refused_keeps_the_answer_and_is_read_out() {
    // Its stream was taken back in one go with the answer, for which libcurl 7.88 gave that up.
    let server = Server::start(LimitOptions::default());
    let mut wire = Wire::open(server.address());
    let post =
        section(&[(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/kept/403")]);
    wire.send(&frame(HEADERS, END_HEADERS, 1, &post));
    let of_it = |wanted: &[u8], got: &Frame| got.stream == 1 && wanted.contains(&got.kind);
    let end = wire.until(|got| of_it(&[RST_STREAM], got) || got.flags & END_STREAM != 0 && got.kind == DATA);
    assert_eq!(end.map(|end| end.kind), Some(DATA));
    // As much as a stream may have of it unread.
    for _ in 0..4 {
        wire.send(&frame(DATA, 0, 1, &[0; 16 * 1_024]));
    }
    let next = wire.until(|got| of_it(&[RST_STREAM, WINDOW_UPDATE], got));
    assert_eq!(next.map(|next| next.kind), Some(WINDOW_UPDATE));
    wire.send(&frame(DATA, END_STREAM, 1, &[0]));
    wire.send(&request(3, "/"));
    let next = wire.until(|got| got.kind == RST_STREAM || got.stream == 3);
    assert_eq!(next.map(|next| next.kind), Some(HEADERS));
}

/// A connection that takes little at once.
fn small(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(8 * 1_024).unwrap();
    socket.connect(&address.into()).unwrap();
    socket.into()
}
