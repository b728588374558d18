//! `airclass package …`: looking after what is in a store.

mod clear;
mod fault;
mod keys;
mod list;
mod planned;
mod sections;
mod text;
mod verify;

use ::package::{LessonId, PackageId};
use clap::{Args, Subcommand};
use fault::PackageFault;
use faults::AnyFault;
use std::path::PathBuf;
use storage::Store;
use tokio::runtime::Runtime;
use units::Span;

/// What to do with packages.
#[derive(Subcommand)]
pub(crate) enum PackageCommand {
    /// List lessons and packages
    Ls(List),
    /// Show a package's rungs, sizes and signatures, or a lesson's history
    Show(Show),
    /// Read packages back: every object's length and SHA-256, and the signature
    Verify(Verify),
    /// Add a signature to packages that are published already
    Sign(Sign),
    /// Make a lesson the package it was before; also brings a deleted lesson back
    Rollback(RollBack),
    /// Take a lesson out of sight; its packages go with `gc`, once the grace period is over
    Delete(Delete),
    /// Remove what no lesson has needed for the grace period
    Gc(Clear),
    /// Publish what the home page is divided into (a file such as config/sections.toml)
    Sections(Divide),
    /// Make a key that signs manifests
    Keygen(Keygen),
}

/// Which store.
#[derive(Args)]
pub(crate) struct Place {
    /// The store: a directory, a file:// URL or s3://BUCKET/PREFIX (with the AWS_ variables)
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    store: String,
}

/// `ls`
#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    place: Place,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// `show`
#[derive(Args)]
pub(crate) struct Show {
    /// A package or a lesson
    #[arg(value_name = "PACKAGE|LESSON")]
    name: String,
    #[command(flatten)]
    place: Place,
    /// As one JSON object
    #[arg(long)]
    json: bool,
}

/// `verify`
#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    /// Whose signatures count: a TOML file with a [[key]] each (id, public, name, from, until); without it nobody's is
    /// asked for
    #[arg(long, env = "AIRCLASS_TRUST", value_name = "FILE")]
    trust: Option<PathBuf>,
    /// As one JSON object a package
    #[arg(long)]
    json: bool,
}

/// One package, or all.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// The package
    #[arg(value_name = "PACKAGE")]
    package: Option<PackageId>,
    /// All packages of the store
    #[arg(long)]
    all: bool,
}

/// `sign`
#[derive(Args)]
pub(crate) struct Sign {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    place: Place,
    /// The key
    #[arg(long, env = "AIRCLASS_SIGN_KEY", value_name = "FILE")]
    key: PathBuf,
}

/// `rollback`
#[derive(Args)]
pub(crate) struct RollBack {
    /// The lesson
    lesson: LessonId,
    /// Which of the packages it has been [default: the one before]
    #[arg(long, value_name = "PACKAGE")]
    to: Option<PackageId>,
    #[command(flatten)]
    place: Place,
}

/// `delete`
#[derive(Args)]
pub(crate) struct Delete {
    /// The lesson
    lesson: LessonId,
    #[command(flatten)]
    place: Place,
}

/// `gc`
#[derive(Args)]
pub(crate) struct Clear {
    #[command(flatten)]
    place: Place,
    /// How long a package is kept after the last lesson that needed it: for players that began before, and for a roll back
    #[arg(long, value_name = "TIME", default_value = "7d")]
    grace: Span,
    /// Only say what would be removed
    #[arg(long)]
    dry_run: bool,
    /// As one JSON object a thing, and one at the end
    #[arg(long)]
    json: bool,
}

/// `sections`
#[derive(Args)]
pub(crate) struct Divide {
    /// All editions, oldest first
    #[arg(value_name = "FILE")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// `keygen`
#[derive(Args)]
pub(crate) struct Keygen {
    /// Where to write the key; its public half goes to the same name with .pub behind
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Whose key it is, for those who trust it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
}

/// `airclass package`
pub(crate) fn package(command: &PackageCommand) -> Result<(), AnyFault> {
    match command {
        PackageCommand::Ls(options) => list::ls(options),
        PackageCommand::Show(options) => list::show(options),
        PackageCommand::Verify(options) => verify::verify(options),
        PackageCommand::Sign(options) => keys::sign(options),
        PackageCommand::Rollback(options) => clear::roll_back(options),
        PackageCommand::Delete(options) => clear::delete(options),
        PackageCommand::Gc(options) => clear::gc(options),
        PackageCommand::Sections(options) => sections::sections(options),
        PackageCommand::Keygen(options) => keys::keygen(options),
    }
}

impl Place {
    /// The store, which is there, and what carries its work.
    fn open(&self) -> Result<(Runtime, Store), AnyFault> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(PackageFault::System)?;
        let store = Store::open(&self.store)?;
        runtime.block_on(store.check_readable())?;
        store.share()?;
        Ok((runtime, store))
    }
}

impl Which {
    fn packages(&self, runtime: &Runtime, store: &Store) -> Result<Vec<PackageId>, AnyFault> {
        match self.package {
            Some(package) => Ok(vec![package]),
            None => Ok(runtime.block_on(store.packages())?),
        }
    }
}
