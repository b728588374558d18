//! Whether an answer may be gzip-encoded (RFC 9110 §12.5.3).

use crate::fields;
use http::{HeaderMap, header};

/// A content coding we can make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Coding {
    /// As it lies in the store.
    Identity,
    /// RFC 1952.
    Gzip,
}

/// Chooses between gzip and nothing for a text that exists in both forms: gzip when the client accepts it at least as
/// gladly as the plain text.
///
/// Without Accept-Encoding the plain text: the field's absence says that any coding is accepted, but those who do not
/// send it are those who cannot decode. Refusing both is answered with the plain text rather than with a 406.
pub fn choose(request: &HeaderMap) -> Coding {
    let mut gzip = None;
    let mut identity = None;
    let mut any = None;
    for member in fields::members(request, &header::ACCEPT_ENCODING) {
        let Some((coding, weight)) = weighted(member) else { continue };
        if coding.eq_ignore_ascii_case("gzip") || coding.eq_ignore_ascii_case("x-gzip") {
            gzip = Some(weight);
        } else if coding.eq_ignore_ascii_case("identity") {
            identity = Some(weight);
        } else if coding == "*" {
            any = Some(weight);
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    // Identity that is not named has no weight of its own: any named coding is preferred to it.
    if gzip > 0 && gzip >= identity.unwrap_or(0) { Coding::Gzip } else { Coding::Identity }
}

/// `gzip;q=0.5` as its name and thousandths; `None` when the weight is malformed: the member is passed over.
pub(crate) fn weighted(member: &str) -> Option<(&str, u16)> {
    let (coding, parameters) = member.split_once(';').unwrap_or((member, ""));
    let coding = coding.trim_end_matches([' ', '\t']);
    let parameters = parameters.trim_matches([' ', '\t']);
    if parameters.is_empty() {
        return Some((coding, 1_000));
    }
    let weight = parameters.strip_prefix("q=").or_else(|| parameters.strip_prefix("Q="))?;
    Some((coding, thousandths(weight)?))
}

/// `qvalue` (§12.4.2): 0 to 1 with at most three decimals.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn gzip_when_it_is_welcome() {
        for (field, coding) in [
            ("gzip", Coding::Gzip),
            ("gzip, deflate, br, zstd", Coding::Gzip),
            ("GZIP", Coding::Gzip),
            ("x-gzip", Coding::Gzip),
            ("gzip;q=0.001", Coding::Gzip),
            ("gzip ; q=1.000", Coding::Gzip),
            ("*", Coding::Gzip),
            ("br, *;q=0.1", Coding::Gzip),
            ("gzip, identity", Coding::Gzip),
            ("identity;q=0", Coding::Identity),
            ("gzip;q=0.5, identity", Coding::Identity),
            ("gzip;q=0, *", Coding::Identity),
            ("gzip;q=0", Coding::Identity),
            ("gzip;q=0.000", Coding::Identity),
            ("*;q=0", Coding::Identity),
            ("br", Coding::Identity),
            ("", Coding::Identity),
            // Malformed weights: passed over.
            ("gzip;q=2", Coding::Identity),
            ("gzip;q=", Coding::Identity),
            ("gzip;q=0.1234", Coding::Identity),
            ("gzip;q=-1", Coding::Identity),
        ] {
            let mut request = HeaderMap::new();
            request.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(field));
            assert_eq!(choose(&request), coding, "{field}");
        }
        assert_eq!(choose(&HeaderMap::new()), Coding::Identity);
    }
}
