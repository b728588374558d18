//! Airclass against its peers, measured from outside.
//!
//! `options → [throughput, idle, herd, outage, ingest, bits, resume] → table, report`. Every figure is one [`line::Line`]: ours, the
//! peer's, the ratio, the bar and whether it is met. The peers run as processes of their own and are measured by what
//! the kernel says of them (`cpu`, `memory`), not by what a client sees.

mod bits;
mod cleanup;
mod clock;
mod cpu;
mod herd;
mod idle;
mod ingest;
mod lesson;
mod line;
mod load;
mod machine;
mod memory;
mod options;
mod outage;
mod payload;
mod peers;
mod process;
mod report;
mod resume;
mod statistics;
mod table;
mod throughput;
mod tls;
mod upstream;

pub use options::{Options, Part};

use anyhow::Result;
use cleanup::Workplace;
use line::Line;

/// Runs the parts that were asked for, prints the table and writes the JSON file. Whether every bar is met.
///
/// # Errors
/// Whatever keeps a figure from being measured. Everything that was started is stopped all the same.
pub fn run(options: &Options) -> Result<bool> {
    if let Some(errand) = &options.measure {
        return process::measured(errand).map(|()| true);
    }
    machine::raise_descriptor_limit()?;
    let workplace = Workplace::open()?;
    let machine = machine::Machine::look();
    eprintln!("bench: {machine}");
    let mut lines: Vec<Line> = Vec::new();
    for part in options.parts() {
        let measured = match part {
            Part::Edge => {
                let mut lines = throughput::measure(options, &workplace)?;
                lines.extend(idle::measure(options, &workplace)?);
                lines
            }
            Part::Herd => herd::measure(options, &workplace)?,
            Part::Outage => outage::measure(options, &workplace)?,
            Part::Ingest => ingest::measure(options, &workplace)?,
            Part::Bits => bits::measure(options, &workplace)?,
            Part::Resume => resume::measure(options, &workplace)?,
        };
        lines.extend(measured);
    }
    println!("{}", table::render(&lines));
    let file = report::write(options, &machine, &lines)?;
    println!("written: {}", file.display());
    Ok(lines.iter().all(|line| line.met() != Some(false)))
}
