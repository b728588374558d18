//! Which queries ask for the same thing (attack 42).

use http::Uri;
use http::uri::PathAndQuery;
use settings::SettingsError;

/// Parameters that are taken out, and whether their order counts.
///
/// Names and values are compared as they are written: decoding would merge what an origin may tell apart (attack 40).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct QueryPolicy {
    /// Whole names.
    names: Vec<String>,
    /// What names begin with.
    prefixes: Vec<String>,
    sort: bool,
}

/// Campaign tags of links, and a player's own measurements (CTA-5004), which differ with every request.
const IGNORED: [&str; 2] = ["utm_*", "CMCD"];

impl QueryPolicy {
    /// `ignored` names or beginnings with `*`; the default list where there is none.
    ///
    /// # Errors
    /// A name that could stand in no query.
    pub(super) fn new(ignored: Option<&[String]>, sort: bool) -> Result<Self, SettingsError> {
        let (mut names, mut prefixes) = (Vec::new(), Vec::new());
        let defaults = || IGNORED.map(str::to_owned).to_vec();
        for name in ignored.map_or_else(defaults, <[String]>::to_vec) {
            let bare = name.strip_suffix('*').unwrap_or(&name);
            if bare.is_empty() || bare.contains(['&', '=', '#', '*', ' ']) {
                let problem = format!("has {name:?}; give parameters' names, `*` only at the end");
                return Err(SettingsError::value("ignore_query", problem));
            }
            let list = if bare.len() == name.len() { &mut names } else { &mut prefixes };
            list.push(bare.to_owned());
        }
        Ok(Self { names, prefixes, sort })
    }

    /// The target that stands for all that ask for the same: what is in the key and goes upstream.
    pub(crate) fn normalise(&self, target: Uri) -> Uri {
        let Some((path, query)) = target.query().map(|query| (target.path(), query)) else { return target };
        let mut parameters: Vec<&str> =
            query.split('&').filter(|parameter| !self.is_ignored(parameter)).collect();
        if self.sort {
            // By name alone: two values of one name may mean something by their order.
            parameters.sort_by_key(|parameter| name_of(parameter));
            parameters.dedup();
        }
        let kept = parameters.join("&");
        if kept == query {
            return target;
        }
        let text = if parameters.is_empty() { path.to_owned() } else { format!("{path}?{kept}") };
        // Parts of what has been parsed, in another order, can be parsed.
        PathAndQuery::try_from(text).map_or(target, Uri::from)
    }

    fn is_ignored(&self, parameter: &str) -> bool {
        let name = name_of(parameter);
        self.names.iter().any(|ignored| ignored == name)
            || self.prefixes.iter().any(|prefix| name.starts_with(prefix.as_str()))
    }
}

fn name_of(parameter: &str) -> &str {
    parameter.split_once('=').map_or(parameter, |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn normal(target: &str) -> String {
        QueryPolicy::new(None, true).unwrap().normalise(target.parse().unwrap()).to_string()
    }

    #[test]
    fn attack_42_what_means_nothing_does_not_split_the_cache() {
        for (target, same_as) in [
            ("/x", "/x"),
            ("/x?a=1&b=2", "/x?a=1&b=2"),
            ("/x?b=2&a=1", "/x?a=1&b=2"),
            ("/x?a=1&a=1", "/x?a=1"),
            ("/x?utm_source=s&a=1&utm_campaign=c", "/x?a=1"),
            ("/x?CMCD=bl%3D1000%2Csid%3D%22a%22", "/x"),
            ("/x?CMCD", "/x"),
        ] {
            assert_eq!(normal(target), same_as, "{target}");
        }
    }

    #[test]
    fn what_may_mean_something_does() {
        // Attack 40: nothing is decoded, and values of one name keep their order.
        for target in ["/x?a=2&a=1", "/x?", "/x?a", "/x?a=", "/x?A=1&a=1", "/x?utm%5Fa=1", "/x?xutm_a=1&y"] {
            assert_eq!(normal(target), target);
        }
        let unsorted = QueryPolicy::new(Some(&["t".to_owned()]), false).unwrap();
        assert_eq!(unsorted.normalise("/x?b&t=1&a".parse().unwrap()), "/x?b&a");
    }

    #[test]
    fn names_that_cannot_be_are_refused() {
        for name in ["", "*", "a&b", "a=1", "a*b", "a b"] {
            assert!(QueryPolicy::new(Some(&[name.to_owned()]), true).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn once_normal_always_normal(query in "[a-c=&%_*]{0,24}") {
            let once = normal(&format!("/x?{query}"));
            prop_assert_eq!(normal(&once), once.clone());
        }
    }
}
