//! Labels come from enums: a closed set, so that the number of series is known when the code is read.

use crate::striped::values_of;
use crate::{StripedCounters, Telemetry};
use prometheus::{IntCounter, IntCounterVec, Opts};

/// An enum whose values label a metric.
pub trait Label: Copy + 'static {
    /// Every value, in the order of [`Label::index`].
    const ALL: &'static [Self];

    /// The value as metrics and logs write it: lower case, underscores.
    fn as_str(self) -> &'static str;

    /// Its place in [`Label::ALL`].
    fn index(self) -> usize;
}

/// A label of an enum whose crate knows nothing of metrics: it has `ALL`, `as_str`, and its values are numbered in that order.
#[macro_export]
macro_rules! label_of {
    ($(#[$doc:meta])* struct $name:ident($of:ty);) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        struct $name($of);

        impl $crate::Label for $name {
            const ALL: &'static [Self] = &{
                let mut all = [Self(<$of>::ALL[0]); <$of>::ALL.len()];
                let mut at = 0;
                while at < all.len() {
                    all[at] = Self(<$of>::ALL[at]);
                    at += 1;
                }
                all
            };

            fn as_str(self) -> &'static str {
                self.0.as_str()
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

/// One counter for each value of `L`, made at the start: every series exists from zero and counting costs one
/// atomic addition.
pub fn counters<L: Label>(telemetry: &Telemetry, name: &str, help: &str, label: &str) -> Vec<IntCounter> {
    let family = IntCounterVec::new(Opts::new(name, help), &[label]).expect("a constant name is valid");
    let family = telemetry.register(family);
    L::ALL.iter().map(|value| family.with_label_values(&[value.as_str()])).collect()
}

/// The same of what all cores count with each request.
pub fn striped_counters<L: Label>(
    telemetry: &Telemetry,
    name: &str,
    help: &str,
    label: &str,
) -> StripedCounters {
    StripedCounters::register(telemetry, name, help, &[label], &values_of::<L>())
}
