//! May a shared cache keep this response? (RFC 9111 §3)

use crate::directives::{RequestDirectives, ResponseDirectives};
use crate::freshness;
use http::{HeaderMap, Method, StatusCode, header};

/// Why a response is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotStored {
    /// Only answers to GET are kept.
    Method,
    /// The request asked for it.
    RequestNoStore,
    /// The response asked for it.
    ResponseNoStore,
    /// Meant for one person.
    Private,
    /// Asked for with credentials, and not marked as everybody's (§3.5).
    Authorized,
    /// Sets a cookie: whose, if it were kept?
    SetCookie,
    /// Not final, or a part (206 is not combined yet), or not modified.
    Status,
    /// `must-understand` with a status code that we do not.
    NotUnderstood,
    /// Differs by things that no cache can see (`Vary: *`).
    VaryStar,
    /// Says neither how long it is fresh nor how to ask again: keeping it would help nobody.
    NoFreshness,
}

/// The request's side of the question.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// GET, for anything to be kept.
    pub method: &'a Method,
    /// Whether it carries Authorization.
    pub authorized: bool,
    /// Its directives.
    pub directives: RequestDirectives,
}

/// Status codes whose meaning for caching we know (RFC 9110 §15.1, RFC 7538). The rest are kept only where the
/// response itself says how long.
fn heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Whether to keep it.
///
/// # Errors
/// The reason why not.
pub fn storable(
    asked: &Asked<'_>,
    status: StatusCode,
    headers: &HeaderMap,
    directives: &ResponseDirectives,
) -> Result<(), NotStored> {
    if asked.method != Method::GET {
        return Err(NotStored::Method);
    }
    if asked.directives.no_store {
        return Err(NotStored::RequestNoStore);
    }
    if status.is_informational()
        || status == StatusCode::PARTIAL_CONTENT
        || status == StatusCode::NOT_MODIFIED
    {
        return Err(NotStored::Status);
    }
    // §5.2.2.3: with must-understand, an understood status code outweighs no-store; all we list are understood.
    if directives.must_understand && !heuristically_cacheable(status) {
        return Err(NotStored::NotUnderstood);
    }
    if directives.no_store && !directives.must_understand {
        return Err(NotStored::ResponseNoStore);
    }
    if directives.private {
        return Err(NotStored::Private);
    }
    if asked.authorized && !(directives.public || directives.s_maxage.is_some() || directives.must_revalidate)
    {
        return Err(NotStored::Authorized);
    }
    if headers.contains_key(header::SET_COOKIE) {
        return Err(NotStored::SetCookie);
    }
    if crate::vary::is_star(headers) {
        return Err(NotStored::VaryStar);
    }
    let explicit = freshness::is_explicit(headers, directives);
    let may_be_asked_again =
        headers.contains_key(header::ETAG) || headers.contains_key(header::LAST_MODIFIED);
    if explicit || (heuristically_cacheable(status) && may_be_asked_again) {
        Ok(())
    } else {
        Err(NotStored::NoFreshness)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    fn decide(
        authorized: bool,
        status: u16,
        fields: &[(&'static str, &'static str)],
    ) -> Result<(), NotStored> {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let asked = Asked { method: &Method::GET, authorized, directives: RequestDirectives::default() };
        let directives = ResponseDirectives::read(&headers);
        storable(&asked, StatusCode::from_u16(status).unwrap(), &headers, &directives)
    }

    #[test]
    fn by_section_3() {
        const HOUR: (&str, &str) = ("cache-control", "max-age=3600");
        for (authorized, status, fields, answer) in [
            (false, 200, &[HOUR][..], Ok(())),
            (false, 200, &[], Err(NotStored::NoFreshness)),
            (false, 200, &[("etag", "\"a\"")], Ok(())),
            (false, 302, &[("etag", "\"a\"")], Err(NotStored::NoFreshness)),
            (false, 302, &[HOUR], Ok(())),
            (false, 404, &[HOUR], Ok(())),
            (false, 206, &[HOUR], Err(NotStored::Status)),
            (false, 200, &[("cache-control", "no-store, max-age=9")], Err(NotStored::ResponseNoStore)),
            (false, 200, &[("cache-control", "no-store, must-understand, max-age=9")], Ok(())),
            (false, 599, &[("cache-control", "must-understand, max-age=9")], Err(NotStored::NotUnderstood)),
            (false, 200, &[("cache-control", "private, max-age=9")], Err(NotStored::Private)),
            (true, 200, &[HOUR], Err(NotStored::Authorized)),
            (true, 200, &[("cache-control", "public, max-age=9")], Ok(())),
            (true, 200, &[("cache-control", "s-maxage=9")], Ok(())),
            (true, 200, &[("cache-control", "must-revalidate, max-age=9")], Ok(())),
            (false, 200, &[HOUR, ("set-cookie", "a=b")], Err(NotStored::SetCookie)),
            (false, 200, &[HOUR, ("vary", "accept, *")], Err(NotStored::VaryStar)),
        ] {
            assert_eq!(decide(authorized, status, fields), answer, "{authorized} {status} {fields:?}");
        }
    }

    #[test]
    fn only_answers_to_get() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        let directives = ResponseDirectives::read(&headers);
        for method in [Method::HEAD, Method::POST, Method::PUT] {
            let asked =
                Asked { method: &method, authorized: false, directives: RequestDirectives::default() };
            assert_eq!(storable(&asked, StatusCode::OK, &headers, &directives), Err(NotStored::Method));
        }
    }
}
