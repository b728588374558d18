//! Decoded pictures into the pictures of every rung; decoded sound into encoder frames.

use crate::decode::Decoded;
use crate::fault::MediaError;
use crate::ffmpeg::{Graph, Picture, PictureShape, Sound};
use crate::plan::{Plan, picture_graph, sound_graph};
use crate::sound::{Gain, Mixer, Sides};
use crate::timeline::Flicks;
use package::Slot;
use std::sync::mpsc::{Receiver, SyncSender};

/// What flows to a rung's encoder.
pub enum Feed {
    /// The picture from this slot of the lesson on.
    Picture(Picture, u64),
    /// Nothing follows; the last picture is held to the end of the chunk.
    End,
}

/// Who gets pictures, and of which size: that of an H.264 slot. Any number may want the same.
pub type Wanted = (Slot, SyncSender<Feed>);

/// Filters every picture that arrives and sends it to all who want it. Ends behind [`Decoded::End`].
///
/// # Errors
/// When a filter fails, or a neighbour stopped.
pub fn pictures(
    plan: &Plan,
    decoded: &Receiver<Decoded<Picture, u64>>,
    wanted: &[Wanted],
) -> Result<(), MediaError> {
    let mut graph: Option<(PictureShape, Graph)> = None;
    let rate = plan.timing.rate.per_second();
    // Sizes are scaled from larger ones: those below the smallest that is wanted are nobody's parents.
    let smallest = wanted.iter().map(|(size, _)| *size).min();
    let sizes: Vec<Slot> = plan.sizes().into_iter().filter(|size| Some(*size) >= smallest).collect();
    loop {
        match decoded.recv().map_err(|_| MediaError::Stopped)? {
            Decoded::Frame(picture, _) => {
                // Decided for the lesson, so that a chunk without interlaced pictures is filtered as its neighbours are.
                let shape = PictureShape { interlaced: plan.interlaced, ..picture.shape() };
                // The first picture, or a stream that changed its size or format on the way.
                if graph.as_ref().is_none_or(|(known, _)| *known != shape) {
                    if let Some((_, graph)) = &mut graph {
                        graph.finish()?;
                        forward(graph, rate, &sizes, wanted)?;
                    }
                    let spec = picture_graph(&shape, plan.orientation, &sizes, plan.toolbox);
                    graph = Some((shape, Graph::for_pictures(&shape, rate, &spec, sizes.len())?));
                }
                if let Some((_, graph)) = &mut graph {
                    graph.push_picture(picture)?;
                    forward(graph, rate, &sizes, wanted)?;
                }
            }
            Decoded::End => {
                if let Some((_, graph)) = &mut graph {
                    graph.finish()?;
                    forward(graph, rate, &sizes, wanted)?;
                }
                let end = |(_, feed): &Wanted| feed.send(Feed::End);
                return wanted.iter().try_for_each(end).map_err(|_| MediaError::Stopped);
            }
        }
    }
}

fn forward(graph: &mut Graph, rate: u32, sizes: &[Slot], wanted: &[Wanted]) -> Result<(), MediaError> {
    for (index, &size) in sizes.iter().enumerate() {
        while let Some(mut picture) = graph.pull_picture(index, rate)? {
            picture.tag_as_published();
            let slot = u64::try_from(picture.pts().unwrap_or(0)).unwrap_or(0);
            for (_, feed) in wanted.iter().filter(|(wants, _)| *wants == size) {
                feed.send(Feed::Picture(picture.share()?, slot)).map_err(|_| MediaError::Stopped)?;
            }
        }
    }
    Ok(())
}

/// Sound for one encoder: frames of 1,024 samples, the last of the source maybe shorter.
pub trait SoundSink {
    /// Takes the next frame.
    ///
    /// # Errors
    /// When the encoder fails or its reader stopped.
    fn take(&mut self, sound: Sound) -> Result<(), MediaError>;

    /// Samples taken so far.
    fn samples(&self) -> u64;
}

/// Filters all sound into `stereo` and `mono`. Ends behind [`Decoded::End`].
///
/// # Errors
/// When a filter fails, or a neighbour stopped.
pub fn sounds(
    sides: Sides,
    gain: Gain,
    decoded: &Receiver<Decoded<Sound, Flicks>>,
    sinks: &mut [&mut dyn SoundSink; 2],
) -> Result<(), MediaError> {
    let mut mixer = Mixer::new(sound_graph(sides, gain));
    loop {
        match decoded.recv().map_err(|_| MediaError::Stopped)? {
            Decoded::Frame(sound, time) => mixer.take(sound, time, sinks)?,
            Decoded::End => return mixer.finish(sinks).map(|_| ()),
        }
    }
}
