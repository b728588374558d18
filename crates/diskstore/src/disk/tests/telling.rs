//! What disks note for the next process, tell of having been away, and show to who walks over all of it.

use super::*;
use crate::disks::{Opening, Step, Walk};

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
                    Step::Seen { objects, .. } => seen.extend(objects.into_iter().map(|object| object.key)),
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

/// Its part counted as not seen, round after round.
#[tokio::test]
async fn an_object_that_cannot_be_read_holds_up_no_walk() {
    let disk = SimulatedDisk::default();
    let disks = over(&[&disk]);
    disks.put(&key(1), object("here"));
    assert!(disks.flush().await);
    disk.set_faults(Faults { unreadable: Some((0, u64::from(GEOMETRY.region))), ..Faults::default() });
    let mut walk = Walk::over(0);
    for expected in [1, 0] {
        let (mut lost_in_round, round) = (0, walk.passed() + Walk::PARTS);
        while walk.passed() < round {
            match disks.walk_on(&mut walk).await {
                Step::Seen { objects, lost } => lost_in_round += lost + 10 * objects.len(),
                Step::PartEnds => {}
                Step::Away => panic!("one bad sector is not a bad disk"),
            }
        }
        assert_eq!(lost_in_round, expected);
    }
    assert_eq!(states(&disks), [State::Online]);
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
