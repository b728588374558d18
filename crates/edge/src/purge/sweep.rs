//! Carrying an order out: running fills first, then what is stored.

use crate::edge::{Settings, Shared};
use crate::fill::Flights;
use crate::key::CacheKey;
use crate::options::Config;
use crate::store::Memory;
use crate::upstream::Groups;
use ::purge::{Order, Report, What, bare_host};
use http::{HeaderMap, Uri};
use tokio::sync::watch;
use tokio::time::Instant;

/// What an order can reach.
pub(crate) struct Reach {
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) flights: Flights,
    pub(crate) memory: Memory,
}

impl Reach {
    pub(crate) fn of(shared: &Shared, settings: watch::Receiver<Settings>) -> Self {
        Self { settings, flights: shared.flights.clone(), memory: shared.memory.clone() }
    }

    /// Carries `order` out, and tells what it did. When this returns, nobody is given any more what was there before.
    ///
    /// Fills come first: what was asked for before serves those who wait for it and is not stored, so that nothing old comes
    /// in behind the walk over what is stored. Of a fill without a head nobody knows its surrogate keys: it counts as meant,
    /// which costs one question upstream.
    pub(crate) fn carry_out(&self, order: &Order, now: Instant) -> Report {
        let started = Instant::now();
        let Settings { config, groups } = self.settings.borrow().clone();
        let what = normal(&config, order.what.clone());
        let mut report = Report::new(order.id, order.mode);
        report.fills_overtaken = self.flights.overtake(|key, object| {
            is_about(&groups, &what, key) && object.is_none_or(|object| is_labelled(&what, &object.headers))
        });
        self.memory.sweep(&groups, &what, order.mode, now, &mut report);
        report.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        report
    }
}

/// A URL as the cache knows it: without the parameters that mean nothing.
fn normal(config: &Config, what: What) -> What {
    match what {
        What::Url(place) => match place.target().parse::<Uri>() {
            Ok(target) => {
                let target = config.cache.query.normalise(target).to_string();
                What::Url(place.with_target(target))
            }
            // It was part of a URL, so it is one.
            Err(_) => What::Url(place),
        },
        what => what,
    }
}

/// Whether what stands under `key` may be meant, as far as its URL tells. Where no host is in it, all hosts are that have
/// the same servers.
pub(crate) fn is_about(groups: &Groups, what: &What, key: &CacheKey) -> bool {
    let (site, target) = key.site_and_target();
    let host = what.host().filter(|host| groups.site(host, target) == site).unwrap_or(bare_host(site));
    what.is_about(host, target)
}

/// Whether a response with these fields is meant, as far as they tell.
pub(crate) fn is_labelled(what: &What, headers: &HeaderMap) -> bool {
    what.key().is_none_or(|key| ::purge::carries(headers, key))
}
