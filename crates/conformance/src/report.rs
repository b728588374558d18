//! What was found, for people and for programs.

use crate::rule::{self, APPLE_REVISION, RFC_REVISION, Rule, Severity};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Findings kept; a channel with more has told enough.
const MAX_FINDINGS: usize = 10_000;
/// Findings of one rule that a person is shown.
const SHOWN: usize = 5;

/// One place where a rule is broken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// The rule's number.
    pub rule: &'static str,
    /// What it weighs.
    pub severity: Severity,
    /// The address of the playlist, segment or paper.
    pub url: String,
    /// Where in it: a line, a box, a cue. Empty when the whole is meant.
    pub inside: String,
    /// What is there.
    pub found: String,
    /// What should be.
    pub wanted: String,
}

/// Everything that came of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub address: String,
    /// Revision of Apple's rules.
    pub apple: &'static str,
    /// Revision of the RFC.
    pub rfc: &'static str,
    /// By rule, then by place.
    pub findings: Vec<Finding>,
    /// Findings beyond those kept.
    pub more: u64,
    /// Rules that were looked at.
    pub checked: Vec<&'static str>,
    /// Rules with nothing to apply to.
    pub not_applicable: Vec<&'static str>,
    /// What was read.
    pub volume: Volume,
    /// An Airclass package, whose deliberate choices are known.
    pub ours: bool,
}

/// How much was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Volume {
    /// A window that moves.
    pub live: bool,
    /// Variants of the multivariant playlist.
    pub variants: usize,
    /// Media playlists, I-frames and texts among them.
    pub playlists: usize,
    /// Segments listed, each once.
    pub segments: usize,
    /// Of these, looked into.
    pub opened: usize,
    /// Bytes fetched.
    pub bytes: u64,
}

/// Where something was found.
#[derive(Debug, Clone)]
pub(crate) struct Place<'a> {
    pub(crate) url: &'a str,
    pub(crate) inside: String,
}

impl<'a> Place<'a> {
    pub(crate) fn whole(url: &'a str) -> Self {
        Self { url, inside: String::new() }
    }

    pub(crate) fn at(url: &'a str, inside: impl Into<String>) -> Self {
        Self { url, inside: inside.into() }
    }

    pub(crate) fn line(url: &'a str, line: usize) -> Self {
        Self { url, inside: format!("line {line}") }
    }
}

/// Collects findings from all who look, on whatever thread.
#[derive(Debug, Default)]
pub(crate) struct Judge(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    findings: Vec<Finding>,
    more: u64,
    checked: BTreeSet<&'static str>,
    bytes: u64,
    opened: usize,
}

impl Judge {
    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The rule was looked at.
    pub(crate) fn looked(&self, rule: &'static Rule) {
        self.state().checked.insert(rule.id);
    }

    /// The rule is broken.
    pub(crate) fn broken(
        &self,
        rule: &'static Rule,
        place: Place<'_>,
        found: impl Into<String>,
        wanted: impl Into<String>,
    ) {
        let mut state = self.state();
        state.checked.insert(rule.id);
        if state.findings.len() >= MAX_FINDINGS {
            state.more += 1;
            return;
        }
        let (url, inside) = (place.url.to_owned(), place.inside);
        let (found, wanted) = (found.into(), wanted.into());
        let finding = Finding { rule: rule.id, severity: rule.severity, url, inside, found, wanted };
        state.findings.push(finding);
    }

    /// The rule was looked at, and is broken unless `holds`; place, found and wanted are made only then.
    pub(crate) fn demand<'a, F: Into<String>, W: Into<String>>(
        &self,
        rule: &'static Rule,
        holds: bool,
        finding: impl FnOnce() -> (Place<'a>, F, W),
    ) -> bool {
        if holds {
            self.looked(rule);
        } else {
            let (place, found, wanted) = finding();
            self.broken(rule, place, found, wanted);
        }
        holds
    }

    pub(crate) fn fetched(&self, bytes: usize) {
        self.state().bytes += bytes as u64;
    }

    pub(crate) fn opened(&self) {
        self.state().opened += 1;
    }

    pub(crate) fn report(self, address: String, ours: bool, volume: Volume) -> Report {
        let mut state = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let place = |id: &str| rule::all().position(|rule| rule.id == id);
        state.findings.sort_by_cached_key(|finding| (place(finding.rule), finding.clone()));
        state.findings.dedup();
        let (checked, not_applicable): (Vec<_>, Vec<_>) =
            rule::all().map(|rule| rule.id).partition(|id| state.checked.contains(id));
        Report {
            address,
            apple: APPLE_REVISION,
            rfc: RFC_REVISION,
            findings: state.findings,
            more: state.more,
            checked,
            not_applicable,
            volume: Volume { bytes: state.bytes, opened: state.opened, ..volume },
            ours,
        }
    }
}

impl Report {
    /// No MUST is broken.
    pub fn is_conformant(&self) -> bool {
        self.of(Severity::Must).next().is_none()
    }

    /// Findings of one weight.
    pub fn of(&self, severity: Severity) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.severity == severity)
    }

    /// Whether `rule` was found broken.
    pub fn breaks(&self, rule: &str) -> bool {
        self.findings.iter().any(|finding| finding.rule == rule)
    }

    /// Broken recommendations that nobody decided on.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.of(Severity::Should).filter(|finding| self.reason(finding.rule).is_none())
    }

    fn reason(&self, rule: &str) -> Option<&'static str> {
        rule::all().find(|known| known.id == rule).filter(|_| self.ours).and_then(Rule::deliberate)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Volume { live, variants, playlists, segments, opened, bytes } = self.volume;
        let kind = if live { "live" } else { "on demand" };
        writeln!(f, "{}", self.address)?;
        writeln!(
            f,
            "  {kind}: {variants} variants, {playlists} media playlists, {segments} segments ({opened} opened), {:.1} MB read",
            bytes as f64 / 1e6
        )?;
        for severity in [Severity::Must, Severity::Should, Severity::Info] {
            self.section(f, severity)?;
        }
        if self.more > 0 {
            writeln!(f, "\n… and {} more findings", self.more)?;
        }
        writeln!(f, "\n{} rules looked at (Apple {}, {})", self.checked.len(), self.apple, self.rfc)?;
        if !self.not_applicable.is_empty() {
            writeln!(
                f,
                "{} with nothing to apply to: {}",
                self.not_applicable.len(),
                self.not_applicable.join(", ")
            )?;
        }
        let (musts, shoulds) = (self.of(Severity::Must).count(), self.warnings().count());
        let verdict = if musts == 0 { "conformant" } else { "NOT CONFORMANT" };
        write!(f, "{verdict}: {musts} MUST broken, {shoulds} SHOULD")
    }
}

impl Report {
    fn section(&self, f: &mut fmt::Formatter<'_>, severity: Severity) -> fmt::Result {
        let findings: Vec<_> = self.of(severity).collect();
        if findings.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{severity}, {} findings", findings.len())?;
        for group in findings.chunk_by(|a, b| a.rule == b.rule) {
            let Some(rule) = rule::all().find(|rule| rule.id == group[0].rule) else { continue };
            writeln!(f, "  {}: {}", rule.id, rule.text)?;
            if let Some(reason) = self.reason(rule.id) {
                writeln!(f, "    on purpose: {reason}")?;
                continue;
            }
            for finding in group.iter().take(SHOWN) {
                let inside = if finding.inside.is_empty() { "" } else { ", " };
                writeln!(f, "    {}{inside}{}", finding.url, finding.inside)?;
                writeln!(f, "      found {}; wanted {}", finding.found, finding.wanted)?;
            }
            if group.len() > SHOWN {
                writeln!(f, "    … and {} more", group.len() - SHOWN)?;
            }
        }
        Ok(())
    }
}
