//! Asks every kind about every object it looks at.

use model::{Detect, FailureKind, Finding, Findings, Snapshot};

/// What one kind says of everything it looks at.
pub fn ask(kind: &FailureKind, now: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    match kind.detect {
        Detect::Apps(detect) => now.apps.iter().for_each(|a| detect(a, now, &mut findings)),
        Detect::Nodes(detect) => now.known_nodes().for_each(|n| detect(n, now, &mut findings)),
        Detect::Services(detect) => now.services.iter().for_each(|s| detect(s, now, &mut findings)),
        Detect::Claims(detect) => now.claims.iter().for_each(|c| detect(c, now, &mut findings)),
        Detect::Cluster(detect) => detect(now, &mut findings),
        Detect::Exposure | Detect::ExposedApps(_) => {}
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
