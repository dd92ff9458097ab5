//! Who calls whom: from addresses in settings, and from hosts that logs name.

use std::collections::{BTreeMap, BTreeSet};

use model::{ObjectRef, Snapshot};

use crate::dependency::complaint::Complaint;
use crate::pod::{log_lines, peer};

/// Lines read from the end of a log for the hosts in it.
const READ_LINES: usize = 300;

/// Calls between workloads, by their place in the snapshot's list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Calls {
    out: BTreeMap<usize, BTreeSet<usize>>,
    into: BTreeMap<usize, BTreeSet<usize>>,
}

impl Calls {
    /// All calls that settings and logs tell of.
    pub(crate) fn of(now: &Snapshot, complaints: &[Complaint<'_>]) -> Self {
        let index: BTreeMap<&ObjectRef, usize> =
            now.apps.iter().enumerate().map(|(i, a)| (&a.object, i)).collect();
        let mut calls = Calls::default();
        let behind = |service: &model::record::Service| -> Vec<usize> {
            if service.selector.is_empty() {
                return Vec::new();
            }
            let apps = now.apps_selected(&service.meta.namespace, &service.selector);
            apps.iter().filter_map(|a| index.get(&a.object).copied()).collect()
        };
        for (i, app) in now.apps.iter().enumerate() {
            for peer in now.peers_of(app) {
                let service = peer::service_of(peer.host, &app.object.namespace, now);
                service.into_iter().flat_map(behind).for_each(|to| calls.add(i, to));
            }
        }
        for complaint in complaints {
            let service = complaint.seen.as_ref().and_then(|s| s.service);
            if let Some(from) = index.get(&complaint.app.object) {
                service.into_iter().flat_map(behind).for_each(|to| calls.add(*from, to));
            }
        }
        let owners = log_lines::owners(now);
        for log in now.logs.iter().filter(|l| l.unit.is_empty()) {
            let Some(from) = owners.of(log) else { continue };
            let Some(app) = now.apps.get(from) else { continue };
            for line in log.lines.iter().rev().take(READ_LINES) {
                for host in hosts(line) {
                    let service = peer::service_of(host, &app.object.namespace, now);
                    service.into_iter().flat_map(behind).for_each(|to| calls.add(from, to));
                }
            }
        }
        calls
    }

    fn add(&mut self, from: usize, to: usize) {
        if from != to {
            self.out.entry(from).or_default().insert(to);
            self.into.entry(to).or_default().insert(from);
        }
    }

    /// Whom a workload calls.
    pub(crate) fn called_by(&self, app: usize) -> impl Iterator<Item = usize> {
        self.out.get(&app).into_iter().flatten().copied()
    }

    /// Who calls a workload.
    pub(crate) fn callers_of(&self, app: usize) -> impl Iterator<Item = usize> {
        self.into.get(&app).into_iter().flatten().copied()
    }

    /// All calls.
    pub(crate) fn all(&self) -> impl Iterator<Item = (usize, usize)> {
        self.out.iter().flat_map(|(from, to)| to.iter().map(|t| (*from, *t)))
    }

    /// Everybody who calls one of these, directly or through others.
    pub(crate) fn above(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        Self::closure(&self.into, from)
    }

    /// Everybody whom one of these calls, directly or through others.
    pub(crate) fn below(&self, from: &BTreeSet<usize>) -> BTreeSet<usize> {
        Self::closure(&self.out, from)
    }

    fn closure(
        edges: &BTreeMap<usize, BTreeSet<usize>>,
        from: &BTreeSet<usize>,
    ) -> BTreeSet<usize> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<usize> = from.iter().copied().collect();
        while let Some(at) = open.pop() {
            for next in edges.get(&at).into_iter().flatten() {
                if seen.insert(*next) {
                    open.push(*next);
                }
            }
        }
        seen
    }
}

/// Hosts of URLs in a line.
fn hosts(line: &str) -> impl Iterator<Item = &str> {
    line.split("://").skip(1).take(4).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '.');
        rest.get(..end.unwrap_or(rest.len())).filter(|h| h.len() > 1)
    })
}
