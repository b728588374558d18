//! A DASH presentation (MPD) over segments on the grid: ISO/IEC 23009-1:2022, and DASH-IF's guidelines for storyboards
//! and quick seeking.
//!
//! Pure: values to text. Everything is cut on one grid, so one template describes all segments of a set: a duration of
//! 4,800 in a timescale of 1,000, exactly, and numbers from 0. The same value always gives the same bytes.

mod model;
mod render;

pub use model::{
    AdaptationSet, Content, Language, Presentation, Representation, Segments, SetId, Storyboard, Video,
};

#[cfg(test)]
mod tests;
