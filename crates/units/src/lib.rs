//! Bytes, bit rates and durations as people write them: `"8GiB"`, `"12.9Gbit/s"`, `"250ms"`.
//!
//! Sizes of memory and disk count in powers of 1024 when written with an `i` and in powers of 1000 without; bit
//! rates always count in powers of 1000, as carriers bill them. [`hex`] is how digests, keys and names are written.

mod bit_rate;
mod byte_count;
pub mod hex;
mod network;
mod quantity;
mod span;

pub use bit_rate::BitRate;
pub use byte_count::ByteCount;
pub use network::{Network, ParseNetworkError};
pub use quantity::ParseQuantityError;
pub use span::Span;
