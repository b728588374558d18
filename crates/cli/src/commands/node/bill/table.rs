//! A bill as a table for people, JSON for programs, and its samples as CSV.

use super::{Line, Said};
use accounting::Family;
use serde_json::json;
use std::io::{self, Write};

/// Minutes a sample.
const MINUTES: usize = 5;

pub(super) fn text(said: &Said, mut out: impl Write) -> io::Result<()> {
    let (month, by) = (said.month, said.by.as_str());
    writeln!(out, "{month}, {by}: {} of {} samples have passed", said.passed, month.samples())?;
    if said.damaged > 0 {
        writeln!(out, "{} damaged lines were passed over", said.damaged)?;
    }
    writeln!(
        out,
        "\n{:<34}{:>12}{:>12}{:>12}{:>7}{:>9}  free hours left",
        "line, rates in Mbit/s", "so far", "billed", "peak", "IPv6", "unknown"
    )?;
    for line in &said.lines {
        let name = format!("{} {} {}", line.owner, line.province, line.carrier);
        let free = line.bill.free.map_or_else(
            || "-".to_owned(),
            |free| format!("{} above {}", hours(free.left), mbits(free.level)),
        );
        let [v4, v6] = line.account.bytes.each_ref().map(|bytes| bytes.iter().sum::<u64>());
        let share = (u128::from(v6) * 100).checked_div(u128::from(v4) + u128::from(v6)).unwrap_or(0);
        writeln!(
            out,
            "{name:<34}{:>12}{:>12}{:>12}{:>7}{:>9}  {free}",
            mbits(line.bill.rate),
            mbits(line.bill.billed),
            mbits(line.bill.peak),
            format!("{share} %"),
            unknown(said, line),
        )?;
        writeln!(out, "  {}", line.sites.join(", "))?;
    }
    Ok(())
}

pub(super) fn json(said: &Said, mut out: impl Write) -> io::Result<()> {
    let line = |line: &Line| {
        let [v4, v6] = line.account.bytes.each_ref().map(|bytes| bytes.iter().sum::<u64>());
        json!({
            "owner": line.owner, "province": line.province, "carrier": line.carrier, "sites": line.sites,
            "samples": line.bill.samples, "unknown_samples": unknown(said, line),
            "rate_bps": line.bill.rate, "billed_bps": line.bill.billed, "peak_bps": line.bill.peak,
            "ipv4_bytes": v4, "ipv6_bytes": v6,
            "level_bps": line.bill.free.map(|free| free.level),
            "free_minutes_left": line.bill.free.map(|free| free.left * MINUTES),
        })
    };
    let lines: Vec<_> = said.lines.iter().map(line).collect();
    let (month, by) = (said.month.to_string(), said.by.as_str());
    writeln!(out, "{}", json!({ "month": month, "by": by, "damaged_lines": said.damaged, "lines": lines }))
}

/// A row for each sample that has passed, and family. Words of names need no quotes.
pub(super) fn csv(said: &Said, mut out: impl Write) -> io::Result<()> {
    writeln!(out, "begins,owner,province,carrier,family,bytes,bits_per_second,known")?;
    for line in &said.lines {
        for sample in 0..said.passed {
            let (begins, known) = (said.month.sample_begins(sample), line.account.known[sample]);
            for (at, family) in Family::ALL.into_iter().enumerate() {
                writeln!(
                    out,
                    "{begins},{},{},{},{},{},{},{known}",
                    line.owner,
                    line.province,
                    line.carrier,
                    family.as_str(),
                    line.account.bytes[at][sample],
                    line.account.rates[at][sample],
                )?;
            }
        }
    }
    out.flush()
}

/// Samples that have passed and of which nothing was written down.
fn unknown(said: &Said, line: &Line) -> usize {
    line.account.known[..said.passed.min(line.account.known.len())].iter().filter(|known| !**known).count()
}

/// Megabits a second, base 1000, with two decimals.
fn mbits(bps: u64) -> String {
    let hundredths = bps / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Hours of so many samples, with one decimal.
fn hours(samples: usize) -> String {
    let tenths = samples * MINUTES / 6;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!(
            (mbits(0), mbits(1_234_567), mbits(10_000_000_000)),
            ("0.00".into(), "1.23".into(), "10000.00".into())
        );
        // 36 hours are free in a month of 30 days.
        assert_eq!((hours(432), hours(1), hours(12)), ("36.0".into(), "0.0".into(), "1.0".into()));
    }
}
