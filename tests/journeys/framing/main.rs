//! Attacks 1 to 58, through the built edge to an origin that reads as loosely as any. Where two servers could see the end of a
//! request in different places (1 to 26): what comes through means the same at both ends; the rest is refused, the connection
//! closed, and the origin hears nothing.

mod answers;
mod bodies;
mod caching;
mod cuts;
mod interim;
mod lines;
mod mutations;
mod poisoning;
mod ranges;
mod requests;
mod uploads;

use journeys::Airclass;
use journeys::raw::{Loose, exchange, statuses};

/// One core, and a busy machine puts nobody off: what is refused here is refused for what it says.
const ALONE: [&str; 4] = ["--cores", "1", "--shed", "false"];

/// An edge before an echo.
struct Scene {
    origin: Loose,
    edge: Airclass,
}

impl Scene {
    fn new() -> Self {
        Self::before(Loose::echo())
    }

    fn before(origin: Loose) -> Self {
        let edge = Airclass::edge(origin.address, &ALONE);
        Self { origin, edge }
    }

    /// Where a body may be announced that never comes.
    fn impatient() -> Self {
        let origin = Loose::echo();
        let edge = Airclass::edge(origin.address, &[&ALONE[..], &["--stall-timeout", "500ms"]].concat());
        Self { origin, edge }
    }

    /// Sends `payload`: refused with 400 or its kin, nothing answered after it, nothing forwarded.
    fn refuses(&self, payload: impl AsRef<[u8]>) {
        self.refuses_with(400, payload);
    }

    fn refuses_with(&self, status: u16, payload: impl AsRef<[u8]>) {
        let payload = payload.as_ref();
        let answers = exchange(self.edge.address(), payload);
        let shown = String::from_utf8_lossy(payload);
        assert_eq!(statuses(&answers), [status], "{shown:?}");
        assert_eq!(self.origin.targets(), [""; 0], "{shown:?}");
    }

    /// Sends `payload`: the origin hears these requests, and each is answered with what was heard.
    fn forwards(&self, payload: impl AsRef<[u8]>, heard: &[&str]) {
        let answers = exchange(self.edge.address(), payload.as_ref());
        let shown = String::from_utf8_lossy(payload.as_ref());
        let mut heard: Vec<String> = heard.iter().map(|echo| (*echo).to_owned()).collect();
        heard.push("GET /last ".to_owned());
        let echoes: Vec<String> = answers.into_iter().map(|answer| answer.body).collect();
        assert_eq!(echoes, heard, "{shown:?}");
        let seen: Vec<String> = self.origin.take().iter().map(journeys::raw::Heard::echo).collect();
        assert_eq!(seen, heard, "{shown:?}");
    }
}

/// A POST with these field lines and body.
fn post(lines: &str, body: &str) -> String {
    format!("POST /x HTTP/1.1\r\nHost: lessons.example\r\n{lines}\r\n{body}")
}

/// A GET of `/x` with these field lines.
fn get(lines: &str) -> String {
    format!("GET /x HTTP/1.1\r\nHost: lessons.example\r\n{lines}\r\n")
}

/// What an attacker hides in a body.
const HIDDEN: &str = "GET /hidden HTTP/1.1\r\nHost: lessons.example\r\n\r\n";
