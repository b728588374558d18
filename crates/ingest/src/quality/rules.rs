//! From measures to findings. Pure.

use super::policy::{Action, Part};
use super::{Finding, Measures, Policy, Severity, SoundMeasures, Stretch, Stretches, What};
use crate::progress::counted;
use crate::sound::{Sides, gain};
use package::Description;
use package::lesson::DEFAULT_LANGUAGE;
use units::Span;

/// Findings of one kind that are told one by one; the rest in one sentence.
const MAX_OF_A_KIND: usize = 5;
/// Where one picture was held for so much of the time, in percent, the recorder writes one only when something changes.
const SELDOM: f64 = 10.0;

/// What `policy` says about a lesson that measures like this, in the order of [`What`].
pub fn findings(measures: &Measures, description: &Description, policy: &Policy) -> Vec<Finding> {
    let mut judge = Judge { policy, found: Vec::new() };
    judge.pictures(measures);
    if let Some(sound) = &measures.sound {
        judge.sound(measures, sound);
    }
    judge.lengths(measures);
    judge.text(measures, description);
    judge.found
}

struct Judge<'a> {
    policy: &'a Policy,
    found: Vec<Finding>,
}

impl Judge<'_> {
    fn find(&mut self, what: What, action: Action, at: Stretch, figure: f64, text: String) {
        let Some(severity) = action.severity() else { return };
        let severity = if self.policy.accept_all { Severity::Warning } else { severity };
        let (from_ms, to_ms) = (at.from_ms, at.to_ms);
        self.found.push(Finding { what, severity, from_ms, to_ms, figure, text });
    }

    /// Each stretch of at least `from`, but no more than a few one by one.
    fn stretches(
        &mut self,
        what: What,
        (action, from): (Action, Span),
        stretches: &Stretches,
        says: impl Fn(Stretch) -> String,
    ) {
        let long: Vec<_> = stretches.at_least(millis(from).max(1)).collect();
        for stretch in long.iter().take(MAX_OF_A_KIND) {
            self.find(what, action, *stretch, seconds(stretch.length_ms()), says(*stretch));
        }
        if let (Some(first), Some(last)) = (long.get(MAX_OF_A_KIND), long.last()) {
            let span = Stretch { from_ms: first.from_ms, to_ms: last.to_ms };
            let rest = &long[MAX_OF_A_KIND..];
            let together = seconds(rest.iter().map(|stretch| stretch.length_ms()).sum());
            let text = format!(
                "{} more such stretches between {} and {}, {together:.0} s together",
                rest.len(),
                clock(span.from_ms),
                clock(span.to_ms)
            );
            self.find(what, action, span, together, text);
        }
    }

    fn pictures(&mut self, measures: &Measures) {
        let (pictures, policy) = (&measures.pictures, self.policy);
        let whole = Stretch { from_ms: 0, to_ms: pictures.seen_ms };
        let black = percent(pictures.black.total_ms(), pictures.seen_ms);
        if reaches(black, &policy.black_lesson) && policy.black_lesson.action != Action::Off {
            let text = format!("the picture is black (黑屏) for {black:.0} % of the lesson");
            self.find(What::BlackLesson, policy.black_lesson.action, whole, black, text);
            return;
        }
        let says =
            |at: Stretch| format!("black picture (黑屏) at {} for {:.1} s", clock(at.from_ms), lasts(at));
        self.stretches(What::Black, (policy.black.action, policy.black.from), &pictures.black, says);
        // Black is still as well, and told already.
        let moving = percent(pictures.still.total_ms(), pictures.seen_ms) < 50.0;
        let frozen = &policy.frozen;
        let from = if moving { frozen.camera } else { frozen.slides };
        let mut seen = pictures.still.clone();
        if pictures_come_seldom(measures)
            && let Some(sound_ms) = measures.lengths.sound_ms
        {
            seen.add(measures.lengths.pictures_ms, sound_ms.max(measures.lengths.pictures_ms));
        }
        let mut still = Stretches::default();
        for stretch in seen.at_least(millis(from).max(1)) {
            let dark = pictures.black.at_least(1).map(|black| overlap(black, stretch)).sum::<u64>();
            if dark * 2 < stretch.length_ms() {
                still.add(stretch.from_ms, stretch.to_ms);
            }
        }
        let says = |at: Stretch| {
            format!("the picture stands still (画面静止) at {} for {:.0} s", clock(at.from_ms), lasts(at))
        };
        self.stretches(What::Frozen, (frozen.action, from), &still, says);
    }

    fn sound(&mut self, measures: &Measures, sound: &SoundMeasures) {
        let policy = self.policy;
        let whole = Stretch { from_ms: 0, to_ms: sound.heard_ms };
        let silent = percent(sound.silent.total_ms(), sound.heard_ms);
        if (reaches(silent, &policy.silent_lesson) || sound.heard_ms == 0)
            && policy.silent_lesson.action != Action::Off
        {
            let text = "there is a sound track and nothing to be heard on it (无声)".to_owned();
            return self.find(What::SilentLesson, policy.silent_lesson.action, whole, silent, text);
        }
        let says = |at: Stretch| format!("no sound (无声) at {} for {:.0} s", clock(at.from_ms), lasts(at));
        self.stretches(What::Silent, (policy.silent.action, policy.silent.from), &sound.silent, says);
        let lacks = policy.target.zip(measures.loudness_behind_sides()).map(|(target, loudness)| {
            target.loudness.0 - loudness.integrated_lufs - gain(Some(&loudness), &target).db
        });
        if let Some(lacks) = lacks.filter(|&lacks| lacks >= policy.quiet.below_lu) {
            let text = format!(
                "the recording is quiet (音量过低): it stays {lacks:.0} LU below other lessons; record closer to the microphone"
            );
            self.find(What::Quiet, policy.quiet.action, whole, lacks, text);
        }
        let spoken = |ms: u64| percent(ms, sound.sounding_ms);
        let clipped = spoken(sound.clipped.total_ms());
        if reaches(clipped, &policy.clipped) {
            let at = sound.clipped.span().unwrap_or(whole);
            let text = format!(
                "the sound is overdriven (破音) in {clipped:.0} % of what is said, first at {}; record with less gain",
                clock(at.from_ms)
            );
            self.find(What::Clipped, policy.clipped.action, at, clipped, text);
        }
        let (side, one) = match sound.left_only_ms >= sound.right_only_ms {
            true => ("left", spoken(sound.left_only_ms)),
            false => ("right", spoken(sound.right_only_ms)),
        };
        if reaches(one, &policy.one_sided) {
            let done = if measures.sides() == Sides::Joined { "; it is played on both sides" } else { "" };
            let text = format!("the sound comes from the {side} only (单边声音){done}");
            self.find(What::OneSided, policy.one_sided.action, whole, one, text);
        }
        let over = spoken(sound.turned_over_ms);
        if reaches(over, &policy.turned_over) {
            let text = match measures.sides() {
                Sides::Turned => "left and right cancel each other (反相); one side is turned back",
                _ => {
                    "left and right cancel each other (反相): one loudspeaker plays next to nothing; swap the wires of one side"
                }
            };
            self.find(What::TurnedOver, policy.turned_over.action, whole, over, text.to_owned());
        }
    }

    fn lengths(&mut self, measures: &Measures) {
        let (policy, lengths) = (self.policy, measures.lengths);
        let whole = Stretch { from_ms: 0, to_ms: lengths.pictures_ms };
        if let Some(expected) = policy.expected_length.map(millis) {
            let off = lengths.pictures_ms.abs_diff(expected);
            if off >= millis(policy.length.from).max(1) {
                let (is, said) = (clock(lengths.pictures_ms), clock(expected));
                let text = format!("the lesson is {is} long (时长不符) instead of {said}");
                self.find(What::Length, policy.length.action, whole, seconds(off), text);
            }
        }
        let Some(sound) = &measures.sound else { return };
        let ends = lengths.sound_ms.unwrap_or(sound.heard_ms);
        let off = ends.abs_diff(lengths.pictures_ms);
        // A last slide that stands while the teacher speaks on is no end.
        let stands = ends > lengths.pictures_ms && pictures_come_seldom(measures);
        if off >= millis(policy.sound_length.from).max(1) && !stands {
            let (from, to) = (ends.min(lengths.pictures_ms), ends.max(lengths.pictures_ms));
            let which = if ends < lengths.pictures_ms { "sound ends" } else { "pictures end" };
            let text = format!("the {which} at {}, {:.0} s before the rest", clock(from), seconds(off));
            self.find(
                What::SoundLength,
                policy.sound_length.action,
                Stretch { from_ms: from, to_ms: to },
                seconds(off),
                text,
            );
        }
        let clock_report = &sound.clock;
        // Less than a minute says nothing about a clock: the first stamps are still being learnt.
        if clock_report.sound_ms >= 60_000 {
            let drift = clock_report.stretched_ms as f64 * 60_000.0 / clock_report.sound_ms as f64;
            if drift.abs() >= policy.drift.ms_per_minute {
                let how = if drift > 0.0 { "slow" } else { "fast" };
                let text = format!(
                    "the recorder's sound clock (音画不同步) runs {:.0} ms a minute too {how}; mended, {} ms in all",
                    drift.abs(),
                    clock_report.stretched_ms.abs()
                );
                self.find(What::Drift, policy.drift.action, whole, drift, text);
            }
        }
        let holes = clock_report.gap_ms.saturating_add(clock_report.overlap_ms);
        if holes >= millis(policy.gaps.from).max(1) {
            let has = [
                (clock_report.gaps, "gap", clock_report.gap_ms, "filled with silence"),
                (clock_report.overlaps, "overlap", clock_report.overlap_ms, "cut"),
            ];
            let has = has.into_iter().filter(|(count, ..)| *count > 0);
            let has = has.map(|(count, what, ms, done)| {
                format!("{} ({:.1} s, {done})", counted(u64::from(count), what), seconds(ms))
            });
            let text = format!("the sound has {}", has.collect::<Vec<_>>().join(" and "));
            self.find(What::Gaps, policy.gaps.action, whole, holes as f64, text);
        }
    }

    fn text(&mut self, measures: &Measures, description: &Description) {
        let rule = &self.policy.small_text;
        let language = description.language.as_deref().unwrap_or(DEFAULT_LANGUAGE);
        let rows = if is_written_in_characters(language) { rule.characters } else { rule.letters };
        let small = |run: &&super::TextRun| {
            f64::from(run.tenths) < rows * 10.0 && run.tenths > 0 && run.to_ms > run.from_ms
        };
        let runs: Vec<_> = measures.pictures.texts.iter().filter(small).collect();
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else { return };
        let lasts: u64 = runs.iter().map(|run| run.to_ms - run.from_ms).sum();
        if lasts < millis(rule.from).min(measures.pictures.seen_ms / 2).max(1) {
            return;
        }
        // Weighed by time.
        let height = runs.iter().map(|run| (run.to_ms - run.from_ms) * u64::from(run.tenths)).sum::<u64>()
            as f64
            / lasts as f64
            / 10.0;
        let at = Stretch { from_ms: first.from_ms, to_ms: last.to_ms };
        let text = format!(
            "most text is too small (字太小) for {:.0} s, first at {}: {height:.1} rows high at 416x234, where {rows} can be read",
            seconds(lasts),
            clock(at.from_ms)
        );
        self.find(What::SmallText, rule.action, at, height, text);
    }
}

/// Whether the end of the last picture says nothing: the recorder would have written no other before something changed.
fn pictures_come_seldom(measures: &Measures) -> bool {
    percent(measures.pictures.held_ms, measures.pictures.seen_ms) >= SELDOM
}

/// By the language's first subtag (RFC 5646): scripts whose characters need more rows than letters do.
fn is_written_in_characters(language: &str) -> bool {
    let first = language.split('-').next().unwrap_or_default();
    ["zh", "cmn", "yue", "wuu", "nan", "hak", "ja", "ko"]
        .iter()
        .any(|known| first.eq_ignore_ascii_case(known))
}

fn reaches(percent: f64, part: &Part) -> bool {
    percent >= part.percent
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

fn overlap(one: Stretch, other: Stretch) -> u64 {
    one.to_ms.min(other.to_ms).saturating_sub(one.from_ms.max(other.from_ms))
}

fn millis(span: Span) -> u64 {
    u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX)
}

fn seconds(ms: u64) -> f64 {
    ms as f64 / 1_000.0
}

fn lasts(stretch: Stretch) -> f64 {
    seconds(stretch.length_ms())
}

/// `1:02:03` or `2:03`.
fn clock(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    match hours {
        0 => format!("{minutes}:{seconds:02}"),
        _ => format!("{hours}:{minutes:02}:{seconds:02}"),
    }
}

#[cfg(test)]
mod tests;
