//! Attacks 27 to 32: what costs a server more than its client. Each ends the connection, is counted, and leaves the
//! next client unharmed.

use crate::server::{LARGE, Server};
use serve::LimitOptions;
use std::cell::Cell;
use testkit::http2::*;
use units::Span;

const ENDED: &str = "serve_connections_ended_total";
const ABUSE: &str = "serve_http2_abuse_total";
/// More than any allowance.
const MANY: u32 = 20_000;

fn server() -> Server {
    Server::start(LimitOptions::default())
}

/// The pseudo-fields of a POST.
fn post(path: &str) -> Vec<u8> {
    section(&[(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
}

/// Waits for the end of the only connection, and sees that it was for `reason`.
fn ended(server: &Server, reason: &str) {
    server.wait_until_quiet();
    let reasons = ["closed", "idle", "stalled", "broken", "abuse", "drained"];
    let ended: Vec<_> =
        reasons.into_iter().filter(|reason| server.metric(ENDED, Some(reason)) > 0.0).collect();
    assert_eq!(ended, [reason]);
}

/// Sends `frames` one by one until the server has enough, and sees why.
fn flood(mut frames: impl FnMut(u32) -> Vec<u8>, kinds: &[&str]) {
    let server = server();
    let mut wire = Wire::open(server.address());
    for number in 0..MANY {
        if !wire.send(&frames(number)) {
            break;
        }
    }
    wire.drain();
    ended(&server, "abuse");
    let counted: f64 = kinds.iter().map(|kind| server.metric(ABUSE, Some(kind))).sum();
    assert_eq!(counted, 1.0, "{kinds:?}");
    assert!(Wire::open(server.address()).lives(), "the next client is served");
}

#[test]
fn attack_27_rapid_reset() {
    // CVE-2023-44487
    let stream = |number| 2 * number + 1;
    flood(
        |number| {
            [request(stream(number), "/never"), frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8])].concat()
        },
        // Ours, or h2's for streams that it has not looked at yet.
        &["resets", "library"],
    );
}

#[test]
fn attack_28_continuation_flood() {
    // CVE-2024-27316 and its kin: a header section that never ends. Either bound may be met first: ours on frames,
    // h2's on the section.
    let server = server();
    let mut wire = Wire::open(server.address());
    wire.send(&frame(HEADERS, END_STREAM, 1, &get("/")));
    let shred = frame(CONTINUATION, 0, 1, &field("x-shred", &"x".repeat(1_000)));
    for _ in 0..MANY {
        if !wire.send(&shred) {
            break;
        }
    }
    wire.drain();
    ended(&server, "abuse");
    assert!(Wire::open(server.address()).lives());
}

#[test]
fn attack_28_continuations_without_a_byte() {
    let shred = |number| match number {
        0 => frame(HEADERS, END_STREAM, 1, &get("/")),
        _ => frame(CONTINUATION, 0, 1, &[]),
    };
    let server = server();
    let mut wire = Wire::open(server.address());
    for number in 0..MANY {
        if !wire.send(&shred(number)) {
            break;
        }
    }
    wire.drain();
    ended(&server, "abuse");
}

#[test]
fn attack_29_made_you_reset() {
    // CVE-2025-8671: the client has us reset its streams by mistakes of its own.
    let server = server();
    let mut wire = Wire::open(server.address());
    for number in 0..MANY {
        let stream = 2 * number + 1;
        let too_much = frame(WINDOW_UPDATE, 0, stream, &[127, 255, 255, 255]);
        if !wire.send(&[request(stream, "/never"), too_much].concat()) {
            break;
        }
    }
    wire.drain();
    ended(&server, "abuse");
    assert!(Wire::open(server.address()).lives());
}

#[test]
fn attack_30_settings_flood() {
    flood(|_| frame(SETTINGS, 0, 0, &[0, 4, 0, 0, 255, 255]), &["settings"]);
}

#[test]
fn attack_30_ping_flood() {
    flood(|_| frame(PING, 0, 0, &[7; 8]), &["pings"]);
}

#[test]
fn attack_30_priority_flood() {
    flood(|number| frame(PRIORITY, 0, 2 * number + 1, &[0, 0, 0, 0, 16]), &["priorities"]);
}

#[test]
fn attack_30_empty_data_flood() {
    flood(
        |number| match number {
            0 => frame(HEADERS, END_HEADERS, 1, &post("/never")),
            _ => frame(DATA, 0, 1, &[]),
        },
        &["empty_data"],
    );
}

#[test]
fn attack_30_padding_makes_no_data_of_nothing() {
    // A frame whose only byte says that there is no padding, and one that is nothing but padding.
    for nothing in [&[0][..], &[9; 10]] {
        flood(
            |number| match number {
                0 => frame(HEADERS, END_HEADERS, 1, &post("/never")),
                _ => frame(DATA, PADDED, 1, nothing),
            },
            &["library"],
        );
    }
}

#[test]
fn attack_30_goaway_flood() {
    // Over and over, while a request keeps the connection open.
    flood(
        |number| match number {
            0 => request(1, "/never"),
            _ => frame(GOAWAY, 0, 0, &[0; 8]),
        },
        &["unknown"],
    );
}

#[test]
fn attack_30_unknown_frames_flood() {
    flood(|_| frame(0xee, 0, 0, &[]), &["unknown"]);
}

#[test]
fn attack_30_window_update_flood() {
    flood(|_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]), &["window_updates"]);
}

#[test]
fn attack_31_a_header_list_beyond_the_bound_is_refused() {
    let server = server();
    let mut wire = Wire::open(server.address());
    // 60 KB in legal frames; the bound is 32 KiB.
    wire.send(&frame(HEADERS, END_STREAM, 1, &get("/")));
    for number in 0..4 {
        let last = if number == 3 { END_HEADERS } else { 0 };
        wire.send(&frame(CONTINUATION, last, 1, &field("x-long", &"x".repeat(15_000))));
    }
    let answer = wire.until(|frame| frame.stream == 1 || frame.kind == GOAWAY).unwrap();
    assert!(refused(&answer), "{answer:?}");
}

#[test]
fn attack_31_hpack_bomb() {
    let server = server();
    let mut wire = Wire::open(server.address());
    // One field of 4,000 bytes put into the table (RFC 7541 §6.2.1), then named 10,000 times by one byte each: 40 MB.
    let mut bomb = get("/");
    let stored = field("x-bomb", &"x".repeat(4_000));
    bomb.push(0x40);
    bomb.extend(&stored[1..]);
    bomb.extend(std::iter::repeat_n(0xbe, 10_000));
    wire.send(&frame(HEADERS, END_HEADERS | END_STREAM, 1, &bomb));
    let answer = wire.until(|frame| frame.stream == 1 || frame.kind == GOAWAY).unwrap();
    assert!(refused(&answer), "{answer:?}");
}

/// Reset, ended, or 431.
fn refused(answer: &Frame) -> bool {
    match answer.kind {
        RST_STREAM | GOAWAY => true,
        // `:status: 431` is a literal with an indexed name (RFC 7541 appendix A, entry 8).
        HEADERS => !answer.payload.contains(&0x88),
        _ => false,
    }
}

/// Limits that end a stall soon; a connection is looked at for the first time after the header limit.
fn impatient() -> LimitOptions {
    // And late enough for a client on a busy machine to have begun.
    let soon = Some(Span::secs(1));
    LimitOptions { stall_timeout: soon, header_timeout: soon, ..LimitOptions::default() }
}

#[test]
fn attack_32_a_window_that_never_opens() {
    let server = Server::start(impatient());
    // INITIAL_WINDOW_SIZE 0
    let mut wire = Wire::silent(server.address()).begin(&[(4, 0)]);
    for stream in 0..100 {
        wire.send(&request(2 * stream + 1, "/large"));
    }
    wire.drain();
    ended(&server, "stalled");
}

#[test]
fn attack_32_a_window_of_single_bytes() {
    let server = Server::start(impatient());
    let mut wire = Wire::silent(server.address()).begin(&[(4, 1)]);
    wire.send(&request(1, "/large"));
    let mut taken = 0;
    // Gives back every byte that it gets, and no more: as lively as can be, and still no reader.
    while let Some(frame_in) = wire.next_frame() {
        if frame_in.kind == DATA {
            taken += frame_in.payload.len();
            wire.send(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 1]));
        }
    }
    assert!(taken < LARGE, "{taken} bytes were dribbled");
    server.wait_until_quiet();
    assert!(
        server.metric(ENDED, Some("stalled")) + server.metric(ENDED, Some("abuse")) == 1.0,
        "{taken} bytes"
    );
}

#[test]
fn answers_that_wait_for_a_slow_client_are_not_idle() {
    let limits = LimitOptions { idle_timeout: Some(Span::secs(3)), ..impatient() };
    let server = Server::start(LimitOptions { stall_timeout: Some(Span::secs(60)), ..limits });
    // A window for a sixteenth of the answer, all of which h2 has by then.
    let mut slow = Wire::open(server.address());
    slow.send(&request(1, "/large"));
    let taken = Cell::new(0);
    let take = |frame: &Frame| {
        // Nor is it asked for a sign of life, which would come too late.
        assert!(frame.kind != GOAWAY && frame.kind != PING, "{frame:?}");
        taken.set(taken.get() + if frame.kind == DATA { frame.payload.len() } else { 0 });
        taken.get()
    };
    assert!(slow.until(|frame| take(frame) == 65_535).is_some());
    // Three clients that come later, one after the other, and ask nothing are idle.
    for _ in 0..3 {
        assert!(Wire::open(server.address()).until(|frame| frame.kind == GOAWAY).is_some());
    }
    for stream in [0, 1] {
        slow.send(&frame(WINDOW_UPDATE, 0, stream, &(LARGE as u32).to_be_bytes()));
    }
    assert!(slow.until(|frame| take(frame) == LARGE).is_some());
    assert!(slow.lives());
}

#[test]
fn a_seek_that_takes_back_all_it_had_asked_is_no_abuse() {
    // As many as may be open, twice, each time taken back in one packet with what is asked instead.
    let server = server();
    let mut wire = Wire::open(server.address());
    let stream = |number: u32| 2 * number + 1;
    let ask = |numbers: std::ops::Range<u32>, path| -> Vec<u8> {
        numbers.flat_map(|number| request(stream(number), path)).collect()
    };
    wire.send(&ask(0..100, "/large"));
    for round in 0..2 {
        // They have all been looked at.
        assert!(wire.lives());
        let (before, next) = (round * 100..round * 100 + 100, round * 100 + 100..round * 100 + 200);
        let back: Vec<u8> =
            before.flat_map(|number| frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8])).collect();
        wire.send(&[back, ask(next, if round == 0 { "/never" } else { "/" })].concat());
    }
    let mut answered = 0;
    while answered < 100 {
        let got = wire.next_frame().expect("the connection lives");
        assert!(got.kind != RST_STREAM && got.kind != GOAWAY, "{got:?}");
        answered += u32::from(got.kind == HEADERS && got.stream >= stream(200));
    }
    assert!(wire.lives());
}

#[test]
fn a_seek_bar_that_is_dragged_while_the_line_stands_still_is_no_abuse() {
    // A lost packet holds back all behind it: what was asked and taken back for some seconds comes at once.
    let server = server();
    let mut wire = Wire::open(server.address());
    let stream = |number: u32| 2 * number + 1;
    let dragged: Vec<u8> = (0..60)
        .flat_map(|number| {
            [request(stream(number), "/never"), frame(RST_STREAM, 0, stream(number), &[0, 0, 0, 8])].concat()
        })
        .collect();
    wire.send(&[dragged, request(stream(60), "/")].concat());
    let answer = wire.until(|frame| frame.kind == GOAWAY || frame.stream == stream(60)).unwrap();
    assert_eq!(answer.kind, HEADERS, "{answer:?}");
    assert!(wire.lives());
}

#[test]
fn an_eager_reader_is_no_flood() {
    // Gives back each DATA frame at once, for the stream and for the connection, over ten megabytes.
    let server = server();
    let mut wire = Wire::open(server.address());
    for number in 0..10 {
        let stream = 2 * number + 1;
        wire.send(&request(stream, "/large"));
        let mut taken = 0;
        while taken < LARGE {
            let got = wire.next_frame().expect("the connection lives");
            if got.kind == DATA && !got.payload.is_empty() {
                taken += got.payload.len();
                let back = u32::try_from(got.payload.len()).unwrap().to_be_bytes();
                wire.send(&frame(WINDOW_UPDATE, 0, stream, &back));
                wire.send(&frame(WINDOW_UPDATE, 0, 0, &back));
            }
        }
    }
    assert!(wire.lives());
}
