//! Multivariant playlists: what a player chooses from. Pure.

use hls::bitrate::{Measured, combined};
use hls::{
    IFrameVariant, MultivariantPlaylist, PictureRate, Resolution, Score, SessionData, SessionValue, Variant,
};
use package::manifest::{AudioRendition, Subtitles, VideoRung};
use package::{AudioSlot, Codec, Language, Manifest, Rendition, Slot, layout};
use std::collections::BTreeMap;

/// Apple 1.32b: where a player begins on a cellular line.
const START_BPS: u64 = 730_000;

/// GROUP-ID of all subtitles.
const SUBTITLES: &str = "subs";
/// DATA-ID under which Apple's players look for chapters.
const CHAPTERS: &str = "com.apple.hls.chapters";

/// Everything. Distinct rungs only: an alias would offer the same bits twice.
///
/// H.264 comes first, and of it the rung nearest to 730 kbit/s, where many players start; the others follow upwards, then
/// AV1. A player that cannot decode AV1 leaves those variants out by their CODECS (RFC 8216bis 6.3.1, 4.4.6.2). One that
/// can takes the AV1 variant of a size by its SCORE: it costs less than its twin, and by bit rate alone it would look
/// like the poorer one.
///
/// `stills`: what single pictures of each rung take.
pub(super) fn main(
    manifest: &Manifest,
    stills: &BTreeMap<Rendition, Measured>,
    language: &Language,
) -> MultivariantPlaylist {
    let real = || manifest.video.iter().filter(|rung| rung.alias_of.is_none());
    // SCORE on all variants or none (Apple 9.19).
    let scored = real().any(|rung| rung.slot.codec() != Codec::H264);
    let of = |codec: Codec| {
        let rungs = real().filter(move |rung| rung.slot.codec() == codec);
        rungs.filter_map(|rung| variant(manifest, rung, scored)).collect::<Vec<_>>()
    };
    let mut variants = of(Codec::H264);
    if let Some(start) =
        (0..variants.len()).min_by_key(|&place| variants[place].bandwidth.abs_diff(START_BPS))
    {
        variants[..=start].rotate_right(1);
    }
    // A picture that fills the smallest slot only is heard in stereo all the same (Apple 2.3).
    if real().all(|rung| rung.audio == AudioSlot::Lo) {
        let stereo = real().map(|rung| VideoRung { audio: AudioSlot::Hi, ..rung.clone() });
        variants.extend(stereo.filter_map(|rung| variant(manifest, &rung, scored)));
    }
    variants.extend(of(Codec::Av1));
    // Only sound that a variant plays: a group nobody refers to is one more thing for a player to stumble on.
    let used = |sound: &&AudioRendition| {
        variants.iter().any(|variant| variant.audio_group.as_deref() == Some(sound.slot.as_str()))
    };
    let renditions = manifest.audio.iter().filter(used).map(|sound| spoken(sound, language)).collect();
    let mut playlist = MultivariantPlaylist::new(variants, renditions);
    playlist.iframe_variants = real().filter_map(|rung| pictures(rung, stills, scored)).collect();
    playlist.iframe_variants.extend(trick(manifest, scored));
    playlist.renditions.extend(manifest.subtitles.iter().map(written));
    if manifest.chapters > 0 {
        let value = SessionValue::Json(layout::chapters().to_string());
        playlist.session_data.push(SessionData { id: CHAPTERS.to_owned(), value, language: None });
    }
    playlist
}

/// Rungs with their sound in one MPEG-TS, for devices that know nothing else: version 3, which they may insist on, and no
/// sound apart. `stills`: what single pictures of each take.
pub(super) fn transport(
    manifest: &Manifest,
    main: &MultivariantPlaylist,
    stills: &[(Slot, Measured)],
) -> MultivariantPlaylist {
    const VERSION: u32 = 3;
    let text = manifest.subtitles.iter().map(|track| track.peak_bps).max();
    let mut playlist = MultivariantPlaylist::new(Vec::new(), Vec::new());
    playlist.version = VERSION;
    playlist.session_data.clone_from(&main.session_data);
    for rung in manifest.ts.iter().rev() {
        let of_main = main
            .variants
            .iter()
            .find(|variant| variant.uri == Rendition::Video(rung.slot).playlist().as_str());
        playlist.variants.extend(of_main.map(|variant| Variant {
            uri: layout::ts_playlist(rung.slot).to_string(),
            bandwidth: rung.peak_bps + text.unwrap_or(0),
            average_bandwidth: Some(rung.average_bps),
            score: None,
            audio_group: None,
            ..variant.clone()
        }));
    }
    for &(slot, measured) in stills {
        let of_main = main
            .iframe_variants
            .iter()
            .find(|variant| variant.uri == Rendition::Video(slot).iframes().as_str());
        playlist.iframe_variants.extend(of_main.map(|variant| IFrameVariant {
            uri: layout::ts_iframes(slot).to_string(),
            bandwidth: measured.peak_bps,
            average_bandwidth: Some(measured.average_bps),
            score: None,
            ..variant.clone()
        }));
    }
    playlist.renditions.extend(manifest.subtitles.iter().map(|track| hls::Rendition {
        uri: Some(layout::ts_subtitles_playlist(&track.language).to_string()),
        ..written(track)
    }));
    playlist
}

/// What `main` says about one rung and what plays with it.
pub(super) fn of_rung(main: &MultivariantPlaylist, slot: Slot) -> MultivariantPlaylist {
    let mut playlist = main.clone();
    let (rung, pictures) = (Rendition::Video(slot).playlist(), Rendition::Video(slot).iframes());
    playlist.variants.retain(|variant| variant.uri == rung.as_str());
    playlist.iframe_variants.retain(|variant| variant.uri == pictures.as_str());
    playlist.renditions.retain(|rendition| {
        let group = Some(rendition.group.as_str());
        playlist.variants.iter().any(|variant| {
            variant.audio_group.as_deref() == group || variant.subtitles_group.as_deref() == group
        })
    });
    playlist
}

/// Sound alone, as variants of a playlist of its own: the main one must not offer it (Apple 9.20 tvOS).
pub(super) fn audio_only(manifest: &Manifest) -> MultivariantPlaylist {
    let variants = manifest.audio.iter().map(|sound| Variant {
        uri: Rendition::Audio(sound.slot).playlist().to_string(),
        bandwidth: sound.peak_bps,
        average_bandwidth: Some(sound.average_bps),
        codecs: Some(sound.codecs.clone()),
        ..Variant::default()
    });
    MultivariantPlaylist::new(variants.collect(), Vec::new())
}

/// `None` when its sound is not there, which the manifest's check refuses.
fn variant(manifest: &Manifest, rung: &VideoRung, scored: bool) -> Option<Variant> {
    let sound = manifest.audio.iter().find(|sound| sound.slot == rung.audio)?;
    let text = manifest.subtitles.iter().map(|track| track.peak_bps).max();
    let both = combined([
        Measured { peak_bps: rung.peak_bps, average_bps: rung.average_bps },
        Measured { peak_bps: sound.peak_bps, average_bps: sound.average_bps },
        // Apple 9.13: the costliest combination. Text that is not chosen is not fetched: it does not count on average.
        Measured { peak_bps: text.unwrap_or(0), average_bps: 0 },
    ]);
    Some(Variant {
        uri: Rendition::Video(rung.slot).playlist().to_string(),
        bandwidth: both.peak_bps,
        average_bandwidth: Some(both.average_bps),
        score: scored.then(|| score(rung.slot)),
        codecs: Some(format!("{},{}", rung.codecs, sound.codecs)),
        resolution: Some(Resolution { width: rung.width, height: rung.height }),
        frame_rate: Some(PictureRate::thinned(manifest.frame_rate, rung.thinning)),
        audio_group: Some(sound.slot.to_string()),
        subtitles_group: text.map(|_| SUBTITLES.to_owned()),
        no_closed_captions: true,
    })
}

/// Larger pictures are better; of the same size AV1 is, because it leaves more of the line.
fn score(slot: Slot) -> Score {
    let place = Slot::H264.iter().position(|&other| other == slot.in_h264()).unwrap_or(0);
    let av1 = u32::from(slot.codec() == Codec::Av1);
    Score::whole(u32::try_from(place).unwrap_or(0) * 2 + 1 + av1)
}

fn pictures(rung: &VideoRung, stills: &BTreeMap<Rendition, Measured>, scored: bool) -> Option<IFrameVariant> {
    let rendition = Rendition::Video(rung.slot);
    let measured = stills.get(&rendition)?;
    Some(IFrameVariant {
        uri: rendition.iframes().to_string(),
        bandwidth: measured.peak_bps,
        average_bandwidth: Some(measured.average_bps),
        score: scored.then(|| score(rung.slot)),
        codecs: Some(rung.codecs.clone()),
        resolution: Some(Resolution { width: rung.width, height: rung.height }),
    })
}

fn trick(manifest: &Manifest, scored: bool) -> Option<IFrameVariant> {
    let trick = manifest.trick.as_ref()?;
    Some(IFrameVariant {
        uri: Rendition::Trick.iframes().to_string(),
        bandwidth: trick.peak_bps,
        average_bandwidth: Some(trick.average_bps),
        score: scored.then(|| score(Slot::S2)),
        codecs: Some(trick.codecs.clone()),
        resolution: Some(Resolution { width: trick.width, height: trick.height }),
    })
}

fn spoken(sound: &AudioRendition, language: &Language) -> hls::Rendition {
    hls::Rendition {
        type_: hls::MediaType::Audio,
        group: sound.slot.to_string(),
        // The same name in both groups: it is the same sound, and a player must find it again when it changes rungs.
        name: language.native_name().to_owned(),
        language: Some(language.to_string()),
        channels: Some(sound.channels),
        default: true,
        autoselect: true,
        uri: Some(Rendition::Audio(sound.slot).playlist().to_string()),
    }
}

/// Not shown unless somebody asks for it, or has told the device to show text in that language.
fn written(track: &Subtitles) -> hls::Rendition {
    hls::Rendition {
        type_: hls::MediaType::Subtitles,
        group: SUBTITLES.to_owned(),
        name: track.name.clone(),
        language: Some(track.language.to_string()),
        channels: None,
        default: false,
        autoselect: true,
        uri: Some(layout::subtitles_playlist(&track.language).to_string()),
    }
}

#[cfg(test)]
mod tests;
