//! RangeAmp: a few bytes asked of the edge, for which it asks the origin for many.

use super::edge::{Edge, Home};
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use anyhow::{Context, Result};
use journeys::raw::{Heard, Loose};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// What an origin has that cuts parts.
const LARGE: usize = 1 << 30;
/// What one has that gives all of it whatever is asked for.
const WHOLE: usize = 20_000_000;
/// What is kept whole, whatever is wanted of it.
const SHORT: usize = 1_000_000;
/// Longer than [`WHOLE`], as much as the edge's memory takes of one.
const LONG: usize = 100_000_000;
/// Of what is longer no more is made: nobody's memory holds a gigabyte for each question.
const MOST_MADE: usize = LONG;
/// Blocks that a question for one byte or two may cost.
const MOST: f64 = 2.0;
/// Who is given all of it leaves after so much.
const ENOUGH: u64 = 1 << 20;
/// So long nothing must come for a question to be over.
const STILL: Duration = Duration::from_millis(500);
/// Nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(20);
/// What the origin's kernel holds of what has been sent and not taken: little, for it counts as taken.
const SENT_AHEAD: usize = 16 * 1_024;
/// What the asker's kernel takes that it has not read.
const GIVEN_AHEAD: usize = 16 * 1_024;
/// Who ask at once, or one after the other.
const CROWD: usize = 100;

struct Shape {
    what: &'static str,
    method: &'static str,
    fields: &'static str,
    /// The origin's manner, by its words in the target.
    origin: &'static str,
    asked: Asked,
}

/// How a shape's question is put.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Asked {
    Once,
    /// By one who does not wait for the answer.
    AndLeft,
    /// By [`CROWD`] at once: what it costs is all of theirs.
    AtOnce,
    /// So many times, one after the other: what it costs is each one's.
    AgainAndAgain,
    /// The same of another URL each time.
    OfOthers,
    /// Of each of those twice.
    OfOthersTwice,
}

const fn shape(what: &'static str, fields: &'static str, origin: &'static str) -> Shape {
    Shape { what, method: "GET", fields, origin, asked: Asked::Once }
}

const fn first_byte(what: &'static str, origin: &'static str, asked: Asked) -> Shape {
    Shape { asked, ..shape(what, FIRST_BYTE, origin) }
}

const FIRST_BYTE: &str = "Range: bytes=0-0\r\n";

const SHAPES: &[Shape] = &[
    shape("the first byte", FIRST_BYTE, ""),
    shape("the last byte", "Range: bytes=-1\r\n", ""),
    shape("two bytes across a border", "Range: bytes=262143-262144\r\n", ""),
    shape("a byte of what it was", "Range: bytes=0-0\r\nIf-Range: \"1\"\r\n", ""),
    shape("a byte of an object without a validator", FIRST_BYTE, "no-validator"),
    Shape { method: "HEAD", ..shape("HEAD for a byte", FIRST_BYTE, "") },
    first_byte("a byte that is not waited for", "", Asked::AndLeft),
    first_byte("a byte for a hundred at once", "", Asked::AtOnce),
    first_byte("a byte a hundred times", "", Asked::AgainAndAgain),
    first_byte("a byte of a hundred URLs", "", Asked::OfOthers),
    first_byte("a byte of an origin that ignores Range", "whole", Asked::Once),
    first_byte("a byte of 1 MB of an origin that ignores Range", "whole,short", Asked::Once),
    first_byte("a byte of 100 MB of an origin that ignores Range", "whole,long", Asked::Once),
    first_byte(
        "a byte of an origin that ignores Range and has no validator",
        "whole,no-validator",
        Asked::Once,
    ),
    Shape { method: "HEAD", ..shape("HEAD for a byte of an origin that ignores Range", FIRST_BYTE, "whole") },
    first_byte("a byte of an origin that ignores Range, not waited for", "whole", Asked::AndLeft),
    first_byte("a byte of an origin that ignores Range, for a hundred at once", "whole", Asked::AtOnce),
    first_byte("a byte of an origin that ignores Range, a hundred times", "whole", Asked::AgainAndAgain),
    first_byte("a byte of a hundred URLs of an origin that ignores Range", "whole", Asked::OfOthers),
    first_byte(
        "a byte of a hundred URLs of 1 MB of an origin that ignores Range, twice each",
        "whole,short",
        Asked::OfOthersTwice,
    ),
    Shape {
        asked: Asked::OfOthersTwice,
        ..shape(
            "a byte behind 400 kB of a hundred URLs of an origin that ignores Range, twice each",
            "Range: bytes=400000-400000\r\n",
            "whole",
        )
    },
    Shape {
        asked: Asked::OfOthersTwice,
        ..shape(
            "the last byte of a hundred URLs of an origin that ignores Range, twice each",
            "Range: bytes=-1\r\n",
            "whole",
        )
    },
];

/// What may cost more, for information: who is answered with the whole costs what one who asks for that does.
const DEARER: &[Shape] = &[
    shape("the first byte and the last, answered with the whole", "Range: bytes=0-0,-1\r\n", ""),
    first_byte(
        "a byte of a gigabyte of an origin that ignores Range, answered with the whole",
        "whole,large",
        Asked::Once,
    ),
    first_byte(
        "a byte of an origin that ignores Range and says no length, answered with the whole",
        "whole,chunked",
        Asked::Once,
    ),
    shape(
        "the last byte of 20 MB of an origin that ignores Range, answered with the whole",
        "Range: bytes=-1\r\n",
        "whole",
    ),
];

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let home = Home::new(options, workplace)?;
    let origin = Loose::on(listener()?, answer);
    let edge = home.start_before(origin.address, &["--ram", "1GiB"])?;
    let mut worst = (0.0, "");
    let mut number = 0;
    let mut ask = |shape: &Shape| {
        number += 1;
        let blocks = cost(&edge, &origin, home.ports.plain, shape, number).context(shape.what)?;
        eprintln!("bench: {}: {blocks:.2} blocks", shape.what);
        anyhow::Ok(blocks)
    };
    for shape in SHAPES {
        let blocks = ask(shape)?;
        if blocks >= worst.0 {
            worst = (blocks, shape.what);
        }
    }
    let line = Line::once(
        format!("RangeAmp: most that one of {} questions costs the origin", SHAPES.len()),
        "blocks of 256 KiB",
        worst.0,
        Some(Bar::AtMost(MOST)),
    );
    let note = format!(
        "of an object of 1 GiB, or of 20 MB where Range is ignored and nothing else is said; the most costs {}",
        worst.1
    );
    let mut lines = vec![line.note(note)];
    for shape in DEARER {
        lines.push(Line::once(format!("RangeAmp: {}", shape.what), "blocks of 256 KiB", ask(shape)?, None));
    }
    Ok(lines)
}

/// The origin's, which counts what the edge's kernel has taken, and little more.
fn listener() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_send_buffer_size(SENT_AHEAD)?;
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())?;
    socket.listen(128)?;
    Ok(socket.into())
}

/// What the origin sends for it beyond what the client takes, in blocks.
fn cost(edge: &Edge<'_>, origin: &Loose, address: SocketAddr, shape: &Shape, number: usize) -> Result<f64> {
    // What an edge reads and does not keep is no fill; what it has not read yet has been sent as well.
    let taken = || edge.metric("edge_fill_bytes_total").map(|filled| (filled, origin.sent() as f64));
    let before = taken()?;
    let askers = match shape.asked {
        Asked::AgainAndAgain | Asked::OfOthers => CROWD,
        Asked::OfOthersTwice => 2 * CROWD,
        Asked::Once | Asked::AndLeft | Asked::AtOnce => 1,
    };
    let given = match shape.asked {
        Asked::Once | Asked::AndLeft => ask(address, shape, &number.to_string())?,
        Asked::AtOnce => std::thread::scope(|scope| {
            let one = || scope.spawn(|| ask(address, shape, &number.to_string()));
            let crowd: Vec<_> = (0..CROWD).map(|_| one()).collect();
            crowd.into_iter().map(|asker| asker.join().expect("an asker does not panic")).sum::<Result<u64>>()
        })?,
        Asked::AgainAndAgain => {
            (0..CROWD).map(|_| ask(address, shape, &number.to_string())).sum::<Result<_>>()?
        }
        Asked::OfOthers | Asked::OfOthersTwice => (0..askers)
            .map(|other| ask(address, shape, &format!("{number}-{}", other % CROWD)))
            .sum::<Result<_>>()?,
    };
    let (mut last, mut since) = (taken()?, clock::now());
    while since.elapsed() < STILL {
        clock::pause(STILL / 10);
        let now = taken()?;
        if now != last {
            (last, since) = (now, clock::now());
        }
    }
    let cost = (last.0 - before.0).max(last.1 - before.1) - given as f64;
    Ok(cost.max(0.0) / askers as f64 / diskstore::BLOCK as f64)
}

/// Puts a shape's question once, of an object of this name. Gives the bytes that have come.
fn ask(address: SocketAddr, shape: &Shape, name: &str) -> Result<u64> {
    let Shape { method, fields, origin: manner, asked, .. } = shape;
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    // So that the edge has sent what is given, and little more.
    socket.set_recv_buffer_size(GIVEN_AHEAD)?;
    socket.connect(&address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} /{name}?{manner} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
    )?;
    if *asked == Asked::AndLeft {
        return Ok(0);
    }
    Ok(std::io::copy(&mut stream.take(ENOUGH), &mut std::io::sink())?)
}

/// The origin. Its bytes are all alike: what is counted is how many.
fn answer(heard: &Heard) -> Vec<u8> {
    let says = |word| heard.target.contains(word);
    let size = match says("whole") {
        true if says("short") => SHORT,
        true if says("long") => LONG,
        true if !says("large") => WHOLE,
        _ => LARGE,
    };
    let mut head = "Cache-Control: max-age=600\r\n".to_owned();
    if !says("no-validator") {
        head.push_str("ETag: \"1\"\r\n");
    }
    let (status, length) = match part(heard) {
        Some((first, last)) => {
            head.push_str(&format!("Content-Range: bytes {first}-{last}/{size}\r\n"));
            (206, last - first + 1)
        }
        None => (200, size),
    };
    // Who asks for the whole gigabyte gets its beginning and no more.
    let body = if heard.method == "HEAD" { 0 } else { length.min(MOST_MADE) };
    let body = vec![b'x'; body];
    if says("chunked") {
        let head =
            format!("HTTP/1.1 {status} OK\r\n{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n", body.len());
        return [head.into_bytes(), body, b"\r\n0\r\n\r\n".to_vec()].concat();
    }
    let head = format!("HTTP/1.1 {status} OK\r\n{head}Content-Length: {length}\r\n\r\n");
    [head.into_bytes(), body].concat()
}

/// The part that the origin answers with, if it is one.
fn part(heard: &Heard) -> Option<(usize, usize)> {
    let ranges = heard.values("range");
    let range = ranges.first().filter(|_| heard.method == "GET" && !heard.target.contains("whole"))?;
    part_in(range, LARGE)
}

/// First and last byte of a part that is asked for by Range.
fn part_in(range: &str, size: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    match (first.parse::<usize>(), last.parse::<usize>()) {
        (Ok(first), Ok(last)) => Some((first, last.min(size - 1))),
        (Ok(first), Err(_)) => Some((first, size - 1)),
        (Err(_), Ok(length)) => Some((size.saturating_sub(length), size - 1)),
        (Err(_), Err(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_both_ends_are_cut() {
        assert_eq!(part_in("bytes=0-0", 10), Some((0, 0)));
        assert_eq!(part_in("bytes=3-", 10), Some((3, 9)));
        assert_eq!(part_in("bytes=-2", 10), Some((8, 9)));
        assert_eq!(part_in("bytes=5-50", 10), Some((5, 9)));
        assert_eq!(part_in("bytes=x", 10), None);
    }
}
