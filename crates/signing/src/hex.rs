//! Types that are bytes, as text.

/// A type that is `N` bytes, written and read as hexadecimal digits.
macro_rules! hex_text {
    ($name:ident, $bytes:expr, $invalid:expr) => {
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                units::hex::write(&self.0, f)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                units::hex::write(&self.0, f)
            }
        }

        impl TryFrom<String> for $name {
            type Error = &'static str;

            fn try_from(text: String) -> Result<Self, &'static str> {
                units::hex::read::<{ $bytes }>(&text).map(Self).ok_or($invalid)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
pub(crate) use hex_text;
