//! Names of existing Services that programs and people could not look up.

use std::collections::BTreeSet;

use model::{App, Evidence, Finding, ObjectRef, Snapshot};

use crate::evidence;
use crate::pod::log_lines;
use crate::wording::{self, says};

/// Only the end of a log is about now.
const LAST_LINES: usize = 60;

/// Failed lookups.
pub(super) struct Lookups<'s> {
    apps: Vec<(&'s App, Evidence)>,
    dials: Vec<Evidence>,
    /// Somebody reached a Service by its name.
    pub(super) some_worked: bool,
}

impl Lookups<'_> {
    /// How many callers could not look up a name; attempts by hand count as three at
    /// most, since they are made from one place.
    pub(super) fn sources(&self) -> usize {
        self.apps.len() + self.dials.len().min(3)
    }

    /// Adds who suffers to a finding.
    pub(super) fn add(&self, mut found: Finding) -> Finding {
        for (app, fact) in &self.apps {
            found = found.affects(app.object.clone(), "cannot look up names");
            if found.evidence.len() < 6 {
                found.evidence.push(fact.clone());
            }
        }
        found.evidence.extend(self.dials.iter().take(2).cloned());
        found
    }
}

/// Failed lookups in the logs of programs and in connections tried by hand.
pub(super) fn of(now: &Snapshot) -> Lookups<'_> {
    let services: BTreeSet<&str> = now.services.iter().map(|s| s.meta.name.as_str()).collect();
    let mut apps: Vec<(&App, Evidence)> = Vec::new();
    for log in now.logs.iter().filter(|l| l.unit.is_empty() && !l.previous) {
        let mut last = log.lines.iter().rev().take(LAST_LINES);
        let Some(line) = last.find(|l| is_failed(l, &services)) else { continue };
        let own = now.apps.iter().find(|a| {
            let here = log.namespace.is_empty() || log.namespace == a.object.namespace;
            here && log_lines::names(a).contains(&log.name.as_str())
        });
        let Some(app) = own else { continue };
        if apps.iter().all(|(a, _)| a.object != app.object) {
            let value: String = line.chars().take(300).collect();
            apps.push((app, evidence::field(log.document, &app.object, "log", value)));
        }
    }
    let named = |host: &str| services.contains(host.split('.').next().unwrap_or_default());
    let dials = now.dials.iter().filter(|d| named(&d.host));
    let (worked, failed): (Vec<_>, Vec<_>) = dials.partition(|d| d.connected);
    let unknown = failed.into_iter().filter(|d| is_unknown(&d.answer));
    let fact = |d: &model::Dial| {
        let object = ObjectRef::component("coredns");
        let field = format!("connection to {}:{}", d.host, d.port);
        evidence::field(d.document, &object, field, d.answer.clone())
    };
    Lookups { apps, dials: unknown.map(fact).collect(), some_worked: !worked.is_empty() }
}

fn is_unknown(text: &str) -> bool {
    says(text, wording::NAME_RESOLUTION_DOWN)
        || says(text, wording::NAME_SERVER_SILENT)
        || says(text, wording::NAME_UNKNOWN)
        || says(text, &["getaddrinfo", "bad address"])
}

/// Whether a line tells that the name server did not answer, or did not know a Service that is
/// there.
fn is_failed(line: &str, services: &BTreeSet<&str>) -> bool {
    if says(line, wording::NAME_RESOLUTION_DOWN) || says(line, wording::NAME_SERVER_SILENT) {
        return true;
    }
    let between = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    says(line, wording::NAME_UNKNOWN) && line.split(between).any(|w| services.contains(w))
}
