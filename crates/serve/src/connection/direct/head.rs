//! The head of an answer (RFC 9112 §4, §5).

use crate::connection::Here;
use crate::ready::ReadyFields;
use http::{Response, StatusCode, header};
use http_body::Body;

/// Room for a head. One that is larger is hyper's; nearly all are a quarter of it.
pub(super) const ROOM: usize = 2 * 1_024;

/// A head that was written.
pub(super) struct Written {
    /// Bytes of it.
    pub(super) head: usize,
    /// Bytes of the body behind it.
    pub(super) body: u64,
}

/// Writes it to the beginning of `room`. `None`: the answer is one that hyper is to send.
pub(super) fn write<B: Body>(
    answer: &Response<B>,
    ready: Option<&ReadyFields>,
    here: &Here,
    room: &mut [u8; ROOM],
) -> Option<Written> {
    let line: &[u8] = match answer.status() {
        StatusCode::OK => b"HTTP/1.1 200 OK\r\n",
        StatusCode::PARTIAL_CONTENT => b"HTTP/1.1 206 Partial Content\r\n",
        StatusCode::NOT_MODIFIED => b"HTTP/1.1 304 Not Modified\r\n",
        _ => return None,
    };
    let body = answer.body().size_hint().exact()?;
    // What a 304 is about has a length, too; it has none itself.
    let mut has_length = answer.status() == StatusCode::NOT_MODIFIED && body == 0;
    let mut has_date = false;

    let mut left = Left(room);
    left.put(line)?;
    if let Some(ready) = ready {
        for text in ready.texts() {
            left.put(text)?;
        }
        if !has_length {
            left.put_field(header::CONTENT_LENGTH.as_str(), itoa::Buffer::new().format(body).as_bytes())?;
        }
        (has_length, has_date) = (true, ready.has_date());
    }
    for (name, value) in answer.headers() {
        match *name {
            header::DATE => has_date = true,
            header::CONTENT_LENGTH => {
                if has_length || value.to_str().ok()?.parse() != Ok(body) {
                    return None;
                }
                has_length = true;
            }
            // An origin's own alternatives are for the origin's clients.
            header::ALT_SVC if here.alternative.is_some() => continue,
            header::CONNECTION | header::TRANSFER_ENCODING | header::TRAILER | header::UPGRADE => {
                return None;
            }
            _ => {}
        }
        left.put_field(name.as_str(), value.as_bytes())?;
    }
    if let Some(alternative) = &here.alternative {
        left.put_field(header::ALT_SVC.as_str(), alternative.as_bytes())?;
    }
    left.put(b"\r\n")?;
    let head = ROOM - left.0.len();
    (has_length && has_date).then_some(Written { head, body })
}

/// What is left of a place. Asking a growing buffer for room four times a field costs more than the copies.
struct Left<'a>(&'a mut [u8]);

impl Left<'_> {
    fn put_field(&mut self, name: &str, value: &[u8]) -> Option<()> {
        self.put(name.as_bytes())?;
        self.put(b": ")?;
        self.put(value)?;
        self.put(b"\r\n")
    }

    #[inline]
    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let (here, rest) = std::mem::take(&mut self.0).split_at_mut_checked(bytes.len())?;
        here.copy_from_slice(bytes);
        self.0 = rest;
        Some(())
    }
}
