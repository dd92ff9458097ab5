//! Asks every kind about every object it looks at.

use model::{Detect, FailureKind, Finding, Findings, Snapshot};

/// What one kind says of everything it looks at.
pub fn ask(kind: &FailureKind, now: &Snapshot) -> Findings {
    ask_of(kind, now, Share { part: 0, of: 1 })
}

/// One of several parts of what a kind looks at, in order: equally many objects each.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Which, from 0.
    pub part: usize,
    /// Of how many; at least 1.
    pub of: usize,
}

impl Share {
    fn take<T>(self, objects: impl Iterator<Item = T> + Clone) -> impl Iterator<Item = T> {
        let count = objects.clone().count();
        let place = |part: usize| count * part / self.of.max(1);
        objects.skip(place(self.part)).take(place(self.part + 1) - place(self.part))
    }
}

/// What one kind says of a share of what it looks at. The answers of all shares, one after the
/// other, are those of [`ask`]; a kind that looks at the cluster as a whole answers in the first.
pub fn ask_of(kind: &FailureKind, now: &Snapshot, share: Share) -> Findings {
    let mut findings = Findings::default();
    match kind.detect {
        Detect::Apps(detect) => {
            share.take(now.apps.iter()).for_each(|a| detect(a, now, &mut findings));
        }
        Detect::Nodes(detect) => {
            share.take(now.known_nodes()).for_each(|n| detect(n, now, &mut findings));
        }
        Detect::Services(detect) => {
            share.take(now.services.iter()).for_each(|s| detect(s, now, &mut findings));
        }
        Detect::Claims(detect) => {
            share.take(now.claims.iter()).for_each(|c| detect(c, now, &mut findings));
        }
        Detect::Cluster(detect) if share.part == 0 => detect(now, &mut findings),
        Detect::Cluster(_) | Detect::Exposure | Detect::ExposedApps(_) => {}
    }
    findings
}

/// All findings, in a stable order, each only once. `answers` are in the order of the kinds.
pub(crate) fn join(answers: impl IntoIterator<Item = Findings>) -> Findings {
    let mut findings = Findings::default();
    for answer in answers {
        findings.found.extend(answer.found);
        findings.ruled_out.extend(answer.ruled_out);
        findings.stale.extend(answer.stale);
    }
    findings.found.sort_by(|a, b| {
        let key = |f: &Finding| (f.object.clone(), f.failure, f.mechanism);
        key(a).cmp(&key(b)).then_with(|| b.certainty.cmp(&a.certainty))
    });
    findings.found.dedup_by(|b, a| {
        a.object == b.object && a.failure == b.failure && a.mechanism == b.mechanism
    });
    findings
}
