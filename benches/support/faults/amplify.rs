//! RangeAmp: a few bytes asked of the edge, for which it asks the origin for many.

use super::edge::{Edge, Home};
use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use anyhow::{Context, Result};
use journeys::raw::{Heard, Loose};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// What an origin has that cuts parts.
const LARGE: usize = 1 << 30;
/// What one has that gives all of it whatever is asked for: nobody's memory holds a gigabyte for each question.
const WHOLE: usize = 20_000_000;
/// Blocks that a question for one byte or two may cost.
const MOST: f64 = 2.0;
/// Who is given all of it leaves after so much.
const ENOUGH: u64 = 1 << 20;
/// So long nothing must come for a question to be over.
const STILL: Duration = Duration::from_millis(500);
/// Nobody waits longer for it.
const PATIENCE: Duration = Duration::from_secs(20);

struct Shape {
    what: &'static str,
    method: &'static str,
    fields: &'static str,
    /// The origin's manner, by its words in the target.
    origin: &'static str,
}

const fn shape(what: &'static str, fields: &'static str, origin: &'static str) -> Shape {
    Shape { what, method: "GET", fields, origin }
}

const SHAPES: [Shape; 8] = [
    shape("the first byte", "Range: bytes=0-0\r\n", ""),
    shape("the last byte", "Range: bytes=-1\r\n", ""),
    shape("two bytes across a border", "Range: bytes=262143-262144\r\n", ""),
    shape("the first byte and the last", "Range: bytes=0-0,-1\r\n", ""),
    shape("a byte of an object without a validator", "Range: bytes=0-0\r\n", "no-validator"),
    Shape { what: "HEAD for a byte", method: "HEAD", fields: "Range: bytes=0-0\r\n", origin: "" },
    shape("a byte of an origin that ignores Range", "Range: bytes=0-0\r\n", "whole"),
    shape(
        "a byte of an origin that ignores Range and has no validator",
        "Range: bytes=0-0\r\n",
        "whole,no-validator",
    ),
];

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let home = Home::new(options, workplace)?;
    let origin = Loose::start(answer);
    let edge = home.start_before(origin.address, &["--ram", "1GiB"])?;
    let mut worst = (0.0, "");
    for (number, shape) in SHAPES.iter().enumerate() {
        let blocks = cost(&edge, &origin, home.ports.plain, shape, number).context(shape.what)?;
        eprintln!("bench: {}: {blocks:.1} blocks", shape.what);
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
    Ok(vec![line.note(format!(
        "of an object of 1 GiB, or of 20 MB where Range is ignored; the most costs {}",
        worst.1
    ))])
}

/// What the edge takes from the origin for it, in blocks.
fn cost(edge: &Edge<'_>, origin: &Loose, address: SocketAddr, shape: &Shape, number: usize) -> Result<f64> {
    let taken = || edge.metric("edge_fill_bytes_total");
    let before = taken()?;
    let Shape { method, fields, origin: manner, .. } = shape;
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} /{number}?{manner} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n"
    )?;
    std::io::copy(&mut Read::by_ref(&mut stream).take(ENOUGH), &mut std::io::sink())?;
    drop(stream);
    let (mut last, mut since) = (taken()?, clock::now());
    while since.elapsed() < STILL {
        clock::pause(STILL / 10);
        let now = taken()?;
        if now != last {
            (last, since) = (now, clock::now());
        }
    }
    // What is passed on and not kept is no fill; where parts are cut, those asked for say how much it was.
    let parts: usize = origin.take().iter().filter_map(part).map(|(first, last)| last - first + 1).sum();
    Ok((last - before).max(parts as f64) / diskstore::BLOCK as f64)
}

/// The origin. Its bytes are all alike: what is counted is how many.
fn answer(heard: &Heard) -> Vec<u8> {
    let size = if heard.target.contains("whole") { WHOLE } else { LARGE };
    let mut head = "Cache-Control: max-age=600\r\n".to_owned();
    if !heard.target.contains("no-validator") {
        head.push_str("ETag: \"1\"\r\n");
    }
    let (status, length) = match part(heard) {
        Some((first, last)) => {
            head.push_str(&format!("Content-Range: bytes {first}-{last}/{size}\r\n"));
            (206, last - first + 1)
        }
        None => (200, size),
    };
    let head = format!("HTTP/1.1 {status} OK\r\n{head}Content-Length: {length}\r\n\r\n");
    // Who asks for the whole gigabyte gets its beginning and no more.
    let body = if heard.method == "HEAD" { 0 } else { length.min(WHOLE) };
    [head.into_bytes(), vec![b'x'; body]].concat()
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
