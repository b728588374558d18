//! `airclass resource …`: textbooks, sets of sound and apps' links beside the lessons.

mod probe;

use clap::{Args, Subcommand};
use faults::{AnyFault, Blame, Fault};
use package::LessonId;
use package::platforms::{Platforms, platforms_path};
use package::resource::{InvalidResource, MAX_FILE_BYTES, Resource, ResourceDescription, ResourceFile};
use settings::SettingsError;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use storage::Store;
use units::{ByteCount, Span};

/// What to do.
#[derive(Subcommand)]
pub(crate) enum ResourceCommand {
    /// Publish files (.pdf, .mp3, .zip) with what is said about them; an app has a link and no files
    Add(AddOptions),
    /// List what there is
    Ls(Place),
    /// Take one out of the list
    Remove(RemoveOptions),
    /// Publish the directory of provinces' own platforms (a file such as config/platforms.toml)
    Platforms(PlatformsOptions),
    /// Ask each of them whether it is there, and publish what was found
    Probe(ProbeOptions),
}

/// Which store.
#[derive(Args)]
pub(crate) struct Place {
    /// The store: a directory, a file:// URL or s3://BUCKET/PREFIX (with the AWS_ variables)
    #[arg(long, env = "AIRCLASS_STORE", value_name = "URL")]
    store: String,
}

/// `add`
#[derive(Args)]
pub(crate) struct AddOptions {
    /// The files, in the order in which they are listed
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// What is said about them, as config/sample-resource.toml
    #[arg(long, value_name = "FILE.toml")]
    meta: PathBuf,
    /// The resource's name [default: the name of the --meta file]
    #[arg(long, value_name = "ID")]
    id: Option<LessonId>,
    #[command(flatten)]
    place: Place,
}

/// `remove`
#[derive(Args)]
pub(crate) struct RemoveOptions {
    /// Its name
    id: LessonId,
    #[command(flatten)]
    place: Place,
}

/// `platforms`
#[derive(Args)]
pub(crate) struct PlatformsOptions {
    /// The file
    #[arg(value_name = "FILE.toml")]
    file: PathBuf,
    #[command(flatten)]
    place: Place,
}

/// `probe`
#[derive(Args)]
pub(crate) struct ProbeOptions {
    /// Look again and again, with so long between, a minute at least
    #[arg(long, value_name = "TIME")]
    every: Option<Span>,
    /// Trust these certificates too (PEM)
    #[arg(long, value_name = "FILE")]
    cacert: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

/// Asking more often tells nothing new, and is a burden to those who are asked.
const LEAST_EVERY: Duration = Duration::from_secs(60);

/// Why nothing was published.
#[derive(Debug, thiserror::Error)]
enum ResourceFault {
    #[error("cannot read {}: {source}; give a file that can be read", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Invalid(#[from] InvalidResource),
    #[error("{} makes no name; give --id with 1 to 64 of a-z 0-9 - _ .", .0.display())]
    Name(PathBuf),
    #[error("there is no resource `{0}`; `airclass resource ls` has their names")]
    Unknown(LessonId),
    #[error(
        "the directory of platforms in the store cannot be read: {0}; publish it again with `airclass resource platforms`"
    )]
    Platforms(serde_json::Error),
    #[error("{0}; give a PEM file that can be read")]
    Client(conformance::FetchError),
    #[error("the system does not answer: {0}; try again")]
    System(io::Error),
}

impl Fault for ResourceFault {
    fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "RESOURCE_UNREADABLE",
            Self::Invalid(_) => "RESOURCE_INVALID",
            Self::Name(_) => "RESOURCE_NAME",
            Self::Unknown(_) => "RESOURCE_UNKNOWN",
            Self::Platforms(_) => "RESOURCE_PLATFORMS",
            Self::Client(_) => "RESOURCE_CLIENT",
            Self::System(_) => "SYSTEM",
        }
    }

    fn blame(&self) -> Blame {
        match self {
            Self::System(_) => Blame::Ours,
            _ => Blame::Input,
        }
    }
}

/// `airclass resource`
pub(crate) fn resource(command: &ResourceCommand) -> Result<(), AnyFault> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(ResourceFault::System)?;
    if let ResourceCommand::Probe(options) = command {
        let store = Store::open(&options.place.store)?;
        store.share()?;
        let every = options.every.map(|every| every.0.max(LEAST_EVERY));
        return probe::run(&runtime, &store, every, options.cacert.as_deref());
    }
    runtime.block_on(async {
        match command {
            ResourceCommand::Add(options) => add(options).await,
            ResourceCommand::Ls(place) => list(place).await,
            ResourceCommand::Remove(options) => remove(options).await,
            ResourceCommand::Platforms(options) => platforms(options).await,
            // It asks from threads of its own.
            ResourceCommand::Probe(_) => Ok(()),
        }
    })
}

async fn add(AddOptions { files, meta, id, place }: &AddOptions) -> Result<(), AnyFault> {
    let about = String::from_utf8_lossy(&read(meta)?).into_owned();
    let about = ResourceDescription::parse(&about, meta)?;
    let stem = meta.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let id =
        id.clone().or_else(|| LessonId::from_stem(stem)).ok_or_else(|| ResourceFault::Name(meta.clone()))?;
    let (mut listed, mut stored) = (Vec::new(), Vec::new());
    for path in files {
        let bytes = read(path)?;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let file = ResourceFile::of(name, &bytes).map_err(ResourceFault::Invalid)?;
        stored.push((file.path.clone(), bytes.into()));
        listed.push(file);
    }
    let resource = Resource::new(id, about, listed).map_err(ResourceFault::Invalid)?;
    let store = Store::create(&place.store).await?;
    let changed = storage::publish_resource(&store, &resource, stored).await?;
    let was = if changed { "published" } else { "published already" };
    say(&format!(
        "{}: {was}, {} files, {}",
        resource.resource,
        resource.files.len(),
        ByteCount(resource.bytes())
    ))
}

async fn list(place: &Place) -> Result<(), AnyFault> {
    let store = Store::open(&place.store)?;
    for resource in storage::resources(&store).await?.resources {
        let about = &resource.about;
        say(&format!(
            "{}  {}  {}  {}  {}",
            resource.resource,
            ByteCount(resource.bytes()),
            about.title,
            about.provider,
            about.licence
        ))?;
        for file in &resource.files {
            say(&format!("    /{}  {}", file.path, file.name))?;
        }
    }
    Ok(())
}

async fn remove(RemoveOptions { id, place }: &RemoveOptions) -> Result<(), AnyFault> {
    let store = Store::open(&place.store)?;
    store.share()?;
    if !storage::remove_resource(&store, id).await? {
        return Err(ResourceFault::Unknown(id.clone()).into());
    }
    Ok(())
}

async fn platforms(PlatformsOptions { file, place }: &PlatformsOptions) -> Result<(), AnyFault> {
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    let platforms = Platforms::parse(&text, file)?;
    // A file that was lost half-way parses, too, and would take the whole directory away.
    if platforms.platforms.is_empty() {
        let problem = format!("{} names none; write a [[platform]] for each", file.display());
        return Err(SettingsError::value("platform", problem).into());
    }
    let store = Store::create(&place.store).await?;
    store.put(&platforms_path(), platforms.to_bytes().into()).await?;
    say(&format!("{} platforms: published", platforms.platforms.len()))
}

fn say(line: &str) -> Result<(), AnyFault> {
    Ok(writeln!(faults::say::out(), "{line}").map_err(ResourceFault::System)?)
}

/// A whole file; what is too large is refused before it is read.
fn read(path: &Path) -> Result<Vec<u8>, ResourceFault> {
    let unreadable = |source| ResourceFault::Unreadable { path: path.to_owned(), source };
    let length = std::fs::metadata(path).map_err(unreadable)?.len();
    if length > MAX_FILE_BYTES {
        return Err(InvalidResource::Size(path.display().to_string()).into());
    }
    settings::small_file(path, MAX_FILE_BYTES).map_err(unreadable)
}
