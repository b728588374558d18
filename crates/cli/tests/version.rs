//! Which build it is: an operator sees the same in a package, on the command line and on the board.

use std::process::Command;

#[test]
fn a_command_says_which_build_it_is() {
    let version = settings::version!();
    for (words, name) in [(&["--version"][..], "airclass"), (&["edge", "--version"], "airclass-edge")] {
        let output = Command::new(env!("CARGO_BIN_EXE_airclass")).args(words).output().expect("it is built");
        assert_eq!(String::from_utf8_lossy(&output.stdout), format!("{name} {version}\n"));
    }
}
