//! The texts of an entry, copied into one place. Shared with the request instead, they would keep its header section, and with
//! it the connection's buffer, for as long as the writer takes: each request would need a new one.

use http::HeaderValue;

/// Room for the Content-Type of an answer, so that its coming moves nothing.
const ROOM: usize = 64;

/// What a request and its answer say, in this order: target, Host, Referer, User-Agent, Range; Content-Type. Empty where it is
/// not there or no text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    text: String,
    /// Where each but the last ends.
    ends: [usize; 5],
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
    /// Of a request for `target`, path and query.
    pub fn of(target: &str, fields: &Fields<'_>) -> Self {
        let words = [target, fields.host, text(fields.referer), text(fields.agent), text(fields.range)];
        let mut all = String::with_capacity(words.iter().map(|word| word.len()).sum::<usize>() + ROOM);
        let ends = words.map(|word| {
            all.push_str(word);
            all.len()
        });
        Self { text: all, ends }
    }

    /// The answer's Content-Type.
    pub fn answered_with(&mut self, content_type: Option<&HeaderValue>) {
        self.text.truncate(self.ends[4]);
        self.text.push_str(text(content_type));
    }

    /// Path and query.
    pub(crate) fn target(&self) -> &str {
        self.between(0, self.ends[0])
    }

    /// The path alone.
    pub(crate) fn path(&self) -> &str {
        let target = self.target();
        target.split_once('?').map_or(target, |(path, _)| path)
    }

    pub(crate) fn host(&self) -> &str {
        self.between(self.ends[0], self.ends[1])
    }

    pub(crate) fn referer(&self) -> &str {
        self.between(self.ends[1], self.ends[2])
    }

    pub(crate) fn agent(&self) -> &str {
        self.between(self.ends[2], self.ends[3])
    }

    pub(crate) fn range(&self) -> &str {
        self.between(self.ends[3], self.ends[4])
    }

    pub(crate) fn content_type(&self) -> &str {
        self.between(self.ends[4], self.text.len())
    }

    fn between(&self, from: usize, to: usize) -> &str {
        self.text.get(from..to).unwrap_or_default()
    }
}

/// A field's text; empty where it is none.
pub fn text(value: Option<&HeaderValue>) -> &str {
    value.and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_again() {
        let agent = HeaderValue::from_static("a browser");
        let (odd, video) = (HeaderValue::from_bytes(b"\xff").unwrap(), HeaderValue::from_static("video/mp4"));
        let fields = Fields { host: "h", referer: Some(&odd), agent: Some(&agent), range: None };
        let mut words = Words::of("/a?b=c", &fields);
        for content_type in [None, Some(&video), Some(&video)] {
            words.answered_with(content_type);
            assert_eq!(
                (words.target(), words.path(), words.host(), words.referer(), words.agent(), words.range()),
                ("/a?b=c", "/a", "h", "", "a browser", "")
            );
            assert_eq!(words.content_type(), text(content_type));
        }
        let nothing = Words::default();
        assert_eq!((nothing.path(), nothing.content_type()), ("", ""));
    }
}
