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
    /// Each bar that `report` misses, and by what.
    pub(crate) fn missed(&self, report: &Report) -> Vec<String> {
        let mut missed = Vec::new();
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
                None => missed.push("nobody started, so there is no start-up time".to_owned()),
                Some(startup) if Duration::from_millis(startup.p95_ms.into()) > most => {
                    let (is, most) = (startup.p95_ms, Span(most));
                    missed.push(format!("start-up p95 is {is} ms, and no more than {most} is allowed"));
                }
                Some(_) => {}
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
        let unknown = Report { origin: None, ..sample() };
        assert_eq!(reached.missed(&unknown).len(), 1);
    }
}
