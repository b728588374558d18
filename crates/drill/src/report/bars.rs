//! What a drill has to reach.

use super::Report;
use std::time::Duration;
use units::{ByteCount, Span};

/// The bars that were given; `None`: not asked for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Bars {
    pub(crate) errors: Option<u64>,
    pub(crate) startup_p95: Option<Duration>,
    pub(crate) rebuffers: Option<u64>,
    pub(crate) origin_bytes: Option<ByteCount>,
}

impl Bars {
    /// Each bar that `report` misses, and by what. That somebody plays is one that needs not be asked for: a drill of lessons that
    /// are not there, or of a node that is down, has shown nothing.
    pub(crate) fn missed(&self, report: &Report) -> Vec<String> {
        let mut missed = Vec::new();
        let is_short = report.interrupted && self.startup_p95.is_none();
        if report.total.started == 0 && report.players > 0 && !is_short {
            missed.push(format!("none of {} players has seen a picture", report.players));
        }
        let mut hold = |bar: &str, most: u64, is: u64| {
            if is > most {
                missed.push(format!("{is} {bar}, and no more than {most} are allowed"));
            }
        };
        if let Some(most) = self.errors {
            hold("errors", most, report.errors());
        }
        if let Some(most) = self.rebuffers {
            hold("rebuffers", most, report.total.rebuffers.count);
        }
        if let Some(most) = self.startup_p95 {
            match report.total.startup {
                Some(startup) if Duration::from_millis(startup.p95_ms.into()) > most => {
                    let (is, most) = (startup.p95_ms, Span(most));
                    missed.push(format!("start-up p95 is {is} ms, and no more than {most} is allowed"));
                }
                // Without a start nobody has seen a picture, which is told already.
                Some(_) | None => {}
            }
        }
        if let Some(most) = self.origin_bytes {
            match report.origin.and_then(|origin| origin.bytes()) {
                None => missed
                    .push("what the origin sent is not known: it did not answer before and after".to_owned()),
                Some(bytes) if bytes > most.0 => {
                    missed.push(format!("the origin sent {bytes} bytes, and no more than {most} is allowed"));
                }
                Some(_) => {}
            }
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::super::Figures;
    use super::super::tests::sample;
    use super::*;

    #[test]
    fn a_bar_is_missed_only_beyond_it() {
        let report = sample();
        let reached = Bars {
            errors: Some(3),
            rebuffers: Some(2),
            startup_p95: Some(Duration::from_millis(u64::from(report.total.startup.unwrap().p95_ms))),
            origin_bytes: Some(ByteCount(0)),
        };
        assert_eq!(reached.missed(&report), Vec::<String>::new());
        assert_eq!(Bars::default().missed(&report), Vec::<String>::new());
        let missed = Bars {
            errors: Some(2),
            rebuffers: Some(1),
            startup_p95: Some(Duration::from_millis(100)),
            origin_bytes: None,
        };
        assert_eq!(missed.missed(&report).len(), 3);
        let nobody = |interrupted| {
            let total = Figures { arrived: 1_000, gave_up: 1_000, ..Figures::default() };
            Report { total, interrupted, ..sample() }
        };
        let told = ["none of 1000 players has seen a picture"];
        for bars in [Bars::default(), Bars { startup_p95: Some(Duration::from_secs(1)), ..Bars::default() }] {
            assert_eq!(bars.missed(&nobody(false)), told);
            assert_eq!(bars.missed(&nobody(true)).len(), usize::from(bars.startup_p95.is_some()));
        }
        let unknown = Report { origin: None, ..sample() };
        assert_eq!(reached.missed(&unknown).len(), 1);
    }
}
