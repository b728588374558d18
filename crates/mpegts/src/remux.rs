//! One picture segment and one sound segment into one transport stream segment.

use crate::access_unit::{self, ADTS_HEADER};
use crate::error::RemuxError;
use crate::packets::{Clock, Lane, Packet};
use crate::pes::{self, StreamId};
use crate::samples::{Sample, samples};
use crate::tables::{self, pid};
use crate::track::{Pictures, Sound};
use crate::{PACKET_BYTES, START_90KHZ, TICKS_PER_SECOND};

/// Sound in one PES packet at most: 200 ms. It waits in the decoder that long.
const MAX_SOUND_SPAN: u64 = TICKS_PER_SECOND / 5;
/// Everything is delivered at least this long before it is decoded: 100 ms. More would overrun the 3,584 bytes that a
/// decoder keeps for sound (2.4.2.3).
const LEAD: u64 = TICKS_PER_SECOND / 10;
/// And at most so many frames, however short they say they are.
const MAX_SOUND_FRAMES: usize = 16;
/// Segments last 4.8 s; any length up to this is taken. Bounds what clock references take between pictures far apart.
const MAX_SECONDS: u64 = 60;
/// Segments of the same number start together; AAC frames are not whole pictures, so somewhat less than exactly.
const MAX_APART: u64 = TICKS_PER_SECOND;

/// Makes transport stream segments of one rendition of pictures with one of sound.
///
/// Given the segments in order, it makes one continuous stream: continuity counters run on (Apple 7.2), and so does the
/// timeline, which comes from the segments themselves. The same segments in give the same bytes out.
#[derive(Debug, Clone)]
pub struct Remuxer {
    pictures: Pictures,
    sound: Sound,
    /// Decode times are moved forward by this, in ticks of 1/90,000 s: known with the first picture's duration.
    reordering: Option<u64>,
    lanes: Lanes,
    clock: Clock,
}

#[derive(Debug, Clone)]
struct Lanes {
    programs: Lane,
    map: Lane,
    video: Lane,
    audio: Lane,
}

impl Remuxer {
    /// For tracks whose init sections (`ftyp`, `moov`) these are: H.264 as `avc1`, AAC as `mp4a`.
    ///
    /// # Errors
    /// When they are something else or make no sense.
    pub fn new(video_init: &[u8], audio_init: &[u8]) -> Result<Self, RemuxError> {
        Ok(Self {
            pictures: Pictures::parse(video_init)?,
            sound: Sound::parse(audio_init)?,
            reordering: None,
            lanes: Lanes {
                programs: Lane::new(pid::PROGRAMS),
                map: Lane::new(pid::MAP),
                video: Lane::new(pid::VIDEO),
                audio: Lane::new(pid::AUDIO),
            },
            clock: Clock::default(),
        })
    }

    /// The transport stream segment of `video` and `audio`, segments of the same number.
    ///
    /// Starts with both tables and, where the first picture is an IDR picture, can be decoded from its start.
    ///
    /// # Errors
    /// When the segments make no sense or do not belong together. The stream is then to be begun anew.
    pub fn segment(&mut self, video: &[u8], audio: &[u8]) -> Result<Vec<u8>, RemuxError> {
        let pictures = samples(video, self.pictures.defaults)?;
        let frames = samples(audio, self.sound.defaults)?;
        let starts = (
            ticks(pictures[0].decoded, self.pictures.timescale)?,
            ticks(frames[0].decoded, self.sound.timescale)?,
        );
        if starts.0.abs_diff(starts.1) > MAX_APART {
            return Err(RemuxError::Apart { video: starts.0, audio: starts.1 });
        }
        within_bounds(&pictures, self.pictures.timescale)?;
        within_bounds(&frames, self.sound.timescale)?;
        let mut packets = Vec::new();
        self.write_pictures(&pictures, &mut packets)?;
        let begin = packets.first().map_or(0, |packet| packet.at);
        self.write_sound(&frames, begin, &mut packets)?;
        // Both lanes are in order of time already; at the same time pictures come first, since they are first here.
        packets.sort_by_key(|packet| packet.at);
        let mut front = Vec::new();
        self.lanes.programs.table(&tables::programs(), begin, &mut front);
        self.lanes.map.table(&tables::map(), begin, &mut front);
        let mut out = Vec::with_capacity((front.len() + packets.len()) * PACKET_BYTES);
        front.iter().chain(&packets).for_each(|packet| out.extend_from_slice(&packet.bytes));
        Ok(out)
    }

    fn write_pictures(&mut self, samples: &[Sample<'_>], out: &mut Vec<Packet>) -> Result<(), RemuxError> {
        let scale = self.pictures.timescale;
        let reordering = match self.reordering {
            Some(known) => known,
            None => {
                let ticks = ticks(u64::from(samples[0].duration), scale)?;
                // At most 16 pictures; the start lies far enough behind zero for those of a second and more.
                let shift = ticks.checked_mul(u64::from(self.pictures.reordered)).ok_or(RemuxError::Time)?;
                *self.reordering.insert(shift)
            }
        };
        self.clock.begin_segment();
        let mut pes = Vec::new();
        for (index, sample) in samples.iter().enumerate() {
            let decoded = START_90KHZ.checked_add(ticks(sample.decoded, scale)?).ok_or(RemuxError::Time)?;
            let shown = sample.decoded.checked_add_signed(sample.offset);
            let shown = shown.ok_or(RemuxError::ShownTooEarly(index))?;
            let shown = START_90KHZ.checked_add(ticks(shown, scale)?).ok_or(RemuxError::Time)?;
            let decoded = decoded.checked_sub(reordering).ok_or(RemuxError::Time)?;
            if shown < decoded {
                return Err(RemuxError::ShownTooEarly(index));
            }
            pes::begin(StreamId::Video, shown, decoded, &mut pes);
            let Pictures { length_bytes, parameter_sets, .. } = &self.pictures;
            let idr = access_unit::picture(sample.data, *length_bytes, parameter_sets, &mut pes);
            let idr = idr.ok_or(RemuxError::NalUnits(index))?;
            pes::finish(&mut pes);
            let to = decoded.saturating_sub(LEAD);
            let from = to.saturating_sub(ticks(u64::from(sample.duration), scale)?);
            self.lanes.video.pes(&pes, (from, to), idr, Some(&mut self.clock), out);
        }
        Ok(())
    }

    /// `begin`: nothing is delivered before it, so that a segment begins with its first picture.
    fn write_sound(
        &mut self,
        frames: &[Sample<'_>],
        begin: u64,
        out: &mut Vec<Packet>,
    ) -> Result<(), RemuxError> {
        let scale = self.sound.timescale;
        let duration = ticks(u64::from(frames[0].duration), scale)?.max(1);
        let most = usize::try_from(MAX_SOUND_SPAN / duration).unwrap_or(1);
        let most = most.clamp(1, MAX_SOUND_FRAMES);
        let sizes: Vec<usize> = frames.iter().map(|frame| frame.data.len() + ADTS_HEADER).collect();
        let mut pes = Vec::new();
        let mut first = 0;
        for count in groups(&sizes, most) {
            let group = &frames[first..first + count];
            let shown = group[0].decoded.checked_add_signed(group[0].offset).ok_or(RemuxError::Time)?;
            let shown = START_90KHZ.checked_add(ticks(shown, scale)?).ok_or(RemuxError::Time)?;
            pes::begin(StreamId::Audio, shown, shown, &mut pes);
            for frame in group {
                access_unit::sound(frame.data, self.sound.config, &mut pes)?;
            }
            pes::finish(&mut pes);
            let to = shown.saturating_sub(LEAD).max(begin);
            let from = to.saturating_sub(duration.saturating_mul(count as u64)).max(begin);
            self.lanes.audio.pes(&pes, (from, to), false, None, out);
            first += count;
        }
        Ok(())
    }
}

fn within_bounds(samples: &[Sample<'_>], timescale: u32) -> Result<(), RemuxError> {
    let length: u64 = samples.iter().map(|sample| u64::from(sample.duration)).sum();
    if length > MAX_SECONDS * u64::from(timescale) {
        return Err(RemuxError::TooLong(MAX_SECONDS));
    }
    Ok(())
}

/// `value` of a track that counts `timescale` a second, in ticks of 1/90,000 s, rounded down.
pub(crate) fn ticks(value: u64, timescale: u32) -> Result<u64, RemuxError> {
    let exact = u128::from(value) * u128::from(TICKS_PER_SECOND) / u128::from(timescale);
    // Half of 64 bits: sums of two times cannot run over.
    u64::try_from(exact).ok().filter(|&ticks| ticks < 1 << 62).ok_or(RemuxError::Time)
}

/// How many frames go into each PES packet, at most `most`: the way that takes the fewest transport packets, and of
/// those the one with the fewest PES packets.
///
/// A PES packet begins a transport packet and the rest of its last one is stuffed; with frames of 90 bytes the wrong
/// grouping costs a tenth.
fn groups(sizes: &[usize], most: usize) -> Vec<usize> {
    const ROOM: usize = PACKET_BYTES - 4;
    // From the end: packets for all frames from here on, and the first group.
    let mut best = vec![(0, 0, 0); sizes.len() + 1];
    for first in (0..sizes.len()).rev() {
        let mut bytes = pes::HEADER;
        let mut found = None;
        for count in 1..=most.min(sizes.len() - first) {
            bytes += sizes[first + count - 1];
            if count > 1 && bytes - 6 > pes::MAX_TOLD {
                break;
            }
            let (packets, groups, _) = best[first + count];
            let candidate = (packets + bytes.div_ceil(ROOM), groups + 1, count);
            if found
                .is_none_or(|found: (usize, usize, usize)| (candidate.0, candidate.1) < (found.0, found.1))
            {
                found = Some(candidate);
            }
        }
        best[first] = found.unwrap_or_default();
    }
    let mut groups = Vec::new();
    let mut first = 0;
    while first < sizes.len() {
        let count = best[first].2.max(1);
        groups.push(count);
        first += count;
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::groups;

    #[test]
    fn sound_frames_are_grouped_to_fill_packets() {
        for (sizes, most, want) in [
            (vec![], 9, vec![]),
            (vec![100], 9, vec![1]),
            // 14 + 170 fills a packet exactly; 14 + 340 takes two, so one by one costs nothing more but headers.
            (vec![170; 4], 9, vec![4]),
            (vec![50; 9], 9, vec![9]),
            (vec![50; 9], 3, vec![3, 3, 3]),
            // Too long for a length of 16 bits.
            (vec![8_000; 9], 9, vec![1, 8]),
        ] {
            let got = groups(&sizes, most);
            assert_eq!(got.iter().sum::<usize>(), sizes.len());
            assert!(got.iter().all(|&count| count <= most), "{got:?}");
            assert_eq!(got, want, "{sizes:?}");
        }
    }
}
