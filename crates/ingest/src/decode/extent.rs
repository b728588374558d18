//! How long the pictures last by their packets, without decoding any: a hundredth of the work.

use super::packets::{Packets, Track};
use super::steady::Steady;
use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::ffmpeg::{Packet, Source};
use crate::plan::Timing;
use crate::timeline::Flicks;

/// When the last picture of `source` begins to be shown in the lesson, wrong time stamps passed over. Reads all of it.
///
/// # Errors
/// When it cannot be read on, or somebody stopped it.
pub(crate) fn extent(source: &mut Source, timing: &Timing, cancel: &Cancel) -> Result<Flicks, MediaError> {
    let one = Flicks::from_ticks(1, (1, timing.rate.per_second().cast_signed()));
    let mut packets = Packets::new(source, timing, cancel);
    let (mut packet, mut steady, mut end) = (Packet::empty(), Steady::default(), Flicks::ZERO);
    while let Some(track) = packets.next(&mut packet)? {
        if track == Track::Video {
            let known = steady.push((), packets.time(&packet, track), one);
            end = known.into_iter().map(|((), time)| time).fold(end, Flicks::max);
        }
    }
    Ok(steady.finish().into_iter().map(|((), time)| time).fold(end, Flicks::max))
}
