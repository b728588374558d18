//! Carrying an order out: running fills first, then what is stored in memory. What lies on disks nobody is given any more, and
//! `rounds` looks for it.

use super::recent::Recent;
use super::relay::Relay;
use crate::edge::{Settings, Shared};
use crate::fill::Flights;
use crate::key::CacheKey;
use crate::options::Config;
use crate::store::memory::primaries;
use crate::store::{DiskTier, Memory, Object};
use crate::upstream::Groups;
use ::purge::{Mode, Order, Report, What, bare_host};
use http::{HeaderMap, Uri};
use std::sync::Arc;
use tokio::sync::watch;
use tokio::time::Instant;

/// What an order can reach.
pub(crate) struct Reach {
    pub(crate) settings: watch::Receiver<Settings>,
    pub(crate) flights: Flights,
    pub(crate) memory: Memory,
    pub(crate) disk: Option<Arc<DiskTier>>,
    pub(crate) recent: Recent,
    /// Other processes, whose memory is their own.
    pub(crate) relay: Relay,
}

/// What became of an order in memory, and as what it stands for the disks.
pub(crate) struct CarriedOut {
    pub(crate) report: Report,
    pub(crate) standing: Option<OnDisk>,
}

/// An order as it stands for the disks.
pub(crate) struct OnDisk {
    pub(crate) number: u64,
    pub(crate) mode: Mode,
    /// The keys by which it is carried out, where those may be all.
    pub(crate) keys: Vec<CacheKey>,
}

impl Reach {
    pub(crate) fn of(shared: &Shared, settings: watch::Receiver<Settings>) -> Self {
        Self {
            settings,
            flights: shared.flights.clone(),
            memory: shared.memory.clone(),
            disk: shared.disk.clone(),
            recent: shared.recent.clone(),
            relay: shared.relay.clone(),
        }
    }

    /// Forgets a URL that a request has changed, by the host that it was asked of.
    pub(super) fn forget(&self, host: &str, target: Uri) {
        let Settings { config, groups } = self.settings.borrow().clone();
        let target = config.cache.of(groups.route(host, target.path())).query.normalise(target);
        let site = groups.site(host, target.path());
        let key = CacheKey::primary("http", site, target.path_and_query().map_or("/", |path| path.as_str()));
        self.flights.forget(&key, || {
            self.memory.remove(&key);
            if let Some(disk) = &self.disk {
                disk.remove(&key);
            }
        });
    }

    /// Carries `order` out, and tells what it did. When this returns, nobody is given any more what was there before.
    ///
    /// Fills come first: what was asked for before serves those who wait for it and is not stored, so that nothing old comes
    /// in behind the walk over what is stored. Of a fill without a head nobody knows its surrogate keys: it counts as meant,
    /// which costs one question upstream. In the same moment the order begins to stand for the disks: what is stored before it is
    /// older there, what is stored after it is not.
    pub(crate) fn carry_out(&self, order: &Order, now: Instant) -> CarriedOut {
        let started = Instant::now();
        let Settings { config, groups } = self.settings.borrow().clone();
        let what = normal(&config, &groups, order.what.clone());
        let mut report = Report::new(order.id, order.mode);
        let keys = self.keys(&groups, &what, order.mode);
        let is_meant = |key: &CacheKey, object: Option<&Object>| {
            is_about(&groups, &what, key) && object.is_none_or(|object| is_labelled(&what, &object.headers))
        };
        let stands = || {
            self.recent.note(what.clone(), now);
            self.disk.as_ref().map(|disk| disk.order(what.clone(), order.mode))
        };
        let (overtaken, number) = self.flights.overtake(is_meant, stands);
        report.fills_overtaken = overtaken;
        self.memory.sweep(&groups, &what, order.mode, now, &mut report);
        if order.mode == Mode::Hard {
            // What has been found before the walk came to it, and is asked about since, would come back by a 304.
            self.flights.overtake(is_meant, || ());
        }
        report.duration_us = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let standing = number.map(|number| OnDisk { number, mode: order.mode, keys });
        CarriedOut { report, standing }
    }

    /// The keys that an order may be carried out by: where there are variants, a soft one has to look for them, since a disk may
    /// hold some that memory knows nothing of.
    fn keys(&self, groups: &Groups, what: &What, mode: Mode) -> Vec<CacheKey> {
        let What::Url(place) = what else { return Vec::new() };
        let keys = primaries(groups, place);
        let varies = mode == Mode::Soft && keys.iter().any(|key| self.memory.varies(key));
        if varies { Vec::new() } else { keys }
    }
}

/// A URL as the cache knows it: without the parameters that mean nothing.
fn normal(config: &Config, groups: &Groups, what: What) -> What {
    match what {
        What::Url(place) => match place.target().parse::<Uri>() {
            Ok(target) => {
                let route = groups.route(place.host(), target.path());
                let target = config.cache.of(route).query.normalise(target).to_string();
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
