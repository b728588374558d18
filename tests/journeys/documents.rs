//! What the documents say that can be tried: a link leads somewhere, and a command is one that the programs know, with its flags.

use journeys::process::run_in;
use journeys::project;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// All that people read but the changelog, which tells of what was.
const DOCUMENTS: [&str; 6] = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "config/README.md",
    "deploy/README.md",
    "benches/README.md",
];
/// Folders of such.
const FOLDERS: [&str; 2] = ["docs", "docs/runbooks"];

fn documents() -> Vec<PathBuf> {
    let within = |folder: &&str| std::fs::read_dir(project().join(folder)).expect("a folder of documents");
    let more = FOLDERS.iter().flat_map(within).map(|entry| entry.expect("a document").path());
    let is_text = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
    DOCUMENTS.iter().map(|name| project().join(name)).chain(more.filter(is_text)).collect()
}

/// What stands between `open` and the next `close`, each time.
fn between<'a>(text: &'a str, open: &'a str, close: &'a str) -> impl Iterator<Item = &'a str> {
    text.split(open).skip(1).filter_map(move |behind| behind.split_once(close).map(|(inside, _)| inside))
}

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap_or(Path::new("/"));
        for target in between(&text, "](", ")").chain(between(&text, "src=\"", "\"")) {
            let target = target.split('#').next().unwrap_or_default();
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                dead.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "{dead:#?}");
}

/// Texts that may be commands: lines of blocks, and what stands between backticks elsewhere.
fn spans(text: &str) -> Vec<String> {
    let mut spans = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        if number % 2 == 1 {
            let joined = part.replace("\\\n", " ");
            spans.extend(joined.lines().map(|line| line.split(" #").next().unwrap_or_default().to_owned()));
        } else {
            spans.extend(part.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
        }
    }
    spans
}

/// The program that a text calls, by its own name, and the words behind it.
fn call(span: &str) -> Option<(String, Vec<&str>)> {
    let words: Vec<_> = span.split_whitespace().collect();
    let is_program = |word: &&str| matches!(*word, "airclass" | "airclass-ingest" | "airclass-feed");
    // The first may be the user that it runs as.
    let at = words.iter().rposition(is_program)?;
    Some(match (words[at], words.get(at + 1)) {
        ("airclass", Some(name @ (&"ingest" | &"feed"))) => {
            (format!("airclass-{name}"), words[at + 2..].to_vec())
        }
        (program, _) => (program.to_owned(), words[at + 1..].to_vec()),
    })
}

/// What the programs say of themselves, asked once for each command.
#[derive(Default)]
struct Helps(HashMap<(String, Vec<String>), String>);

impl Helps {
    fn of(&mut self, program: &str, commands: &[String]) -> &str {
        self.0.entry((program.to_owned(), commands.to_vec())).or_insert_with(|| {
            let arguments: Vec<_> = commands.iter().map(String::as_str).chain(["--help"]).collect();
            run_in(&[], program, &arguments).stdout
        })
    }

    /// The commands below one.
    fn below(&mut self, program: &str, commands: &[String]) -> Vec<String> {
        let help = self.of(program, commands);
        let list = between(help, "Commands:\n", "\n\n").next().unwrap_or_default();
        let names = list.lines().filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
    }

    fn has_flag(&mut self, program: &str, commands: &[String], flag: &str) -> bool {
        let ends = |rest: &str| !rest.starts_with(|next: char| next == '-' || next.is_ascii_alphanumeric());
        self.of(program, commands).split(flag).skip(1).any(ends)
    }
}

/// What is wrong with a call: commands side by side (`list|show|close`) and flags are each looked for.
fn faults(helps: &mut Helps, program: &str, words: &[&str]) -> Vec<String> {
    let (mut commands, mut rest, mut faults) = (vec![Vec::new()], words, Vec::new());
    while let Some((word, behind)) = rest.split_first() {
        let known = helps.below(program, &commands[0]);
        if known.is_empty() || !word.starts_with(|first: char| first.is_ascii_lowercase()) {
            break;
        }
        let named: Vec<_> = word.trim_end_matches(',').split('|').map(str::to_owned).collect();
        faults.extend(
            named.iter().filter(|name| !known.contains(name)).map(|name| format!("no command `{name}`")),
        );
        let longer = |before: &Vec<String>| {
            named.iter().map(|name| [&before[..], std::slice::from_ref(name)].concat()).collect::<Vec<_>>()
        };
        commands = commands.iter().flat_map(longer).collect();
        rest = behind;
    }
    if faults.is_empty() {
        let is_of_flag =
            |letter: char| letter == '-' || letter.is_ascii_lowercase() || letter.is_ascii_digit();
        let flags =
            rest.iter().map(|word| word.trim_start_matches('[')).filter(|word| word.starts_with("--"));
        let flags = flags.map(|word| &word[..word.find(|letter| !is_of_flag(letter)).unwrap_or(word.len())]);
        for flag in flags.filter(|flag| flag.len() > 2) {
            let lacking = commands.iter().filter(|&commands| !helps.has_flag(program, commands, flag));
            faults.extend(
                lacking.map(|commands| format!("`{}` has no {flag}", commands.join(" "))).collect::<Vec<_>>(),
            );
        }
    }
    faults
}

#[test]
fn every_command_is_one_that_the_programs_know() {
    let (mut helps, mut wrong, mut calls) = (Helps::default(), Vec::new(), 0);
    for path in documents() {
        let text = std::fs::read_to_string(&path).unwrap();
        for span in spans(&text) {
            let Some((program, words)) = call(&span) else { continue };
            calls += 1;
            let faults = faults(&mut helps, &program, &words);
            wrong.extend(faults.iter().map(|fault| format!("{}: {span}: {fault}", path.display())));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(calls > 80, "only {calls} were found: are they written in another way?");
}

#[test]
fn a_command_that_is_not_is_found() {
    let mut helps = Helps::default();
    let mut faults_of = |text: &str| {
        let (program, words) = call(text).unwrap();
        faults(&mut helps, &program, &words)
    };
    assert!(
        faults_of("runuser -u airclass -- airclass feedback list|show|close --config EDGE.toml").is_empty()
    );
    assert!(faults_of("airclass ingest run FILE --store URL").is_empty());
    assert_eq!(faults_of("airclass feedback list|hide --config F"), ["no command `hide`"]);
    assert_eq!(faults_of("airclass edge --disks DIR"), ["`edge` has no --disks"]);
}
