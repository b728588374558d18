//! What orders mean of what lies on disks, and what disks have missed.

use super::*;

fn groups() -> Groups {
    Groups::of_one("http://a")
}

fn at(unix_ms: u64) -> Times {
    Times { run: 1, since_start_ms: unix_ms, unix_ms }
}

fn prefix(text: &str) -> What {
    What::Prefix(text.parse().unwrap())
}

fn key(target: &str) -> CacheKey {
    CacheKey::primary("http", "a", target)
}

fn judge(orders: &Orders, target: &str, store: u64, written: u64) -> Verdict {
    orders.judge(&groups(), &key(target), store, written, Some(&HeaderMap::new()))
}

fn is_gone(orders: &Orders, target: &str, written: u64) -> bool {
    matches!(judge(orders, target, 1, written), Verdict::Gone(_))
}

fn found(store: u64, note: Note) -> Found {
    Found { store, note, left: false }
}

fn noted(store: u64, orders: &Orders) -> Found {
    found(store, Note::Text(orders.to_note(Instant::now(), 0)))
}

#[test]
fn an_order_is_about_what_was_written_before_it() {
    let orders = Orders::default();
    let first = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
    assert!(is_gone(&orders, "/x/1", 0) && is_gone(&orders, "/x/1", first - 1));
    assert!(!is_gone(&orders, "/x/1", first) && !is_gone(&orders, "/y", 0));
    // The clock was set back: numbers go on all the same.
    let second = orders.add(prefix("http://a/x"), Mode::Soft, at(50));
    assert!(second > first);
    let verdict = judge(&orders, "/x/1", 1, first);
    assert!(
        matches!(verdict, Verdict::Softened { since, number, doubted: false } if since == at(50) && number == second),
        "{verdict:?}"
    );
    assert!(
        matches!(orders.judge(&groups(), &key("/x/1"), 1, first, None), Verdict::Kept),
        "sign-posts stay"
    );
    orders.drop_order(first);
    assert!(!is_gone(&orders, "/x/1", 0));
}

#[test]
fn the_next_process_knows_them_and_numbers_go_on() {
    let orders = Orders::default();
    let number = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
    assert!(orders.is_unwritten());
    orders.begin_note();
    let note = orders.to_note(Instant::now(), 0);
    assert!(!orders.is_unwritten());
    let next = Orders::default();
    next.take_in(found(1, Note::Text(note.clone())), 1);
    next.take_in(found(2, Note::Text(note)), 1);
    assert!(is_gone(&next, "/x", number - 1) && !is_gone(&next, "/x", number));
    assert_eq!(next.standing().len(), 1);
    assert_eq!(next.add(prefix("http://a/y"), Mode::Hard, at(7)), number + 1);
}

#[test]
fn what_cannot_be_read_hides_everything_on_that_disk() {
    for note in [Note::Damaged, Note::Text(Bytes::from_static(b"{}"))] {
        let orders = Orders::default();
        orders.take_in(found(1, note), 1_000);
        assert!(is_gone(&orders, "/any", 999) && !is_gone(&orders, "/any", orders.latest()));
        assert!(matches!(judge(&orders, "/any", 2, 999), Verdict::Kept), "another disk's");
    }
    let new = Orders::default();
    new.take_in(found(1, Note::Nothing), 1_000);
    assert!(!is_gone(&new, "/any", 0));
}

#[test]
fn a_disk_that_was_not_there_when_orders_were_dropped_is_not_believed_and_others_are() {
    let orders = Orders::default();
    let early = orders.add(prefix("http://a/x"), Mode::Hard, at(100));
    let old = noted(1, &orders);
    let late = orders.add(prefix("http://a/y"), Mode::Hard, at(200));
    orders.drop_order(early);
    orders.drop_order(late);
    let new = noted(2, &orders);
    // One that was there before the first order, and has nothing noted.
    let oldest = found(3, Note::Nothing);
    for disks in [[&old, &new, &oldest], [&new, &oldest, &old], [&oldest, &old, &new]] {
        let next = Orders::default();
        for disk in disks {
            next.take_in(disk.clone(), 1);
        }
        for (store, gone) in [(1, true), (2, false), (3, true)] {
            let verdict = judge(&next, "/y", store, early);
            assert_eq!(matches!(verdict, Verdict::Gone(_)), gone, "{store}: {verdict:?} {next:?}");
            assert!(matches!(judge(&next, "/y", store, late), Verdict::Kept));
        }
    }
}

#[test]
fn what_a_disk_missed_while_it_was_away_is_asked_about_unless_this_process_has_told_it() {
    let is_doubted = |orders: &Orders, store| matches!(judge(orders, "/any", store, 150), Verdict::Doubted);
    let orders = Orders::default();
    let (one, two) = (found(1, Note::Nothing), found(2, Note::Nothing));
    orders.take_in(one, 100);
    orders.take_in(two, 100);
    let before = noted(2, &orders);
    orders.note_missed(200);
    assert!(!is_doubted(&orders, 2));
    orders.take_in(before.clone(), 300);
    assert!(!is_doubted(&orders, 2), "it was told when it came back");
    let other = noted(1, &orders);
    for disks in [[&before, &other], [&other, &before]] {
        let next = Orders::default();
        for disk in disks {
            next.take_in(disk.clone(), 400);
        }
        assert!(is_doubted(&next, 2) && !is_doubted(&next, 1), "{next:?}");
        assert!(matches!(judge(&next, "/any", 2, 200), Verdict::Kept), "what was written after that");
        assert!(!next.lack_some());
        // Also when it is the only one the next time.
        let last = Orders::default();
        last.take_in(noted(2, &next), 500);
        assert!(is_doubted(&last, 2));
        assert!(last.lack_some() && !last.lack_some());
    }
    let left = Orders::default();
    left.take_in(Found { left: true, ..before }, 400);
    assert!(is_doubted(&left, 2), "nobody else was there to tell");
    // Orders have their say beside it.
    left.add(prefix("http://a/any"), Mode::Soft, at(500));
    let softened = judge(&left, "/any", 2, 150);
    assert!(
        matches!(softened, Verdict::Softened { since, doubted: true, .. } if since == at(500)),
        "{softened:?}"
    );
    left.add(prefix("http://a/any"), Mode::Hard, at(600));
    assert!(matches!(judge(&left, "/any", 2, 150), Verdict::Gone(_)));
}

#[test]
fn more_than_can_stand_while_a_disk_is_away_mean_what_is_older_on_that_alone() {
    let orders = Orders::default();
    for store in [1, 2] {
        orders.take_in(found(store, Note::Nothing), 1);
    }
    let (old, busy) = (noted(2, &orders), orders.add(prefix("http://a/busy/"), Mode::Hard, at(1)));
    let add = |at_ms| {
        let number = orders.add(prefix(&format!("http://a/{at_ms}/")), Mode::Hard, at(at_ms));
        orders.rest(number, vec![1]);
        number
    };
    let numbers: Vec<u64> = (2..MOST as u64 + 12).map(add).collect();
    assert!(orders.standing().len() == MOST && orders.standing()[0] == busy);
    let dropped = numbers[10];
    let is_held = |orders: &Orders| {
        let [one, two, then] = [(1, 0), (2, dropped - 1), (2, dropped)]
            .map(|(store, written)| matches!(judge(orders, "/any", store, written), Verdict::Gone(_)));
        (one, two, then) == (false, true, false)
    };
    assert!(is_held(&orders), "{orders:?}");
    for disks in [[noted(1, &orders), old.clone()], [old.clone(), noted(1, &orders)]] {
        let next = Orders::default();
        disks.into_iter().for_each(|disk| next.take_in(disk, 1));
        assert!(is_held(&next), "{next:?}");
    }
    orders.take_in(old, 1);
    assert!(is_held(&orders), "it is back");
    // Where the one that was there was away, too, what was done on it may be lost.
    orders.take_in(noted(1, &orders), 1);
    add(1_000_000);
    assert!(is_gone(&orders, "/any", busy - 1));
}

#[test]
fn more_than_can_stand_mean_everything_older() {
    let orders = Orders::default();
    let numbers: Vec<u64> = (0..MOST as u64 + 10)
        .map(|at_ms| orders.add(prefix(&format!("http://a/{at_ms}/")), Mode::Hard, at(at_ms)))
        .collect();
    assert_eq!(orders.standing().len(), MOST);
    assert!(is_gone(&orders, "/any", numbers[9] - 1) && !is_gone(&orders, "/any", numbers[9]));
    let long = "x".repeat(8_000);
    for at_ms in 0..200 {
        orders.add(prefix(&format!("http://a/{long}")), Mode::Hard, at(at_ms));
    }
    assert!(orders.to_note(Instant::now(), 0).len() < 1_024 * 1_024);
}

/// What JSON writes in two bytes was counted as one: the note grew longer than a disk takes, and orders were written down no more.
#[tokio::test(start_paused = true)]
async fn what_a_note_writes_in_two_bytes_is_counted_as_two() {
    let (recent, now) = (Recent::default(), Instant::now());
    let orders = Orders::beside(recent.clone());
    let long = "\\\"".repeat(4_000);
    for at_ms in 0..100 {
        let what = prefix(&format!("http://a/{long}{at_ms}"));
        recent.note(what.clone(), now);
        orders.add(what, Mode::Hard, at(at_ms));
    }
    let note = orders.to_note(now, 0).len();
    assert!((512 * 1_024..1_024 * 1_024).contains(&note), "{note} bytes");
}
