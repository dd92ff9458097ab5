//! `pod-config-missing`: a container cannot be started because its settings are not there.

use model::{Act, App, Finding, Findings, Gap, Impact, Scenario, Snapshot, State};

use super::config::waiting::{self, Stage, Waiting};
use super::config::{advice, finding, lack};
use super::edit::{container_field, spec_field};
use crate::wording::{self, says};

failure! {
    /// # A pod names settings that do not exist
    ///
    /// ## Signs
    /// The pod shows `CreateContainerConfigError`; its container's message or a `Failed` event
    /// says "configmap "settings" not found", "secret "password" not found" or "couldn't find
    /// key LEVEL in ConfigMap shop/settings". Where a volume names them, the pod stays in
    /// `ContainerCreating` with `FailedMount`; see also `pod-volume-mount-failing`. There are
    /// no restarts and no logs: the program never ran.
    ///
    /// ## Why it happens
    /// Before a container starts, the kubelet puts its variables together from the config maps
    /// and secrets that the pod names, in the pod's own namespace. One name or key that means
    /// nothing stops the whole container, unless the reference is optional. The usual reasons:
    /// a slip in a name or key, settings applied after the workload or in another namespace, a
    /// config map renamed or cleaned up while pods ran on (they notice at their next start),
    /// and names with a hash of which only one side was updated.
    ///
    /// The image is part of the settings too: a pod with `runAsNonRoot` does not start from an
    /// image that runs as root.
    ///
    /// ## What we do
    /// 1. Read which name or key is missing, and list what exists in that namespace.
    /// 2. Decide which side is right: correct the reference, or apply the object.
    /// 3. The kubelet tries again by itself within a minute or two. Nothing has to be deleted.
    /// 4. A rollout that waits for it keeps the old pods: going back is safe.
    ///
    /// An immutable config map takes no new key: make a new one and name that.
    ///
    /// ## How to avoid it
    /// Apply settings with or before what names them, from one source. Check references in the
    /// pipeline. Delete config maps only when nothing names them, older revisions included.
    ///
    /// ## Sources
    /// Kubernetes documentation, "ConfigMaps", "Secrets" and "Configure a pod to use a
    /// ConfigMap".
    id: "pod-config-missing",
    mechanisms: {
        "config-map-missing": "a config map that it names does not exist",
        "secret-missing": "a secret that it names does not exist",
        "key-missing": "a config map or secret has no key of the name it wants",
        "service-account-missing": "its service account does not exist any more",
        "volume-source-missing": "what a volume of it is made of does not exist",
        "root-forbidden": "its image runs as root and the pod forbids that",
        "sub-path-invalid": "a path inside a volume that it mounts cannot be had",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, ConfigMap, Secret,
        ServiceAccount],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "pods-refused-at-admission",
        "pod-sandbox-failing",
        "service-without-endpoints",
        "statefulset-update-stuck",
        "workload-dependency-failing",
        "slo-burning",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: advice::prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    finding::push(KIND.id, false, now, findings);
    for app in now.apps_where(is_concerned) {
        let waiting = waiting::of(app, now);
        let settings = waiting.iter().filter(|w| w.stage == Stage::Settings);
        let other = settings.filter_map(|w| other(app, w, now)).next();
        match other {
            Some(found) => findings.push(found),
            None if waiting.is_empty() => over(app, now, findings),
            None => {}
        }
    }
}

/// Whether a workload waits for its settings, or did.
fn is_concerned(app: &App, now: &Snapshot) -> bool {
    let waiting = waiting::of(app, now);
    waiting.iter().any(|w| w.stage == Stage::Settings) || (waiting.is_empty() && was_told(app, now))
}

/// Settings that are all there and still cannot be used.
fn other(app: &App, waiting: &Waiting<'_>, now: &Snapshot) -> Option<Finding> {
    let texts = waiting.texts(now);
    let told = |words: &[&str]| texts.iter().rfind(|(text, _)| says(text, words));
    let container = waiting.containers.first().copied().unwrap_or_default();
    let root = told(wording::ROOT_FORBIDDEN).map(|said| {
        let user = app.spec().and_then(|s| s.run_as_user);
        let value = user.map_or("the image's own: root".to_owned(), |u| u.to_string());
        let field = spec_field(app, "securityContext.runAsUser");
        ("root-forbidden", said, (field, value, "the number of a user that is not root".to_owned()))
    });
    let path = || {
        let said = told(wording::SUB_PATH)?;
        let field = container_field(app, container, "volumeMounts");
        let value = said.0.chars().take(160).collect();
        let expected = "a path inside the volume that exists or can be made".to_owned();
        Some(("sub-path-invalid", said, (field, value, expected)))
    };
    let (mechanism, (_, fact), (field, value, expected)) = root.or_else(path)?;
    let headline = format!("{} cannot start: {}", app.object, KIND.meaning(mechanism));
    Some(
        Finding::new(KIND.id, mechanism, app.object.clone(), headline)
            .field(field, value, expected)
            .since(waiting.since(now))
            .evidence(fact.clone())
            .evidence([waiting.word()])
            .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() }),
    )
}

/// Complaints from before its pods started.
fn over(app: &App, now: &Snapshot, findings: &mut Findings) {
    if was_told(app, now) {
        let what = format!("settings of {} were missing once", app.object);
        findings.stale(what, "its pods have started since");
    }
}

fn was_told(app: &App, now: &Snapshot) -> bool {
    let told = |e: &&model::record::ClusterEvent| {
        e.reason == "Failed"
            && says(&e.message, &["configmap", "secret"])
            && says(&e.message, &["not found", "couldn't find key"])
    };
    app.ready() > 0 && app.pod_events(now).any(|e| told(&e))
}

/// References that mean nothing although nobody waits for them: the next start fails.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for (what, lacks) in lack::all(now) {
        for lack in lacks.iter().filter(|l| l.state == State::Suspected) {
            let word = lack::word(what.object.kind);
            let name = &what.object.name;
            let why = match what.key.as_str() {
                "" => format!("{word} {name} does not exist: the next pod will not start"),
                key => format!("{word} {name} has no key {key}: the next pod will not start"),
            };
            let object = lack.app.object.clone();
            gaps.push(Gap { failure: KIND.id, object, field: lack.field.clone(), why });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> model::Remedy {
    let mut remedy = advice::remedy(finding, now);
    let object = finding.object.for_kubectl();
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    if matches!(finding.mechanism, "root-forbidden" | "sub-path-invalid") {
        let step = model::Step {
            what: format!("Set {field}: {expected}"),
            command: Some(format!("kubectl edit {object}")),
            risk: model::Risk::Reversible,
            undo: None,
        };
        remedy.next.insert(0, step);
        remedy.do_not.truncate(1);
    }
    remedy
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload is applied before the secret that its variables come from.",
        acts: vec![(
            10,
            Act::Apply(drill_deployment!(
                "lantern",
                replicas: 2,
                container: "image: 'reg.example/team/lantern:1.0', \
                            envFrom: [{secretRef: {name: lantern-credentials}}]"
            )),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;
