//! `pods-refused-at-admission`: a controller wants to make pods and the API server refuses them.

use std::collections::BTreeSet;

use model::record::{Known, LimitRange, Quota};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Scenario,
    Snapshot, State, Step,
};

use super::refused::cause::{self, Cause, Subject};
use super::refused::compare;
use super::refused::standing::{self, Refused, Standing};
use crate::evidence;

failure! {
    /// # Pods are refused before they exist
    ///
    /// ## Signs
    /// A workload has fewer pods than it wants and there is no waiting pod to look at: `kubectl
    /// get pods` shows nothing. The ReplicaSet, StatefulSet, DaemonSet or Job has
    /// `FailedCreate` events, "Error creating: pods "web-5d4f8c7b9-" is forbidden: ...", and
    /// the Deployment has the condition `ReplicaFailure`.
    ///
    /// ## Why it happens
    /// Every pod passes admission before it is stored. There it can break on a quota of the
    /// namespace (cpu, memory, number of pods, storage), on a limit range, on the rules of Pod
    /// Security, on a webhook that says no or does not answer, or on a name that means
    /// nothing: its service account, priority class or runtime class.
    ///
    /// A quota counts requests or limits, not use. When it counts limits, every container
    /// must state one, or a limit range must give a default.
    ///
    /// In the first seconds of a namespace the same warnings come and go: service accounts
    /// are made a moment after the pods that name them. They mean nothing once the pods exist.
    ///
    /// ## What we do
    /// 1. `kubectl describe` the ReplicaSet: the event names the rule and the numbers.
    /// 2. Quota: compare used with hard. Raise the quota, or ask for less, or scale down what
    ///    is not needed.
    /// 3. A missing name: correct it in the template, or create the object.
    /// 4. A webhook that does not answer: bring back the pods behind its Service first. With
    ///    `failurePolicy: Fail` it may block its own pods: then exclude its namespace.
    /// 5. The controller tries again by itself, with growing pauses of up to some minutes.
    ///
    /// ## How to avoid it
    /// Give namespaces with a quota a limit range with defaults. Watch quotas before they are
    /// full. Apply accounts and classes before the workloads that name them. Run webhooks with
    /// several replicas and exclude their own namespace.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Resource Quotas", "Limit Ranges", "Pod Security Admission"
    /// and "Dynamic Admission Control".
    id: "pods-refused-at-admission",
    also: ["deployment-blocked-by-admission"],
    mechanisms: {
        "quota-cpu": "the namespace's quota of cpu is used up",
        "quota-memory": "the namespace's quota of memory is used up",
        "quota-pods": "the namespace may hold no more pods",
        "quota-storage": "the namespace's quota of storage is used up",
        "quota-services": "the namespace may hold no more services",
        "quota-count": "the namespace may hold no more objects of a kind",
        "limit-range": "a container is outside the limits of the namespace",
        "pod-security": "the pods break the rules about security",
        "webhook-denied": "an admission webhook or policy says no",
        "webhook-unreachable": "an admission webhook does not answer",
        "service-account-missing": "the service account does not exist",
        "priority-class-missing": "the priority class does not exist",
        "runtime-class-missing": "the runtime class does not exist",
        "field-invalid": "a field of the pods is not valid",
        "namespace-terminating": "the namespace is being deleted",
    },
    reads: [Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, Pod, ResourceQuota,
        LimitRange, ServiceAccount, PriorityClass, RuntimeClass, Service],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "job-failing",
        "quota-nearly-full",
        "service-without-endpoints",
        "statefulset-update-stuck/new-pod-unready",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A refusal of which nobody knows how it went on counts for this long.
const RECENT_SECONDS: i64 = 900;

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut found: Vec<Finding> = Vec::new();
    let mut told: BTreeSet<ObjectRef> = BTreeSet::new();
    for refused in standing::all(now) {
        if goes_on(&refused, now) {
            told.insert(refused.object.clone());
            add(&mut found, said(&refused, now));
        } else {
            let what = format!("pods of {} were refused once", refused.object);
            findings.stale(what, "its pods were made since");
        }
    }
    let unsaid_of = now.apps_where(|a, now| unsaid(a, now).is_some()).into_iter();
    for app in unsaid_of.filter(|a| !told.contains(&a.object)) {
        if let Some(finding) = unsaid(app, now) {
            add(&mut found, finding);
        }
    }
    for finding in &mut found {
        let workloads = finding.affected.iter().filter(|a| a.how.contains("pods")).count();
        match workloads {
            0 | 1 => {}
            2 => finding.headline.push_str(" (1 more workload too)"),
            n => finding.headline.push_str(&format!(" ({} more workloads too)", n - 1)),
        }
    }
    findings.found.extend(found);
}

/// One finding per object and mechanism: a quota that stops several workloads is one cause.
fn add(found: &mut Vec<Finding>, next: Finding) {
    let same = |f: &&mut Finding| {
        f.object == next.object && f.mechanism == next.mechanism && f.state == next.state
    };
    match found.iter_mut().find(same) {
        Some(known) => {
            known.affected.extend(next.affected);
            known.evidence.extend(next.evidence);
            known.impact = known.impact.plus(next.impact);
            known.since = known.since.into_iter().chain(next.since).min();
        }
        None => found.push(next),
    }
}

fn goes_on(refused: &Refused<'_>, now: &Snapshot) -> bool {
    match refused.standing {
        Standing::Active => true,
        Standing::Over => false,
        Standing::Unknown => {
            let last = refused.said.iter().filter_map(|e| e.at).max();
            last.is_none_or(|t| now.now.since(t) <= RECENT_SECONDS)
        }
    }
}

/// A refusal that somebody told.
fn said(refused: &Refused<'_>, now: &Snapshot) -> Finding {
    let subject = Subject { object: &refused.object, app: refused.app, now };
    let cause = match &refused.refusal {
        Some(refusal) => cause::of(refusal, &subject),
        None => compare::of(&subject).unwrap_or_else(|| unclear(refused, &subject)),
    };
    let decide = format!("kubectl get events -n {} | grep FailedCreate", refused.object.namespace);
    finding(cause, &subject, refused.said.clone(), &decide).since(refused.since)
}

fn finding(
    cause: Cause,
    subject: &Subject<'_>,
    said: Vec<model::Evidence>,
    decide: &str,
) -> Finding {
    let lost = subject.app.map_or(1, |a| a.lost_replicas().max(1));
    let mut finding = Finding::new(KIND.id, cause.mechanism, cause.object, cause.headline)
        .field(cause.field, cause.value, cause.expected)
        .evidence(said)
        .evidence(cause.evidence)
        .affects(subject.object.clone(), missing(subject))
        .impact(Impact { replicas: lost, ..Impact::default() });
    if cause.certainty < Certainty::Proven {
        finding = finding.unsure(cause.certainty, &cause.alternatives, decide);
    }
    if let Some((other, how)) = cause.other.filter(|(o, _)| o != subject.object) {
        finding = finding.affects(other, how);
    }
    finding
}

/// How many pods are missing, in words.
fn missing(subject: &Subject<'_>) -> String {
    match subject.app.map(|a| (a.running().count(), a.wanted())) {
        Some((there, Some(wanted))) => format!("{there} of {wanted} pods exist"),
        _ => "pods cannot be made".into(),
    }
}

/// It is told that pods cannot be made, but not why.
fn unclear(refused: &Refused<'_>, subject: &Subject<'_>) -> Cause {
    let at = ["spec.template".to_owned(), String::new(), "what admission accepts".to_owned()];
    let text = refused.said.first().map_or("", |e| e.value.as_str());
    let why = if text.is_empty() { "the input does not say why" } else { text };
    let mut cause = subject.cause("webhook-denied", why, at);
    cause.certainty = Certainty::Possible;
    cause.alternatives = vec!["quota-cpu", "quota-memory", "service-account-missing"];
    cause
}

/// Nothing was said, but pods are missing (or will be) and objects contradict each other.
fn unsaid(app: &App, now: &Snapshot) -> Option<Finding> {
    let subject = Subject { object: &app.object, app: Some(app), now };
    let workload = app.workload.as_ref().filter(|w| w.meta.known.has(Known::SPEC))?;
    if workload.paused || app.object.kind == Kind::CronJob || workload.replicas == Some(0) {
        return None;
    }
    let shown = !app.pods.is_empty() || now.coverage.lists(Kind::Pod, &app.object.namespace);
    let counted = workload.meta.known.has(Known::STATUS).then_some(workload.counts.current);
    let there = if shown { Some(app.running().count() as i64) } else { counted };
    let decide = format!("kubectl describe {}", app.object.for_kubectl());
    // A finished Job needs no more pods.
    let lacks = app.object.kind != Kind::Job && there.zip(app.wanted()).is_some_and(|(t, w)| t < w);
    if lacks {
        let cause = compare::of(&subject)?;
        let own = workload.meta.object(app.object.kind);
        let fact = format!("{} of {} pods exist", there?, app.wanted()?);
        let fact = evidence::field(workload.meta.source, &own, "status.replicas", fact);
        return Some(finding(cause, &subject, vec![fact], &decide).since(workload.meta.created));
    }
    let live = workload.meta.live.has(Known::SPEC) && app.object.kind != Kind::Job;
    let mut cause = compare::reference(&subject).filter(|_| live)?;
    let are = format!("pods of {} are refused", app.object);
    let will = format!("the next pod of {} will be refused", app.object);
    cause.headline = cause.headline.replace(&are, &will);
    let finding = finding(cause, &subject, Vec::new(), &decide);
    Some(
        Finding { affected: Vec::new(), impact: Impact::default(), ..finding }
            .state(State::Suspected),
    )
}

/// Namespaces whose quota counts limits that containers do not state and nobody gives them.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let given = |ranges: &LimitRange, part: &str, name: &str| {
        let defaults = ranges.items.iter().filter(|i| i.kind == "Container");
        defaults.into_iter().any(|i| {
            let set = if part == "limits" { &i.default } else { &i.default_request };
            set.get(name).is_some() || i.default.get(name).is_some()
        })
    };
    for quota in now.quotas.iter() {
        let counted = |q: &Quota| -> Vec<(String, String)> {
            let names = q.hard.iter().filter_map(|(r, _)| r.split_once('.'));
            let own = |(p, n): &(&str, &str)| {
                matches!(*p, "limits" | "requests") && matches!(*n, "cpu" | "memory")
            };
            names.filter(own).map(|(p, n)| (p.into(), n.into())).collect()
        };
        for (part, name) in counted(quota) {
            let mut ranges = now.limit_ranges.in_namespace(&quota.meta.namespace);
            if ranges.any(|r| given(r, &part, &name)) {
                continue;
            }
            for app in now.apps_in(&quota.meta.namespace) {
                let lacks = |c: &&model::record::Container| {
                    let of_limits = c.resources.limits.get(&name);
                    let stated = if part == "limits" {
                        of_limits
                    } else {
                        c.resources.requests.get(&name).or(of_limits)
                    };
                    stated.is_none()
                };
                let Some(container) = app.spec().and_then(|s| s.containers.iter().find(lacks))
                else {
                    continue;
                };
                let list = format!("containers[{}].resources.{part}.{name}", container.name);
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: crate::pod::edit::spec_field(app, &list),
                    why: format!(
                        "quota {} counts {part}.{name}: a new pod without it is refused",
                        quota.meta.name
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = &finding.object.namespace;
    let value = finding.value.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let edit = |what: String| Step::advice(format!("{what}: kubectl edit {object}"));
    let next = match finding.mechanism {
        m if m.starts_with("quota-") && finding.object.kind == Kind::ResourceQuota => {
            quota_steps(finding, value, expected)
        }
        m if m.starts_with("quota-") => {
            let or = format!("Or give namespace {namespace} a LimitRange with defaults");
            vec![edit("State the amount for every container".into()), Step::advice(or)]
        }
        "limit-range" | "field-invalid" => vec![edit(format!("Make it {expected}"))],
        "pod-security" => vec![
            Step::look(
                "See which rules the namespace has",
                format!("kubectl get ns {namespace} --show-labels"),
            ),
            edit(format!("Make it {expected}")),
        ],
        "webhook-unreachable" => vec![
            Step::look(
                "See whether anything is behind the webhook's Service",
                format!("kubectl get endpointslices,pods -n {namespace}"),
            ),
            Step::look(
                "See what it is asked about, and its failurePolicy",
                "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations",
            ),
            Step::advice("Bring back the pods behind it; exclude their own namespace"),
        ],
        "service-account-missing" => match expected.strip_suffix(", which exists") {
            Some(meant) => vec![edit(format!("Name the account {meant} instead"))],
            None => vec![Step::change(
                "Create the account, if the name is right",
                format!("kubectl create serviceaccount {value} -n {namespace}"),
                format!("kubectl delete serviceaccount {value} -n {namespace}"),
            )],
        },
        _ => vec![edit(format!("Make it {expected}"))],
    };
    let mut do_not = vec![
        "Do not delete the ReplicaSet: the next one is refused for the same reason".to_owned(),
    ];
    if finding.mechanism.starts_with("quota-") {
        do_not.push(
            "Do not delete pods that run to make room: their own controllers want them back".into(),
        );
    }
    if finding.mechanism == "webhook-unreachable" {
        do_not.push("Do not delete the webhook before you know what it guards".into());
    }
    Remedy { next, do_not }
}

fn quota_steps(finding: &Finding, value: &str, expected: &str) -> Vec<Step> {
    let (name, namespace) = (&finding.object.name, &finding.object.namespace);
    let field = finding.field.as_deref().unwrap_or_default();
    let resource = crate::wording::between(field, "[", "]").unwrap_or("pods");
    let patch = |amount: &str| {
        let body = format!("{{\"spec\":{{\"hard\":{{\"{resource}\":\"{amount}\"}}}}}}");
        format!("kubectl patch quota {name} -n {namespace} -p '{body}'")
    };
    let look =
        Step::look("See what is used", format!("kubectl describe quota {name} -n {namespace}"));
    let raise = expected.strip_prefix("at least ").map(|amount| {
        Step::change(
            format!("Raise the quota to {amount} of {resource}"),
            patch(amount),
            patch(value),
        )
    });
    let lower = Step::advice("Or ask for less, or scale down what is not needed now");
    [look].into_iter().chain(raise).chain([lower]).collect()
}

/// Amounts, accounts and rules are decisions of their owners; no patch can make them.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload wants more pods than the quota of its namespace allows.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 60,
    })
}

const REHEARSAL: &str = "\
apiVersion: v1
kind: Namespace
metadata: {name: drill}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: drill-small, namespace: drill}
spec: {hard: {pods: '2'}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: drill-press, namespace: drill}
spec:
  replicas: 4
  selector: {matchLabels: {app: drill-press}}
  template:
    metadata: {labels: {app: drill-press}}
    spec: {containers: [{name: main, image: 'drill:1'}]}
";

#[cfg(test)]
mod tests;
