//! Messages with their lengths before them (RFC 1035 §4.2.2, RFC 7766): at most so many connections, each for so long.

use super::{Server, Transport};
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Connections at once on one core; resolvers come by TCP only when an answer was cut short.
const CONNECTIONS: usize = 1_024;
/// Between two questions, and for an answer to be taken.
const IDLE: Duration = Duration::from_secs(10);
/// Questions on one connection.
const QUESTIONS: usize = 128;
/// The largest question.
const MOST: usize = 4_096;
/// After a failed accept, as when descriptors have run out.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) async fn serve(server: Rc<Server>, listener: TcpListener) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                // Beyond that number a connection is closed at once: resolvers ask another server.
                let Ok(place) = Arc::clone(&places).try_acquire_owned() else { continue };
                let server = Rc::clone(&server);
                drop(tokio::task::spawn_local(async move {
                    let _ = connection(&server, stream, peer.ip()).await;
                    drop(place);
                }));
            }
            Err(error) => {
                tracing::warn!(%error, "accept");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn connection(server: &Server, mut stream: TcpStream, peer: IpAddr) -> std::io::Result<()> {
    let mut message = [0_u8; MOST];
    for _ in 0..QUESTIONS {
        let read = timeout(IDLE, async {
            let length = usize::from(stream.read_u16().await?);
            let Some(message) = message.get_mut(..length) else {
                return Err(std::io::ErrorKind::InvalidData.into());
            };
            stream.read_exact(message).await
        });
        let length = read.await??;
        let Some(answer) = server.answer(&message[..length], peer, Transport::Tcp) else { return Ok(()) };
        let Ok(length) = u16::try_from(answer.len()) else { return Ok(()) };
        let framed = [&length.to_be_bytes()[..], &answer].concat();
        timeout(IDLE, stream.write_all(&framed)).await??;
    }
    Ok(())
}
