//! Papers that a node writes itself, for pages that lead further: which groups of servers can be reached from here, and whom
//! people who watch through this node may ask for help, where its owner has said so (`[support]`; else the origin's is passed on).

use crate::request::Asked;
use crate::upstream::Groups;
use feedback::Support;
use http::{HeaderMap, HeaderValue, Method, header};
use std::collections::BTreeMap;
use tokio::time::Instant;

/// Where it is asked which groups can be reached.
const HEALTH: &str = "/resources/health.json";
/// Where it is asked who helps.
const SUPPORT: &str = "/resources/support.json";
/// How long that may be kept: health is known a few seconds late anyhow, and a telephone number changes with a restart.
const KEPT: HeaderValue = HeaderValue::from_static("public, max-age=5");

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paper {
    /// Names of groups, and whether each can be reached.
    Health,
    /// Whom to ask.
    Support,
}

impl Paper {
    /// Which one is asked for; `None`: what the upstream has to answer.
    pub(crate) fn of(asked: &Asked, support: &Support) -> Option<Self> {
        if !matches!(asked.method, Method::GET | Method::HEAD) {
            return None;
        }
        match asked.target.path() {
            HEALTH => Some(Self::Health),
            SUPPORT if !support.is_empty() => Some(Self::Support),
            _ => None,
        }
    }

    /// It, as it is now.
    pub(crate) fn write(self, groups: &Groups, support: &Support, now: Instant) -> (HeaderMap, Vec<u8>) {
        let body = match self {
            Self::Health => {
                let word = |up: bool| if up { "up" } else { "down" };
                let groups: BTreeMap<_, _> =
                    groups.standing(now).map(|(name, up)| (name, word(up))).collect();
                let mut body = serde_json::json!({ "groups": groups }).to_string().into_bytes();
                body.push(b'\n');
                body
            }
            Self::Support => support.to_json(),
        };
        let headers = HeaderMap::from_iter([
            (header::CACHE_CONTROL, KEPT),
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
        ]);
        (headers, body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use feedback::SupportOptions;
    use http::Request;

    #[test]
    fn whom_to_ask_for_help_is_for_the_node_to_say_where_its_owner_has() {
        let asked = |method: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).header("host", "a").body(()).unwrap();
            Asked::read(request.into_parts().0, Instant::now()).unwrap()
        };
        let phone = Some("027-1234".to_owned());
        let own = Support::resolve(&SupportOptions { phone, page: None }).unwrap();
        let nobody = Support::default();
        for (method, path, support, paper) in [
            ("GET", SUPPORT, &own, Some(Paper::Support)),
            ("HEAD", SUPPORT, &own, Some(Paper::Support)),
            ("GET", SUPPORT, &nobody, None),
            ("POST", SUPPORT, &own, None),
            ("GET", HEALTH, &nobody, Some(Paper::Health)),
            ("GET", "/resources/index.json", &own, None),
        ] {
            assert_eq!(Paper::of(&asked(method, path), support), paper, "{method} {path}");
        }
    }
}
