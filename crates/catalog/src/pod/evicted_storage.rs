//! `pod-evicted-storage`: a pod was taken off its node for the disk it used, or for a node's
//! full disk.

use model::{
    Act, App, Certainty, Factor, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Risk, Role,
    Scenario, Snapshot, Step,
};

use super::edit::{container_field, spec_field};
use super::evicted::{self, Evicted};
use crate::wording::{self, PassedLimit, between};
use crate::workload::ephemeral_limit_missing;

failure! {
    /// # A pod was evicted for disk space
    ///
    /// ## Signs
    /// The pod is `Failed` with the reason `Evicted`. Its message is one of four: "Usage of
    /// EmptyDir volume ... exceeds the limit", "Container ... exceeded its local ephemeral
    /// storage limit", "Pod ephemeral local storage usage exceeds the total limit of
    /// containers", or "The node was low on resource: ephemeral-storage".
    ///
    /// ## Why it happens
    /// The first three are the pod's own limits: of one scratch volume, of one container (its
    /// writable layer and its logs), of all together, scratch volumes included. It wrote more
    /// than it may.
    ///
    /// The fourth is the node's full disk. The kubelet then takes away the pods that use most
    /// above their request. A pod that states no request uses all of it above zero, so it goes
    /// early, even with a few kilobytes: who is evicted is rarely who filled the disk.
    ///
    /// ## What we do
    /// 1. Read which of the four it is.
    /// 2. An own limit: find what it writes (logs, caches, downloads, core dumps). Write less,
    ///    or raise the limit.
    /// 3. The node: find who fills the disk first; see `node-disk-pressure`. Then give the
    ///    victims a request, so that they are not the first to go.
    ///
    /// Evicted pods stay in the list until somebody removes them; they use no disk any more.
    ///
    /// ## How to avoid it
    /// State a request and a limit for ephemeral-storage for every container, and a sizeLimit
    /// for every scratch volume. Rotate logs inside the container too.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Local ephemeral storage" and "Node-pressure eviction".
    id: "pod-evicted-storage",
    mechanisms: {
        "empty-dir-limit": "a scratch volume holds more than its size limit",
        "container-limit": "a container wrote more than its limit allows",
        "pod-limit": "its containers together wrote more than their limits allow",
        "node-pressure": "the disk of its node was full and it had asked for less than it used",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, Node],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "pod-crash-avalanche",
        "service-without-endpoints",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let own: fn(&str) -> bool = |text| wording::passed_limit(text).is_some();
    let node: fn(&str) -> bool = wording::is_disk_eviction;
    for is in [own, node] {
        let gone = evicted::of(app, now, is);
        let Some(first) = gone.iter().max_by_key(|e| e.at) else { continue };
        match evicted::state(app, &gone, now) {
            Some(state) => findings.push(finding(app, first, &gone).state(state)),
            None => {
                let what = format!("{} pods of {} evicted for disk space", gone.len(), app.object);
                findings.stale(what, "the workload is at full strength again");
            }
        }
    }
}

fn finding(app: &App, first: &Evicted<'_>, gone: &[Evicted<'_>]) -> Finding {
    let (mechanism, field, value, expected) = edit(app, first.text);
    let n = gone.len();
    let pods = if n == 1 { "a pod".to_owned() } else { format!("{n} pods") };
    let verb = if n == 1 { "was" } else { "were" };
    let how = if wording::is_refused_for_disk(first.text) { "refused" } else { "evicted" };
    let headline = format!("{pods} of {} {verb} {how}: {}", app.object, KIND.meaning(mechanism));
    let own = mechanism != "node-pressure";
    let mut finding = Finding::new(KIND.id, mechanism, app.object.clone(), headline)
        .field(field, value, expected)
        .since(gone.iter().filter_map(|e| e.fact.at).min())
        .evidence(gone.iter().rev().take(3).map(|e| e.fact.clone()))
        .affects(app.object.clone(), format!("{n} pods evicted, last {}", first.pod.meta.name))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    // A limit is told by `pod-limit-reached`, a full disk by its node: this is what followed.
    finding.role = Role::Symptom;
    if !own {
        let node = if first.pod.node.is_empty() { "NODE" } else { &first.pod.node };
        let look = format!("kubectl describe node {node}");
        finding = finding.unsure(Certainty::Possible, &["disk-full", "container-writes"], look);
        finding.factors.extend(unbounded(app, first.text));
    }
    finding
}

/// Writing less than this fills no disk.
const MUCH_BYTES: u64 = 1 << 30;

/// That the evicted pod itself wrote much and nothing bounded it.
fn unbounded(app: &App, text: &str) -> Option<Factor> {
    let largest = wording::eviction_usage(text).into_iter().max_by_key(|(_, bytes)| *bytes)?;
    let (container, bytes) = largest;
    (bytes >= MUCH_BYTES).then(|| ephemeral_limit_missing::factor(app, container)).flatten()
}

/// The mechanism, and the limit or request that a person would edit.
fn edit(app: &App, text: &str) -> (&'static str, String, String, String) {
    let more = "more, or less written: logs, caches and scratch files".to_owned();
    match wording::passed_limit(text) {
        Some((PassedLimit::EmptyDir(volume), limit)) => {
            let field = spec_field(app, &format!("volumes[{volume}].emptyDir.sizeLimit"));
            ("empty-dir-limit", field, limit.to_owned(), more)
        }
        Some((PassedLimit::Container(name), limit)) => {
            let field = container_field(app, name, "resources.limits.ephemeral-storage");
            ("container-limit", field, limit.to_owned(), more)
        }
        Some((PassedLimit::Pod, limit)) => {
            let field = container_field(app, "", "resources.limits.ephemeral-storage");
            ("pod-limit", field, limit.to_owned(), more)
        }
        None => {
            let asked = wording::eviction_requests(text);
            let used = wording::eviction_usage(text);
            let largest = used.iter().max_by_key(|(_, bytes)| *bytes).map(|(name, _)| *name);
            let name = largest.unwrap_or_default();
            let field = container_field(app, name, "resources.requests.ephemeral-storage");
            let of = asked.iter().find(|(n, _)| *n == name).map_or("none", |(_, asked)| *asked);
            let wrote = between(text, "was using ", ",").unwrap_or("what it uses");
            ("node-pressure", field, of.to_owned(), format!("at least {wrote}"))
        }
    }
}

/// Scratch volumes without a size limit in pods without a limit of their own.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in &now.apps {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(model::record::Known::SPEC));
        let Some(spec) = app.spec().filter(|_| shown) else { continue };
        let name = "ephemeral-storage";
        let states = |c: &&model::record::Container| {
            c.resources.requests.get(name).is_some() || c.resources.limits.get(name).is_some()
        };
        let uses = spec.volumes.iter().any(|v| v.source == model::record::VolumeSource::EmptyDir);
        let lacking = spec.containers.iter().find(|c| !states(c)).filter(|_| uses);
        if let Some(container) = lacking {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: container_field(
                    app,
                    &container.name,
                    "resources.requests.ephemeral-storage",
                ),
                why: "it writes to scratch volumes and states no request: when the node's disk is \
                      full it is among the first to go"
                    .into(),
            });
        }
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let container = between(field, "ontainers[", "]").filter(|c| *c != "*");
    let only = container.map(|c| format!(" -c {c}")).unwrap_or_default();
    let namespace = &finding.object.namespace;
    let mut next = vec![
        Step::look(
            "See what a running pod of it writes",
            format!(
                "kubectl exec {object}{only} -- sh -c 'du -xsh /* 2>/dev/null | sort -h | tail'"
            ),
        ),
        Step {
            what: format!("Set {field}: {expected}"),
            command: Some(format!("kubectl edit {object}")),
            risk: Risk::Reversible,
            undo: (finding.object.kind == Kind::Deployment)
                .then(|| format!("kubectl rollout undo {object}")),
        },
    ];
    if finding.mechanism == "node-pressure" {
        next.insert(
            0,
            Step::advice("Find who fills the disk of the node first: seldom the victim"),
        );
    }
    next.push(Step {
        what: "Remove the evicted pods from the list when they have been looked at".into(),
        command: Some(format!(
            "kubectl delete pods -n {namespace} --field-selector status.phase=Failed"
        )),
        risk: Risk::Destructive,
        undo: None,
    });
    Remedy {
        next,
        do_not: vec!["Do not remove the limit: then the whole node can run out of disk".into()],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "ontainers[", "]")?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        \
         resources:\n          requests: {{ephemeral-storage: 256Mi}}\n          \
         limits: {{ephemeral-storage: 1Gi}}\n"
    );
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload writes more to its scratch volume than the volume's size limit.",
        acts: vec![(10, Act::Unmodelled("shop/cart writes 2 GiB into an emptyDir of 1 GiB"))],
        found_within_seconds: 180,
    })
}

#[cfg(test)]
mod tests;
