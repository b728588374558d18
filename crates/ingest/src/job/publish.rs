//! A package into the store.

use super::{Ended, Job, Workshop};
use crate::fault::MediaError;
use crate::progress::{Done, Follow, Report, Stage};
use crate::spool::Spool;
use package::Sealed;
use package::ingest::IngestKey;
use std::ops::ControlFlow;
use std::sync::mpsc::sync_channel;
use storage::{Publication, Step};

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
        let mut lost = None;
        let not_ours = &mut lost;
        let published = std::thread::scope(|scope| {
            let publish = scope.spawn(move || {
                runtime.block_on(storage::publish(store, publication, spool, |at| {
                    // Shown when somebody looks; never waited for.
                    let _ = progress.try_send(at);
                    // Uploading takes minutes. Asked between the look at what the lesson is and the swap, which finds whoever comes between.
                    if at.step == Step::Record
                        && let Err(ended) = hold()
                    {
                        *not_ours = Some(ended);
                        return ControlFlow::Break(());
                    }
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
            Ok(Err(storage::PublishError::Stopped)) => return Err(lost.unwrap_or(Ended::Stopped)),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(MediaError::Crashed("publish").into()),
        }
        follow.end();
        Ok(self.done(package, false))
    }
}
