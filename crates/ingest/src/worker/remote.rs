//! Tasks of the journey, done in a worker: both ends.

use super::child::Sink;
use super::failure::WorkerError;
use super::limits::Limits;
use super::process::{Program, run_program};
use super::wire::{Frame, WireFault};
use crate::cancel::Cancel;
use crate::fault::MediaError;
use crate::task::{self, Answer, Header, Task};
use package::{Codec, Rendition};
use std::fs::File;

/// Does `task` on `file` in a worker of its own; otherwise like [`task::perform`].
///
/// Only answers that the task may have are taken: a worker in somebody else's hands cannot write into another chunk.
///
/// # Errors
/// As for [`run`](super::run). [`WorkerError::may_retry`] says whether to do it once more; answers then come anew.
pub fn perform(
    task: &Task,
    file: &File,
    limits: &Limits,
    sink: &mut task::Sink<'_>,
    cancel: &Cancel,
) -> Result<(), WorkerError> {
    let text = serde_json::to_vec(task).map_err(|error| WorkerError::Start(error.into()))?;
    let mut garbled = None;
    let mut on_frame = |frame: Frame| {
        let fault = match serde_json::from_slice::<Header>(&frame.header) {
            Ok(header) if may_answer(task, &header) => return sink(Answer { header, body: frame.body }),
            Ok(_) => WireFault::OutOfTurn,
            Err(_) => WireFault::Senseless,
        };
        garbled = Some(fault);
        Err(MediaError::Stopped)
    };
    let result = run_program(&Program::own(), &text, file, limits, cancel, &mut on_frame);
    match garbled {
        Some(fault) => Err(WorkerError::Garbled(fault)),
        None => result.map(drop),
    }
}

/// The work of `airclass-ingest worker`.
///
/// # Errors
/// As for [`task::perform`].
pub fn serve(task: &[u8], file: File, send: Sink<'_>) -> Result<(), MediaError> {
    let task: Task = serde_json::from_slice(task).map_err(|_| MediaError::Crashed("task"))?;
    let mut sink = |answer: Answer| {
        let header = serde_json::to_vec(&answer.header).map_err(|_| MediaError::Crashed("answer"))?;
        send(Frame { header, body: answer.body })
    };
    task::perform(&task, &file, &mut sink, &Cancel::new())
}

/// Whether the pictures of a chunk in `codec` are of this rendition.
fn is_picture(rendition: Rendition, codec: Codec) -> bool {
    match rendition {
        Rendition::Video(slot) => slot.codec() == codec,
        Rendition::Trick => codec == Codec::H264,
        Rendition::Audio(_) => false,
    }
}

/// Whether such an answer can come of the task.
fn may_answer(task: &Task, header: &Header) -> bool {
    match (task, header) {
        (_, Header::Progress { .. })
        | (Task::Survey, Header::Survey)
        | (Task::Trial { .. }, Header::Trial) => true,
        (Task::Pictures { codec, .. }, Header::Init { rendition, .. }) => is_picture(*rendition, *codec),
        (Task::Pictures { codec, chunk, .. }, Header::Segment { rendition, number, .. }) => {
            let within = number.0.checked_sub(chunk.first.0);
            is_picture(*rendition, *codec) && within.is_some_and(|within| within < chunk.segments.0)
        }
        (Task::Sound { .. }, Header::Init { rendition, .. }) => matches!(rendition, Rendition::Audio(_)),
        (Task::Sound { segments, .. }, Header::Segment { rendition, number, .. }) => {
            matches!(rendition, Rendition::Audio(_)) && number.0 < segments.0
        }
        (Task::Pictures { chunk, .. }, Header::Sheet { sheet }) => *sheet == chunk.index,
        (Task::Pictures { chunk, .. }, Header::Slide(slide)) => chunk.millis().contains(&slide.at_ms),
        (Task::Survey | Task::Trial { .. }, Header::Init { .. } | Header::Segment { .. })
        | (Task::Survey | Task::Trial { .. } | Task::Sound { .. }, Header::Sheet { .. } | Header::Slide(_))
        | (_, Header::Survey | Header::Trial) => false,
    }
}
