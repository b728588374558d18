//! SRT by libsrt: a thread a destination, because connecting may take seconds and nothing else may wait for it.

mod library;
mod socket;

use crate::destination::{SrtMode, SrtOptions};
use crate::metrics::{Metrics, Way};
use bytes::Bytes;
use socket::{Sent, Socket};
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;
use telemetry::Worker;
use tokio::time::Instant;

pub use socket::leave;

/// Datagrams between pace and thread: two thirds of a second of 4 Mbit/s, which a caller that connects may take.
const QUEUE: usize = 256;
/// Receivers of a listener at once: a head-end, its spare, and who watches both.
const MAX_RECEIVERS: usize = 8;
/// Between two tries of a caller.
const RETRY: Duration = Duration::from_secs(1);
/// How often a listener without anything to send looks whether somebody calls.
const LOOK: Duration = Duration::from_millis(100);

/// A destination by SRT. Its thread ends with it.
#[derive(Debug)]
pub(crate) struct Srt {
    queue: SyncSender<Bytes>,
    thread: Worker,
}

impl Srt {
    /// Starts to listen, or to call.
    pub(crate) fn open(options: SrtOptions, metrics: Metrics) -> io::Result<Self> {
        socket::start()?;
        let (queue, datagrams) = sync_channel(QUEUE);
        let listener = match options.mode {
            SrtMode::Listener => Some(Socket::listen(&options)?),
            SrtMode::Caller => None,
        };
        let thread = Worker::start("srt", move || match listener {
            Some(listener) => serve(&listener, &datagrams, &metrics),
            None => call(&options, &datagrams, &metrics),
        })?;
        Ok(Self { queue, thread })
    }

    /// Nothing more is sent, and receivers are told so. What is given back has ended by then.
    pub(crate) fn end(self) -> Worker {
        self.thread
    }

    pub(crate) fn send(&self, datagram: &Bytes) -> io::Result<()> {
        self.queue.try_send(datagram.clone()).map_err(|_| io::ErrorKind::WouldBlock.into())
    }
}

/// Sends to all who have called.
fn serve(listener: &Socket, datagrams: &Receiver<Bytes>, metrics: &Metrics) {
    let mut receivers: Vec<Socket> = Vec::new();
    loop {
        while let Some((receiver, who)) = listener.accept() {
            if receivers.len() == MAX_RECEIVERS {
                tracing::warn!(%who, "an SRT receiver too many; {MAX_RECEIVERS} are served");
                continue;
            }
            tracing::info!(%who, "SRT receiver is there");
            receivers.push(receiver);
            metrics.receivers.inc();
        }
        let datagram = match datagrams.recv_timeout(LOOK) {
            Ok(datagram) => datagram,
            Err(RecvTimeoutError::Timeout) => continue,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        receivers.retain(|receiver| match receiver.send(&datagram) {
            Ok(Sent::Taken) => true,
            Ok(Sent::Full) => {
                metrics.lost(Way::Srt);
                true
            }
            Err(error) => {
                tracing::info!(%error, "SRT receiver is gone");
                metrics.receivers.dec();
                false
            }
        });
    }
}

/// Calls, sends, and calls again when the other side is gone.
fn call(options: &SrtOptions, datagrams: &Receiver<Bytes>, metrics: &Metrics) {
    let mut said = String::new();
    loop {
        match Socket::call(options) {
            Ok(socket) => {
                tracing::info!(to = %options.address, "SRT connected");
                said.clear();
                metrics.receivers.inc();
                // What waited meanwhile is past.
                drop_all(datagrams, metrics);
                let ended = carry(&socket, datagrams, metrics);
                metrics.receivers.dec();
                let Err(error) = ended else { return };
                tracing::warn!(to = %options.address, %error, "SRT connection is gone");
            }
            Err(error) => {
                // Once for each reason, not each second.
                let error = error.to_string();
                if said != error {
                    tracing::warn!(to = %options.address, error, "no SRT connection; trying again");
                    said = error;
                }
            }
        }
        // The queue is emptied meanwhile: only what is new is worth sending.
        let until = Instant::now() + RETRY;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            match datagrams.recv_timeout(left) {
                Ok(_) => metrics.lost(Way::Srt),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }
}

fn drop_all(datagrams: &Receiver<Bytes>, metrics: &Metrics) {
    while datagrams.try_recv().is_ok() {
        metrics.lost(Way::Srt);
    }
}

/// Until the feed ends, or the connection.
fn carry(socket: &Socket, datagrams: &Receiver<Bytes>, metrics: &Metrics) -> io::Result<()> {
    while let Ok(datagram) = datagrams.recv() {
        if socket.send(&datagram)? == Sent::Full {
            metrics.lost(Way::Srt);
        }
    }
    Ok(())
}
