//! The head of an answer, as far as a load cares.

use anyhow::{Context, Result, ensure};

/// An answer's status, length and where its body begins.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) content_length: usize,
    /// Bytes of the head, the empty line included.
    pub(crate) length: usize,
    /// The field section, for whoever wants one of the fields.
    fields: String,
}

/// A head longer than this is none.
const MOST: usize = 8_192;

impl Head {
    /// Reads a head from the beginning of `bytes`; `None` while it is not all there.
    ///
    /// # Errors
    /// What is no HTTP/1.1, or has no length.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            ensure!(bytes.len() < MOST, "the answer's head is longer than {MOST} bytes");
            return Ok(None);
        };
        let text = std::str::from_utf8(&bytes[..end]).context("the answer's head is no text")?;
        let (line, fields) = text.split_once("\r\n").unwrap_or((text, ""));
        let status = line.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)?.parse().ok());
        let mut head = Self {
            status: status.with_context(|| format!("`{line}` is no status line"))?,
            content_length: 0,
            length: end + 4,
            fields: fields.to_owned(),
        };
        let length = head.field("content-length").context("the answer states no length")?;
        head.content_length = length.parse().context("the answer's length is no number")?;
        Ok(Some(head))
    }

    /// The first field of that name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.split("\r\n").find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_is_read_once_it_is_whole() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\ncache-status: airclass; hit\r\n\r\nbody";
        assert_eq!(Head::parse(&text[..40]).unwrap(), None);
        let head = Head::parse(text).unwrap().unwrap();
        assert_eq!((head.status, head.content_length, head.length), (200, 12, text.len() - 4));
        assert_eq!(head.field("Cache-Status"), Some("airclass; hit"));
        assert_eq!(head.field("age"), None);
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for text in [
            "SSH-2.0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nserver: x\r\n\r\n",
            "HTTP/1.1 2\r\ncontent-length: 1\r\n\r\n",
        ] {
            assert!(Head::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Head::parse(&[b'x'; MOST]).is_err());
    }
}
