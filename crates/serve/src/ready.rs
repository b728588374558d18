//! The head of an answer from something stored, where it goes out by HTTP/1.1 as it was written: what is the same each time is
//! written once, and what is not behind it. To copy a map of fields and then write it was a seventh of what a small hit costs in
//! instructions.

use http::{HeaderMap, HeaderName, HeaderValue, header};
use std::sync::Arc;

/// Room for the fields of one answer.
const OWN: usize = 192;
/// The longest of those that last; nearly all are a quarter of it.
const MOST: usize = 1_536;
/// The most of either kind.
const MOST_FIELDS: usize = 64;

/// Fields that every answer from one stored response has, as they go over the wire (RFC 9112 §5).
#[derive(Debug)]
pub struct LastingFields {
    text: Box<[u8]>,
    has_date: bool,
    content_type: Option<HeaderValue>,
}

impl LastingFields {
    /// All of `fields` but Content-Length, which each answer has of its own. `None` where one of them is the connection's to say
    /// (RFC 9110 §7.6.1, RFC 7838 §3), or they are very long.
    pub fn of(fields: &HeaderMap) -> Option<Self> {
        let connections = [
            header::ALT_SVC,
            header::CONNECTION,
            header::TRANSFER_ENCODING,
            header::TRAILER,
            header::UPGRADE,
        ];
        if fields.len() > MOST_FIELDS || connections.iter().any(|name| fields.contains_key(name)) {
            return None;
        }
        let mut text = Vec::new();
        for (name, value) in fields.iter().filter(|(name, _)| **name != header::CONTENT_LENGTH) {
            text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        (text.len() <= MOST).then(|| Self {
            text: text.into(),
            has_date: fields.contains_key(header::DATE),
            content_type: fields.get(header::CONTENT_TYPE).cloned(),
        })
    }
}

/// Those, and behind them what one answer says.
#[derive(Debug)]
pub struct ReadyFields {
    lasting: Arc<LastingFields>,
    own: String,
}

impl ReadyFields {
    /// Of an answer that says no more yet.
    pub fn new(lasting: Arc<LastingFields>) -> Self {
        Self { lasting, own: String::with_capacity(OWN) }
    }

    /// Says one more. What is written is a field's value: a number, a token, our own words.
    pub fn say(&mut self, name: &HeaderName, write: impl FnOnce(&mut String)) {
        self.own.push_str(name.as_str());
        self.own.push_str(": ");
        let before = self.own.len();
        write(&mut self.own);
        debug_assert!(!self.own[before..].contains(['\r', '\n']), "{name} is no field's value");
        self.own.push_str("\r\n");
    }

    /// The lasting one's.
    pub fn content_type(&self) -> Option<&HeaderValue> {
        self.lasting.content_type.as_ref()
    }

    /// Whether there is a Date among them, which every answer has (RFC 9110 §6.6.1).
    pub(crate) fn has_date(&self) -> bool {
        self.lasting.has_date
    }

    /// As they are sent.
    pub(crate) fn texts(&self) -> [&[u8]; 2] {
        [&self.lasting.text, self.own.as_bytes()]
    }

    /// As a map, for an answer that is to go another way after all.
    pub fn to_map(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        for text in self.texts() {
            let text = [text, b"\r\n"].concat();
            let mut room = [httparse::EMPTY_HEADER; MOST_FIELDS];
            // They were fields before they were written.
            let Ok(httparse::Status::Complete((_, lines))) = httparse::parse_headers(&text, &mut room) else {
                continue;
            };
            for line in lines {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::from_bytes(line.name.as_bytes()), HeaderValue::from_bytes(line.value))
                {
                    fields.append(name, value);
                }
            }
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let field = |&(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value));
        fields.iter().map(field).collect()
    }

    #[test]
    fn an_answer_that_goes_another_way_says_the_same() {
        let said =
            [("date", "Mon, 30 Nov 2026 00:00:00 GMT"), ("content-type", "video/mp4"), ("x-empty", "")];
        let mut fields = map(&said);
        fields.append("x-a", HeaderValue::from_bytes(b"caf\xe9").unwrap());
        fields.append("x-a", HeaderValue::from_static("b"));
        let mut with_length = fields.clone();
        with_length.insert(header::CONTENT_LENGTH, HeaderValue::from(7));
        let mut ready = ReadyFields::new(Arc::new(LastingFields::of(&with_length).unwrap()));
        ready.say(&header::AGE, |text| text.push('5'));
        fields.insert(header::AGE, HeaderValue::from_static("5"));
        assert_eq!(ready.to_map(), fields);
        assert_eq!((ready.content_type(), ready.has_date()), (fields.get(header::CONTENT_TYPE), true));
    }

    #[test]
    fn what_is_the_connections_to_say_or_very_long_is_not_ready() {
        for name in ["alt-svc", "connection", "transfer-encoding", "trailer", "upgrade"] {
            assert!(LastingFields::of(&map(&[(name, "x")])).is_none(), "{name}");
        }
        let mut long = map(&[("etag", "\"a\"")]);
        long.insert("x-long", HeaderValue::from_str(&"x".repeat(MOST)).unwrap());
        assert!(LastingFields::of(&long).is_none());
        let many: HeaderMap = (0..=MOST_FIELDS)
            .map(|n| (HeaderName::try_from(format!("x{n}")).unwrap(), HeaderValue::from_static("")))
            .collect();
        assert!(LastingFields::of(&many).is_none());
    }
}
