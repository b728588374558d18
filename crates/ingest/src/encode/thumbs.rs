//! The storyboard: the first picture of every segment, those of a chunk on one sheet.

use super::stills::SMALL;
use crate::chunk::Chunk;
use crate::fault::MediaError;
use crate::ffmpeg::{FfmpegError, Picture, jpeg};
use crate::media::Message;
use package::manifest;
use std::sync::mpsc::SyncSender;

/// JPEG quality of a sheet: 2 the best to 31 the worst.
const QUALITY: u32 = 6;
/// How many lie side by side.
const COLUMNS: u32 = manifest::Thumbs::LESSON.columns;
const _: () = assert!(manifest::Thumbs::LESSON.per_sheet() == crate::chunk::CHUNK_SEGMENTS);
const _: () =
    assert!(manifest::Thumbs::LESSON.width == SMALL.0 && manifest::Thumbs::LESSON.height == SMALL.1);

/// Puts them on a sheet as high as the chunk needs.
pub(super) struct Thumbs<'a> {
    sheet: Picture,
    index: u32,
    /// How many lie on it.
    placed: u32,
    messages: &'a SyncSender<Message>,
}

impl<'a> Thumbs<'a> {
    pub(super) fn new(chunk: &Chunk, messages: &'a SyncSender<Message>) -> Self {
        let rows = chunk.segments.0.div_ceil(COLUMNS);
        let sheet = Picture::full_range(COLUMNS * SMALL.0, rows * SMALL.1);
        Self { sheet, index: chunk.index, placed: 0, messages }
    }

    /// Takes the next segment's picture, of [`SMALL`] size in the numbers of JPEG.
    pub(super) fn take(&mut self, small: &Picture) -> Result<(), FfmpegError> {
        if self.placed == 0 {
            // Places without a picture are black, not what memory held.
            for (plane, black) in [(0, 0), (1, 128), (2, 128)] {
                self.sheet.plane_mut(plane)?.0.fill(black);
            }
        }
        let at = (self.placed % COLUMNS * SMALL.0, self.placed / COLUMNS * SMALL.1);
        for (plane, shift) in [(0, 0), (1, 1), (2, 1)] {
            let (width, height) = ((SMALL.0 >> shift) as usize, (SMALL.1 >> shift) as usize);
            let (left, top) = ((at.0 >> shift) as usize, (at.1 >> shift) as usize);
            let (from, from_stride) = small.plane(plane);
            let (to, to_stride) = self.sheet.plane_mut(plane)?;
            for row in 0..height {
                let begin = (top + row) * to_stride + left;
                to[begin..begin + width].copy_from_slice(&from[row * from_stride..][..width]);
            }
        }
        self.placed += 1;
        Ok(())
    }

    pub(super) fn finish(self) -> Result<(), MediaError> {
        if self.placed == 0 {
            return Ok(());
        }
        let bytes = jpeg(&self.sheet, QUALITY)?;
        self.messages.send(Message::Sheet { sheet: self.index, bytes }).map_err(|_| MediaError::Stopped)
    }
}
