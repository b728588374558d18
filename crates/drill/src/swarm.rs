//! The players of a drill, on as many threads as there are cores: each thread has one runtime, its share of the players, and
//! one task that looks at all of them once a second.

mod pulse;

pub(crate) use pulse::{Beat, Pulse};

use crate::downloads::{Taken, download};
use crate::error::DrillError;
use crate::line::Line;
use crate::node::Node;
use crate::player::{Manners, Viewer, World, watch};
use crate::script::{Bell, Ticket, most_at_once};
use crate::tally::{Meter, Names, Tally};
use http::uri::PathAndQuery;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::sync::watch::Receiver;
use tokio::task::{JoinSet, LocalSet};
use tokio::time::{Instant, sleep_until};

/// Everything that is known before the first player comes.
pub(crate) struct Drill {
    pub(crate) nodes: Vec<Arc<Node>>,
    pub(crate) bells: Vec<Bell>,
    pub(crate) tickets: Vec<Ticket>,
    pub(crate) manners: Manners,
    pub(crate) names: Arc<Names>,
    /// Files that are downloaded beside, one each.
    pub(crate) downloads: Vec<PathAndQuery>,
    pub(crate) threads: usize,
    /// After which nobody plays any more, by the clock on the wall.
    pub(crate) limit: Duration,
}

/// What the threads' figures are made every.
pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// Threads at work.
pub(crate) struct Swarm {
    threads: Vec<JoinHandle<std::io::Result<Tally>>>,
    pub(crate) pulses: Vec<Arc<Pulse>>,
    /// Nothing is ever sent: it closes when the last thread lets go of its end.
    at_work: mpsc::Receiver<()>,
}

impl Swarm {
    /// Starts all threads. They end by themselves, or soon after `stop` says so.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub(crate) fn start(
        drill: &Arc<Drill>,
        begins: Instant,
        stop: &Receiver<bool>,
    ) -> Result<Self, DrillError> {
        let pulses: Vec<Arc<Pulse>> = (0..drill.threads).map(|_| Arc::default()).collect();
        let (working, at_work) = mpsc::channel(1);
        let start = |(index, pulse): (usize, &Arc<Pulse>)| {
            let (drill, pulse, stop, working) =
                (Arc::clone(drill), Arc::clone(pulse), stop.clone(), working.clone());
            std::thread::Builder::new().name(format!("drill-{index}")).spawn(move || {
                let tally = work(&drill, index, begins, &pulse, stop);
                drop(working);
                tally
            })
        };
        let threads = pulses.iter().enumerate().map(start).collect::<std::io::Result<_>>()?;
        Ok(Self { threads, pulses, at_work })
    }

    /// Waits until all threads have ended.
    pub(crate) async fn ended(&mut self) {
        self.at_work.recv().await;
    }

    /// Waits for all threads and adds up what they have.
    ///
    /// # Errors
    /// When a thread could not work.
    pub(crate) fn join(self, groups: usize) -> Result<Tally, DrillError> {
        let mut all = Tally::new(groups);
        for thread in self.threads {
            let tally = thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            all.add(tally?);
        }
        Ok(all)
    }
}

impl Drill {
    /// Bell × node.
    pub(crate) fn groups(&self) -> usize {
        self.bells.len() * self.nodes.len()
    }

    fn group(&self, ticket: &Ticket) -> usize {
        ticket.bell as usize * self.nodes.len() + ticket.node as usize
    }

    /// Players at the same time.
    pub(crate) fn most_at_once(&self) -> u64 {
        (most_at_once(&self.bells, &self.tickets, self.manners.watch, self.manners.speed)
            + self.downloads.len()) as u64
    }
}

/// One thread.
fn work(
    drill: &Drill,
    index: usize,
    begins: Instant,
    pulse: &Arc<Pulse>,
    mut stop: Receiver<bool>,
) -> std::io::Result<Tally> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let world = World::new(drill.manners.clone(), drill.groups(), Arc::clone(&drill.names));
    let meters: Rc<[Rc<Meter>]> = (0..drill.groups()).map(|_| Rc::default()).collect();
    let (taken, beside_meter) = (Rc::<RefCell<Taken>>::default(), Rc::<Meter>::default());
    let mut players = JoinSet::new();
    LocalSet::new().block_on(&runtime, async {
        let beside = spawn_downloads(drill, index, &taken, &beside_meter);
        let sampler = tokio::task::spawn_local(sample(
            Rc::clone(&world),
            Rc::clone(&meters),
            Arc::clone(pulse),
            begins,
        ));
        tokio::select! {
            () = admit(drill, index, begins, &world, &meters, &mut players) => {}
            _ = stop.wait_for(|stop| *stop) => {}
            () = sleep_until(begins + drill.limit) => {}
        }
        // Who is still there counts what has been seen.
        players.shutdown().await;
        drop(beside);
        sampler.abort();
        let _ = sampler.await;
    });
    look(&world, &meters, pulse, Instant::now());
    let mut tally = world.tally.replace(Tally::new(0));
    tally.downloads = Taken { bytes: beside_meter.take().bytes, ..*taken.borrow() };
    Ok(tally)
}

/// Begins this thread's downloads, which are no players and in no figure of theirs. They end when the set is dropped.
fn spawn_downloads(
    drill: &Drill,
    index: usize,
    taken: &Rc<RefCell<Taken>>,
    meter: &Rc<Meter>,
) -> JoinSet<()> {
    let mut beside = JoinSet::new();
    for (number, path) in drill.downloads.iter().enumerate().skip(index).step_by(drill.threads) {
        let line = Line::new(&drill.nodes[number % drill.nodes.len()], meter);
        let (path, taken) = (path.clone(), Rc::clone(taken));
        beside.spawn_local(async move { download(line, path, &taken).await });
    }
    beside
}

/// Lets this thread's players in, each at its time, and waits until the last has gone.
async fn admit(
    drill: &Drill,
    index: usize,
    begins: Instant,
    world: &Rc<World>,
    meters: &[Rc<Meter>],
    players: &mut JoinSet<()>,
) {
    for ticket in drill.tickets.iter().skip(index).step_by(drill.threads) {
        sleep_until(begins + ticket.at).await;
        let group = drill.group(ticket);
        let line = || Line::new(&drill.nodes[ticket.node as usize], &meters[group]);
        let path = drill.bells[ticket.bell as usize].shows[ticket.show as usize].path.clone();
        let viewer = Viewer { group, path, av1: ticket.av1 };
        players.spawn_local(watch(Rc::clone(world), viewer, [line(), line()]));
        // Those that have gone leave their place.
        while players.try_join_next().is_some() {}
    }
    while players.join_next().await.is_some() {}
}

/// Looks at everything once a second.
async fn sample(world: Rc<World>, meters: Rc<[Rc<Meter>]>, pulse: Arc<Pulse>, begins: Instant) {
    for second in 1.. {
        let due = begins + SECOND * second;
        sleep_until(due).await;
        let now = Instant::now();
        look(&world, &meters, &pulse, now);
        let mut tally = world.tally.borrow_mut();
        tally.latest = tally.latest.max(now.saturating_duration_since(due));
    }
}

fn look(world: &World, meters: &[Rc<Meter>], pulse: &Pulse, now: Instant) {
    let screens = world.seats.look(now);
    let mut tally = world.tally.borrow_mut();
    tally.screens.push(screens);
    let mut bytes = 0;
    for (group, meter) in tally.groups.iter_mut().zip(meters) {
        let reading = meter.take();
        group.seconds.push(reading.bytes);
        group.connections += reading.connections;
        bytes += reading.bytes;
    }
    let errors = tally.groups.iter().flat_map(|group| group.errors).sum();
    let arrived = tally.groups.iter().map(|group| group.arrived).sum();
    pulse.beat(Beat { screens, bytes, errors, arrived });
}
