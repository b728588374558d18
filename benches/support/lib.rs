//! Airclass against its peers, measured from outside.
//!
//! `options → [throughput, latency, idle, herd, outage, reload, logging, bell, stagger, ingest, bits, resume, disk, faults] → table, report, page`. Every figure is
//! one [`line::Line`]: ours, the peers', their ratios and the bars. The peers run as processes of their own and are measured by what
//! the kernel says of them (`cpu`, `memory`), not by what a client sees.

mod bell;
mod bits;
mod cleanup;
mod clock;
mod cpu;
mod disk;
mod faults;
mod herd;
mod idle;
mod ingest;
mod latency;
mod lesson;
mod line;
mod load;
mod logging;
mod machine;
mod memory;
mod metrics;
mod options;
mod outage;
mod page;
mod payload;
mod peers;
mod process;
mod reload;
mod report;
mod resume;
mod site;
mod stagger;
mod statistics;
mod table;
mod throughput;
mod tls;
mod turns;
mod upstream;

pub use options::{Options, Part};

use anyhow::Result;
use cleanup::Workplace;
use report::{Measured, Report};

/// Runs the parts that were asked for, prints the table and writes the JSON file and the page. Whether every bar is
/// met.
///
/// # Errors
/// Whatever keeps a figure from being measured. Everything that was started is stopped all the same.
pub fn run(options: &Options) -> Result<bool> {
    if let Some(errand) = &options.measure {
        return process::measured(errand).map(|()| true);
    }
    if let Some(errand) = &options.disk_errand {
        return disk::run_errand(errand).map(|()| true);
    }
    if let Some(errand) = &options.slow_errand {
        return faults::read_slowly(errand).map(|()| true);
    }
    if options.page {
        println!("written: {}", page::write()?.display());
        return Ok(true);
    }
    machine::raise_descriptor_limit()?;
    let workplace = Workplace::open()?;
    let machine = machine::Machine::look();
    eprintln!("bench: {machine}");
    let measure = |part| match part {
        Part::Edge => throughput::measure(options, &workplace),
        Part::Latency => latency::measure(options, &workplace),
        Part::Idle => idle::measure(options, &workplace),
        Part::Herd => herd::measure(options, &workplace),
        Part::Outage => outage::measure(options, &workplace),
        Part::Reload => reload::measure(options, &workplace),
        Part::Bell => bell::measure(options, &workplace),
        Part::Stagger => stagger::measure(options, &workplace),
        Part::Logging => logging::measure(options, &workplace),
        Part::Ingest => ingest::measure(options, &workplace),
        Part::Bits => bits::measure(options, &workplace),
        Part::Resume => resume::measure(options, &workplace),
        Part::Disk => disk::speed(options, &workplace),
        Part::DiskKills => disk::kills(options, &workplace),
        Part::Faults => faults::measure(options, &workplace),
    };
    let (mut parts, mut failed) = (Vec::new(), Ok(()));
    for part in options.parts() {
        match measure(part) {
            Ok(lines) => parts.push(Measured { part, lines }),
            // What was measured before took minutes, and is as true without this.
            Err(error) => {
                failed = Err(error.context(format!("{part:?} was not measured, nor what follows it")));
                break;
            }
        }
    }
    if parts.is_empty() {
        return failed.map(|()| true);
    }
    let report = Report::new(options, machine, parts);
    println!("{}", table::render(report.lines()));
    println!("written: {}", report.write(options)?.display());
    if options.json.is_none() {
        println!("written: {}", page::write()?.display());
    }
    failed?;
    Ok(report.lines().all(|line| line.met() != Some(false)))
}
