//! Datagrams. Each is answered from the address that was asked: a machine may have several, as where one is of many machines (anycast),
//! and a resolver throws away what comes from another (RFC 5452 §9.1).

use super::{Server, Transport};
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};
use std::io::IoSliceMut;
use std::rc::Rc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::sleep;

/// The largest question that is read: what is longer is no question of ours.
const MOST: usize = 1_232;
/// After a socket's error that is not one packet's.
const PAUSE: Duration = Duration::from_millis(10);

pub(super) async fn serve(server: Rc<Server>, socket: UdpSocket) {
    let state = match UdpSocketState::new((&socket).into()) {
        Ok(state) => state,
        Err(error) => return tracing::error!(%error, "this core does not answer in DNS over UDP"),
    };
    // One read may bring several datagrams of one sender and one length.
    let mut buffer = vec![0_u8; MOST * state.gro_segments()];
    loop {
        let mut read = [RecvMeta::default()];
        let receive =
            || state.recv((&socket).into(), &mut [IoSliceMut::new(&mut buffer)], &mut read).map(drop);
        if let Err(error) = socket.async_io(Interest::READABLE, receive).await {
            tracing::debug!(%error, "udp");
            sleep(PAUSE).await;
            continue;
        }
        let [RecvMeta { addr: peer, len: length, stride, dst_ip: asked, .. }] = read;
        for message in buffer[..length].chunks(stride.max(1)) {
            if let Some(answer) = server.answer(message, peer.ip(), Transport::Udp) {
                let answer = Transmit {
                    destination: peer,
                    ecn: None,
                    contents: &answer,
                    segment_size: None,
                    src_ip: asked,
                };
                // A full buffer, or a peer that is gone: it asks again.
                let _ = socket.try_io(Interest::WRITABLE, || state.try_send((&socket).into(), &answer));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::desk::tests::{desk, nodes};
    use crate::dns::{Server, Sockets, Zone, limiter, name};
    use hickory_proto::op::{Message, Query};
    use hickory_proto::rr::{Name, RecordType};
    use quinn_udp::{Transmit, UdpSocketState};
    use std::sync::Arc;
    use std::time::Duration;
    use tokio::net::UdpSocket;

    /// At `0.0.0.0` and `[::]` the kernel chose whichever address the way back began at, and resolvers threw the answer away.
    #[tokio::test(flavor = "local")]
    async fn the_address_that_was_asked_is_the_one_that_answers() {
        for (all, one, client) in [("0.0.0.0:0", "127.0.0.2", "127.0.0.1:0"), ("[::]:0", "::1", "[::1]:0")] {
            let Ok(sockets) = Sockets::bind(&[all.parse().unwrap()]) else { continue };
            let port = sockets.addresses()[0].port();
            let desk = desk();
            desk.know(&nodes());
            let lessons = name("lessons.example").unwrap();
            let zone =
                Zone { names: vec![lessons.clone()], servers: vec![lessons], ttl: Duration::from_secs(30) };
            Server::new(Arc::new(desk), zone, limiter(0)).start(sockets).unwrap();
            // A machine without IPv6 has the first alone.
            let Ok(resolver) = UdpSocket::bind(client).await else { continue };
            // Connected: what comes from any other address is not for it.
            resolver.connect((one, port)).await.unwrap();
            // Two in one piece, as a busy machine gives them: each is answered.
            let questions = [7, 8].map(|id| {
                let mut question = Message::query();
                question.metadata.id = id;
                question
                    .add_query(Query::query(Name::from_ascii("lessons.example.").unwrap(), RecordType::SOA));
                question.to_vec().unwrap()
            });
            let sending = UdpSocketState::new((&resolver).into()).unwrap();
            let both = Transmit {
                destination: resolver.peer_addr().unwrap(),
                ecn: None,
                contents: &questions.concat(),
                segment_size: Some(questions[0].len()),
                src_ip: None,
            };
            sending.try_send((&resolver).into(), &both).unwrap();
            for id in [7, 8] {
                let mut told = [0; 512];
                let read = tokio::time::timeout(Duration::from_secs(20), resolver.recv(&mut told)).await;
                let length = read.expect("no answer").unwrap();
                assert_eq!(Message::from_vec(&told[..length]).unwrap().metadata.id, id);
            }
        }
    }
}
