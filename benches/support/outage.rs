//! The origin is gone: what the edge holds goes on, and what it lacks is refused soon and in so many words.

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::load::{Connection, Head, Question, SMALL, Target};
use crate::options::Options;
use crate::peers::{Kind, Peer, Setup};
use crate::statistics::Spread;
use crate::tls::Certificate;
use crate::upstream::{self, Upstream};
use anyhow::{Context, Result, ensure};
use socket2::{Domain, Socket, Type};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// Objects the edge holds when the origin dies.
const HELD: usize = 50;
const SEGMENT: usize = 1_100_000;
/// The edge's default for `connect_timeout`.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// What a timer, a loopback connection and a busy machine may add.
const SLACK: Duration = Duration::from_millis(100);
/// Beyond this the edge does not answer at all.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
const ROUNDS: usize = 3;

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let upstream = Upstream::start()?;
    let origin = upstream.address();
    let certificate = Certificate::issue(workplace.path())?;
    let peer =
        Kind::Airclass.start(Setup::Full, options, &upstream, &certificate, workplace.directory("peer-")?)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    ensure!(runtime.block_on(held(&peer))? == HELD, "the edge cannot be filled");

    eprintln!("bench: the origin is killed");
    drop(upstream);
    let goes_on = runtime.block_on(held(&peer))?;
    let refused = refusals(&peer, "killed")?;

    eprintln!("bench: the origin's address swallows connections");
    let hole = Hole::dig(origin)?;
    let goes_on_still = runtime.block_on(held(&peer))?;
    let swallowed = refusals(&peer, "swallowed")?;
    drop(hole);

    let bar = Some(Bar::AtMost((CONNECT_TIMEOUT + SLACK).as_secs_f64() * 1e3));
    let all = Some(Bar::Exactly(HELD as f64));
    Ok(vec![
        Line::once("origin killed: held objects still served whole", "objects", goes_on as f64, all),
        Line::ours("origin killed: 504 for what is not held", "ms", refused, bar)
            .note("each with Cache-Status and Retry-After"),
        Line::once(
            "origin unreachable: held objects still served whole",
            "objects",
            goes_on_still as f64,
            all,
        ),
        Line::ours("origin unreachable: 504 for what is not held", "ms", swallowed, bar).note(format!(
            "connections are swallowed, so this is the connect time-out of {CONNECT_TIMEOUT:?} itself"
        )),
    ])
}

/// Asks for every held object and compares all bytes. How many came.
async fn held(peer: &Peer) -> Result<usize> {
    let mut came = 0;
    for number in 0..HELD {
        let question = Question::whole(SEGMENT, &format!("held-{number}.m4s"));
        let mut connection = Connection::open(&Target::plain(peer.plain), SMALL).await?;
        came += usize::from(connection.ask_and_compare(&question).await.is_ok());
    }
    Ok(came)
}

/// How long it takes, in ms, to be told that an object is not to be had.
fn refusals(peer: &Peer, name: &str) -> Result<Spread> {
    let rounds = (0..ROUNDS).map(|round| {
        let began = clock::now();
        let head = ask(peer.plain, &upstream::path(SEGMENT, &format!("{name}-{round}.m4s")))?;
        let milliseconds = began.elapsed().as_secs_f64() * 1e3;
        ensure!(head.status == 504, "answered {} instead of 504", head.status);
        for field in ["cache-status", "retry-after"] {
            ensure!(head.field(field).is_some(), "the 504 has no {field}");
        }
        Ok(milliseconds)
    });
    Spread::of(&rounds.collect::<Result<Vec<_>>>()?).context("there is a round")
}

/// Asks once, on a connection of its own.
fn ask(address: SocketAddr, path: &str) -> Result<Head> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(ANSWER_WITHIN))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").as_bytes())?;
    let mut known = Vec::new();
    loop {
        let mut piece = [0; 1_024];
        let read = stream.read(&mut piece).with_context(|| format!("no answer within {ANSWER_WITHIN:?}"))?;
        ensure!(read > 0, "closed without an answer");
        known.extend_from_slice(&piece[..read]);
        if let Some(head) = Head::parse(&known)? {
            return Ok(head);
        }
    }
}

/// A listener that accepts nothing and whose queue is full: the kernel drops every further SYN, as a firewall or a dead
/// machine does.
struct Hole {
    _listener: Socket,
    _queue: Vec<Socket>,
}

/// More than a queue of length zero holds.
const FILL: usize = 4;

impl Hole {
    fn dig(address: SocketAddr) -> Result<Self> {
        let listener = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        listener.set_reuse_address(true)?;
        listener.bind(&address.into()).context("the dead origin's address is taken")?;
        listener.listen(0)?;
        let queue = (0..FILL).map(|_| {
            let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            // In progress, for ever.
            let _ = socket.connect(&address.into());
            Ok(socket)
        });
        let queue = queue.collect::<std::io::Result<_>>()?;
        Ok(Self { _listener: listener, _queue: queue })
    }
}
