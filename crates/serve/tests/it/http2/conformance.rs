//! Attacks 33 and 34: the table of what RFC 9113 asks, before a server without an edge behind it.

use crate::server::Server;
use serve::LimitOptions;
use testkit::http2::{Wire, conformance};

#[test]
fn attack_34_every_row() {
    let server = Server::start(LimitOptions::default());
    let (failed, rows) = conformance::failures(&|| Wire::silent(server.address()));
    assert!(failed.is_empty(), "{} of {rows}: {failed:#?}", failed.len());
}

#[test]
fn attack_34_lawful_requests_are_answered() {
    let server = Server::start(LimitOptions::default());
    conformance::lawful_requests_are_answered(&|| Wire::silent(server.address()));
}

#[test]
fn attack_34_section_6_9_windows_are_kept_to_the_byte() {
    let server = Server::start(LimitOptions::default());
    conformance::windows_are_kept_to_the_byte(&|| Wire::silent(server.address()));
}
