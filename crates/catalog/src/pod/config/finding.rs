//! From what workloads lack to findings: one for each thing that is missing, about the workload
//! that names it, or about the thing itself when several do.

use model::{Certainty, Finding, Findings, Impact, Kind, Snapshot, State};

use super::hint;
use super::lack::{self, Lack, What};

/// Findings of the failure `id` among what is missing: what only volumes name, or the rest.
pub(crate) fn push(id: &'static str, only_volumes: bool, now: &Snapshot, findings: &mut Findings) {
    for (what, lacks) in lack::all(now) {
        if lacks.iter().all(|l| l.only_volume) == only_volumes {
            findings.found.extend(of(id, &what, &lacks, now));
        }
    }
}

/// The mechanism of something missing.
pub(crate) fn mechanism(what: &What) -> &'static str {
    match what.object.kind {
        _ if !what.key.is_empty() => "key-missing",
        Kind::ConfigMap => "config-map-missing",
        Kind::Secret => "secret-missing",
        Kind::ServiceAccount => "service-account-missing",
        _ => "volume-source-missing",
    }
}

fn of(id: &'static str, what: &What, lacks: &[Lack<'_>], now: &Snapshot) -> Option<Finding> {
    let best = lacks.iter().max_by_key(|l| (std::cmp::Reverse(l.state), l.certainty, l.pods))?;
    let several = lacks.iter().filter(|l| l.state == best.state).count() > 1;
    let object = if several { what.object.clone() } else { best.app.object.clone() };
    let expected = hint::expected(best, now);
    let headline = headline(what, best, lacks, several);
    let mechanism = mechanism(what);
    let value = if what.key.is_empty() { what.object.name.to_string() } else { what.key.clone() };
    let mut finding = Finding::new(id, mechanism, object, headline).state(best.state);
    finding = match (several, what.key.is_empty()) {
        (true, true) => finding.field("metadata.name", "does not exist", value),
        (true, false) => finding.field("data", format!("no key {value}"), format!("a key {value}")),
        (false, _) => finding.field(best.field.clone(), value, expected),
    };
    finding.since = lacks.iter().filter_map(|l| l.since).min();
    for lack in lacks.iter().filter(|l| l.state == best.state) {
        finding = finding.evidence(lack.evidence.iter().cloned());
        if lack.state < State::Suspected {
            let all = lack.app.running().count();
            let how = format!("{} of {all} pods cannot start", lack.pods);
            finding = finding.affects(lack.app.object.clone(), how);
        }
    }
    if best.state == State::Active {
        let lost = lacks.iter().map(|l| l.app.lost_replicas()).fold(0, u32::saturating_add);
        finding = finding.impact(Impact { replicas: lost, ..Impact::default() });
    }
    if best.certainty < Certainty::Proven {
        finding = doubt(finding, best, what);
    }
    Some(finding)
}

fn headline(what: &What, best: &Lack<'_>, lacks: &[Lack<'_>], several: bool) -> String {
    let word = lack::word(what.object.kind);
    let name = &what.object.name;
    let lacking = match what.key.as_str() {
        "" => format!("{word} {name} does not exist"),
        key if name.is_empty() => format!("its {word} has no key {key}"),
        key => format!("{word} {name} has no key {key}"),
    };
    match best.state {
        State::Suspected if several => {
            format!("{lacking}: the next pods of {} workloads will not start", lacks.len())
        }
        State::Suspected => {
            format!("{lacking}: the next pod of {} will not start", best.app.object)
        }
        State::Recovering => {
            format!("{} waited for {word} {name}, which is there now", best.app.object)
        }
        _ if several => {
            let word = lack::word(what.object.kind);
            let named = lacking.strip_prefix(word).unwrap_or(&lacking).trim_start();
            let n = lacks.iter().filter(|l| l.state == best.state).count();
            format!("{word} {}/{named}: {n} workloads cannot start", what.object.namespace)
        }
        _ if best.certainty == Certainty::Possible => {
            format!("{} cannot start; perhaps {lacking}", best.app.object)
        }
        _ => format!("{} cannot start: {lacking}", best.app.object),
    }
}

/// Names what else it can be, and the command that tells.
fn doubt(finding: Finding, best: &Lack<'_>, what: &What) -> Finding {
    let certainty = best.certainty;
    let pod = best.app.running().find(|p| p.is_ready() != Some(true));
    let look = match pod {
        Some(pod) => format!("kubectl describe {}", pod.meta.object(Kind::Pod).for_kubectl()),
        None => format!("kubectl get {}", what.object.for_kubectl()),
    };
    let other = match what.object.kind {
        Kind::ConfigMap => "secret-missing",
        _ => "config-map-missing",
    };
    match certainty {
        Certainty::Likely => finding.unsure(certainty, &["key-missing"], look),
        _ => finding.unsure(certainty, &[other, "key-missing", "network-plugin-down"], look),
    }
}
