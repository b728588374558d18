//! HTTP/2 by hand: what the protocol asks of a server, and what a server must not put up with.

mod abuse;
mod answers;
mod conformance;
