//! May a shared cache keep this response? (RFC 9111 §3)

use crate::directives::{RequestDirectives, ResponseDirectives};
use crate::freshness;
use crate::policy::{Policy, SetCookie};
use http::{HeaderMap, Method, StatusCode, header};

/// Why a response is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotStored {
    /// Only answers to GET are kept, and those to POST that say what they are (RFC 9110 §9.3.3).
    Method,
    /// The request asked for it.
    RequestNoStore,
    /// The response asked for it.
    ResponseNoStore,
    /// Meant for one person.
    Private,
    /// Asked for with credentials, and not marked as everybody's (§3.5).
    Authorized,
    /// Asked for with a cookie, and nothing said that it may be kept, or for how long: a page of one person's, for all we know.
    Cookie,
    /// Sets a cookie: whose, if it were kept?
    SetCookie,
    /// Not final, a part that nobody asked for, not modified, or an answer to how it was asked, as that none of the parts is there.
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
    /// GET, for anything to be kept; or POST.
    pub method: &'a Method,
    /// Whether the response's Content-Location is the URL that was asked: then a successful answer to POST is what a GET
    /// would bring (RFC 9110 §8.7, §9.3.3).
    pub located: bool,
    /// Whether it asked for a part, so that a part is what was to come (§3.3).
    pub part: bool,
    /// Whether it carries Authorization.
    pub authorized: bool,
    /// Whether it carries a cookie. No rule of RFC 9111 speaks of it; what a cache may guess (§4.2.2) it need not.
    pub cookie: bool,
    /// Its directives.
    pub directives: RequestDirectives,
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
    policy: &Policy,
) -> Result<(), NotStored> {
    let explicit = freshness::is_explicit(headers, directives);
    let is_located = asked.method == Method::POST && asked.located && status.is_success();
    let as_get = asked.method == Method::GET || (is_located && explicit);
    if !as_get {
        return Err(NotStored::Method);
    }
    if asked.directives.no_store {
        return Err(NotStored::RequestNoStore);
    }
    if status.is_informational()
        || (status == StatusCode::PARTIAL_CONTENT && !asked.part)
        || status == StatusCode::NOT_MODIFIED
        || is_of_request(asked, status)
    {
        return Err(NotStored::Status);
    }
    // §5.2.2.3: with must-understand, an understood status code outweighs no-store; all we list are understood.
    if directives.must_understand && !freshness::is_heuristically_cacheable(status) {
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
    if asked.cookie && !explicit && !directives.public {
        return Err(NotStored::Cookie);
    }
    if policy.set_cookie == SetCookie::Refuse && headers.contains_key(header::SET_COOKIE) {
        return Err(NotStored::SetCookie);
    }
    if crate::vary::is_star(headers) {
        return Err(NotStored::VaryStar);
    }
    let may_be_asked_again =
        headers.contains_key(header::ETAG) || headers.contains_key(header::LAST_MODIFIED);
    let kept_as_error = freshness::is_error(status) && !policy.negative_ttl.is_zero();
    let without_a_word = directives.public || freshness::is_heuristically_cacheable(status);
    // RFC 6585 §4: a 429 is not kept, for however long it says that it holds.
    let is_kept = explicit || (without_a_word && (may_be_asked_again || kept_as_error));
    if is_kept && status != StatusCode::TOO_MANY_REQUESTS { Ok(()) } else { Err(NotStored::NoFreshness) }
}

/// Whether it answers how one question was put, and not what it names: with nothing of that in the key others would get it for theirs.
/// Of 428, 431 and 511 RFC 6585 forbids to keep them. A 400 may mean the URL, where nothing else was said; a
/// 403 or 501 the part that was asked for, where one was.
fn is_of_request(asked: &Asked<'_>, status: StatusCode) -> bool {
    match status.as_u16() {
        407 | 408 | 411 | 412 | 413 | 416 | 417 | 421 | 428 | 431 | 511 => true,
        400 => asked.part || asked.cookie || asked.authorized,
        403 | 501 => asked.part,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    /// A GET with nothing special about it.
    fn get() -> Asked<'static> {
        Asked {
            method: &Method::GET,
            located: false,
            part: false,
            authorized: false,
            cookie: false,
            directives: RequestDirectives::default(),
        }
    }

    fn decide(
        authorized: bool,
        status: u16,
        fields: &[(&'static str, &'static str)],
    ) -> Result<(), NotStored> {
        let mut headers = HeaderMap::new();
        for &(name, value) in fields {
            headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        let policy = Policy::default();
        let asked = Asked { authorized, ..get() };
        let directives = ResponseDirectives::targeted(&headers, &policy.targets);
        storable(&asked, StatusCode::from_u16(status).unwrap(), &headers, &directives, &policy)
    }

    /// Else one who asks for a part, or with too many cookies, has others told that their question is a bad one.
    #[test]
    fn a_bad_question_is_one_clients() {
        let (headers, policy) =
            (crate::fields::headers(&[("cache-control", "max-age=9")]), Policy::default());
        let directives = ResponseDirectives::targeted(&headers, &policy.targets);
        let part = Asked { part: true, ..get() };
        for (asked, status, answer) in [
            (part, 400, Err(NotStored::Status)),
            (Asked { cookie: true, ..get() }, 400, Err(NotStored::Status)),
            // As who has no ranges may say it, and who guards a server against them.
            (part, 501, Err(NotStored::Status)),
            (part, 403, Err(NotStored::Status)),
            (get(), 501, Ok(())),
            (get(), 403, Ok(())),
            // What is not there has no parts either.
            (part, 404, Ok(())),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            let judged = storable(&asked, status, &headers, &directives, &policy);
            assert_eq!(judged, answer, "{asked:?} {status}");
        }
    }

    #[test]
    fn by_section_3() {
        const HOUR: (&str, &str) = ("cache-control", "max-age=3600");
        for (authorized, status, fields, answer) in [
            (false, 200, &[HOUR][..], Ok(())),
            (false, 200, &[], Err(NotStored::NoFreshness)),
            (false, 200, &[("etag", "\"a\"")], Ok(())),
            (false, 302, &[("etag", "\"a\"")], Err(NotStored::NoFreshness)),
            // §5.2.2.9: public makes any status code cacheable.
            (false, 599, &[("cache-control", "public"), ("etag", "\"a\"")], Ok(())),
            // §4.2.2: what is not there may be kept without a word, a failing server's answer may not.
            (false, 404, &[], Ok(())),
            (false, 410, &[], Ok(())),
            (false, 503, &[("last-modified", "x")], Err(NotStored::NoFreshness)),
            (false, 302, &[HOUR], Ok(())),
            (false, 404, &[HOUR], Ok(())),
            (false, 206, &[HOUR], Err(NotStored::Status)),
            (false, 416, &[HOUR], Err(NotStored::Status)),
            (false, 412, &[HOUR], Err(NotStored::Status)),
            (false, 413, &[HOUR], Err(NotStored::Status)),
            (false, 421, &[HOUR], Err(NotStored::Status)),
            // RFC 6585 §3 to §6.
            (false, 428, &[HOUR], Err(NotStored::Status)),
            (false, 429, &[HOUR], Err(NotStored::NoFreshness)),
            (false, 431, &[HOUR], Err(NotStored::Status)),
            (false, 511, &[HOUR], Err(NotStored::Status)),
            (false, 400, &[HOUR], Ok(())),
            (true, 400, &[("cache-control", "public, max-age=9")], Err(NotStored::Status)),
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
            // RFC 9213 §2.2: a targeted field is the only one that counts, in both directions.
            (false, 200, &[("cache-control", "no-store"), ("cdn-cache-control", "max-age=9")], Ok(())),
            (false, 200, &[HOUR, ("cdn-cache-control", "no-store")], Err(NotStored::ResponseNoStore)),
            (false, 200, &[HOUR, ("cdn-cache-control", "private")], Err(NotStored::Private)),
            (false, 200, &[("expires", "0"), ("cdn-cache-control", "foo")], Err(NotStored::NoFreshness)),
            (
                false,
                200,
                &[("cache-control", "no-store"), ("cdn-cache-control", "max-age=\"9\"")],
                Err(NotStored::ResponseNoStore),
            ),
        ] {
            assert_eq!(decide(authorized, status, fields), answer, "{authorized} {status} {fields:?}");
        }
    }

    #[test]
    fn only_answers_to_get_and_to_posts_that_name_themselves() {
        // §3, RFC 9110 §9.3.3
        for (method, status, located, control, kept) in [
            (Method::GET, 200, false, "max-age=60", true),
            (Method::GET, 303, true, "max-age=60", true),
            (Method::HEAD, 200, false, "max-age=60", false),
            (Method::PUT, 200, true, "max-age=60", false),
            (Method::POST, 200, false, "max-age=60", false),
            (Method::POST, 200, true, "max-age=60", true),
            (Method::POST, 201, true, "max-age=60", true),
            (Method::POST, 200, true, "public", false),
            // RFC 9110 §8.7: it names what it is about, which is not itself.
            (Method::POST, 303, true, "max-age=60", false),
            (Method::POST, 404, true, "max-age=60", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(control));
            let directives = ResponseDirectives::read(&headers);
            let asked = Asked { method: &method, located, ..get() };
            let status = StatusCode::from_u16(status).unwrap();
            let stored = storable(&asked, status, &headers, &directives, &Policy::default());
            assert_eq!(stored == Ok(()), kept, "{method} {status} {located} {control}");
        }
    }

    #[test]
    fn cookies_are_the_operators_word() {
        // §7.3 and attack 43
        let mut headers = HeaderMap::new();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=60"));
        headers.insert(header::SET_COOKIE, HeaderValue::from_static("a=b"));
        let directives = ResponseDirectives::read(&headers);
        let asked = get();
        for (set_cookie, answer) in
            [(SetCookie::Refuse, Err(NotStored::SetCookie)), (SetCookie::Store, Ok(()))]
        {
            let policy = Policy { set_cookie, ..Policy::default() };
            assert_eq!(storable(&asked, StatusCode::OK, &headers, &directives, &policy), answer);
        }
    }

    #[test]
    fn nothing_is_guessed_of_what_was_asked_for_with_a_cookie() {
        // Attack 41, where the origin says nothing at all.
        for (fields, answer) in [
            (&[("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")][..], Err(NotStored::Cookie)),
            (&[("etag", "\"a\"")], Err(NotStored::Cookie)),
            (&[("etag", "\"a\""), ("cache-control", "public")], Ok(())),
            (&[("cache-control", "max-age=60")], Ok(())),
            (&[("expires", "0")], Ok(())),
            (&[], Err(NotStored::Cookie)),
        ] {
            let headers = crate::fields::headers(fields);
            let directives = ResponseDirectives::read(&headers);
            let asked = Asked { cookie: true, ..get() };
            let policy = Policy::default();
            for status in [StatusCode::OK, StatusCode::NOT_FOUND, StatusCode::NOT_IMPLEMENTED] {
                let judged = storable(&asked, status, &headers, &directives, &policy);
                assert_eq!(judged, answer, "{status} {fields:?}");
            }
        }
    }
}
