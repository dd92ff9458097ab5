//! `webhook-deadlock`: a webhook that must approve new pods has nobody who answers, and may
//! have to approve the very pods that would.

use model::record::{Known, Webhook, Webhooks};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Role,
    Scenario, Snapshot, Step,
};

use super::standing::{everybody, ready};
use crate::evidence;
use crate::workload::refused::message::Refusal;
use crate::workload::refused::standing::{self as refusals, Refused, Standing};

failure! {
    /// # A webhook without pods blocks all new pods, its own too
    ///
    /// ## Signs
    /// No pod can be made any more: `FailedCreate` events say "failed calling webhook ...: no
    /// endpoints available for service" or "connection refused". The workload behind the
    /// webhook has no pods either, and its events say the same.
    ///
    /// ## Why it happens
    /// A webhook with `failurePolicy: Fail` must answer before an object is stored. When all its
    /// pods are gone (a drained node, a full restart of the cluster, a scale to zero) nobody
    /// answers. When its rules also cover its own namespace, its own pods wait for its own
    /// answer: this never ends by itself.
    ///
    /// ## What we do
    /// 1. Make the webhook step aside: exclude its own namespace, or let it fail open, or delete
    ///    the configuration (its operator makes it again).
    /// 2. Wait until its pods are ready.
    /// 3. Put the rule back, with its own namespace excluded.
    ///
    /// Deleting the waiting workloads does not help: their successors are refused too.
    ///
    /// ## How to avoid it
    /// Exclude the webhook's own namespace and kube-system by a namespace selector, run two or
    /// more replicas on different nodes with a disruption budget, and fail open where the rule
    /// is not about security.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Admission Webhook Good Practices" ("Avoid deadlocks").
    id: "webhook-deadlock",
    mechanisms: {
        "webhook-deadlock": "it must approve the pods that would answer for it",
        "webhook-without-endpoints": "it must approve new pods and nobody answers for it",
    },
    reads: [MutatingWebhookConfiguration, ValidatingWebhookConfiguration, Service, Endpoints,
        EndpointSlice, Namespace, Pod, Deployment, ReplicaSet, Event],
    leads_to: ["control-plane-degraded", "pods-refused-at-admission"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// What is behind a webhook.
struct Behind<'s> {
    service: ObjectRef,
    apps: Vec<&'s App>,
    /// Why nobody answers, when nobody does.
    silent: Option<String>,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let refused = refusals::all(now);
    let refused: Vec<&Refused<'_>> =
        refused.iter().filter(|r| r.standing != Standing::Over).collect();
    for config in now.webhooks.iter() {
        let mut hooks = config.hooks.iter().filter(|h| h.must_answer && h.guards_pods());
        let silent = hooks.find_map(|h| {
            let behind = behind(h, now)?;
            behind.silent.is_some().then_some((h, behind))
        });
        if let Some((hook, behind)) = silent {
            findings.push(silent_hook(config, hook, &behind, &refused, now));
        }
    }
    if findings.found.iter().all(|f| f.failure != KIND.id) {
        findings.found.extend(refused.iter().find_map(|r| told(r, now)));
    }
}

fn behind<'s>(hook: &Webhook, now: &'s Snapshot) -> Option<Behind<'s>> {
    let (namespace, name) = hook.service.as_ref()?;
    let service = ObjectRef::new(Kind::Service, namespace, name);
    let Some(record) = now.services.get(namespace, name) else {
        let gone = now.is_missing(Kind::Service, namespace, name);
        let silent = gone.then(|| format!("its Service {service} does not exist"));
        return Some(Behind { service, apps: Vec::new(), silent });
    };
    let apps = match record.selector.is_empty() {
        true => Vec::new(),
        false => now.apps_selected(namespace, &record.selector),
    };
    let counted = |a: &App| {
        let own = a.workload.as_ref().is_some_and(|w| w.meta.shows(Known::STATUS));
        own || !a.pods.is_empty()
    };
    let by_pods = !apps.is_empty() && apps.iter().all(|a| counted(a) && ready(a) == 0);
    let empty = match now.addresses(record) {
        Some((ready, _)) => ready == 0,
        None => by_pods,
    };
    let silent = empty.then(|| format!("no ready pod is behind its Service {service}"));
    Some(Behind { service, apps, silent })
}

fn silent_hook(
    config: &Webhooks,
    hook: &Webhook,
    behind: &Behind<'_>,
    refused: &[&Refused<'_>],
    now: &Snapshot,
) -> Finding {
    let object = config.meta.object(config.kind);
    let why = behind.silent.clone().unwrap_or_default();
    let bare = !behind.apps.is_empty() && behind.apps.iter().all(|a| a.running().next().is_none());
    let deadlock = bare && guards_itself(hook, behind, now);
    let mechanism = if deadlock { "webhook-deadlock" } else { "webhook-without-endpoints" };
    let own = if deadlock { ", its own too" } else { "" };
    let headline = format!("webhook {} blocks new pods{own}: {why}", hook.name);
    let fact = evidence::field(
        config.meta.source,
        &object,
        format!("webhooks[{}].failurePolicy", hook.name),
        format!("Fail, asked about {}", listed(hook)),
    );
    let endpoints = evidence::field(config.meta.source, &behind.service, "endpoints", &*why);
    let mut found = Finding::new(KIND.id, mechanism, object, headline)
        .evidence([fact, endpoints])
        .role(if deadlock { Role::Trigger } else { Role::Mechanism });
    found = match deadlock {
        true => found.field(
            format!("webhooks[{}].namespaceSelector", hook.name),
            if hook.namespaces.is_empty() { "all namespaces" } else { "its own among others" },
            format!("without namespace {}", behind.service.namespace),
        ),
        false => found.field(
            format!("webhooks[{}].clientConfig.service", hook.name),
            behind.service.to_string(),
            "a Service with ready pods",
        ),
    };
    let mine = |r: &&&Refused<'_>| is_refused_by(r, &hook.name, &behind.service);
    for r in refused.iter().filter(mine) {
        found = found.affects(r.object.clone(), "its pods are refused");
    }
    // What is refused for lack of an answer is told at the Service that does not answer.
    match found.affected.is_empty() {
        true => found.affects(everybody(), "no new pod can be made"),
        false => found.affects(behind.service.clone(), why),
    }
}

fn listed(hook: &Webhook) -> String {
    let names: Vec<&str> = hook.creates.iter().take(4).map(|r| r.as_str()).collect();
    format!("creation of {}", names.join(", "))
}

fn is_refused_by(r: &Refused<'_>, hook: &str, service: &ObjectRef) -> bool {
    match &r.refusal {
        Some(Refusal::Unreachable { webhook, service: Some((namespace, name)), .. }) => {
            webhook == hook || (*namespace == service.namespace && *name == service.name)
        }
        Some(Refusal::Unreachable { webhook, .. }) => webhook == hook,
        _ => false,
    }
}

/// Whether the webhook is asked about the pods behind it. What cannot be known counts as no.
fn guards_itself(hook: &Webhook, behind: &Behind<'_>, now: &Snapshot) -> bool {
    const NAME: &str = "kubernetes.io/metadata.name";
    let namespace = behind.service.namespace.as_str();
    let known =
        now.named(Kind::Namespace, "", namespace).filter(|n| n.meta.known.has(Known::LABELS));
    let by_namespace = match known {
        _ if hook.namespaces.is_empty() => true,
        Some(known) => hook.namespaces.matches(&known.meta.labels),
        None => {
            // Every namespace carries its name as a label; other labels are not known.
            let mut keys = hook
                .namespaces
                .match_labels
                .iter()
                .map(|(k, _)| &**k)
                .chain(hook.namespaces.match_expressions.iter().map(|e| e.key.as_str()));
            let labels = [(NAME, namespace)].into_iter().collect();
            keys.all(|k| k == NAME) && hook.namespaces.matches(&labels)
        }
    };
    let by_labels = |a: &&App| {
        hook.objects.is_empty() || a.pod_labels().is_some_and(|l| hook.objects.matches(l))
    };
    by_namespace && !hook.narrowed && behind.apps.iter().all(by_labels)
}

/// The webhook was not shown, but the pods behind its Service are refused by it.
fn told(r: &Refused<'_>, now: &Snapshot) -> Option<Finding> {
    let Some(Refusal::Unreachable { webhook, service: Some((namespace, name)), .. }) = &r.refusal
    else {
        return None;
    };
    let app = r.app.filter(|a| a.running().next().is_none())?;
    if app.object.namespace != *namespace {
        return None;
    }
    let own = match now.services.get(namespace, name) {
        Some(service) => {
            let labels = app.pod_labels();
            !service.selector.is_empty() && labels.is_some_and(|l| service.selector.all_in(l))
        }
        None => app.object.name == *name,
    };
    if !own {
        return None;
    }
    let config = now.webhooks.iter().find(|c| c.hooks.iter().any(|h| h.name == *webhook));
    let service = ObjectRef::new(Kind::Service, namespace, name);
    let object = config.map_or(service, |c| c.meta.object(c.kind));
    let headline = format!("webhook {webhook} must approve the pods that would answer for it");
    let said: Vec<Evidence> = r.said.clone();
    Some(
        Finding::new(KIND.id, "webhook-deadlock", object, headline)
            .since(r.since)
            .evidence(said)
            .field("namespaceSelector", "its own namespace among others", "without it")
            .affects(r.object.clone(), "its pods are refused by itself")
            .unsure(
                Certainty::Likely,
                &["webhook-without-endpoints"],
                "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml",
            ),
    )
}

/// Webhooks that would lock themselves out if their pods were gone.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for config in now.webhooks.iter() {
        for hook in config.hooks.iter().filter(|h| h.must_answer && h.guards_pods()) {
            let Some(behind) = behind(hook, now).filter(|b| !b.apps.is_empty()) else { continue };
            if guards_itself(hook, &behind, now) {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: config.meta.object(config.kind),
                    field: format!("webhooks[{}].namespaceSelector", hook.name),
                    why: "it must approve its own pods: once they are gone they cannot come back"
                        .into(),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let is_config = finding.object.kind != Kind::Service;
    let mut next = Vec::new();
    if is_config {
        next.push(Step::look(
            "Keep a copy",
            format!("kubectl get {object} -o yaml > webhook.yaml"),
        ));
        let set = |policy: &str| {
            format!(
                "kubectl patch {object} --type=json -p '[{{\"op\":\"replace\",\"path\":\
                 \"/webhooks/0/failurePolicy\",\"value\":\"{policy}\"}}]'"
            )
        };
        next.push(Step::change(
            "Let it fail open until its pods are back (one such entry for each webhook in it)",
            set("Ignore"),
            set("Fail"),
        ));
    } else {
        next.push(Step::look(
            "Find the configuration that names this Service",
            "kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations -o yaml",
        ));
        next.push(Step::advice("Set its failurePolicy to Ignore until its pods are back"));
    }
    next.push(Step::advice(
        "Exclude its own namespace in namespaceSelector before it must answer again",
    ));
    Remedy {
        next,
        do_not: vec![
            "Do not delete the refused workloads: what replaces them is refused too".into(),
        ],
    }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let config = now.webhooks.iter().find(|c| c.meta.object(c.kind) == gap.object)?;
    let hook = config.hooks.iter().find(|h| gap.field.contains(&format!("[{}]", h.name)))?;
    let (namespace, _) = hook.service.as_ref()?;
    // A selector that is there already says what its owner means: that is not overwritten.
    hook.namespaces.is_empty().then(|| Patch {
        object: gap.object.clone(),
        body: format!(
            "webhooks:\n- name: {}\n  namespaceSelector:\n    matchExpressions:\n    - key: \
             kubernetes.io/metadata.name\n      operator: NotIn\n      values: [{namespace}]\n",
            hook.name
        ),
    })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A webhook that must approve all pods loses its own.",
        acts: vec![(
            30,
            Act::Unmodelled("admission asks webhooks and refuses what they do not answer"),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;
