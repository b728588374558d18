//! What a process at work is told, by signals and by its admin listener:
//!
//! | told | by | then |
//! |---|---|---|
//! | stop | SIGTERM, SIGINT, `POST /drain` | no new connections, running answers go on, the process ends; a second signal cuts them |
//! | reload | SIGHUP, `POST /reload` | the configuration is read again: all of it comes into force, or nothing |
//! | make way | the handover socket | another process accepts from here on; this one ends when it has answered, or is told to stop |
//!
//! Behind the last answer a service closes what it has open, for which it has bounds of its own; a signal meanwhile ends the process
//! at that moment.

use super::{Offer, Running};
use crate::quic::read_mail;
use crate::server::ServeError;
use faults::AnyFault;
use nix::sys::signal::{SigSet, Signal};
use std::sync::Arc;
use std::time::Duration;
use telemetry::{Admin, Check, Order, Told};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal as Signals, SignalKind, signal};
use tokio::sync::oneshot;
use tokio::time::{Instant, interval_at};

/// How often certificates and ticket keys are looked at. Who renews a certificate does so weeks before.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// To who says so, however often.
const DRAINING: &str = "draining; /readyz says how many connections are left";
/// How often a process that is ending says how far it is.
const SAY_EVERY: Duration = Duration::from_secs(1);
/// The exit status of a process that was told to end while it was closing what it had open, as a shell says it.
const INTERRUPTED: i32 = 130;

/// Reads the configuration again and brings it into force, all of it or nothing; says what has changed.
pub type Reread<'a> = Box<dyn FnMut(&Running) -> Result<String, AnyFault> + 'a>;

/// Has the kernel keep a SIGHUP until [`serve_until_told`] hears it: a reload that is asked for while disks are being opened
/// would end the process. To be called before the first thread is started, since threads inherit it.
///
/// # Errors
/// [`ServeError`] when the kernel refuses, which no kernel does.
pub fn hold_hang_ups() -> Result<(), ServeError> {
    hang_ups().thread_block().map_err(|error| ServeError { core: 0, source: error.into() })
}

fn hang_ups() -> SigSet {
    SigSet::from_iter([Signal::SIGHUP])
}

/// Runs until SIGTERM or SIGINT, then drains. A second signal cuts what is left. SIGHUP reads certificates again.
///
/// # Errors
/// [`ServeError`] when the signals cannot be listened for.
pub fn run_until_signalled(running: Running, admin: &Admin) -> Result<(), AnyFault> {
    let reread: Reread<'_> = Box::new(|running| {
        let config = running.config.borrow().clone();
        running.reconfigure(&config)?;
        Ok("certificates and ticket keys read again".to_owned())
    });
    serve_until_told(running, admin, reread).map(|_| ())
}

/// How a server has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// What it had begun has been answered, or has had its time.
    Answered,
    /// At a second signal, which cut running answers: somebody is in a hurry.
    Cut,
}

/// The signals that stop a process.
struct Stops {
    terminate: Signals,
    interrupt: Signals,
}

impl Stops {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! { _ = self.terminate.recv() => {}, _ = self.interrupt.recv() => {} }
    }

    /// Ends the process at the next one, whatever the thread that asks is doing by then.
    fn end_at_next(mut self, runtime: Runtime) -> std::io::Result<()> {
        let wait = move || {
            runtime.block_on(self.next());
            tracing::warn!(
                "ended at another signal; what was still being closed is left as a crash leaves it"
            );
            telemetry::finish_logs();
            std::process::exit(INTERRUPTED);
        };
        std::thread::Builder::new().name("signals".to_owned()).spawn(wait).map(drop)
    }
}

/// Why a server ends.
enum Wish {
    Stop,
    MakeWay,
}

/// Runs until it is told to end; see the table above. `admin` goes to the next process together with the listeners. Where this
/// returns, the next signal ends the process at once.
///
/// # Errors
/// [`ServeError`] when the signals cannot be listened for, [`crate::HandoverError`] when the process before this one
/// does not go.
pub fn serve_until_told(
    mut running: Running,
    admin: &Admin,
    mut reread: Reread<'_>,
) -> Result<Ended, AnyFault> {
    let failed = |source| ServeError { core: 0, source };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let (mut taken_over, mail) = match running.offer(admin)? {
        Some(Offer { taken_over, mail }) => (Some(taken_over), mail),
        None => (None, None),
    };
    let telemetry = running.telemetry.clone();
    let lanes = Arc::clone(&running.lanes);
    let (ended, stops) = runtime.block_on(async {
        if let Some(mail) = mail {
            drop(tokio::spawn(async move {
                if let Err(error) = read_mail(mail, lanes).await {
                    tracing::warn!(%error, "packets of our QUIC connections come no more");
                }
            }));
        }
        let mut stops = Stops::listen().map_err(failed)?;
        let mut hang_up = signal(SignalKind::hangup()).map_err(failed)?;
        // One that has come since the start is heard now.
        hang_ups().thread_unblock().map_err(|error| failed(error.into()))?;
        let mut look = interval_at(Instant::now() + LOOK_EVERY, LOOK_EVERY);
        let wish = loop {
            tokio::select! {
                biased;
                // First of all: an order that is to be for whoever serves is not for this process any more.
                () = heard(&mut taken_over) => break Wish::MakeWay,
                () = stops.next() => break Wish::Stop,
                _ = hang_up.recv() => drop(reload(&running, &mut reread)),
                order = telemetry.orders.next() => match order {
                    Told { order: Order::Reload, answer } => answer.give(reload(&running, &mut reread)),
                    Told { order: Order::Drain, answer } => {
                        answer.give(Ok(DRAINING.to_owned()));
                        break Wish::Stop;
                    }
                },
                _ = look.tick() => running.look_at_files(),
            }
        };
        let mut hurries = matches!(wish, Wish::Stop);
        let mut why = match wish {
            Wish::Stop => {
                tracing::info!("stopping: no new connections, running answers go on");
                running.drain();
                "stopping"
            }
            Wish::MakeWay => {
                tracing::info!(
                    "another process has taken over; running answers and open connections end here"
                );
                admin.stop();
                running.give_way();
                "another process has taken over"
            }
        };
        let (connections, drain) = (running.connections.clone(), Arc::clone(&running.drain));
        let mut joined = tokio::task::spawn_blocking(move || running.join());
        let mut say = interval_at(Instant::now() + SAY_EVERY, SAY_EVERY);
        let mut said = None;
        let ended = loop {
            tokio::select! {
                _ = &mut joined => {
                    tracing::info!("stopped");
                    break Ended::Answered;
                }
                () = stops.next() => match std::mem::replace(&mut hurries, true) {
                    true => {
                        tracing::warn!("stopped at the second signal; running answers are cut");
                        break Ended::Cut;
                    }
                    false => {
                        // Other processes' requests are none of its business any more: what is left here has the drain limit.
                        tracing::info!("stopping: running answers go on");
                        why = "stopping";
                        drain.begin();
                    }
                },
                Told { order, answer } = telemetry.orders.next() => answer.give(match order {
                    Order::Reload => Err(format!("{why}: the process is ending")),
                    Order::Drain if hurries => Ok(DRAINING.to_owned()),
                    // The other process would serve on, and whoever asked would not know.
                    Order::Drain => Err(format!("{why}: ask again, and that one drains")),
                }),
                _ = say.tick() => {
                    let open = connections.open();
                    // A line for each step, not for each of ten minutes' seconds.
                    if said.replace(open) != Some(open) {
                        tracing::info!(connections = open, "ending");
                    }
                    let left = format!("{why}: {open} connections left");
                    telemetry.readiness.fail(Check::NotDraining, left);
                }
            }
        };
        Ok::<_, ServeError>((ended, stops))
    })?;
    // The blocking join may still run after a second signal; it is not waited for.
    stops.end_at_next(runtime).map_err(failed)?;
    Ok(ended)
}

/// One line in the log, whichever way it went.
fn reload(running: &Running, reread: &mut Reread<'_>) -> Result<String, String> {
    let result = reread(running);
    running.metrics.reloaded(result.is_ok());
    match result {
        Ok(changed) => {
            tracing::info!("reload: {changed}");
            Ok(changed)
        }
        Err(fault) => {
            let why = running.config.borrow().sandbox.explain(fault.line());
            tracing::error!("reload refused, the old configuration stays: {why}");
            Err(why)
        }
    }
}

/// Waits until another process has taken over; for ever when none can.
async fn heard(taken_over: &mut Option<oneshot::Receiver<()>>) {
    if let Some(receiver) = taken_over {
        if receiver.await.is_ok() {
            return;
        }
        // The thread that would have told us is gone, which it has logged.
        *taken_over = None;
    }
    std::future::pending().await
}
