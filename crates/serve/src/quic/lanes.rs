//! The sockets of a process that speaks QUIC, one a core and listener, and packets that came to the wrong one.
//!
//! ```text
//! kernel ─► socket of lane 0 ─┬─ ours ──────────────► endpoint 0
//!                             ├─ lane 1 ─► its inbox ─► endpoint 1
//!                             └─ the process before ours ─► its mail ─► its lane
//! ```
//!
//! While a restart goes on the new process reads the sockets, and sends what is not its own to the old one, which goes on
//! answering its connections over the very same sockets. Only one of them reads at a time.

use super::mail::{Datagram, Mail};
use super::routes::{Home, Routes};
use crate::metrics::Sent;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncUdpSocket, ConnectionId, ConnectionIdGenerator, UdpPoller};
use quinn_proto::InvalidCid;
use std::collections::VecDeque;
use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Lanes of a process; a connection id has one byte for them.
pub(crate) const MAX_LANES: usize = 256;
/// Packets that wait for a core. As any queue of packets it loses what is too much, and QUIC sends it again. At most 3 MiB a
/// lane, and only while somebody else's packets come in a flood.
const MAX_INBOX: usize = 2_048;

/// What the lanes of a process share.
pub(crate) struct Lanes {
    routes: Routes,
    inboxes: Vec<Inbox>,
    /// Where packets of connections go that the process before this one has begun.
    before: Option<Mail>,
}

struct Inbox {
    waiting: Mutex<(VecDeque<Datagram>, Option<Waker>)>,
    /// Whether packets are read from the lane's socket, or another process does that.
    reading: AtomicBool,
}

impl Lanes {
    /// For so many sockets. `before` is what the process before this one has said and given.
    pub(crate) fn new(count: usize, before: Option<(String, Mail)>) -> Arc<Self> {
        let mut next = None;
        let before = before.and_then(|(said, mail)| {
            next = Routes::next(&said);
            next.is_some().then_some(mail)
        });
        let routes = next.unwrap_or_else(Routes::first);
        // Not until the process before this one has stopped.
        let inbox = |_| Inbox { waiting: Mutex::default(), reading: AtomicBool::new(before.is_none()) };
        let inboxes = (0..count.min(MAX_LANES)).map(inbox).collect();
        Arc::new(Self { routes, inboxes, before })
    }

    /// What the next process has to be told.
    pub(crate) fn to_pass_on(&self) -> String {
        self.routes.to_pass_on()
    }

    /// From now on packets are read from the sockets of those lanes for which `reads` says so, and of no others.
    pub(crate) fn read(&self, reads: impl Fn(usize) -> bool) {
        for (lane, inbox) in self.inboxes.iter().enumerate() {
            inbox.reading.store(reads(lane), Ordering::Release);
            inbox.wake();
        }
    }

    /// Puts a packet where it belongs. It may be lost, as any packet.
    pub(super) fn deliver(&self, home: Home, datagram: Datagram) {
        if home.generation != self.routes.generation() {
            if let Some(mail) = &self.before {
                mail.send(&datagram);
            }
        } else if let Some(inbox) = self.inboxes.get(usize::from(home.lane)) {
            inbox.put(datagram);
        }
    }

    /// The same for one that came by mail.
    pub(super) fn deliver_mail(&self, datagram: Datagram) {
        if let Some(home) = self.routes.home_of_packet(&datagram.bytes) {
            self.deliver(home, datagram);
        }
    }

    /// Where a packet belongs that a lane has read, unless that is where it is. What nobody knows the lane looks at itself:
    /// it is a first packet, or noise.
    fn elsewhere(&self, lane: u8, packet: &[u8]) -> Option<Home> {
        let here = Home { generation: self.routes.generation(), lane };
        self.routes.home_of_packet(packet).filter(|home| *home != here)
    }
}

impl std::fmt::Debug for Lanes {
    /// Never a key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} lanes", self.inboxes.len())
    }
}

impl Inbox {
    fn put(&self, datagram: Datagram) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.0.len() < MAX_INBOX {
            waiting.0.push_back(datagram);
        }
        if let Some(waker) = waiting.1.take() {
            waker.wake();
        }
    }

    /// The next; when there is none, `waker` hears of it.
    fn take(&self, waker: &Waker) -> Option<Datagram> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let next = waiting.0.pop_front();
        if next.is_none() {
            waiting.1 = Some(waker.clone());
        }
        next
    }

    fn wake(&self) {
        let waker = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).1.take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// One lane's socket, as its endpoint sees it.
#[derive(Debug)]
pub(super) struct Lane {
    pub(super) lanes: Arc<Lanes>,
    pub(super) number: u8,
    /// The kernel's socket.
    pub(super) socket: Arc<dyn AsyncUdpSocket>,
    /// Counts what is sent.
    pub(super) sent: Sent,
}

impl Lane {
    /// Passes on what is not ours of one read, which may be several packets of one length.
    fn sort(&self, meta: &mut RecvMeta, bytes: &[u8]) {
        let packets = || bytes.chunks(meta.stride.max(1));
        if packets().all(|packet| self.lanes.elsewhere(self.number, packet).is_none()) {
            return;
        }
        let here = Home { generation: self.lanes.routes.generation(), lane: self.number };
        for packet in packets() {
            let home = self.lanes.elsewhere(self.number, packet).unwrap_or(here);
            self.lanes.deliver(home, Datagram::read(meta, packet));
        }
        meta.len = 0;
    }
}

impl AsyncUdpSocket for Lane {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Arc::clone(&self.socket).create_io_poller()
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.socket.try_send(transmit)?;
        self.sent.to(transmit.destination.ip()).inc_by(transmit.contents.len() as u64);
        Ok(())
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let inbox = &self.lanes.inboxes[usize::from(self.number)];
        loop {
            if let Some(datagram) = inbox.take(cx.waker()) {
                datagram.write(&mut meta[0], &mut buffers[0]);
                return Poll::Ready(Ok(1));
            }
            if !inbox.reading.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            let count = std::task::ready!(self.socket.poll_recv(cx, buffers, meta))?;
            for (meta, buffer) in meta[..count].iter_mut().zip(&*buffers) {
                let length = meta.len;
                self.sort(meta, &buffer[..length]);
            }
            if meta[..count].iter().any(|meta| meta.len > 0) {
                return Poll::Ready(Ok(count));
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        self.socket.max_transmit_segments()
    }

    fn max_receive_segments(&self) -> usize {
        self.socket.max_receive_segments()
    }

    fn may_fragment(&self) -> bool {
        self.socket.may_fragment()
    }
}

/// Makes one lane's connection ids.
pub(super) struct Ids {
    pub(super) lanes: Arc<Lanes>,
    pub(super) lane: u8,
}

impl ConnectionIdGenerator for Ids {
    fn generate_cid(&mut self) -> ConnectionId {
        self.lanes.routes.id(self.lane)
    }

    /// What is none of ours is not answered, not even by a stateless reset: its token would be none that a client knows.
    fn validate(&self, id: &ConnectionId) -> Result<(), InvalidCid> {
        self.lanes.routes.home(id).map(|_| ()).ok_or(InvalidCid)
    }

    fn cid_len(&self) -> usize {
        super::routes::ID
    }

    fn cid_lifetime(&self) -> Option<std::time::Duration> {
        None
    }
}
