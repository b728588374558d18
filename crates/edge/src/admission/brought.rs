//! What a client brings to the door: in the pointer's query or, a ticket, in a field. Of no meaning to key and upstream.

use crate::request::Asked;
use http::uri::PathAndQuery;
use http::{HeaderName, Uri};

/// The field of a ticket.
pub(super) const FIELD: HeaderName = HeaderName::from_static("airclass-ticket");
/// The parameter of a ticket.
pub(super) const TICKET: &str = "ticket";
/// The parameter of who goes on before a soft slot.
pub(super) const CONTINUE: &str = "continue";

/// What was brought.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Brought {
    /// As it was written.
    pub(super) ticket: Option<String>,
    /// Whether to go on before a soft slot.
    pub(super) goes_on: bool,
}

impl Brought {
    /// Takes it out of a request.
    pub(super) fn take(asked: &mut Asked) -> Self {
        let mut brought = Self::default();
        if let Some(query) = asked.target.query() {
            let kept: Vec<&str> = query.split('&').filter(|part| !brought.notes(part)).collect();
            let kept = kept.join("&");
            if kept.len() != query.len() {
                let path = asked.target.path();
                let text = if kept.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
                // Parts of what has been parsed can be parsed.
                if let Ok(target) = PathAndQuery::try_from(text) {
                    asked.target = Uri::from(target);
                }
            }
        }
        if let Some(field) = asked.headers.remove(FIELD) {
            brought.ticket = brought.ticket.or_else(|| field.to_str().ok().map(str::to_owned));
        }
        brought
    }

    /// Notes a parameter that is for the door.
    fn notes(&mut self, parameter: &str) -> bool {
        match parameter.split_once('=').unwrap_or((parameter, "")) {
            (TICKET, ticket) => self.ticket = Some(ticket.to_owned()),
            (CONTINUE, value) => self.goes_on = value == "1",
            _ => return false,
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use tokio::time::Instant;

    fn take(target: &str, field: Option<&str>) -> (String, Brought) {
        let mut request = Request::builder().uri(target).header("host", "a");
        if let Some(field) = field {
            request = request.header(FIELD, field);
        }
        let mut asked = Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap();
        let brought = Brought::take(&mut asked);
        assert!(!asked.headers.contains_key(FIELD));
        (asked.path_and_query().to_owned(), brought)
    }

    #[test]
    fn what_is_for_the_door_goes_no_further() {
        for (target, field, rest, ticket, goes_on) in [
            ("/x", None, "/x", None, false),
            ("/x?a=1", None, "/x?a=1", None, false),
            ("/x?ticket=1.2", None, "/x", Some("1.2"), false),
            ("/x?a=1&ticket=t&b&continue=1", None, "/x?a=1&b", Some("t"), true),
            ("/x?continue=0&tickets=1", None, "/x?tickets=1", None, false),
            ("/x?continue", None, "/x", None, false),
            ("/x", Some("f"), "/x", Some("f"), false),
            ("/x?ticket=q", Some("f"), "/x", Some("q"), false),
        ] {
            let brought = Brought { ticket: ticket.map(str::to_owned), goes_on };
            assert_eq!(take(target, field), (rest.to_owned(), brought), "{target}");
        }
    }
}
