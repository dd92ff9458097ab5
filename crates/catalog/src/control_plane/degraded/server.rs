//! What clients and health checks tell of the API server and of etcd behind it.

use model::{Certainty, Evidence, Finding, Findings, ObjectRef, Snapshot};

use super::super::told::{self, Told};
use super::{KIND, everybody};
use crate::evidence;
use crate::wording::{self, says};

/// What an answer means: mechanism, component, certainty, headline, other explanations, and the
/// command that decides.
struct Meaning {
    mechanism: &'static str,
    component: &'static str,
    certainty: Certainty,
    headline: &'static str,
    others: &'static [&'static str],
    look: &'static str,
}

fn meaning(told: Told) -> Option<Meaning> {
    let (mechanism, component, certainty, headline) = match told {
        Told::CertificateExpired => (
            "certificate-expired",
            "kube-apiserver",
            Certainty::Proven,
            "the API server's certificate has expired: no client trusts it",
        ),
        Told::EtcdFull => (
            "etcd-full",
            "etcd",
            Certainty::Proven,
            "etcd's database is full: the cluster can be read and no longer changed",
        ),
        Told::EtcdDown => {
            ("etcd-down", "etcd", Certainty::Proven, "etcd does not answer the API server")
        }
        Told::EtcdSlow => {
            ("etcd-slow", "etcd", Certainty::Likely, "etcd answers the API server too late")
        }
        Told::Busy => (
            "apiserver-overloaded",
            "kube-apiserver",
            Certainty::Likely,
            "the API server cannot keep up with its clients",
        ),
        Told::Refused => (
            "apiserver-down",
            "kube-apiserver",
            Certainty::Likely,
            "the API server does not run: its machine refuses connections",
        ),
        Told::Silent | Told::NoMetrics => return None,
    };
    let (others, look): (&[&str], _) = match told {
        Told::EtcdSlow => (
            &["etcd-down"],
            "kubectl get --raw '/readyz?verbose'; etcdctl endpoint status --cluster -w table",
        ),
        Told::Busy => (&["etcd-slow"], "kubectl get --raw '/readyz?verbose'"),
        _ => (
            &["certificate-expired", "etcd-down"],
            "sudo crictl ps -a | grep -E 'apiserver|etcd'; sudo journalctl -u kubelet -n 50",
        ),
    };
    Some(Meaning { mechanism, component, certainty, headline, others, look })
}

pub(super) fn report(now: &Snapshot, findings: &mut Findings) {
    let mut told = told::standing(now);
    told.sort_by_key(|(told, _)| *told);
    for group in told.chunk_by(|a, b| a.0 == b.0) {
        let Some((first, error)) = group.first() else { continue };
        let Some(meaning) = meaning(*first) else { continue };
        let mut found = finding(&meaning, group.iter().take(3).map(|(_, e)| told::fact(e)));
        if *first == Told::Refused
            && let Some(address) = told::address(&error.text)
        {
            found = found.field("address", address, "an API server that listens there");
        }
        // Others had answers: it comes and goes, or there are several servers.
        if found.certainty == Certainty::Likely && group.len() < 2 && has_answered(now) {
            found.certainty = Certainty::Possible;
        }
        findings.push(found);
    }
    if !told.iter().any(|(told, _)| matches!(told, Told::EtcdSlow | Told::EtcdDown)) {
        slow_by_logs(now, findings);
    }
    if !told.iter().any(|(told, _)| *told == Told::EtcdFull) {
        full_by_events(now, findings);
    }
    no_settings(now, findings);
    checks(now, findings);
}

/// Controllers that could not write say so in events, when there was room for those.
fn full_by_events(now: &Snapshot, findings: &mut Findings) {
    let told = now.events_where(|e| {
        e.message.contains("etcdserver: ") && says(&e.message, wording::ETCD_FULL)
    });
    let told = told.into_iter().filter(|e| evidence::is_recent(e, now, RECENT_SECONDS));
    let facts: Vec<Evidence> = told.filter_map(|e| evidence::event(e, now)).take(3).collect();
    if let Some(meaning) = meaning(Told::EtcdFull).filter(|_| !facts.is_empty()) {
        findings.push(finding(&meaning, facts));
    }
}

/// How long ago a complaint may have come and still be about now, in seconds.
const RECENT_SECONDS: i64 = 900;

fn finding(meaning: &Meaning, facts: impl IntoIterator<Item = Evidence>) -> Finding {
    let object = ObjectRef::component(meaning.component);
    let found = Finding::new(KIND.id, meaning.mechanism, object, meaning.headline)
        .evidence(facts)
        .affects(everybody(), "clients of the API get no answer");
    match meaning.certainty {
        Certainty::Proven => found,
        certainty => found.unsure(certainty, meaning.others, meaning.look),
    }
}

/// Only the end of a log is about now.
const LAST_LINES: usize = 60;

/// Every etcd complains of slow requests now and then. It counts when components lost their
/// leases over it, or when etcd says of its own work, again and again, that it is late.
fn slow_by_logs(now: &Snapshot, findings: &mut Findings) {
    let component = |names: &[&str]| {
        let own = |l: &&model::LogLines| {
            names.iter().any(|n| l.name.starts_with(n) || l.unit == *n) && !l.name.contains('/')
        };
        now.logs.iter().filter(own).collect::<Vec<_>>()
    };
    let told = |logs: &[&model::LogLines], words: &[&str]| -> Vec<Evidence> {
        let of = |log: &&model::LogLines| {
            let last = log.lines.iter().rev().take(LAST_LINES);
            let lines: Vec<&String> = last.filter(|l| says(l, words)).collect();
            let line: String = lines.first()?.chars().take(300).collect();
            let object = ObjectRef::component("etcd");
            let field = format!("log of {}{} (x{})", log.name, log.unit, lines.len());
            Some(evidence::field(log.document, &object, field, line))
        };
        logs.iter().filter_map(of).collect()
    };
    let slow = told(&component(&["etcd"]), wording::ETCD_TOOK_LONG);
    let others = ["kube-scheduler", "kube-controller-manager", "kube-apiserver"];
    let mut lost = told(&component(&others), wording::LEASE_LOST);
    lost.extend(told(&component(&others), wording::ETCD_SLOW));
    let Some(meaning) = meaning(Told::EtcdSlow) else { return };
    if !slow.is_empty() && (!lost.is_empty() || starves(&component(&["etcd"]))) {
        findings.push(finding(&meaning, slow.into_iter().chain(lost).take(4)));
    }
}

/// Whether the end of a log of etcd speaks of little else than of being late.
fn starves(logs: &[&model::LogLines]) -> bool {
    logs.iter().any(|log| {
        let last = || log.lines.iter().rev().take(LAST_LINES).filter(|l| !l.trim().is_empty());
        let late = last().filter(|l| says(l, wording::ETCD_TOOK_LONG)).count();
        late >= 2 && late * 2 >= last().count() && last().any(|l| says(l, wording::ETCD_STARVES))
    })
}

/// Whether the input holds answers of a live API server.
fn has_answered(now: &Snapshot) -> bool {
    now.nodes.iter().any(|n| n.ready().is_some())
        || now.apps.iter().any(|a| a.pods.iter().any(|p| p.is_ready().is_some()))
}

/// kubectl without settings is nobody's fault but its own.
fn no_settings(now: &Snapshot, findings: &mut Findings) {
    let mut open = now.client_errors.iter().filter(|e| !e.answered_later);
    if open.any(|e| says(&e.text, wording::NO_KUBECONFIG)) {
        let why = "kubectl had no settings and asked its own machine at port 8080";
        findings.rule_out(KIND.id, ObjectRef::component("kube-apiserver"), why);
    }
}

/// `/readyz?verbose` names the part that is not well.
fn checks(now: &Snapshot, findings: &mut Findings) {
    let failed = |c: &&model::HealthCheck| !c.healthy && c.name.starts_with("etcd");
    let passed = now.checks.iter().any(|c| c.healthy && c.name.starts_with("etcd"));
    let Some(check) = now.checks.iter().find(failed) else { return };
    let object = ObjectRef::component("kube-apiserver");
    let fact = evidence::field(check.document, &object, "readyz", check.said.clone());
    let Some(mut meaning) = meaning(Told::EtcdDown) else { return };
    if passed {
        // It failed at one time, or for one of several API servers.
        (meaning.mechanism, meaning.certainty) = ("etcd-slow", Certainty::Likely);
        meaning.headline = "etcd answers the API server only at times";
    }
    findings.push(finding(&meaning, [fact]));
}
