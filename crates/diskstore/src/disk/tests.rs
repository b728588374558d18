//! A disk's life, with several of them: what each state allows, and what must not come back.

use super::*;
use crate::disks::{Disks, Opening, Step, Walk};
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
    for noted in disks.note(text) {
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
    let at = disk.bytes("data").windows(10).position(|window| window == b"some bytes").unwrap();
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

#[tokio::test]
async fn what_is_noted_is_told_to_the_next_process_before_it_sees_anything() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    disks.put(&key(1), object("here"));
    assert!(
        noted(&disks, || Bytes::from_static(b"first")).await
            && noted(&disks, || Bytes::from_static(b"second")).await
    );
    // By a kill: nothing is closed.
    for disk in [&one, &two] {
        disk.cut_power(|_| 0);
    }
    std::mem::forget(disks);
    let told = Arc::new(Mutex::new(Vec::new()));
    let (hears, third) = (Arc::clone(&told), SimulatedDisk::default());
    let opened = move |found: Found| hears.lock().unwrap().push(found.note);
    let folders = [&one, &two, &third].map(|disk| -> (String, Box<dyn Folder>, Geometry) {
        (format!("{disk:p}"), Box::new(disk.clone()), GEOMETRY)
    });
    let disks = Disks::over(folders.into(), HURRY, Arc::new(|_: &[u8]| false), Arc::new(opened)).unwrap();
    let second = Note::Text(Bytes::from_static(b"second"));
    let told = told.lock().unwrap().clone();
    assert_eq!(told.iter().filter(|note| **note == second).count(), 2, "{told:?}");
    assert!(told.contains(&Note::Nothing) && told.len() == 3);
    third.set_faults(Faults { writes_fail: Some((0, ErrorKind::Other)), ..Faults::default() });
    assert!(!noted(&disks, || Bytes::from_static(b"third")).await);
}

#[tokio::test]
async fn a_disk_without_room_for_a_note_is_written_to_all_the_same() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    assert_eq!(disk.length("note") as u64, crate::note::LENGTH, "there is room for it from the beginning");
    disk.set_faults(Faults { writes_fail: Some((0, ErrorKind::StorageFull)), ..Faults::default() });
    assert!(!noted(&disks, || Bytes::from_static(b"first")).await);
    assert_eq!(states(&disks), [State::Online]);
    disk.set_faults(Faults::default());
    disks.put(&key(1), object("here"));
    assert!(noted(&disks, || Bytes::from_static(b"second")).await);
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("here"));
}

#[tokio::test]
async fn a_store_that_a_full_disk_gives_no_room_for_a_note_is_used_all_the_same_and_none_is_begun_there() {
    let disk = SimulatedDisk::default();
    disk.set_faults(Faults { no_room_for: Some("note"), ..Faults::default() });
    assert_eq!(states(&over(&[&disk])), [State::Offline]);
    // As a version has left it that reserved nothing.
    disk.set_faults(Faults::default());
    let disks = over(&[&disk]);
    disks.put(&key(1), object("here"));
    assert!(disks.flush().await);
    disks.close();
    disk.open("note").unwrap().reserve(0).unwrap();
    disk.set_faults(Faults { no_room_for: Some("note"), ..Faults::default() });
    let disks = over(&[&disk]);
    assert_eq!(states(&disks), [State::Online]);
    assert_eq!(body(&disks, &key(1)).await.as_deref(), Some("here"));
    assert!(!noted(&disks, || Bytes::from_static(b"none")).await);
    assert!(disks.put(&key(2), object("there")).is_some() && disks.flush().await);
    assert_eq!(states(&disks), [State::Online]);
}

#[tokio::test]
async fn a_walk_goes_by_everything_once_a_round_and_not_by_what_is_hidden() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    for number in 0..200 {
        disks.put(&key(number), object("here"));
    }
    assert!(disks.flush().await);
    for number in 0..50 {
        disks.remove(&key(number));
    }
    let mut walks = [Walk::over(0), Walk::over(1)];
    for round in 1..3 {
        let mut seen = Vec::new();
        for walk in &mut walks {
            while walk.passed() < round * Walk::PARTS {
                match disks.walk_on(walk).await {
                    Step::Seen(objects) => seen.extend(objects.into_iter().map(|object| object.key)),
                    Step::PartEnds => assert_eq!(walk.next_part(), walk.passed()),
                    Step::Away => panic!("both are there"),
                }
            }
        }
        seen.sort_unstable();
        let mut expected: Vec<_> = (50..200).map(key).collect();
        expected.sort_unstable();
        assert_eq!(seen, expected);
    }
    two.set_faults(Faults { reads_fail: Some(0), ..Faults::default() });
    let [one, two] = &mut walks;
    let (mut away, before) = (0, one.passed());
    for _ in 0..500 {
        assert!(!matches!(disks.walk_on(one).await, Step::Away));
        away += u32::from(matches!(disks.walk_on(two).await, Step::Away));
    }
    assert!(away > 0 && one.passed() > before);
}

#[tokio::test]
async fn a_disk_that_was_away_in_between_is_told_from_one_that_was_there_all_the_time() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let disks = over(&[&one, &two]);
    disks.put(&key(1), object("here"));
    assert!(disks.flush().await);
    let before = disks.openings();
    assert!(before.iter().all(Option::is_some) && before == disks.openings());
    two.set_faults(Faults { gone: true, ..Faults::default() });
    until(&disks, &[State::Online, State::Offline]).await;
    assert_eq!(disks.openings(), [before[0].clone(), None]);
    two.set_faults(Faults::default());
    until(&disks, &[State::Online, State::Online]).await;
    let after = disks.openings();
    assert!(after[0] == before[0] && after[1] != before[1]);
    let store = |openings: &[Option<Opening>]| openings[1].as_ref().unwrap().store();
    assert_eq!(store(&after), store(&before), "it is the same disk");
}

#[tokio::test]
async fn a_disk_that_one_process_lets_go_is_the_next_one_s() {
    let disk = SimulatedDisk::default();
    let old = over(&[&disk]);
    old.put(&key(1), object("one"));
    old.put(&key(2), object("two"));
    assert!(old.flush().await);
    let new = over(&[&disk]);
    assert_eq!(states(&new), [State::Opening], "it comes up without it");
    // What the new one learns before it has the disk is not hidden by what lies there.
    new.remove(&key(2));
    let reading = old.look_up(&key(1)).await.unwrap();
    old.put(&key(3), object("three"));
    old.let_go();
    assert!(old.look_up(&key(1)).await.is_none() && old.put(&key(4), object("four")).is_none());
    assert_eq!(body(&new, &key(1)).await.as_deref(), Some("one"), "it is waited for");
    assert_eq!(states(&new), [State::Online]);
    assert_eq!(reading.read(vec![0]).await.unwrap()[0], "one", "it is read to its end");
    drop(reading);
    assert_eq!(body(&new, &key(2)).await, None);
    assert_eq!(body(&new, &key(3)).await.as_deref(), Some("three"));
    assert_eq!(states(&old), [State::Offline]);
    old.flush().await;
    assert_eq!(
        (states(&old), states(&new)),
        (vec![State::Offline], vec![State::Online]),
        "it does not come back"
    );
}

#[tokio::test]
async fn what_is_put_before_the_disk_is_let_go_is_written_when_it_is() {
    let disk = SimulatedDisk::default();
    let old = over(&[&disk]);
    for number in 0..3 {
        old.put(&key(number), object("old"));
    }
    assert!(old.flush().await);
    let new = over(&[&disk]);
    assert!(new.is_worth_asking(&key(0)) && !new.may_hold(&key(0)), "who knows");
    assert!(new.put(&key(0), object("new")).is_none(), "it has no name yet");
    new.put(&key(1), object("new"));
    new.remove(&key(1));
    assert!(!new.is_worth_asking(&key(1)));
    old.let_go();
    until(&new, &[State::Online]).await;
    assert!(new.flush().await);
    for (number, expected) in [(0, Some("new")), (1, None), (2, Some("old"))] {
        assert_eq!(body(&new, &key(number)).await.as_deref(), expected, "{number}");
    }
    let dropped: u64 = new.reports().map(|report| report.counters.dropped_writes.value()).sum();
    assert_eq!(dropped, 0);
}

#[tokio::test]
async fn nobody_waits_to_have_something_noted_on_a_disk_that_is_opening() {
    let (one, two) = (SimulatedDisk::default(), SimulatedDisk::default());
    let _old = over(&[&one]);
    let new = over(&[&one, &two]);
    assert!(!noted(&new, || Bytes::from_static(b"noted")).await && !new.flush().await);
    assert_eq!(states(&new), [State::Opening, State::Online]);
    assert!(two.bytes("note").windows(5).any(|window| window == b"noted"), "the other has it");
}

#[tokio::test]
async fn a_note_says_what_is_known_when_the_disk_comes_to_write_it() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    let (go, going) = std::sync::mpsc::sync_channel(1);
    let (known, going) = (Arc::new(Mutex::new("early")), Mutex::new(going));
    let busy = move || {
        going.lock().unwrap().recv().unwrap();
        Bytes::from_static(b"before")
    };
    let knows = Arc::clone(&known);
    let text = move || Bytes::from(*knows.lock().unwrap());
    let learns = async {
        *known.lock().unwrap() = "found when it was opened";
        go.send(()).unwrap();
    };
    assert_eq!(tokio::join!(noted(&disks, busy), noted(&disks, text), learns), (true, true, ()));
    let noted = disk.bytes("note");
    assert!(
        noted.windows(5).any(|window| window == b"found")
            && !noted.windows(5).any(|window| window == b"early")
    );
}

#[tokio::test]
async fn a_process_that_has_let_a_disk_go_reads_on_and_is_never_given_what_the_next_one_wrote_there() {
    let disk = SimulatedDisk::default();
    let old = over(&[&disk]);
    let long = |byte: u8| Object { blocks: vec![(0, vec![byte; 8_000].into())], ..Object::default() };
    let version = old.put(&key(1), long(1)).unwrap();
    // Its first block lies in another record than the one that is read with its head.
    old.extend(&key(1), version, vec![(1, Bytes::from_static(b"end"))]);
    assert!(old.flush().await);
    let reading = old.look_up(&key(1)).await.unwrap();
    let new = over(&[&disk]);
    old.let_go();
    until(&new, &[State::Online]).await;
    assert!(new.flush().await);
    assert_eq!(reading.read(vec![0]).await.unwrap()[0], vec![1; 8_000]);
    // Round the whole log, and over it.
    for number in 2..200 {
        new.put(&key(number), long(2));
    }
    assert!(new.flush().await);
    assert!(matches!(reading.read(vec![0]).await, Err(crate::ReadError::Gone)));
    let failures: u64 = old.reports().map(|report| report.counters.checksum_failures.value()).sum();
    assert_eq!(failures, 0, "the disk is well");
}

#[tokio::test]
async fn a_disk_that_another_process_keeps_is_not_waited_for() {
    let disk = SimulatedDisk::default();
    let _other = over(&[&disk]);
    let hasty = Patience { comes_within: Duration::ZERO, ..HURRY };
    let folders: Vec<(String, Box<dyn Folder>, Geometry)> =
        vec![("disk".into(), Box::new(disk.clone()), GEOMETRY)];
    let disks = Disks::over(folders, hasty, Arc::new(|_: &[u8]| false), Arc::new(|_| {})).unwrap();
    assert_eq!(states(&disks), [State::Offline]);
    assert!(!disks.is_worth_asking(&key(1)) && disks.look_up(&key(1)).await.is_none());
}

#[tokio::test]
async fn a_disk_that_was_left_alone_when_its_process_ended_is_told_apart() {
    let disk = SimulatedDisk::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let open = || {
        let (hears, folder) = (Arc::clone(&told), Box::new(disk.clone()));
        let opened = move |found: Found| hears.lock().unwrap().push((found.left, found.note));
        let folders: Vec<(String, Box<dyn Folder>, Geometry)> = vec![("disk".into(), folder, GEOMETRY)];
        Disks::over(folders, HURRY, Arc::new(|_: &[u8]| false), Arc::new(opened)).unwrap()
    };
    let text = || Bytes::from_static(b"orders");
    let last = Note::Text(text());
    let disks = open();
    for is_noted in [false, true] {
        if is_noted {
            assert!(noted(&disks, text).await);
        }
        disk.set_faults(Faults { gone: true, ..Faults::default() });
        until(&disks, &[State::Offline]).await;
        assert!(disks.owed().is_empty());
        disks.remove(&key(1));
        assert_eq!(disks.owed(), ["disk"]);
        disk.set_faults(Faults::default());
        until(&disks, &[State::Online]).await;
        disks.flush().await;
        assert!(disks.owed().is_empty());
    }
    assert!(told.lock().unwrap().drain(..).all(|(left, _)| !left), "this process has told it everything");
    disk.set_faults(Faults { gone: true, ..Faults::default() });
    until(&disks, &[State::Offline]).await;
    disks.remove(&key(1));
    drop(disks);
    disk.set_faults(Faults::default());
    let disks = open();
    assert_eq!(told.lock().unwrap().pop(), Some((true, last.clone())));
    assert!(noted(&disks, text).await);
    drop(disks);
    drop(open());
    assert_eq!(told.lock().unwrap().pop(), Some((false, last)));
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

/// What was removed while the thread that writes was held up, of a disk that is closed and whose other users have not let it go.
async fn closed_while_held(within: Duration, holds_on: bool) -> (Option<String>, bool) {
    let disk = SimulatedDisk::default();
    let disks = Arc::new(over(&[&disk]));
    disks.put(&key(1), object("old"));
    assert!(disks.flush().await);
    let (go, going) = std::sync::mpsc::sync_channel(1);
    let (held, holding) = std::sync::mpsc::sync_channel(1);
    let going = Mutex::new(going);
    let busy = move || {
        let _ = held.send(());
        let _ = going.lock().unwrap().recv();
        Bytes::new()
    };
    let removes = async {
        holding.recv().unwrap();
        disks.remove(&key(1));
        if !holds_on {
            go.send(()).unwrap();
        }
        disks.close_within(within);
    };
    tokio::select! { biased; _ = noted(&disks, busy) => panic!("it is held"), () = removes => {} }
    // The process ends here: nothing is dropped.
    disk.cut_power(|_| 0);
    std::mem::forget(disks);
    let told = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&told);
    let opened = move |found: Found| hears.store(found.left, Ordering::SeqCst);
    let folders: Vec<(String, Box<dyn Folder>, Geometry)> =
        vec![("disk 0".into(), Box::new(disk.clone()), GEOMETRY)];
    let next = Disks::over(folders, HURRY, Arc::new(|_: &[u8]| false), Arc::new(opened)).unwrap();
    drop(go);
    (body(&next, &key(1)).await, told.load(Ordering::SeqCst))
}

#[tokio::test]
async fn a_process_that_ends_waits_until_what_was_removed_is_written_down() {
    assert_eq!(closed_while_held(Duration::from_secs(60), false).await, (None, false));
}

#[tokio::test]
async fn a_disk_that_does_not_end_in_time_is_told_that_it_was_left_alone() {
    assert_eq!(closed_while_held(Duration::ZERO, true).await, (Some("old".into()), true));
}

#[tokio::test]
async fn what_was_removed_is_written_down_at_the_end_also_on_a_disk_that_is_spared_writes() {
    let disk = SimulatedDisk::default();
    let spared = Patience { first_wait: Duration::from_secs(3_600), longest_wait: Duration::MAX, ..HURRY };
    let folders: Vec<(String, Box<dyn Folder>, Geometry)> =
        vec![("disk 0".into(), Box::new(disk.clone()), GEOMETRY)];
    let disks = Disks::over(folders, spared, Arc::new(|_: &[u8]| false), Arc::new(|_| {})).unwrap();
    disks.put(&key(1), object("old"));
    assert!(disks.flush().await);
    disk.set_faults(Faults { writes_fail: Some((0, ErrorKind::Other)), ..Faults::default() });
    disks.remove(&key(1));
    until(&disks, &[State::ReadOnly]).await;
    disk.set_faults(Faults::default());
    disks.close();
    assert_eq!(body(&over(&[&disk]), &key(1)).await, None);
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
