//! A few clients of a herd, watched closely: when did each one's first byte come?
//!
//! The kernel notes the time of each packet, but merges what waits in a receive queue and then tells the time of the
//! last: a first byte must be taken soon after it came. To do that for all of ten thousand would take the CPU from the
//! edge that is being measured; for a few hundred, evenly spread over the herd, it takes none to speak of.

use anyhow::{Context, Result, ensure};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg};
use std::collections::BTreeMap;
use std::io::{self, IoSliceMut};
use std::net::TcpStream;
use std::os::fd::AsRawFd;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::io::Interest;
use tokio::task::JoinSet;

/// Clients watched: enough for a p99, a fiftieth of the largest herd.
pub(super) const WATCHED: usize = 200;
/// For the last of them to get its first byte.
const ARRIVE_WITHIN: Duration = Duration::from_secs(20);

/// First bytes by client, since 1970.
pub(super) type FirstBytes = BTreeMap<usize, Duration>;

/// Watches until each has its first byte.
pub(super) struct Watch(JoinHandle<Result<FirstBytes>>);

impl Watch {
    /// Begins. The sockets are in non-blocking mode from now on, whoever else holds them.
    pub(super) fn begin(clients: Vec<(usize, TcpStream)>) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let mut waiting = JoinSet::new();
        {
            let _inside = runtime.enter();
            for (which, client) in clients {
                client.set_nonblocking(true)?;
                let client = tokio::net::TcpStream::from_std(client)?;
                waiting.spawn(async move {
                    let at = client.async_io(Interest::READABLE, || first_byte(&client)).await;
                    at.map(|at| (which, at))
                });
            }
        }
        let watching = std::thread::Builder::new().name("watch".to_owned()).spawn(move || {
            runtime.block_on(async {
                tokio::time::timeout(ARRIVE_WITHIN, all(waiting))
                    .await
                    .with_context(|| format!("some got no first byte within {ARRIVE_WITHIN:?}"))?
            })
        })?;
        Ok(Self(watching))
    }

    /// Waits for the last.
    pub(super) fn end(self) -> Result<FirstBytes> {
        self.0.join().map_err(|_| anyhow::anyhow!("the watch panicked"))?
    }
}

async fn all(mut waiting: JoinSet<io::Result<(usize, Duration)>>) -> Result<FirstBytes> {
    let mut first = FirstBytes::new();
    while let Some(ended) = waiting.join_next().await {
        let (which, at) = ended.context("a watcher panicked")?.context("no first byte")?;
        first.insert(which, at);
    }
    ensure!(!first.is_empty(), "nobody was watched");
    Ok(first)
}

/// Takes one byte, and from the kernel the time when it came.
fn first_byte(client: &impl AsRawFd) -> io::Result<Duration> {
    let mut byte = [0];
    let mut room = [IoSliceMut::new(&mut byte)];
    let mut control = nix::cmsg_space!(nix::sys::time::TimeSpec);
    let message = recvmsg::<()>(client.as_raw_fd(), &mut room, Some(&mut control), MsgFlags::empty())?;
    if message.bytes == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let stamp = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(stamp) => Some(Duration::from(stamp)),
        _ => None,
    });
    stamp.ok_or_else(|| io::Error::other("the kernel gave no timestamp"))
}
