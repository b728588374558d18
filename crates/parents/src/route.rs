//! Which group of servers answers for a host and a path.

use std::net::Ipv6Addr;

/// Which hosts a rule is for. Names are lower case and carry no port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// Every one.
    Any,
    /// This one.
    Exactly(String),
    /// Every name below this one (`*.school.example`), not the name itself.
    Below(String),
}

impl Hosts {
    /// Reads `lessons.example`, `*.school.example` or `*`; letters may be of either case.
    ///
    /// # Errors
    /// What is wrong with it, to stand behind the option's name.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.to_ascii_lowercase();
        if text == "*" {
            return Ok(Self::Any);
        }
        let (name, below) = match text.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (text.as_str(), false),
        };
        // The root's dot is off the hosts that are asked for.
        let name = name.strip_suffix('.').unwrap_or(name);
        if let Some(address) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'))
            && let Ok(address) = address.parse::<Ipv6Addr>()
            && !below
        {
            // As clients write it, whatever was typed there.
            return Ok(Self::Exactly(format!("[{address}]")));
        }
        if !name.split('.').all(is_label) {
            let advice = if text.parse::<Ipv6Addr>().is_ok() {
                format!("is to be written as \"[{text}]\"")
            } else if !text.is_ascii() {
                "is to be written as clients ask for it, by \"xn--\" (Punycode)".to_owned()
            } else {
                "is no host name; give for example \"lessons.example\" or \"*.school.example\", without a port"
                    .to_owned()
            };
            return Err(format!("names {text:?}, which {advice}"));
        }
        Ok(if below { Self::Below(name.to_owned()) } else { Self::Exactly(name.to_owned()) })
    }

    fn includes(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(name) => name == host,
            Self::Below(name) => {
                host.strip_suffix(name.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
        }
    }

    /// The narrower, the larger.
    fn narrowness(&self) -> (u8, usize) {
        match self {
            Self::Any => (0, 0),
            Self::Below(name) => (1, name.len()),
            Self::Exactly(_) => (2, 0),
        }
    }
}

/// Whether it may stand between two dots of a host that is asked for.
fn is_label(label: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !label.is_empty() && label.bytes().all(is_part)
}

/// Requests for these hosts below this path are this group's.
#[derive(Debug, Clone)]
pub struct Rule {
    /// For which hosts.
    pub hosts: Hosts,
    /// Below which path: `/` is everything, `/live` is `/live` and `/live/…` but not `/lively`.
    pub prefix: String,
    /// The group's place in the configuration.
    pub group: usize,
}

impl Rule {
    fn includes_path(&self, path: &str) -> bool {
        path.strip_prefix(self.prefix.as_str())
            .is_some_and(|rest| rest.is_empty() || self.prefix.ends_with('/') || rest.starts_with(['/', '?']))
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// To this group.
    Group(usize),
    /// The host is nobody's.
    UnknownHost,
    /// The host is somebody's, the path is not.
    UnknownPath,
}

/// All rules, the narrowest first: hosts count before paths, so that a host's own rules win over those for every host.
#[derive(Debug, Clone, Default)]
pub struct Routes(Vec<Rule>);

impl Routes {
    /// Puts `rules` in order.
    ///
    /// # Errors
    /// Two rules that say the same of different groups.
    pub fn new(mut rules: Vec<Rule>) -> Result<Self, Clash> {
        rules.sort_by(|a, b| {
            let narrowness = |rule: &Rule| (rule.hosts.narrowness(), rule.prefix.len());
            narrowness(b).cmp(&narrowness(a))
        });
        for (at, rule) in rules.iter().enumerate() {
            let same = |other: &&Rule| other.hosts == rule.hosts && other.prefix == rule.prefix;
            if let Some(other) = rules[..at].iter().find(same) {
                return Err(Clash { groups: (other.group, rule.group), prefix: rule.prefix.clone() });
            }
        }
        Ok(Self(rules))
    }

    /// The group for `host` (with or without a port) and `path` (with or without a query).
    pub fn find(&self, host: &str, path: &str) -> Route {
        let host = without_port(host);
        let mut route = Route::UnknownHost;
        for rule in self.0.iter().filter(|rule| rule.hosts.includes(host)) {
            if rule.includes_path(path) {
                return Route::Group(rule.group);
            }
            route = Route::UnknownPath;
        }
        route
    }
}

/// Two rules of which neither is narrower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clash {
    /// Whose they are.
    pub groups: (usize, usize),
    /// Their path.
    pub prefix: String,
}

/// `host` of `host:port`; an IPv6 literal keeps its brackets.
fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(hosts: &str, prefix: &str, group: usize) -> Rule {
        Rule { hosts: Hosts::parse(hosts).unwrap(), prefix: prefix.to_owned(), group }
    }

    #[test]
    fn the_narrowest_rule_wins_and_hosts_count_first() {
        let routes = Routes::new(vec![
            rule("*", "/p/", 0),
            rule("*.school.example", "/", 1),
            rule("*.a.school.example", "/", 2),
            rule("b.school.example", "/", 3),
            rule("b.school.example", "/live", 4),
            rule("[::1]", "/", 5),
        ])
        .unwrap();
        for (host, path, route) in [
            ("any.example", "/p/x", Route::Group(0)),
            ("any.example", "/q", Route::UnknownPath),
            ("x.school.example", "/p/x", Route::Group(1)),
            ("x.a.school.example:8080", "/", Route::Group(2)),
            ("a.school.example", "/", Route::Group(1)),
            ("b.school.example", "/x", Route::Group(3)),
            ("b.school.example", "/live", Route::Group(4)),
            ("b.school.example", "/live/x", Route::Group(4)),
            ("b.school.example:80", "/live?x", Route::Group(4)),
            ("b.school.example", "/lively", Route::Group(3)),
            ("school.example", "/q", Route::UnknownPath),
            (".school.example", "/q", Route::UnknownPath),
            ("myschool.example", "/q", Route::UnknownPath),
            ("[::1]:80", "/q", Route::Group(5)),
            ("[::1]", "/q", Route::Group(5)),
        ] {
            assert_eq!(routes.find(host, path), route, "{host} {path}");
        }
        let routes = Routes::new(vec![rule("a", "/", 0)]).unwrap();
        assert_eq!(routes.find("b", "/"), Route::UnknownHost);
    }

    #[test]
    fn two_groups_cannot_have_the_same_rule() {
        let clash =
            Routes::new(vec![rule("a", "/x", 0), rule("b", "/x", 1), rule("A.", "/x", 2)]).unwrap_err();
        assert_eq!(clash, Clash { groups: (0, 2), prefix: "/x".into() });
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "", ".", "*.", "*..", "a b", "a/b", "a:80", "http://a", "a*", "*a", "a..b", ".a", "*..a", "a..",
            "[zz]", "[]", "*.[::1]", "[::1]:80",
        ] {
            assert!(Hosts::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_written_in_another_way_than_clients_ask_is_told_how() {
        for (text, advice) in
            [("::1", "\"[::1]\""), ("例子.cn", "xn--"), ("*.例子.cn", "xn--"), ("a b", "for example")]
        {
            let refusal = Hosts::parse(text).unwrap_err();
            assert!(refusal.contains(advice), "{text}: {refusal}");
        }
        for text in ["[0:0:0:0:0:0:0:1]", "[::0001]", "[::1]"] {
            assert_eq!(Hosts::parse(text), Ok(Hosts::Exactly("[::1]".to_owned())), "{text}");
        }
    }
}
