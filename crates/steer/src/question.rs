//! What is asked, out of path and query.

use fleet::NodeName;
use http::Uri;
use std::net::IpAddr;

/// In which form an answer is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A content steering manifest.
    Manifest,
    /// A list for an app.
    List,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) form: Form,
    /// For somebody at this address.
    pub(crate) ip: Option<IpAddr>,
    /// Who plays there.
    pub(crate) at: Option<NodeName>,
}

/// Why it is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoQuestion {
    /// Nothing is at this path.
    Path,
    /// `ip` is no address.
    Ip,
}

impl Question {
    /// Reads one. What the query says besides is for others; a node that is not known is none.
    pub(crate) fn parse(uri: &Uri) -> Result<Self, NoQuestion> {
        let form = match uri.path() {
            "/steering.json" => Form::Manifest,
            "/v1/nodes" => Form::List,
            _ => return Err(NoQuestion::Path),
        };
        let mut question = Self { form, ip: None, at: None };
        for pair in uri.query().unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("ip", ip)) => question.ip = Some(unescaped(ip).parse().map_err(|_| NoQuestion::Ip)?),
                // A pathway is a quoted string (RFC 8216bis §7.1), its quotes escaped or not.
                Some(("at" | "_HLS_pathway", at)) => {
                    let label = unescaped(at);
                    question.at = label.trim_matches('"').replace('.', "/").parse().ok();
                }
                _ => {}
            }
        }
        Ok(question)
    }
}

/// The few escapes that names and addresses have.
fn unescaped(text: &str) -> String {
    [("%22", "\""), ("%3A", ":"), ("%3a", ":"), ("%2F", "/"), ("%2f", "/")]
        .iter()
        .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_question() {
        let ask = |text: &str| Question::parse(&text.parse().unwrap());
        let node: NodeName = "hubei/dianxin/acme/wuhan-1/3".parse().unwrap();
        for (text, form, ip, at) in [
            ("/steering.json", Form::Manifest, None, None),
            (
                "/steering.json?_HLS_pathway=%22hubei.dianxin.acme.wuhan-1.3%22&_HLS_throughput=5140000",
                Form::Manifest,
                None,
                Some(node.clone()),
            ),
            ("/steering.json?_HLS_pathway=%22.%22", Form::Manifest, None, None),
            (
                "/v1/nodes?ip=192.0.2.7&at=hubei/dianxin/acme/wuhan-1/3",
                Form::List,
                Some("192.0.2.7"),
                Some(node),
            ),
            ("/v1/nodes?ip=2001%3Adb8%3A%3A1", Form::List, Some("2001:db8::1"), None),
        ] {
            let question = ask(text).unwrap();
            assert_eq!(
                (question.form, question.ip, question.at),
                (form, ip.map(|ip| ip.parse().unwrap()), at),
                "{text}"
            );
        }
        assert_eq!(ask("/p/x"), Err(NoQuestion::Path));
        assert_eq!(ask("/v1/nodes?ip=nobody"), Err(NoQuestion::Ip));
    }
}
