//! Bodies of requests on their way to the upstream: how large, and how many at once.
//!
//! A cache sends them on as they come, so each holds a connection to the upstream for as long as its client takes. Nothing of
//! them is kept.

use crate::metrics::Metrics;
use crate::upstream::RequestBody;
use http_body::Body;
use std::sync::Arc;
use telemetry::Label;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use units::ByteCount;

/// What the operator allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UploadCaps {
    /// Bytes of one body.
    pub(crate) size: ByteCount,
    /// Bodies on their way at once, over all cores.
    pub(crate) at_once: usize,
}

/// What became of a request with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uploaded {
    /// Sent on, as far as it came.
    SentOn,
    /// Refused: larger than allowed, as it said or as it turned out.
    TooLarge,
    /// Put off: as many are on their way as may be.
    TooMany,
}

impl Label for Uploaded {
    const ALL: &'static [Self] = &[Self::SentOn, Self::TooLarge, Self::TooMany];

    fn as_str(self) -> &'static str {
        match self {
            Self::SentOn => "sent_on",
            Self::TooLarge => "too_large",
            Self::TooMany => "too_many",
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// One for all cores.
#[derive(Clone)]
pub(crate) struct Uploads {
    size: u64,
    places: Arc<Semaphore>,
    metrics: Arc<Metrics>,
}

/// More than is allowed has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLarge;

/// The right to send one body on. It ends with the body.
pub(crate) struct Upload {
    left: u64,
    metrics: Arc<Metrics>,
    _place: OwnedSemaphorePermit,
}

impl Uploads {
    pub(crate) fn new(caps: UploadCaps, metrics: &Arc<Metrics>) -> Self {
        let places = Arc::new(Semaphore::new(caps.at_once.min(Semaphore::MAX_PERMITS)));
        Self { size: caps.size.0, places, metrics: Arc::clone(metrics) }
    }

    /// How many may still begin.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.places.available_permits()
    }

    /// A client's body, to be sent on.
    ///
    /// # Errors
    /// When it says that it is too large, or there are too many.
    pub(crate) fn admit(&self, body: serve::RequestBody) -> Result<RequestBody, Uploaded> {
        if body.is_end_stream() {
            return Ok(RequestBody::Empty);
        }
        let upload = self.begin(body.size_hint().lower())?;
        Ok(RequestBody::client(body, upload))
    }

    /// `least`: the bytes that it has at least.
    fn begin(&self, least: u64) -> Result<Upload, Uploaded> {
        let begun = if least > self.size {
            Err(Uploaded::TooLarge)
        } else {
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| Uploaded::TooMany)
        };
        self.metrics.uploaded(begun.as_ref().map_or_else(|denied| *denied, |_| Uploaded::SentOn));
        Ok(Upload { left: self.size, metrics: Arc::clone(&self.metrics), _place: begun? })
    }
}

impl Upload {
    /// So many bytes more have come.
    ///
    /// # Errors
    /// When they are too many.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), TooLarge> {
        match self.left.checked_sub(bytes as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.metrics.uploaded(Uploaded::TooLarge);
                Err(TooLarge)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use telemetry::Telemetry;

    #[test]
    fn a_body_has_a_size_and_a_place_or_is_refused() {
        let metrics = Arc::new(Metrics::register(&Telemetry::new("test")));
        let uploads = Uploads::new(UploadCaps { size: ByteCount(100), at_once: 2 }, &metrics);
        assert_eq!(uploads.begin(101).err(), Some(Uploaded::TooLarge));
        let (mut first, second) = (uploads.begin(100).unwrap(), uploads.begin(0).unwrap());
        assert_eq!(uploads.begin(1).err(), Some(Uploaded::TooMany));
        drop(second);
        assert!(uploads.begin(1).is_ok());
        // What says nothing of its length is counted as it comes.
        assert_eq!((first.take(60), first.take(40), first.take(1)), (Ok(()), Ok(()), Err(TooLarge)));
        let none = Uploads::new(UploadCaps { size: ByteCount(0), at_once: 2 }, &metrics);
        assert_eq!(none.begin(0).unwrap().take(1), Err(TooLarge));
    }
}
