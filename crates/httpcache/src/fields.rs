//! Reading list-valued fields: every line of a field, split at commas that stand outside quotes.

use http::{HeaderMap, HeaderName};

/// The members of a comma-separated field over all of its lines (RFC 9110 §5.3, §5.6.1), white space trimmed,
/// empty members left out. A line that is not visible ASCII gives no members: nobody can have meant it.
pub fn members<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).flat_map(split)
}

/// One line's members.
pub fn split(line: &str) -> impl Iterator<Item = &str> {
    Members { rest: line }.map(|member| member.trim_matches([' ', '\t'])).filter(|member| !member.is_empty())
}

struct Members<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Members<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        let mut quoted = false;
        let mut escaped = false;
        for (at, byte) in self.rest.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' if quoted => escaped = true,
                b'"' => quoted = !quoted,
                b',' if !quoted => {
                    let member = &self.rest[..at];
                    self.rest = &self.rest[at + 1..];
                    return Some(member);
                }
                _ => {}
            }
        }
        Some(std::mem::take(&mut self.rest))
    }
}

/// Fields as a table of cases writes them.
#[cfg(test)]
pub(crate) fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let pair = |&(name, value)| (HeaderName::from_static(name), http::HeaderValue::from_static(value));
    let mut headers = HeaderMap::new();
    for (name, value) in fields.iter().map(pair) {
        headers.append(name, value);
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_inside_quotes_do_not_split() {
        let all: Vec<_> = split(r#" a , b="1, 2" ,, c="\"," "#).collect();
        assert_eq!(all, ["a", r#"b="1, 2""#, r#"c="\",""#]);
    }

    #[test]
    fn an_open_quote_swallows_the_rest() {
        let all: Vec<_> = split(r#"a, b="1, c"#).collect();
        assert_eq!(all, ["a", r#"b="1, c"#]);
    }
}
