//! What processes that share the sockets tell each other while both serve: a unix socket between the two that goes with the
//! handover (unix(7), SOCK_SEQPACKET), a message a text.
//!
//! ```text
//! one process        the other
//!      ── "." ────────►        whoever listens says so first
//!      ◄──────── "." ──
//!      ── "+text" ────►        heard, and carried out
//!      ◄──────── "." ──
//! ```
//!
//! Both ways alike, one text at a time each way: neither ever waits for room while the other waits for it.

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

/// Longest message: what a request's head is at most, escaped, and room to spare. The kernel takes twice as much.
const MAX_MESSAGE: usize = 96 * 1_024;
/// Texts that wait for those before them.
const WAITING: usize = 1_024;
/// Longest wait until a text was heard; who does not answer then is told nothing any more.
const HEARD_WITHIN: Duration = Duration::from_secs(5);

/// Longest wait of who tells a text and those before it. It is told later all the same where there was room for it.
const TOLD_WITHIN: Duration = Duration::from_secs(10);

/// Before a text.
const TEXT: u8 = b'+';
/// Says that the last text was heard, and before all that somebody listens.
const HEARD: &[u8] = b".";

/// What a service does with processes that share its sockets. Called on threads of their own.
pub trait Kin: Send + Sync + 'static {
    /// A process is there, and hears what it is told from now on.
    fn joined(&self, link: &Link);
    /// It says `text`, and is told that this was heard when this returns.
    fn hear(&self, link: &Link, text: &str);
    /// It is gone.
    fn left(&self, link: &Link);
}

/// A way to tell another process something. Clones are the same.
#[derive(Debug, Clone)]
pub struct Link(mpsc::Sender<Tell>);

/// A text on its way, and who waits until it was heard.
#[derive(Debug)]
struct Tell {
    text: String,
    heard: oneshot::Sender<()>,
}

impl Link {
    /// Tells it; whether it was heard, and what has to be done for it has been done there, within ten seconds.
    pub async fn tell(&self, text: String) -> bool {
        let (heard, hears) = oneshot::channel();
        let told = async { self.0.send(Tell { text, heard }).await.is_ok() && hears.await.is_ok() };
        timeout(TOLD_WITHIN, told).await.unwrap_or(false)
    }

    /// Tells it without waiting; `false` where it is gone, or too much waits already.
    pub fn tell_later(&self, text: String) -> bool {
        let (heard, _) = oneshot::channel();
        self.0.try_send(Tell { text, heard }).is_ok()
    }

    /// Whether both lead to the same process.
    pub fn is(&self, other: &Self) -> bool {
        self.0.same_channel(&other.0)
    }
}

/// Both ends.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Listens at an end until the other process is gone, which `gone` hears of by being dropped.
pub(crate) fn open(end: OwnedFd, kin: Arc<dyn Kin>, gone: oneshot::Sender<()>) -> io::Result<()> {
    let reading = UnixStream::from(end);
    reading.set_write_timeout(Some(HEARD_WITHIN))?;
    let writing = reading.try_clone()?;
    std::thread::Builder::new().name("kin".to_owned()).spawn(move || {
        // One that dies is gone as one that ends: which it is says who waits for it.
        if let Err(error) = listen(reading, writing, &*kin)
            && !is_end(&error)
        {
            tracing::warn!(%error, "another process that shares the sockets is not heard any more");
        }
        drop(gone);
    })?;
    Ok(())
}

fn listen(mut reading: UnixStream, writing: UnixStream, kin: &dyn Kin) -> io::Result<()> {
    let mut room = vec![0; MAX_MESSAGE + 1];
    reading.write_all(HEARD)?;
    // An older version closes it without a word.
    if reading.read(&mut room)? == 0 {
        return Ok(());
    }
    let (sender, tells) = mpsc::channel(WAITING);
    let (answers, answered) = sync_channel(1);
    std::thread::Builder::new().name("kin".to_owned()).spawn(move || tell(writing, tells, &answered))?;
    let link = Link(sender);
    kin.joined(&link);
    let heard = converse(&mut reading, &mut room, kin, &link, &answers);
    kin.left(&link);
    heard
}

fn converse(
    socket: &mut UnixStream,
    room: &mut [u8],
    kin: &dyn Kin,
    link: &Link,
    answers: &SyncSender<()>,
) -> io::Result<()> {
    loop {
        let length = match socket.read(room) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            length => length?,
        };
        match &room[..length] {
            [] => return Ok(()),
            // Nobody waits where there are more answers than texts.
            HEARD => {
                let _ = answers.try_send(());
            }
            [TEXT, text @ ..] if length <= MAX_MESSAGE => {
                let text = std::str::from_utf8(text).map_err(|_| io::ErrorKind::InvalidData)?;
                kin.hear(link, text);
                socket.write_all(HEARD)?;
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// Whether the other process is gone. One that ends with something unread resets it.
fn is_end(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

/// Tells one text after the other, until nobody has any or one was not heard.
fn tell(mut socket: UnixStream, mut tells: mpsc::Receiver<Tell>, answered: &Receiver<()>) {
    while let Some(Tell { text, heard }) = tells.blocking_recv() {
        let message = [&[TEXT], text.as_bytes()].concat();
        if message.len() > MAX_MESSAGE {
            continue;
        }
        let sent = socket.write_all(&message).is_ok();
        if !sent || answered.recv_timeout(HEARD_WITHIN).is_err() {
            // Before whoever told it knows: nobody is to believe afterwards that a text is told.
            tells.close();
            break;
        }
        // Who has told it need not have waited.
        let _ = heard.send(());
    }
    // Whoever listens at this end hears that it is over.
    let _ = socket.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Notes what it hears, and gives whoever joins.
    struct Noting {
        heard: Mutex<Vec<String>>,
        joined: SyncSender<Link>,
    }

    impl Kin for Noting {
        fn joined(&self, link: &Link) {
            self.joined.send(link.clone()).unwrap();
        }

        fn hear(&self, _: &Link, text: &str) {
            self.heard.lock().unwrap().push(text.to_owned());
        }

        fn left(&self, _: &Link) {}
    }

    fn noting() -> (Arc<Noting>, Receiver<Link>) {
        let (joined, joins) = sync_channel(1);
        (Arc::new(Noting { heard: Mutex::default(), joined }), joins)
    }

    fn opened(end: OwnedFd, kin: &Arc<Noting>) -> oneshot::Receiver<()> {
        let (gone, hears) = oneshot::channel();
        open(end, Arc::clone(kin) as Arc<dyn Kin>, gone).unwrap();
        hears
    }

    #[tokio::test]
    async fn what_one_is_told_it_has_heard_when_the_other_knows_so() {
        let (ours, theirs) = pair().unwrap();
        let ((here, joins_here), (there, joins_there)) = (noting(), noting());
        let (gone_here, gone_there) = (opened(ours, &here), opened(theirs, &there));
        let (to_there, to_here) = (joins_here.recv().unwrap(), joins_there.recv().unwrap());
        for number in 0..100 {
            let told = tokio::join!(to_there.tell(number.to_string()), to_here.tell(number.to_string()));
            assert_eq!(told, (true, true));
            let heard = |kin: &Noting| kin.heard.lock().unwrap().last().cloned();
            assert_eq!((heard(&here), heard(&there)), (Some(number.to_string()), Some(number.to_string())));
        }
        assert!(!to_there.tell("x".repeat(MAX_MESSAGE)).await, "it is never cut");
        assert!(to_there.tell("x".repeat(MAX_MESSAGE - 1)).await);
        assert!(to_there.is(&to_there.clone()) && !to_there.is(&to_here));
        // One that lets go is gone for both.
        drop(to_there);
        drop(joins_here);
        let _ = to_here;
        drop((gone_here, gone_there));
    }

    /// There was no end where others, each of which was heard in time, waited before it.
    #[tokio::test(start_paused = true)]
    async fn one_that_hears_slowly_is_not_waited_for_for_ever() {
        let (sender, mut tells) = mpsc::channel(1);
        let link = Link(sender);
        // The first has room, the other has none.
        let told = tokio::join!(link.tell("first".to_owned()), link.tell("second".to_owned()));
        assert_eq!(told, (false, false));
        assert_eq!(tells.recv().await.unwrap().text, "first", "it is told all the same");
        assert!(tells.try_recv().is_err());
    }

    #[tokio::test]
    async fn one_that_closes_is_gone_and_told_nothing() {
        let (ours, theirs) = pair().unwrap();
        let (here, joins) = noting();
        let gone = opened(ours, &here);
        // As an older version does.
        drop(theirs);
        assert!(gone.await.is_err());
        assert!(joins.try_recv().is_err());
        let (ours, theirs) = pair().unwrap();
        let gone = opened(ours, &here);
        let mut other = UnixStream::from(theirs);
        other.write_all(HEARD).unwrap();
        let link = joins.recv().unwrap();
        drop(other);
        assert!(gone.await.is_err());
        assert!(!link.tell("x".to_owned()).await && !link.tell_later("x".to_owned()));
    }
}
