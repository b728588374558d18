//! Mornings of many students, counted.

use super::*;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use std::collections::BinaryHeap;
use timetable::{Class, Opening};

mod passed_on;

fn bell() -> Timestamp {
    "2026-09-01T08:30:00+08:00".parse().unwrap()
}

fn after(ms: i64) -> Timestamp {
    bell() + SignedDuration::from_millis(ms)
}

/// Any numbers, the same each run.
fn seeds() -> impl FnMut() -> u64 {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    }
}

/// Somebody who comes: in class, first at a time in milliseconds behind the bell.
struct Coming(Class, i64);

/// Lets everybody come, wait as told and come again; says when each got in, in order of coming.
fn morning(lines: &mut Lines, coming: &[Coming]) -> Vec<i64> {
    // By time, then by who came first; Retry-After is whole seconds, rounded up.
    let mut due: BinaryHeap<_> =
        coming.iter().enumerate().map(|(who, at)| std::cmp::Reverse((at.1, who))).collect();
    let mut tickets: Vec<Option<Ticket>> = vec![None; coming.len()];
    let mut inside = vec![0; coming.len()];
    let mut seed = seeds();
    while let Some(std::cmp::Reverse((ms, who))) = due.pop() {
        match lines.ask(coming[who].0, tickets[who].as_ref(), seed(), after(ms)) {
            Verdict::Admit => inside[who] = ms,
            Verdict::Wait(wait) => {
                tickets[who] = Some(wait.ticket);
                let seconds = i64::try_from(wait.after.as_millis()).unwrap().div_euclid(1_000) + 1;
                due.push(std::cmp::Reverse((ms + seconds * 1_000, who)));
            }
        }
    }
    inside
}

fn lines(rate: u32) -> Lines {
    let mut lines = Lines::new(Node(7), after(-1_000));
    lines.set(rate, true, after(-1_000));
    lines
}

/// The share of pairs that came in one order and got in in the other.
fn inversions(inside: &[i64]) -> f64 {
    let (mut turned, mut pairs) = (0_u64, 0_u64);
    for (who, first) in inside.iter().enumerate() {
        for second in &inside[who + 1..] {
            pairs += 1;
            turned += u64::from(first > second);
        }
    }
    turned as f64 / pairs as f64
}

#[test]
fn who_comes_first_gets_in_first() {
    // 6,000 within ten seconds where 50 a second may begin: two minutes of waiting.
    let coming: Vec<_> = (0..6_000).map(|n| Coming(Class::Usual, n * 10_000 / 6_000)).collect();
    let inside = morning(&mut lines(50), &coming);
    let turned = inversions(&inside);
    assert!(turned < 0.01, "{:.3} % of pairs turned around", turned * 100.0);
    let last = inside.iter().max().unwrap();
    assert!((118_000..135_000).contains(last), "the last got in after {last} ms");
    // Never more at once than there is room for, but for a second's worth that was saved up.
    for second in 0..140 {
        let within: std::ops::Range<i64> = (second * 1_000)..((second + 1) * 1_000);
        let count = inside.iter().filter(|&ms| within.contains(ms)).count();
        assert!(count <= 150, "{count} in second {second}");
    }
}

#[test]
fn those_before_an_examination_get_in_at_twice_the_capacity() {
    // 200 a second for a minute where 100 may begin, three in ten of them before an examination.
    let class = |n: i64| if n % 10 < 3 { Class::Exam } else { Class::Usual };
    let coming: Vec<_> = (0..12_000).map(|n| Coming(class(n), n * 5)).collect();
    let inside = morning(&mut lines(100), &coming);
    let waited = |class: Class| {
        let of = coming.iter().zip(&inside).filter(move |(who, _)| who.0 == class);
        of.map(|(who, at)| at - who.1).collect::<Vec<_>>()
    };
    let exam = waited(Class::Exam);
    let soon = exam.iter().filter(|&&ms| ms <= 5_000).count();
    assert!(soon as f64 >= 0.999 * exam.len() as f64, "{soon} of {} within five seconds", exam.len());
    assert!(waited(Class::Usual).iter().any(|&ms| ms > 30_000), "the others wait");
}

#[test]
fn under_pressure_only_examinations_get_in() {
    let mut lines = lines(10);
    lines.set(10, false, bell());
    let now = after(2_000);
    assert!(matches!(lines.ask(Class::Usual, None, 0, now), Verdict::Wait(_)));
    assert_eq!(lines.ask(Class::Exam, None, 0, now), Verdict::Admit);
    assert!(!lines.beside(Class::Usual, now));
    lines.set(10, true, after(3_000));
    assert!(lines.beside(Class::Usual, after(4_000)), "room for everybody again");
}

#[test]
fn a_million_who_wait_are_two_numbers() {
    let mut lines = lines(1);
    let before = std::mem::size_of_val(&lines);
    lines.set(0, true, bell());
    for n in 0..1_000_000 {
        let verdict = lines.ask(Class::Usual, None, n, after(i64::try_from(n / 1_000).unwrap()));
        assert!(n == 0 || matches!(verdict, Verdict::Wait(_)));
    }
    assert_eq!(std::mem::size_of_val(&lines), before, "and nothing on the heap grows: two rings of an hour");
    assert!(lines.waiting(Class::Usual) >= 999_999);
}

#[test]
fn a_ticket_of_another_node_keeps_its_time() {
    let mut here = lines(0);
    for n in 0..100 {
        here.ask(Class::Usual, None, 0, after(n * 100));
    }
    let other = |ms| Ticket { class: Class::Usual, serial: 9_999, issued_at: after(ms), node: Node(8) };
    let ahead = |lines: &mut Lines, ms| match lines.ask(Class::Usual, Some(&other(ms)), 0, after(11_000)) {
        Verdict::Wait(wait) => wait.ahead,
        Verdict::Admit => 0,
    };
    // Ten a second were given out here; it counts itself.
    assert_eq!((ahead(&mut here, 5_000), ahead(&mut here, 9_000)), (51, 91));
    // One from before this process began is first, when there is room.
    assert_eq!(ahead(&mut here, -60_000), 1);
    here.set(1, true, after(11_000));
    let seconds = i64::try_from(here.waiting(Class::Usual)).unwrap() + 1;
    look_each_second(&mut here, 11, 11 + seconds);
    let late = after(11_000 + seconds * 1_000);
    assert_eq!(here.ask(Class::Usual, Some(&other(-60_000)), 0, late), Verdict::Admit);
}

/// As a node does, from one second behind the bell to another.
fn look_each_second(lines: &mut Lines, from: i64, until: i64) {
    (from..=until).for_each(|second| lines.advance(after(second * 1_000)));
}

/// Those whose node had gone waited until the last of a line had come in that grew all the morning.
#[test]
fn who_comes_with_another_nodes_ticket_does_not_wait_for_those_who_come_later() {
    let mut here = lines(10);
    let mut guests: Vec<_> = (0..50)
        .map(|n| Ticket { class: Class::Usual, serial: n, issued_at: after(-60_000), node: Node(8) })
        .collect();
    let (mut inside, mut told) = (0, 0);
    for second in 0..30 {
        here.advance(after(second * 1_000));
        // More come anew than there is room for.
        for n in 0..20 {
            here.ask(Class::Usual, None, 0, after(second * 1_000 + n * 50));
        }
        guests.retain_mut(|ticket| {
            match here.ask(Class::Usual, Some(ticket), 0, after(second * 1_000 + 999)) {
                Verdict::Admit => {
                    inside += 1;
                    false
                }
                Verdict::Wait(wait) => {
                    assert_eq!(
                        wait.ticket.issued_at, ticket.issued_at,
                        "a third node places it by its time, too"
                    );
                    told = told.max(wait.ahead);
                    *ticket = wait.ticket;
                    true
                }
            }
        });
        if second == 5 {
            assert!((15..=30).contains(&inside), "{inside}: half of the room is theirs, and not all of it");
        }
    }
    assert_eq!(inside, 50, "before the line had an end");
    assert!((50..=100).contains(&told), "{told}");
    assert!(here.waiting(Class::Usual) > 200);
}

/// Everybody who waited was let in at once.
#[test]
fn a_clock_that_is_set_forward_makes_no_room() {
    let mut lines = lines(10);
    for n in 0..1_000 {
        lines.ask(Class::Usual, None, 0, after(n));
    }
    let waiting = lines.waiting(Class::Usual);
    lines.set(10, true, after(3_600_000));
    assert!(waiting - lines.waiting(Class::Usual) <= 101, "{waiting}, now {}", lines.waiting(Class::Usual));
    let before = lines.waiting(Class::Usual);
    lines.set(10, true, after(3_601_000));
    assert_eq!(before - lines.waiting(Class::Usual), 10, "and goes on");
}

#[test]
fn a_clock_that_is_set_back_lets_nobody_in_twice() {
    let mut lines = lines(10);
    lines.advance(after(10_000));
    lines.advance(after(-3_600_000));
    for _ in 0..10 {
        assert_eq!(lines.ask(Class::Usual, None, 0, after(-3_600_000)), Verdict::Admit);
    }
    assert!(matches!(lines.ask(Class::Usual, None, 0, after(-3_600_000)), Verdict::Wait(_)));
}

/// Half of the room was lost where somebody asked every two milliseconds or nearly: only whole ones were counted, from then on.
#[test]
fn all_time_that_passes_makes_room() {
    let mut lines = lines(100);
    for n in 0..2_000 {
        lines.ask(Class::Usual, None, n, bell());
    }
    let waiting = lines.waiting(Class::Usual);
    for n in 1..=10_000_i64 {
        lines.advance(bell() + SignedDuration::from_micros(n * 1_900));
    }
    let let_in = waiting - lines.waiting(Class::Usual);
    assert!((1_899..=1_900).contains(&let_in), "{let_in} in 19 s at 100 a second");
}

fn opening(offset_s: i64, window_s: i64, soft: bool) -> Opening {
    let from = bell() + SignedDuration::from_secs(offset_s);
    Opening { from, until: from + SignedDuration::from_secs(window_s), class: Class::Usual, soft }
}

#[test]
fn a_slot_opens_at_its_time_and_those_before_it_are_spread() {
    let soft = opening(900, 900, true);
    assert_eq!(slot(&soft, soft.from, 1), Slot::Open);
    let mut seed = seeds();
    let mut thirds = [0; 3];
    for _ in 0..3_000 {
        let Slot::Later { at, soft: true } = slot(&soft, bell(), seed()) else { panic!("open") };
        assert!(at >= soft.from && at < soft.until);
        thirds[usize::try_from(at.duration_since(soft.from).as_secs() / 300).unwrap()] += 1;
    }
    assert!(thirds.iter().all(|&count| (900..1_100).contains(&count)), "{thirds:?}");
    // No window: all at its beginning.
    let sharp = opening(900, 0, false);
    assert_eq!(slot(&sharp, bell(), 99), Slot::Later { at: sharp.from, soft: false });
}

/// Everybody comes within two minutes of the bell. Four provinces of a quarter each at 0, 15, 30 and 45 minutes, without
/// windows: the peak falls to a quarter. With windows of a quarter of an hour it falls by how much longer they are.
#[test]
fn staggering_lowers_the_peak_as_planned() {
    let mut seed = seeds();
    let arrivals: Vec<i64> =
        (0..40_000).map(|_| i64::try_from(seed() % 60_000 + seed() % 60_000).unwrap()).collect();
    let peak = |times: &[i64]| {
        let mut minutes = std::collections::BTreeMap::<i64, u64>::new();
        times.iter().for_each(|ms| *minutes.entry(ms / 10_000).or_default() += 1);
        minutes.into_values().max().unwrap() as f64
    };
    let all = peak(&arrivals);
    let shifted: Vec<i64> =
        arrivals.iter().enumerate().map(|(n, ms)| ms + (n as i64 % 4) * 900_000).collect();
    assert!((all / peak(&shifted) / 4.0 - 1.0).abs() < 0.1, "{}", all / peak(&shifted));
    let spread: Vec<i64> = arrivals
        .iter()
        .enumerate()
        .map(|(n, &ms)| match slot(&opening(900 * (n as i64 % 4 + 1), 900, true), after(ms), seed()) {
            Slot::Open => ms,
            Slot::Later { at, .. } => i64::try_from(at.duration_since(bell()).as_millis()).unwrap(),
        })
        .collect();
    // An hour of even arrivals in steps of ten seconds.
    let planned = all / (40_000.0 / 360.0);
    let fell = all / peak(&spread);
    assert!(fell > planned * 0.7 && fell < planned * 1.1, "by {fell:.1}, planned {planned:.1}");
}

#[test]
fn tickets_are_sealed() {
    let (key, other) = (Key::of(b"a secret of all nodes"), Key::of(b"another"));
    let ticket = Ticket { class: Class::Exam, serial: 12_345, issued_at: bell(), node: Node(0xab) };
    let text = ticket.seal(&key);
    assert!(
        text.len() <= MAX_TICKET && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.'),
        "{text}"
    );
    assert_eq!(Ticket::open(&text, &key, after(60_000)), Ok(ticket));
    assert_eq!(Ticket::open(&text, &other, after(60_000)), Err(InvalidTicket::Seal));
    let forged = text.replacen("12345", "00001", 1);
    assert_eq!(Ticket::open(&forged, &key, after(0)), Err(InvalidTicket::Seal));
    for late in [3 * 3_600_000, -10_000] {
        assert_eq!(Ticket::open(&text, &key, after(late)), Err(InvalidTicket::Outdated), "{late}");
    }
    for none in ["", ".", "1.exam", "2.exam.1.1.0.ff", "1.exam.1.1.zz.ff", "1.exam.1.1.0.0.ff"] {
        assert_eq!(Ticket::open(none, &key, bell()), Err(InvalidTicket::Form), "{none}");
    }
    assert_eq!(format!("{key:?}"), "Key");
}

proptest! {
    #[test]
    fn any_text_is_a_ticket_or_refused(text in ".{0,200}") {
        let _ = Ticket::open(&text, &Key::of(b"x"), bell());
    }

    /// Whatever comes in whatever order: nobody gets in beyond the room there was.
    #[test]
    fn room_is_never_overdrawn(asks in proptest::collection::vec((any::<bool>(), any::<bool>(), 0i64..200), 1..400), rate in 0u32..50) {
        let mut lines = Lines::new(Node(1), bell());
        lines.set(rate, true, bell());
        let mut now = 0;
        let (mut inside, mut waiting) = (0_u64, Vec::new());
        for (exam, guest, pause) in asks {
            now += pause;
            let class = if exam { Class::Exam } else { Class::Usual };
            let brought = Ticket { class, serial: 0, issued_at: after(-60_000), node: Node(8) };
            match lines.ask(class, guest.then_some(&brought), 0, after(now)) {
                Verdict::Admit => inside += 1,
                Verdict::Wait(wait) => waiting.push(wait.ticket),
            }
        }
        for ticket in &waiting {
            inside += u64::from(lines.ask(ticket.class, Some(ticket), 0, after(now)) == Verdict::Admit);
        }
        prop_assert!(inside * 1_000 <= u64::from(rate) * u64::try_from(now).unwrap() + 1_000);
    }
}
