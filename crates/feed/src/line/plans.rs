//! The line as signed day plans say it: yesterday's, today's and tomorrow's, read again as they change.

use super::{Line, Piece};
use conformance::{Ask, Fetch, FetchError, Url};
use grid::SEGMENTS_PER_DAY;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use multiplex::{Event, Guide, Rate, Sizes};
use package::{AudioSlot, Codec, Slot};
use signing::Trust;
use std::collections::BTreeMap;
use std::path::Path;
use timetable::plan::{Channel, ChannelId, Media, PlannedLesson, Programme, Show};
use timetable::{Accepted, AirSegment, Kind, MAX_ENVELOPE_BYTES, Plan, Refusal, Zone, accept};
use units::BitRate;

/// Where plans are: an address or a file name with `{date}` in it, or what `/plans/{date}.json` is put behind, or what ends in
/// that folder already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place(String);

impl Place {
    /// `None`: neither an address nor a path.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = if text.contains("{date}") || text.ends_with(".json") {
            text.to_owned()
        } else {
            let folder = text.trim_end_matches('/');
            let plans = if folder.rsplit('/').next() == Some("plans") { "" } else { "/plans" };
            format!("{folder}{plans}/{{date}}.json")
        };
        let place = Self(text);
        place.on(Date::ZERO).map(|_| place)
    }

    fn on(&self, date: Date) -> Option<Url> {
        let text = self.0.replace("{date}", &date.to_string());
        match Url::parse(&text) {
            Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => Some(url),
            _ => Url::from_file_path(std::path::absolute(Path::new(&text)).ok()?).ok(),
        }
    }
}

/// Why a plan is not followed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PlanError {
    #[error("the plan for {date} {source}")]
    Fetch { date: Date, source: FetchError },
    #[error("the plan for {date} is refused: {}", .refusal.as_str())]
    Refused { date: Date, refusal: Refusal },
    #[error("no plan is there for any day about {date}, at {place}; see --plan")]
    Nothing { date: Date, place: String },
    #[error("the plan knows no channel `{wanted}`; it knows {known}")]
    NoChannel { wanted: ChannelId, known: String },
}

/// A programme that does not fit into the rate with the rung that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Misfit {
    pub(crate) name: String,
    pub(crate) slot: Slot,
    /// The rate that would do.
    pub(crate) needed: BitRate,
}

/// The plans of a channel.
#[derive(Debug)]
pub(crate) struct Plans {
    place: Place,
    trust: Trust,
    channel: ChannelId,
    /// The rung that is sent, or the largest below that is there and fits.
    wanted: Slot,
    rate: Rate,
    held: BTreeMap<Date, Accepted>,
}

impl Plans {
    pub(crate) fn new(place: Place, trust: Trust, channel: ChannelId, wanted: Slot, rate: Rate) -> Self {
        Self { place, trust, channel, wanted, rate, held: BTreeMap::new() }
    }

    /// Reads the plans of the days about `now`. What cannot be had or is refused leaves what is held as it is. Whether
    /// anything has changed, and what was wrong; a day without a plan is not.
    pub(crate) fn refresh(&mut self, fetch: &dyn Fetch, now: Timestamp) -> (bool, Vec<PlanError>) {
        let today = TimeZone::UTC.to_datetime(now).date();
        let (mut changed, mut problems) = (false, Vec::new());
        let days = [today.checked_sub(1.day()), Ok(today), today.checked_add(1.day())];
        for date in days.into_iter().flatten() {
            match self.read(fetch, date, now) {
                Ok(Some(accepted)) => {
                    let same = self.held.get(&date).is_some_and(|held| held.digest == accepted.digest);
                    changed |= !same;
                    self.held.insert(date, accepted);
                }
                Ok(None) => {}
                Err(problem) => problems.push(problem),
            }
        }
        let before = self.held.len();
        self.held.retain(|&date, _| date.checked_add(1.day()).is_ok_and(|after| after >= today));
        (changed || self.held.len() < before, problems)
    }

    fn read(&self, fetch: &dyn Fetch, date: Date, now: Timestamp) -> Result<Option<Accepted>, PlanError> {
        let Some(url) = self.place.on(date) else { return Ok(None) };
        let limit = MAX_ENVELOPE_BYTES as u64;
        let answer = match fetch.get(&Ask { limit, ..Ask::text(&url) }) {
            Ok(answer) => answer.body,
            Err(FetchError::Missing(_)) => return Ok(None),
            Err(source) => return Err(PlanError::Fetch { date, source }),
        };
        match accept(&answer, &self.trust, date, self.held.get(&date), now) {
            Ok(accepted) => Ok(Some(accepted)),
            // One file for one day, looked at for all three.
            Err(Refusal::AnotherDay) if !self.place.0.contains("{date}") => Ok(None),
            Err(refusal) => Err(PlanError::Refused { date, refusal }),
        }
    }

    /// Whether there is a plan with the channel in it, so that a misspelt name does not look like a quiet morning.
    pub(crate) fn check(&self, now: Timestamp) -> Result<(), PlanError> {
        let Some(plan) = self.plans().last() else {
            let date = TimeZone::UTC.to_datetime(now).date();
            return Err(PlanError::Nothing { date, place: self.place.0.clone() });
        };
        if self.plans().any(|plan| plan.channel(self.channel.as_str()).is_some()) {
            return Ok(());
        }
        let known: Vec<&str> = plan.channels.iter().map(|channel| channel.channel.as_str()).collect();
        Err(PlanError::NoChannel { wanted: self.channel.clone(), known: known.join(", ") })
    }

    /// Where the channel's clock is read, and what it is called.
    pub(crate) fn about(&self) -> Option<(Zone, &str)> {
        let (plan, channel) = self.days().last()?;
        Some((plan.zone, &channel.title))
    }

    /// What is planned for the channel and does not fit into the rate, by name.
    pub(crate) fn misfits(&self) -> Vec<Misfit> {
        let mut misfits = BTreeMap::new();
        for (plan, channel) in self.days() {
            for programme in &channel.programmes {
                let (name, media) = match &programme.show {
                    Show::Lesson(name) => {
                        (name, plan.lesson(name.as_str()).and_then(|lesson| lesson.media.as_ref()))
                    }
                    Show::Clip(name) => (name, plan.clip(name.as_str()).map(|clip| &clip.media)),
                    Show::Nothing => continue,
                };
                let first = media.and_then(|media| choices(media, self.wanted).next());
                if let Some((slot, _, needed)) = first.filter(|choice| !self.fits(choice.2)) {
                    let name = name.as_str().to_owned();
                    misfits.insert(name.clone(), Misfit { name, slot, needed: told(needed) });
                }
            }
        }
        misfits.into_values().collect()
    }

    fn fits(&self, needed: u64) -> bool {
        needed <= self.rate.bits_per_second()
    }

    fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.held.values().map(|held| &held.plan)
    }

    fn days(&self) -> impl Iterator<Item = (&Plan, &Channel)> {
        self.plans().filter_map(|plan| Some((plan, plan.channel(self.channel.as_str())?)))
    }

    fn day(&self, air: u64) -> Option<(&Plan, &Channel)> {
        self.days()
            .find(|(plan, _)| (plan.first_segment.0..plan.first_segment.0 + SEGMENTS_PER_DAY).contains(&air))
    }
}

/// A rate as it is told: rounded up so far that it still does when its last digits are left out and packets are whole.
fn told(needed: u64) -> BitRate {
    const STEP: u64 = 100_000;
    BitRate((needed + 1_000).next_multiple_of(STEP))
}

/// The H.264 rungs of `media` from `wanted` down, each once, with their sound and the rate that carries them.
fn choices(media: &Media, wanted: Slot) -> impl Iterator<Item = (Slot, AudioSlot, u64)> {
    let rungs = media.video.iter().rev();
    let rungs = rungs.filter(move |rung| {
        rung.slot.codec() == Codec::H264
            && rung.slot <= wanted
            && (rung.alias_of.is_none() || rung.slot == wanted)
    });
    rungs.filter_map(|rung| {
        let sound = media.audio.iter().find(|sound| sound.slot == rung.audio)?;
        let pictures = u64::from(media.frame_rate.per_segment());
        let sizes = Sizes { video_peak_bps: rung.peak_bps, audio_peak_bps: sound.peak_bps, pictures };
        Some((rung.alias_of.unwrap_or(rung.slot), rung.audio, Rate::needed(sizes)))
    })
}

impl Line for Plans {
    fn on(&self, air: u64) -> Option<Piece> {
        let (plan, channel) = self.day(air)?;
        let sent = plan.on_air(channel, AirSegment(air))?.sent?;
        let mut choices = choices(sent.media, self.wanted).filter(|choice| self.fits(choice.2));
        let (video, audio, _) = choices.next()?;
        Some(Piece { package: sent.media.package, video, audio, segment: sent.segment })
    }

    fn guide(&self) -> Guide {
        let mut events = Vec::new();
        let mut edition = 0_u64;
        for (plan, channel) in self.days() {
            // Another plan of any day is another sum.
            edition = edition.wrapping_add(plan.edition);
            for programme in &channel.programmes {
                let Programme { start, segments, kind, .. } = programme;
                if *kind != Kind::Gap && *segments > 0 {
                    let (title, text) = words(plan, programme);
                    let start = plan.first_segment.0 + u64::from(*start);
                    events.push(Event { start, segments: *segments, title, text });
                }
            }
        }
        // Editions of a guide are told by five bits of it.
        Guide::new((edition % 32) as u32, events)
    }

    fn title(&self, air: u64) -> String {
        let on =
            self.day(air).and_then(|(plan, channel)| Some((plan, plan.on_air(channel, AirSegment(air))?)));
        on.map(|(plan, on)| words(plan, on.programme).0).unwrap_or_default()
    }
}

/// What a programme is called, and what more there is to say.
fn words(plan: &Plan, programme: &Programme) -> (String, String) {
    let lesson = match &programme.show {
        Show::Lesson(name) => plan.lesson(name.as_str()),
        _ => programme.lesson.as_ref().and_then(|name| plan.lesson(name.as_str())),
    };
    let Some(PlannedLesson { title, subject, edition, volume, .. }) = lesson else {
        return (programme.title.clone(), String::new());
    };
    let text =
        [subject, edition, volume].into_iter().flatten().map(String::as_str).collect::<Vec<_>>().join(" ");
    (title.clone(), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The folder that `compile --out` and an agent write is called plans, and was looked for within itself.
    #[test]
    fn a_folder_of_plans_is_one_by_itself_or_by_where_it_lies() {
        for (given, file) in [
            ("/out", "file:///out/plans/2026-09-01.json"),
            ("/out/plans", "file:///out/plans/2026-09-01.json"),
            ("/out/plans/", "file:///out/plans/2026-09-01.json"),
            ("http://node", "http://node/plans/2026-09-01.json"),
            ("http://node/plans", "http://node/plans/2026-09-01.json"),
            ("/out/myplans", "file:///out/myplans/plans/2026-09-01.json"),
            ("/out/{date}.json", "file:///out/2026-09-01.json"),
        ] {
            let place = Place::parse(given).unwrap();
            assert_eq!(place.on(jiff::civil::date(2026, 9, 1)).unwrap().as_str(), file, "{given}");
        }
    }
}
