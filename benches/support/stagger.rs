//! 错峰 at a real door: how far the peak of new sessions falls when grades have their slots, and a line at twice the capacity,
//! with those before an examination, and who came first, first.

mod crowd;

use crate::cleanup::Workplace;
use crate::clock;
use crate::line::{Bar, Line};
use crate::options::Options;
use crate::process;
use crate::site::{Node, Site, grade};
use anyhow::{Context, Result, ensure};
use crowd::{Coming, Inside, crowd};
use jiff::SignedDuration;
use std::time::Duration;
use timetable::plan::AdmissionSlot;
use timetable::{Band, Class, Place};

/// The grades of a bell, a slot for each.
const STAGGERED: [u8; 4] = [4, 5, 7, 8];
/// A slot, and within how much of it everybody comes to the bell.
const SLOT: Duration = Duration::from_secs(20);
/// Who comes to the bell.
const STUDENTS: (usize, usize) = (20_000, 4_000);
/// Over so much a peak is taken: short against a slot, long enough that chance does not make it.
const PEAK: Duration = Duration::from_secs(5);
/// By so much of a hundred the peak may be off from what was planned.
const OFF: f64 = 10.0;

/// The grade before an examination, and another.
const EXAM: u8 = 9;
const USUAL: u8 = 6;
/// What the door of the second part lets in, a second.
const RATE: u32 = 100;
/// Who comes: twice as many, for so long, three of ten of them before an examination.
const TWICE: usize = 2 * RATE as usize;
const SPAN: (u64, u64) = (60, 20);
const OF_TEN: usize = 3;
/// In at the bell: within so long of coming, which is one time of coming back.
const SOON: Duration = Duration::from_secs(5);
/// Of a hundred before an examination so many must be in soon.
const SOON_PERCENT: f64 = 99.9;
/// Of a hundred pairs so many may get in in another order than they came.
const TURNED_PERCENT: f64 = 1.0;

/// The longest that filling may take.
const NIGHT: Duration = Duration::from_secs(120);
/// Before the bell: time to be filled.
const BEFORE: SignedDuration = SignedDuration::from_secs(8);
/// From the bell to the first student: a lesson opens within half a second.
const OPEN: SignedDuration = SignedDuration::from_millis(500);

pub(crate) fn measure(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let mut lines = peak(options, workplace)?;
    lines.extend(line(options, workplace)?);
    Ok(lines)
}

/// The same crowd at two edges, of which one has slots.
fn peak(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let students = options.pick(STUDENTS.0, STUDENTS.1);
    let coming: Vec<Coming> = (0..students)
        .map(|n| Coming {
            grade: STAGGERED[n % STAGGERED.len()],
            after: SLOT.mul_f64(n as f64 / students as f64),
        })
        .collect();
    let mut peaks = Vec::new();
    for staggered in [false, true] {
        let place: &[&str] = if staggered { &["--admission-place", "nation"] } else { &[] };
        let slots = if staggered { slots()? } else { Vec::new() };
        let inside = morning(options, workplace, &STAGGERED, place, slots, &coming)?;
        peaks.push(busiest(&inside) as f64);
    }
    let (at_once, spread) = (peaks[0], peaks[1]);
    let planned = STAGGERED.len() as f64;
    let fell = at_once / spread.max(1.0);
    Ok(vec![
        Line::once(
            format!("stagger: {students} students, {} slots: the peak's fall is off by", STAGGERED.len()),
            "%",
            (fell / planned - 1.0).abs() * 100.0,
            Some(Bar::AtMost(OFF)),
        )
        .note(format!(
            "planned to 1/{planned}, fell to 1/{fell:.2}: {at_once} and {spread} new sessions in the busiest {} s",
            PEAK.as_secs()
        )),
    ])
}

/// Twice as many as may come in.
fn line(options: &Options, workplace: &Workplace) -> Result<Vec<Line>> {
    let span = options.pick(SPAN.0, SPAN.1);
    let students = TWICE * usize::try_from(span).context("a minute")?;
    let coming: Vec<Coming> = (0..students)
        .map(|n| Coming {
            grade: if n % 10 < OF_TEN { EXAM } else { USUAL },
            after: Duration::from_secs(span).mul_f64(n as f64 / students as f64),
        })
        .collect();
    let rate = RATE.to_string();
    let inside =
        morning(options, workplace, &[USUAL, EXAM], &["--admission-rate", &rate], Vec::new(), &coming)?;
    let of = |grade: u8| inside.iter().filter(move |student| student.grade == grade).collect::<Vec<_>>();
    let (exam, usual) = (of(EXAM), of(USUAL));
    let soon = exam.iter().filter(|student| student.at - student.came <= SOON).count();
    let within = soon as f64 / exam.len().max(1) as f64 * 100.0;
    let waited = usual.iter().map(|student| student.at - student.came).max().unwrap_or_default();
    let at_twice = format!("line: {TWICE} a second for {span} s where {RATE} may begin");
    Ok(vec![
        Line::once(
            format!("{at_twice}: before an examination not in within {} s", SOON.as_secs()),
            "%",
            100.0 - within,
            Some(Bar::AtMost(100.0 - SOON_PERCENT)),
        )
        .note(format!(
            "{soon} of {}; the others waited up to {:.0} s",
            exam.len(),
            waited.as_secs_f64()
        )),
        Line::once(
            format!("{at_twice}: pairs turned around"),
            "%",
            turned(&usual) * 100.0,
            Some(Bar::AtMost(TURNED_PERCENT)),
        ),
    ])
}

/// A site of its own, its bell, and those who come.
fn morning(
    options: &Options,
    workplace: &Workplace,
    grades: &[u8],
    more: &[&str],
    slots: Vec<AdmissionSlot>,
    coming: &[Coming],
) -> Result<Vec<Inside>> {
    let program = process::sibling(options.airclass.as_ref(), "airclass", "cargo build --release -p cli")?;
    let directory = workplace.directory("stagger-")?;
    let site = Site::new(program, directory.path(), grades, &[EXAM])?;
    let bell = site.now() + BEFORE;
    site.publish(1, bell, slots)?;
    let origin = site.origin()?;
    let edge: Node = site.edge(&origin, "edge", more)?;
    ensure!(clock::wait_until(NIGHT, || site.is_covered(&edge)), "the edge was not filled within {NIGHT:?}");
    site.wait_until(bell + OPEN);
    let inside = crowd(edge.address, coming)?;
    ensure!(inside.len() == coming.len(), "{} of {} got in", inside.len(), coming.len());
    Ok(inside)
}

/// A slot behind the other for each grade.
fn slots() -> Result<Vec<AdmissionSlot>> {
    let window_s = u32::try_from(SLOT.as_secs())?;
    let slot = |(place, &number): (u32, &u8)| {
        Ok(AdmissionSlot {
            place: Place::Nation,
            class: Class::Usual,
            band: Band::of(grade(number)?),
            grades: vec![grade(number)?],
            after_s: place * window_s,
            window_s,
            term_start: None,
            soft: false,
        })
    };
    (0..).zip(&STAGGERED).map(slot).collect()
}

/// The most that got in within [`PEAK`].
fn busiest(inside: &[Inside]) -> usize {
    let mut times: Vec<Duration> = inside.iter().map(|student| student.at).collect();
    times.sort_unstable();
    let within = |(first, at): (usize, &Duration)| times.partition_point(|time| *time < *at + PEAK) - first;
    times.iter().enumerate().map(within).max().unwrap_or(0)
}

/// The share of pairs that came in one order and got in in the other.
fn turned(students: &[&Inside]) -> f64 {
    let mut by_coming: Vec<&&Inside> = students.iter().collect();
    by_coming.sort_unstable_by_key(|student| student.came);
    let pairs = students.len() * students.len().saturating_sub(1) / 2;
    let turned: usize = (0..by_coming.len())
        .map(|n| by_coming[n + 1..].iter().filter(|later| later.at < by_coming[n].at).count())
        .sum();
    turned as f64 / pairs.max(1) as f64
}
