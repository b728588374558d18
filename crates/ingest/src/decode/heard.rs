//! Whether something is to be heard on a sound track. Recorders write one for each of their sockets, whatever is plugged in there.

use super::packets::{Packets, Track};
use super::sounds::SoundDecoder;
use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::ffmpeg::{Packet, Source};
use crate::plan::Timing;
use crate::sound::SoundSurvey;

/// So long is something to be heard where somebody speaks; a plug that is pulled cracks for less.
const SPOKEN_MS: u64 = 1_000;

/// Whether somebody speaks on the sound track of `timing`. Reads no further than until that is known: a moment, or all of a
/// track that is silent.
///
/// # Errors
/// When it cannot be read on, a decoder fails, or somebody stopped it.
pub(crate) fn is_heard(source: &mut Source, timing: &Timing, cancel: &Cancel) -> Result<bool, MediaError> {
    let mut packets = Packets::new(source, timing, cancel);
    let mut sounds = SoundDecoder::open(packets.source(), timing)?;
    let mut listener = SoundSurvey::default();
    let mut packet = Packet::empty();
    while listener.sounding_ms() < SPOKEN_MS {
        match packets.next(&mut packet)? {
            Some(Track::Sound) => sounds.packet(&packet, &mut |sound, time| listener.hear(sound, time))?,
            Some(Track::Video) => {}
            None => {
                sounds.finish(&mut |sound, time| listener.hear(sound, time))?;
                break;
            }
        }
    }
    // What is still in the filters counts as well.
    Ok(listener.sounding_ms() >= SPOKEN_MS || listener.finish()?.measures.sounding_ms >= SPOKEN_MS)
}
