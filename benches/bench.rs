//! `make bench`: Airclass side by side with its peers on this machine.

use benches::Options;
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match benches::run(&Options::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("bench: some figures miss their bar; the table says which");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::from(2)
        }
    }
}
