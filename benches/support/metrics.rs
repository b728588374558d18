//! What a program of ours says of itself on its admin listener.

use anyhow::{Context, Result};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// The longest that an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// The body of what it answers to a GET of `path`.
pub(crate) fn ask(admin: SocketAddr, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(admin)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all(
        format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").as_bytes(),
    )?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    let (_, body) = text.split_once("\r\n\r\n").context("an answer has a body")?;
    Ok(body.to_owned())
}

/// A metric by its name and labels.
pub(crate) fn value(admin: SocketAddr, name: &str) -> Result<f64> {
    named(&ask(admin, "/metrics")?, name).with_context(|| format!("no metric {name}"))
}

/// All of a name together, whatever their labels; none of them is 0.
pub(crate) fn sum(admin: SocketAddr, name: &str) -> Result<f64> {
    Ok(summed(&ask(admin, "/metrics")?, name))
}

fn named(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.trim().parse().ok())
}

fn summed(text: &str, name: &str) -> f64 {
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix(' ')
            .or_else(|| rest.strip_prefix('{')?.rsplit_once("} ").map(|(_, value)| value))?;
        value.trim().parse::<f64>().ok()
    });
    values.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAID: &str = "# HELP a b\na 3\na_b 4\nc{x=\"1\"} 5\nc{x=\"2\"} 6\n";

    #[test]
    fn a_metric_is_named_with_its_labels_and_summed_without() {
        assert_eq!(named(SAID, "a"), Some(3.0));
        assert_eq!(named(SAID, "c{x=\"2\"}"), Some(6.0));
        assert_eq!(named(SAID, "c"), None);
        assert_eq!((summed(SAID, "a"), summed(SAID, "c"), summed(SAID, "none")), (3.0, 11.0, 0.0));
    }
}
