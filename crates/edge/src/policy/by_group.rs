//! Whose rules hold for what is asked: those of the group that answers for it, or the node's.

use super::options::{CacheOptions, CachePolicy};
use crate::upstream::GroupOptions;
use parents::route::Route;
use settings::SettingsError;
use std::time::Duration;

/// The rules of the node, and of the groups that have some of their own.
#[derive(Debug, Clone)]
pub struct Policies {
    node: CachePolicy,
    /// By the group's place in the configuration. Whoever is not there has the node's.
    groups: Vec<Option<CachePolicy>>,
}

impl Policies {
    /// What `node` and `stale_on_error` say, and for each of `groups` what it says instead.
    ///
    /// # Errors
    /// The first option that cannot be, by name, with its group.
    pub(crate) fn resolve(
        node: &CacheOptions,
        stale_on_error: Duration,
        groups: &[GroupOptions],
    ) -> Result<Self, SettingsError> {
        let of_group = |group: &GroupOptions| {
            let (given, stale) = (group.cache.as_ref(), group.stale_on_error);
            if given.is_none() && stale.is_none() {
                return Ok(None);
            }
            let options = given.map_or_else(|| node.clone(), |given| given.over(node));
            let stale = stale.map_or(stale_on_error, |span| span.0);
            CachePolicy::resolve(&options, stale).map(Some).map_err(|error| named(&group.name, error))
        };
        Ok(Self {
            node: CachePolicy::resolve(node, stale_on_error)?,
            groups: groups.iter().map(of_group).collect::<Result<_, _>>()?,
        })
    }

    /// The rules for what goes this way.
    pub(crate) fn of(&self, route: Route) -> &CachePolicy {
        let own = match route {
            Route::Group(at) => self.groups.get(at).and_then(Option::as_ref),
            Route::UnknownHost | Route::UnknownPath => None,
        };
        own.unwrap_or(&self.node)
    }
}

/// The same, said of a group: what the node itself says has been found right before.
fn named(group: &str, error: SettingsError) -> SettingsError {
    match error {
        SettingsError::Value { key, problem } => {
            SettingsError::value("group.cache", format!("of {group:?}: `{key}` {problem}"))
        }
        error => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::ClientReload;
    use httpcache::policy::{SetCookie, UnreadableAge};
    use std::path::Path;

    const HOUR: Duration = Duration::from_secs(3_600);

    #[derive(serde::Deserialize)]
    struct File {
        #[serde(default)]
        cache: CacheOptions,
        group: Vec<GroupOptions>,
    }

    fn policies(text: &str) -> Result<Policies, String> {
        let file: File = settings::parse(text, Path::new("edge.toml")).map_err(|error| error.to_string())?;
        Policies::resolve(&file.cache, HOUR, &file.group).map_err(|error| error.to_string())
    }

    fn of_one(node: &str, group: &str) -> CachePolicy {
        let text = format!("[cache]\n{node}\n[[group]]\nname = \"g\"\n{group}");
        policies(&text).unwrap().of(Route::Group(0)).clone()
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_a_group_says_holds_and_the_rest_is_the_nodes() {
        let node = "client_reload = \"honour\"\nset_cookie = \"store\"\nunreadable_age = \"stale\"\n\
            heuristic_ttl = \"5s\"\nnegative_ttl = \"6s\"\nerror_ttl = \"7s\"\ncontrol_fields = [\"x-node\"]\n\
            ignore_query = [\"n\"]\nsort_query = false";
        let same = |one: &CachePolicy, other: &CachePolicy| {
            assert_eq!((&one.rules, one.client_reload), (&other.rules, other.client_reload));
            assert_eq!(one.stale_on_error, other.stale_on_error);
            assert_eq!(one.query, other.query);
        };
        let inherited = of_one(node, "");
        assert_eq!((inherited.rules.negative_ttl, inherited.stale_on_error), (secs(6), HOUR));
        // Each alone changes what it names, and nothing else.
        type Change = fn(&mut CachePolicy);
        let table: &[(&str, Change)] = &[
            ("[group.cache]", |_| ()),
            ("stale_on_error = \"0s\"", |policy| policy.stale_on_error = Duration::ZERO),
            ("[group.cache]\nclient_reload = \"ignore\"", |policy| {
                policy.client_reload = ClientReload::Ignore;
            }),
            ("[group.cache]\nset_cookie = \"refuse\"", |policy| {
                policy.rules.set_cookie = SetCookie::Refuse;
            }),
            ("[group.cache]\nunreadable_age = \"ignore\"", |policy| {
                policy.rules.unreadable_age = UnreadableAge::Ignore;
            }),
            ("[group.cache]\nheuristic_ttl = \"0s\"", |policy| {
                policy.rules.heuristic_ttl = Duration::ZERO;
            }),
            ("[group.cache]\nnegative_ttl = \"10s\"", |policy| policy.rules.negative_ttl = secs(10)),
            ("[group.cache]\nerror_ttl = \"11s\"", |policy| policy.rules.error_ttl = secs(11)),
            ("[group.cache]\ncontrol_fields = []", |policy| policy.rules.targets.clear()),
            ("[group.cache]\nignore_query = [\"g\"]", |policy| {
                policy.query =
                    crate::policy::query::QueryPolicy::new(Some(&["g".to_owned()]), false).unwrap();
            }),
            ("[group.cache]\nsort_query = true", |policy| {
                policy.query = crate::policy::query::QueryPolicy::new(Some(&["n".to_owned()]), true).unwrap();
            }),
        ];
        for (group, change) in table {
            let mut expected = inherited.clone();
            change(&mut expected);
            same(&of_one(node, group), &expected);
        }
    }

    #[test]
    fn each_group_has_its_own_and_what_no_group_is_for_has_the_nodes() {
        let policies = policies(
            "[[group]]\nname = \"a\"\n[group.cache]\nnegative_ttl = \"8s\"\n[[group]]\nname = \"b\"\n\
             [[group]]\nname = \"c\"\n[group.cache]\nnegative_ttl = \"9s\"",
        )
        .unwrap();
        for (route, ttl) in [
            (Route::Group(0), 8),
            (Route::Group(1), 1),
            (Route::Group(2), 9),
            // `upstream`, and where plans come from, stand behind them.
            (Route::Group(3), 1),
            (Route::UnknownHost, 1),
            (Route::UnknownPath, 1),
        ] {
            assert_eq!(policies.of(route).rules.negative_ttl, secs(ttl), "{route:?}");
        }
    }

    #[test]
    fn what_cannot_be_is_named_with_its_key_and_group() {
        for (own, says) in [
            ("control_fields = [\"a b\"]", "`control_fields` has \"a b\""),
            ("ignore_query = [\"a=b\"]", "`ignore_query` has \"a=b\""),
        ] {
            let text = format!("[[group]]\nname = \"g\"\n[group.cache]\n{own}");
            let error = policies(&text).unwrap_err();
            assert!(error.starts_with("`group.cache` of \"g\": ") && error.contains(says), "{error}");
        }
        let unknown = "[[group]]\nname = \"g\"\n[group.cache]\ndefault_ttl = \"1s\"";
        assert!(policies(unknown).unwrap_err().starts_with("edge.toml:"));
    }
}
