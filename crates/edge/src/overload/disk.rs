//! What disks that are slow or away mean for the node.

use diskstore::{Report, State};

/// A disk that is away: what lay there is fetched again, so the upstream is spared what nobody waits for (busy).
const AWAY: f64 = 0.78;
/// The most that look-ups waiting for disks count: beyond the queue they go upstream, so it is spared what begins (high).
const MOST_OF_READS: f64 = 0.9;
/// The most that writes waiting for disks count: nobody waits for one, but what is dropped is fetched again (busy).
const MOST_OF_WRITES: f64 = 0.78;

/// The share that the disks have of what they can do, 0 to 1: the worst of them.
pub(crate) fn strain<'a>(reports: impl Iterator<Item = Report<'a>>) -> f64 {
    reports.map(|report| of(report.state, report.read_queue, report.write_queue)).fold(0.0, f64::max)
}

fn of(state: State, reads: f64, writes: f64) -> f64 {
    match state {
        // A disk that is only read takes no writes, which says nothing of what comes.
        State::Online | State::ReadOnly => (reads * MOST_OF_READS).max(writes * MOST_OF_WRITES),
        State::Opening => 0.0,
        State::Offline => AWAY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_counts_how_much() {
        for (state, reads, writes, share) in [
            (State::Online, 0.0, 0.0, 0.0),
            (State::Online, 1.0, 0.0, 0.9),
            (State::Online, 0.0, 1.0, 0.78),
            (State::ReadOnly, 0.5, 0.1, 0.45),
            (State::Opening, 1.0, 1.0, 0.0),
            (State::Offline, 0.0, 0.0, 0.78),
        ] {
            assert!((of(state, reads, writes) - share).abs() < 1e-9, "{state:?} {reads} {writes}");
        }
    }
}
