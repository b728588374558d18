//! Decoded sound of any rate and layout into 48 kHz that starts at 0 and stays with its time stamps.

use super::{Clock, ClockReport};
use crate::fault::MediaError;
use crate::ffmpeg::{Graph, Sound, SoundShape};
use crate::filter::SoundSink;
use crate::timeline::Flicks;
use grid::AUDIO_RATE;

/// Puts sound in its place and through a filter graph into sinks.
pub struct Mixer {
    spec: String,
    clock: Clock<Sound>,
    running: Option<Running>,
}

/// A graph and where on the lesson's axis it began. A stream that changes its rate or layout gets another one.
struct Running {
    shape: SoundShape,
    graph: Graph,
    origin: Flicks,
}

impl Mixer {
    /// For a graph in FFmpeg's language that puts its first sample out for time 0: one of [`crate::plan`].
    pub fn new(spec: String) -> Self {
        Self { spec, clock: Clock::default(), running: None }
    }

    /// Takes the next decoded sound, which the file says starts at `time`. There is a sink for each of the graph's
    /// outlets, the same ones each time.
    ///
    /// # Errors
    /// When a filter or a sink fails.
    pub fn take(
        &mut self,
        sound: Sound,
        time: Flicks,
        sinks: &mut [&mut dyn SoundSink],
    ) -> Result<(), MediaError> {
        let rate = sound.shape().rate.cast_signed();
        let length = Flicks::from_ticks(i64::try_from(sound.samples()).unwrap_or(0), (1, rate));
        self.clock.put(time, length, sound);
        self.placed(false, sinks)
    }

    /// Everything out; what the clock had to do.
    ///
    /// # Errors
    /// When a filter or a sink fails.
    pub fn finish(&mut self, sinks: &mut [&mut dyn SoundSink]) -> Result<ClockReport, MediaError> {
        self.placed(true, sinks)?;
        if let Some(running) = &mut self.running {
            running.graph.finish()?;
            running.forward(sinks)?;
        }
        Ok(self.clock.report())
    }

    fn placed(&mut self, ended: bool, sinks: &mut [&mut dyn SoundSink]) -> Result<(), MediaError> {
        while let Some((time, mut sound)) = self.clock.take(ended) {
            let shape = sound.shape();
            if self.running.as_ref().is_none_or(|running| running.shape != shape) {
                if let Some(running) = &mut self.running {
                    running.graph.finish()?;
                    running.forward(sinks)?;
                }
                let done = sinks.first().map_or(0, |sink| sink.samples());
                let origin = Flicks::from_ticks(done.cast_signed(), (1, AUDIO_RATE.cast_signed()));
                let graph = Graph::for_sound(&shape, &self.spec, sinks.len())?;
                self.running = Some(Running { shape, graph, origin });
            }
            if let Some(running) = &mut self.running {
                sound.set_pts(time.minus(running.origin).in_ticks_of(shape.rate));
                running.graph.push_sound(sound)?;
                running.forward(sinks)?;
            }
        }
        Ok(())
    }
}

impl Running {
    fn forward(&mut self, sinks: &mut [&mut dyn SoundSink]) -> Result<(), MediaError> {
        for (index, sink) in sinks.iter_mut().enumerate() {
            while let Some(sound) = self.graph.pull_sound(index)? {
                sink.take(sound)?;
            }
        }
        Ok(())
    }
}
