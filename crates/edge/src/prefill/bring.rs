//! One thing, brought here, proved and pinned: from what is here already, or from the node's own upstreams.

use super::ledger::{Job, Reach, What};
use super::metrics::{Brought, FillMetrics};
use super::pace::Pace;
use super::proof::{self, Proof};
use crate::edge::Edge;
use crate::fill::{Guard, Landed, Role, Unproved, Watch, prove, read_whole};
use crate::key::CacheKey;
use crate::lookup::Found;
use crate::request::Asked;
use crate::service::{EdgeService, key_of, look};
use crate::store::{Blocks, Body, Loaded, Object};
use dayplan::Plans;
use diskstore::Pinned;
use http::{HeaderValue, Request, header};
use package::{Manifest, PackageId, StorePath};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::time::{Instant, sleep_until};

/// How often a thing is looked at and asked for: two servers may have it wrong, and another fill may be on its way.
const MAX_LOOKS: usize = 6;

/// What bringing needs.
pub(super) struct Porter {
    pub(super) service: EdgeService,
    pub(super) plans: Plans,
    pub(super) hosts: Arc<[String]>,
    pub(super) pace: RefCell<Pace>,
    pub(super) metrics: Arc<FillMetrics>,
}

/// What is here of a thing.
enum Here {
    /// All of it.
    Whole(Arc<Object>, Arc<Blocks>),
    /// There are several forms of it.
    Varies,
    /// Nothing that is whole.
    Absent,
}

/// What has come, where more follows from it.
pub(super) type Paper = Option<Manifest>;

impl Porter {
    pub(super) fn edge(&self) -> Rc<Edge> {
        self.service.edge()
    }

    /// Brings the thing of `job`, in all forms that clients ask for, under all hosts. Gives the manifest when it was that.
    pub(super) async fn bring(&self, job: &Job, manifest: Option<Arc<Manifest>>) -> Result<Paper, Brought> {
        let edge = self.edge();
        let thing = Thing::of(job, manifest.as_deref()).ok_or(Brought::Wrong)?;
        if thing.bytes > edge.memory.largest_object() {
            return Err(Brought::TooLarge);
        }
        let mut paper = None;
        if job.reach == Reach::Here && !thing.is_text && edge.disk.is_some() {
            return if self.is_kept(&thing, job).await { Ok(None) } else { Err(Brought::Absent) };
        }
        for &form in thing.forms() {
            let (object, blocks) = self.bring_form(&thing, form, job).await?;
            if job.what == What::Manifest && paper.is_none() {
                paper = proof::manifest(&object, &blocks);
            }
        }
        Ok(paper)
    }

    /// Whether a disk has kept it, and will until the plan lets it go. Only what was proved is ever pinned, so it need not be read.
    async fn is_kept(&self, thing: &Thing, job: &Job) -> bool {
        let edge = self.edge();
        let Some(disk) = edge.disk.as_ref() else { return false };
        for host in self.hosts.iter() {
            let Some(asked) = thing.asked(host, None) else { return false };
            let key = key_of(&edge, &asked);
            if !disk.is_pinned(&key) || disk.pin(&key, self.until(job)).await != Pinned::Kept {
                return false;
            }
        }
        true
    }

    /// The end of its pin by the wall clock, from which a node may live away.
    fn until(&self, job: &Job) -> SystemTime {
        let left = job.pin_until.duration_since(self.plans.now());
        self.edge().clock.now() + Duration::try_from(left).unwrap_or_default()
    }

    /// Whether all forms of it are still here.
    pub(super) fn has(&self, job: &Job, manifest: Option<Arc<Manifest>>) -> bool {
        let edge = self.edge();
        let Some(thing) = Thing::of(job, manifest.as_deref()) else { return false };
        self.hosts.iter().all(|host| {
            thing.forms().iter().all(|form| {
                let Some(asked) = thing.asked(host, *form) else { return false };
                let primary = key_of(&edge, &asked);
                if !thing.is_text {
                    return edge.keeps(&primary);
                }
                let looked = look(&edge, &asked, &primary, Instant::now());
                edge.keeps(&looked.key)
            })
        })
    }

    /// Has the disk keep it no longer than others. `false`: the disk is behind, and is asked again later.
    ///
    /// A text whose forms the memory has forgotten is let go when its pin ends by itself.
    pub(super) fn let_go(&self, job: &Job, manifest: Option<&Manifest>) -> bool {
        let edge = self.edge();
        let (Some(disk), Some(thing)) = (edge.disk.as_ref(), Thing::of(job, manifest)) else { return true };
        let asked =
            thing.forms().iter().flat_map(|form| self.hosts.iter().map(|host| thing.asked(host, *form)));
        asked.flatten().all(|asked| {
            let primary = key_of(&edge, &asked);
            let key = if thing.is_text {
                look(&edge, &asked, &primary, Instant::now()).key
            } else {
                primary.clone()
            };
            disk.unpin(&key) && (key == primary || disk.unpin(&primary))
        })
    }

    async fn bring_form(
        &self,
        thing: &Thing,
        form: Option<&'static str>,
        job: &Job,
    ) -> Result<(Arc<Object>, Arc<Blocks>), Brought> {
        let edge = self.edge();
        let host = self.hosts.first().ok_or(Brought::NoServer)?;
        let asked = thing.asked(host, form).ok_or(Brought::Wrong)?;
        let primary = key_of(&edge, &asked);
        let (mut avoid, mut paced, mut trouble) = (None, false, Brought::NoServer);
        let watch = || self.watch(|host| thing.asked(host, form));
        for _ in 0..MAX_LOOKS {
            let mut watched = watch();
            let looked = look(&edge, &asked, &primary, Instant::now());
            let here = match self.here(&looked.key, looked.found, &asked).await {
                Here::Whole(object, blocks) => Some((object, blocks)),
                // Under another key, which is known now.
                Here::Varies => continue,
                Here::Absent => None,
            };
            let was_here = here.is_some();
            if let Some((object, blocks)) = here {
                if thing.proof.holds(&object, &blocks).await {
                    let ask = |host: &str| thing.asked(host, form);
                    self.keep(ask, &asked, &looked.key, &object, self.until(job), &watched).await?;
                    let outcome = if paced { Brought::Fetched } else { Brought::Held };
                    self.metrics.brought(outcome, 0);
                    return Ok((object, blocks));
                }
                self.metrics.brought(Brought::Wrong, 0);
                // Wrong bytes are nobody's answer. A pointer to another package is one, until the plan's own takes its place.
                if thing.proof.is_of_bytes() {
                    edge.flights.forget(&primary, || edge.remove(&looked.key));
                    watched = watch();
                }
            }
            if job.reach == Reach::Here {
                return Err(Brought::Absent);
            }
            if !std::mem::replace(&mut paced, true) {
                let begin = self.pace.borrow_mut().begin(thing.bytes, Instant::now());
                sleep_until(begin).await;
            }
            let looked = look(&edge, &asked, &primary, Instant::now());
            // A client has had it fetched meanwhile.
            if !was_here && is_whole(&looked.found) {
                continue;
            }
            let Some(guard) = lead(&edge, &looked.key).await else { continue };
            let right = async |object: &Object, blocks: &Blocks| thing.proof.holds(object, blocks).await;
            match prove(&edge, &asked, &primary, guard, avoid, right).await {
                Ok((object, key)) => {
                    let Body::Complete(blocks) = &object.body else { return Err(Brought::BrokenOff) };
                    let blocks = Arc::clone(blocks);
                    self.metrics.brought(Brought::Fetched, blocks.length());
                    let ask = |host: &str| thing.asked(host, form);
                    self.keep(ask, &asked, &key, &object, self.until(job), &watched).await?;
                    return Ok((object, blocks));
                }
                Err(Unproved::Wrong(server)) => {
                    tracing::error!(
                        path = thing.path,
                        server,
                        "an upstream sent other bytes than the plan names"
                    );
                    self.metrics.brought(Brought::Wrong, 0);
                    // Once more, from elsewhere.
                    if avoid.replace(server).is_some() {
                        return Err(Brought::Wrong);
                    }
                    trouble = Brought::Wrong;
                }
                Err(unproved) => {
                    tracing::debug!(path = thing.path, ?unproved, "not brought");
                    return Err(Brought::of(unproved));
                }
            }
        }
        Err(trouble)
    }

    /// What is here, whole. On the disk it may be, and what it is found to vary by is then known.
    async fn here(&self, key: &CacheKey, found: Found, asked: &Asked) -> Here {
        let object = match found {
            Found::Fresh(object) | Found::StaleWhileRevalidate(object) | Found::Stale(object, _) => object,
            Found::Pass => return Here::Absent,
            Found::Miss(_) => {
                let edge = self.edge();
                let Some(disk) = edge.disk.as_ref() else { return Here::Absent };
                match disk.load(key, edge.upstream.groups()).await {
                    Some(Loaded::Response(mut kept)) => {
                        let Some(object) = read_whole(&edge, &mut kept).await else { return Here::Absent };
                        object
                    }
                    Some(Loaded::InBlocks(_)) | None => return Here::Absent,
                    Some(Loaded::Varies(_)) => {
                        // Looked up again where a purge or a change can reach it.
                        if let Some(guard) = lead(&edge, key).await {
                            crate::fill::load(Rc::clone(&edge), asked.clone(), key.clone(), guard, None)
                                .await;
                        }
                        return Here::Varies;
                    }
                }
            }
        };
        match &object.body {
            Body::Complete(blocks) => {
                let blocks = Arc::clone(blocks);
                Here::Whole(object, blocks)
            }
            Body::Growing(_) | Body::Sparse(_) | Body::Passing(_) => Here::Absent,
        }
    }

    /// Watches what is to be kept, under all hosts, from before it is looked at: what is purged meanwhile must not be put back.
    pub(super) fn watch(&self, ask: impl Fn(&str) -> Option<Box<Asked>>) -> Watch {
        let edge = self.edge();
        let asked = self.hosts.iter().filter_map(|host| ask(host));
        edge.flights.watch(asked.map(|asked| key_of(&edge, &asked)).collect())
    }

    /// Keeps `object`, which stands under `key`, until then, also under the other hosts; `ask` is the question at a host.
    pub(super) async fn keep(
        &self,
        ask: impl Fn(&str) -> Option<Box<Asked>>,
        asked: &Asked,
        key: &CacheKey,
        object: &Arc<Object>,
        until: SystemTime,
        watch: &Watch,
    ) -> Result<(), Brought> {
        let edge = self.edge();
        let primary = key_of(&edge, asked);
        let keep = async |key: &CacheKey, primary: &CacheKey| match edge
            .keep_until(key, primary, object, until, watch)
            .await
        {
            Pinned::Kept => Ok(()),
            _ if !watch.is_current() => Err(Brought::Overtaken),
            Pinned::NoRoom => Err(Brought::NoRoom),
            Pinned::NotThere | Pinned::Away => Err(Brought::NotPinned),
        };
        keep(key, &primary).await?;
        for host in self.hosts.iter().skip(1) {
            let alias = ask(host).ok_or(Brought::Wrong)?;
            let alias_primary = key_of(&edge, &alias);
            let alias_key = crate::fill::store_as(&edge, &alias, &alias_primary, object, watch)
                .ok_or(Brought::Overtaken)?;
            keep(&alias_key, &alias_primary).await?;
        }
        Ok(())
    }

    /// Some part of a whole that is this node's for good: nodes that do something each minute do it apart.
    pub(super) fn share(&self) -> f64 {
        self.service.edge().identity.share()
    }
}

/// Whether all of it has been found in memory.
fn is_whole(found: &Found) -> bool {
    match found {
        Found::Fresh(object) | Found::StaleWhileRevalidate(object) | Found::Stale(object, _) => {
            matches!(object.body, Body::Complete(_))
        }
        Found::Pass | Found::Miss(_) => false,
    }
}

/// The right to fill `key`; `None`, once another's fill of it is over: what it has brought is to be looked at.
pub(super) async fn lead(edge: &Edge, key: &CacheKey) -> Option<Guard> {
    match edge.flights.join(key, Instant::now(), || None::<()>).ok()? {
        Role::Lead(_, guard) => Some(guard),
        Role::Follow(flight) => {
            follow(flight.landed().await).await;
            None
        }
    }
}

/// Waits until another's fill is over.
async fn follow(landed: Landed) {
    let Landed::Fetched { object, .. } = landed else { return };
    if let Some(mut reader) = object.body.reader(None) {
        while let Some(Ok(_)) = std::future::poll_fn(|cx| reader.poll_piece(cx)).await {}
    }
}

/// A thing as it is asked for.
struct Thing {
    path: String,
    bytes: u64,
    is_text: bool,
    proof: Proof,
}

impl Thing {
    fn of(job: &Job, manifest: Option<&Manifest>) -> Option<Self> {
        let package: PackageId = job.package;
        let thing = |path: StorePath, bytes, proof| {
            let is_text = path.media_type().is_some_and(|media_type| media_type.is_text());
            Self { path: format!("/{path}"), bytes, is_text, proof }
        };
        Some(match &job.what {
            What::Manifest => thing(package.manifest(), 0, Proof::ManifestOf(package)),
            What::Pointer(lesson) => thing(lesson.pointer(), 0, Proof::Names(package)),
            What::Description(lesson) => thing(lesson.description(), 0, Proof::Names(package)),
            What::Object(at) => {
                let object = manifest?.objects.get(usize::try_from(*at).ok()?)?;
                thing(package.object(&object.path), object.bytes, Proof::Sum(object.sha256, object.bytes))
            }
        })
    }

    /// Texts are there plain and packed, each for who asks for it.
    const fn forms(&self) -> &'static [Option<&'static str>] {
        if self.is_text { &[None, Some("gzip")] } else { &[None] }
    }

    /// The question for it, as a client's would be that takes `form`.
    fn asked(&self, host: &str, form: Option<&'static str>) -> Option<Box<Asked>> {
        let mut asked = question(host, &self.path, form)?;
        asked.planned = true;
        Some(asked)
    }
}

/// The question for what is at `path`, as a client's would be that takes `form`.
pub(super) fn question(host: &str, path: &str, form: Option<&'static str>) -> Option<Box<Asked>> {
    let mut request = Request::builder().uri(path).header(header::HOST, host);
    if let Some(form) = form {
        request = request.header(header::ACCEPT_ENCODING, HeaderValue::from_static(form));
    }
    Asked::read(request.body(()).ok()?.into_parts().0, Instant::now()).ok()
}
