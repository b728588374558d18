//! Disks whose process ends, or lets them go for the next one.

use super::*;

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
    // It has let go before it says so.
    until(&old, &[State::Offline]).await;
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
