//! What the machine itself can do: the same bytes handed to as many waiting clients by bare threads, one a core, each a
//! plain loop of `write`. No server that makes system calls is faster; the figure says how much of ours is the kernel.

use super::ORIGIN_TAKES;
use super::crowd::Crowd;
use crate::clock;
use crate::line::Line;
use crate::payload;
use crate::statistics::{Spread, percentile};
use anyhow::{Context, Result};
use socket2::SockRef;
use std::io::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Barrier;

/// Threads that write, as many as the edge has cores here.
const WRITERS: usize = 2;
/// What the edge's first write to a follower carries behind the head: a page. Hardly more than nothing: with 300 bytes instead,
/// two threads needed as long for 9,500 sockets that have lain idle (33 to 44 ms by their median), with 15 kB 60 to 67.
const BODY: usize = 4_096;

/// Both ends are in this process, which has 20,000 descriptors, some of them for the watch.
const MOST: usize = 9_500;

pub(super) fn measure(herds: &[usize], rounds: usize) -> Result<Vec<Line>> {
    let lines = herds.iter().map(|&count| measure_herd(count.min(MOST), rounds));
    Ok(lines.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
}

fn measure_herd(count: usize, rounds: usize) -> Result<[Line; 2]> {
    let rounds = (0..rounds).map(|_| round(count)).collect::<Result<Vec<_>>>()?;
    let line = |unit, of: fn(&Delays) -> f64| -> Result<Line> {
        let figures: Vec<_> = rounds.iter().map(of).collect();
        let what = format!("{count} sockets written by bare threads: first byte after the first");
        Ok(Line::ours(what, unit, Spread::of(&figures).context("there is a round")?, None)
            .note("what this machine's kernel needs by itself"))
    };
    Ok([line("ms, median", |delays| delays.median)?, line("ms, p99", |delays| delays.p99)?])
}

/// After the first of all, in ms.
struct Delays {
    median: f64,
    p99: f64,
}

fn round(count: usize) -> Result<Delays> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address: SocketAddr = listener.local_addr()?;
    let accepting = std::thread::spawn(move || accept(&listener, count));
    let mut crowd = Crowd::open(address, count)?;
    let mut streams = accepting.join().map_err(|_| anyhow::anyhow!("accepting panicked"))??;
    crowd.ask(0..count, "/")?;
    clock::pause(ORIGIN_TAKES);
    let body = payload::of(BODY);
    let answer = [format!("HTTP/1.1 200 OK\r\ncontent-length: {BODY}\r\n\r\n").as_bytes(), &body].concat();
    let watch = crowd.watch()?;
    let begin = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for share in streams.chunks_mut(count.div_ceil(WRITERS)) {
            scope.spawn(|| {
                begin.wait();
                write_all(share, &answer);
            });
        }
    });
    let first = watch.end()?;
    let mut at: Vec<_> = first.values().copied().collect();
    crowd.take(&first, BODY, None, false)?;
    at.sort_unstable();
    let first = at.first().copied().unwrap_or_default();
    let after = |percent| (percentile(&at, percent).unwrap_or_default() - first).as_secs_f64() * 1e3;
    Ok(Delays { median: after(50.0), p99: after(99.0) })
}

fn accept(listener: &TcpListener, count: usize) -> std::io::Result<Vec<TcpStream>> {
    let one = |_| {
        let (stream, _) = listener.accept()?;
        // A write never waits for its client.
        SockRef::from(&stream).set_send_buffer_size(4 * BODY)?;
        Ok(stream)
    };
    (0..count).map(one).collect()
}

fn write_all(streams: &mut [TcpStream], answer: &[u8]) {
    for stream in streams {
        // A client that is gone is missed when the answers are read.
        let _ = stream.write_all(answer);
    }
}
