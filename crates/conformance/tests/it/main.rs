//! The gate on a package of known goodness, on planted defects, and over HTTP.

#![expect(clippy::unwrap_used, reason = "a helper that cannot go on fails the test that called it")]

mod bytes;
mod defects;
mod good;
mod over_http;
mod server;
