//! `bill`: one line per owner, province and carrier, over all nodes whose accounts are given.

mod table;

use crate::clock;
use accounting::{Account, Bill, Billing, Contract, Identity, Month, accounts, read};
use clap::{Args, ValueEnum};
use faults::{AnyFault, Blame, Fault};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use units::BitRate;

/// Whose bill, and by what.
#[derive(Args)]
pub(crate) struct BillOptions {
    /// A folder that an edge writes (--accounts); repeat it for each node
    #[arg(long, env = "AIRCLASS_ACCOUNTS", value_name = "DIR", required = true, value_delimiter = ',')]
    accounts: Vec<PathBuf>,
    /// The month, as 2026-09 [default: this one]
    #[arg(long, value_name = "MONTH")]
    month: Option<Month>,
    /// How samples become one number
    #[arg(long, value_enum, default_value_t = By::Month95)]
    by: By,
    /// 保底: what each line is billed at least
    #[arg(long, env = "AIRCLASS_COMMIT", value_name = "RATE")]
    commit: Option<BitRate>,
    /// The day of the month on which the contract begins: the days before it are not billed
    #[arg(long, value_name = "DAY", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=31))]
    from_day: u8,
    /// Write every sample that has passed as CSV to this file, or to standard output (-) instead of the table
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    csv: Option<PathBuf>,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// How carriers bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// 月95: the month's samples, the highest twentieth left out
    Month95,
    /// 日95月平均: the same of each day, the mean of the days
    #[value(name = "day95-mean")]
    Day95Mean,
    /// 日峰值月平均: each day's highest, the mean of the days
    PeakMean,
}

impl By {
    const fn billing(self) -> Billing {
        match self {
            Self::Month95 => Billing::Month95,
            Self::Day95Mean => Billing::Day95Mean,
            Self::PeakMean => Billing::DayPeakMean,
        }
    }
}

/// Why there is no bill.
#[derive(Debug, thiserror::Error)]
enum BillFault {
    #[error("cannot read {}: {source}; give a folder that an edge writes (--accounts)", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("nothing was written down in {month} in the folders given; is `node.accounts` set on the edge?")]
    Nothing { month: Month },
    #[error("cannot write: {0}; free some room, or write elsewhere")]
    Output(#[from] io::Error),
}

impl Fault for BillFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "ACCOUNTS_UNREADABLE",
            Self::Nothing { .. } => "ACCOUNTS_EMPTY",
            Self::Output(_) => "OUTPUT",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::Output(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// What is billed together: the sites of one owner in one network of one province.
struct Line {
    owner: String,
    province: &'static str,
    carrier: String,
    sites: Vec<String>,
    account: Account,
    bill: Bill,
}

/// What is said of a month.
struct Said {
    month: Month,
    by: Billing,
    passed: usize,
    lines: Vec<Line>,
    /// Lines of files that were cut off or damaged.
    damaged: usize,
}

/// `airclass node bill`
pub(super) fn bill(options: &BillOptions) -> Result<(), AnyFault> {
    let now = Timestamp::try_from(clock::now()).unwrap_or(Timestamp::UNIX_EPOCH);
    let month = options.month.unwrap_or_else(|| Month::of(now));
    let contract =
        Contract { billing: options.by.billing(), commit: options.commit, from_day: options.from_day };
    let said = gather(options, month, contract, month.passed(now))?;
    let written = match &options.csv {
        Some(path) if path.as_os_str() == "-" => table::csv(&said, faults::say::out()),
        Some(path) => std::fs::File::create(path)
            .and_then(|file| table::csv(&said, io::BufWriter::new(file)))
            .and_then(|()| table::text(&said, faults::say::out())),
        None if options.json => table::json(&said, faults::say::out()),
        None => table::text(&said, faults::say::out()),
    };
    Ok(written.map_err(BillFault::Output)?)
}

fn gather(options: &BillOptions, month: Month, contract: Contract, passed: usize) -> Result<Said, BillFault> {
    let mut nodes: BTreeMap<Identity, Account> = BTreeMap::new();
    let mut damaged = 0;
    for folder in &options.accounts {
        let unreadable = |path: PathBuf| |source| BillFault::Unreadable { path, source };
        std::fs::read_dir(folder).map_err(unreadable(folder.clone()))?;
        let path = folder.join(month.file_name());
        let bytes = match settings::small_file(&path, accounting::MAX_FILE_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            read => read.map_err(unreadable(path))?,
        };
        let journal = read(&bytes);
        damaged += journal.damaged;
        for (identity, account) in accounts(&month, &journal.entries) {
            match nodes.get_mut(&identity) {
                Some(there) => there.join(&account),
                None => drop(nodes.insert(identity, account)),
            }
        }
    }
    let mut lines: Vec<Line> = Vec::new();
    for (Identity { owner, province, carrier, site }, account) in nodes {
        let (province, carrier) = (province.as_str(), carrier.as_str().to_owned());
        match lines.last_mut() {
            Some(line) if (&line.owner, line.province, &line.carrier) == (&owner, province, &carrier) => {
                line.account.join(&account);
                line.sites.push(site);
            }
            _ => {
                let bill = contract.bill(&month, &[], 0);
                lines.push(Line { owner, province, carrier, sites: vec![site], account, bill });
            }
        }
    }
    for line in &mut lines {
        line.bill = contract.bill(&month, &line.account.totals(), passed);
    }
    if lines.is_empty() {
        return Err(BillFault::Nothing { month });
    }
    Ok(Said { month, by: contract.billing, passed, lines, damaged })
}
