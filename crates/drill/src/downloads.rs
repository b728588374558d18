//! Downloads of files beside the players: they take what they are given, and come again when they are told to.

use crate::fetch::{Answer, Ask, Failure, Fetch};
use crate::retry::Class;
use http::uri::PathAndQuery;
use serde::Serialize;
use std::cell::RefCell;
use std::time::Duration;
use tokio::time::sleep;

/// After which one that failed is tried again.
const AGAIN: Duration = Duration::from_secs(2);

/// What they have come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub(crate) struct Taken {
    /// Whole files.
    pub(crate) finished: u64,
    /// Of all that came: whole files, those that broke off, and those that were on their way at the end.
    pub(crate) bytes: u64,
    /// Times somebody was told to come again.
    pub(crate) put_off: u64,
    /// Files that broke off, or could not be had.
    pub(crate) failed: u64,
}

impl Taken {
    /// What one try came to; when the next one is due, where that is not at once.
    fn note(&mut self, got: Result<Answer, Failure>) -> Option<Duration> {
        match got {
            Ok(answer) if answer.status.is_success() => {
                self.finished += 1;
                return None;
            }
            Ok(Answer { retry_after: Some(wait), .. }) => {
                self.put_off += 1;
                return Some(wait);
            }
            Ok(_) | Err(_) => self.failed += 1,
        }
        Some(AGAIN)
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            finished: self.finished + other.finished,
            bytes: self.bytes + other.bytes,
            put_off: self.put_off + other.put_off,
            failed: self.failed + other.failed,
        }
    }
}

/// Downloads `path` again and again, until dropped.
pub(crate) async fn download(mut line: impl Fetch, path: PathAndQuery, taken: &RefCell<Taken>) {
    loop {
        let got = line.get(Ask { path: &path, range: None, class: Class::File }).await;
        let wait = taken.borrow_mut().note(got);
        if let Some(wait) = wait {
            sleep(wait).await;
        }
    }
}
