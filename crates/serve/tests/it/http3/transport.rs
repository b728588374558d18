//! Attack 35, and what QUIC must do beside: addresses that change or lie, packets from nowhere, sockets that change hands.

use super::client::*;
use crate::server::{GREETING, LARGE};
use crate::tls::write;
use quinn::TransportConfig;
use rustls::pki_types::CertificateDer;
use serve::{LimitOptions, Options};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;
use tokio::net::UdpSocket;
use tokio::time::Instant;
use units::Span;

/// Longer than any datagram here.
const ROOM: usize = 65_536;
/// Least length of a first packet (RFC 9000 §14.1).
const FIRST: usize = 1_200;
/// Longest datagram that is sent: what Ethernet has room for.
const DATAGRAM: usize = 1_472;
/// Packets that pretend to come from elsewhere.
const LIES: usize = 4;

/// The first packet of each of so many connections that nobody answers.
async fn first_packets(scene: &Scene, count: usize) -> Vec<Vec<u8>> {
    let nobody = udp();
    let endpoint = scene.endpoint(TransportConfig::default());
    let address = nobody.local_addr().unwrap();
    let connecting: Vec<_> = (0..count).map(|_| endpoint.connect(address, "localhost").unwrap()).collect();
    let mut packets = BTreeMap::new();
    let mut room = vec![0; ROOM];
    while packets.len() < count {
        let length = nobody.recv(&mut room).await.unwrap();
        // By the id that the client has chosen (RFC 8999 §5.1).
        let id = room[6..6 + usize::from(room[5])].to_vec();
        packets.entry(id).or_insert_with(|| room[..length].to_vec());
    }
    drop(connecting);
    packets.into_values().collect()
}

/// Everything that has come by now, in bytes and in packets.
fn received(socket: &UdpSocket) -> (usize, usize) {
    let (mut bytes, mut packets) = (0, 0);
    let mut room = vec![0; ROOM];
    while let Ok(length) = socket.try_recv(&mut room) {
        (bytes, packets) = (bytes + length, packets + 1);
    }
    (bytes, packets)
}

#[test]
fn attack_35_who_did_not_show_where_he_is_gets_three_times_what_he_sent() {
    let scene = Scene::start(LimitOptions {
        handshake_timeout: Some(Span::millis(1_200)),
        ..LimitOptions::default()
    });
    run(async {
        // A chain of 20 KB: the whole answer would be seventeen times the question.
        let chain = std::fs::read_to_string(&scene.files.cert[0]).unwrap().repeat(40);
        std::fs::write(&scene.files.cert[0], chain).unwrap();
        scene.server.reload().unwrap();
        let packet = &first_packets(&scene, 1).await[0];
        assert!(packet.len() >= FIRST);
        let victim = udp();
        victim.connect(scene.server.address()).await.unwrap();
        victim.send(packet).await.unwrap();
        victim.readable().await.unwrap();
        // All its tries, until it gives the handshake up.
        while scene.server.metric("serve_connections_ended_total", Some("handshake")) < 1.0 {
            tokio::task::yield_now().await;
        }
        let (bytes, _) = received(&victim);
        assert!(bytes > 0 && bytes <= 3 * packet.len(), "{bytes} bytes for {}", packet.len());
    });
}

#[test]
fn attack_35_under_load_clients_show_first_where_they_are() {
    let scene = Scene::start(LimitOptions::default());
    run(async {
        let liar = udp();
        for packet in first_packets(&scene, 70).await {
            liar.send_to(&packet, scene.server.address()).await.unwrap();
        }
        while scene.server.metric("serve_quic_retries_total", None) < 1.0 {
            tokio::task::yield_now().await;
        }
        let retries = scene.server.metric("serve_quic_retries_total", None);
        // An honest one is asked, too, and is let in.
        let mut client = scene.client().await;
        assert_eq!(client.get("/").await.unwrap().body, GREETING);
        assert!(scene.server.metric("serve_quic_retries_total", None) > retries);
    });
    // It would wait for the handshakes that nobody finishes; its threads end with the test.
    std::mem::forget(scene.server);
}

#[test]
fn attack_35_packets_from_nowhere_are_not_answered() {
    let scene = Scene::start(LimitOptions::default());
    run(async {
        let mut client = scene.client().await;
        client.get("/").await.unwrap();
        let stranger = udp();
        stranger.connect(scene.server.address()).await.unwrap();
        // To ids that nobody has: each could be answered by a stateless reset.
        for number in 0..2_000_u32 {
            let mut packet = vec![0x40 | number as u8 & 0x3f; 60];
            packet[1..5].copy_from_slice(&number.to_be_bytes());
            stranger.send(&packet).await.unwrap();
            if number % 50 == 49 {
                // Behind the answer it has read them all: the kernel throws away what a socket has no room for.
                client.get("/").await.unwrap();
            }
        }
        // Too short for a first packet of a version that nobody speaks, and long enough for one.
        let unknown = |length: usize| [&[0xc0, 0xfa, 0xce, 0xb0, 0x0c, 8][..], &vec![1; length - 6]].concat();
        stranger.send(&unknown(FIRST - 1)).await.unwrap();
        stranger.send(&unknown(FIRST)).await.unwrap();
        // That one is told which versions there are; the rest was before it.
        stranger.readable().await.unwrap();
        client.get("/").await.unwrap();
        let (bytes, packets) = received(&stranger);
        assert!(packets == 1 && bytes < FIRST, "{packets} packets of {bytes} bytes");
        assert_eq!(client.get("/large").await.unwrap().body.len(), LARGE);
    });
}

/// Stands between a client and a server; from time to time it pretends that the client is elsewhere.
struct Between {
    address: SocketAddr,
    /// Datagrams of the client that are still to come from elsewhere.
    lies: Rc<Cell<u32>>,
    /// Bytes sent from there.
    lied: Rc<Cell<usize>>,
    elsewhere: Rc<UdpSocket>,
}

impl Between {
    fn start(server: SocketAddr) -> Self {
        let (near, far, elsewhere) = (udp(), udp(), Rc::new(udp()));
        let (lies, lied) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let between = Self {
            address: near.local_addr().unwrap(),
            lies: Rc::clone(&lies),
            lied: Rc::clone(&lied),
            elsewhere: Rc::clone(&elsewhere),
        };
        tokio::task::spawn_local(async move {
            let (mut out, mut back) = (vec![0; ROOM], vec![0; ROOM]);
            let mut client = any();
            loop {
                tokio::select! {
                    Ok((length, from)) = near.recv_from(&mut out) => {
                        client = from;
                        let way = if lies.get() > 0 { &elsewhere } else { &far };
                        if lies.get() > 0 {
                            lies.set(lies.get() - 1);
                            lied.set(lied.get() + length);
                        }
                        way.send_to(&out[..length], server).await.unwrap();
                    }
                    Ok(length) = far.recv(&mut back) => {
                        near.send_to(&back[..length], client).await.unwrap();
                    }
                }
            }
        });
        between
    }
}

#[test]
fn attack_35_a_spoofed_move_draws_no_flood_and_changes_no_name() {
    let scene = Scene::start(LimitOptions::default());
    run(async {
        let between = Between::start(scene.server.address());
        let connection = connect(&scene.endpoint(TransportConfig::default()), between.address).await;
        let mut client = Client::over(connection).await;
        let who = client.get("/who").await.unwrap().body;
        for _ in 0..LIES {
            // The next packet, a request for a megabyte, comes from the victim.
            between.lies.set(1);
            assert_eq!(client.get("/large").await.unwrap().body.len(), LARGE);
            assert_eq!(between.lies.get(), 0);
        }
        let (bytes, _) = received(&between.elsewhere);
        // For each lie three times its bytes, and the one datagram that crosses that line, which quinn sends whole: the
        // challenge has to be long (RFC 9000 §8.2.1).
        let bound = 3 * between.lied.get() + LIES * DATAGRAM;
        assert!(bytes <= bound, "{bytes} bytes for {}", between.lied.get());
        assert_eq!(client.get("/who").await.unwrap().body, who);
    });
}

#[test]
fn a_client_may_move_and_is_found_on_its_core() {
    let scene = Scene::with(Options { cores: Some(4), ..Options::default() });
    run(async {
        let endpoint = scene.endpoint(TransportConfig::default());
        let mut client = Client::over(connect(&endpoint, scene.server.address()).await).await;
        let who = client.get("/who").await.unwrap().body;
        for _ in 0..12 {
            // Which of the four sockets the kernel gives its packets to is chance: 4^12 to one that it is another once.
            endpoint.rebind(std::net::UdpSocket::bind(any()).unwrap()).unwrap();
            assert_eq!(client.get("/large").await.unwrap().body.len(), LARGE);
        }
        // To the service it stays who it was.
        assert_eq!(client.get("/who").await.unwrap().body, who);
        assert_eq!(scene.server.metric("serve_connections_accepted_total", None), 1.0);
    });
}

#[test]
fn attack_65_no_early_data_and_yet_a_resumption() {
    let scene = Scene::start(LimitOptions::default());
    run(async {
        let endpoint = scene.endpoint(TransportConfig::default());
        for _ in 0..2 {
            let connecting = endpoint.connect(scene.server.address(), "localhost").unwrap();
            // Only who was given leave by a ticket may send before the handshake.
            let connecting = connecting.into_0rtt().map(|_| ()).unwrap_err();
            let mut client = Client::over(connecting.await.unwrap()).await;
            client.get("/").await.unwrap();
        }
    });
}

#[test]
fn a_new_certificate_is_shown_and_an_open_connection_stays() {
    let mut scene = Scene::start(LimitOptions::default());
    run(async {
        let shown = |connection: &quinn::Connection| {
            let identity = connection.peer_identity().unwrap();
            identity.downcast::<Vec<CertificateDer<'static>>>().unwrap()[0].clone()
        };
        let mut client = scene.client().await;
        let before = shown(&client.connection);
        let new = write(&["localhost"], &scene.files.cert[0], &scene.files.key[0]);
        scene.files.trusted.add(new.clone()).unwrap();
        scene.server.reload().unwrap();
        let after = shown(&scene.connect().await);
        assert!(before != after && after == new);
        assert_eq!(client.get("/").await.unwrap().body, GREETING);
    });
}

#[test]
fn who_comes_by_tcp_hears_of_http3() {
    use std::io::{Read, Write};
    let scene = Scene::with(Options { http3_max_age: Some(Span::secs(60)), ..Options::default() });
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let config = scene.files.client(&rustls::version::TLS13);
    let mut connection = rustls::ClientConnection::new(config, name).unwrap();
    let mut socket = std::net::TcpStream::connect(scene.server.address()).unwrap();
    let mut stream = rustls::Stream::new(&mut connection, &mut socket);
    stream.write_all(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let port = scene.server.address().port();
    assert!(answer.contains(&format!("alt-svc: h3=\":{port}\"; ma=60\r\n")), "{answer}");
}

#[test]
fn at_the_limit_new_connections_wait() {
    let scene = Scene::start(LimitOptions { max_connections: Some(1), ..LimitOptions::default() });
    run(async {
        let first = scene.connect().await;
        let endpoint = scene.endpoint(TransportConfig::default());
        let waiting = endpoint.connect(scene.server.address(), "localhost").unwrap();
        let mut one = Client::over(first.clone()).await;
        assert_eq!(one.get("/").await.unwrap().body, GREETING);
        assert_eq!(scene.server.metric("serve_connections", None), 1.0);
        first.close(0_u32.into(), b"");
        let mut two = Client::over(waiting.await.unwrap()).await;
        assert_eq!(two.get("/").await.unwrap().body, GREETING);
    });
}

#[test]
fn a_connection_under_a_ceiling_is_whole_all_the_same() {
    for tuning in
        [r#"congestion = "bbr""#, r#"pacing = "400Mbit/s""#, r#"congestion = "reno", pacing = "1Gbit/s""#]
    {
        let table = format!(r#"address = "127.0.0.1:0", tls = true, http3 = true, {tuning}"#);
        let listener = Some(vec![table.parse().unwrap()]);
        let scene = Scene::with_tables(Options { listener, ..Options::default() });
        run(async {
            let mut client = scene.client().await;
            assert_eq!(client.get("/large").await.unwrap().body.len(), LARGE, "{tuning}");
        });
    }
}

#[test]
fn a_silent_client_may_be_silent_for_as_long_as_the_newest_configuration_says() {
    let limits = LimitOptions { idle_timeout: Some(Span::secs(1)), ..LimitOptions::default() };
    let scene = Scene::start(limits);
    scene.server.reload_with_idle(Duration::from_secs(60));
    run(async {
        // The shorter of the two ends' limits counts: theirs was 6 s, five more than the idle limit.
        let ours = Duration::from_secs(8);
        let mut transport = TransportConfig::default();
        transport.max_idle_timeout(Some(ours.try_into().unwrap()));
        let connection = connect(&scene.endpoint(transport), scene.server.address()).await;
        let begun = Instant::now();
        assert!(matches!(connection.closed().await, quinn::ConnectionError::TimedOut));
        assert!(begun.elapsed() > Duration::from_secs(7), "{:?}", begun.elapsed());
    });
}
