//! `airclass package sections`: another edition of what the home page is divided into, without a release.

use super::Divide;
use super::fault::PackageFault;
use ::package::Sections;
use faults::AnyFault;
use std::io::Write;

pub(super) fn sections(options: &Divide) -> Result<(), AnyFault> {
    let sections = Sections::parse(&settings::read(&options.file)?, &options.file)?;
    let (runtime, store) = options.place.open()?;
    let changed = runtime.block_on(storage::publish_sections(&store, &sections))?;
    let newest = sections.newest().map_or("", |edition| edition.edition.as_str());
    let was = if changed { "published" } else { "published already" };
    writeln!(faults::say::out(), "sections of {newest}: {was}").map_err(PackageFault::System)?;
    Ok(())
}
