//! Clients that ask at random times, each of whom must have its answer.

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::error::Elapsed;
use tokio::time::timeout;

/// All that an answer may take, its origin's waits and the edge's retries with it.
const PATIENCE: Duration = Duration::from_secs(120);

/// Those that have asked.
#[derive(Default)]
pub(super) struct Asking(Vec<JoinHandle<Result<Result<(), TestCaseError>, Elapsed>>>);

impl Asking {
    /// One more asks, and judges what it gets.
    pub(super) fn begin(&mut self, one: impl Future<Output = Result<(), TestCaseError>> + 'static) {
        self.0.push(tokio::task::spawn_local(timeout(PATIENCE, one)));
    }

    /// Waits for all of them; the first complaint.
    pub(super) async fn all(self) -> Result<(), TestCaseError> {
        for answer in self.0 {
            match answer.await.unwrap() {
                Ok(answer) => answer?,
                Err(_) => prop_assert!(false, "an answer stays out"),
            }
        }
        Ok(())
    }
}
