//! What the origin counts. One set for all cores; every series exists from the start.

use http::StatusCode;
use prometheus::{Histogram, IntCounter, IntCounterVec, Opts};
use std::time::Duration;
use telemetry::{Label, Telemetry};

/// What was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The player's page.
    Page,
    /// The player's files.
    Asset,
    /// Below `/p/`.
    Package,
    /// Pointers and descriptions.
    Lesson,
    /// The catalogue.
    Catalogue,
    /// Day plans, for nodes.
    Plan,
    /// Anything that is nothing of ours.
    Other,
}

/// Statuses we answer with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Status {
    Ok,
    NoContent,
    Partial,
    NotModified,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    Method,
    Precondition,
    Range,
    Unavailable,
}

/// Counters of one origin, shared by its cores.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// By class, then by status.
    requests: Vec<Vec<IntCounter>>,
    response_bytes: Vec<IntCounter>,
    request_seconds: Histogram,
    store_errors: IntCounter,
}

/// From a file in the page cache to the store's time-out.
const REQUEST_BUCKETS: [f64; 9] = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 1.0, 10.0];

impl Metrics {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        let opts = Opts::new("origin_requests_total", "Requests answered, by what was asked for and how");
        let requests = IntCounterVec::new(opts, &["class", "status"]).expect("a constant name is valid");
        let requests = telemetry.register(requests);
        let of =
            |class: Class, status: Status| requests.with_label_values(&[class.as_str(), status.as_str()]);
        let by_status = |class| Status::ALL.iter().map(|&status| of(class, status)).collect();
        Self {
            requests: Class::ALL.iter().map(|&class| by_status(class)).collect(),
            response_bytes: telemetry::counters::<Class>(
                telemetry,
                "origin_response_bytes_total",
                "Body bytes handed to clients' connections, by what was asked for",
                "class",
            ),
            request_seconds: telemetry.seconds(
                "origin_request_seconds",
                "From a request's header section to that of its answer, the store's part included",
                &REQUEST_BUCKETS,
            ),
            store_errors: telemetry
                .counter("origin_store_errors_total", "Times the store could not read what it has"),
        }
    }

    pub(crate) fn answered(&self, class: Class, status: StatusCode, took: Duration) {
        if let Some(status) = Status::of(status) {
            self.requests[class.index()][status.index()].inc();
        }
        self.request_seconds.observe(took.as_secs_f64());
    }

    /// The counter of body bytes, for the body to hold.
    pub(crate) fn bytes(&self, class: Class) -> IntCounter {
        self.response_bytes[class.index()].clone()
    }

    /// The counter of store errors, for the body to hold.
    pub(crate) fn store_errors(&self) -> IntCounter {
        self.store_errors.clone()
    }
}

impl Status {
    fn of(status: StatusCode) -> Option<Self> {
        Self::ALL.iter().copied().find(|known| known.as_str() == status.as_str())
    }
}

impl Label for Class {
    const ALL: &'static [Self] =
        &[Self::Page, Self::Asset, Self::Package, Self::Lesson, Self::Catalogue, Self::Plan, Self::Other];

    fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Asset => "asset",
            Self::Package => "package",
            Self::Lesson => "lesson",
            Self::Catalogue => "catalogue",
            Self::Plan => "plan",
            Self::Other => "other",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Status {
    const ALL: &'static [Self] = &[
        Self::Ok,
        Self::NoContent,
        Self::Partial,
        Self::NotModified,
        Self::BadRequest,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Method,
        Self::Precondition,
        Self::Range,
        Self::Unavailable,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "200",
            Self::NoContent => "204",
            Self::Partial => "206",
            Self::NotModified => "304",
            Self::BadRequest => "400",
            Self::Unauthorized => "401",
            Self::Forbidden => "403",
            Self::NotFound => "404",
            Self::Method => "405",
            Self::Precondition => "412",
            Self::Range => "416",
            Self::Unavailable => "503",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_lie_where_their_index_says() {
        assert!(Class::ALL.iter().enumerate().all(|(index, class)| class.index() == index));
        assert!(Status::ALL.iter().enumerate().all(|(index, status)| status.index() == index));
        assert!(
            Status::ALL.iter().all(|status| Status::of(status.as_str().parse().unwrap()) == Some(*status))
        );
    }
}
