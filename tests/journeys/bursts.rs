//! Attack 66: three thousand connections within a moment, again and again.

use journeys::raw::Loose;
use journeys::{Airclass, process};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// At once. Fewer than a listening socket's queue holds where the system allows it as many as it wants.
const BURST: usize = 3_000;
/// Seventeen make fifty thousand; so many take a few seconds.
const BURSTS: u8 = 6;
/// Descriptors of this process that are none of the burst's.
const OTHERS: usize = 1_024;
/// The longest wait. A bound, not a pace.
const PATIENCE: Duration = Duration::from_secs(300);

/// From an address of its own for each burst: their ports are not waited for.
async fn connect(from: u8, edge: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((Ipv4Addr::new(127, 0, 0, from), 0).into()).expect("an address of the loopback");
    socket.connect(edge).await.expect("the edge listens")
}

async fn all<T: Send + 'static>(
    tasks: impl Iterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    tasks.collect::<JoinSet<_>>().join_all().await
}

async fn burst(from: u8, edge: SocketAddr) {
    let streams = all((0..BURST).map(|_| connect(from, edge))).await;
    let answers = all(streams.into_iter().map(async |mut stream: TcpStream| {
        let ask = b"GET /1.m4s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        stream.write_all(ask).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.map(|_| answer)
    }))
    .await;
    let wrong: Vec<_> = answers
        .iter()
        .filter(|answer| {
            !answer
                .as_ref()
                .is_ok_and(|text| text.starts_with("HTTP/1.1 200") && text.ends_with("\r\n\r\n/1.m4s"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of burst {from}, as {:?}", wrong.len(), wrong[0]);
}

#[test]
fn attack_66_bursts_of_three_thousand_connections() {
    let most = process::most_descriptors();
    assert!(most >= BURST + OTHERS, "a process may have {most} descriptors");
    let origin = Loose::targets_for_keeps();
    // How long it takes so many to come is not what is asked here, and a busy machine puts nobody off.
    let edge = Airclass::edge(
        origin.address,
        &["--header-timeout", "10min", "--idle-timeout", "10min", "--shed", "false"],
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for from in 1..=BURSTS {
            let burst = tokio::time::timeout(PATIENCE, burst(from, edge.address()));
            burst.await.expect("it happens in time");
        }
    });
    assert_eq!(origin.targets(), ["/1.m4s"]);
}
