//! `airclass control`: the service, and what people ask of it.

mod fault;
mod init;
mod orders;
mod records;
mod show;
mod zero_rating;

use crate::commands::purge::Meant;
use ::control::{Config, Options};
use agent::{Control, Line, Trouble};
use clap::{Args, Subcommand};
use fault::ControlFault;
use faults::{AnyFault, note, say};
use fleet::wire::{Made, MakeToken, Recorded, Revoke};
use fleet::{NodeName, Place, Province, Target, Word};
use std::path::PathBuf;
use units::Span;

/// What `airclass control` does.
#[derive(Debug, Subcommand)]
pub(crate) enum ControlCommand {
    /// Make the fleet's authority, and the first people's certificates
    Init(init::Init),
    /// Make a person's certificate, where the authority's key is
    Person(init::Admit),
    /// Run the control service
    Run {
        /// Options as a TOML file; flags and environment win over it
        #[arg(long, env = "AIRCLASS_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        #[command(flatten)]
        options: Box<Options>,
    },
    /// Make a one-time token for a node (role telecom)
    Token {
        #[command(flatten)]
        desk: Desk,
        /// The province it stands in, in pinyin
        #[arg(long, value_name = "PINYIN")]
        province: Province,
        /// Whose network: dianxin, yidong, liantong, tietong, jiaoyuwang, pengboshi, …
        #[arg(long, value_name = "CODE")]
        carrier: Word,
        /// Who owns the machine
        #[arg(long, value_name = "NAME")]
        owner: Word,
        /// Which room
        #[arg(long, value_name = "NAME")]
        site: Word,
        /// For how long it counts, 31d at most
        #[arg(long, value_name = "TIME", default_value = "24h")]
        valid: Span,
    },
    /// Take a node's rights away, for good (role telecom)
    Revoke {
        #[command(flatten)]
        desk: Desk,
        /// Which: province/carrier/owner/site/number
        node: NodeName,
    },
    /// Have nodes forget (both roles)
    Purge {
        #[command(flatten)]
        give: orders::Give,
        #[command(flatten)]
        meant: Meant,
    },
    /// Have nodes follow a day's signed plan (role edu)
    Plan {
        #[command(flatten)]
        give: orders::Give,
        /// As `airclass timetable compile` has written it
        file: PathBuf,
    },
    /// Take nodes out of service; who plays is served on (role telecom)
    Drain {
        #[command(flatten)]
        give: orders::Give,
        /// All of the fleet, so that nobody is left to serve new students
        #[arg(long, conflicts_with_all = ["province", "carrier", "owner", "node"])]
        all: bool,
    },
    /// Put nodes back into service (role telecom)
    Undrain {
        #[command(flatten)]
        give: orders::Give,
    },
    /// Who has obeyed an order
    Order {
        #[command(flatten)]
        desk: Desk,
        /// Its number
        number: u64,
    },
    /// All nodes, and how they are
    Nodes {
        #[command(flatten)]
        desk: Desk,
        /// As JSON, whole
        #[arg(long)]
        json: bool,
    },
    /// What carriers count as free: hosts and prefixes by province and carrier, signed, with what has changed
    ZeroRating(zero_rating::ZeroRating),
    /// What was done, by whom: the records, checked
    Records {
        #[command(flatten)]
        desk: Desk,
        /// The control's key, as `airclass control init` has printed it, by which each record is checked
        #[arg(long, value_name = "64 DIGITS", value_parser = public_key)]
        key: Option<signing::PublicKey>,
    },
}

/// Where the control is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Desk {
    /// The control
    #[arg(long, env = "AIRCLASS_CONTROL", value_name = "URL")]
    control: String,
    /// Your certificate, as `airclass control person` has made it
    #[arg(long = "as", env = "AIRCLASS_PERSON", value_name = "FILE")]
    person: PathBuf,
}

/// Which nodes: all that fit what is given; without anything, all.
#[derive(Debug, Args)]
pub(crate) struct Whom {
    /// Only those of this province
    #[arg(long, value_name = "PINYIN")]
    province: Option<Province>,
    /// Only those in this carrier's network
    #[arg(long, value_name = "CODE")]
    carrier: Option<Word>,
    /// Only those of this owner
    #[arg(long, value_name = "NAME")]
    owner: Option<Word>,
    /// Only this one
    #[arg(long, value_name = "NODE")]
    node: Option<NodeName>,
}

impl Desk {
    /// A connection, as this person.
    fn line(&self) -> Result<Line, ControlFault> {
        let person = |problem| ControlFault::Person { path: self.person.clone(), problem };
        let text = settings::small_text(&self.person, settings::MAX_TEXT_BYTES).map_err(|error| {
            person(format!("{error}; give the file that `airclass control person` has made"))
        })?;
        let control = Control::of_person(&self.control, &text);
        let control = control.map_err(|(what, problem)| match what {
            "control" => ControlFault::Wrong(what, problem),
            _ => person(problem),
        });
        Ok(control?.line())
    }

    fn fault(&self, trouble: Trouble) -> ControlFault {
        ControlFault::Asked { control: self.control.clone(), trouble }
    }
}

impl Whom {
    fn target(&self) -> Target {
        let Self { province, carrier, owner, node } = self;
        Target { province: *province, carrier: carrier.clone(), owner: owner.clone(), node: node.clone() }
    }
}

/// `airclass control`
pub(crate) fn control(command: &ControlCommand) -> Result<(), AnyFault> {
    match command {
        ControlCommand::Init(options) => init::init(options),
        ControlCommand::Person(options) => init::admit(options),
        ControlCommand::Run { config, options } => {
            let options = settings::layered(&**options, config.as_deref())?;
            super::start_logs(&options.log)?;
            ::control::run(Config::resolve(&options)?)
        }
        ControlCommand::Token { desk, province, carrier, owner, site, valid } => {
            let place = Place {
                province: *province,
                carrier: carrier.clone(),
                owner: owner.clone(),
                site: site.clone(),
            };
            let asked = MakeToken { place, valid_seconds: valid.0.as_secs() };
            let made: Made = ask(desk, async |line| line.tell("/v1/tokens", &asked).await)?;
            note!("counts until {:.0}, once", made.until);
            say!("{}", made.token);
            Ok(())
        }
        ControlCommand::Revoke { desk, node } => {
            let asked = Revoke { node: node.clone() };
            let done: Recorded = ask(desk, async |line| line.tell("/v1/revoke", &asked).await)?;
            say!("{node} is revoked, record {}", done.number);
            Ok(())
        }
        ControlCommand::Purge { give, meant } => orders::purge(give, meant),
        ControlCommand::Plan { give, file } => orders::plan(give, file),
        ControlCommand::Drain { give, all } => orders::drain(give, *all),
        ControlCommand::Undrain { give } => orders::undrain(give),
        ControlCommand::Order { desk, number } => orders::show(desk, *number),
        ControlCommand::Nodes { desk, json } => show::nodes(desk, *json),
        ControlCommand::ZeroRating(options) => zero_rating::zero_rating(options),
        ControlCommand::Records { desk, key } => records::records(desk, key.as_ref()),
    }
}

/// Asks one thing.
fn ask<T>(
    desk: &Desk,
    question: impl AsyncFnOnce(&mut Line) -> Result<T, Trouble>,
) -> Result<T, ControlFault> {
    let mut line = desk.line()?;
    let answer = runtime()?.block_on(question(&mut line));
    answer.map_err(|trouble| desk.fault(trouble))
}

fn runtime() -> Result<tokio::runtime::Runtime, ControlFault> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn public_key(text: &str) -> Result<signing::PublicKey, String> {
    signing::PublicKey::try_from(text.to_owned()).map_err(|problem| problem.to_string())
}
