//! Attack 69: kill -9 in the middle of everything, and then an edge that has its disk and nobody to ask.

use crate::{ask, body, edge, is_online, origin};
use std::sync::mpsc::{SyncSender, sync_channel};

/// How many answers there are before the edge is killed.
const KILLED_AFTER: [usize; 6] = [3, 120, 40, 11, 200, 77];
const CLIENTS: usize = 4;
const OBJECTS: usize = 60;
/// Answers that nobody has looked at yet.
const ANSWERS: usize = 16;
const LENGTHS: [usize; 4] = [700, 60_000, 300_000, 700_000];

/// A third of the objects are others in each round.
fn target(number: usize, round: usize) -> String {
    let version = if number.is_multiple_of(3) { round } else { 0 };
    format!("/{}/{number}-{version}", LENGTHS[number % LENGTHS.len()])
}

/// Asks for one object after the other, in an order of its own, as long as there is an edge.
fn load(edge: std::net::SocketAddr, round: usize, client: usize, answered: &SyncSender<()>) {
    // Seven and sixty have nothing in common.
    for step in 0.. {
        let number = (client * 17 + step * 7) % OBJECTS;
        let Ok((200, _)) = ask(edge, &target(number, round)) else { return };
        if answered.send(()).is_err() {
            return;
        }
    }
}

#[test]
fn attack_69_killed_under_load_it_gives_what_it_has_and_nothing_else() {
    let nobody = "127.0.0.1:1".parse().expect("an address");
    let disk = tempfile::tempdir().expect("a scratch folder");
    let origin = origin();
    let mut held = 0;
    for (round, answers) in KILLED_AFTER.into_iter().enumerate() {
        let killed = edge(origin.address, disk.path());
        is_online(&killed, disk.path());
        let address = killed.address();
        let (sender, answered) = sync_channel(ANSWERS);
        let clients: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let sender = sender.clone();
                std::thread::spawn(move || load(address, round, client, &sender))
            })
            .collect();
        for _ in 0..answers {
            answered.recv().expect("the edge answers");
        }
        drop((killed, answered));
        for client in clients {
            client.join().expect("nobody was answered with nonsense");
        }

        let after = edge(nobody, disk.path());
        is_online(&after, disk.path());
        for number in 0..OBJECTS {
            let target = target(number, round);
            let (status, answered) = ask(after.address(), &target).expect("an answer");
            match status {
                200 => {
                    assert!(answered == body(&target), "{target} in round {round}: {} bytes", answered.len())
                }
                _ => assert_eq!(status, 504, "{target} in round {round}"),
            }
            held += usize::from(status == 200);
        }
    }
    assert!(held > OBJECTS, "{held} of {} were held", OBJECTS * KILLED_AFTER.len());
}
