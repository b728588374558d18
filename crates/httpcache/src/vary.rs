//! Which requests a stored response answers (RFC 9111 §4.1).

use crate::accept_encoding::{self, Coding};
use crate::{accept_language, fields};
use http::{HeaderMap, HeaderName, header};
use std::fmt::Write as _;

/// Field names a Vary may have; one with more is treated as `*`. A bound on what a hostile origin can make us hash.
pub const MAX_NAMES: usize = 8;

/// The request fields that a response depends on, in lower case, sorted, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VaryNames(Vec<HeaderName>);

/// Whether the response depends on things that no cache can see.
pub fn is_star(headers: &HeaderMap) -> bool {
    names(headers).is_none()
}

/// What the response depends on. `None` for `*`, for a name that is no field name, and beyond [`MAX_NAMES`].
pub fn names(headers: &HeaderMap) -> Option<VaryNames> {
    let mut names = Vec::new();
    for member in fields::octets(headers, &header::VARY) {
        if member == b"*" {
            return None;
        }
        names.push(HeaderName::try_from(member).ok()?);
    }
    names.sort_unstable_by(|a, b| a.as_str().cmp(b.as_str()));
    names.dedup();
    (names.len() <= MAX_NAMES).then_some(VaryNames(names))
}

impl VaryNames {
    /// Whether the response is the same for every request.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same without those that `is_unknown`: the origin is not told of them, so nothing can differ by them.
    #[must_use]
    pub fn without(mut self, is_unknown: impl Fn(&HeaderName) -> bool) -> Self {
        self.0.retain(|name| !is_unknown(name));
        self
    }

    /// The request's values of these fields as one text: equal texts, same response. Lines of a field are joined and white
    /// space around commas folded (§4.1 allows both); absent and empty differ, and so does everything else, since the origin sees what
    /// the client has sent. Two fields are known better. Accept-Encoding counts as what it comes to and is sent as, gzip or plain: the
    /// orders and weights of a hundred browsers would make a hundred variants. Accept-Language counts without case and the order of
    /// equals.
    pub fn secondary_key(&self, request: &HeaderMap) -> String {
        self.key(request, None)
    }

    /// The key of the variant in the client's own language, where the response varies by language and the client has one
    /// that it prefers to all others: a variant in it answers the client, however the languages behind it are listed.
    pub fn own_language_key(&self, request: &HeaderMap) -> Option<String> {
        let language = self.by_language().then(|| accept_language::first_choice(request)).flatten()?;
        Some(self.key(request, Some(&language)))
    }

    /// The key by which [`Self::own_language_key`] finds a response to `request`: the one of its Content-Language.
    /// `None` when it does not vary by language, or is not in exactly one.
    pub fn written_language_key(&self, request: &HeaderMap, response: &HeaderMap) -> Option<String> {
        let mut languages = fields::members(response, &header::CONTENT_LANGUAGE);
        let language = languages.next().filter(|_| self.by_language())?;
        if languages.next().is_some() {
            return None;
        }
        Some(self.key(request, Some(&language.to_ascii_lowercase())))
    }

    fn by_language(&self) -> bool {
        self.0.contains(&header::ACCEPT_LANGUAGE)
    }

    fn key(&self, request: &HeaderMap, language: Option<&str>) -> String {
        let mut key = String::new();
        for name in &self.0 {
            if name == header::ACCEPT_ENCODING {
                key.push_str(if accept_encoding::choose(request) == Coding::Gzip {
                    "gzip;"
                } else {
                    "plain;"
                });
                continue;
            }
            if name == header::ACCEPT_LANGUAGE {
                // A language that a response is in is marked, so that it is not taken for one that is asked for.
                let ranked = || accept_language::ranked(request);
                let written = match (language, language.is_none().then(ranked).flatten()) {
                    (Some(language), _) => write!(key, "={}:{language};", language.len()),
                    (None, Some(ranked)) => write!(key, "{ranked:?};"),
                    // Whoever reads it more loosely than we do makes something else of it.
                    (None, None) => {
                        let value = joined(request, name);
                        write!(key, "?{}:{value};", value.len())
                    }
                };
                written.expect("writing to a String does not fail");
                continue;
            }
            // Lengths in front, so that no value can pretend to be the next field.
            match request.contains_key(name) {
                false => key.push('-'),
                true => {
                    let value = joined(request, name);
                    write!(key, "{}:{value}", value.len()).expect("writing to a String does not fail");
                }
            }
            key.push(';');
        }
        key
    }
}

/// The lines of a field as one (RFC 9110 §5.3), without the white space around commas.
fn joined(request: &HeaderMap, name: &HeaderName) -> String {
    let mut joined = String::new();
    let lines = request.get_all(name).iter();
    for (at, piece) in lines.flat_map(|line| fields::pieces(line.as_bytes())).enumerate() {
        if at > 0 {
            joined.push(',');
        }
        match std::str::from_utf8(piece) {
            Ok(text) => joined.push_str(text),
            // Bytes that are no text are compared as their escapes, marked by what no value has in it: they are not the text that is
            // written as they are escaped.
            Err(_) => {
                write!(joined, "\0{}", piece.escape_ascii()).expect("writing to a String does not fail");
            }
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::headers;
    use http::HeaderValue;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn order_and_case_of_names_do_not_matter() {
        let one = names(&headers(&[("vary", "Accept-Encoding, accept")])).unwrap();
        let other = names(&headers(&[("vary", "ACCEPT"), ("vary", "accept-encoding")])).unwrap();
        assert_eq!(one, other);
    }

    #[test]
    fn star_and_nonsense_and_too_many_are_the_same() {
        for vary in ["*", "accept, *", "a b", "a,b,c,d,e,f,g,h,i"] {
            assert!(is_star(&headers(&[("vary", vary)])), "{vary}");
        }
        assert!(!is_star(&headers(&[])));
        let mut unreadable = HeaderMap::new();
        unreadable.insert("vary", HeaderValue::from_bytes("cookie, \u{dc}nicode".as_bytes()).unwrap());
        assert!(is_star(&unreadable));
    }

    #[test]
    fn values_cannot_run_into_each_other() {
        let vary = names(&headers(&[("vary", "a, b")])).unwrap();
        let one = vary.secondary_key(&headers(&[("a", "1;1:2"), ("b", "3")]));
        let other = vary.secondary_key(&headers(&[("a", "1"), ("b", "2;1:3")]));
        assert_ne!(one, other);
        assert_ne!(vary.secondary_key(&headers(&[("a", "")])), vary.secondary_key(&headers(&[])));
        // A list of languages that cannot be read.
        let vary = names(&headers(&[("vary", "accept-language, b")])).unwrap();
        let one = vary.secondary_key(&headers(&[("accept-language", "en;q=9"), ("b", "x;-")]));
        let other = vary.secondary_key(&headers(&[("accept-language", "en;q=9;3:x")]));
        assert_ne!(one, other);
    }

    #[test]
    fn bytes_that_are_no_text_are_not_the_text_of_their_escape() {
        let vary = names(&headers(&[("vary", "a")])).unwrap();
        let mut bytes = HeaderMap::new();
        bytes.insert("a", HeaderValue::from_bytes(b"\xff").unwrap());
        assert_ne!(vary.secondary_key(&bytes), vary.secondary_key(&headers(&[("a", r"\xff")])));
    }

    #[test]
    fn an_empty_line_is_an_empty_piece() {
        let vary = names(&headers(&[("vary", "a")])).unwrap();
        let key = |fields: &[(&'static str, &'static str)]| vary.secondary_key(&headers(fields));
        assert_eq!(key(&[("a", ""), ("a", "2")]), key(&[("a", ", 2")]));
        assert_ne!(key(&[("a", ""), ("a", "2")]), key(&[("a", "2")]));
        assert_ne!(key(&[("a", ""), ("a", "")]), key(&[("a", "")]));
        assert_ne!(key(&[("a", "\"1,")]), key(&[("a", "\"1"), ("a", ""), ("a", "")]));
    }

    #[test]
    fn encodings_make_two_variants_however_they_are_asked_for() {
        let vary = names(&headers(&[("vary", "accept-encoding")])).unwrap();
        let key = |value| vary.secondary_key(&headers(&[("accept-encoding", value)]));
        assert_eq!(key("gzip, br"), key("br;q=0.1, deflate, gzip;q=1"));
        assert_ne!(key("gzip"), key("br"));
        assert_eq!(key("br"), vary.secondary_key(&headers(&[])));
    }

    #[test]
    fn languages_are_told_apart_by_what_is_asked_or_by_what_is_written() {
        // RFC 9111 §4.1, RFC 9110 §12.5.4
        let vary = names(&headers(&[("vary", "accept-language, foo")])).unwrap();
        let asked = |value| headers(&[("accept-language", value), ("foo", "1")]);
        assert_eq!(vary.secondary_key(&asked("en, de")), vary.secondary_key(&asked(" dE ,  En")));
        assert_ne!(vary.secondary_key(&asked("en, de")), vary.secondary_key(&asked("en, de;q=0.5")));
        let german = headers(&[("content-language", "de")]);
        let written = vary.written_language_key(&asked("en, de"), &german).unwrap();
        assert_eq!(vary.own_language_key(&asked("fr;q=0.5, de;q=1.0")), Some(written));
        assert_eq!(vary.own_language_key(&asked("en, de")), None);
        assert_eq!(
            vary.written_language_key(&asked("de"), &headers(&[("content-language", "de, en")])),
            None
        );
        assert_eq!(names(&headers(&[("vary", "foo")])).unwrap().own_language_key(&asked("de")), None);
    }

    #[test]
    fn lines_are_joined_and_nothing_is_made_equal_that_an_origin_may_tell_apart() {
        let vary = names(&headers(&[("vary", "a, accept-language")])).unwrap();
        let key = |fields: &[(&'static str, &'static str)]| vary.secondary_key(&headers(fields));
        assert_eq!(key(&[("a", "1, 2"), ("a", " 3")]), key(&[("a", "1, 2, 3 ")]));
        assert_eq!(key(&[("a", "1,2")]), key(&[("a", "1 , 2")]));
        for other in [",2,", ",2", "2 ,", "1,2", "1 2", "\"2\""] {
            assert_ne!(key(&[("a", "2")]), key(&[("a", other)]), "{other}");
        }
        // What we pass over is sent all the same.
        assert_ne!(key(&[("accept-language", "en")]), key(&[("accept-language", "en, xx;q=9")]));
    }

    /// Lines of two fields, made of what keys are made of.
    fn request() -> impl Strategy<Value = HeaderMap> {
        let word = prop::sample::select(vec![
            &b""[..],
            b"a",
            b",",
            b" ",
            b"\"",
            b";",
            b"-",
            b":",
            b"1:",
            b"3:x",
            b"en;q=9",
            b"\xff",
            b"\\xff",
        ]);
        let line = prop::collection::vec(word, 0..4).prop_map(|words| words.concat());
        let name = prop::sample::select(vec!["accept-language", "b"]);
        prop::collection::vec((name, line), 0..4).prop_map(|lines| {
            let value = |line: &[u8]| HeaderValue::from_bytes(line).expect("no control character");
            let mut headers = HeaderMap::new();
            for (name, line) in &lines {
                headers.append(*name, value(line));
            }
            headers
        })
    }

    proptest! {
        #[test]
        fn requests_of_one_key_differ_in_space_around_commas_alone(
            requests in prop::collection::vec(request(), 100),
        ) {
            let vary = names(&headers(&[("vary", "accept-language, b")])).unwrap();
            let mut known: HashMap<String, Option<Vec<Vec<u8>>>> = HashMap::new();
            for request in requests {
                // Joined as any recipient may (RFC 9110 §5.3).
                let lines: Vec<_> = request.get_all("b").iter().map(HeaderValue::as_bytes).collect();
                let joined = lines.join(&b","[..]);
                let pieces = joined.split(|byte| *byte == b',').map(|piece| fields::trimmed(piece).to_vec());
                let said = (!lines.is_empty()).then(|| pieces.collect());
                let key = vary.secondary_key(&request);
                prop_assert_eq!(known.entry(key).or_insert_with(|| said.clone()), &said);
            }
        }
    }
}
