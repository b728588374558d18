//! .
use crate::cli::Sample;
/// .
pub fn make(_o: &Sample) -> std::process::ExitCode { std::process::ExitCode::from(1) }
