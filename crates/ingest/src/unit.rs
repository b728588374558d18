//! The pieces of work a lesson consists of, and what came of each.

use crate::chunk::Chunk;
use crate::spool::Written;
use crate::task::Header;
use package::Codec;
use serde::{Deserialize, Serialize};

/// What is done by itself, kept by itself, and lost by itself when a worker dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Unit {
    /// All sound.
    Sound,
    /// The pictures of a chunk in the rungs of a codec. Encoders of both at once would take half as much memory again, and
    /// decoding twice costs a fiftieth of the work.
    Pictures(Chunk, Codec),
}

/// What a unit made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// In the order in which it was made: init sections before their segments, segments in order.
    pub pieces: Vec<Piece>,
}

/// One object that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// What it is.
    pub header: Header,
    /// Its length and digest.
    pub written: Written,
}

impl Unit {
    /// Its name among the lesson's, as in the path of its record.
    pub fn name(&self) -> String {
        match self {
            Self::Sound => "sound".to_owned(),
            Self::Pictures(chunk, codec) => format!("pictures-{:05}-{codec}", chunk.index),
        }
    }
}
