//! Who was answered what: `answer ─► entry ─► batch ─► writer ─► line ─► file ─► (turned over) ─► gzip, sum ─► kept, removed`.
//!
//! A core copies an [`Entry`] into a bounded batch ([`Pen`]) and never waits: what the writer cannot take is counted and gone. The
//! writer is a thread of its own. There are two logs: the *analysis* log, which anybody may look at who runs the node, has no address of a
//! client but its network, no query and no foreign path; the *security* log has all of it, and is sealed as it is written, to a key
//! that is not on the node ([`seal`]).

mod batch;
mod entry;
mod files;
mod keep;
mod line;
mod mask;
mod metrics;
mod options;
mod pen;
pub mod seal;
mod words;
mod writer;

pub use entry::{Entry, Facts, Named};
pub use line::digits;
pub use metrics::Lost;
pub use options::{Config, Format, Options};
pub use pen::Pen;
pub use words::{Fields, Words, text};
pub use writer::{AccessLog, Keeper, Names};
