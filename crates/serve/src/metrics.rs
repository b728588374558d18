//! What the listeners count.

use crate::connection::{Abuse, Lines, Protocol};
use framing::Fault;
use prometheus::{IntCounter, IntGauge, IntGaugeVec, Opts};
use std::collections::BTreeMap;
use std::net::IpAddr;
use telemetry::{Label, StripedCounter, StripedCounters, Telemetry};

/// Why a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The client closed it, or HTTP said so.
    Closed,
    /// Nothing asked for longer than the idle limit.
    Idle,
    /// A header section that did not come in time.
    HeaderTimeout,
    /// The client took nothing of an answer, or sent nothing of a body, for too long.
    Stalled,
    /// No PROXY header where there had to be one, or a sender who may not send one.
    Proxy,
    /// The client took next to nothing of an answer while others waited for a place.
    Slow,
    /// The TLS handshake failed or took too long.
    Handshake,
    /// Broken by the network or by bytes that are no HTTP.
    Broken,
    /// An answer of ours broke off, which over HTTP/1 only the connection's end can tell.
    Cut,
    /// The client did too much of something that costs us more than it.
    Abuse,
    /// The process is stopping.
    Drained,
}

impl End {
    /// Whether the client is given up because it does not take what is there.
    pub(crate) fn leaves_unsent(self) -> bool {
        matches!(self, Self::Stalled | Self::Slow)
    }
}

impl Label for End {
    const ALL: &'static [Self] = &[
        Self::Closed,
        Self::Idle,
        Self::HeaderTimeout,
        Self::Stalled,
        Self::Proxy,
        Self::Slow,
        Self::Handshake,
        Self::Broken,
        Self::Cut,
        Self::Abuse,
        Self::Drained,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Idle => "idle",
            Self::HeaderTimeout => "header_timeout",
            Self::Stalled => "stalled",
            Self::Proxy => "proxy",
            Self::Slow => "slow",
            Self::Handshake => "handshake",
            Self::Broken => "broken",
            Self::Cut => "cut",
            Self::Abuse => "abuse",
            Self::Drained => "drained",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

telemetry::label_of! {
    /// Why a request was refused for the way it is written.
    struct Refused(Fault);
}

/// Which protocol of the network carries a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4, over whichever socket.
    V4,
    /// IPv6.
    V6,
}

impl Label for Family {
    const ALL: &'static [Self] = &[Self::V4, Self::V6];

    fn as_str(self) -> &'static str {
        match self {
            Self::V4 => "ipv4",
            Self::V6 => "ipv6",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Bytes given to the kernel for clients, headers and TLS among them, counted as they are given: for TCP what it has taken,
/// for UDP what is in the packets.
#[derive(Debug, Clone)]
pub struct Sent(StripedCounters);

impl Sent {
    fn register(telemetry: &Telemetry) -> Self {
        Self(telemetry::striped_counters::<Family>(
            telemetry,
            "serve_sent_bytes_total",
            "Bytes handed to the network for clients as they are sent, headers and TLS among them, by IP family",
            "family",
        ))
    }

    /// What counts for who is at `address`.
    pub(crate) fn to(&self, address: IpAddr) -> StripedCounter {
        let family = if address.to_canonical().is_ipv4() { Family::V4 } else { Family::V6 };
        self.0.of(family.index())
    }

    /// So far.
    pub fn bytes(&self, family: Family) -> u64 {
        self.0.get(family.index())
    }
}

/// How a TLS handshake over TCP went. HTTP/3's are TLS 1.3, and its connections are counted by their protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handshake {
    Tls12,
    Tls12Resumed,
    Tls13,
    Tls13Resumed,
}

impl Handshake {
    pub(crate) fn of(session: &rustls::ServerConnection) -> Self {
        let resumed = session.handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        match (session.protocol_version(), resumed) {
            (Some(rustls::ProtocolVersion::TLSv1_2), false) => Self::Tls12,
            (Some(rustls::ProtocolVersion::TLSv1_2), true) => Self::Tls12Resumed,
            (_, false) => Self::Tls13,
            (_, true) => Self::Tls13Resumed,
        }
    }
}

impl Label for Handshake {
    const ALL: &'static [Self] = &[Self::Tls12, Self::Tls12Resumed, Self::Tls13, Self::Tls13Resumed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Tls12 => "tls1.2",
            Self::Tls12Resumed => "tls1.2_resumed",
            Self::Tls13 => "tls1.3",
            Self::Tls13Resumed => "tls1.3_resumed",
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
    abuse_http3: Vec<IntCounter>,
    protocols: Vec<IntCounter>,
    pub(crate) retries: IntCounter,
    pub(crate) sent: Sent,
    pub(crate) lent: IntCounter,
    pub(crate) lines: Lines,
    refused: Vec<IntCounter>,
    certificates: IntGaugeVec,
    reloads: Vec<IntCounter>,
    generation: IntGauge,
    handshakes: Vec<IntCounter>,
}

/// What came of a wish to read the configuration again.
#[derive(Debug, Clone, Copy)]
enum Reload {
    Done,
    Refused,
}

impl Label for Reload {
    const ALL: &'static [Self] = &[Self::Done, Self::Refused];

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let generation = telemetry.gauge(
            "airclass_configuration_generation",
            "1 since the start, and one more each time that the configuration was read again and taken",
        );
        generation.set(1);
        Self {
            generation,
            handshakes: telemetry::counters::<Handshake>(
                telemetry,
                "serve_tls_handshakes_total",
                "TLS handshakes over TCP that came to their end, by version and whether a session was taken up again",
                "kind",
            ),
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
            abuse_http3: telemetry::counters::<Abuse>(
                telemetry,
                "serve_http3_abuse_total",
                "HTTP/3 connections ended for too much of something, by what it was",
                "kind",
            ),
            protocols: telemetry::counters::<Protocol>(
                telemetry,
                "serve_protocol_connections_total",
                "Client connections that came as far as to speak a protocol, by which",
                "protocol",
            ),
            retries: telemetry.counter(
                "serve_quic_retries_total",
                "QUIC clients that had to show first that they are where they say, because many handshakes were open",
            ),
            sent: Sent::register(telemetry),
            lent: telemetry.counter(
                "serve_lent_bytes_total",
                "Bytes of stored bodies that the kernel sent without a copy, of those in serve_sent_bytes_total",
            ),
            lines: Lines::register(telemetry),
            refused: telemetry::counters::<Refused>(
                telemetry,
                "serve_refused_requests_total",
                "HTTP/1 requests refused because servers could disagree about where they end, by reason",
                "reason",
            ),
            certificates: telemetry.register(
                IntGaugeVec::new(
                    Opts::new(
                        "serve_certificate_not_after_timestamp_seconds",
                        "When the certificates end, by first name, in Unix seconds; the earliest of those that share one",
                    ),
                    &["name"],
                )
                .expect("a constant name is valid"),
            ),
            reloads: telemetry::counters::<Reload>(
                telemetry,
                "serve_reloads_total",
                "Times the configuration was read again, by what came of it",
                "result",
            ),
        }
    }

    pub(crate) fn refused(&self, fault: Fault) {
        self.refused[Refused(fault).index()].inc();
    }

    pub(crate) fn ended(&self, end: End) {
        self.ended[end.index()].inc();
    }

    /// Each certificate's first name, which is the operator's choice, and its end in Unix seconds. Of several with one first name
    /// (RSA beside ECDSA) the end that comes first counts.
    pub(crate) fn certificates_expire(&self, expiries: &[(String, i64)]) {
        self.certificates.reset();
        let mut ends = BTreeMap::new();
        for (name, end) in expiries {
            ends.entry(name).and_modify(|first: &mut i64| *first = (*first).min(*end)).or_insert(*end);
        }
        for (name, end) in ends {
            self.certificates.with_label_values(&[name]).set(end);
        }
    }

    pub(crate) fn shaken(&self, handshake: Handshake) {
        self.handshakes[handshake.index()].inc();
    }

    pub(crate) fn reloaded(&self, done: bool) {
        if done {
            self.generation.inc();
        }
        self.reloads[if done { Reload::Done } else { Reload::Refused }.index()].inc();
    }

    pub(crate) fn speaks(&self, protocol: Protocol) {
        self.protocols[protocol.index()].inc();
    }

    pub(crate) fn abused_http3(&self, abuse: Abuse) {
        self.abuse_http3[abuse.index()].inc();
    }

    pub(crate) fn abused(&self, abuse: Abuse) {
        self.abuse[abuse.index()].inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_two_certificates_with_one_name_the_end_that_comes_first_is_told() {
        let metrics = Metrics::register(&Telemetry::new("test"));
        let of = |name: &str, end| (name.to_owned(), end);
        metrics.certificates_expire(&[of("a.example", 100), of("b.example", 7), of("a.example", 200)]);
        let told = |name| metrics.certificates.with_label_values(&[name]).get();
        assert_eq!((told("a.example"), told("b.example")), (100, 7));
        metrics.certificates_expire(&[of("a.example", 300)]);
        assert_eq!(told("a.example"), 300, "a new one has taken its place");
    }
}
