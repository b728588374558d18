//! 门面: what everybody asks for before a lesson — page, catalogue, timetable, guides — is here before anybody asks, and stays.
//!
//! ```text
//! /front.json ─► changed, or looked at long ago? ─► each address, plain and gzip ─► kept for more than a day
//! ```
//! So a morning whose origin died at 08:29 begins as any: the lessons are the ledger's, this is the way to them. What the
//! upstream has no such list of is fetched when somebody asks, as ever.

use super::bring::{Porter, lead, question};
use super::metrics::Brought;
use crate::fill::{Unproved, prove};
use crate::key::CacheKey;
use crate::lookup::Found;
use crate::service::{key_of, look};
use crate::store::{Blocks, Body};
use http::StatusCode;
use package::front::{FRONT, MAX_FRONT_BYTES};
use serde::Serialize;
use serve::Level;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::{Instant, sleep, sleep_until};

/// Between two looks at the list: a question that is answered by 304, and a correction is everywhere within it.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// The first pause after something went wrong; doubled each time up to [`LOOK_EVERY`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// Everything is looked at again after so long, whatever the list says: what stands in for a dead origin may be a day old.
const AGAIN_AFTER: Duration = Duration::from_secs(3_600);
/// For so long things are kept: a day alone, and the hour before it.
const KEPT: Duration = Duration::from_secs(30 * 3_600);
/// Ends of pins lie on whole multiples, so that what is kept on is written down four times a day.
const KEPT_STEP: Duration = Duration::from_secs(6 * 3_600);
/// How often one address is looked at and asked for, as another fill may be on its way.
const MAX_LOOKS: usize = 6;
/// In which forms: browsers take gzip, some carriers' boxes take it off.
const FORMS: [Option<&str>; 2] = [None, Some("gzip")];

/// How far it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Standing {
    /// Addresses of the list that lead to something.
    pub(crate) wanted: usize,
    /// Those of them that are here.
    pub(crate) held: usize,
}

/// The list that is followed, and what of it is still to be done.
pub(super) struct Front {
    porter: Rc<Porter>,
    version: String,
    paths: Vec<String>,
    /// What is to be fetched or looked at again.
    due: BTreeSet<String>,
    /// When all of it was due last.
    looked: Option<Instant>,
    failures: u32,
}

impl Front {
    pub(super) fn new(porter: Rc<Porter>) -> Self {
        Self {
            porter,
            version: String::new(),
            paths: Vec::new(),
            due: BTreeSet::new(),
            looked: None,
            failures: 0,
        }
    }

    /// Keeps it here until it is dropped.
    pub(super) async fn run(mut self) {
        loop {
            self.failures = if self.round().await { 0 } else { self.failures.saturating_add(1) };
            self.porter.metrics.front(self.standing());
            sleep(self.pause()).await;
        }
    }

    /// Spread by a quarter, so that the nodes of a nation do not ask together.
    fn pause(&self) -> Duration {
        let usual = match self.failures {
            0 => LOOK_EVERY,
            many => FIRST_PAUSE.saturating_mul(1 << many.min(10)).min(LOOK_EVERY),
        };
        usual.mul_f64(0.75 + 0.5 * self.porter.share())
    }

    /// One look; whether everything is here.
    async fn round(&mut self) -> bool {
        let edge = self.porter.edge();
        // Live traffic wins.
        if edge.overload.level() > Level::Busy || edge.owner.stands_aside() {
            return self.due.is_empty();
        }
        match self.bring(FRONT, None).await {
            Ok(Some(list)) => self.follow(&list),
            Ok(None) => {}
            Err(trouble) => {
                tracing::debug!(outcome = ?trouble, "the list of the front is not to be had");
                return false;
            }
        }
        let due: Vec<_> = self.paths.iter().filter(|path| self.due.contains(*path)).cloned().collect();
        for path in due {
            let mut there = false;
            let mut failed = false;
            for form in FORMS {
                match self.bring(&path, form).await {
                    Ok(found) => there |= found.is_some(),
                    Err(trouble) => {
                        tracing::debug!(path, outcome = ?trouble, "not brought");
                        failed = true;
                    }
                }
            }
            if failed {
                continue;
            }
            self.due.remove(&path);
            // An address beyond the last page, or of a file that nobody has published.
            if !there {
                self.paths.retain(|other| *other != path);
            }
        }
        self.due.is_empty()
    }

    /// Takes in the list that has come.
    fn follow(&mut self, list: &Blocks) {
        let front = match package::Front::parse(&list.blocks().concat()) {
            Ok(front) => front,
            Err(error) => return tracing::warn!(%error, "an upstream's front cannot be read"),
        };
        let now = Instant::now();
        let long_ago = self.looked.is_none_or(|looked| now.duration_since(looked) >= AGAIN_AFTER);
        if front.version == self.version && !long_ago {
            // What orders to forget, or a failing disk, have taken away comes again.
            let lost = self.paths.iter().filter(|path| !self.is_here(path)).cloned().collect::<Vec<_>>();
            self.due.extend(lost);
            return;
        }
        let wanted: BTreeSet<_> = front.paths.iter().map(String::as_str).collect();
        let gone: Vec<_> = self.paths.iter().filter(|path| !wanted.contains(path.as_str())).collect();
        gone.into_iter().for_each(|path| self.let_go(path));
        self.due = front.paths.iter().cloned().collect();
        (self.version, self.paths, self.looked) = (front.version, front.paths, Some(now));
    }

    /// Brings what is at `path` in this form and keeps it; `None` where nothing is.
    async fn bring(&self, path: &str, form: Option<&'static str>) -> Result<Option<Arc<Blocks>>, Brought> {
        let (porter, edge) = (&self.porter, self.porter.edge());
        let host = porter.hosts.first().ok_or(Brought::NoServer)?;
        let ask = |host: &str| question(host, path, form);
        let asked = ask(host).ok_or(Brought::Wrong)?;
        let primary = key_of(&edge, &asked);
        for _ in 0..MAX_LOOKS {
            let watch = porter.watch(ask);
            let looked = look(&edge, &asked, &primary, Instant::now());
            if let Found::Fresh(object) = &looked.found
                && let Body::Complete(blocks) = &object.body
            {
                let missing = object.status == StatusCode::NOT_FOUND;
                if missing {
                    return Ok(None);
                }
                porter.keep(ask, &asked, &looked.key, object, until(edge.clock.now()), &watch).await?;
                return Ok(Some(Arc::clone(blocks)));
            }
            let Some(guard) = lead(&edge, &looked.key).await else { continue };
            let (object, key) = match prove(&edge, &asked, &primary, guard, None, async |_, _| true).await {
                Ok(proved) => proved,
                Err(Unproved::Status(StatusCode::NOT_FOUND)) => return Ok(None),
                Err(unproved) => return Err(Brought::of(unproved)),
            };
            let Body::Complete(blocks) = &object.body else { return Err(Brought::BrokenOff) };
            let blocks = Arc::clone(blocks);
            if path == FRONT && blocks.length() > MAX_FRONT_BYTES {
                return Err(Brought::TooLarge);
            }
            let next = porter.pace.borrow_mut().begin(blocks.length(), Instant::now());
            sleep_until(next).await;
            porter.keep(ask, &asked, &key, &object, until(edge.clock.now()), &watch).await?;
            return Ok(Some(blocks));
        }
        Err(Brought::NoServer)
    }

    fn standing(&self) -> Standing {
        let held = self.paths.iter().filter(|path| self.is_here(path)).count();
        Standing { wanted: self.paths.len(), held }
    }

    /// In all forms, under all hosts.
    fn is_here(&self, path: &str) -> bool {
        let edge = self.porter.edge();
        self.keys(path).into_iter().all(|(_, key)| edge.keeps(&key))
    }

    /// Keeps it no longer than others.
    fn let_go(&self, path: &str) {
        let edge = self.porter.edge();
        edge.memory.unpin(|key| key.site_and_target().1 == path);
        let Some(disk) = &edge.disk else { return };
        for (primary, key) in self.keys(path) {
            // A disk that is behind keeps it until its pin ends by itself.
            let _ = (disk.unpin(&key), key == primary || disk.unpin(&primary));
        }
    }

    fn keys(&self, path: &str) -> Vec<(CacheKey, CacheKey)> {
        let edge = self.porter.edge();
        let asked =
            self.porter.hosts.iter().flat_map(|host| FORMS.map(|form| question(host, path, form))).flatten();
        asked
            .map(|asked| {
                let primary = key_of(&edge, &asked);
                let key = look(&edge, &asked, &primary, Instant::now()).key;
                (primary, key)
            })
            .collect()
    }
}

/// The end of a pin that is set now.
fn until(now: SystemTime) -> SystemTime {
    let step = KEPT_STEP.as_secs();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default() + KEPT;
    UNIX_EPOCH + Duration::from_secs(since.as_secs().div_ceil(step) * step)
}

#[cfg(test)]
mod tests;
