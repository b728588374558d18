//! A process that dies while another takes over from it: the other one goes on alone.

use super::{LENGTH, any_port, configure, start};
use journeys::Airclass;
use journeys::client::{self, Certificate};
use journeys::http3::Http3;
use journeys::process::Signal;
use journeys::store::{pattern, put, segment};
use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;

/// It died with its predecessor: `HANDOVER_FAILED`.
#[test]
fn a_process_that_dies_before_the_next_one_is_ready_does_not_take_it_along() {
    let folder = tempfile::tempdir().unwrap();
    let (store, at) = (folder.path().join("store"), |name: &str| folder.path().join(name));
    put(&store, &segment(0), &pattern(LENGTH));
    let origin = Airclass::origin(&store);
    Certificate::make(folder.path());
    configure(folder.path(), origin.address(), "");
    let old = start(folder.path());
    // The next one waits for its certificate, between the sockets and its cores.
    let (config, late) = (std::fs::read_to_string(at("edge.toml")).unwrap(), at("late.pem"));
    assert!(Command::new("mkfifo").arg(&late).status().unwrap().success());
    let config = config.replace(at("cert.pem").to_str().unwrap(), late.to_str().unwrap());
    std::fs::write(at("next.toml"), config).unwrap();
    let next = std::thread::spawn({
        let config = at("next.toml");
        move || Airclass::start(&["edge", "--config", config.to_str().unwrap()])
    });
    let mut certificate = File::options().write(true).open(&late).unwrap();
    let addresses = old.addresses.clone();
    // Killed, as where there is no memory.
    drop(old);
    certificate.write_all(&std::fs::read(at("cert.pem")).unwrap()).unwrap();
    drop(certificate);
    let mut next = next.join().unwrap();
    assert_eq!(next.addresses, addresses, "the very same sockets");
    while !next.log().contains("goes on alone") {
        std::thread::yield_now();
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(client::get(next.address(), &format!("/{}", segment(0)), &[]));
    assert_eq!(answer.body.len(), LENGTH);
    // And its connection, which would be waited for while it is idle.
    drop(runtime);
    let warnings =
        next.log().lines().filter(|line| line.contains("\"WARN\"") && line.contains("process")).count();
    assert_eq!(warnings, 1, "{}", next.log());
    // And hands over to the one after it.
    std::fs::rename(at("cert.pem"), &late).unwrap();
    let third = Airclass::start(&["edge", "--config", at("next.toml").to_str().unwrap()]);
    assert!(next.wait().success(), "{}", next.log());
    assert_eq!(third.addresses, addresses);
}

/// How many sockets there are at `path`: one that listens, and those of who has been accepted there or waits to be.
fn sockets_at(path: &Path) -> usize {
    let all = std::fs::read_to_string("/proc/net/unix").unwrap();
    all.lines().filter(|line| line.ends_with(path.to_str().unwrap())).count()
}

/// It did not start: `HANDOVER_FAILED`.
#[test]
fn a_process_that_dies_before_its_last_word_is_followed_as_if_it_had_been_gone() {
    let folder = tempfile::tempdir().unwrap();
    let (store, at) = (folder.path().join("store"), |name: &str| folder.path().join(name));
    put(&store, &segment(0), &pattern(LENGTH));
    let origin = Airclass::origin(&store);
    Certificate::make(folder.path());
    let unix = format!("[[serve.listener]]\naddress = \"unix:{}\"\n", at("edge.sock").display());
    configure(folder.path(), origin.address(), &unix);
    let old = start(folder.path());
    // The next one wants the very same addresses, over TCP and UDP, and the same unix sockets.
    let mut config = std::fs::read_to_string(at("edge.toml")).unwrap();
    for address in &old.addresses[..2] {
        config = config.replacen(&any_port().to_string(), &address.to_string(), 1);
    }
    std::fs::write(at("next.toml"), config).unwrap();
    old.signal(Signal::STOP);
    let next = std::thread::spawn({
        let config = at("next.toml");
        move || Airclass::start(&["edge", "--config", config.to_str().unwrap()])
    });
    while sockets_at(&at("handover")) < 2 {
        std::thread::yield_now();
    }
    let addresses = old.addresses.clone();
    // Killed, as where there is no memory.
    drop(old);
    let mut next = next.join().unwrap();
    assert_eq!(next.addresses[..2], addresses[..2]);
    assert_eq!(sockets_at(&at("edge.sock")), 1);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let answer = runtime.block_on(client::get(next.address(), &format!("/{}", segment(0)), &[]));
    assert_eq!(answer.body.len(), LENGTH);
    // And its connection, which would be waited for while it is idle.
    drop(runtime);
    // And hands over to the one after it.
    let third = Airclass::start(&["edge", "--config", at("next.toml").to_str().unwrap()]);
    assert!(next.wait().success(), "{}", next.log());
    assert_eq!(third.addresses[..2], addresses[..2]);
}

/// Clients were let into the backlog of the first, which held the sockets for the second for as long as it was ending.
#[test]
fn a_process_that_has_given_way_listens_for_nobody_when_the_next_one_ends() {
    let mut scene = super::scene();
    put(&scene.folder.path().join("store"), &segment(1), &pattern(super::LARGE));
    let mut first = scene.edge.take().unwrap();
    // An answer that nobody takes keeps it.
    let mut reader = TcpStream::connect(scene.target.plain).unwrap();
    let head = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", segment(1));
    reader.write_all(head.as_bytes()).unwrap();
    reader.read_exact(&mut [0; 1_000]).unwrap();
    scene.edge = Some(start(scene.folder.path()));
    // A second after it has let go of its admin listener, where an order would be cut.
    while !first.log().contains("\"ending\"") {
        std::thread::yield_now();
    }
    // It takes orders when it listens for signals.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(scene.order("/reload")).0, 200);
    let mut second = scene.edge.take().unwrap();
    assert_eq!((second.addresses[0], second.admin), (scene.target.plain, first.admin));
    second.terminate();
    assert!(second.wait().success(), "{}", second.log());
    for address in [scene.target.plain, scene.target.tls, first.admin] {
        while TcpStream::connect(address).is_ok() {
            std::thread::yield_now();
        }
    }
    drop(reader);
    assert!(first.wait().success(), "{}", first.log());
}

/// It did not start for as long as the first was ending, which is ten minutes at most: `LISTEN_TAKEN`.
#[test]
fn a_process_that_dies_when_it_has_taken_over_is_followed_over_the_sockets_of_the_first() {
    let mut scene = super::scene();
    put(&scene.folder.path().join("store"), &segment(1), &pattern(super::LARGE));
    // At ports that are free, and stay the same from here on.
    drop(scene.edge.take());
    let (config, target) = (scene.folder.path().join("edge.toml"), &scene.target);
    let mut text = std::fs::read_to_string(&config).unwrap();
    for address in [target.plain, target.tls] {
        text = text.replacen(&any_port().to_string(), &address.to_string(), 1);
    }
    std::fs::write(&config, text).unwrap();
    let mut first = start(scene.folder.path());
    let starts = || {
        let folder = scene.folder.path().to_owned();
        async { tokio::task::spawn_blocking(move || start(&folder)).await.unwrap() }
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut begun = Http3::connect(&target.certificates, target.tls).await.unwrap();
        // More than both sides keep, and not read yet.
        let answering = begun.begin(&format!("/{}", segment(1))).await.unwrap();
        let second = starts().await;
        while !first.log().contains("another process has taken over") {
            tokio::task::yield_now().await;
        }
        // Killed, as where there is no memory.
        drop(second);
        let third = starts().await;
        assert_eq!(third.addresses, first.addresses);
        let mut fresh = Http3::connect(&target.certificates, target.tls).await.unwrap();
        assert_eq!(fresh.get(&target.path).await.unwrap().body.len(), LENGTH);
        let answer = answering.read().await.unwrap();
        assert!(answer.body == pattern(super::LARGE), "{} bytes", answer.body.len());
        let (status, log) = tokio::task::spawn_blocking(move || (first.wait(), first.log())).await.unwrap();
        assert!(status.success() && !log.contains("drain limit"), "{log}");
    });
}
