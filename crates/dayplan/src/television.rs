//! What television shows under `/channels/`, by the plans that are followed and the clock that opens lessons.

use crate::closed::Closed;
use crate::gate::Shut;
use crate::plans::Plans;
use bytes::Bytes;
use channel::{Answer, Days};
use http::{HeaderMap, Method, Response};

/// What a node says about a path under `/channels/`.
#[derive(Debug)]
pub enum Television {
    /// A playlist, or that the client has it already.
    Playlist(Response<Bytes>),
    /// The programme has not begun.
    Ahead(Closed),
}

impl Plans {
    /// Answers for channels of the plans, from what is known here alone; `target` is a path with its query. `None`: they know no such channel.
    ///
    /// A node whose clock is wrong shows what was on air when it was right: it must not show what is shut.
    pub fn on_air(&self, method: &Method, target: &str, request: &HeaderMap) -> Option<Television> {
        if !target.starts_with(channel::CHANNELS) {
            return None;
        }
        // The number first: plans that come in between are then looked at once more, and not taken for those before.
        let number = self.change();
        let (current, now) = (self.current(), self.clock().opens_by());
        let days = || Days::new(current.plans());
        Some(match self.playlists().answer((method, target, request), number, days, now)? {
            Answer::Playlist(playlist) => Television::Playlist(playlist),
            Answer::Ahead(begins) => {
                Television::Ahead(Closed::new(&Shut::until(begins), request, self.now()))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::plans::Followed;
    use crate::tokens::Tokens;
    use jiff::Timestamp;
    use std::sync::Arc;
    use testkit::plans::{self as sample, moment};

    fn plans(now: Timestamp) -> Plans {
        let plan = sample::plan();
        let envelope = sample::envelope(&plan);
        let accepted =
            timetable::accept(&envelope, &sample::trust(), plan.date, None, plan.valid_from).unwrap();
        let plans = Plans::new(Clock::at(now), Tokens::default());
        plans.replace(vec![Arc::new(Followed { accepted, envelope })]);
        plans
    }

    fn text(plans: &Plans, path: &str) -> Option<String> {
        match plans.on_air(&Method::GET, path, &HeaderMap::new())? {
            Television::Playlist(list) => Some(String::from_utf8(list.into_body().to_vec()).unwrap()),
            Television::Ahead(closed) => Some(closed.text),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_channel_of_the_plan_is_on_air_and_no_other() {
        let plans = plans(moment("08:30:00"));
        let list = text(&plans, "/channels/junior/s0.m3u8").unwrap();
        assert!(list.trim_end().ends_with("/s0/00000.m4s"), "{list}");
        assert!(text(&plans, "/channels/junior/main.m3u8").unwrap().contains("s0.m3u8"));
        let update = text(&plans, "/channels/junior/s0.m3u8?_HLS_skip=YES").unwrap();
        assert!(
            update.contains("#EXT-X-SKIP:SKIPPED-SEGMENTS=") && update.len() < list.len() / 4,
            "{update}"
        );
        assert!(text(&plans, "/channels/other/s0.m3u8").is_none());
        assert!(text(&plans, "/lessons/maths-9/main.m3u8").is_none());
        let programme = "/channels/junior/programmes/2026-09-01/maths-9/main.m3u8";
        assert!(text(&plans, programme).unwrap().contains("s0.m3u8"));
        let ahead = text(&self::plans(moment("08:29:59")), programme).unwrap();
        assert!(ahead.starts_with("not open yet: opens at 2026-09-01T00:30:00Z"), "{ahead}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_plan_is_on_air_at_once() {
        let plans = plans(moment("08:30:00"));
        let before = text(&plans, "/channels/junior/s0.m3u8").unwrap();
        plans.replace(Vec::new());
        assert_eq!(text(&plans, "/channels/junior/s0.m3u8"), None, "{before}");
    }
}
