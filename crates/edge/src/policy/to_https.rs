//! Who is sent on to HTTPS, on a listener that says so.

use crate::request::Asked;
use http::uri::Authority;
use http::{HeaderValue, Method};

/// The port that HTTPS has by itself (RFC 9110 §4.2.2).
const HTTPS: u16 = 443;

/// The same URL by HTTPS at `port`, for what people and their players ask; `None`: it is answered here.
///
/// Nodes that fill ask as they were told to (CDN-Loop, a word of the plan), and what pages send and must not get lost is taken as
/// it comes.
pub(crate) fn moved(asked: &Asked, port: u16) -> Option<HeaderValue> {
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    if !reads || asked.planned || asked.noted.cdn_loop {
        return None;
    }
    let authority: Authority = asked.host.parse().ok()?;
    let (host, path) = (authority.host(), asked.path_and_query());
    let url = match port {
        HTTPS => format!("https://{host}{path}"),
        port => format!("https://{host}:{port}{path}"),
    };
    HeaderValue::try_from(url).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;
    use tokio::time::Instant;

    fn to(method: &str, host: &str, path: &str, port: u16, field: Option<(&str, &str)>) -> Option<String> {
        let mut request = Request::builder().method(method).uri(path).header("host", host);
        if let Some((name, value)) = field {
            request = request.header(name, value);
        }
        let asked = Asked::read(request.body(()).unwrap().into_parts().0, Instant::now()).unwrap();
        moved(&asked, port).map(|to| to.to_str().unwrap().to_owned())
    }

    #[test]
    fn people_are_sent_to_the_same_url_by_https() {
        for (method, host, path, port, to_) in [
            ("GET", "a.example", "/lessons/1/", 443, "https://a.example/lessons/1/"),
            ("HEAD", "a.example:8080", "/?q=a%20b", 443, "https://a.example/?q=a%20b"),
            ("GET", "a.example:80", "/", 8443, "https://a.example:8443/"),
            ("GET", "[::1]:80", "/x", 443, "https://[::1]/x"),
        ] {
            assert_eq!(to(method, host, path, port, None).as_deref(), Some(to_), "{method} {host} {path}");
        }
    }

    #[test]
    fn nodes_and_what_pages_send_are_served_where_they_come() {
        assert_eq!(to("POST", "a", "/feedback", 443, None), None);
        assert_eq!(to("GET", "a", "/", 443, Some(("cdn-loop", "airclass;node=1"))), None);
    }
}
