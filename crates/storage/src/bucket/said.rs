//! What a server said, in a line that a person can use.

use http::StatusCode;
use object_store::Error;
use std::error::Error as _;
use std::io;

/// The longest text taken from a server's answer, in characters.
const MAX_TEXT: usize = 200;

/// The innermost cause, and of an answer in XML its code and message.
pub(crate) fn said(error: &Error) -> String {
    let text = innermost(error);
    let status = text.split_once("status code: ").map(|(_, rest)| rest.split(": <").next().unwrap_or(rest));
    let told = match (element(&text, "Code"), element(&text, "Message")) {
        (Some(code), Some(message)) => format!("{code} ({message})"),
        (Some(code), None) => code.to_owned(),
        (None, _) => status.unwrap_or(&text).trim_end_matches([':', ' ']).to_owned(),
    };
    told.chars().map(|c| if c.is_control() { ' ' } else { c }).take(MAX_TEXT).collect()
}

/// The status of the answer, when there was one.
pub(crate) fn status(error: &Error) -> Option<StatusCode> {
    let text = innermost(error);
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// The same as the system would say it, kept because its kind decides what to do.
pub(crate) fn io_error(error: &Error) -> io::Error {
    if let Some(io) = cause(error) {
        return io::Error::new(io.kind(), io.to_string());
    }
    let kind = match status(error) {
        Some(StatusCode::NOT_FOUND) => io::ErrorKind::NotFound,
        Some(StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => io::ErrorKind::PermissionDenied,
        // RFC 4918 §11.5, which own servers send for a full disk.
        Some(StatusCode::INSUFFICIENT_STORAGE) => io::ErrorKind::StorageFull,
        _ if element(&innermost(error), "Code").is_some_and(|code| code.contains("Quota")) => {
            io::ErrorKind::QuotaExceeded
        }
        _ => io::ErrorKind::Other,
    };
    io::Error::new(kind, said(error))
}

fn cause(error: &Error) -> Option<&io::Error> {
    let mut cause = error.source();
    while let Some(current) = cause {
        if let Some(io) = current.downcast_ref() {
            return Some(io);
        }
        cause = current.source();
    }
    None
}

fn innermost(error: &Error) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(next) = last.source() {
        last = next;
    }
    last.to_string()
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (value, _) = rest.split_once("</")?;
    (!value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> Error {
        Error::Generic { store: "S3", source: text.into() }
    }

    #[test]
    fn an_answer_becomes_a_line() {
        let xml = "Server returned non-2xx status code: 404 Not Found: <?xml version=\"1.0\"?>\n<Error>\
                   <Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>";
        for (text, expected, code) in [
            (xml, "NoSuchBucket (The specified bucket does not exist)", Some(404)),
            ("Server returned non-2xx status code: 403 Forbidden: ", "403 Forbidden", Some(403)),
            ("something\nelse", "something else", None),
        ] {
            let error = error(text);
            assert_eq!(said(&error), expected);
            assert_eq!(status(&error).map(|status| status.as_u16()), code);
        }
    }

    #[test]
    fn its_kind_tells_what_to_do() {
        for (text, kind) in [
            ("status code: 507 Insufficient Storage: ", io::ErrorKind::StorageFull),
            ("status code: 400 Bad Request: <Code>QuotaExceeded</Code>", io::ErrorKind::QuotaExceeded),
            ("status code: 403 Forbidden: ", io::ErrorKind::PermissionDenied),
            ("status code: 500 Internal Server Error: ", io::ErrorKind::Other),
        ] {
            assert_eq!(io_error(&error(text)).kind(), kind, "{text}");
        }
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let error = Error::Generic { store: "S3", source: Box::new(refused) };
        assert_eq!(io_error(&error).kind(), io::ErrorKind::ConnectionRefused);
    }
}
