//! One segment after the other: time runs on, and what breaks it is marked.

use super::segment::nanoseconds;
use super::{Inspection, Medium, Role};
use crate::report::Place;
use crate::rule::{apple, formats, rfc};

/// A gap larger than this is a break in the encoding, not a slip of a tick.
const BREAK_NS: i128 = 500_000_000;
/// The grid of Airclass in milliseconds.
const GRID_MS: u128 = 4_800;

impl Inspection<'_> {
    pub(super) fn run(&self, medium: &Medium) {
        if !matches!(medium.role, Role::Video | Role::Audio) {
            return;
        }
        let judge = &self.judge;
        let url = medium.url.as_str();
        let list = &medium.list;
        for place in 1..list.segments.len() {
            let (before, here) = (&list.segments[place - 1], &list.segments[place]);
            let (old, new) = (&medium.facts[place - 1], &medium.facts[place]);
            let at = || Place::line(url, here.line);
            if here.discontinuity {
                judge.looked(&apple::A8_13);
                continue;
            }
            let same_init = before.map == here.map;
            judge.demand(&rfc::R6_2_1_M5, same_init, || {
                (at(), "another EXT-X-MAP", "EXT-X-DISCONTINUITY before it")
            });
            judge.demand(&apple::A8_13, same_init, || {
                (at(), "another EXT-X-MAP", "EXT-X-DISCONTINUITY before it")
            });
            if let (Some(old), Some(new)) = (old.rate, new.rate)
                && medium.role == Role::Video
                && self.ours
            {
                judge.demand(&apple::A8_15, old.abs_diff(new) <= 50, || {
                    (at(), format!("{new} pictures in 1,000 s after {old}"), "the same rate")
                });
            }
            let (Some((start, duration, scale)), Some((next, _, next_scale))) = (old.decode, new.decode)
            else {
                continue;
            };
            if scale != next_scale {
                continue;
            }
            let expected = start.wrapping_add(duration);
            // 33 bits of MPEG-TS turn over.
            let slip = if new.is_ts {
                i128::from(next) - i128::from(expected % (1 << 33))
            } else {
                i128::from(next) - i128::from(expected)
            };
            let rule = if new.is_ts { &apple::A7_2 } else { &apple::A7_3 };
            let allowed = if new.is_ts { 2 } else { 0 };
            judge.demand(rule, slip.abs() <= allowed, || {
                (at(), format!("decode time {next}"), format!("{expected}, the end of the segment before"))
            });
            let breaks = nanoseconds(slip.abs(), scale) > BREAK_NS;
            judge.demand(&apple::A7_1, !breaks, || {
                (at(), format!("a jump of {slip} ticks"), "media that runs on")
            });
            judge.demand(&apple::A8_13, !breaks, || {
                (at(), format!("a jump of {slip} ticks"), "EXT-X-DISCONTINUITY before it")
            });
            for (pid, (first, _)) in &new.counters {
                let Some((_, last)) = old.counters.get(pid) else { continue };
                judge.demand(&apple::A7_2, *first == (*last + 1) & 15, || {
                    (at(), format!("PID {pid} begins with {first} after {last}"), "counters in sequence")
                });
            }
        }
        self.durations(medium);
        if self.ours && medium.facts.iter().all(|facts| !facts.is_ts) {
            self.grid(medium);
        }
    }

    /// Apple 8.1, over runs that begin with the first opened segment after a discontinuity.
    fn durations(&self, medium: &Medium) {
        let (mut told, mut origin) = (0i128, None);
        for (segment, facts) in medium.list.segments.iter().zip(&medium.facts) {
            if segment.discontinuity {
                origin = None;
            }
            match (origin, facts.decode) {
                (None, Some((start, _, scale))) => origin = Some((nanoseconds(start.into(), scale), told)),
                (Some((first, base)), Some((start, _, scale))) if !facts.is_ts || start >= 1 => {
                    let real = nanoseconds(start.into(), scale) - first;
                    let slip = (told - base - real).abs();
                    self.judge.demand(&apple::A8_1, slip <= facts.picture.max(1_000_000), || {
                        let place = Place::line(medium.url.as_str(), segment.line);
                        (
                            place,
                            format!("{} ms of EXTINF before it", (told - base) / 1_000_000),
                            format!("{} ms of media", real / 1_000_000),
                        )
                    });
                }
                _ => {}
            }
            if let Some((_, duration, scale)) = facts.decode {
                let real = nanoseconds(duration.into(), scale);
                let extinf = i128::from(segment.duration.unwrap_or(0)) * 1_000;
                self.judge.demand(
                    &apple::A8_1,
                    (real - extinf).abs() <= facts.picture.max(1_000_000),
                    || {
                        let place = Place::line(medium.url.as_str(), segment.line);
                        (
                            place,
                            format!("EXTINF of {} ms", extinf / 1_000_000),
                            format!("{} ms of media", real / 1_000_000),
                        )
                    },
                );
            }
            told += i128::from(segment.duration.unwrap_or(0)) * 1_000;
        }
    }

    fn grid(&self, medium: &Medium) {
        for (number, (segment, facts)) in medium.list.segments.iter().zip(&medium.facts).enumerate() {
            let place = || Place::line(medium.url.as_str(), segment.line);
            let length = segment.duration.unwrap_or(0);
            self.judge.demand(&formats::GRID, u128::from(length) == GRID_MS * 1_000, || {
                (place(), format!("{length} µs"), "4.8 s")
            });
            let Some((start, duration, scale)) = facts.decode else { continue };
            let ticks = |segments: u128| segments * GRID_MS * u128::from(scale) / 1_000;
            let on_grid = (u128::from(start), u128::from(duration)) == (ticks(number as u128), ticks(1));
            self.judge.demand(&formats::GRID, on_grid, || {
                (
                    place(),
                    format!("{duration} ticks at {start}"),
                    format!("{} at {}", ticks(1), ticks(number as u128)),
                )
            });
        }
    }
}
