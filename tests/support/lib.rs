//! What the journeys share: the built programs as processes, a scratch directory, and an HTTP client.
//!
//! Every process is started on ports that the system picks and is killed when its handle is dropped.

pub mod client;
pub mod clock;
pub mod debian;
pub mod door;
pub mod http3;
pub mod load;
pub mod machine;
pub mod net;
pub mod node;
pub mod process;
pub mod raw;
pub mod slow;
pub mod store;

pub use process::{Airclass, Finished, airclass, beside_tests, ingest, program};

/// The project's folder.
pub fn project() -> std::path::PathBuf {
    let here = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("this package lies in the project's folder").to_owned()
}
