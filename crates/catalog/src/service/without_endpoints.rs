//! `service-without-endpoints`: nothing ready is behind a Service.

use model::record::{Known, Pod, Service};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Role,
    Scenario, Snapshot, State, Step, Timestamp, Truth,
};

use super::callers;
use super::nearest::{self, Nearest};
use crate::evidence;

failure! {
    /// # A Service has no endpoints
    ///
    /// ## Signs
    /// `kubectl get endpoints` shows `<none>` for the Service. Its clients wait until they give
    /// up, or their connections are refused at once. The pods meant for it may all run well.
    ///
    /// ## Why it happens
    /// A Service sends traffic to the ready pods whose labels match its selector, all of it.
    /// It has none when the selector names a label or a value that no pod carries (a word
    /// misspelt, a version added, a key renamed), when its pods are not ready, or when its
    /// workload has no pods at all. Nobody reports a selector that matches nothing: for the
    /// API it is as good as any other.
    ///
    /// ## What we do
    /// 1. Compare the selector with the labels of the pods, key by key.
    /// 2. When no pod matches: correct the side that differs, most often the selector.
    /// 3. When pods match and none is ready: find out why they are not; the Service only
    ///    shows it.
    /// 4. When there is no pod: ask the workload and its ReplicaSet why.
    ///
    /// ## How to avoid it
    /// Let one template write labels and selector, run two replicas or more behind every
    /// Service, and alert on Services that lose their last endpoint.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service" and "EndpointSlices".
    id: "service-without-endpoints",
    mechanisms: {
        "selector-unmatched": "no pod carries the labels that its selector names",
        "no-ready-pods": "none of the pods behind it is ready",
        "no-pods": "there is no pod behind it",
    },
    reads: [Service, Endpoints, EndpointSlice, Pod, Deployment, StatefulSet, DaemonSet, Ingress],
    leads_to: [
        "pod-crash-looping",
        "pod-probe-failing",
        "service-unreachable-by-client",
        "workload-dependency-failing",
    ],
    detect: Services(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long pods may take to become ready before it is a failure, in seconds.
const STARTING_SECONDS: i64 = 60;

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if service.kind == "ExternalName" || service.selector.is_empty() {
        return;
    }
    if now.addresses(service).is_some_and(|(ready, _)| ready > 0) {
        return;
    }
    let ended = |a: &&App| {
        matches!(a.object.kind, Kind::Job | Kind::CronJob) && a.running().next().is_none()
    };
    let mut apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let all = apps.len();
    apps.retain(|a| !ended(a));
    let pods = selected_pods(service, now);
    if !pods.is_empty() || !apps.is_empty() {
        unready(service, &apps, &pods, now, findings);
    } else if all == 0 {
        unmatched(service, now, findings);
    }
}

/// Pods that the selector matches, whatever their workload's template says now.
fn selected_pods<'s>(service: &Service, now: &'s Snapshot) -> Vec<&'s Pod> {
    let here = now.apps_in(&service.meta.namespace).iter();
    let pods = here.flat_map(|a| a.running().map(move |p| (a, p)));
    pods.filter(|(app, pod)| {
        let own = pod.meta.known.has(Known::LABELS).then_some(&*pod.meta.labels);
        own.or_else(|| app.pod_labels()).is_some_and(|l| service.selector.all_in(l))
    })
    .map(|(_, pod)| pod)
    .collect()
}

/// Whether all labels that could match are in the input.
fn sees_all_labels(service: &Service, now: &Snapshot) -> bool {
    let namespace = &service.meta.namespace;
    let shown = |a: &App| {
        let template = a.workload.as_ref().is_some_and(|w| !w.template_labels.is_empty());
        template || a.pods.iter().all(|p| p.meta.known.has(Known::LABELS))
    };
    now.coverage.lists(Kind::Pod, namespace) && now.apps_in(namespace).iter().all(shown)
}

fn unmatched(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let object = service.meta.object(Kind::Service);
    let confirmed = now.addresses(service).is_some() || sees_all_labels(service, now);
    let nearest = nearest::of(service, now);
    let Some(near) = nearest else {
        if confirmed {
            findings.push(nothing_there(service, now));
        }
        return;
    };
    let wanted = near.app.wanted();
    let mut finding = match relabelled(service, &near) {
        Some(finding) => finding,
        None => mismatch(service, &near, now),
    };
    finding = finding
        .evidence(endpoints_evidence(service, now))
        .impact(Impact { services: 1, ..Impact::default() });
    if !confirmed {
        let look = format!("kubectl get endpoints -n {} {}", object.namespace, object.name);
        finding = finding.unsure(Certainty::Likely, &["no-pods"], look);
    }
    // A Service beside the one that is used, and that nobody names, may be a leftover.
    let served = now.services_of(near.app).iter().any(|s| *s != object);
    if (!near.same_name || served || wanted == Some(0)) && !callers::is_used(service, now) {
        finding = finding.state(State::Suspected).impact(Impact::default());
    }
    for caller in callers::of(service, now) {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    findings.push(finding);
}

/// The selector differs from the labels of the workload it is meant for.
fn mismatch(service: &Service, near: &Nearest<'_>, now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let labels = near.app.pod_labels().cloned().unwrap_or_default();
    let whose = &near.app.object;
    let kind = whose.kind;
    let side = if near.differences.iter().any(|d| follows_convention(service, &d.key, &d.wanted, now))
    {
        "; the other Services here select by their own name, so the pods' label is what differs"
    } else {
        ""
    };
    let headline = format!(
        "Service {object} has no endpoints: it selects {}, the pods of {kind} {} carry {labels}{side}",
        service.selector, whose.name
    );
    let source = service.meta.source;
    let facts = [
        evidence::field(source, &object, "spec.selector", service.selector.to_string()),
        evidence::field(
            near.app.document(),
            whose,
            "spec.template.metadata.labels",
            labels.to_string(),
        ),
    ];
    let mut finding =
        Finding::new(KIND.id, "selector-unmatched", object, headline).evidence(facts);
    if let Some(first) = near.differences.first() {
        let expected = first.expected();
        let expected = if near.ambiguous { format!("perhaps {expected}") } else { expected };
        finding = finding.field(format!("spec.selector.{}", first.key), &first.wanted, expected);
    }
    finding
}

/// The selector fits an older revision of the workload: its pods' labels were changed.
fn relabelled(service: &Service, near: &Nearest<'_>) -> Option<Finding> {
    let fits = |l: &model::Labels| !l.is_empty() && service.selector.all_in(l);
    let old = near.app.sets.iter().find(|s| fits(&s.template_labels))?;
    let first = near.differences.first()?;
    let object = near.app.object.clone();
    let service_object = service.meta.object(Kind::Service);
    let now_carried = first.carried.clone().unwrap_or_else(|| "(not set)".into());
    let headline = format!(
        "{} {object} no longer carries {}={}, which Service {} selects: the Service has no \
         endpoints",
        object.kind, first.key, first.wanted, service_object.name
    );
    let facts = [
        evidence::field(
            service.meta.source,
            &service_object,
            "spec.selector",
            service.selector.to_string(),
        ),
        evidence::field(
            old.meta.source,
            &old.object(),
            "spec.template.metadata.labels",
            old.template_labels.to_string(),
        ),
    ];
    let field = format!("spec.template.metadata.labels.{}", first.key);
    let finding = Finding::new(KIND.id, "selector-unmatched", object, headline)
        .field(field, now_carried, &first.wanted)
        .evidence(facts)
        .affects(service_object, "no endpoints");
    Some(finding)
}

/// Whether other Services of the namespace select `KEY = their own name`, as this one does.
fn follows_convention(service: &Service, key: &str, wanted: &str, now: &Snapshot) -> bool {
    if wanted != service.meta.name {
        return false;
    }
    let others = || {
        let here = now.services.in_namespace(&service.meta.namespace);
        here.filter(|s| s.meta.name != service.meta.name && !s.selector.is_empty())
    };
    let alike = others().filter(|s| s.selector.get(key) == Some(s.meta.name.as_str())).count();
    alike >= 2 && alike * 2 > others().count()
}

/// Nothing in the namespace resembles what the Service selects.
fn nothing_there(service: &Service, now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let headline = format!(
        "Service {object} has no endpoints: nothing in the namespace carries {}",
        service.selector
    );
    let look = format!("kubectl get pods -n {} --show-labels", object.namespace);
    let source = service.meta.source;
    let fact = evidence::field(source, &object, "spec.selector", service.selector.to_string());
    let used = callers::is_used(service, now);
    let impact = Impact { services: u32::from(used), ..Impact::default() };
    Finding::new(KIND.id, "no-pods", object, headline)
        .evidence([fact])
        .evidence(endpoints_evidence(service, now))
        .unsure(Certainty::Likely, &["selector-unmatched"], look)
        .state(if used { State::Active } else { State::Suspected })
        .impact(impact)
}

fn endpoints_evidence(service: &Service, now: &Snapshot) -> Option<Evidence> {
    let mut here = now.backends.in_namespace(&service.meta.namespace);
    let of = here.find(|b| b.service == service.meta.name)?;
    let kind = if of.is_slice { Kind::EndpointSlice } else { Kind::Endpoints };
    let value = match of.not_ready {
        0 => "none".to_owned(),
        n => format!("0 ready, {n} not ready"),
    };
    Some(evidence::field(of.meta.source, &of.meta.object(kind), "addresses", value))
}

/// The selector matches a workload, but none of its pods takes traffic.
fn unready(
    service: &Service,
    apps: &[&App],
    pods: &[&Pod],
    now: &Snapshot,
    findings: &mut Findings,
) {
    let object = service.meta.object(Kind::Service);
    if pods.iter().any(|p| p.is_ready() == Some(true)) {
        return;
    }
    let wanted: Option<i64> = apps.iter().map(|a| a.wanted()).sum();
    if pods.is_empty() && wanted == Some(0) {
        return findings.rule_out(KIND.id, object, "its workload is scaled to zero");
    }
    let counted = |a: &&&App| a.pods.is_empty() && a.workload.as_ref().is_some_and(|w| w.counts.ready > 0);
    if apps.iter().any(|a| counted(&a)) {
        return;
    }
    let confirmed = now.addresses(service).is_some();
    let told = pods.iter().any(|p| p.is_ready() == Some(false));
    let listed = now.coverage.lists(Kind::Pod, &service.meta.namespace);
    if !confirmed && !told && !(pods.is_empty() && listed) {
        return;
    }
    if !pods.is_empty() && pods.iter().all(|p| is_starting(p, now)) {
        return findings.rule_out(KIND.id, object, "its pods are only starting");
    }
    findings.push(empty(service, apps, pods, now));
}

/// Whether a pod is young and nothing is wrong with it.
fn is_starting(pod: &Pod, now: &Snapshot) -> bool {
    let age = match (pod.meta.age_seconds, pod.meta.created.or(pod.started)) {
        (Some(seconds), _) => i64::from(seconds),
        (None, Some(at)) if now.has_time => now.now.since(at),
        _ => return false,
    };
    let fine = |w: &str| matches!(w, "" | "ContainerCreating" | "PodInitializing" | "Running" | "Pending");
    let warned = now.events_about(&pod.meta.object(Kind::Pod)).iter().any(|e| e.warning);
    age < STARTING_SECONDS && !warned && pod.restarts() == 0 && pod.words().all(fine)
}

fn empty(service: &Service, apps: &[&App], pods: &[&Pod], now: &Snapshot) -> Finding {
    let object = service.meta.object(Kind::Service);
    let names: Vec<String> =
        apps.iter().map(|a| format!("{} {}", a.object.kind, a.object.name)).collect();
    let behind = if names.is_empty() { "its pods".to_owned() } else { names.join(", ") };
    let (mechanism, headline) = if pods.is_empty() {
        ("no-pods", format!("Service {object} has no endpoints: {behind} has no pods"))
    } else {
        let n = pods.len();
        let text = format!("Service {object} has no endpoints: 0 of {n} pods of {behind} are ready");
        ("no-ready-pods", text)
    };
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .role(Role::Symptom)
        .since(since(pods))
        .evidence(endpoints_evidence(service, now))
        .evidence(pods.iter().take(3).map(|p| pod_evidence(p)))
        .impact(Impact { services: 1, ..Impact::default() });
    for caller in callers::of(service, now) {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    finding
}

/// When the last of the pods stopped being ready.
fn since(pods: &[&Pod]) -> Option<Timestamp> {
    let unready = |p: &&Pod| p.ready.filter(|c| c.status != Truth::True)?.since;
    let times: Option<Vec<Timestamp>> = pods.iter().map(unready).collect();
    times?.into_iter().max()
}

fn pod_evidence(pod: &Pod) -> Evidence {
    let object = pod.meta.object(Kind::Pod);
    let word = pod.words().find(|w| !w.is_empty()).unwrap_or("not ready");
    let fact = evidence::field(pod.meta.source, &object, "status", word);
    Evidence { at: pod.ready.and_then(|r| r.since), ..fact }
}

/// One replica behind a Service: any restart of it empties the Service.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Deployment) {
        let services = now.services_of(app);
        if let (Some(1), Some(service)) = (app.wanted(), services.first()) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "spec.replicas".into(),
                why: format!("one replica: whenever it stops, Service {} is empty", service.name),
            });
        }
    }
}

/// A word that may stand in a quoted shell argument.
fn safe(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || "._/-".contains(*c)).collect()
}

fn selector_patch(from: &model::Labels, to: &[(String, Option<String>)]) -> (String, String) {
    let pair = |key: &str, value: Option<&str>| match value {
        Some(v) => format!("\"{}\":\"{}\"", safe(key), safe(v)),
        None => format!("\"{}\":null", safe(key)),
    };
    let wrap = |pairs: Vec<String>| format!("{{\"spec\":{{\"selector\":{{{}}}}}}}", pairs.join(","));
    let new = to.iter().map(|(k, v)| pair(k, v.as_deref())).collect();
    let old = to.iter().map(|(k, _)| pair(k, from.get(k))).collect();
    (wrap(new), wrap(old))
}

/// What the selector has to say instead, key by key.
fn correction(near: &Nearest<'_>) -> Vec<(String, Option<String>)> {
    let mut pairs: Vec<(String, Option<String>)> = Vec::new();
    for d in &near.differences {
        pairs.push((d.key.clone(), d.carried.clone()));
        if let (None, Some(other)) = (&d.carried, &d.other_key) {
            pairs.push((other.clone(), Some(d.wanted.clone())));
        }
    }
    pairs
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let namespace = &object.namespace;
    let mut next = Vec::new();
    let service = now.services.get(namespace, &object.name).filter(|_| object.kind == Kind::Service);
    let near = service.filter(|_| finding.mechanism == "selector-unmatched");
    if let Some((service, near)) = near.and_then(|s| Some((s, nearest::of(s, now)?))) {
        let (new, old) = selector_patch(&service.selector, &correction(&near));
        let patch = |body| {
            format!("kubectl patch {} --type merge -p '{body}'", object.for_kubectl())
        };
        let what = format!("Let the selector match the pods of {}", near.app.object.name);
        next.push(Step::change(what, patch(new), patch(old)));
    } else if finding.mechanism == "selector-unmatched" {
        let what = "Give the pods the label back that the Service selects".to_owned();
        next.push(Step::change(
            what,
            format!("kubectl edit {}", object.for_kubectl()),
            format!("kubectl rollout undo {}", object.for_kubectl()),
        ));
    }
    if let Some(service) = service {
        let look = format!("kubectl get pods -n {namespace} -l '{}' -o wide", service.selector);
        next.push(Step::look("See which pods the selector matches and how they are", look));
    }
    let do_not = match finding.mechanism {
        "selector-unmatched" => {
            "Do not restart the pods or the clients: the selector will not match new pods either"
        }
        _ => "Do not change the Service: it only shows that its pods are missing or not ready",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  replicas: 2\n".to_owned();
    (gap.field == "spec.replicas").then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A Service selects a label that its pods do not carry.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata: {name: drill-basket, namespace: shop}
spec:
  replicas: 2
  selector: {matchLabels: {app: drill-basket}}
  template:
    metadata: {labels: {app: drill-basket}}
    spec:
      containers:
      - {name: main, image: registry.k8s.io/pause:3.10}
---
apiVersion: v1
kind: Service
metadata: {name: drill-basket, namespace: shop}
spec:
  selector: {app: drill-baskets}
  ports:
  - {port: 80, targetPort: 8080}
";

#[cfg(test)]
mod tests;
