//! Whether an answer may be kept for others, by what was asked and what the operator has set.

use super::arrived::Arrived;
use crate::edge::Edge;
use crate::request::Asked;
use crate::store::Object;
use http::{HeaderMap, Method, StatusCode, header};
use httpcache::directives::ResponseDirectives;
use httpcache::storable::{self, NotStored};

/// Whether an answer may be kept for others.
///
/// # Errors
/// The reason why not.
pub(crate) fn storable(edge: &Edge, asked: &Asked, arrived: &Arrived, part: bool) -> Result<(), NotStored> {
    may_keep(edge, asked, arrived.head.status, &arrived.head.headers, part)
}

/// The same of a stored response that a 304, or an answer to HEAD, has brought up to date: what that says of it now is as good
/// a reason as if it had said so in the beginning. Also of what is to be added to it for who asks now.
///
/// # Errors
/// The reason why not.
pub(crate) fn still_storable(edge: &Edge, asked: &Asked, object: &Object) -> Result<(), NotStored> {
    may_keep(edge, asked, object.status, &object.headers, object.part.is_some())
}

/// Whether an error that is not to be kept is for all who wait for it: it is nobody's own. `no-store` forbids to store it (RFC 9111
/// §5.2.2.5) and says of nobody that it is for him alone. Nor does a cookie that it was asked for with, where the origin has failed.
pub(super) fn is_for_who_waits(edge: &Edge, asked: &Asked, arrived: &Arrived) -> bool {
    let (status, headers) = (arrived.head.status, &arrived.head.headers);
    let mut storing = storing(asked, headers, false);
    storing.cookie &= !status.is_server_error();
    let rules = &edge.policy(asked).rules;
    let directives = ResponseDirectives { no_store: false, ..arrived.directives(rules) };
    let judged = storable::storable(&storing, status, headers, &directives, rules);
    matches!(judged, Ok(()) | Err(NotStored::NoFreshness))
}

/// The same of more bytes of what is stored. As with a 304, a cookie that comes with them is not kept.
///
/// # Errors
/// The reason why not.
pub(super) fn may_add(
    edge: &Edge,
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<(), NotStored> {
    match may_keep(edge, asked, status, headers, true) {
        Err(NotStored::SetCookie) => Ok(()),
        judged => judged,
    }
}

fn may_keep(
    edge: &Edge,
    asked: &Asked,
    status: StatusCode,
    headers: &HeaderMap,
    part: bool,
) -> Result<(), NotStored> {
    let rules = &edge.policy(asked).rules;
    let directives = ResponseDirectives::targeted(headers, &rules.targets);
    storable::storable(&storing(asked, headers, part), status, headers, &directives, rules)
}

fn storing<'a>(asked: &'a Asked, headers: &HeaderMap, part: bool) -> storable::Asked<'a> {
    storable::Asked {
        method: if asked.method == Method::HEAD { &Method::GET } else { &asked.method },
        located: asked.is_named_by(headers.get(header::CONTENT_LOCATION)),
        part,
        authorized: asked.headers.contains_key(header::AUTHORIZATION),
        cookie: asked.headers.contains_key(header::COOKIE),
        directives: asked.directives,
    }
}
