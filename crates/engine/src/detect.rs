//! Asks every kind about every object it looks at.
//!
//! Kinds do not know of each other, so several threads may ask them: the answers are put
//! together in the order of the kinds, and the outcome is the same for any number of threads.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use model::{Detect, FailureKind, Finding, Findings, Snapshot};

/// Below this many workloads it takes longer to start threads than to ask.
const MANY_APPS: usize = 500;
const MOST_THREADS: usize = 4;

/// All findings, in a stable order, each only once.
pub(crate) fn run(now: &Snapshot, kinds: &[&FailureKind]) -> Findings {
    let mut findings = Findings::default();
    for answer in ask_all(now, kinds) {
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

/// What each kind says, in the order of the kinds.
fn ask_all(now: &Snapshot, kinds: &[&FailureKind]) -> Vec<Findings> {
    let cores = || thread::available_parallelism().map_or(1, usize::from);
    let threads = if now.apps.len() < MANY_APPS { 1 } else { cores().min(MOST_THREADS) };
    let next = AtomicUsize::new(0);
    let turns = || {
        let mut said = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(kind) = kinds.get(at)
        {
            said.push((at, ask(kind, now)));
        }
        said
    };
    let mut said = thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(turns)).collect();
        let mut said = turns();
        for other in others {
            match other.join() {
                Ok(more) => said.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        said
    });
    said.sort_by_key(|(at, _)| *at);
    said.into_iter().map(|(_, findings)| findings).collect()
}

fn ask(kind: &FailureKind, now: &Snapshot) -> Findings {
    let mut findings = Findings::default();
    match kind.detect {
        Detect::Apps(detect) => now.apps.iter().for_each(|a| detect(a, now, &mut findings)),
        Detect::Nodes(detect) => now.known_nodes().for_each(|n| detect(n, now, &mut findings)),
        Detect::Services(detect) => now.services.iter().for_each(|s| detect(s, now, &mut findings)),
        Detect::Claims(detect) => now.claims.iter().for_each(|c| detect(c, now, &mut findings)),
        Detect::Cluster(detect) => detect(now, &mut findings),
        Detect::Exposure => {}
    }
    findings
}
