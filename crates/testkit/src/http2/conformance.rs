//! Attack 34: what RFC 9113 asks of a server, section by section, and attack 33's requests that would be others in
//! HTTP/1.1. Of the server it needs that `/` is answered with [`GREETING`] and `/never` not at all.

use super::*;

/// What `/` is answered with.
pub const GREETING: &[u8] = b"hello";

const PROTOCOL: u32 = 1;
const FLOW_CONTROL: u32 = 3;
const STREAM_CLOSED: u32 = 5;
/// FRAME_SIZE_ERROR, for which h2 says PROTOCOL_ERROR as a rule: the connection ends all the same.
const FRAME_SIZE: &[u32] = &[6, PROTOCOL];
const REFUSED: u32 = 7;
const COMPRESSION: u32 = 9;

/// What has to follow.
enum Then {
    /// Nothing of it is answered.
    NoAnswer,
    /// The connection works as before.
    Lives,
    /// The connection ends, with one of these codes if it says one (§5.4.1).
    Connection(&'static [u32]),
    /// The stream is reset with one of these codes (§5.4.2), the request answered with 400, or the connection ends:
    /// a server may always take the sterner way.
    Stream(&'static [u32]),
}

/// One row: section and sentence, what the client sends after the settings, what has to follow.
struct Case(&'static str, Vec<u8>, Then);

fn post(stream: u32, more: &[(&str, &str)]) -> Vec<u8> {
    let mut fields =
        vec![(":method", "POST"), (":scheme", "http"), (":authority", "localhost"), (":path", "/never")];
    fields.extend(more);
    frame(HEADERS, END_HEADERS, stream, &section(&fields))
}

fn with_fields(fields: &[(&str, &str)]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &section(fields))
}

fn get_with(name: &str, value: &str) -> Vec<u8> {
    frame(HEADERS, END_HEADERS | END_STREAM, 1, &[get("/"), field(name, value)].concat())
}

fn setting(id: u16, value: u32) -> Vec<u8> {
    frame(SETTINGS, 0, 0, &[&id.to_be_bytes()[..], &value.to_be_bytes()].concat())
}

/// Holds a server against every row; `connect` gives a connection to it on which nothing was sent. Gives what is wrong with
/// it, and how many rows there are.
pub fn failures(connect: &dyn Fn() -> Wire) -> (Vec<String>, usize) {
    let sections = [preface(), framing(), streams(), frames(), messages(), downgrades()];
    let cases: Vec<_> = sections.into_iter().flatten().collect();
    let count = cases.len();
    let failed = cases.into_iter().filter_map(|case| {
        let name = case.0;
        fails(connect, case).map(|seen| format!("{name}: {seen}"))
    });
    (failed.collect(), count)
}

/// What is seen instead of what has to follow.
fn fails(connect: &dyn Fn() -> Wire, Case(_, bytes, then): Case) -> Option<String> {
    if let Then::NoAnswer = then {
        let mut wire = connect();
        wire.send(&bytes);
        wire.finish();
        let is_answer = |frame: &Frame| frame.kind == HEADERS || (frame.kind == PING && frame.flags == ACK);
        return wire.until(is_answer).map(|answer| format!("{answer:?}"));
    }
    let mut wire = connect().begin(&[]);
    wire.send(&bytes);
    let seen = match then {
        Then::NoAnswer => return None,
        Then::Lives if wire.lives() => return None,
        Then::Lives => "the connection ended".to_owned(),
        Then::Connection(codes) => {
            wire.send(&frame(PING, 0, 0, b"evermore"));
            match wire.until(|frame| frame.kind == GOAWAY || (frame.kind == PING && frame.flags == ACK)) {
                None => return None,
                Some(frame) if frame.kind == PING => "the connection lives".to_owned(),
                Some(goaway) if codes.contains(&goaway.code()) => {
                    wire.drain();
                    return None;
                }
                Some(goaway) => format!("GOAWAY {}", goaway.code()),
            }
        }
        Then::Stream(codes) => {
            // Answers to pings overtake what is said of streams, but only once.
            wire.send(&frame(PING, 0, 0, b"evermore"));
            let (mut answered, mut pings) = (false, 0);
            loop {
                match wire.next_frame() {
                    None => return None,
                    Some(frame) if matches!(frame.kind, RST_STREAM | GOAWAY) => {
                        if codes.contains(&frame.code()) {
                            return None;
                        }
                        break format!("{frame:?}");
                    }
                    // `:status: 400` is entry 12 of the static table (RFC 7541 appendix A).
                    Some(frame) if frame.kind == HEADERS && frame.payload.contains(&0x8c) => return None,
                    Some(frame) if frame.kind == HEADERS => answered = true,
                    Some(frame) if frame.kind == PING && pings < 2 => {
                        pings += 1;
                        wire.send(&self::frame(PING, 0, 0, b"evermore"));
                    }
                    Some(frame) if frame.kind == PING => {
                        break format!("nothing is wrong with it; answered: {answered}");
                    }
                    Some(_) => {}
                }
            }
        }
    };
    Some(seen)
}

fn preface() -> Vec<Case> {
    vec![
        Case("3.4 another preface", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n".to_vec(), Then::NoAnswer),
        Case("3.4 PING before SETTINGS", [PREFACE, &frame(PING, 0, 0, &[0; 8])].concat(), Then::NoAnswer),
        Case("3.4 a request before SETTINGS", [PREFACE, &request(1, "/")].concat(), Then::NoAnswer),
        Case(
            "3.4 an acknowledgement before SETTINGS",
            [PREFACE, &frame(SETTINGS, ACK, 0, &[]), &request(1, "/")].concat(),
            Then::NoAnswer,
        ),
    ]
}

fn framing() -> Vec<Case> {
    vec![
        Case("4.1 unknown types are ignored", frame(0x16, 0, 0, &[0; 8]), Then::Lives),
        Case("4.1 undefined flags are ignored", frame(PING, 0xfe, 0, &[0; 8]), Then::Lives),
        Case("4.1 the reserved bit is ignored", frame(PING, 0, 1 << 31, &[0; 8]), Then::Lives),
        Case(
            "4.2 a frame of 2^14 bytes",
            [post(1, &[]), frame(DATA, 0, 1, &[0; 1 << 14])].concat(),
            Then::Lives,
        ),
        Case(
            "4.2 DATA beyond SETTINGS_MAX_FRAME_SIZE",
            [post(1, &[]), frame(DATA, 0, 1, &[0; (1 << 14) + 1])].concat(),
            Then::Stream(FRAME_SIZE),
        ),
        Case(
            "4.2 HEADERS beyond SETTINGS_MAX_FRAME_SIZE",
            frame(
                HEADERS,
                END_HEADERS | END_STREAM,
                1,
                &[get("/"), field("x", &"x".repeat(1 << 14))].concat(),
            ),
            Then::Connection(FRAME_SIZE),
        ),
        Case(
            "4.3 an index that is not there",
            frame(HEADERS, END_HEADERS | END_STREAM, 1, &[0xff, 0x80, 0x01]),
            Then::Connection(&[COMPRESSION, PROTOCOL]),
        ),
        Case(
            "4.3 PRIORITY within a header section",
            [frame(HEADERS, END_STREAM, 1, &get("/")), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "4.3 another stream's HEADERS within a header section",
            [frame(HEADERS, END_STREAM, 1, &get("/")), request(3, "/")].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
    ]
}

fn streams() -> Vec<Case> {
    let reset = || frame(RST_STREAM, 0, 1, &[0, 0, 0, 8]);
    let mut crowd = Vec::new();
    for stream in 0..101 {
        crowd.extend(request(2 * stream + 1, "/never"));
    }
    vec![
        Case(
            "5.1 idle: DATA",
            frame(DATA, END_STREAM, 1, b"x"),
            Then::Connection(&[PROTOCOL, STREAM_CLOSED]),
        ),
        Case("5.1 idle: RST_STREAM", reset(), Then::Connection(&[PROTOCOL])),
        Case(
            "5.1 idle: WINDOW_UPDATE",
            frame(WINDOW_UPDATE, 0, 1, &[0, 0, 0, 9]),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "5.1 idle: CONTINUATION",
            frame(CONTINUATION, END_HEADERS, 1, &get("/")),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "5.1 half-closed (remote): DATA",
            [request(1, "/never"), frame(DATA, END_STREAM, 1, b"x")].concat(),
            Then::Stream(&[STREAM_CLOSED, PROTOCOL]),
        ),
        Case(
            "5.1 half-closed (remote): HEADERS",
            [request(1, "/never"), request(1, "/never")].concat(),
            Then::Stream(&[STREAM_CLOSED, PROTOCOL]),
        ),
        Case(
            "5.1 half-closed (remote): CONTINUATION",
            [request(1, "/never"), frame(CONTINUATION, END_HEADERS, 1, &get("/"))].concat(),
            Then::Connection(&[STREAM_CLOSED, PROTOCOL]),
        ),
        Case(
            "5.1 closed: CONTINUATION",
            [request(1, "/never"), reset(), frame(CONTINUATION, END_HEADERS, 1, &get("/"))].concat(),
            Then::Connection(&[STREAM_CLOSED, PROTOCOL]),
        ),
        Case("5.1.1 an even stream", request(2, "/"), Then::Connection(&[PROTOCOL])),
        Case(
            "5.1.1 a lower stream",
            [request(5, "/never"), request(3, "/never")].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
        Case("5.1.2 more streams than are allowed", crowd, Then::Stream(&[REFUSED, PROTOCOL])),
        Case(
            "5.1 closed: PRIORITY",
            [request(1, "/never"), reset(), frame(PRIORITY, 0, 1, &[0, 0, 0, 0, 1])].concat(),
            Then::Lives,
        ),
        Case("5.1 idle: PRIORITY", frame(PRIORITY, 0, 7, &[0, 0, 0, 0, 1]), Then::Lives),
        Case(
            "5.5 an extension frame within a header section",
            [frame(HEADERS, END_STREAM, 1, &get("/")), frame(0x16, 0, 0, &[0; 8])].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
    ]
}

fn frames() -> Vec<Case> {
    let padded = |kind, flags: u8, mut payload: Vec<u8>, pad| {
        payload.insert(0, pad);
        frame(kind, flags | PADDED, 1, &payload)
    };
    vec![
        Case("6.1 DATA on stream 0", frame(DATA, END_STREAM, 0, b"x"), Then::Connection(&[PROTOCOL])),
        Case(
            "6.1 padding longer than the frame",
            [post(1, &[]), padded(DATA, END_STREAM, b"four".to_vec(), 6)].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
        Case("6.2 HEADERS on stream 0", request(0, "/"), Then::Connection(&[PROTOCOL])),
        Case(
            "6.2 padding longer than the header section",
            padded(HEADERS, END_HEADERS | END_STREAM, get("/"), 255),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "6.3 PRIORITY on stream 0",
            frame(PRIORITY, 0, 0, &[0, 0, 0, 0, 1]),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "6.3 PRIORITY of four bytes",
            [request(1, "/never"), frame(PRIORITY, 0, 1, &[0, 0, 0, 0])].concat(),
            Then::Stream(FRAME_SIZE),
        ),
        Case(
            "6.4 RST_STREAM on stream 0",
            frame(RST_STREAM, 0, 0, &[0, 0, 0, 8]),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "6.4 RST_STREAM of three bytes",
            [request(1, "/never"), frame(RST_STREAM, 0, 1, &[0, 0, 0])].concat(),
            Then::Connection(FRAME_SIZE),
        ),
        Case(
            "6.5 an acknowledgement with a payload",
            frame(SETTINGS, ACK, 0, &[0; 6]),
            Then::Connection(FRAME_SIZE),
        ),
        Case(
            "6.5 SETTINGS on a stream",
            frame(SETTINGS, 0, 1, &[0, 3, 0, 0, 0, 9]),
            Then::Connection(&[PROTOCOL]),
        ),
        Case("6.5 SETTINGS of three bytes", frame(SETTINGS, 0, 0, &[0; 3]), Then::Connection(FRAME_SIZE)),
        Case("6.5.2 ENABLE_PUSH of two", setting(2, 2), Then::Connection(&[PROTOCOL])),
        Case(
            "6.5.2 INITIAL_WINDOW_SIZE of 2^31",
            setting(4, 1 << 31),
            Then::Connection(&[FLOW_CONTROL, PROTOCOL]),
        ),
        Case("6.5.2 MAX_FRAME_SIZE below 2^14", setting(5, (1 << 14) - 1), Then::Connection(&[PROTOCOL])),
        Case("6.5.2 MAX_FRAME_SIZE of 2^24", setting(5, 1 << 24), Then::Connection(&[PROTOCOL])),
        Case("6.5.2 ENABLE_PUSH of zero", setting(2, 0), Then::Lives),
        Case("6.5.2 a table of no bytes", setting(1, 0), Then::Lives),
        Case(
            "6.5.3 settings are acknowledged and the last of two counts",
            [setting(3, 1), setting(3, 9)].concat(),
            Then::Lives,
        ),
        Case("6.5.2 an unknown setting is ignored", setting(0xff, 1), Then::Lives),
        Case("6.7 an acknowledgement is not answered", frame(PING, ACK, 0, &[0; 8]), Then::Lives),
        Case("6.7 PING on a stream", frame(PING, 0, 1, &[0; 8]), Then::Connection(&[PROTOCOL])),
        Case("6.7 PING of six bytes", frame(PING, 0, 0, &[0; 6]), Then::Connection(FRAME_SIZE)),
        Case("6.8 GOAWAY on a stream", frame(GOAWAY, 0, 1, &[0; 8]), Then::Connection(&[PROTOCOL])),
        Case("6.9 an increment of zero", frame(WINDOW_UPDATE, 0, 0, &[0; 4]), Then::Connection(&[PROTOCOL])),
        Case(
            "6.9 an increment of zero for a stream",
            [request(1, "/never"), frame(WINDOW_UPDATE, 0, 1, &[0; 4])].concat(),
            Then::Stream(&[PROTOCOL]),
        ),
        Case(
            "6.9 WINDOW_UPDATE of three bytes",
            frame(WINDOW_UPDATE, 0, 0, &[0, 0, 9]),
            Then::Connection(FRAME_SIZE),
        ),
        Case(
            "6.9.1 a window beyond 2^31-1",
            [[127, 255, 255, 255]; 2].map(|most| frame(WINDOW_UPDATE, 0, 0, &most)).concat(),
            Then::Connection(&[FLOW_CONTROL]),
        ),
        Case(
            "6.9.1 a stream's window beyond 2^31-1",
            [
                request(1, "/never"),
                [[127, 255, 255, 255]; 2].map(|most| frame(WINDOW_UPDATE, 0, 1, &most)).concat(),
            ]
            .concat(),
            Then::Stream(&[FLOW_CONTROL]),
        ),
        Case(
            "6.10 CONTINUATION after the end of the header section",
            [request(1, "/never"), frame(CONTINUATION, END_HEADERS, 1, &get("/"))].concat(),
            Then::Connection(&[PROTOCOL, STREAM_CLOSED]),
        ),
        Case(
            "6.10 CONTINUATION on stream 0",
            [frame(HEADERS, END_STREAM, 1, &get("/")), frame(CONTINUATION, END_HEADERS, 0, &[])].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "6.10 DATA instead of CONTINUATION",
            [frame(HEADERS, 0, 1, &get("/")), frame(DATA, END_STREAM, 1, b"x")].concat(),
            Then::Connection(&[PROTOCOL]),
        ),
        Case(
            "8.4 a client's PUSH_PROMISE",
            [
                request(1, "/never"),
                frame(PUSH_PROMISE, END_HEADERS, 1, &[&[0, 0, 0, 2][..], &get("/")].concat()),
            ]
            .concat(),
            Then::Connection(&[PROTOCOL]),
        ),
    ]
}

fn messages() -> Vec<Case> {
    const METHOD: (&str, &str) = (":method", "GET");
    const SCHEME: (&str, &str) = (":scheme", "http");
    const AUTHORITY: (&str, &str) = (":authority", "localhost");
    const PATH: (&str, &str) = (":path", "/never");
    let malformed = |name, bytes| Case(name, bytes, Then::Stream(&[PROTOCOL]));
    vec![
        malformed("8.1 a second header section that ends nothing", [post(1, &[]), post(1, &[])].concat()),
        Case(
            "8.1 pseudo-fields in trailers: h2 drops them, where it should reset the stream",
            [post(1, &[]), frame(HEADERS, END_HEADERS | END_STREAM, 1, &section(&[PATH]))].concat(),
            Then::Lives,
        ),
        malformed(
            "8.1.1 less than content-length",
            [post(1, &[("content-length", "2")]), frame(DATA, END_STREAM, 1, b"x")].concat(),
        ),
        malformed(
            "8.1.1 more than content-length",
            [post(1, &[("content-length", "1")]), frame(DATA, 0, 1, b"x"), frame(DATA, END_STREAM, 1, b"x")]
                .concat(),
        ),
        malformed("8.2.1 an upper-case name", get_with("X-Loud", "x")),
        malformed("8.2.2 connection", get_with("connection", "keep-alive")),
        malformed("8.2.2 te other than trailers", get_with("te", "trailers, deflate")),
        malformed(
            "8.3 an unknown pseudo-field",
            with_fields(&[METHOD, SCHEME, AUTHORITY, PATH, (":test", "x")]),
        ),
        malformed(
            "8.3 a response's pseudo-field",
            with_fields(&[METHOD, SCHEME, AUTHORITY, PATH, (":status", "200")]),
        ),
        malformed(
            "8.3 a pseudo-field behind a field",
            with_fields(&[METHOD, SCHEME, AUTHORITY, ("x", "y"), PATH]),
        ),
        malformed("8.3.1 an empty path", with_fields(&[METHOD, SCHEME, AUTHORITY, (":path", "")])),
        malformed("8.3.1 no method", with_fields(&[SCHEME, AUTHORITY, PATH])),
        malformed("8.3.1 no scheme", with_fields(&[METHOD, AUTHORITY, PATH])),
        malformed("8.3.1 no path", with_fields(&[METHOD, SCHEME, AUTHORITY])),
        malformed("8.3.1 two methods", with_fields(&[METHOD, METHOD, SCHEME, AUTHORITY, PATH])),
        malformed("8.3.1 two schemes", with_fields(&[METHOD, SCHEME, SCHEME, AUTHORITY, PATH])),
        malformed("8.2.2 keep-alive", get_with("keep-alive", "timeout=9")),
        malformed("8.2.2 proxy-connection", get_with("proxy-connection", "keep-alive")),
        malformed("8.2.1 a value that ends in a space's place: CR", get_with("x", "y\r")),
        malformed("8.3.1 two authorities", with_fields(&[METHOD, SCHEME, AUTHORITY, AUTHORITY, PATH])),
        malformed("8.3.1 two paths", with_fields(&[METHOD, SCHEME, AUTHORITY, PATH, PATH])),
    ]
}

fn downgrades() -> Vec<Case> {
    let malformed = |name, bytes| Case(name, bytes, Then::Stream(&[PROTOCOL]));
    let path = |path| {
        with_fields(&[(":method", "GET"), (":scheme", "http"), (":authority", "localhost"), (":path", path)])
    };
    vec![
        malformed("CR LF in a value", get_with("x-split", "a\r\nhost: evil")),
        malformed("LF in a value", get_with("x-split", "a\nb")),
        malformed("NUL in a value", get_with("x-split", "a\0b")),
        malformed("a colon in a name", get_with("x-split: a", "b")),
        malformed("a space in a name", get_with("x split", "b")),
        malformed("CR LF in a name", get_with("x\r\nhost", "b")),
        malformed("transfer-encoding", get_with("transfer-encoding", "chunked")),
        malformed("upgrade", get_with("upgrade", "h2c")),
        malformed("a space in the path", path("/a HTTP/1.1")),
        malformed("CR LF in the path", path("/a\r\nx: y")),
        malformed(
            "CR LF in the method",
            with_fields(&[
                (":method", "GET / HTTP/1.1\r\nx: y"),
                (":scheme", "http"),
                (":authority", "localhost"),
                (":path", "/"),
            ]),
        ),
        malformed(
            "CR LF in the authority",
            with_fields(&[
                (":method", "GET"),
                (":scheme", "http"),
                (":authority", "localhost\r\nx: y"),
                (":path", "/"),
            ]),
        ),
    ]
}

/// What works, works: header sections in many frames, padding, windows of one byte. Panics where it does not.
pub fn lawful_requests_are_answered(connect: &dyn Fn() -> Wire) {
    let whole = get("/");
    let shreds = {
        let (first, rest) = whole.split_at(3);
        let (second, third) = rest.split_at(5);
        [
            frame(HEADERS, END_STREAM, 1, first),
            frame(CONTINUATION, 0, 1, second),
            frame(CONTINUATION, END_HEADERS, 1, third),
        ]
        .concat()
    };
    let padded = {
        let payload = [&[4, 0, 0, 0, 0, 15][..], &whole, &[0; 4]].concat();
        frame(HEADERS, END_HEADERS | END_STREAM | PADDED | WITH_PRIORITY, 1, &payload)
    };
    for bytes in [shreds, padded, request(1, "/"), request(5, "/")] {
        let mut wire = connect().begin(&[]);
        wire.send(&bytes);
        assert_eq!(body(&mut wire), GREETING);
    }
    assert!(connect().begin(&[]).lives(), "6.7 a ping is answered with its own bytes");
}

/// §6.9. Panics where a window is not kept to.
pub fn windows_are_kept_to_the_byte(connect: &dyn Fn() -> Wire) {
    let mut wire = connect().begin(&[(4, 1)]);
    wire.send(&request(1, "/"));
    assert_eq!(body(&mut wire), &GREETING[..1]);
    // A larger initial window is given to streams that are open (§6.9.2).
    wire.send(&setting(4, 3));
    assert_eq!(body(&mut wire), &GREETING[1..3]);
    wire.send(&frame(WINDOW_UPDATE, 0, 1, &[0, 0, 1, 0]));
    assert_eq!(body(&mut wire), &GREETING[3..]);
}

/// The next frame of a body.
fn body(wire: &mut Wire) -> Vec<u8> {
    wire.until(|frame| frame.kind == DATA).expect("an answer").payload
}
