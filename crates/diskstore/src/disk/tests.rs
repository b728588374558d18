//! A disk's life, with several of them: what each state allows, and what must not come back.

mod ending;
mod telling;

use super::*;
use crate::disks::Disks;
use crate::media::simulated::{Faults, SimulatedDisk};
use crate::superblock::{self, Superblock};
use crate::volume::Object;
use std::io::ErrorKind;
use tokio::sync::oneshot;

const GEOMETRY: Geometry = Geometry { size: 8 * 65_536, region: 65_536 };
/// As quick as threads are.
const HURRY: Patience = Patience {
    tend_every: Duration::from_millis(2),
    first_wait: Duration::from_millis(2),
    longest_wait: Duration::from_millis(2),
    comes_within: Duration::from_secs(300),
    writes_within: Duration::from_secs(300),
};

fn over(disks: &[&SimulatedDisk]) -> Disks {
    let folder = |disk: &&SimulatedDisk| -> Box<dyn Folder> { Box::new((*disk).clone()) };
    let folders =
        (0..).zip(disks).map(|(number, disk): (u32, _)| (format!("disk {number}"), folder(disk), GEOMETRY));
    Disks::over(folders.collect(), HURRY, Arc::new(|_: &[u8]| false), Arc::new(|_| {})).unwrap()
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

/// Whether all of them have noted it.
async fn noted(disks: &Disks, text: impl Fn() -> Bytes + Send + Sync + 'static) -> bool {
    let mut all = true;
    for noted in disks.note(|_| true, text) {
        all &= noted.await;
    }
    all
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

/// Where these bytes lie in the disk's data.
fn place(disk: &SimulatedDisk, bytes: &[u8]) -> usize {
    disk.bytes("data").windows(bytes.len()).position(|window| window == bytes).unwrap()
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
async fn what_was_looked_up_is_current_until_something_is_done_to_it() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    for change in ["removed", "replaced", "freshened"] {
        let version = disks.put(&key(1), object("old")).unwrap();
        assert!(disks.flush().await);
        let stored = disks.look_up(&key(1)).await.unwrap();
        disks.put(&key(2), object("another"));
        assert!(disks.flush().await && stored.is_current());
        match change {
            "removed" => disks.remove(&key(1)),
            "replaced" => assert!(disks.put(&key(1), object("new")).is_some()),
            _ => assert!(disks.freshen(&key(1), version, Bytes::from_static(b"later"))),
        }
        // Written down, so that nothing hides it any more but that it is not there.
        assert!(disks.flush().await && disks.flush().await);
        assert!(!stored.is_current(), "{change}");
    }
}

/// Waits for the thread that writes to come to a note, and holds it there until what is given is told or dropped.
async fn hold(disks: &Arc<Disks>) -> std::sync::mpsc::SyncSender<()> {
    let (go, going) = std::sync::mpsc::sync_channel(1);
    let (held, holding) = oneshot::channel();
    let (held, going) = (Mutex::new(Some(held)), Mutex::new(going));
    let busy = move || {
        let _ = held.lock().unwrap().take().map(|held| held.send(()));
        let _ = going.lock().unwrap().recv();
        Bytes::new()
    };
    let noting = Arc::clone(disks);
    tokio::spawn(async move { noted(&noting, busy).await });
    holding.await.unwrap();
    go
}

/// A body of so many blocks, no two alike.
fn long(blocks: u32) -> Object {
    let block = |number: u32| {
        let mut bytes = vec![7; crate::BLOCK];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        (number, Bytes::from(bytes))
    };
    let length = Some(u64::from(blocks) * crate::BLOCK as u64);
    Object { head: Bytes::from_static(b"head"), length, blocks: (0..blocks).map(block).collect() }
}

/// Blocks that are more than may wait.
const TOO_MANY: u32 = (MOST_WAITING / crate::BLOCK) as u32 + 1;
/// With room for several bodies of that length.
const ROOMY: Geometry = Geometry { size: 16 * 2_097_152, region: 2_097_152 };

fn over_roomy(disk: &SimulatedDisk) -> Arc<Disks> {
    let folders: Vec<(String, Box<dyn Folder>, Geometry)> =
        vec![("disk 0".into(), Box::new(disk.clone()), ROOMY)];
    Arc::new(Disks::over(folders, HURRY, Arc::new(|_: &[u8]| false), Arc::new(|_| {})).unwrap())
}

fn dropped_writes(disks: &Disks) -> u64 {
    disks.reports().map(|report| report.counters.dropped_writes.value()).sum()
}

#[tokio::test]
async fn what_the_queue_has_no_room_for_is_dropped_and_what_it_replaces_too() {
    let disk = SimulatedDisk::default();
    let disks = over_roomy(&disk);
    disks.put(&key(1), object("old"));
    assert!(disks.flush().await);
    let go = hold(&disks).await;
    while disks.put(&key(2), long(1)).is_some() {}
    assert_eq!(disks.put(&key(1), long(1)), None, "it will not be written");
    assert_eq!(body(&disks, &key(1)).await, None);
    assert_eq!(dropped_writes(&disks), 2);
    drop(go);
}

#[tokio::test]
async fn a_body_longer_than_all_that_may_wait_is_written_in_its_turn() {
    let disk = SimulatedDisk::default();
    let disks = over_roomy(&disk);
    disks.put(&key(1), object("old"));
    assert!(disks.put(&key(1), long(TOO_MANY)).is_some());
    disks.put(&key(2), object("behind it"));
    assert!(disks.flush().await);
    assert_eq!(dropped_writes(&disks), 0);
    drop(disks);
    let disks = over_roomy(&disk);
    let stored = disks.look_up(&key(1)).await.unwrap();
    let numbers: Vec<u32> = (0..TOO_MANY).collect();
    assert_eq!(stored.blocks(), numbers);
    let blocks = stored.read(numbers.clone()).await.unwrap();
    assert!(blocks.iter().zip(numbers).all(|(block, number)| block[..4] == number.to_le_bytes()));
    assert!(disks.look_up(&key(2)).await.is_some());
}

#[tokio::test]
async fn memory_of_long_bodies_that_wait_has_its_bound_and_short_ones_find_room_beside_them() {
    let disk = SimulatedDisk::default();
    let disks = over_roomy(&disk);
    let go = hold(&disks).await;
    let mut taken = 0;
    while disks.put(&key(taken), long(TOO_MANY)).is_some() {
        taken += 1;
        assert!(taken < 100, "no bound");
    }
    assert!(taken > 0);
    assert!(disks.put(&key(1_000), object("short")).is_some());
    let waiting: u64 = disks.reports().map(|report| report.waiting_bytes).sum();
    let longest = TOO_MANY as usize * crate::BLOCK;
    assert!(waiting as usize > longest, "{waiting}");
    assert!((waiting as usize) < MOST_WAITING + MOST_LONG + longest, "{waiting}");
    drop(go);
    assert!(disks.flush().await);
    assert!(disks.look_up(&key(1_000)).await.is_some());
}

#[tokio::test]
async fn a_long_body_that_is_removed_while_it_is_written_is_gone() {
    let disk = SimulatedDisk::default();
    let disks = over_roomy(&disk);
    for number in 0..8 {
        disks.put(&key(number), long(TOO_MANY));
        // Whenever that comes: before it, between two parts or behind it.
        for _ in 0..number * 50 {
            tokio::task::yield_now().await;
        }
        disks.remove(&key(number));
        assert!(disks.look_up(&key(number)).await.is_none());
        assert!(disks.flush().await && disks.look_up(&key(number)).await.is_none());
    }
    drop(disks);
    let disks = over_roomy(&disk);
    for number in 0..8 {
        assert!(disks.look_up(&key(number)).await.is_none());
    }
}

#[tokio::test]
async fn what_is_put_in_place_of_something_damaged_stays() {
    let disk = SimulatedDisk::default();
    let disks = over_roomy(&disk);
    disks.put(&key(1), object("some bytes that will be damaged"));
    assert!(disks.flush().await);
    let at = place(&disk, b"some bytes");
    disk.flip("data", at, 1);
    let go = hold(&disks).await;
    disks.put(&key(1), object("whole again"));
    // Somebody comes by what is damaged while that waits.
    assert_eq!(body(&disks, &key(1)).await, None);
    drop(go);
    assert!(disks.flush().await && disks.flush().await);
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("whole again"));
    drop(disks);
    disk.flip("data", at, 1);
    assert_eq!(body(&over_roomy(&disk), &key(1)).await.as_deref(), Some("whole again"));
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
        let more: Vec<_> = (0..).map(key).filter(|key| disks.first_choice(key) == "disk 0").take(4).collect();
        // Put again for as long as it takes to see it: a barrier that follows late finds the disk well.
        while states(&disks) != [State::ReadOnly, State::Online] {
            disks.put(&more[1], object("lost"));
            disks.flush().await;
        }
        assert_eq!(body(&disks, &mine).await.as_deref(), Some("mine"));
        assert_eq!(body(&disks, &other).await.as_deref(), Some("other"));
        assert_eq!(body(&disks, &more[1]).await, None);
        // What is its is put on the other meanwhile, and found there.
        while body(&disks, &more[3]).await.as_deref() != Some("elsewhere") {
            disks.put(&more[3], object("elsewhere"));
            disks.flush().await;
        }
        one.set_faults(Faults::default());
        until(&disks, &[State::Online, State::Online]).await;
        disks.put(&more[2], object("again"));
        assert!(disks.flush().await);
        assert_eq!(body(&disks, &more[2]).await.as_deref(), Some("again"));
    }
}

#[tokio::test]
async fn what_is_pinned_is_so_also_on_a_disk_that_is_only_read_for_a_while() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    let mine = key_of_the_first(&disks);
    disks.put(&mine, object("mine"));
    let until = clock::wall() + Duration::from_secs(3_600);
    assert_eq!(disks.pin(&mine, until).await, crate::Pinned::Kept);
    one.set_faults(Faults { writes_fail: Some((0, ErrorKind::Other)), ..Faults::default() });
    let other = (0..).map(key).find(|key| *key != mine && disks.first_choice(key) == "disk 0").unwrap();
    while states(&disks) != [State::ReadOnly, State::Online] {
        disks.put(&other, object("lost"));
        disks.flush().await;
    }
    assert_eq!(body(&disks, &mine).await.as_deref(), Some("mine"));
    assert!(disks.is_pinned(&mine));
    disks.remove(&mine);
    assert!(!disks.is_pinned(&mine));
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
    let mut mine = (0..).map(key).filter(|key| disks.first_choice(key) == "disk 0");
    let kept = mine.next().unwrap();
    let asked: Vec<_> = mine.take(READ_ERRORS as usize).collect();
    for key in asked.iter().chain([&kept]) {
        disks.put(key, object("mine"));
    }
    assert!(disks.flush().await);
    one.set_faults(Faults { reads_fail: Some(0), ..Faults::default() });
    for key in &asked {
        assert_eq!(body(&disks, key).await, None);
    }
    until(&disks, &[State::Offline, State::Online]).await;
    one.set_faults(Faults::default());
    until(&disks, &[State::Online, State::Online]).await;
    assert_eq!(body(&disks, &kept).await.as_deref(), Some("mine"));
}

/// Five who asked for it, one behind the other, had the whole disk left alone, and again when that was back.
#[tokio::test]
async fn one_bad_sector_is_not_a_bad_disk() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("behind a bad sector"));
    assert!(disks.flush().await);
    let at = place(&disk, b"behind") as u64;
    disk.set_faults(Faults { unreadable: Some((at, at + 1)), ..Faults::default() });
    for _ in 0..2 * READ_ERRORS {
        assert_eq!(body(&disks, &key(1)).await, None);
    }
    disks.put(&key(2), object("elsewhere"));
    assert!(disks.flush().await);
    assert_eq!(body(&disks, &key(2)).await.as_deref(), Some("elsewhere"));
    let errors: u64 = disks.reports().map(|report| report.counters.read_errors.value()).sum();
    assert_eq!((states(&disks), errors), (vec![State::Online], 1));
}

#[tokio::test]
async fn a_damaged_object_is_gone_for_good() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("some bytes that will be damaged"));
    assert!(disks.flush().await);
    let at = place(&disk, b"some bytes");
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

#[tokio::test]
async fn what_is_at_hand_is_read_without_a_thread() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("one"));
    assert!(disks.flush().await);
    let stored = disks.look_up(&key(1)).await.unwrap();
    // A record as small as this has been read with its head.
    assert_eq!(stored.read_at_hand(0).unwrap(), "one");
    let block = Bytes::from(vec![7; 8_000]);
    disks.put(
        &key(2),
        Object { blocks: (0..8).map(|number| (number, block.clone())).collect(), ..Object::default() },
    );
    assert!(disks.flush().await);
    let stored = disks.look_up(&key(2)).await.unwrap();
    assert!(matches!(stored.read_at_hand(0), Err(crate::ReadError::NotAtHand)));
    disk.set_faults(Faults { at_hand: true, ..Faults::default() });
    assert_eq!(stored.read_at_hand(0).unwrap(), block);
    let at =
        disk.bytes("data").windows(6_000).position(|window| window.iter().all(|&byte| byte == 7)).unwrap();
    disk.flip("data", at, 1);
    assert!(matches!(stored.read_at_hand(0), Err(crate::ReadError::Damaged)));
    assert!(disks.look_up(&key(2)).await.is_none(), "it is forgotten");
}

/// Or keys could be chosen so that they meet on every node.
#[tokio::test]
async fn attack_46_each_store_has_a_secret_of_its_own() {
    let secret = async |disk: SimulatedDisk| {
        let disks = over(&[&disk]);
        assert!(disks.flush().await);
        match Superblock::read(&*disk.open("store").unwrap()).unwrap() {
            superblock::Found::Superblock(superblock) => superblock.secret,
            found => panic!("{found:?}"),
        }
    };
    let mut secrets = Vec::new();
    for _ in 0..3 {
        secrets.push(secret(SimulatedDisk::default()).await);
    }
    assert!(secrets.is_sorted_by(|one, other| one != other) && !secrets.contains(&0), "{secrets:?}");
}

#[tokio::test]
async fn what_is_new_goes_past_a_disk_whose_writer_hangs() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let hasty = Patience { writes_within: Duration::from_millis(50), ..HURRY };
    let folders = [&one, &two].into_iter().zip(["disk 0", "disk 1"]).map(
        |(disk, label)| -> (String, Box<dyn Folder>, Geometry) {
            (label.to_owned(), Box::new(disk.clone()), GEOMETRY)
        },
    );
    let disks = Disks::over(folders.collect(), hasty, Arc::new(|_: &[u8]| false), Arc::new(|_| {})).unwrap();
    let (go, going) = std::sync::mpsc::sync_channel::<()>(1);
    let going = Mutex::new(Some(going));
    // Whichever comes to it first hangs there.
    let hangs = noted(&disks, move || {
        let going = going.lock().unwrap().take();
        let _ = going.map(|going| going.recv());
        Bytes::new()
    });
    let goes_past = async {
        let mut found = 0;
        while found < 32 {
            found = 0;
            for number in 0..32 {
                disks.put(&key(number), object("new"));
                found += usize::from(body(&disks, &key(number)).await.is_some());
            }
            tokio::task::yield_now().await;
        }
        drop(go);
    };
    tokio::join!(hangs, goes_past);
}
