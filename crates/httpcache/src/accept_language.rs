//! Accept-Language (RFC 9110 §12.5.4) as far as it tells variants apart.

use crate::accept_encoding::weighted;
use crate::fields;
use http::{HeaderMap, header};

/// Languages looked at in one request: browsers send a handful.
const MAX_LANGUAGES: usize = 16;

/// The languages with their weights in thousandths, the gladdest first, each once. Case, space and the order of equals
/// do not matter: none of them is meant to. `None` where a member is malformed, or there are too many.
pub(crate) fn ranked(request: &HeaderMap) -> Option<Vec<(String, u16)>> {
    let mut ranked: Vec<(String, u16)> = Vec::new();
    for member in fields::octets(request, &header::ACCEPT_LANGUAGE) {
        let (language, weight) = weighted(std::str::from_utf8(member).ok()?)?;
        let language = language.to_ascii_lowercase();
        if !ranked.iter().any(|(known, _)| *known == language) {
            if ranked.len() == MAX_LANGUAGES {
                return None;
            }
            ranked.push((language, weight));
        }
    }
    ranked.sort_by(|(a, weight_a), (b, weight_b)| weight_b.cmp(weight_a).then_with(|| a.cmp(b)));
    Some(ranked)
}

/// The one language that the client prefers to all others. A stored response in it is the best that the origin could
/// choose, whatever else the client would take.
pub(crate) fn first_choice(request: &HeaderMap) -> Option<String> {
    let mut ranked = ranked(request)?.into_iter();
    let (first, weight) = ranked.next().filter(|(language, weight)| language != "*" && *weight > 0)?;
    ranked.next().is_none_or(|(_, next)| next < weight).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::headers;

    #[test]
    fn what_does_not_matter_is_gone() {
        let rank = |value| ranked(&headers(&[("accept-language", value)]));
        assert_eq!(rank("en, de"), rank(" dE ,   EN"));
        assert_ne!(rank("en, de"), rank("en;q=0.5, de"));
        for unclear in ["de;q=x, en", "en, xx;q=9"] {
            assert_eq!(rank(unclear), None, "{unclear}");
        }
    }

    #[test]
    fn a_first_choice_is_alone_at_the_top() {
        let first = |value| first_choice(&headers(&[("accept-language", value)]));
        assert_eq!(first("fr;q=0.5, DE;q=1.0").as_deref(), Some("de"));
        assert_eq!(first("zh-CN").as_deref(), Some("zh-cn"));
        for none in ["en, de", "*", "en;q=0", ""] {
            assert_eq!(first(none), None, "{none}");
        }
    }
}
