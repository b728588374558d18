//! MPEG-TS for old devices: the small rungs with their sound, remuxed from the same media.

use super::AssembleError;
use super::desk::Desk;
use super::main_playlist;
use crate::papers::Papers;
use grid::{SEGMENT_MS, TARGET_DURATION_S};
use hls::bitrate::{SegmentSize, measure};
use hls::{ByteRange, MediaPlaylist, MultivariantPlaylist, Segment};
use mpegts::{PACKET_BYTES, Remuxer, START_90KHZ};
use package::manifest::{TsRung, VideoRung};
use package::{Manifest, Rendition, Slot, layout};
use subtitles::webvtt;

/// Writes all of it and says so in `manifest`; `main` is the package's main playlist.
pub(super) fn write(
    manifest: &mut Manifest,
    papers: &Papers,
    main: &MultivariantPlaylist,
    desk: &mut Desk<'_>,
) -> Result<(), AssembleError> {
    let mut pictures = Vec::new();
    let real = |rung: &&VideoRung| Slot::TS.contains(&rung.slot) && rung.alias_of.is_none();
    let rungs: Vec<VideoRung> = manifest.video.iter().filter(real).cloned().collect();
    for rung in &rungs {
        let (told, stills) = self::rung(manifest, rung, desk)?;
        manifest.ts.push(told);
        pictures.push((rung.slot, measure(&stills, TARGET_DURATION_S)));
    }
    if manifest.ts.is_empty() {
        return Ok(());
    }
    for track in &papers.subtitles {
        let segments = webvtt::segments(track, manifest.segments, START_90KHZ);
        for (number, text) in manifest.segments.numbers().zip(segments) {
            desk.write(layout::ts_subtitles_segment(&track.language, number), text)?;
        }
        let uris = manifest.segments.numbers().map(layout::subtitles_segment_name);
        let playlist = MediaPlaylist::lesson_without_map(uris, false).render();
        desk.write(layout::ts_subtitles_playlist(&track.language), playlist)?;
    }
    let playlist = main_playlist::transport(manifest, main, &pictures);
    desk.write(layout::ts_main_playlist(), playlist.render())?;
    Ok(())
}

/// Segments and playlists of one rung; what it takes, and what its single pictures take.
fn rung(
    manifest: &Manifest,
    rung: &VideoRung,
    desk: &mut Desk<'_>,
) -> Result<(TsRung, Vec<SegmentSize>), AssembleError> {
    let (video, audio) = (Rendition::Video(rung.slot), Rendition::Audio(rung.audio));
    let slot = rung.slot;
    let remux = |source| AssembleError::Remux { slot, source };
    let mut remuxer = Remuxer::new(&desk.read(&video.init())?, &desk.read(&audio.init())?).map_err(remux)?;
    let (mut sizes, mut stills, mut pictures) = (Vec::new(), Vec::new(), Vec::new());
    for number in manifest.segments.numbers() {
        let (video, audio) = (desk.read(&video.segment(number))?, desk.read(&audio.segment(number))?);
        let segment = remuxer.segment(&video, &audio).map_err(remux)?;
        let length = first_picture(&segment);
        let bytes = desk.write(layout::ts_segment(slot, number), segment)?;
        sizes.push(SegmentSize { bytes, duration_ms: SEGMENT_MS });
        stills.push(SegmentSize { bytes: length, duration_ms: SEGMENT_MS });
        pictures.push(Segment {
            uri: layout::ts_segment_name(number),
            duration_ms: SEGMENT_MS,
            byte_range: Some(ByteRange { length, offset: 0 }),
            ..Segment::default()
        });
    }
    let uris = manifest.segments.numbers().map(layout::ts_segment_name);
    desk.write(layout::ts_playlist(slot), MediaPlaylist::lesson_without_map(uris, true).render())?;
    desk.write(layout::ts_iframes(slot), MediaPlaylist::iframes(None, pictures).render())?;
    let measured = measure(&sizes, TARGET_DURATION_S);
    Ok((TsRung { slot, peak_bps: measured.peak_bps, average_bps: measured.average_bps }, stills))
}

/// Bytes up to where the second picture begins: both tables and all of the first (RFC 8216bis 4.4.3.6). The whole
/// segment where there is but one.
fn first_picture(segment: &[u8]) -> u64 {
    let begins = |packet: &[u8]| pictures_begin(packet).unwrap_or(false);
    let starts = segment.chunks_exact(PACKET_BYTES).enumerate().filter(|(_, packet)| begins(packet));
    let second = starts.map(|(place, _)| place * PACKET_BYTES).nth(1);
    second.unwrap_or(segment.len()) as u64
}

/// Whether a PES packet of pictures begins in a packet (ISO/IEC 13818-1 2.4.3.2, 2.4.3.6).
fn pictures_begin(packet: &[u8]) -> Option<bool> {
    let [_sync, flags, _, control, rest @ ..] = packet else { return None };
    let has_adaptation = control & 0x20 != 0;
    let skip = if has_adaptation { usize::from(*rest.first()?) + 1 } else { 0 };
    let begin = rest.get(skip..skip + 4)?;
    Some(flags & 0x40 != 0 && begin[..3] == [0, 0, 1] && begin[3] & 0xf0 == 0xe0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(start: bool, adaptation: usize, payload: &[u8]) -> Vec<u8> {
        let mut packet =
            vec![0x47, if start { 0x40 } else { 0 }, 0, if adaptation > 0 { 0x30 } else { 0x10 }];
        if adaptation > 0 {
            packet.push(u8::try_from(adaptation - 1).unwrap());
            packet.resize(4 + adaptation, 0xff);
        }
        packet.extend(payload);
        packet.resize(PACKET_BYTES, 0);
        packet
    }

    #[test]
    fn a_picture_reaches_to_the_next() {
        let table = packet(true, 0, &[0, 0, 0xb0]);
        let (picture, sound) = ([0, 0, 1, 0xe0], [0, 0, 1, 0xc0]);
        let first = [packet(true, 8, &picture), packet(false, 0, b"more")].concat();
        let one = [table, first, packet(true, 0, &sound)].concat();
        let two = [one.clone(), packet(true, 0, &picture), packet(false, 0, b"more")].concat();
        assert_eq!(first_picture(&two), 4 * PACKET_BYTES as u64);
        assert_eq!(first_picture(&one), 4 * PACKET_BYTES as u64);
        assert_eq!(first_picture(b"short"), 5);
    }
}
