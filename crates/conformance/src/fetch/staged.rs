//! A package in the making.

use super::{Answer, Ask, Fetch, FetchError, cut};
use std::io;
use url::Url;

/// Objects that a function hands out by their path in the package: `s2/00017.m4s`.
#[derive(Debug, Clone, Copy)]
pub struct Staged<F>(pub F);

/// What stands before a path in a package that has no address yet.
const ROOT: &str = "package:///";

/// The address of an object of a staged package.
pub(crate) fn address(path: &str) -> Url {
    let root = Url::parse(ROOT).expect("the root is an address");
    root.join(path).unwrap_or(root)
}

impl<F: Fn(&str) -> io::Result<Vec<u8>> + Sync> Fetch for Staged<F> {
    fn get(&self, ask: &Ask<'_>) -> Result<Answer, FetchError> {
        let path = ask.url.path().trim_start_matches('/');
        let bytes = (self.0)(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FetchError::Missing("not in the package".to_owned()),
            _ => FetchError::Io(error),
        })?;
        cut(ask, bytes)
    }
}
