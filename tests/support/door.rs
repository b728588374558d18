//! A way to a server that can be shut: who comes then is turned away, who is inside is thrown out.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// The door, open at first.
#[derive(Debug)]
pub struct Door {
    /// Where it stands.
    pub address: SocketAddr,
    open: watch::Sender<bool>,
    turned_away: Arc<AtomicU32>,
    /// May be known later than the door.
    to: Arc<OnceLock<SocketAddr>>,
}

impl Door {
    /// One in front of `server`, kept by the runtime that this is called on.
    pub async fn before(server: SocketAddr) -> Self {
        let door = Self::to_nowhere().await;
        door.lead_to(server);
        door
    }

    /// One that nobody may pass before [`Self::lead_to`].
    pub async fn to_nowhere() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (open, turned_away, to) = (watch::Sender::new(true), Arc::default(), Arc::default());
        tokio::spawn(keep(listener, open.subscribe(), Arc::clone(&turned_away), Arc::clone(&to)));
        Self { address, open, turned_away, to }
    }

    /// Says where it leads. Once.
    pub fn lead_to(&self, server: SocketAddr) {
        self.to.set(server).expect("a door leads to one server");
    }

    /// Opens or shuts it.
    pub fn set_open(&self, open: bool) {
        self.open.send_replace(open);
    }

    /// How many have been.
    pub fn turned_away(&self) -> u32 {
        self.turned_away.load(Ordering::Relaxed)
    }
}

async fn keep(
    listener: TcpListener,
    open: watch::Receiver<bool>,
    turned_away: Arc<AtomicU32>,
    to: Arc<OnceLock<SocketAddr>>,
) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a descriptor");
        if !*open.borrow() {
            turned_away.fetch_add(1, Ordering::Relaxed);
            continue;
        }
        let (to, mut open) = (*to.get().expect("known by now"), open.clone());
        tokio::spawn(async move {
            let mut server = TcpStream::connect(to).await.expect("the server listens");
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut stream, &mut server) => {}
                _ = open.wait_for(|open| !open) => {}
            }
        });
    }
}
