//! What a program says of itself: which build it is, and its options so that one finds them.

use std::process::Command;

fn said(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_airclass")).args(words).output().expect("it is built");
    String::from_utf8(output.stdout).expect("text")
}

/// An operator sees the same in a package, on the command line and on the board.
#[test]
fn a_command_says_which_build_it_is() {
    let version = settings::version!();
    assert_eq!(said(&["--version"]), format!("airclass {version}\n"));
    assert_eq!(said(&["edge", "--version"]), format!("airclass-edge {version}\n"));
}

#[test]
fn the_programs_beside_this_one_are_in_its_help() {
    let help = said(&["--help"]);
    assert!(help.starts_with("Airclass: recorded lessons"), "{help}");
    for program in ["  ingest ", "  feed "] {
        assert!(help.contains(program), "{help}");
    }
}

/// Of a hundred options nobody finds one in a single list.
#[test]
fn a_service_s_options_stand_under_headings_of_at_most_twenty() {
    for service in ["edge", "origin", "steer"] {
        let help = said(&[service, "--help"]);
        let mut headings: Vec<(&str, usize)> = Vec::new();
        for line in help.lines() {
            if let Some(heading) = line.strip_suffix(':').filter(|_| !line.starts_with(' ')) {
                headings.push((heading, 0));
            } else if let Some((_, options)) = headings.last_mut() {
                *options += usize::from(line.starts_with("      --") || line.starts_with("  -"));
            }
        }
        assert!(headings.len() > 3, "{service}: {headings:?}");
        for (heading, options) in &headings {
            assert!((1..=20).contains(options), "{service}: {options} options under {heading:?}");
        }
    }
}

/// They are what `man` and the shells of a machine with the package read.
#[test]
fn papers_of_every_command_and_three_shells_are_written() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("papers");
    assert_eq!(said(&["papers", folder.to_str().expect("a plain name")]), "");
    let written = |name: &str| std::fs::read_to_string(folder.join(name)).expect(name);
    assert!(written("airclass-edge.1").contains("upstream\\-connections"));
    assert!(written("airclass-control-token.1").contains("SYNOPSIS"));
    for script in ["airclass.bash", "airclass.fish", "_airclass"] {
        assert!(written(script).contains("upstream-connections"), "{script}");
    }
    assert!(!folder.join("airclass-help.1").exists());
}
