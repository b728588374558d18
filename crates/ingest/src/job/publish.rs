//! A package into the store.

use super::{Ended, Job, Workshop};
use crate::fault::MediaError;
use crate::progress::{Done, Follow, Report, Stage};
use crate::spool::Spool;
use package::Sealed;
use package::ingest::IngestKey;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use storage::Publication;

impl Job<'_> {
    /// Makes the package visible: objects, manifest, lesson, pointer, catalogue, in this order.
    pub(super) fn publish(
        &self,
        package: &Sealed,
        key: IngestKey,
        spool: &Spool<'_>,
        report: &mut dyn Report,
    ) -> Result<Done, Ended> {
        let Workshop { runtime, store, cancel, hold, .. } = self.workshop;
        hold()?;
        let lesson = self.described(package);
        let signature = self.workshop.sign_key.map(|sign_key| sign_key.sign(package.bytes()));
        let publication = Publication { package, lesson: &lesson, ingest: Some(key), signature };
        let (progress, told) = sync_channel::<storage::Progress>(1);
        let mut follow = Follow::begin(report, Stage::Publish);
        let published = std::thread::scope(|scope| {
            let publish = scope.spawn(move || {
                runtime.block_on(storage::publish(store, publication, spool, |at| {
                    // Shown when somebody looks; never waited for.
                    let _ = progress.try_send(at);
                    if cancel.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                }))
            });
            for at in told {
                follow.at(at.bytes, at.bytes_total, None);
            }
            publish.join()
        });
        match published {
            Ok(Ok(_)) => {}
            Ok(Err(storage::PublishError::Stopped)) => return Err(Ended::Stopped),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(MediaError::Crashed("publish").into()),
        }
        follow.end();
        Ok(self.done(package, false))
    }
}
