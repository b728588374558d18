//! A number with a unit behind it, the shape all our units share.

/// Why a text is no quantity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseQuantityError {
    /// There is no number in front.
    #[error("`{0}` does not start with a number; write for example {1}")]
    NoNumber(String, &'static str),
    /// The unit is missing or unknown.
    #[error("`{0}` has no unit known here; write for example {1}")]
    UnknownUnit(String, &'static str),
    /// More than 2^64 of the base unit, or finer than one of it.
    #[error("`{0}` is too large or too fine; write for example {1}")]
    OutOfRange(String, &'static str),
}

/// Splits `"1.5GiB"` and multiplies exactly: fractions are decimal digits, never floats.
pub(crate) fn parse(
    text: &str,
    units: &[(&str, u64)],
    example: &'static str,
) -> Result<u64, ParseQuantityError> {
    let trimmed = text.trim();
    let digits = trimmed.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(trimmed.len());
    let (number, unit) = trimmed.split_at(digits);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || (number.contains('.') && fraction.is_empty()) || fraction.contains('.') {
        return Err(ParseQuantityError::NoNumber(text.to_owned(), example));
    }
    let unit = unit.trim();
    let &(_, scale) = units
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(|| ParseQuantityError::UnknownUnit(text.to_owned(), example))?;
    exact(whole, fraction, scale).ok_or_else(|| ParseQuantityError::OutOfRange(text.to_owned(), example))
}

fn exact(whole: &str, fraction: &str, scale: u64) -> Option<u64> {
    let power = 10u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let product = digits.checked_mul(u128::from(scale))?;
    // "0.3 bytes" is not a quantity; "0.1GiB" rounds down to whole bytes.
    if product < power && digits != 0 {
        return None;
    }
    u64::try_from(product / power).ok()
}

/// Writes `value` in the largest of `units` (largest first) that divides it, or with one decimal.
pub(crate) fn write(value: u64, units: &[(&str, u64)], f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    for &(name, scale) in units {
        if value >= scale {
            if value.is_multiple_of(scale) {
                return write!(f, "{}{name}", value / scale);
            }
            let tenths = u128::from(value) * 10 / u128::from(scale);
            return write!(f, "{}.{}{name}", tenths / 10, tenths % 10);
        }
    }
    write!(f, "0{}", units.last().map_or("", |(name, _)| name))
}
