//! Accept-Language (RFC 9110 §12.5.4) as far as it tells variants apart.

use crate::accept_encoding::weighted;
use crate::fields;
use http::{HeaderMap, header};

/// Languages looked at in one request: browsers send a handful. The rest are passed over.
const MAX_LANGUAGES: usize = 16;

/// The languages with their weights in thousandths, the gladdest first, each once. Case, space and the order of equals
/// do not matter: none of them is meant to.
pub(crate) fn ranked(request: &HeaderMap) -> Vec<(String, u16)> {
    let mut ranked: Vec<(String, u16)> = Vec::new();
    for (language, weight) in fields::members(request, &header::ACCEPT_LANGUAGE).filter_map(weighted) {
        let language = language.to_ascii_lowercase();
        if ranked.len() < MAX_LANGUAGES && !ranked.iter().any(|(known, _)| *known == language) {
            ranked.push((language, weight));
        }
    }
    ranked.sort_by(|(a, weight_a), (b, weight_b)| weight_b.cmp(weight_a).then_with(|| a.cmp(b)));
    ranked
}

/// The one language that the client prefers to all others. A stored response in it is the best that the origin could
/// choose, whatever else the client would take.
pub(crate) fn first_choice(request: &HeaderMap) -> Option<String> {
    let mut ranked = ranked(request).into_iter();
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
        assert_eq!(rank("de;q=x, en"), rank("en"));
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
