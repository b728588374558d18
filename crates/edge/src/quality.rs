//! What players tell of their own viewing (CMCD, CTA-5004): counted, and forgotten.
//!
//! Request mode in fields or in the query's `CMCD`. Fields are what our page sends: on its own address they need no
//! preflight, are in no key of any cache, and cost no request of their own. What requests cannot tell comes in event mode (`reports`). Nothing of it goes upstream or into a log
//! (`policy`), and what is counted tells nobody from anybody. A session's name sets one bit among 65,536, at a place that a
//! random key of this process and the minute decide; at the minute's end the bits are counted and cleared.

mod keys;
mod reports;
mod sessions;

use crate::delivery::Rung;
use crate::overload::Class;
use crate::request::Asked;
use http::Method;
pub(crate) use keys::FIELDS;
use keys::Told;
use prometheus::{Histogram, HistogramOpts, IntCounter};
use reports::Reports;
use sessions::Sessions;
use std::time::Duration;
use telemetry::{Label, Telemetry};
use tokio::time::Instant;

/// Longer segments than this are nobody's, in milliseconds; so are longer standstills and starts. What a client claims
/// beyond it counts as this much.
const LONGEST_CLAIM_MS: u64 = 120_000;
/// From an empty buffer to five minutes, in seconds.
const BUFFER_BUCKETS: [f64; 9] = [0.0, 1.0, 2.5, 5.0, 10.0, 20.0, 45.0, 90.0, 300.0];
/// From a line in town to one that most would have given up, in seconds.
const START_BUCKETS: [f64; 9] = [0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 20.0, 60.0];
/// By the rungs of our ladder, in bits a second.
const THROUGHPUT_BUCKETS: [f64; 9] = [1e5, 2e5, 4e5, 8e5, 1.5e6, 3e6, 6e6, 1.2e7, 5e7];

/// What players told, of all cores together.
#[derive(Debug)]
pub(crate) struct Quality {
    requests: Vec<IntCounter>,
    media_ms: IntCounter,
    starved_ms: IntCounter,
    starvations: IntCounter,
    start: Histogram,
    buffer: Histogram,
    throughput: Histogram,
    sessions: Sessions,
    /// What pages tell on their own.
    pub(crate) reports: Reports,
}

impl Quality {
    pub(crate) fn register(telemetry: &Telemetry) -> Self {
        Self {
            requests: telemetry::counters::<Rung>(
                telemetry,
                "edge_cmcd_requests_total",
                "Media requests that told of their player (CTA-5004), by the rung asked for",
                "rung",
            ),
            media_ms: telemetry.counter(
                "edge_cmcd_media_millis_total",
                "Media asked for by players that tell how they fare; of pictures, and of sound where it is alone",
            ),
            starved_ms: telemetry.counter(
                "edge_cmcd_starved_millis_total",
                "Time that players stood still for want of data; over the media asked for, the rebuffer ratio",
            ),
            starvations: telemetry
                .counter("edge_cmcd_starvations_total", "Times that players stood still for want of data"),
            start: telemetry.seconds(
                "edge_cmcd_start_seconds",
                "From the wish to play to playing",
                &START_BUCKETS,
            ),
            buffer: telemetry.seconds(
                "edge_cmcd_buffer_seconds",
                "What players had downloaded ahead when they asked for more",
                &BUFFER_BUCKETS,
            ),
            throughput: histogram(
                telemetry,
                "edge_cmcd_throughput_bps",
                "What players measured of their line",
                &THROUGHPUT_BUCKETS,
            ),
            sessions: Sessions::new(telemetry.gauge(
                "edge_cmcd_sessions",
                "Players that told of themselves in the last whole minute, estimated",
            )),
            reports: Reports::register(telemetry),
        }
    }

    /// Counts what a request tells. `now` is when it is read.
    pub(crate) fn hear(&self, asked: &Asked, now: Instant) {
        if asked.method != Method::GET || asked.class != Class::Media {
            return;
        }
        if !asked.noted.cmcd && asked.target.query().is_none() {
            return;
        }
        let Some(told) = Told::read(&asked.headers, asked.target.query()) else { return };
        let rung = Rung::of(asked.target.path());
        self.requests[rung.index()].inc();
        // Sound beside pictures would count each moment twice; a lesson that is only heard has no pictures to count by.
        if told.is_of_pictures() || told.alone {
            self.media_ms.inc_by(claimed(told.duration_ms));
        }
        if told.starved {
            self.starvations.inc();
        }
        self.starved_ms.inc_by(claimed(told.starved_ms));
        if let Some(start) = told.start_ms {
            self.start.observe(seconds(start));
        }
        if let Some(buffer) = told.buffer_ms {
            self.buffer.observe(seconds(buffer.min(LONGEST_CLAIM_MS * 10)));
        }
        if let Some(kbps) = told.throughput_kbps {
            self.throughput.observe(u32::try_from(kbps).map_or(f64::from(u32::MAX), f64::from) * 1000.0);
        }
        if let Some(session) = told.session {
            self.sessions.note(session.as_bytes(), now);
        }
    }

    /// Ends a minute that is over though nobody told anything since.
    pub(crate) fn look(&self, now: Instant) {
        self.sessions.look(now);
    }
}

fn claimed(milliseconds: Option<u64>) -> u64 {
    milliseconds.unwrap_or_default().min(LONGEST_CLAIM_MS)
}

fn seconds(milliseconds: u64) -> f64 {
    Duration::from_millis(milliseconds).as_secs_f64()
}

fn histogram(telemetry: &Telemetry, name: &str, help: &str, buckets: &[f64]) -> Histogram {
    let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
    telemetry.register(Histogram::with_opts(options).expect("a constant name is valid"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    fn asked(target: &str, fields: &[(&str, &str)]) -> Box<Asked> {
        let mut request = Request::builder().uri(target).header("host", "a");
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap()
    }

    const PICTURES: &str = "/p/0123456789abcdef0123456789abcdef01234567/s2/00017.m4s";
    const SOUND: &str = "/p/0123456789abcdef0123456789abcdef01234567/audio/lo/00017.m4s";

    #[test]
    fn what_players_tell_is_added_up() {
        let quality = Quality::register(&Telemetry::new("test"));
        let now = Instant::now();
        let fields = [
            ("cmcd-object", "br=(150;v),d=4800,ot=v"),
            ("cmcd-request", "bl=(12300;v),mtp=(900;v)"),
            ("cmcd-status", "bs,bsd=(1500;v)"),
            ("cmcd-session", "msd=2100,sf=h,sid=\"abc\",st=v,v=2"),
        ];
        quality.hear(&asked(PICTURES, &fields), now);
        quality.hear(
            &asked(&format!("{PICTURES}?CMCD=bl%3D5000%2Cd%3D4800%2Cot%3Dv%2Csid%3D%22abc%22"), &[]),
            now,
        );
        quality.hear(&asked(SOUND, &[("cmcd-object", "d=4800,ot=a")]), now);
        quality.hear(&asked(PICTURES, &[]), now);
        quality.hear(&asked("/lessons/a/main.m3u8", &fields), now);
        assert_eq!(
            (quality.media_ms.get(), quality.starved_ms.get(), quality.starvations.get()),
            (9600, 1500, 1)
        );
        assert_eq!(quality.requests[Rung::of(PICTURES).index()].get(), 2);
        assert_eq!(quality.requests[Rung::Sound.index()].get(), 1);
        assert_eq!((quality.buffer.get_sample_count(), quality.start.get_sample_count()), (2, 1));
        assert_eq!(quality.throughput.get_sample_sum(), 900_000.0);
    }

    #[test]
    fn boasting_is_bounded() {
        let quality = Quality::register(&Telemetry::new("test"));
        let boast = [("cmcd-object", "d=99999999999,ot=av"), ("cmcd-status", "bsd=18446744073709551615")];
        quality.hear(&asked(PICTURES, &boast), Instant::now());
        assert_eq!((quality.media_ms.get(), quality.starved_ms.get()), (LONGEST_CLAIM_MS, LONGEST_CLAIM_MS));
    }
}
