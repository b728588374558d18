//! What the kernel says is used.

use super::Caps;
use super::pressure::{Reason, Samples};
use serve::Load;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use telemetry::Label;
use tokio::time::Instant;

/// Clock ticks a second in /proc/self/stat: the same on every Linux that we know.
const TICKS: f64 = 100.0;
/// Bytes of a page in /proc/self/statm where nobody says otherwise.
const PAGE: f64 = 4_096.0;

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
    memory_limit: Option<f64>,
    /// Pages of TCP buffers, all sockets of the machine together, from which on the kernel takes memory away from each.
    socket_limit: Option<f64>,
    last: Option<(Instant, f64, u64)>,
}

impl Machine {
    pub(crate) fn new(caps: &Caps) -> Self {
        let cores = caps.cores as f64;
        let quota = read("/sys/fs/cgroup/cpu.max").as_deref().and_then(cpu_quota);
        let cgroup = read("/sys/fs/cgroup/memory.max").and_then(|text| text.trim().parse().ok());
        let total = read("/proc/meminfo").as_deref().and_then(total_memory);
        let memory_limit = match (cgroup, total) {
            (Some(a), Some(b)) => Some(f64::min(a, b)),
            (a, b) => a.or(b),
        };
        let socket_limit = read("/proc/sys/net/ipv4/tcp_mem").as_deref().and_then(socket_pressure);
        Self {
            cpu_limit: quota.map_or(cores, |quota| quota.min(cores)),
            memory_limit,
            socket_limit,
            last: None,
        }
    }

    /// `late`: by how much a core was late at worst; `sent` and `cached`: bytes sent so far, and held in the RAM tier.
    pub(crate) fn sample(
        &mut self,
        caps: &Caps,
        late: Duration,
        sent: u64,
        cached: u64,
        load: &Load,
        now: Instant,
    ) -> Samples {
        let cpu = read("/proc/self/stat").as_deref().and_then(cpu_seconds).unwrap_or_default();
        let resident = read("/proc/self/statm").as_deref().and_then(resident).unwrap_or_default();
        let (then, cpu_then, sent_then) = self.last.replace((now, cpu, sent)).unwrap_or((now, cpu, sent));
        let span = now.duration_since(then).as_secs_f64().max(f64::MIN_POSITIVE);
        let mut samples = Samples::default();
        samples[Reason::Cpu.index()] = cpu_share((cpu - cpu_then) / span / self.cpu_limit, late);
        if let Some(cap) = caps.bandwidth {
            samples[Reason::Bandwidth.index()] =
                sent.saturating_sub(sent_then) as f64 * 8.0 / span / (cap.0 as f64).max(1.0);
        }
        if let Some(limit) = self.memory_limit {
            samples[Reason::Memory.index()] = memory_share(resident, cached as f64, limit, caps.ram.0 as f64);
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

/// The RAM tier is meant to be full; what counts is the room beside it. Without room nothing can be said.
fn memory_share(resident: f64, cached: f64, limit: f64, ram: f64) -> f64 {
    let room = limit - ram;
    if room > 0.0 { (resident - cached).max(0.0) / room } else { 0.0 }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

/// `max 100000` or `150000 100000`: microseconds in a period, and the period.
fn cpu_quota(text: &str) -> Option<f64> {
    let mut words = text.split_whitespace();
    let (quota, period): (f64, f64) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
    (quota > 0.0 && period > 0.0).then(|| quota / period)
}

/// `MemTotal: 8000000 kB`, in bytes.
fn total_memory(text: &str) -> Option<f64> {
    let kib: f64 = text.strip_prefix("MemTotal:")?.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1_024.0)
}

/// User and system time: the 14th and 15th field, counted behind the name, which may hold anything.
fn cpu_seconds(text: &str) -> Option<f64> {
    let mut fields = text.rsplit_once(") ")?.1.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<f64>().ok();
    Some((ticks()? + ticks()?) / TICKS)
}

/// Resident pages are the second field; in bytes.
fn resident(text: &str) -> Option<f64> {
    let pages: f64 = text.split_whitespace().nth(1)?.parse().ok()?;
    Some(pages * PAGE)
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

    #[test]
    fn what_the_kernel_writes() {
        assert_eq!(cpu_quota("max 100000\n"), None);
        assert_eq!(cpu_quota("150000 100000\n"), Some(1.5));
        assert_eq!(total_memory("MemTotal:        2048 kB\nMemFree: 1 kB\n"), Some(2_097_152.0));
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 9 0 0 0 250 50 0 0 20 0 3 0 1 2 3";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(resident("900 3 1 1 0 1 0"), Some(3.0 * PAGE));
        assert_eq!(socket_pressure("287901\t383869\t575802\n"), Some(383_869.0));
        let sockets =
            "sockets: used 562\nTCP: inuse 536 orphan 0 tw 11 alloc 536 mem 87\nUDP: inuse 1 mem 0\n";
        assert_eq!(socket_pages(sockets), Some(87.0));
        for nonsense in ["", "a", ") ", "1 (x) S", "TCP: mem"] {
            assert_eq!((socket_pressure(nonsense), socket_pages(nonsense)), (None, None));
            assert_eq!(
                (cpu_quota(nonsense), total_memory(nonsense), cpu_seconds(nonsense)),
                (None, None, None)
            );
        }
    }

    #[test]
    fn a_full_ram_tier_is_no_pressure_and_a_prompt_core_neither() {
        assert!(memory_share(900.0, 800.0, 1_200.0, 800.0) < 0.3);
        assert!(memory_share(1_180.0, 800.0, 1_200.0, 800.0) > 0.9);
        assert!(memory_share(900.0, 800.0, 700.0, 800.0) <= 0.0);
        let millis = Duration::from_millis;
        assert!(cpu_share(1.0, millis(5)) < 0.75);
        assert!(cpu_share(0.2, millis(900)) < 0.75);
        assert!(cpu_share(1.0, millis(100)) > 0.95);
    }

    #[test]
    fn this_machine_can_be_looked_at() {
        let caps = Caps { bandwidth: None, ram: units::ByteCount::mib(1), cores: 1, shed: true };
        let mut machine = Machine::new(&caps);
        assert!(machine.memory_limit.is_some());
        let load = Load::default();
        machine.sample(&caps, Duration::ZERO, 0, 0, &load, Instant::now());
        let samples = machine.sample(&caps, Duration::ZERO, 0, 0, &load, Instant::now());
        assert!(samples[Reason::Memory.index()] > 0.0, "{samples:?}");
    }
}
