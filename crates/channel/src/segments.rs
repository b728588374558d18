//! What is on air, in the words of a playlist.

use crate::asked::Which;
use crate::days::Aired;
use grid::{SEGMENT_MS, SegmentNumber, TARGET_DURATION_S};
use hls::{ByteRange, DateRange, MediaPlaylist, Segment};
use package::layout::{segment_name, subtitles_segment_name};
use package::{PackageId, Rendition, Slot};
use timetable::plan::{Media, Rung};

/// The init segment's name in the folder of its rendition.
const INIT: &str = "init.mp4";
/// How far from the end an update begins: RFC 8216bis §4.4.3.8 asks for six target durations at least.
const CAN_SKIP_UNTIL_MS: u64 = 6 * TARGET_DURATION_S * 1_000;
/// CLASS of EXT-X-DATERANGE.
const PROGRAMME: &str = "cn.airclass.programme";
/// Client attributes of EXT-X-DATERANGE, in reverse DNS as RFC 8216bis §4.4.5.1 asks.
const TITLE: &str = "X-CN-AIRCLASS-TITLE";
const KIND: &str = "X-CN-AIRCLASS-KIND";
const LESSON: &str = "X-CN-AIRCLASS-LESSON";

/// The segments of what is asked for; `root` leads to the folder of everything.
pub(crate) fn segments(run: &[Aired], which: Which<'_>, root: &str) -> (Option<String>, Vec<Segment>) {
    let mut map = None;
    let mut segments = Vec::with_capacity(run.len());
    // Where what is sent lies, kept while it is the same: nearly all of a window is of one package.
    let mut folder: Option<Folder<'_>> = None;
    for (place, aired) in run.iter().enumerate() {
        let package = aired.on_air.sent.map(|sent| sent.media.package);
        let mut init = None;
        if folder.as_ref().map(|folder| folder.package) != package {
            let next = aired.on_air.sent.and_then(|sent| Folder::of(sent.media, which, root));
            init = next.as_ref().and_then(Folder::init);
            folder = next;
        }
        let sent = folder.as_ref().zip(aired.on_air.sent).map(|(folder, sent)| folder.segment(sent.segment));
        let mut segment = Segment {
            discontinuity: aired.on_air.discontinuity,
            // Where the time line begins, and wherever what follows might have to find itself again.
            date_time: (place == 0 || aired.on_air.discontinuity)
                .then(|| aired.segment.starts_at())
                .flatten(),
            gap: sent.is_none(),
            // What has no picture has no address; this one is never asked for.
            ..sent.unwrap_or_else(|| Segment::on_grid(format!("{root}channels/nothing")))
        };
        if place == 0 {
            map = init
        } else {
            segment.map = init
        }
        segments.push(segment);
    }
    (map, segments)
}

/// What kind of playlist it is, and that it can be updated while it goes on.
pub(crate) fn told(mut list: MediaPlaylist, which: Which<'_>) -> MediaPlaylist {
    list.iframes_only = which == Which::Pictures;
    list.independent_segments = matches!(which, Which::Media(_));
    list.can_skip_until_ms = (!list.end_list).then_some(CAN_SKIP_UNTIL_MS);
    list.version = list.needed_version();
    list
}

/// Where the objects of a rendition of a package lie.
struct Folder<'a> {
    package: PackageId,
    path: String,
    holds: Holds<'a>,
}

/// What lies there.
enum Holds<'a> {
    /// Segments that are shown whole.
    Media,
    /// Segments of which the first picture is shown, so many bytes of each.
    Pictures(&'a [u32]),
    /// Text.
    Subtitles,
}

impl<'a> Folder<'a> {
    /// `None` where the package has no such rendition.
    fn of(media: &'a Media, which: Which<'_>, root: &str) -> Option<Self> {
        let (folder, holds) = match which {
            Which::Main => return None,
            Which::Media(rendition) => (real(media, rendition)?.to_string(), Holds::Media),
            Which::Pictures => {
                let pictures = media.pictures.as_ref()?;
                (pictures.rendition().to_string(), Holds::Pictures(&pictures.bytes))
            }
            Which::Subtitles(wanted) => {
                let language = media.subtitles.iter().find(|language| language.as_str() == wanted)?;
                (format!("subs/{language}"), Holds::Subtitles)
            }
        };
        let path = format!("{root}{}/{folder}/", media.package.folder());
        Some(Self { package: media.package, path, holds })
    }

    fn init(&self) -> Option<String> {
        (!matches!(self.holds, Holds::Subtitles)).then(|| format!("{}{INIT}", self.path))
    }

    fn segment(&self, number: SegmentNumber) -> Segment {
        let (name, length) = match self.holds {
            Holds::Media => (segment_name(number), None),
            Holds::Pictures(bytes) => {
                (segment_name(number), usize::try_from(number.0).ok().and_then(|at| bytes.get(at)))
            }
            Holds::Subtitles => (subtitles_segment_name(number), None),
        };
        let byte_range = length.map(|&length| ByteRange { length: length.into(), offset: 0 });
        Segment { byte_range, ..Segment::on_grid(format!("{}{name}", self.path)) }
    }
}

/// The rendition whose objects stand in for `wanted`.
fn real(media: &Media, wanted: Rendition) -> Option<Rendition> {
    match wanted {
        Rendition::Video(slot) => {
            let rung = rung(media, slot)?;
            Some(Rendition::Video(rung.alias_of.unwrap_or(rung.slot)))
        }
        Rendition::Audio(slot) => {
            media.audio.iter().any(|sound| sound.slot == slot).then_some(Rendition::Audio(slot))
        }
        Rendition::Trick => None,
    }
}

/// The rung of `slot`, or the next smaller one that there is: a clip may have fewer than lessons.
pub(crate) fn rung(media: &Media, slot: Slot) -> Option<&Rung> {
    let smaller = Slot::H264.iter().rev().skip_while(|&&other| other != slot);
    let of = |slot: Slot| media.video.iter().find(|rung| rung.slot == slot);
    smaller.copied().find_map(of).or_else(|| media.video.first())
}

/// The programmes that `run` shows something of. The same in every rendition, and the same each time that a programme is
/// in a window.
pub(crate) fn programmes(run: &[Aired]) -> Vec<DateRange> {
    let mut ranges: Vec<DateRange> = Vec::new();
    for aired in run {
        let programme = aired.on_air.programme;
        let first = aired.segment.0.saturating_sub(aired.on_air.into.into());
        let Some(start) = timetable::AirSegment(first).starts_at() else { continue };
        let day = aired.plan.date.strftime("%Y%m%d");
        let id = format!("{day}-{}-{}", programme.start, programme.segments);
        if programme.title.is_empty() || ranges.last().is_some_and(|before| before.id == id) {
            continue;
        }
        let mut client = vec![
            (TITLE.to_owned(), programme.title.clone()),
            (KIND.to_owned(), programme.kind.as_str().to_owned()),
        ];
        client.extend(programme.lesson.as_ref().map(|lesson| (LESSON.to_owned(), lesson.to_string())));
        ranges.push(DateRange {
            id,
            class: Some(PROGRAMME.to_owned()),
            start,
            duration_ms: Some(u64::from(programme.segments) * SEGMENT_MS),
            client,
        });
    }
    ranges
}

/// EXT-X-DISCONTINUITY-SEQUENCE in front of `first`: its own tag is in the playlist and not counted yet (RFC 8216bis §6.2.2).
pub(crate) fn discontinuities_before(first: &Aired) -> u64 {
    first.on_air.discontinuities.saturating_sub(u64::from(first.on_air.discontinuity))
}
