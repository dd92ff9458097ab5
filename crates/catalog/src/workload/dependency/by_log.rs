//! Complaints in logs, gathered by the peer they are about: who complains, and who does not.

use std::collections::BTreeMap;

use model::{Finding, Findings, ObjectRef, Snapshot};

use super::cause;
use crate::dependency::complaint::{self, Class, Complaint};

const ID: &str = super::super::dependency_failing::KIND.id;

/// Complaints that go on. What is over is told as such.
pub(in crate::workload) fn heard<'s>(
    now: &'s Snapshot,
    findings: &mut Findings,
) -> Vec<Complaint<'s>> {
    let (over, heard): (Vec<_>, Vec<_>) = complaint::all(now)
        .into_iter()
        .filter(|c| c.app.wanted() != Some(0))
        .partition(|c| c.is_over || !c.is_heard());
    for c in &over {
        let peer = c.seen.as_ref().map_or_else(|| "a peer".to_owned(), |s| s.text());
        let lines = if c.count == 1 { "1 line".to_owned() } else { format!("{} lines", c.count) };
        let what = format!("{lines} of {} about {peer}", c.app.object);
        let why = if c.is_over { "its log went on without them" } else { "they are too few" };
        findings.stale(what, why);
    }
    heard
}

/// What several workloads say of one peer.
pub(super) struct Group<'c, 's> {
    pub(super) class: Class,
    /// Told by clients.
    pub(super) clients: Vec<&'c Complaint<'s>>,
    /// Told by the peer's own log.
    pub(super) own: Vec<&'c Complaint<'s>>,
}

impl<'c, 's> Group<'c, 's> {
    /// The complaint that tells most.
    pub(super) fn first(&self) -> Option<&'c Complaint<'s>> {
        self.clients.iter().chain(&self.own).copied().max_by_key(|c| c.count)
    }

    /// Workloads that complain.
    pub(super) fn complaining(&self) -> Vec<&'s model::App> {
        let mut apps: Vec<&model::App> = self.clients.iter().map(|c| c.app).collect();
        apps.dedup_by(|a, b| a.object == b.object);
        apps
    }
}

pub(in crate::workload) fn detect(
    complaints: &[Complaint<'_>],
    now: &Snapshot,
    findings: &mut Findings,
) {
    let mut groups: BTreeMap<(Class, ObjectRef), Group<'_, '_>> = BTreeMap::new();
    for c in complaints {
        // A peer without a Service is a matter of the client alone.
        let service = c.seen.as_ref().and_then(|s| s.service);
        let about = service.map(|s| s.meta.object(model::Kind::Service));
        let key = (c.class, about.unwrap_or_else(|| c.app.object.clone()));
        let group = groups.entry(key).or_insert_with(|| Group {
            class: c.class,
            clients: Vec::new(),
            own: Vec::new(),
        });
        if c.is_own { group.own.push(c) } else { group.clients.push(c) }
    }
    let told: Vec<ObjectRef> = findings
        .found
        .iter()
        .filter(|f| f.mechanism == "dependency-address-wrong")
        .map(|f| f.object.clone())
        .collect();
    for group in groups.values() {
        for finding in cause::of(group, complaints, now) {
            let again =
                finding.mechanism == "dependency-address-wrong" && told.contains(&finding.object);
            if !again && !already(&finding, findings) {
                findings.push(finding);
            }
        }
    }
}

/// Whether the same was found already from another group: the surer one stays.
fn already(finding: &Finding, findings: &mut Findings) -> bool {
    let same = findings.found.iter_mut().find(|f| {
        f.failure == ID && f.mechanism == finding.mechanism && f.object == finding.object
    });
    let Some(known) = same else { return false };
    if finding.certainty > known.certainty {
        let old = std::mem::replace(known, finding.clone());
        known.affected.extend(old.affected);
    } else {
        known.affected.extend(finding.affected.iter().cloned());
    }
    known.affected.sort();
    known.affected.dedup();
    true
}
