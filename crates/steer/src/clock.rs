//! The one place of this crate that asks what time it is.

use jiff::Timestamp;

/// Now.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
