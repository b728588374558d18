//! The texts of an entry, copied into one place. Shared with the request instead, they would keep its header section, and with
//! it the connection's buffer, for as long as the writer takes: each request would need a new one.

use http::{HeaderValue, Method};

/// Room for the Content-Type of an answer, so that its coming moves nothing.
const ROOM: usize = 64;
/// How many words an answer has.
const WORDS: usize = 8;

/// Where each word ends in their text.
pub(crate) type Ends = [u32; WORDS];

/// What a request and its answer say, in this order: method, path, query with its question mark, Host, Referer, User-Agent, Range;
/// Content-Type. Empty where it is not there or no text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Words<T = String> {
    pub(crate) text: T,
    pub(crate) ends: Ends,
}

/// A request's fields.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fields<'a> {
    /// Host, or what HTTP/2 has in its place.
    pub host: &'a str,
    /// Referer.
    pub referer: Option<&'a HeaderValue>,
    /// User-Agent.
    pub agent: Option<&'a HeaderValue>,
    /// Range.
    pub range: Option<&'a HeaderValue>,
}

impl Words {
    /// Begins anew, with a request for `target`, path and query.
    pub fn asked(&mut self, method: &Method, target: &str, fields: &Fields<'_>) {
        let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
        let words = [
            method.as_str(),
            path,
            query,
            fields.host,
            text(fields.referer),
            text(fields.agent),
            text(fields.range),
        ];
        self.text.clear();
        self.text.reserve(words.iter().map(|word| word.len()).sum::<usize>() + ROOM);
        for (end, word) in self.ends.iter_mut().zip(words) {
            self.text.push_str(word);
            *end = end_of(&self.text);
        }
        self.ends[WORDS - 1] = self.ends[WORDS - 2];
    }

    /// The answer's Content-Type.
    pub fn answered_with(&mut self, content_type: Option<&HeaderValue>) {
        self.text.truncate(place(self.ends[WORDS - 2]));
        self.text.push_str(text(content_type));
        self.ends[WORDS - 1] = end_of(&self.text);
    }
}

impl<T: AsRef<str>> Words<T> {
    pub(crate) fn method(&self) -> &str {
        self.between(0, self.ends[0])
    }

    /// The path alone.
    pub(crate) fn path(&self) -> &str {
        self.between(self.ends[0], self.ends[1])
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.between(self.ends[0], self.ends[2])
    }

    pub(crate) fn host(&self) -> &str {
        self.between(self.ends[2], self.ends[3])
    }

    pub(crate) fn referer(&self) -> &str {
        self.between(self.ends[3], self.ends[4])
    }

    pub(crate) fn agent(&self) -> &str {
        self.between(self.ends[4], self.ends[5])
    }

    pub(crate) fn range(&self) -> &str {
        self.between(self.ends[5], self.ends[6])
    }

    pub(crate) fn content_type(&self) -> &str {
        self.between(self.ends[6], self.ends[7])
    }

    fn between(&self, from: u32, to: u32) -> &str {
        self.text.as_ref().get(place(from)..place(to)).unwrap_or_default()
    }
}

/// Where `text` ends. Heads of requests are far from 4 GiB; behind them nothing would be found.
fn end_of(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

/// An end as a place in memory.
pub(crate) fn place(end: u32) -> usize {
    usize::try_from(end).unwrap_or(usize::MAX)
}

/// A field's text; empty where it is none.
pub fn text(value: Option<&HeaderValue>) -> &str {
    // As `HeaderValue::to_str`, which looks at each byte by itself: what else is no text cannot be in a value.
    let ascii = value.map(HeaderValue::as_bytes).filter(|bytes| bytes.is_ascii());
    ascii.and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_again() {
        let agent = HeaderValue::from_static("a browser");
        let (odd, video) = (HeaderValue::from_bytes(b"\xff").unwrap(), HeaderValue::from_static("video/mp4"));
        let fields = Fields { host: "h", referer: Some(&odd), agent: Some(&agent), range: None };
        let mut words = Words::default();
        words.asked(&Method::GET, "/longer/than/the/next", &Fields { host: "example", ..fields });
        words.answered_with(Some(&video));
        words.asked(&Method::HEAD, "/a?b=c?", &fields);
        assert_eq!(words.content_type(), "");
        for content_type in [None, Some(&video), Some(&video), None] {
            words.answered_with(content_type);
            assert_eq!(
                (words.method(), words.target(), words.path(), words.host(), words.referer(), words.agent()),
                ("HEAD", "/a?b=c?", "/a", "h", "", "a browser")
            );
            assert_eq!((words.range(), words.content_type()), ("", text(content_type)));
        }
        let nothing = Words::<String>::default();
        assert_eq!((nothing.path(), nothing.content_type()), ("", ""));
    }

    #[test]
    fn a_field_is_text_where_http_says_so() {
        for byte in 0..=u8::MAX {
            let Ok(value) = HeaderValue::from_bytes(&[b'a', byte]) else { continue };
            assert_eq!(text(Some(&value)), value.to_str().unwrap_or_default(), "{byte}");
        }
    }
}
