//! What the listeners count.

use crate::connection::Abuse;
use prometheus::{IntCounter, IntGauge};
use telemetry::{Label, Telemetry};

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client closed it, or HTTP said so.
    Closed,
    /// Nothing asked for longer than the idle limit.
    Idle,
    /// A header section that did not come in time.
    HeaderTimeout,
    /// The client took nothing of an answer for too long.
    Stalled,
    /// The TLS handshake failed or took too long.
    Handshake,
    /// Broken by the network or by bytes that are no HTTP.
    Broken,
    /// The client did too much of something that costs us more than it.
    Abuse,
    /// The process is stopping.
    Drained,
}

impl Label for End {
    const ALL: &'static [Self] = &[
        Self::Closed,
        Self::Idle,
        Self::HeaderTimeout,
        Self::Stalled,
        Self::Handshake,
        Self::Broken,
        Self::Abuse,
        Self::Drained,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::HeaderTimeout => "header_timeout",
            Self::Stalled => "stalled",
            Self::Handshake => "handshake",
            Self::Broken => "broken",
            Self::Abuse => "abuse",
            Self::Drained => "drained",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Counters of one server, shared by its cores.
#[derive(Debug)]
pub(crate) struct Metrics {
    pub(crate) connections: IntGauge,
    pub(crate) parked: IntGauge,
    pub(crate) accepted: IntCounter,
    pub(crate) accept_errors: IntCounter,
    ended: Vec<IntCounter>,
    abuse: Vec<IntCounter>,
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            connections: telemetry.gauge("serve_connections", "Open client connections"),
            parked: telemetry.gauge(
                "serve_parked_connections",
                "Open client connections that are idle and hold no buffers",
            ),
            accepted: telemetry.counter("serve_connections_accepted_total", "Client connections accepted"),
            accept_errors: telemetry
                .counter("serve_accept_errors_total", "Times the kernel refused to accept"),
            ended: telemetry::counters::<End>(
                telemetry,
                "serve_connections_ended_total",
                "Client connections ended, by reason",
                "reason",
            ),
            abuse: telemetry::counters::<Abuse>(
                telemetry,
                "serve_http2_abuse_total",
                "HTTP/2 connections ended for too much of something, by what it was",
                "kind",
            ),
        }
    }

    pub(crate) fn ended(&self, end: End) {
        self.ended[end.index()].inc();
    }

    pub(crate) fn abused(&self, abuse: Abuse) {
        self.abuse[abuse.index()].inc();
    }
}
