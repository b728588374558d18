//! Whether another server may be asked after one has failed.

use http::{Method, StatusCode};

/// Servers asked for one request at most, hedges not counted. Who fails three times would fail ten times, and a client
/// waits.
pub const MAX_TRIES: usize = 3;

/// How a try failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection: nothing was sent.
    Connect,
    /// Its connections are all in use: nothing was sent.
    Busy,
    /// Sent, and the connection ended, or what came cannot be read.
    NoHead,
    /// A head, and not a byte of the body that it promised.
    NoBody,
    /// Sent, and no header section in time.
    Timeout,
    /// 502, 503 or 504.
    Unwell,
    /// An answer, and not what was needed.
    Unfit,
    /// The client's own body broke off.
    Request,
}

impl Failure {
    /// All of them, in the order of [`Failure::index`].
    pub const ALL: [Self; 8] = [
        Self::Connect,
        Self::Busy,
        Self::NoHead,
        Self::NoBody,
        Self::Timeout,
        Self::Unwell,
        Self::Unfit,
        Self::Request,
    ];

    /// As metrics and logs write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Busy => "busy",
            Self::NoHead => "no_head",
            Self::NoBody => "no_body",
            Self::Timeout => "timeout",
            Self::Unwell => "unwell",
            Self::Unfit => "unfit",
            Self::Request => "request",
        }
    }

    /// Its place in [`Failure::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Statuses by which a server says that it cannot, and another one may be able to (RFC 9110 §15.6.3 to §15.6.5). 500 is
/// not among them: a program that fails fails everywhere.
pub fn is_unwell(status: StatusCode) -> bool {
    matches!(status.as_u16(), 502..=504)
}

/// What is asked, as far as repeating it goes.
#[derive(Debug, Clone, Copy)]
pub struct Repeating {
    /// Asking twice does no more than asking once (RFC 9110 §9.2.2), and there is no body, or it can be sent again.
    pub harmless: bool,
    /// Servers asked so far.
    pub tries: usize,
    /// How many of them let their time run out: each costs the client the whole wait, so the second is the last.
    pub timeouts: usize,
}

impl Repeating {
    /// Of a request that no server has been asked yet.
    pub fn new(method: &Method, has_body: bool) -> Self {
        Self { harmless: method.is_idempotent() && !has_body, tries: 0, timeouts: 0 }
    }

    /// Counts a try that failed and says whether the request may be sent to another server.
    pub fn again_after(&mut self, failure: Failure) -> bool {
        self.tries += 1;
        self.timeouts += usize::from(failure == Failure::Timeout);
        let permitted = match failure {
            Failure::Connect | Failure::Busy => true,
            Failure::NoHead | Failure::NoBody | Failure::Unwell | Failure::Unfit => self.harmless,
            Failure::Timeout => self.harmless && self.timeouts < 2,
            Failure::Request => false,
        };
        permitted && self.tries < MAX_TRIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_sent_again() {
        use Failure::{Busy, Connect, NoBody, NoHead, Timeout, Unfit, Unwell};
        for (method, body, permitted) in [
            (Method::GET, false, &[Connect, Busy, NoHead, NoBody, Timeout, Unwell, Unfit][..]),
            (Method::HEAD, false, &[Connect, Busy, NoHead, NoBody, Timeout, Unwell, Unfit]),
            (Method::DELETE, false, &[Connect, Busy, NoHead, NoBody, Timeout, Unwell, Unfit]),
            // A body that has been sent is gone.
            (Method::PUT, true, &[Connect, Busy]),
            // RFC 9110 §9.2.2: "A proxy MUST NOT automatically retry non-idempotent requests."
            (Method::POST, true, &[Connect, Busy]),
            (Method::POST, false, &[Connect, Busy]),
            (Method::PATCH, false, &[Connect, Busy]),
        ] {
            for failure in Failure::ALL {
                let again = Repeating::new(&method, body).again_after(failure);
                assert_eq!(again, permitted.contains(&failure), "{method} {body} {failure:?}");
            }
        }
    }

    #[test]
    fn three_servers_at_most_and_two_that_let_time_run_out() {
        let mut repeating = Repeating::new(&Method::GET, false);
        assert!(repeating.again_after(Failure::Connect));
        assert!(repeating.again_after(Failure::Timeout));
        assert!(!repeating.again_after(Failure::Connect));
        let mut repeating = Repeating::new(&Method::GET, false);
        assert!(repeating.again_after(Failure::Timeout));
        assert!(!repeating.again_after(Failure::Timeout));
    }

    #[test]
    fn names_are_in_their_places() {
        for (at, failure) in Failure::ALL.into_iter().enumerate() {
            assert_eq!(failure.index(), at);
        }
    }
}
