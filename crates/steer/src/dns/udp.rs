//! Datagrams.

use super::{Server, Transport};
use std::rc::Rc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// The largest question that is read: what is longer is no question of ours.
const MOST: usize = 1_232;
/// After a socket's error that is not one packet's.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn serve(server: Rc<Server>, socket: UdpSocket) {
    let mut message = [0_u8; MOST];
    loop {
        match socket.recv_from(&mut message).await {
            Ok((length, peer)) => {
                if let Some(answer) = server.answer(&message[..length], peer.ip(), Transport::Udp) {
                    // A full buffer, or a peer that is gone: it asks again.
                    let _ = socket.try_send_to(&answer, peer);
                }
            }
            Err(error) => {
                tracing::debug!(%error, "udp");
                sleep(PAUSE).await;
            }
        }
    }
}
