//! What the new process is given by the old one, and what it makes of one that dies before it has given all.
//!
//! ```text
//! said "end" ──────────────────────► all of it
//! closed ─┬─ "lives", and hangs up ─► it has died: what it gave is ours, and nobody reads or answers beside us
//!         ├─ "lives", and does not ─► it lives and does not behave
//!         └─ neither ───────────────► it is asked again: by then nobody is there, or somebody who says more
//! ```

use super::packets::{Packet, Packets, hangs_up_within, is_closed};
use super::{LIVES, OUT_OF_SERVICE, READS_ON, WORD_TIMEOUT};
use crate::listener::{Inherited, LINK, MAIL, MAX_SOCKETS};
use std::io;
use std::os::fd::OwnedFd;
use telemetry::Readiness;

/// How often somebody is asked who closes without a word. One that dies closes the conversation before the handover socket, or
/// behind it: the second time is answered by its end at the latest, the third by nobody.
pub(super) const TRIES: usize = 3;

/// What came of the conversation.
pub(super) enum Answer {
    /// All that the other process has.
    All(Given),
    /// The other process is dead, and this is what it has given before.
    Part(Given),
    /// It closed the conversation, and nobody knows why.
    Nothing,
}

/// What another process has given so far.
#[derive(Default)]
pub(super) struct Given {
    sockets: Vec<(String, OwnedFd)>,
    /// Hangs up when it dies; older versions have none.
    pub(super) lives: Option<OwnedFd>,
    /// Whether it reads the UDP sockets which it is left.
    pub(super) reads_on: bool,
    /// Whether it stands aside.
    stands_aside: bool,
}

impl Given {
    /// Takes what is given.
    pub(super) fn take(&mut self, inherited: &mut Inherited, readiness: &Readiness) {
        if self.stands_aside {
            readiness.stand_aside();
        }
        for (name, socket) in self.sockets.drain(..) {
            inherited.add(name, socket);
        }
    }

    /// Takes what is given by one who is dead: at the other end of what leads to it there is nobody.
    pub(super) fn take_from_dead(&mut self, inherited: &mut Inherited, readiness: &Readiness) {
        self.sockets.retain(|(name, _)| name != LINK && !name.starts_with(MAIL));
        self.take(inherited, readiness);
    }
}

/// Hears all that is said.
///
/// # Errors
/// It lives and does not behave.
pub(super) fn hear(packets: &Packets) -> io::Result<Answer> {
    let mut given = Given::default();
    let heard = hear_into(packets, &mut given);
    match (heard, &given.lives) {
        (Ok(()), _) => Ok(Answer::All(given)),
        (Err(error), Some(pipe)) if is_closed(&error) && hangs_up_within(pipe, WORD_TIMEOUT) => {
            Ok(Answer::Part(given))
        }
        // An older version that lives closes it, too: what it has given serves it still.
        (Err(error), None) if is_closed(&error) => Ok(Answer::Nothing),
        (Err(error), _) => Err(error),
    }
}

fn hear_into(packets: &Packets, given: &mut Given) -> io::Result<()> {
    for _ in 0..MAX_SOCKETS {
        match packets.receive()? {
            Packet { word, .. } if word == OUT_OF_SERVICE => given.stands_aside = true,
            Packet { word, .. } if word == READS_ON => given.reads_on = true,
            Packet { word, socket: Some(pipe) } if word == LIVES => given.lives = Some(pipe),
            Packet { word, socket: Some(socket) } => {
                if let Some(name) = word.strip_prefix("socket ") {
                    given.sockets.push((name.to_owned(), socket));
                }
            }
            Packet { word, socket: None } if word == "end" => return Ok(()),
            Packet { .. } => break,
        }
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests {
    use super::super::{Offered, Successor, packets};
    use super::*;
    use faults::Fault;
    use std::io::PipeWriter;
    use std::os::fd::AsFd;
    use std::path::Path;
    use std::sync::Arc;

    /// A process of which only the handover is there.
    struct Old {
        listening: OwnedFd,
        lives: OwnedFd,
        kept: PipeWriter,
    }

    impl Old {
        fn at(path: &Path) -> Self {
            let (lives, kept) = io::pipe().unwrap();
            Self { listening: packets::listen(path).unwrap(), lives: lives.into(), kept }
        }

        fn says(&self, words: &[&str]) -> Packets {
            let packets = Packets::accept(&self.listening).unwrap();
            for word in words {
                let socket = match *word {
                    "end" => None,
                    "socket handover" | OUT_OF_SERVICE => Some(&self.listening),
                    _ => Some(&self.lives),
                };
                packets.send(word, socket.map(AsFd::as_fd)).unwrap();
            }
            packets
        }
    }

    /// All that is said before the end, in its order.
    const WORDS: [&str; 7] = [
        LIVES,
        "socket 192.0.2.1:80",
        "socket udp 192.0.2.1:80",
        "socket quic 1",
        "socket handover",
        "socket link",
        OUT_OF_SERVICE,
    ];

    /// It died with its predecessor: `HANDOVER_FAILED`.
    #[test]
    fn a_predecessor_that_dies_in_the_middle_of_its_words_leaves_what_it_has_given() {
        // Within the backlog, at its first word, and so on.
        for said in std::iter::once(None).chain((0..=WORDS.len()).map(Some)) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("edge.handover");
            let old = Old::at(&path);
            let (mut inherited, readiness) = (Inherited::default(), Readiness::default());
            let successor = std::thread::scope(|scope| {
                let asking = scope.spawn(|| Successor::ask(&path, &mut inherited, &readiness));
                match said {
                    // As soon as somebody waits there.
                    None => while packets::waits_for_nobody(&old.listening) {},
                    Some(count) => drop(old.says(&WORDS[..count])),
                }
                // As the kernel does, one after the other.
                let Old { listening, lives, kept } = old;
                drop((lives, kept));
                drop(listening);
                asking.join().unwrap().unwrap()
            });
            let given: Vec<_> = ["192.0.2.1:80", "udp 192.0.2.1:80"]
                .into_iter()
                .take(said.unwrap_or_default().saturating_sub(1))
                .collect();
            assert_eq!(inherited.left(), given, "{said:?}");
            assert_eq!(readiness.stands_aside(), said == Some(WORDS.len()), "{said:?}");
            // And it has what it takes to go on.
            assert!(successor.predecessor.is_none());
            let _gone = successor.offer(Offered::default(), Arc::default(), |_| {}, None).unwrap();
            let third = Successor::ask(&path, &mut Inherited::default(), &Readiness::default()).unwrap();
            assert!(third.predecessor.is_some(), "{said:?}");
        }
    }

    #[test]
    fn a_predecessor_that_lives_and_does_not_behave_keeps_what_it_has() {
        let misbehaves: [(&[&str], bool); 5] = [
            (&[], true),
            (&["socket 192.0.2.1:80"], true),
            // These wait for a word, or for its end.
            (&[LIVES, "socket 192.0.2.1:80"], true),
            (&[LIVES, "socket 192.0.2.1:80"], false),
            (&[LIVES, "end"], false),
        ];
        std::thread::scope(|scope| {
            for (words, closes) in misbehaves {
                scope.spawn(move || {
                    let folder = tempfile::tempdir().unwrap();
                    let path = folder.path().join("edge.handover");
                    let old = Old::at(&path);
                    let (mut inherited, readiness) = (Inherited::default(), Readiness::default());
                    let error = std::thread::scope(|scope| {
                        let asking = scope.spawn(|| Successor::ask(&path, &mut inherited, &readiness));
                        let mut said = Vec::new();
                        for _ in 0..if words.contains(&LIVES) { 1 } else { TRIES } {
                            said.push(old.says(words));
                            if closes {
                                said.clear();
                            }
                        }
                        asking.join().unwrap().unwrap_err()
                    });
                    assert_eq!(error.code(), "HANDOVER_FAILED", "{words:?}");
                    assert!(inherited.left().is_empty(), "{words:?}");
                });
            }
        });
    }
}
