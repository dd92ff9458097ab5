//! The cluster's name server: whether it runs, whether its settings let it answer for Services,
//! and whether programs find names.

use model::record::{Known, Named, Service};
use model::{
    App, Certainty, Evidence, Finding, Findings, Kind, ObjectRef, Role, Snapshot, Timestamp,
};

use super::standing::{SYSTEM, everybody, ready, unmatched_selector};
use crate::evidence;
use crate::pod::log_lines;
use crate::wording::{self, says};

mod lookups;
mod settings;

use lookups::Lookups;

/// Namespaces in which name servers live.
const NAMESPACES: [&str; 2] = [SYSTEM, "openshift-dns"];

/// Names of the workload, where no label tells.
const NAMES: [&str; 4] = ["coredns", "kube-dns", "dns-default", "rke2-coredns-rke2-coredns"];

/// Pods that are younger than this may still be starting.
const STARTING_SECONDS: i64 = 60;

/// Workloads that answer for names.
pub(crate) fn apps(now: &Snapshot) -> Vec<&App> {
    let here = NAMESPACES.iter().flat_map(|n| now.apps_in(n));
    let labelled = |a: &App| {
        let label = |key| a.pod_labels().and_then(|l| l.get(key));
        matches!(label("k8s-app"), Some("kube-dns" | "coredns"))
            || label("dns.operator.openshift.io/daemonset-dns") == Some("default")
    };
    let named = |a: &App| {
        let makes_pods = a.object.kind != Kind::Pod && a.object.kind != Kind::Job;
        NAMES.contains(&a.object.name.as_str()) && makes_pods
    };
    here.filter(|a| labelled(a) || named(a)).collect()
}

fn service(now: &Snapshot) -> Option<&Service> {
    ["kube-dns", "coredns", "rke2-coredns-rke2-coredns"]
        .iter()
        .find_map(|name| now.services.get(SYSTEM, name))
        .or_else(|| now.services.get("openshift-dns", "dns-default"))
}

/// Reports what keeps names from being answered. The deepest reason alone: who is down cannot
/// also be misconfigured.
pub(super) fn report(id: &'static str, now: &Snapshot, findings: &mut Findings) {
    let lookups = lookups::of(now);
    let apps = apps(now);
    let found = stopped(id, &apps, now)
        .or_else(|| misconfigured(id, now))
        .or_else(|| unready(id, &apps, now))
        .or_else(|| unreachable(id, now))
        .or_else(|| missed(id, &apps, &lookups));
    if let Some(found) = found {
        findings.push(lookups.add(found));
    }
}

fn told(id: &'static str, object: ObjectRef, headline: String) -> Finding {
    Finding::new(id, "dns-down", object, headline)
        .affects(everybody(), "no name of a Service can be looked up")
}

/// Somebody scaled it to zero.
fn stopped(id: &'static str, apps: &[&App], now: &Snapshot) -> Option<Finding> {
    let zero = |a: &&&App| {
        let own = a.workload.as_ref().filter(|w| w.meta.shows(Known::REPLICAS));
        own.is_some_and(|w| w.replicas == Some(0)) && ready(a) == 0
    };
    let app = apps.iter().find(zero).filter(|_| apps.iter().all(|a| ready(a) == 0))?;
    let object = app.object.clone();
    let workload = app.workload.as_ref()?;
    if object.kind == Kind::DaemonSet {
        return no_node(id, app, now);
    }
    let headline = format!("{object} is scaled to zero: no name in the cluster can be looked up");
    let fact = evidence::field(workload.meta.source, &object, "spec.replicas", "0");
    Some(told(id, object, headline).field("spec.replicas", "0", "2 or more").evidence([fact]))
}

/// A DaemonSet whose node selector no node meets has no pods, and nobody complains.
fn no_node(id: &'static str, app: &App, now: &Snapshot) -> Option<Finding> {
    let (selector, fact) = unmatched_selector(app, now)?;
    let headline = format!("{} runs on no node: its node selector fits none", app.object);
    let found = told(id, app.object.clone(), headline).evidence([fact]);
    Some(found.field("spec.template.spec.nodeSelector", selector, "labels that nodes have"))
}

/// It has pods or should have some, and none is ready.
fn unready(id: &'static str, apps: &[&App], now: &Snapshot) -> Option<Finding> {
    let shown = |a: &App| {
        let counted = a.workload.as_ref().is_some_and(|w| w.meta.shows(Known::STATUS));
        !a.pods.is_empty() || counted
    };
    let down = |a: &&App| shown(a) && ready(a) == 0 && a.lost_replicas() > 0;
    let app = apps.iter().copied().find(down)?;
    if !apps.iter().all(down) || is_starting(app, now) {
        return None;
    }
    let object = app.object.clone();
    let wanted = app.wanted().unwrap_or_default().max(app.running().count() as i64);
    let headline =
        format!("none of the {wanted} pods of {object} is ready: no name can be looked up");
    let since = app.running().filter_map(|p| p.ready.and_then(|r| r.since)).min();
    let facts = app.running().take(2).map(|p| {
        let words: Vec<&str> = p.words().filter(|w| !w.is_empty()).collect();
        let value = if words.is_empty() { "not ready".into() } else { words.join(", ") };
        evidence::field(p.meta.source, &p.meta.object(Kind::Pod), "status", value)
    });
    if let Some((line, fact)) = refused_settings(app, now) {
        let map = ObjectRef::new(Kind::ConfigMap, &object.namespace, SETTINGS);
        let headline = format!("the name server does not start: it cannot read {map}");
        return Some(
            told(id, map, headline)
                .field("data.Corefile", line, "settings that the name server understands")
                .since(since.filter(|_| now.has_time))
                .evidence([fact])
                .evidence(facts)
                .affects(object, "its pods do not start"),
        );
    }
    let count = evidence::field(app.document(), &object, "status.readyReplicas", "0");
    Some(
        told(id, object, headline)
            .role(Role::Mechanism)
            .field("status.readyReplicas", "0", wanted.to_string())
            .since(since.filter(|_| now.has_time))
            .evidence(facts)
            .evidence([count]),
    )
}

/// The config map that holds the name server's settings nearly everywhere.
const SETTINGS: &str = "coredns";

/// What its log says of settings that it cannot read.
fn refused_settings(app: &App, now: &Snapshot) -> Option<(String, Evidence)> {
    let logs = log_lines::of(app, "", now);
    let line = logs.iter().find_map(|log| {
        let line = log.lines.iter().rev().find(|l| says(l, wording::COREFILE_REFUSED))?;
        Some((line, log.document))
    });
    let (line, document) = line?;
    let text: String = line.chars().take(300).collect();
    let fact = evidence::field(document, &app.object, "log", text.clone());
    Some((text, fact))
}

fn is_starting(app: &App, now: &Snapshot) -> bool {
    let born = |p: &model::record::Pod| -> Option<Timestamp> {
        let by_age = || p.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
        p.meta.created.or_else(by_age)
    };
    let young = |p: &model::record::Pod| {
        born(p).is_some_and(|b| now.now.since(b) < STARTING_SECONDS) && p.restarts() == 0
    };
    app.running().next().is_some() && app.running().all(young)
}

/// Its pods are well, but what they were told keeps them from answering for Services.
fn misconfigured(id: &'static str, now: &Snapshot) -> Option<Finding> {
    let here = now.named.in_namespace(SYSTEM).filter(|n| n.kind == Kind::ConfigMap);
    let with_settings = |n: &Named| {
        let text = n.settings.as_deref().filter(|_| !n.meta.name.starts_with("kubelet"))?;
        settings::fault(text, now)
    };
    let (map, fault) = here
        .filter(|n| !n.meta.name.contains("node-local") && !n.meta.name.contains("nodelocal"))
        .find_map(|n| Some((n, with_settings(n)?)))?;
    let object = map.meta.object(Kind::ConfigMap);
    let headline = format!("the name server's settings ({object}) are wrong: {}", fault.why);
    let fact = evidence::field(map.meta.source, &object, "data.Corefile", fault.line.clone());
    let found = told(id, object, headline)
        .field("data.Corefile", fault.line, fault.expected)
        .evidence([fact]);
    Some(found)
}

/// Its pods are well and nothing leads to them.
fn unreachable(id: &'static str, now: &Snapshot) -> Option<Finding> {
    let apps = apps(now);
    let any_ready = apps.iter().any(|a| ready(a) > 0);
    let Some(service) = service(now) else {
        let gone = any_ready && now.is_missing(Kind::Service, SYSTEM, "kube-dns");
        let own = apps.iter().find(|a| a.object.namespace == SYSTEM && a.object.name == "coredns");
        let own = own.filter(|_| gone)?;
        let object = ObjectRef::new(Kind::Service, SYSTEM, "kube-dns");
        let fact = evidence::field(own.document(), &own.object, "Service", "kube-dns is missing");
        let headline =
            "there is no Service kube-system/kube-dns: pods ask an address that nobody has";
        let found = told(id, object, headline.into()).evidence([fact]);
        let look = "kubectl get service -n kube-system -l k8s-app=kube-dns";
        return Some(found.unsure(Certainty::Likely, &[], look));
    };
    let object = service.meta.object(Kind::Service);
    let selected = now.apps_selected(&service.meta.namespace, &service.selector);
    let unmatched = service.meta.shows(Known::SELECTOR)
        && !service.selector.is_empty()
        && selected.is_empty()
        && apps.iter().any(|a| a.pod_labels().is_some());
    let empty = now.addresses(service).is_none_or(|(there, _)| there == 0);
    if !(any_ready && unmatched && empty) {
        return None;
    }
    let headline = format!("Service {object} selects none of the name server's pods");
    let fact = evidence::field(
        service.meta.source,
        &object,
        "spec.selector",
        service.selector.to_string(),
    );
    let expected = apps.first().and_then(|a| a.pod_labels()).map(ToString::to_string);
    Some(
        told(id, object, headline)
            .role(Role::Mechanism)
            .field("spec.selector", service.selector.to_string(), expected.unwrap_or_default())
            .evidence([fact]),
    )
}

/// Nobody looked at the name server, but many programs cannot look up names that exist.
fn missed(id: &'static str, apps: &[&App], lookups: &Lookups<'_>) -> Option<Finding> {
    let sources = lookups.sources();
    if sources < 2 || lookups.some_worked {
        return None;
    }
    let object = apps.first().map(|a| a.object.clone());
    let headline = format!(
        "names of existing Services cannot be looked up ({sources} callers say so): the name \
         server does not answer"
    );
    let sure = sources > 2 && apps.iter().all(|a| ready(a) == 0);
    let certainty = if sure { Certainty::Likely } else { Certainty::Possible };
    let look = "kubectl get deployment,pods,endpoints -n kube-system -l k8s-app=kube-dns; \
                kubectl get configmap coredns -n kube-system -o yaml";
    let object = object.unwrap_or_else(|| ObjectRef::component("coredns"));
    Some(told(id, object, headline).unsure(certainty, &["proxy-down"], look))
}
