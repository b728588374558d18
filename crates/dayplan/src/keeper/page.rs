//! `/plans` on the admin listener: which plan of each day is followed, and which is not, for who has to know that an order was
//! obeyed.

use super::DayState;
use jiff::civil::Date;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use telemetry::Telemetry;

/// The text, made anew when something has changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Page(Arc<Mutex<Vec<u8>>>);

/// A day. `followed` is the SHA-256 of the plan's text, `refused` that of the whole envelope, and why.
#[derive(Serialize)]
struct Told {
    followed: Option<String>,
    edition: Option<u64>,
    refused: Option<(String, &'static str)>,
}

impl Page {
    pub(super) fn register(telemetry: &Telemetry) -> Self {
        let page = Self::default();
        let shown = page.clone();
        telemetry
            .pages
            .route("/plans", move || shown.0.lock().unwrap_or_else(PoisonError::into_inner).clone());
        page
    }

    pub(super) fn tell(&self, dates: [Date; 3], days: &BTreeMap<Date, DayState>) {
        let told = dates.map(|date| {
            let day = days.get(&date);
            let followed = day.and_then(|day| day.followed.as_ref());
            let told = Told {
                followed: followed.map(|followed| followed.accepted.digest.to_string()),
                edition: followed.map(|followed| followed.plan().edition),
                refused: day
                    .and_then(|day| day.refused.as_ref())
                    .map(|refused| (refused.digest.to_string(), refused.why.as_str())),
            };
            (date.to_string(), told)
        });
        let told: BTreeMap<_, _> = told.into_iter().collect();
        if let Ok(text) = serde_json::to_vec(&told) {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = text;
        }
    }
}
