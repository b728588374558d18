//! A disk's life, with several of them: what each state allows, and what must not come back.

use super::*;
use crate::disks::Disks;
use crate::media::simulated::{Faults, SimulatedDisk};
use crate::volume::Object;
use std::io::ErrorKind;

const GEOMETRY: Geometry = Geometry { size: 8 * 65_536, region: 65_536 };
/// As quick as threads are.
const HURRY: Patience = Patience {
    tend_every: Duration::from_millis(2),
    first_wait: Duration::from_millis(2),
    longest_wait: Duration::from_millis(2),
};

fn over(disks: &[&SimulatedDisk]) -> Disks {
    let folder = |disk: &&SimulatedDisk| -> Box<dyn Folder> { Box::new((*disk).clone()) };
    let folders =
        (0..).zip(disks).map(|(number, disk): (u32, _)| (format!("disk {number}"), folder(disk), GEOMETRY));
    Disks::over(folders.collect(), HURRY, Arc::new(|_: &[u8]| false)).unwrap()
}

fn object(body: &'static str) -> Object {
    Object {
        head: Bytes::from_static(b"head"),
        blocks: vec![(0, Bytes::from_static(body.as_bytes()))],
        ..Object::default()
    }
}

fn key(number: usize) -> Bytes {
    Bytes::from(format!("key {number}"))
}

async fn body(disks: &Disks, key: &Bytes) -> Option<String> {
    let stored = disks.look_up(key).await?;
    let blocks = stored.read(vec![0]).await.ok()?;
    Some(String::from_utf8(blocks[0].to_vec()).unwrap())
}

fn states(disks: &Disks) -> Vec<State> {
    disks.reports().map(|report| report.state).collect()
}

/// Waits for the disks' threads to notice. A test that waits for ever is killed by its runner.
async fn until(disks: &Disks, expected: &[State]) {
    while states(disks) != expected {
        disks.flush().await;
        tokio::task::yield_now().await;
    }
}

/// A key that the first of two disks draws.
fn key_of_the_first(disks: &Disks) -> Bytes {
    (0..).map(key).find(|key| disks.first_choice(key) == "disk 0").unwrap()
}

#[tokio::test]
async fn what_is_put_is_found_also_by_the_next_process() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    assert!(disks.put(&key(1), object("one")).is_some());
    disks.put(&key(2), object("two"));
    assert!(disks.flush().await);
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("one"));
    disks.remove(&key(2));
    disks.close();
    let disks = over(&[&disk]);
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("one"));
    assert_eq!(body(&disks, &key(2)).await, None);
}

#[tokio::test]
async fn what_is_removed_or_replaced_is_not_shown_from_that_moment() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    let first = disks.put(&key(1), object("old")).unwrap();
    disks.remove(&key(1));
    assert_eq!(body(&disks, &key(1)).await, None);
    let second = disks.put(&key(1), object("new")).unwrap();
    assert_ne!(first, second);
    // Late work on the version that was removed.
    disks.freshen(&key(1), first, Bytes::from_static(b"wrong"));
    assert!(disks.flush().await);
    let stored = disks.look_up(&key(1)).await.unwrap();
    assert_eq!((&stored.head()[..], stored.generation()), (&b"head"[..], Some(second)));
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("new"));
}

#[tokio::test]
async fn what_the_queue_has_no_room_for_is_dropped_and_what_it_replaces_too() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("old"));
    assert!(disks.flush().await);
    let block = Bytes::from(vec![0; crate::BLOCK]);
    let blocks = (0..257).map(|number| (number, block.clone())).collect();
    disks.put(&key(1), Object { blocks, ..Object::default() });
    assert_eq!(body(&disks, &key(1)).await, None);
    let dropped: u64 = disks.reports().map(|report| report.counters.dropped_writes.value()).sum();
    assert_eq!(dropped, 1);
}

#[tokio::test]
async fn attack_72_a_full_disk_is_read_on_and_takes_writes_again_when_it_can() {
    for kind in [ErrorKind::StorageFull, ErrorKind::Other] {
        let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
        let disks = over(&[&one, &two]);
        let (mine, other) = (key_of_the_first(&disks), key(9_999_999));
        disks.put(&mine, object("mine"));
        disks.put(&other, object("other"));
        assert!(disks.flush().await);
        one.set_faults(Faults { writes_fail: Some((0, kind)), ..Faults::default() });
        let more: Vec<_> = (0..).map(key).filter(|key| disks.first_choice(key) == "disk 0").take(3).collect();
        disks.put(&more[1], object("lost"));
        until(&disks, &[State::ReadOnly, State::Online]).await;
        assert_eq!(body(&disks, &mine).await.as_deref(), Some("mine"));
        assert_eq!(body(&disks, &other).await.as_deref(), Some("other"));
        assert_eq!(body(&disks, &more[1]).await, None);
        one.set_faults(Faults::default());
        until(&disks, &[State::Online, State::Online]).await;
        disks.put(&more[2], object("again"));
        assert!(disks.flush().await);
        assert_eq!(body(&disks, &more[2]).await.as_deref(), Some("again"));
    }
}

#[tokio::test]
async fn attack_72_a_vanished_disk_comes_back_without_what_was_replaced_meanwhile() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    let replaced = key_of_the_first(&disks);
    let mut more = (0..).map(key).filter(|key| *key != replaced && disks.first_choice(key) == "disk 0");
    let (removed, kept) = (more.next().unwrap(), more.next().unwrap());
    for key in [&replaced, &removed, &kept] {
        disks.put(key, object("old"));
    }
    assert!(disks.flush().await);
    one.set_faults(Faults { gone: true, ..Faults::default() });
    until(&disks, &[State::Offline, State::Online]).await;
    assert_eq!(body(&disks, &kept).await, None);
    disks.put(&replaced, object("new"));
    disks.remove(&removed);
    disks.flush().await;
    assert_eq!(body(&disks, &replaced).await.as_deref(), Some("new"));
    one.set_faults(Faults::default());
    until(&disks, &[State::Online, State::Online]).await;
    assert_eq!(body(&disks, &kept).await.as_deref(), Some("old"));
    for key in [&replaced, &removed] {
        assert_eq!(body(&disks, key).await, None, "nothing old");
    }
    drop(disks);
    let disks = over(&[&one, &two]);
    assert_eq!(body(&disks, &removed).await, None);
    assert_eq!(body(&disks, &replaced).await, None);
}

#[tokio::test]
async fn attack_72_a_disk_that_cannot_be_read_is_left_alone_and_tried_again() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    let mine = key_of_the_first(&disks);
    disks.put(&mine, object("mine"));
    assert!(disks.flush().await);
    one.set_faults(Faults { reads_fail: Some(0), ..Faults::default() });
    while states(&disks)[0] != State::Offline {
        assert_eq!(body(&disks, &mine).await, None);
    }
    one.set_faults(Faults::default());
    until(&disks, &[State::Online, State::Online]).await;
    assert_eq!(body(&disks, &mine).await.as_deref(), Some("mine"));
}

#[tokio::test]
async fn a_damaged_object_is_gone_for_good() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("some bytes that will be damaged"));
    assert!(disks.flush().await);
    let at = disk.bytes("data").windows(10).position(|window| window == b"some bytes").unwrap();
    disk.flip("data", at, 1);
    assert_eq!(body(&disks, &key(1)).await, None);
    assert!(disks.flush().await);
    disk.flip("data", at, 1);
    drop(disks);
    let disks = over(&[&disk]);
    assert_eq!(body(&disks, &key(1)).await, None);
    assert_eq!(states(&disks), [State::Online]);
}

#[tokio::test]
async fn a_disk_that_cannot_be_opened_is_offline_and_the_rest_works() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    one.set_faults(Faults { gone: true, ..Faults::default() });
    let disks = over(&[&one, &two]);
    assert_eq!(states(&disks), [State::Offline, State::Online]);
    for number in 0..20 {
        disks.put(&key(number), object("here"));
    }
    disks.flush().await;
    for number in 0..20 {
        assert_eq!(body(&disks, &key(number)).await.as_deref(), Some("here"));
    }
}
