//! `forecast`.

use super::fault::TimetableFault;
use super::{Forecast, read};
use faults::AnyFault;
use forecast::{Assumptions, Bell, Shortage};
use serde_json::{Value, json};
use std::io::{self, Write};
use timetable::Plan;

/// Heights of a line of small bars.
const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// A bar is so many minutes of the day.
const MINUTES_A_BAR: usize = 20;
/// Decimals of a gigabit down to its bits.
const PLACES: u32 = 9;
/// Shortages told of each bell; --json has all.
const TOLD: usize = 6;

/// `airclass timetable forecast`
pub(super) fn forecast(options: &Forecast) -> Result<(), AnyFault> {
    let plan = read::plan(&options.plan)?;
    let text = settings::small_text(&options.assume, settings::MAX_TEXT_BYTES)
        .map_err(|source| TimetableFault::Unreadable { path: options.assume.clone(), source })?;
    let assumed: Assumptions = settings::parse(&text, &options.assume)?;
    assumed.check().map_err(|invalid| settings::SettingsError::value(invalid.key, invalid.problem))?;
    let told = forecast::forecast(&plan, &assumed).ok_or(TimetableFault::Clock)?;
    let said = if options.json { say_json(&plan, &told) } else { say(&plan, &told) };
    said.map_err(TimetableFault::System)?;
    let missing =
        told.bells.iter().filter(|bell| bell.shortages.iter().any(|short| short.missing > 0)).count();
    if missing > 0 && options.strict { Err(TimetableFault::Short { bells: missing }.into()) } else { Ok(()) }
}

fn say(plan: &Plan, told: &forecast::Forecast) -> io::Result<()> {
    let mut out = faults::say::out();
    writeln!(out, "{} (edition {}): {} in all", plan.date, plan.edition, bytes(told.bytes))?;
    if told.lessons_missing > 0 {
        writeln!(out, "{}", unreckoned(told.lessons_missing, plan.lessons.len()))?;
    }
    writeln!(out, "\n00:00 {} 24:00", bars(&told.total))?;
    writeln!(out, "\n{:<7}{:>8}{:>13}{:>12}{:>7}  missing", "bell", "lessons", "sessions", "Gbit/s", "at")?;
    for bell in &told.bells {
        let at = plan.zone.local(bell.at).strftime("%H:%M");
        let peak = clock(bell.minute);
        let missing: u64 = bell.shortages.iter().map(|short| short.missing).sum();
        let (sessions, rate) = (grouped(bell.sessions), gbits(bell.peak));
        writeln!(
            out,
            "{at:<7}{:>8}{sessions:>13}{rate:>12}{peak:>7}  {}",
            bell.lessons,
            gbits_or_none(missing)
        )?;
        for short in bell.shortages.iter().take(TOLD) {
            writeln!(out, "         {}", shortage(short))?;
        }
    }
    writeln!(
        out,
        "\n{:<28}{:>12}{:>7}{:>16}{:>18}",
        "beginnings", "peak Gbit/s", "at", "sessions/s", "month-95 Gbit/s"
    )?;
    for way in &told.staggers {
        let (peak, at, bill) = (gbits(way.peak), clock(way.minute), gbits(way.month_95));
        writeln!(out, "{:<28}{peak:>12}{at:>7}{:>16}{bill:>18}", way.name, grouped(way.beginnings))?;
    }
    Ok(())
}

/// What the forecast lacks: a day whose lessons are to come looks like a quiet one.
fn unreckoned(missing: usize, all: usize) -> String {
    let (were, them) = if missing == 1 { ("was", "it") } else { ("were", "them") };
    let what = format!("{missing} of {all} lessons {were} not in the store when this plan was made");
    format!("{what}, and nothing is reckoned for {them}: ingest {them} and compile again")
}

fn shortage(short: &Shortage) -> String {
    let market = format!("{} {}", short.market.region.name(), short.market.carrier);
    let elsewhere = match short.elsewhere {
        0 => String::new(),
        rate => format!(", {} from elsewhere", gbits(rate)),
    };
    let places = (1..PLACES).find(|&places| gbits_to(short.asked, places) != gbits_to(short.own, places));
    let [asked, own] = [short.asked, short.own].map(|bps| gbits_to(bps, places.unwrap_or(PLACES)));
    format!("{market}: {asked} asked for, {own} there{elsewhere}")
}

fn say_json(plan: &Plan, told: &forecast::Forecast) -> io::Result<()> {
    let short = |short: &Shortage| {
        json!({
            "region": short.market.region.as_str(), "carrier": short.market.carrier, "asked_bps": short.asked,
            "own_bps": short.own, "elsewhere_bps": short.elsewhere, "missing_bps": short.missing,
        })
    };
    let bell = |bell: &Bell| {
        json!({
            "at": bell.at.to_string(), "lessons": bell.lessons, "sessions": bell.sessions, "minute": bell.minute,
            "peak_bps": bell.peak, "shortages": bell.shortages.iter().map(short).collect::<Vec<_>>(),
        })
    };
    let markets = told.markets.iter().map(|(market, peak)| {
        json!({ "region": market.region.as_str(), "carrier": market.carrier, "peak_bps": peak })
    });
    let ways = told.staggers.iter().map(|way| {
        json!({
            "name": way.name, "peak_bps": way.peak, "minute": way.minute,
            "beginnings_per_s": way.beginnings, "month_95_bps": way.month_95,
        })
    });
    let all: Value = json!({
        "date": plan.date, "edition": plan.edition, "bytes": told.bytes, "lessons_missing": told.lessons_missing,
        "bells": told.bells.iter().map(bell).collect::<Vec<_>>(),
        "markets": markets.collect::<Vec<_>>(), "staggers": ways.collect::<Vec<_>>(), "total_bps": told.total,
    });
    writeln!(faults::say::out(), "{all}")
}

/// The day as a line of small bars.
fn bars(minutes: &[u64]) -> String {
    let most = minutes.iter().copied().max().unwrap_or(0).max(1);
    let bar = |chunk: &[u64]| {
        let level = chunk.iter().copied().max().unwrap_or(0);
        if level == 0 {
            return ' ';
        }
        let step = usize::try_from(u128::from(level) * BARS.len() as u128 / u128::from(most)).unwrap_or(0);
        BARS[step.min(BARS.len() - 1)]
    };
    minutes.chunks(MINUTES_A_BAR).map(bar).collect()
}

fn clock(minute: usize) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

/// Gigabits a second with one decimal, or as many as tell it from nothing: a village's bell is a few megabits.
fn gbits(bps: u64) -> String {
    let places = (1..PLACES).find(|&places| bps == 0 || bps / 10_u64.pow(PLACES - places) > 0);
    gbits_to(bps, places.unwrap_or(PLACES))
}

/// With `places` decimals.
fn gbits_to(bps: u64, places: u32) -> String {
    let rest = bps % 10_u64.pow(PLACES) / 10_u64.pow(PLACES - places);
    format!("{}.{rest:0width$}", grouped(bps / 10_u64.pow(PLACES)), width = places as usize)
}

fn gbits_or_none(bps: u64) -> String {
    if bps == 0 { "nothing".to_owned() } else { gbits(bps) }
}

fn bytes(bytes: u64) -> String {
    match bytes / 1_000_000_000 {
        gb @ 0..10_000 => format!("{} GB", grouped(gb)),
        gb => format!("{} TB", grouped(gb / 1_000)),
    }
}

/// 1,234,567
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_easily() {
        assert_eq!(
            (grouped(0), grouped(999), grouped(1_234_567)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(
            (gbits(0), gbits(1_250_000_000), gbits(2_000_000_000_000)),
            ("0.0".into(), "1.2".into(), "2,000.0".into())
        );
        // "0.0 asked for, 0.0 there" was all that a small place heard.
        assert_eq!((gbits(42_000_000), gbits(700_000)), ("0.04".into(), "0.0007".into()));
        let market = forecast::Market { region: timetable::Region::Hubei, carrier: "dianxin" };
        let short =
            |asked, own| shortage(&Shortage { market, asked, own, elsewhere: 0, missing: asked - own });
        assert_eq!(short(42_000_000, 20_000_000), "湖北 dianxin: 0.04 asked for, 0.02 there");
        assert_eq!(short(12_000_000, 0), "湖北 dianxin: 0.01 asked for, 0.00 there");
        assert_eq!(short(124_010_000_000, 124_000_000_000), "湖北 dianxin: 124.01 asked for, 124.00 there");
        assert_eq!(clock(510), "08:30");
        assert_eq!(bars(&[[0; 20], [1; 20], [8; 20]].concat()), " ▂█");
        assert_eq!((bytes(5_000_000_000), bytes(20_000_000_000_000)), ("5 GB".into(), "20 TB".into()));
    }
}
