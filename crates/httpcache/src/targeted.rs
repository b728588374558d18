//! Cache-Control for some caches alone (RFC 9213): a Dictionary of RFC 9651, read strictly.

use crate::directives::{self, ResponseDirectives};
use http::{HeaderMap, HeaderName};
use sfv::{BareItem, Dictionary, Item, ListEntry, Parser};
use std::time::Duration;

/// What the first of `targets` that is there says; `None` when none is, or it is empty or malformed: then it is as if
/// it were not there (§2.2), and Cache-Control and Expires hold.
///
/// A known directive of the wrong type spoils its field as malformed text does: whoever writes `max-age="60"` has not
/// been understood, and half a policy is not a policy.
pub(crate) fn read(headers: &HeaderMap, targets: &[HeaderName]) -> Option<ResponseDirectives> {
    targets.iter().find_map(|target| {
        let mut lines = headers.get_all(target).iter().peekable();
        lines.peek()?;
        // Lines are one list (RFC 9651 §4.2).
        let text = lines.map(|line| line.to_str().ok()).collect::<Option<Vec<_>>>()?.join(",");
        parse(&text)
    })
}

fn parse(text: &str) -> Option<ResponseDirectives> {
    let dictionary: Dictionary = Parser::new(text).parse().ok()?;
    if dictionary.is_empty() {
        return None;
    }
    let mut read = ResponseDirectives { targeted: true, ..ResponseDirectives::default() };
    for (key, entry) in &dictionary {
        let (flag, time) = slots(&mut read, key.as_str());
        let ListEntry::Item(Item { bare_item, .. }) = entry else {
            if flag.is_some() || time.is_some() {
                return None;
            }
            continue;
        };
        if let Some(flag) = flag {
            // `no-cache=?0` is a way of not saying it.
            *flag = match bare_item {
                BareItem::Boolean(said) => *said,
                // `private="set-cookie"` and `no-cache="…"` count as the forms without names.
                BareItem::String(_) if matches!(key.as_str(), "private" | "no-cache") => true,
                _ => return None,
            };
        }
        if let Some(time) = time {
            let BareItem::Integer(seconds) = bare_item else { return None };
            let seconds = u64::try_from(i64::from(*seconds)).ok()?;
            *time = Some(Duration::from_secs(seconds.min(directives::MAX_DELTA)));
        }
    }
    Some(read)
}

type Slots<'a> = (Option<&'a mut bool>, Option<&'a mut Option<Duration>>);

/// Where a directive is kept. Keys of a Dictionary are in lower case; other cases are malformed.
fn slots<'a>(read: &'a mut ResponseDirectives, name: &str) -> Slots<'a> {
    let flag = match name {
        "no-store" => &mut read.no_store,
        "no-cache" => &mut read.no_cache,
        "private" => &mut read.private,
        "public" => &mut read.public,
        "must-revalidate" => &mut read.must_revalidate,
        "proxy-revalidate" => &mut read.proxy_revalidate,
        "must-understand" => &mut read.must_understand,
        "no-transform" => &mut read.no_transform,
        "immutable" => &mut read.immutable,
        _ => {
            let time = match name {
                "max-age" => &mut read.max_age,
                "s-maxage" => &mut read.s_maxage,
                "stale-while-revalidate" => &mut read.stale_while_revalidate,
                "stale-if-error" => &mut read.stale_if_error,
                // Unknown directives are passed over (§2.1).
                _ => return (None, None),
            };
            return (None, Some(time));
        }
    };
    (Some(flag), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::headers;
    use crate::policy::CDN_CACHE_CONTROL;
    use proptest::prelude::*;

    fn max_age(field: &'static str) -> Option<u64> {
        let targets = [HeaderName::from_static("airclass-cache-control"), CDN_CACHE_CONTROL];
        read(&headers(&[("cdn-cache-control", field)]), &targets)?.max_age.map(|age| age.as_secs())
    }

    #[test]
    fn a_dictionary_and_nothing_else() {
        // RFC 9213 §2.1, §2.2
        for (field, seconds) in [
            ("max-age=60", Some(60)),
            ("max-age=60;extension=1, foobar", Some(60)),
            ("foobar, max-age=3600", Some(3_600)),
            ("max-age=1, max-age=60", Some(60)),
            ("max-age=99999999999", Some(1 << 31)),
            ("max-age=10000, &&&&&", None),
            ("max-age=\"60\"", None),
            ("max-age=60.5", None),
            ("max-age=-1", None),
            ("max-age", None),
            ("max-age=(60)", None),
            ("max-age =60", None),
            ("max-age= 60", None),
            ("MaX-aGe=60", None),
            ("max-age=60, no-store=1", None),
            ("", None),
        ] {
            assert_eq!(max_age(field), seconds, "{field}");
        }
    }

    #[test]
    fn the_first_target_that_can_be_read_counts() {
        // RFC 9213 §2.2
        let targets = [HeaderName::from_static("airclass-cache-control"), CDN_CACHE_CONTROL];
        let both = headers(&[("cdn-cache-control", "max-age=5"), ("airclass-cache-control", "no-store")]);
        assert!(read(&both, &targets).is_some_and(|read| read.no_store && read.max_age.is_none()));
        let spoilt = headers(&[("cdn-cache-control", "max-age=5"), ("airclass-cache-control", "No-Store")]);
        assert_eq!(read(&spoilt, &targets).and_then(|read| read.max_age), Some(Duration::from_secs(5)));
        assert!(read(&headers(&[("cache-control", "max-age=5")]), &targets).is_none());
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "\\PC{0,80}") {
            let _ = parse(&text);
        }
    }
}
