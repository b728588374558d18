use super::*;
use crate::listener::ADMIN;
use crate::options::Options;
use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use telemetry::{Admin, Hosts, Telemetry};

fn offered(name: &str, socket: OwnedFd) -> Offered {
    let offered = Offered::default();
    offered.add(name.to_owned(), socket);
    offered
}

fn name_of(socket: &TcpListener) -> String {
    socket.local_addr().unwrap().to_string()
}

#[test]
fn sockets_go_from_process_to_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let name = name_of(&socket);
    let address = socket.local_addr().unwrap();

    let here = Arc::<Readiness>::default();
    let mut nothing = Inherited::default();
    let first = Successor::ask(&path, &mut nothing, &here).unwrap();
    assert!(nothing.left().is_empty());
    let mut gone = first.offer(offered(&name, socket.into()), Arc::clone(&here), |_| {}, None).unwrap();

    // One that dies before it is ready.
    let aside = Readiness::default();
    drop(Successor::ask(&path, &mut Inherited::default(), &aside).unwrap());
    assert!(!aside.stands_aside());
    here.stand_aside();
    // In the backlog while nobody accepts.
    let waiting = TcpStream::connect(address).unwrap();

    let mut inherited = Inherited::default();
    let mut second = Successor::ask(&path, &mut inherited, &aside).unwrap();
    assert!(aside.stands_aside());
    assert!(gone.try_recv().is_err(), "not before the new one is ready");
    second.ready(&aside).unwrap();
    assert!(aside.stands_aside());
    gone.blocking_recv().unwrap();
    let taken = TcpListener::from(inherited.take_named(&name).pop().unwrap());
    let (accepted, from) = taken.accept().unwrap();
    assert_eq!(from, waiting.local_addr().unwrap());
    drop(accepted);

    // And on to the next, over the same path.
    let _gone = second.offer(offered(&name, taken.into()), Arc::default(), |_| {}, None).unwrap();
    let mut inherited = Inherited::default();
    Successor::ask(&path, &mut inherited, &here).unwrap().ready(&here).unwrap();
    assert_eq!(inherited.left(), [name]);
}

/// A second node whose configuration was copied from the first took its sockets, and closed them.
#[test]
fn a_process_that_is_to_listen_elsewhere_is_no_successor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let [served, admin, other] = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    let [at, admin_at, elsewhere] = [&served, &admin, &other].map(|socket| socket.local_addr().unwrap());
    let sockets = offered(&name_of(&served), served.into());
    sockets.add(ADMIN.to_owned(), admin.into());
    let first = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    let mut gone = first.offer(sockets, Arc::default(), |_| {}, None).unwrap();
    for (listen, admin, code) in [
        (elsewhere, elsewhere, Some("HANDOVER_STRANGER")),
        (at, elsewhere, None),
        // All others were changed.
        (elsewhere, admin_at, None),
    ] {
        let config = Config::resolve(&Options::default(), listen, admin).unwrap();
        let mut inherited = Inherited::default();
        let next = Successor::ask(&path, &mut inherited, &Readiness::default()).unwrap();
        let refused = next.recognise(&inherited, &config).err();
        assert_eq!(refused.as_ref().map(Fault::code), code, "{listen} {admin}");
        drop(next);
        assert!(gone.try_recv().is_err(), "it goes on");
    }
    // One that has given way has nothing but what its clients over UDP are answered from.
    let mut left = Inherited::default();
    left.add(format!("udp {elsewhere}"), other.into());
    assert!(left.serves(&Config::resolve(&Options::default(), at, at).unwrap()));
}

#[test]
fn what_a_process_is_told_while_another_takes_over_is_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let old = Arc::<Readiness>::default();
    let mut first = Some(Successor::ask(&path, &mut Inherited::default(), &old).unwrap());
    for is_aside in [true, false] {
        let _gone = first.take().unwrap().offer(Offered::default(), Arc::clone(&old), |_| {}, None).unwrap();
        let new = Readiness::default();
        let mut next = Successor::ask(&path, &mut Inherited::default(), &new).unwrap();
        assert_eq!(new.stands_aside(), !is_aside);
        if is_aside {
            old.stand_aside()
        } else {
            old.pass(Check::InService)
        }
        next.ready(&new).unwrap();
        assert_eq!(new.stands_aside(), is_aside);
        first = Some(next);
    }
}

/// What it was told behind its last word was lost.
#[test]
fn a_process_that_has_given_way_and_no_other_refuses_orders() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let telemetry = Telemetry::new("test");
    let admin = Admin::start((Ipv4Addr::LOCALHOST, 0).into(), Hosts::default(), telemetry.clone()).unwrap();
    let obeys = |order: &str| {
        let mut asks = TcpStream::connect(admin.address()).unwrap();
        let question = format!("POST {order} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        asks.write_all(question.as_bytes()).unwrap();
        let mut said = String::new();
        asks.read_to_string(&mut said).unwrap();
        said.starts_with("HTTP/1.1 200 ")
    };
    let first = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    let old = Arc::clone(&telemetry.readiness);
    let gone = first.offer(Offered::default(), Arc::clone(&old), |_| {}, None).unwrap();
    // One that dies before it is ready.
    let new = Readiness::default();
    drop(Successor::ask(&path, &mut Inherited::default(), &new).unwrap());
    let mut next = Successor::ask(&path, &mut Inherited::default(), &new).unwrap();
    assert!(obeys("/out-of-service"));
    next.ready(&new).unwrap();
    gone.blocking_recv().unwrap();
    assert!(new.stands_aside());
    assert!(!obeys("/in-service"));
    assert!(old.stands_aside());
}

#[test]
fn sockets_that_a_successor_has_no_use_for_are_left_to_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let first = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    let (read, reads) = std::sync::mpsc::sync_channel(2);
    let reading = move |reads: Reads<'_>| match reads {
        Reads::All => read.send(None).unwrap(),
        Reads::Left(left) => read.send(Some(left.to_vec())).unwrap(),
    };
    let gone = first.offer(Offered::default(), Arc::default(), reading, None).unwrap();
    // One that dies before it is ready.
    drop(Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap());
    assert_eq!(reads.recv().unwrap(), None);
    let mut second = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    let left = vec!["udp 192.0.2.1:443".to_owned(), "udp [::]:443#1".to_owned()];
    second.leave(left.clone());
    second.ready(&Readiness::default()).unwrap();
    assert_eq!(reads.recv().unwrap(), Some(left));
    gone.blocking_recv().unwrap();
}

/// Passes on nothing but what every version does, and `lives` if there is one; the conversation, for who ends it.
fn passes(listening: &OwnedFd, lives: Option<&PipeReader>) -> Packets {
    let packets = Packets::accept(listening).unwrap();
    packets.send("socket handover", Some(listening.as_fd())).unwrap();
    if let Some(lives) = lives {
        packets.send(LIVES, Some(lives.as_fd())).unwrap();
    }
    packets.send("end", None).unwrap();
    packets
}

#[test]
fn a_predecessor_that_dies_before_we_are_ready_does_not_take_us_with_it() {
    for tells in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("edge.handover");
        let listening = packets::listen(&path).unwrap();
        let (reader, writer) = io::pipe().unwrap();
        let (packets, mut next) = std::thread::scope(|scope| {
            let next =
                scope.spawn(|| Successor::ask(&path, &mut Inherited::default(), &Readiness::default()));
            let lives = Some(&reader).filter(|_| tells);
            (passes(&listening, lives), next.join().unwrap().unwrap())
        });
        // As the kernel does, one after the other; older versions have no pipe.
        drop((packets, listening, writer));
        next.ready(&Readiness::default()).unwrap();
        // And it has what it takes to go on.
        let _gone = next.offer(Offered::default(), Arc::default(), |_| {}, None).unwrap();
        let third = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
        assert!(third.predecessor.is_some());
    }
}

#[test]
fn a_predecessor_that_has_lost_its_patience_serves_on_and_we_do_not() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let listening = packets::listen(&path).unwrap();
    let (reader, _writer) = io::pipe().unwrap();
    for says in [None, Some("no")] {
        let (packets, mut next) = std::thread::scope(|scope| {
            let next =
                scope.spawn(|| Successor::ask(&path, &mut Inherited::default(), &Readiness::default()));
            (passes(&listening, Some(&reader)), next.join().unwrap().unwrap())
        });
        let _stays = says.map(|word| packets.send(word, None).map(|()| packets).unwrap());
        let error = next.ready(&Readiness::default()).unwrap_err();
        assert_eq!(error.code(), "HANDOVER_FAILED", "{says:?}");
    }
}

#[test]
fn an_older_version_takes_over_from_a_process_out_of_service() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let old = Arc::<Readiness>::default();
    old.stand_aside();
    let first = Successor::ask(&path, &mut Inherited::default(), &old).unwrap();
    let gone = first.offer(Offered::default(), old, |_| {}, None).unwrap();
    // It takes descriptors by their names, and one word without any.
    let packets = Packets::connect(&path, WORD_TIMEOUT).unwrap().unwrap();
    packets.set_timeout(WORD_TIMEOUT).unwrap();
    while let Packet { socket: Some(_), .. } = packets.receive().unwrap() {}
    packets.send("ready", None).unwrap();
    assert_eq!(packets.receive().unwrap().word, "farewell");
    drop(packets);
    gone.blocking_recv().unwrap();
}

#[test]
fn a_path_that_cannot_be_is_not_our_fault() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "somebody's").unwrap();
    for path in [folder.path().join("nowhere/edge.handover"), file.join("edge.handover"), file.clone()] {
        let error = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap_err();
        assert_eq!((error.code(), error.blame()), ("HANDOVER_PATH", Blame::Input), "{error}");
        assert!(error.to_string().contains("create its folder"), "{error}");
    }
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "somebody's");
}

/// Nobody was let in at the sockets that the first sends from, for as long as it was ending.
#[test]
fn a_process_that_dies_when_it_has_taken_over_is_followed_by_one_that_asks_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("edge.handover");
    let (tcp, udp) = ("192.0.2.1:443", "udp 192.0.2.1:443");
    let sockets = Offered::default();
    for name in [tcp, udp, "quic 1"] {
        sockets.add(name.to_owned(), tempfile::tempfile().unwrap().into());
    }
    let first = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    let (read, reads) = std::sync::mpsc::sync_channel(8);
    let reading = move |reads: Reads<'_>| read.send(matches!(reads, Reads::All)).unwrap();
    let gone = first.offer(sockets.clone(), Arc::default(), reading, None).unwrap();
    // A process of which only the handover is there.
    let (dies, lives) = io::pipe().unwrap();
    let second = Packets::connect(&path, WORD_TIMEOUT).unwrap().unwrap();
    while second.receive().unwrap().word != "end" {}
    second.send(READY, Some(dies.as_fd())).unwrap();
    assert_eq!(second.receive().unwrap().word, "farewell");
    gone.blocking_recv().unwrap();
    sockets.keep(crate::listener::is_of_datagrams);
    assert!(!reads.recv().unwrap());
    drop((second, dies, lives));
    assert!(reads.recv().unwrap(), "its own connections go on");
    let mut given = Inherited::default();
    let mut third = Successor::ask(&path, &mut given, &Readiness::default()).unwrap();
    assert_eq!(given.left(), [udp, "quic 1"]);
    third.ready(&Readiness::default()).unwrap();
    assert!(!reads.recv().unwrap());

    // One that hands over itself is followed by that one, and nobody asks the first any more.
    let (_read, nobody) = (third.offer(Offered::default(), Arc::default(), |_| {}, None).unwrap(), &sockets);
    let mut fourth = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
    fourth.ready(&Readiness::default()).unwrap();
    while !nobody.list().is_empty() {
        std::thread::yield_now();
    }
    assert!(reads.recv().is_err());
}
