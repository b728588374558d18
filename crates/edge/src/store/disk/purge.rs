//! An order to purge, carried out on the disks: at once for whoever asks, then by key or by the walk, and written down.

use super::head::{Head, Times};
use super::standing::Verdict;
use super::{DiskTier, LOOK_UP_WITHIN};
use crate::key::CacheKey;
use crate::store::{Blocks, Body, Object};
use crate::upstream::Groups;
use ::purge::{Mode, What};
use bytes::Bytes;
use diskstore::{Barrier, Generation, Opening, Seen, Step, Walk};
use httpcache::freshness::{Freshness, StaleUse, State};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What an order meant and the walk or a look by key has met.
pub(crate) struct Met {
    pub(crate) key: CacheKey,
    pub(crate) mode: Mode,
    /// The order that meant it.
    pub(crate) number: u64,
    /// Whether it is a response that is gone now, or stale: not a sign-post, nor one that could not be written.
    pub(crate) counts: bool,
}

/// What one step of the walk came to.
pub(crate) enum Walked {
    /// This was meant.
    Met {
        met: Vec<Met>,
        /// Whether something could not be read: it is gone, and may have been meant by any order.
        lost_some: bool,
    },
    /// A part is through.
    PartEnds,
    /// What lies in this part could not be looked at.
    Away,
}

/// What lies under one key.
enum Lying {
    Nothing,
    Response(Box<Head>, Generation),
    /// A sign-post, one on several disks, or a disk that does not say.
    Unclear,
}

/// What the orders that stand make of something on a disk.
struct Judged {
    mode: Mode,
    /// Since when it is stale, if that is all.
    since: Option<Times>,
    /// It has to be asked about besides.
    doubted: bool,
    /// The order that says so.
    number: u64,
    /// The latest order among those that were asked.
    latest: u64,
}

impl DiskTier {
    /// From this moment on nobody is given what `what` means of all that was put before; gives the order's number.
    pub(crate) fn order(&self, what: What, mode: Mode) -> u64 {
        self.orders.add(what, mode, self.times())
    }

    /// The disks as they are there to be walked over.
    pub(crate) fn openings(&self) -> Vec<Option<Opening>> {
        self.disks.openings()
    }

    /// Objects on each of them.
    pub(crate) fn objects(&self) -> Vec<u64> {
        self.disks.reports().map(|report| report.objects).collect()
    }

    /// The number of the latest order.
    pub(crate) fn latest_order(&self) -> u64 {
        self.orders.latest()
    }

    /// The numbers of those that have not met everything, ascending.
    pub(crate) fn standing_orders(&self) -> Vec<u64> {
        self.orders.standing()
    }

    /// The order has met everything.
    pub(crate) fn drop_order(&self, number: u64) {
        self.orders.drop_order(number);
    }

    /// The order has met everything on these stores, and looks for nothing on others, as they are away.
    pub(crate) fn rest_order(&self, number: u64, through: Vec<u64>) {
        self.orders.rest(number, through);
    }

    /// Whether a disk may lack something of the orders.
    #[cfg(test)]
    pub(crate) fn has_unwritten_orders(&self) -> bool {
        self.orders.is_unwritten()
    }

    /// How often what is to be written down has changed.
    pub(crate) fn changes_of_orders(&self) -> u64 {
        self.orders.changes()
    }

    /// Has it noted when a disk begins to miss something. `owed` are those that did when it was looked last.
    pub(crate) fn note_absences(&self, owed: &mut Vec<String>) {
        let now = self.disks.owed();
        let is_new = now.iter().any(|disk| !owed.contains(disk));
        *owed = now;
        if self.orders.lack_some() || is_new {
            self.orders.note_missed(self.times().unix_ms);
        }
    }

    /// Of which disks it is known that they hang: what they were asked to write they have not written in time, nor since.
    pub(crate) fn hanging(&self) -> Vec<bool> {
        self.barriers.hanging()
    }

    /// Has the orders that stand written down on each disk that is `lacking` them, behind all that was put before; on which that is
    /// done. A restart brings nothing back from there then, nor does a power cut. One that hangs is not asked.
    pub(crate) async fn write_orders(&self, lacking: &[bool]) -> Vec<bool> {
        self.orders.begin_note();
        let note = |hanging: &[bool]| self.note_orders(|at| lacking[at] && !hanging[at]);
        let written = self.barriers.pass(note).await;
        if lacking.iter().zip(&written).any(|(lacks, written)| *lacks && !written) {
            self.orders.not_written();
        }
        written
    }

    /// Has what of the orders is not written down yet written with all else that is.
    pub(super) fn note_orders_at_the_end(&self) {
        if self.orders.is_unwritten() {
            // Waited for with what is queued.
            drop(self.note_orders(|_| true));
        }
    }

    /// Has disks note the orders, as they are when they do; whether each did.
    fn note_orders(&self, asks: impl Fn(usize) -> bool) -> Vec<Barrier> {
        let (orders, now, unix_ms) = (Arc::clone(&self.orders), Instant::now(), self.times().unix_ms);
        self.disks.note(asks, move || orders.to_note(now, unix_ms))
    }

    /// On which disks all is that was done so far. One that hangs is not asked.
    pub(crate) async fn settled(&self) -> Vec<bool> {
        self.barriers.pass(|hanging| self.disks.settle(|at| !hanging[at])).await
    }

    /// Whether it is on all of them.
    #[cfg(test)]
    pub(crate) async fn is_settled(&self) -> bool {
        !self.settled().await.contains(&false)
    }

    /// Carries a standing order for one URL out by its `keys` on the disks that are there; and whether that is all of it there, which
    /// it is not where there are variants.
    pub(crate) async fn purge_keys(
        &self,
        keys: &[CacheKey],
        mode: Mode,
        number: u64,
        groups: &Groups,
    ) -> (Vec<Met>, bool) {
        let (mut met, mut is_all) = (Vec::new(), true);
        for key in keys {
            match self.lying(key).await {
                Lying::Nothing => {}
                Lying::Unclear => is_all = false,
                Lying::Response(head, generation) => {
                    let Some(judged) = self.judge_head(key, &head, generation, groups) else { continue };
                    // Whichever order says so carries that out, and counts it: a head written now would hide it from that.
                    if mode == Mode::Soft && judged.mode == Mode::Hard {
                        continue;
                    }
                    let done = self.carry_out(key, *head, generation, Judged { mode, ..judged });
                    is_all &= done.is_some();
                    if done == Some(true) {
                        met.push(Met { key: key.clone(), mode, number, counts: true });
                    }
                }
            }
        }
        (met, is_all)
    }

    async fn lying(&self, key: &CacheKey) -> Lying {
        match self.disks.holding(key.as_bytes()) {
            0 => return Lying::Nothing,
            1 => {}
            // Of what others took over while a disk was away, the disk that is asked first says nothing.
            _ => return Lying::Unclear,
        }
        match timeout(LOOK_UP_WITHIN, self.disks.look_up(key.as_bytes())).await {
            Ok(Some(stored)) => match (Head::parse(stored.head()), stored.generation()) {
                (Some(head @ Head::Response { .. }), Some(generation)) => {
                    Lying::Response(Box::new(head), generation)
                }
                _ => Lying::Unclear,
            },
            Ok(None) | Err(_) => Lying::Unclear,
        }
    }

    /// Takes the next step of a walk round the disks, and carries out what orders that stand mean of what it comes by.
    pub(crate) async fn walk_on(&self, walk: &mut Walk, groups: &Groups) -> Walked {
        match timeout(LOOK_UP_WITHIN, self.disks.walk_on(walk)).await {
            Ok(Step::Seen { objects, lost }) => Walked::Met {
                met: objects.into_iter().filter_map(|seen| self.meet(seen, groups)).collect(),
                lost_some: lost > 0,
            },
            Ok(Step::PartEnds) => Walked::PartEnds,
            Ok(Step::Away) | Err(_) => Walked::Away,
        }
    }

    fn meet(&self, seen: Seen, groups: &Groups) -> Option<Met> {
        let key = CacheKey::of_bytes(&seen.key)?;
        let head = Head::parse(&seen.head)?;
        let is_response = matches!(head, Head::Response { .. });
        let judged = self.judge_head(&key, &head, seen.generation, groups)?;
        let Judged { mode, number, .. } = judged;
        let done = self.carry_out(&key, head, seen.generation, judged);
        Some(Met { key, mode, number, counts: is_response && done == Some(true) })
    }

    /// What all orders that stand make of a head; `None` where it stays as it is.
    fn judge_head(
        &self,
        key: &CacheKey,
        head: &Head,
        generation: Generation,
        groups: &Groups,
    ) -> Option<Judged> {
        // Before it is judged: an order that comes meanwhile has its turn at the head that is written.
        let latest = self.orders.latest();
        let (orders, headers) = match head {
            Head::Response { orders, headers, .. } => (*orders, Some(headers)),
            Head::Varies { orders, .. } => (*orders, None),
        };
        match self.orders.judge(groups, key, generation.store(), orders, headers) {
            // What is doubted is so until it is asked for.
            Verdict::Kept | Verdict::Doubted => None,
            Verdict::Gone(number) => {
                Some(Judged { mode: Mode::Hard, since: None, doubted: false, number, latest })
            }
            Verdict::Softened { since, number, doubted } => {
                Some(Judged { mode: Mode::Soft, since: Some(since), doubted, number, latest })
            }
        }
    }

    /// Whether something was there to be done; `None` where a disk is behind and does not take it.
    fn carry_out(&self, key: &CacheKey, head: Head, generation: Generation, judged: Judged) -> Option<bool> {
        let bytes = Bytes::copy_from_slice(key.as_bytes());
        match (judged.mode, head) {
            (Mode::Hard, _) => {
                self.disks.remove(&bytes);
                Some(true)
            }
            (Mode::Soft, Head::Response { status, headers, freshness, times, strong_date, .. }) => {
                let now = self.times();
                let was_fresh = times.aged(freshness, now).state(Duration::ZERO) == State::Fresh;
                // The head that is written is held against no order before it: it says itself that it is doubted.
                let freshness = match judged.doubted {
                    true => doubted(times.aged(freshness, now)),
                    false => softened(times, freshness, now, judged.since.unwrap_or(now)),
                };
                let body = Body::Complete(Arc::new(Blocks::default()));
                let object =
                    Object::new(status, headers, freshness, Instant::now(), body).with_date(strong_date);
                let head = Head::write_response(&object, now, judged.latest);
                self.disks.freshen(&bytes, generation, head).then_some(was_fresh)
            }
            (Mode::Soft, Head::Varies { .. }) => Some(false),
        }
    }
}

/// `freshness` of what may be no more: not used in any way before the upstream was asked about it. What that has promised not to
/// change (RFC 8246) stands in for as long as it would have while the upstream is out, since it probably is what it was.
pub(super) fn doubted(freshness: Freshness) -> Freshness {
    let Freshness { lifetime, stale, immutable, .. } = freshness;
    let beyond = stale.if_error.filter(|_| !stale.forbidden).unwrap_or_default();
    // Counted from its beginning, as it has no lifetime any more; the same again when it is doubted once more.
    let if_error = immutable.then_some(lifetime.saturating_add(beyond));
    let stale =
        StaleUse { while_revalidating: Duration::ZERO, if_error, forbidden: !immutable, only_by_word: true };
    Freshness { lifetime: Duration::ZERO, stale, ..freshness }
}

/// `freshness` of a head written at `written`, as it is `now`, when it has been stale from `since` on at the latest.
pub(super) fn softened(written: Times, freshness: Freshness, now: Times, since: Times) -> Freshness {
    let then = written.aged(freshness, since).initial_age;
    let aged = written.aged(freshness, now);
    Freshness { lifetime: aged.lifetime.min(then), ..aged }
}
