//! What was answered, by the protocol it went out in and the class of its status.

use http::{StatusCode, Version};
use telemetry::{Label, StripedCounters, Telemetry};

/// A counter for each protocol and class, made at the start.
#[derive(Debug, Clone)]
pub(crate) struct Answered(StripedCounters);

#[derive(Debug, Clone, Copy)]
enum Protocol {
    Http1,
    Http2,
    Http3,
}

#[derive(Debug, Clone, Copy)]
enum Class {
    Success,
    Redirection,
    ClientError,
    ServerError,
}

impl Label for Protocol {
    const ALL: &'static [Self] = &[Self::Http1, Self::Http2, Self::Http3];

    fn as_str(self) -> &'static str {
        match self {
            Self::Http1 => "http1",
            Self::Http2 => "http2",
            Self::Http3 => "http3",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Class {
    const ALL: &'static [Self] = &[Self::Success, Self::Redirection, Self::ClientError, Self::ServerError];

    fn as_str(self) -> &'static str {
        match self {
            Self::Success => "2xx",
            Self::Redirection => "3xx",
            Self::ClientError => "4xx",
            Self::ServerError => "5xx",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Answered {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let of = |protocol: &Protocol| {
            let protocol = protocol.as_str();
            Class::ALL.iter().map(move |class| vec![protocol, class.as_str()])
        };
        let values: Vec<_> = Protocol::ALL.iter().flat_map(of).collect();
        let (name, help) = ("edge_answers_total", "Answers, by protocol and class of status");
        Self(StripedCounters::register(telemetry, name, help, &["protocol", "status"], &values))
    }

    pub(crate) fn count(&self, version: Version, status: StatusCode) {
        let protocol = match version {
            Version::HTTP_3 => Protocol::Http3,
            Version::HTTP_2 => Protocol::Http2,
            _ => Protocol::Http1,
        };
        // Interim answers are none of ours.
        let class = match status.as_u16() {
            500.. => Class::ServerError,
            400.. => Class::ClientError,
            300.. => Class::Redirection,
            _ => Class::Success,
        };
        self.0.inc(protocol.index() * Class::ALL.len() + class.index());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_is_counted_in_its_own_place() {
        let telemetry = Telemetry::new("test");
        let answered = Answered::register(&telemetry);
        for (version, status, times) in [
            (Version::HTTP_11, 206, 3),
            (Version::HTTP_10, 304, 1),
            (Version::HTTP_2, 404, 2),
            (Version::HTTP_3, 503, 4),
        ] {
            (0..times).for_each(|_| answered.count(version, StatusCode::from_u16(status).unwrap()));
        }
        let families = telemetry.registry.gather();
        let family = families.iter().find(|family| family.name() == "edge_answers_total").unwrap();
        let told: Vec<String> = family
            .get_metric()
            .iter()
            .filter(|metric| metric.get_counter().get_value() > 0.0)
            .map(|metric| {
                let labels: Vec<&str> = metric.get_label().iter().map(|pair| pair.value()).collect();
                format!("{} {}", labels.join(" "), metric.get_counter().get_value())
            })
            .collect();
        assert_eq!(told, ["http1 2xx 3", "http1 3xx 1", "http2 4xx 2", "http3 5xx 4"]);
    }
}
