//! Readers of one byte a second, in thousands, plain and encrypted, from a process of their own.

use crate::client::Certificate;
use std::io::{BufRead, BufReader, ErrorKind, Result, Write};
use std::net::SocketAddr;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::{JoinSet, LocalSet};

/// Handshakes at the same time: fewer than a listening socket's queue holds.
const AT_ONCE: usize = 250;

/// The readers' process; it ends when this is dropped.
#[derive(Debug)]
pub struct Readers {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Readers {
    /// Starts `command`, which is to follow a [`Plan`].
    pub fn start(mut command: Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().expect("a program starts itself");
        let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        Self { child, lines }
    }

    /// Waits for a line with the same first word, and sees that it is this one.
    pub fn wait_for(&mut self, line: &str) {
        let word = line.split(' ').next();
        let said = self.lines.by_ref().map_while(Result::ok).find(|said| said.split(' ').next() == word);
        assert_eq!(said.as_deref(), Some(line), "the readers say something else, or have ended");
    }
}

impl Drop for Readers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a process of readers has to do.
pub struct Plan {
    /// Every other reader asks here.
    pub plain: SocketAddr,
    /// The others.
    pub tls: SocketAddr,
    /// How many.
    pub count: usize,
    /// What is shown there.
    pub certificate: Certificate,
    /// What each of them asks for.
    pub path: fn(usize) -> String,
}

impl Plan {
    /// Asks, says `asked` and how many have the beginning of an answer, and reads a byte a second of each, saying `read`, until
    /// all were let go.
    pub fn follow(self) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        LocalSet::new().block_on(&runtime, self.read());
    }

    async fn read(self) {
        let mut streams = self.open().await;
        let mut began = Vec::with_capacity(streams.len());
        for mut stream in streams.drain(..) {
            if stream.read_u8().await.is_ok() {
                began.push(stream);
            }
        }
        say(&format!("asked {}", began.len()));
        let mut seconds = tokio::time::interval(Duration::from_secs(1));
        while !began.is_empty() {
            seconds.tick().await;
            began.retain(|stream| match stream.try_read(&mut [0]) {
                Ok(read) => read > 0,
                Err(error) => error.kind() == ErrorKind::WouldBlock,
            });
            say("read");
        }
    }

    /// Those who could ask.
    async fn open(self) -> Vec<TcpStream> {
        let Self { plain, tls, count, certificate, path } = self;
        let (certificate, mut opening) = (Rc::new(certificate), JoinSet::new());
        let mut streams = Vec::with_capacity(count);
        for number in 0..count {
            if opening.len() >= AT_ONCE {
                streams.extend(opening.join_next().await);
            }
            let certificate = Rc::clone(&certificate);
            opening.spawn_local(async move {
                let ask = format!("GET {} HTTP/1.1\r\nHost: a\r\n\r\n", path(number));
                if number % 2 == 0 {
                    let mut stream = connect(plain).await?;
                    stream.write_all(ask.as_bytes()).await?;
                    return Ok(stream);
                }
                let mut stream = certificate.encrypt(connect(tls).await?).await?;
                stream.write_all(ask.as_bytes()).await?;
                // From here on it is bytes.
                Ok(stream.into_inner().0)
            });
        }
        while let Some(stream) = opening.join_next().await {
            streams.push(stream);
        }
        streams
            .into_iter()
            .filter_map(|asked: std::result::Result<Result<_>, _>| asked.expect("a reader").ok())
            .collect()
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    // What the readers' side of the kernel holds is not what is measured.
    socket.set_recv_buffer_size(4_096)?;
    socket.connect(address).await
}

/// On a line of its own, which a test's own output does not share.
fn say(word: &str) {
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(format!("\n{word}\n").as_bytes()).and_then(|()| stdout.flush());
}
