//! Tickets that many show, and tickets that are shown late.

use super::*;
use crate::places::{COUNTS_S, MOST_USES};

/// So many who are given tickets at the bell, where one a second may begin and nobody before them has left room.
fn tickets(lines: &mut Lines, count: u64) -> Vec<Ticket> {
    lines.set(0, true, bell());
    let wait = |n| match lines.ask(Class::Usual, None, n, bell()) {
        Verdict::Wait(wait) => Some(wait.ticket),
        Verdict::Admit => None,
    };
    let tickets = (0..count).filter_map(wait).collect();
    lines.set(1, true, bell());
    tickets
}

fn shows(lines: &mut Lines, ticket: &Ticket, second: i64) -> Verdict {
    lines.ask(ticket.class, Some(ticket), 0, after(second * 1_000))
}

/// Once its turn had come, one text in a class's chat let a whole school past the line for two hours.
#[test]
fn a_ticket_that_is_passed_on_lets_in_no_school() {
    let mut lines = Lines::new(Node(7), bell());
    let tickets = tickets(&mut lines, 100);
    look_each_second(&mut lines, 1, 10);
    let school: Vec<_> = (0..1_000).map(|_| shows(&mut lines, &tickets[3], 10)).collect();
    let inside = school.iter().filter(|verdict| **verdict == Verdict::Admit).count();
    assert_eq!(inside, usize::from(MOST_USES));
    for verdict in &school[inside..] {
        let Verdict::Wait(wait) = verdict else { panic!("one more is in") };
        assert!(wait.was_spent && wait.ticket != tickets[3] && wait.ahead > 90, "at the end: {wait:?}");
    }
    // Nobody else has lost anything by that, and who waits is asked nothing.
    assert_eq!(shows(&mut lines, &tickets[4], 10), Verdict::Admit);
    for _ in 0..50 {
        assert!(matches!(shows(&mut lines, &tickets[11], 10), Verdict::Wait(Wait { was_spent: false, .. })));
    }
    look_each_second(&mut lines, 11, 20);
    assert_eq!(shows(&mut lines, &tickets[11], 20), Verdict::Admit, "to wait has used up nothing");
}

#[test]
fn a_ticket_counts_from_its_turn_for_a_lesson() {
    let mut lines = Lines::new(Node(7), bell());
    let tickets = tickets(&mut lines, 6_500);
    let counts = i64::try_from(COUNTS_S).unwrap();
    // More than an hour behind its beginning.
    look_each_second(&mut lines, 1, 4_000 + counts);
    let verdicts = [3_999, 4_001].map(|turn| shows(&mut lines, &tickets[turn], 4_000 + counts));
    assert!(matches!(&verdicts[0], Verdict::Wait(wait) if wait.was_spent), "{verdicts:?}");
    assert_eq!(verdicts[1], Verdict::Admit);
}

/// What is counted for is the time in which a node looked on.
#[test]
fn a_clock_that_is_set_ends_no_ticket() {
    let mut lines = Lines::new(Node(7), bell());
    let tickets = tickets(&mut lines, 100);
    look_each_second(&mut lines, 1, 20);
    assert_eq!(shows(&mut lines, &tickets[5], 3 * 3_600), Verdict::Admit);
    assert_eq!(shows(&mut lines, &tickets[5], -3_600), Verdict::Admit);
}

#[test]
fn a_guests_ticket_is_counted_like_any() {
    let mut lines = Lines::new(Node(7), bell());
    tickets(&mut lines, 100);
    let other = Ticket { class: Class::Usual, serial: 0, issued_at: after(-60_000), node: Node(8) };
    let Verdict::Wait(wait) = shows(&mut lines, &other, 0) else { panic!("nobody is in yet") };
    look_each_second(&mut lines, 1, 3);
    let inside = (0..100).filter(|_| shows(&mut lines, &wait.ticket, 3) == Verdict::Admit).count();
    assert_eq!(inside, usize::from(MOST_USES));
}
