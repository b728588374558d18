//! What a player chooses from: the slots, each with the most that anything of the channel's day takes in it.

use crate::asked::{Which, file};
use crate::segments::rung;
use hls::bitrate::{Measured, combined};
use hls::{IFrameVariant, MediaType, MultivariantPlaylist, PictureRate, Resolution, Variant};
use package::{AudioSlot, Language, Rendition, Slot};
use timetable::plan::{Channel, Media, Plan, Show};

/// Apple 1.32b: where a player begins on a cellular line.
const START_BPS: u64 = 730_000;
/// What is spoken; a channel does not say (RFC 5646).
const LANGUAGE: &str = "zh-CN";
/// NAME of the sound.
const SOUND: &str = "中文";
/// GROUP-ID of the text.
const TEXT: &str = "subs";

/// H.264 alone: all devices play it, and a channel must not change formats from lesson to lesson (Apple 8.16). `None` when
/// the channel shows nothing all day.
pub(crate) fn playlist(plan: &Plan, channel: &Channel) -> Option<MultivariantPlaylist> {
    let shown = shown(plan, channel);
    if shown.is_empty() {
        return None;
    }
    // A slot that is everywhere another one's twin would offer the same bits twice.
    let real = |slot: &&Slot| {
        shown.iter().any(|media| media.video.iter().any(|r| r.slot == **slot && r.alias_of.is_none()))
    };
    let mut variants: Vec<Variant> =
        Slot::H264.iter().filter(real).filter_map(|&slot| variant(&shown, slot)).collect();
    let near = |&place: &usize| variants[place].bandwidth.abs_diff(START_BPS);
    if let Some(start) = (0..variants.len()).min_by_key(near) {
        variants[..=start].rotate_right(1);
    }
    let used = |slot: &AudioSlot| {
        variants.iter().any(|variant| variant.audio_group.as_deref() == Some(slot.as_str()))
    };
    let renditions = AudioSlot::ALL.into_iter().filter(used).map(|slot| hls::Rendition {
        type_: MediaType::Audio,
        group: slot.as_str().to_owned(),
        name: SOUND.to_owned(),
        language: Some(LANGUAGE.to_owned()),
        channels: Some(slot.channels()),
        default: true,
        autoselect: true,
        uri: Some(file(Which::Media(Rendition::Audio(slot)))),
    });
    let mut renditions: Vec<_> = renditions.collect();
    let texts = subtitles(&shown);
    if !texts.is_empty() {
        variants.iter_mut().for_each(|variant| variant.subtitles_group = Some(TEXT.to_owned()));
        renditions.extend(texts);
    }
    let mut list = MultivariantPlaylist::new(variants, renditions);
    list.iframe_variants = pictures(&shown).into_iter().collect();
    Some(list)
}

/// Whether the channel has in the day what is asked for: nobody makes it show nothing under names of his own.
pub(crate) fn offers(plan: &Plan, channel: &Channel, which: Which<'_>) -> bool {
    match which {
        Which::Main | Which::Media(_) => true,
        Which::Pictures => shown(plan, channel).iter().any(|media| media.pictures.is_some()),
        Which::Subtitles(wanted) => {
            let mut languages = shown(plan, channel).into_iter().flat_map(|media| &media.subtitles);
            languages.any(|language| language.as_str() == wanted)
        }
    }
}

/// Every language that something of the day has; where something has it not, there is a gap.
fn subtitles(shown: &[&Media]) -> Vec<hls::Rendition> {
    let mut languages: Vec<&Language> = shown.iter().flat_map(|media| &media.subtitles).collect();
    languages.sort();
    languages.dedup();
    let rendition = |language: &Language| hls::Rendition {
        type_: MediaType::Subtitles,
        group: TEXT.to_owned(),
        name: language.native_name().to_owned(),
        language: Some(language.to_string()),
        channels: None,
        default: false,
        autoselect: true,
        uri: Some(file(Which::Subtitles(language.as_str()))),
    };
    languages.into_iter().map(rendition).collect()
}

/// Apple 6.1; `None` where nothing of the day has any.
fn pictures(shown: &[&Media]) -> Option<IFrameVariant> {
    let all: Vec<_> = shown.iter().filter_map(|media| media.pictures.as_ref()).collect();
    let mut codecs: Vec<&str> = all.iter().map(|pictures| pictures.codecs.as_str()).collect();
    codecs.sort_unstable();
    codecs.dedup();
    Some(IFrameVariant {
        uri: file(Which::Pictures),
        bandwidth: all.iter().map(|pictures| pictures.peak_bps()).max()?,
        average_bandwidth: all.iter().map(|pictures| pictures.average_bps()).max(),
        codecs: Some(codecs.join(",")),
        resolution: Some(Resolution {
            width: all.iter().map(|pictures| pictures.width).max()?,
            height: all.iter().map(|pictures| pictures.height).max()?,
        }),
        ..IFrameVariant::default()
    })
}

/// Everything that the channel shows in the day, once.
fn shown<'a>(plan: &'a Plan, channel: &'a Channel) -> Vec<&'a Media> {
    let mut shown: Vec<&Media> = Vec::new();
    for programme in &channel.programmes {
        let media = match &programme.show {
            Show::Lesson(lesson) => plan.lesson(lesson.as_str()).and_then(|lesson| lesson.media.as_ref()),
            Show::Clip(clip) => plan.clip(clip.as_str()).map(|clip| &clip.media),
            Show::Nothing => None,
        };
        if let Some(media) = media
            && !shown.iter().any(|other| other.package == media.package)
        {
            shown.push(media);
        }
    }
    shown
}

/// A promise for the whole day (Apple 1.28, 1.29): the costliest of everything, and every format that comes (RFC 8216bis
/// §6.2.4).
fn variant(shown: &[&Media], slot: Slot) -> Option<Variant> {
    let mut most = Measured::default();
    let mut codecs: Vec<&str> = Vec::new();
    let mut size = Resolution { width: 0, height: 0 };
    let mut rate = PictureRate { thousandths: 0 };
    for media in shown {
        let Some(rung) = rung(media, slot) else { continue };
        let Some(sound) = media.audio.iter().find(|sound| sound.slot == slot.audio()) else { continue };
        let both = combined([
            Measured { peak_bps: rung.peak_bps, average_bps: rung.average_bps },
            Measured { peak_bps: sound.peak_bps, average_bps: sound.average_bps },
        ]);
        most.peak_bps = most.peak_bps.max(both.peak_bps);
        most.average_bps = most.average_bps.max(both.average_bps);
        size.width = size.width.max(rung.width);
        size.height = size.height.max(rung.height);
        rate = rate.max(PictureRate::thinned(media.frame_rate, rung.thinning.get()));
        codecs.extend([rung.codecs.as_str(), sound.codecs.as_str()]);
    }
    // Pictures first, each once, whatever order programmes come in.
    codecs.sort_unstable();
    codecs.dedup();
    (most.peak_bps > 0).then(|| Variant {
        uri: file(Which::Media(Rendition::Video(slot))),
        bandwidth: most.peak_bps,
        average_bandwidth: Some(most.average_bps),
        codecs: Some(codecs.join(",")),
        resolution: Some(size),
        frame_rate: Some(rate),
        audio_group: Some(slot.audio().as_str().to_owned()),
        no_closed_captions: true,
        ..Variant::default()
    })
}
