//! What the kernel says is used.

use super::pressure::{Reason, Samples};
use super::{Caps, limits};
use serve::Load;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// Clock ticks a second in /proc/self/stat: the same on every Linux that we know.
const TICKS: f64 = 100.0;

/// How often each core says that it is there.
const TICK: Duration = Duration::from_millis(100);
/// A core that is always busy and comes in time is well used. By so much it must be late to be short of computing time;
/// half of it is where shares begin to count.
const LATE: f64 = 0.2;

/// How late cores are with what they had planned. One for all.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ticker(Arc<AtomicU64>);

impl Ticker {
    /// Runs on each core for as long as the core does.
    pub(crate) async fn run(self) {
        loop {
            let due = Instant::now() + TICK;
            tokio::time::sleep_until(due).await;
            let late = Instant::now().saturating_duration_since(due);
            self.0.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
        }
    }

    /// The worst since it was last asked.
    pub(crate) fn worst(&self) -> Duration {
        Duration::from_micros(self.0.swap(0, Ordering::Relaxed))
    }
}

/// Remembers what counters were at the last look.
#[derive(Debug)]
pub(crate) struct Machine {
    cpu_limit: f64,
    /// Pages of TCP buffers, all sockets of the machine together, from which on the kernel takes memory away from each.
    socket_limit: Option<f64>,
    last: Option<(Instant, f64, u64)>,
}

impl Machine {
    pub(crate) fn new(caps: &Caps) -> Self {
        let cores = caps.cores as f64;
        let socket_limit = read("/proc/sys/net/ipv4/tcp_mem").as_deref().and_then(socket_pressure);
        Self { cpu_limit: limits::cpu().map_or(cores, |quota| quota.min(cores)), socket_limit, last: None }
    }

    /// `late`: by how much a core was late at worst; `sent`: bytes sent so far. Of memory and disks it knows nothing.
    pub(crate) fn sample(
        &mut self,
        caps: &Caps,
        late: Duration,
        sent: u64,
        load: &Load,
        now: Instant,
    ) -> Samples {
        let cpu = read("/proc/self/stat").as_deref().and_then(cpu_seconds).unwrap_or_default();
        let (then, cpu_then, sent_then) = self.last.replace((now, cpu, sent)).unwrap_or((now, cpu, sent));
        let span = now.duration_since(then).as_secs_f64().max(f64::MIN_POSITIVE);
        let mut samples = Samples::default();
        samples[Reason::Cpu.index()] = cpu_share((cpu - cpu_then) / span / self.cpu_limit, late);
        if let Some(cap) = caps.bandwidth {
            samples[Reason::Bandwidth.index()] =
                sent.saturating_sub(sent_then) as f64 * 8.0 / span / (cap.0 as f64).max(1.0);
        }
        if let Some(limit) = self.socket_limit {
            let pages = read("/proc/self/net/sockstat").as_deref().and_then(socket_pages);
            samples[Reason::Sockets.index()] = pages.unwrap_or_default() / limit;
        }
        samples[Reason::Connections.index()] = load.share();
        samples
    }
}

fn cpu_share(busy: f64, late: Duration) -> f64 {
    busy.min(0.5 + late.as_secs_f64() / LATE)
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// User and system time: the 14th and 15th field, counted behind the name, which may hold anything.
fn cpu_seconds(text: &str) -> Option<f64> {
    let mut fields = text.rsplit_once(") ")?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// The second of three numbers: below the first nobody is squeezed, above the last nobody gets any more.
fn socket_pressure(text: &str) -> Option<f64> {
    text.split_whitespace().nth(1)?.parse().ok().filter(|&pages: &f64| pages > 0.0)
}

/// `TCP: inuse 536 orphan 0 tw 11 alloc 536 mem 87`, in pages.
fn socket_pages(text: &str) -> Option<f64> {
    let mut words = text.lines().find_map(|line| line.strip_prefix("TCP:"))?.split_whitespace();
    words.find(|word| *word == "mem")?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use units::ByteCount;

    #[test]
    fn what_the_kernel_writes() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(socket_pressure("287901\t383869\t575802\n"), Some(383_869.0));
        let sockets =
            "sockets: used 562\nTCP: inuse 536 orphan 0 tw 11 alloc 536 mem 87\nUDP: inuse 1 mem 0\n";
        assert_eq!(socket_pages(sockets), Some(87.0));
        for nonsense in ["", "a", ") ", "1 (x) S", "TCP: mem"] {
            assert_eq!((socket_pressure(nonsense), socket_pages(nonsense)), (None, None));
            assert_eq!(cpu_seconds(nonsense), None);
        }
    }

    #[test]
    fn a_prompt_core_is_no_pressure() {
        let millis = Duration::from_millis;
        assert!(cpu_share(1.0, millis(5)) < 0.75);
        assert!(cpu_share(0.2, millis(900)) < 0.75);
        assert!(cpu_share(1.0, millis(100)) > 0.95);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let caps = Caps { bandwidth: None, ram: ByteCount::mib(1), memory: None, cores: 1, shed: true };
        let mut machine = Machine::new(&caps);
        let load = Load::default();
        machine.sample(&caps, Duration::ZERO, 0, &load, Instant::now());
        assert!(machine.socket_limit.is_some() && machine.cpu_limit > 0.0);
        let samples = machine.sample(&caps, Duration::ZERO, 0, &load, Instant::now());
        assert!(samples.iter().all(|share| share.is_finite()), "{samples:?}");
    }
}
