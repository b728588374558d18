//! What tests share. A dev-dependency only.
//!
//! [`upstream`]: an HTTP server that answers by a script, over streams in memory, so that a paused clock decides when.

pub mod upstream;
