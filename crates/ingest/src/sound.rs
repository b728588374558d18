//! Sound on its way from the decoder to the encoders, and what is measured of it.
//!
//! ```text
//! decoded ─▶ clock ─▶ mixer ─▶ survey: loudness, quality          (first pass)
//!                       │                  │ sides, gain
//!                       └──────▶ sides, volume ─▶ limiter, if needed ─▶ encoders   (second pass)
//! ```
//!
//! Both passes go through the same [`Clock`] and the same conversion to 48 kHz stereo, so that what was measured is what
//! is encoded. Between them stand what becomes of the sides, and one number: true two-pass normalisation is linear, nothing is compressed, and only
//! peaks that the gain would lift over the ceiling are held back.

mod clock;
mod gain;
mod level;
mod loudness;
mod mixer;
mod sides;
mod survey;

pub use clock::{Clock, ClockReport};
pub use gain::{CODING_HEADROOM, Gain, Target, gain};
pub use level::{Dbtp, Decibels, Lufs, ParseLevelError};
pub use loudness::{Loudness, LoudnessMeter};
pub use mixer::Mixer;
pub use sides::Sides;
pub use survey::{Heard, SoundSurvey};
