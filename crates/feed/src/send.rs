//! Datagrams out: what each kind of destination does with one.

mod datagrams;

pub(crate) use datagrams::Udp;

use crate::destination::Destination;
use crate::metrics::{Metrics, Way};
use crate::srt::Srt;
use bytes::Bytes;
use std::fs::File;
use std::io::{self, Write};
use telemetry::Worker;

/// Packets in a datagram: what fits into 1,500 bytes with every header, and what receivers expect (IEC 62889, SMPTE 2022-2).
pub(crate) const PACKETS: u32 = 7;

/// A destination that is open.
pub(crate) enum Out {
    Udp(Udp),
    Srt(Srt),
    File(File),
}

impl Out {
    /// Opens `destination`.
    pub(crate) fn open(destination: &Destination, metrics: &Metrics) -> io::Result<Self> {
        Ok(match destination {
            Destination::Udp(options) => Self::Udp(Udp::open(options)?),
            Destination::Srt(options) => Self::Srt(Srt::open(options.clone(), metrics.clone())?),
            Destination::File(path) => Self::File(File::create(path)?),
        })
    }

    /// Takes nothing more; what is waited for before the process ends.
    pub(crate) fn end(self) -> Option<Worker> {
        match self {
            Self::Srt(srt) => Some(srt.end()),
            Self::Udp(_) | Self::File(_) => None,
        }
    }

    /// Sends or loses it. Nothing here waits: a destination that takes nothing must not make the others late.
    pub(crate) fn send(&mut self, datagram: &Bytes, metrics: &Metrics) {
        let (way, sent) = match self {
            Self::Udp(socket) => (Way::Udp, socket.send(datagram)),
            Self::Srt(srt) => (Way::Srt, srt.send(datagram)),
            Self::File(file) => (Way::File, file.write_all(datagram)),
        };
        match sent {
            Ok(()) => metrics.sent(way),
            Err(error) => {
                tracing::debug!(way = telemetry::Label::as_str(way), %error, "datagram lost");
                metrics.lost(way);
            }
        }
    }
}
