//! Plans for other nodes: `/timetable/plans/<date>.json`, for who shows the nodes' word.
//!
//! What is sent is what is followed here, byte for byte, so that a tier below can judge it by itself. The answer tells this
//! node's clock, too.

use crate::plans::{Followed, Plans};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use jiff::civil::Date;
use std::sync::Arc;

/// Where plans are.
pub const PLANS: &str = "/timetable/plans/";
/// Milliseconds since 1970 by the clock of who answers: Date knows whole seconds only.
pub const CLOCK_FIELD: HeaderName = HeaderName::from_static("airclass-clock");

/// What a question for a plan gets.
#[derive(Debug)]
pub enum AtDoor {
    /// It does not come from a node.
    Denied,
    /// There is no plan for that day.
    Nothing,
    /// Who asks has it.
    Same(Arc<Followed>),
    /// This one.
    Plan(Arc<Followed>),
}

/// The path of a day's plan.
pub fn target(date: Date) -> String {
    format!("{PLANS}{date}.json")
}

/// The day of the plan at `path`; `None` when it is no plan's.
pub fn date_of(path: &str) -> Option<Date> {
    path.strip_prefix(PLANS)?.strip_suffix(".json")?.parse().ok()
}

/// Answers a question for what lies at `path`; `None` when it is none for a plan. Nothing is told to who is no node, not even
/// which days there are.
pub fn served(plans: &Plans, path: &str, request: &HeaderMap) -> Option<AtDoor> {
    if !path.starts_with(PLANS) {
        return None;
    }
    if !plans.tokens().accept(request) {
        return Some(AtDoor::Denied);
    }
    let current = plans.current();
    let found = date_of(path).and_then(|date| current.on(date)).cloned();
    Some(found.map_or(AtDoor::Nothing, |followed| {
        let tag = followed.tag();
        let has = request.get_all(header::IF_NONE_MATCH).iter().any(|known| *known == tag);
        if has { AtDoor::Same(followed) } else { AtDoor::Plan(followed) }
    }))
}

impl Followed {
    /// Names the text that was signed.
    pub fn tag(&self) -> HeaderValue {
        tag(&self.accepted.digest)
    }
}

/// The entity tag of a plan.
pub(crate) fn tag(digest: &package::Digest) -> HeaderValue {
    HeaderValue::try_from(format!("\"{digest}\"")).expect("hexadecimal digits")
}

impl AtDoor {
    /// The answer's fields, at this moment of `plans`' clock.
    pub fn headers(&self, plans: &Plans) -> HeaderMap {
        let clock = HeaderValue::from(plans.now().as_millisecond());
        let mut headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
            (CLOCK_FIELD, clock),
        ]);
        match self {
            Self::Denied => {
                drop(headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer")))
            }
            Self::Nothing => {}
            Self::Same(followed) => drop(headers.insert(header::ETAG, followed.tag())),
            Self::Plan(followed) => {
                headers.insert(header::ETAG, followed.tag());
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            }
        }
        headers
    }

    /// The answer's status.
    pub const fn status(&self) -> http::StatusCode {
        match self {
            Self::Denied => http::StatusCode::UNAUTHORIZED,
            Self::Nothing => http::StatusCode::NOT_FOUND,
            Self::Same(_) => http::StatusCode::NOT_MODIFIED,
            Self::Plan(_) => http::StatusCode::OK,
        }
    }

    /// The answer's body.
    pub fn body(&self) -> bytes::Bytes {
        match self {
            Self::Denied => bytes::Bytes::from_static(
                "只对节点开放。\nPlans are for nodes, which show the word in their `plan.tokens`.\n"
                    .as_bytes(),
            ),
            Self::Nothing => bytes::Bytes::from_static("no plan is followed for that day\n".as_bytes()),
            Self::Same(_) => bytes::Bytes::new(),
            Self::Plan(followed) => followed.envelope.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::tokens::Tokens;
    use testkit::plans as sample;

    fn followed(plan: &timetable::Plan) -> Arc<Followed> {
        let envelope = sample::envelope(plan);
        let accepted =
            timetable::accept(&envelope, &sample::trust(), plan.date, None, plan.valid_from).unwrap();
        Arc::new(Followed { accepted, envelope })
    }

    const WORD: &str = "nodes-nodes-nodes-nodes";

    fn with(fields: &[(HeaderName, &str)]) -> HeaderMap {
        fields.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    #[test]
    fn plans_are_for_nodes() {
        let plans = Plans::new(Clock::at(sample::moment("07:00:00")), Tokens::parse(WORD).unwrap());
        let followed = followed(&sample::plan());
        plans.replace(vec![Arc::clone(&followed)]);
        let shown = format!("Bearer {WORD}");
        let node = with(&[(header::AUTHORIZATION, &shown)]);
        let path = target(jiff::civil::date(2026, 9, 1));
        assert_eq!(path, "/timetable/plans/2026-09-01.json");
        let ask = |path: &str, fields: &HeaderMap| served(&plans, path, fields);
        assert!(ask("/timetable/2026-09-01.json", &node).is_none());
        for fields in [HeaderMap::new(), with(&[(header::AUTHORIZATION, "Bearer wrong-wrong-wrong")])] {
            for path in [path.as_str(), "/timetable/plans/2026-09-02.json", "/timetable/plans/x"] {
                let answer = ask(path, &fields).unwrap();
                assert!(matches!(answer, AtDoor::Denied), "{path}");
                assert_eq!(answer.status(), 401);
            }
        }
        let answer = ask(&path, &node).unwrap();
        assert_eq!((answer.status().as_u16(), answer.body()), (200, followed.envelope.clone()));
        let headers = answer.headers(&plans);
        assert_eq!(headers[header::CACHE_CONTROL], "private, no-store");
        let known = with(&[
            (header::AUTHORIZATION, &shown),
            (header::IF_NONE_MATCH, headers[header::ETAG].to_str().unwrap()),
        ]);
        assert_eq!(ask(&path, &known).unwrap().status(), 304);
        assert_eq!(ask("/timetable/plans/2026-09-02.json", &node).unwrap().status(), 404);
        assert_eq!(ask("/timetable/plans/../x", &node).unwrap().status(), 404);
    }
}
