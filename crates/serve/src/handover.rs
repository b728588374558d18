//! A new process takes the listening sockets of the old one: a restart without a refused connection.
//!
//! Every process with a handover path listens there. One that starts first asks whether somebody does, and then:
//!
//! ```text
//! new process                          old process
//!      ── connects ───────────────────────►
//!      ◄── "lives" + descriptor ──────────  a pipe's end that hangs up when it dies; older versions say it later, or never
//!      ◄── "socket NAME" + descriptor ────  one each, the handover socket itself and a [`link`] among them
//!      ◄── "out of service" ──────────────  if it is; with a descriptor, as older versions pass over
//!      ◄── "reads on" ────────────────────  it reads what it is left; likewise
//!      ◄── "end" ─────────────────────────
//!   starts all cores
//!      ── "leaves NAME" ─────────────────►  each UDP socket that is not configured any more, if it reads on
//!      ── "ready" + descriptor ───────────►  accepts no more, answers what it has begun, ends; a pipe's end that hangs up
//!                                           when the new one dies; older versions give none
//!      ◄── "farewell" ────────────────────
//!      ◄── "in service", "out of service" ─  if it was told so meanwhile; older versions have closed
//! ```
//!
//! UDP sockets (HTTP/3) are read by one process at a time: the old one stops before its farewell. What the new one reads
//! that is for connections of the old one, it sends there ([`crate::quic`]). A socket that it has no use for it leaves to the old
//! one, whose connections are still to be answered.
//!
//! Both accept from the very same sockets in between, so that no connection in the kernel's backlog is lost, as it would
//! be with SO_REUSEPORT and a second set. A new process that dies before it is ready costs nothing. Neither does an old one that
//! dies, or is told to stop, before that: the new one goes on alone with what it has, and opens what it was not given. One that has
//! lost its patience is another thing: it serves on, and the new one has to go.
//!
//! A new process may also die later, while the old one still answers, which by then has no listeners any more but still sends from
//! the UDP sockets: nobody else could bind those. So it reads them again, and answers at the handover socket, for the one that
//! comes next. Where the new one was followed by yet another (it says so by a byte in the pipe), those two see to that.

mod ask;
mod link;
mod packets;

pub(crate) use link::open as open_link;
pub use link::{Kin, Link};

use crate::listener::{ACCEPT_BACK_OFF, Inherited, LINK, MAX_SOCKETS};
use crate::options::Config;
use ask::{Answer, Given};
use faults::{Blame, Fault};
use packets::{Packet, Packets};
use std::io::{self, PipeReader, PipeWriter, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use telemetry::{Check, Readiness};
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Longest wait for the other process's next word while sockets are passed: it has them at hand.
const WORD_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the new process to be ready: it may be reading an index of a million objects.
const READY_TIMEOUT: Duration = Duration::from_secs(120);

/// The name of the handover socket among the sockets.
const HANDOVER: &str = "handover";

/// What a process that stands aside says: the next one does, too.
const OUT_OF_SERVICE: &str = "out of service";
/// What it says once it does not any more.
const IN_SERVICE: &str = "in service";
/// What a process says that goes on reading the UDP sockets which it is left.
const READS_ON: &str = "reads on";
/// What it says with the end of a pipe whose other end it holds for as long as it lives.
const LIVES: &str = "lives";
/// Before the name of each of those sockets.
const LEAVES: &str = "leaves ";
/// What a process says that serves from here on, with the end of a pipe whose other end it holds for as long as it lives.
const READY: &str = "ready";

/// Why sockets could not be taken over or offered.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    /// Nobody can be asked there, and nobody could ask.
    #[error("handover at {}: {source}; create its folder, where this user may write, or choose another path", path.display())]
    Path {
        /// As configured.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody is there and does not behave.
    #[error("handover at {}: {source}; stop the process that holds it, or choose another path", path.display())]
    Other {
        /// As configured.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Somebody is there who listens on nothing that this one is to listen on: another node, by a configuration that was copied.
    #[error("handover at {}: the process that holds it listens elsewhere, and goes on; choose another path, or stop it first", path.display())]
    Stranger {
        /// As configured.
        path: PathBuf,
    },
}

impl Fault for HandoverError {
    fn code(&self) -> &'static str {
        match self {
            Self::Path { .. } => "HANDOVER_PATH",
            Self::Other { .. } => "HANDOVER_FAILED",
            Self::Stranger { .. } => "HANDOVER_STRANGER",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Path { .. } | Self::Stranger { .. } => Blame::Input,
            Self::Other { .. } => Blame::Ours,
        }
    }
}

/// Which of its UDP sockets a process reads.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reads<'a> {
    /// Nobody else reads any.
    All,
    /// Those that the successor leaves to it, by their names.
    Left(&'a [String]),
}

/// The new process's side.
#[derive(Debug)]
pub(crate) struct Successor {
    path: PathBuf,
    /// Set when somebody ran before us, who waits to hear that we are ready.
    predecessor: Option<Predecessor>,
    /// Where our own successor will ask.
    listening: Option<OwnedFd>,
    /// Whether the predecessor reads the UDP sockets which it is left.
    reads_on: bool,
    /// Those, by their names.
    left: Vec<String>,
    /// Where the predecessor hears that we are followed ourselves.
    followed: Option<PipeWriter>,
}

impl Successor {
    /// Asks whoever listens at `path` for its sockets; nobody is no error, nor one who dies meanwhile. Whether it stands aside goes
    /// to `readiness`.
    ///
    /// # Errors
    /// Somebody is there and does not behave, or the path cannot be used.
    pub(crate) fn ask(
        path: &Path,
        inherited: &mut Inherited,
        readiness: &Readiness,
    ) -> Result<Self, HandoverError> {
        let unusable = |source| HandoverError::Path { path: path.to_owned(), source };
        let failed = |source| HandoverError::Other { path: path.to_owned(), source };
        for _ in 0..ask::TRIES {
            let connected = Packets::connect(path, WORD_TIMEOUT).map_err(|source| match source.kind() {
                io::ErrorKind::WouldBlock => failed(source),
                _ => unusable(source),
            });
            let Some(packets) = connected? else {
                let listening = packets::listen(path).map_err(unusable)?;
                return Ok(Self::new(path, None, listening, false));
            };
            packets.set_timeout(WORD_TIMEOUT).map_err(failed)?;
            match ask::hear(&packets).map_err(failed)? {
                Answer::All(mut given) => {
                    given.take(inherited, readiness);
                    let listening = inherited.take_named(HANDOVER).pop();
                    let listening = listening.ok_or_else(|| failed(io::ErrorKind::InvalidData.into()))?;
                    tracing::info!(path = %path.display(), "sockets taken over");
                    let Given { lives, reads_on, .. } = given;
                    let predecessor = Predecessor { packets, lives, passed: Instant::now() };
                    return Ok(Self::new(path, Some(predecessor), listening, reads_on));
                }
                Answer::Part(mut given) => {
                    inherited.giver_dies();
                    given.take_from_dead(inherited, readiness);
                    tracing::warn!(
                        path = %path.display(),
                        "the process before this one died while it passed its sockets; this one goes on alone"
                    );
                    // It comes behind all others. Without it somebody may be there by now.
                    if let Some(listening) = inherited.take_named(HANDOVER).pop() {
                        return Ok(Self::new(path, None, listening, false));
                    }
                }
                Answer::Nothing => {
                    inherited.giver_dies();
                    tracing::warn!(path = %path.display(), "nobody answers for the process before this one; asked again");
                }
            }
        }
        Err(failed(io::ErrorKind::ConnectionReset.into()))
    }

    fn new(path: &Path, predecessor: Option<Predecessor>, listening: OwnedFd, reads_on: bool) -> Self {
        let path = path.to_owned();
        Self { path, predecessor, listening: Some(listening), reads_on, left: Vec::new(), followed: None }
    }

    /// Sees to it that the one before us, if there is one, serves any of what `config` names. Who is refused here costs it nothing.
    ///
    /// # Errors
    /// [`HandoverError::Stranger`].
    pub(crate) fn recognise(&self, inherited: &Inherited, config: &Config) -> Result<(), HandoverError> {
        if self.predecessor.is_none() || inherited.serves(config) {
            Ok(())
        } else {
            Err(HandoverError::Stranger { path: self.path.clone() })
        }
    }

    /// Of what was taken over, nobody here reads these UDP sockets. An older predecessor does not hear of it, and does not either.
    pub(crate) fn leave(&mut self, sockets: Vec<String>) {
        self.left = sockets;
    }

    /// Says that this process serves, so that the one before it may go. What that one was told of standing aside while this one
    /// started goes to `readiness`. One that is gone is waited for no more.
    ///
    /// # Errors
    /// It lives and does not answer. Then both serve; somebody has to look.
    pub(crate) fn ready(&mut self, readiness: &Readiness) -> Result<(), HandoverError> {
        let Some(predecessor) = self.predecessor.take() else { return Ok(()) };
        let packets = &predecessor.packets;
        let (dies, kept) = io::pipe().ok().unzip();
        self.followed = kept.as_ref().and_then(|kept| kept.try_clone().ok());
        // It is closed by the end of the process, whatever ends it, and by nothing before.
        std::mem::forget(kept);
        let mut left = self.left.iter().filter(|_| self.reads_on).map(|name| format!("{LEAVES}{name}"));
        let farewell = left
            .try_for_each(|word| packets.send(&word, None))
            .and_then(|()| packets.send(READY, dies.as_ref().map(AsFd::as_fd)))
            .and_then(|()| packets.receive());
        match farewell {
            Ok(Packet { word, .. }) if word == "farewell" => {
                // Most close without another word.
                match packets.receive().map(|packet| packet.word).as_deref() {
                    Ok(OUT_OF_SERVICE) => readiness.stand_aside(),
                    Ok(IN_SERVICE) => readiness.pass(Check::InService),
                    Ok(_) | Err(_) => {}
                }
                Ok(())
            }
            Ok(_) => Err(io::ErrorKind::InvalidData.into()),
            Err(error) if packets::is_closed(&error) && predecessor.is_gone() => {
                tracing::warn!(
                    path = %self.path.display(),
                    "the process before this one is gone before it was told to; this one goes on alone"
                );
                Ok(())
            }
            Err(error) => Err(error),
        }
        .map_err(|source| HandoverError::Other { path: self.path.clone(), source })
    }

    /// From here on a successor of our own may ask for `sockets`. The receiver hears when one has them and is ready. Where it dies
    /// after that, another may ask for those that are still offered.
    ///
    /// # Errors
    /// The system gives no thread.
    ///
    /// `read` is told which packets are still to be read here, because the successor is about to read the others, and that all
    /// are when it did not hear of that. `kin` hears what successors say, if anybody does.
    pub(crate) fn offer(
        mut self,
        sockets: Offered,
        readiness: Arc<Readiness>,
        read: impl Fn(Reads<'_>) + Send + 'static,
        kin: Option<Arc<dyn Kin>>,
    ) -> Result<oneshot::Receiver<()>, HandoverError> {
        let (gone, hear) = oneshot::channel();
        let path = self.path.clone();
        if let Some(listening) = self.listening.take() {
            let mut followed = self.followed.take();
            // A thread of its own, which sleeps in `accept` for as long as the process lives.
            std::thread::Builder::new()
                .name("handover".to_owned())
                .spawn(move || {
                    let mut gone = Some(gone);
                    while let Some(heir) = serve(&listening, &sockets, &readiness, &read, kin.as_ref()) {
                        if let Some(mut followed) = followed.take() {
                            // Who is gone has no use for it.
                            let _ = followed.write_all(b".");
                        }
                        // The receiver is gone when the process is ending anyhow.
                        let _ = gone.take().map(|gone| gone.send(()));
                        if !heir.dies_alone() {
                            // Nobody asks here any more.
                            return sockets.keep(|_| false);
                        }
                        read(Reads::All);
                        tracing::warn!("the process that had taken over is gone; the next one may ask here");
                    }
                })
                .map_err(|source| HandoverError::Other { path, source })?;
        }
        Ok(hear)
    }
}

/// Who ran before us.
#[derive(Debug)]
struct Predecessor {
    packets: Packets,
    /// Hangs up when it dies; older versions have none.
    lives: Option<OwnedFd>,
    /// When it had said its last word, and began to wait for ours.
    passed: Instant,
}

impl Predecessor {
    /// Whether a process that has closed the conversation is gone, and has not lost its patience with us: then it serves on.
    fn is_gone(&self) -> bool {
        match &self.lives {
            // A dying process closes one thing after the other.
            Some(pipe) => packets::hangs_up_within(pipe, WORD_TIMEOUT),
            None => self.passed.elapsed() < READY_TIMEOUT,
        }
    }
}

/// Who serves after us.
#[derive(Debug)]
struct Heir {
    /// Hangs up when it dies, and says before that whether somebody else has followed it; older versions give none.
    dies: Option<OwnedFd>,
}

impl Heir {
    /// Waits until it is gone: whether nobody has followed it. Of an older version nobody knows.
    fn dies_alone(self) -> bool {
        let Some(pipe) = self.dies.map(PipeReader::from) else { return false };
        packets::is_silent_to_its_end(pipe)
    }
}

/// Sockets that a successor may have, by their names.
///
/// They are handles of their own: what accepts no more but is offered still listens, and clients would wait there for nobody.
#[derive(Clone, Default)]
pub(crate) struct Offered(Arc<Mutex<Vec<(String, OwnedFd)>>>);

impl Offered {
    pub(crate) fn add(&self, name: String, socket: OwnedFd) {
        self.list().push((name, socket));
    }

    /// Offers no others any more.
    pub(crate) fn keep(&self, is_kept: impl Fn(&str) -> bool) {
        self.list().retain(|(name, _)| is_kept(name));
    }

    fn again(&self) -> io::Result<Vec<(String, OwnedFd)>> {
        self.list().iter().map(|(name, socket)| Ok((name.clone(), socket.try_clone()?))).collect()
    }

    fn list(&self) -> MutexGuard<'_, Vec<(String, OwnedFd)>> {
        // Nothing that holds the lock can panic half way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers one successor after the other until one is ready. `None` when the socket itself fails.
fn serve(
    listening: &OwnedFd,
    sockets: &Offered,
    readiness: &Readiness,
    read: &impl Fn(Reads<'_>),
    kin: Option<&Arc<dyn Kin>>,
) -> Option<Heir> {
    // The end that is kept is closed by the end of the process, whatever ends it.
    let (lives, _kept) = match io::pipe() {
        Ok(pipe) => pipe,
        Err(error) => {
            tracing::error!(%error, "nobody can take over from this process");
            return None;
        }
    };
    loop {
        let packets = match Packets::accept(listening) {
            Ok(packets) => packets,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                tracing::warn!("somebody else's process asked for our sockets");
                continue;
            }
            Err(error) if packets::is_passing(&error) => {
                pause();
                continue;
            }
            Err(error) => {
                tracing::error!(%error, "nobody can take over from this process");
                return None;
            }
        };
        match pass(&packets, listening, sockets, &lives, readiness, read, kin) {
            Ok(heir) => return Some(heir),
            Err(error) => {
                read(Reads::All);
                tracing::warn!(%error, "a successor did not become ready; this process goes on");
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the kernel tells nobody when it has descriptors again")]
fn pause() {
    std::thread::sleep(ACCEPT_BACK_OFF);
}

fn pass(
    packets: &Packets,
    listening: &OwnedFd,
    sockets: &Offered,
    lives: &PipeReader,
    readiness: &Readiness,
    read: &impl Fn(Reads<'_>),
    kin: Option<&Arc<dyn Kin>>,
) -> io::Result<Heir> {
    packets.set_timeout(WORD_TIMEOUT)?;
    // Before all that may come to nothing.
    packets.send(LIVES, Some(lives.as_fd()))?;
    for (name, socket) in sockets.again()? {
        packets.send(&format!("socket {name}"), Some(socket.as_fd()))?;
    }
    packets.send(&format!("socket {HANDOVER}"), Some(listening.as_fd()))?;
    if let Some(kin) = kin {
        let (ours, theirs) = link::pair()?;
        packets.send(&format!("socket {LINK}"), Some(theirs.as_fd()))?;
        // Nobody waits for its end: one that does not become ready closes it.
        open_link(ours, Arc::clone(kin), oneshot::channel().0)?;
    }
    let stands_aside = readiness.stands_aside();
    if stands_aside {
        packets.send(OUT_OF_SERVICE, Some(listening.as_fd()))?;
    }
    packets.send(READS_ON, Some(listening.as_fd()))?;
    packets.send("end", None)?;
    packets.set_timeout(READY_TIMEOUT)?;
    let (left, heir) = left_until_ready(packets)?;
    read(Reads::Left(&left));
    packets.send("farewell", None)?;
    // The successor serves from here on, whatever becomes of the last word. What this process would be told behind it, it refuses.
    if readiness.give_away() != stands_aside {
        // Who does not wait for it has taken over all the same.
        let _ = packets.send(if stands_aside { IN_SERVICE } else { OUT_OF_SERVICE }, None);
    }
    // What it has no use for is read here, and nobody's to ask for.
    sockets.keep(|name| !left.iter().any(|left| left == name));
    Ok(heir)
}

/// What a successor leaves, by when it is ready.
fn left_until_ready(packets: &Packets) -> io::Result<(Vec<String>, Heir)> {
    let mut left = Vec::new();
    for _ in 0..MAX_SOCKETS {
        let Packet { word, socket } = packets.receive()?;
        if word == READY {
            return Ok((left, Heir { dies: socket }));
        }
        left.push(word.strip_prefix(LEAVES).ok_or(io::ErrorKind::InvalidData)?.to_owned());
    }
    Err(io::ErrorKind::InvalidData.into())
}

#[cfg(test)]
mod tests;
