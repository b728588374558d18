//! Where an HTTP/1 message ends, judged strictly (RFC 9112 §2.2, §6, §7.1). Pure.
//!
//! Request smuggling needs two servers that disagree about the end of one message. hyper reads what RFC 9112 allows a
//! recipient to put up with: lines that end with a bare LF, Content-Length beside Transfer-Encoding, a list of codings
//! before `chunked`. The server behind us may read the same bytes in another way, so here a message has one way to be
//! written or is none. [`Messages`] follows the bytes of a connection before hyper gets them. It is no parser: names,
//! values and targets stay hyper's to judge.
//!
//! A header section costs one search for its line ends and two comparisons a line; the data of a body costs nothing.

mod chunked;
mod fault;
mod head;
mod messages;

pub use fault::{Fault, Violation};
pub use head::{is_target, trim};
pub use messages::{Bounds, Messages};
