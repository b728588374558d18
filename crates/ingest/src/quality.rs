//! Quality control: what a person would notice at once and a ministry must not publish unseen.
//!
//! ```text
//! small pictures, 5 a second ─▶ PictureMeter ─┐
//! a larger one now and then  ─▶ text height  ─┼▶ Measures ─▶ findings (Policy) ─▶ report, or the end of the run
//! sound, 100 ms at a time    ─▶ SoundMeter   ─┘
//! ```
//!
//! Meters are fed while the source is decoded for the first time anyway, and know facts only: where it is black, for how
//! long nothing moves. What of it is a fault, and how grave, is decided by [`findings`] from a [`Policy`]: pure, and so
//! told the same way wherever it is asked.

mod eye;
mod finding;
mod measures;
mod picture;
mod policy;
mod rules;
mod sound;
mod stretch;
mod text;

pub use eye::Eye;
pub use finding::{Finding, QualityFault, Severity, What};
pub use measures::{Lengths, Measures};
pub use picture::{PictureMeasures, PictureMeter};
pub use policy::{Action, Policy, SHIPPED};
pub use rules::findings;
pub use sound::{SoundMeasures, SoundMeter};
pub use stretch::{Stretch, Stretches};
pub use text::{TextRun, text_height};
