//! `pod-volume-mount-failing`: a pod is on its node and does not get its volumes.

use std::collections::BTreeSet;

use model::record::VolumeSource;
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Scenario, Snapshot,
};

use super::config::waiting::{self, Stage, Waiting};
use super::config::{advice, finding as missing, lack};
use super::log_lines::{self, Says};
use super::mount::{cause, steps};
use super::{crash_field, restarts};

failure! {
    /// # A pod does not get its volumes
    ///
    /// ## Signs
    /// The pod stays in `ContainerCreating` (or `Init:0/1`) with `FailedMount` or
    /// `FailedAttachVolume` events: "MountVolume.SetUp failed for volume ...", "Multi-Attach
    /// error", "Unable to attach or mount volumes: ... timed out waiting for the condition".
    /// The pod is scheduled; nothing has run yet.
    ///
    /// ## Why it happens
    /// Before the first container, every volume must be attached to the node and mounted.
    /// Each kind fails in its own way: a config map or secret that does not exist; a disk that
    /// may be on one node only and is still on another; a storage driver that has not
    /// registered on this node, as on its first use after a restart; a server that does not
    /// answer or refuses; a path of the node that only some nodes have; a volume whose files
    /// belong to somebody else than the user of the container.
    ///
    /// "Timed out waiting for the condition" says nothing: the event before it does.
    ///
    /// ## What we do
    /// 1. Read the oldest telling event, not the last one.
    /// 2. The disk is on another node? Find the pod that holds it. When that node is lost, make
    ///    sure that it is off before anything is forced.
    /// 3. A driver is missing? See which nodes have it and whether its pod runs there.
    /// 4. Do all pods with this storage wait, or only those of one node?
    ///
    /// ## How to avoid it
    /// Give a Deployment with a disk for one node the strategy `Recreate`, or use a
    /// StatefulSet. Run storage drivers with the highest priority and alert on nodes where
    /// they are not registered. Set `fsGroup` where a program does not run as root.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Persistent Volumes", "Volumes" and "Configure a security
    /// context".
    id: "pod-volume-mount-failing",
    mechanisms: {
        "permission-denied": "the storage refuses, or the files belong to somebody else",
        "secret-missing": "a secret that a volume needs does not exist",
        "config-map-missing": "a config map that a volume shows does not exist",
        "key-missing": "a volume wants a key that its config map or secret does not have",
        "service-account-missing": "the account whose token it mounts does not exist",
        "volume-source-missing": "what the volume is made of does not exist",
        "attach-conflict": "its disk is still attached to another node",
        "attach-limit-reached": "its node takes no more disks",
        "driver-failing": "the storage driver is called and fails",
        "driver-missing": "the storage driver is not registered on the node",
        "device-missing": "a path or a device of the node is not there",
        "network-storage-unreachable": "the server of the volume does not answer",
        "file-system-wrong": "what is on the volume cannot be mounted",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Job, ConfigMap, Secret,
        ServiceAccount, PersistentVolumeClaim, PersistentVolume, Node],
    leads_to: [
        "deployment-rollout-failing",
        "job-failing",
        "pods-refused-at-admission",
        "service-without-endpoints",
        "statefulset-update-stuck",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// How long an attached disk may take to let go before somebody has to care, in seconds.
const LETTING_GO_SECONDS: i64 = 60;

fn detect(now: &Snapshot, findings: &mut Findings) {
    missing::push(KIND.id, true, now, findings);
    let lacking: BTreeSet<&ObjectRef> = lack::all(now)
        .into_values()
        .flatten()
        .filter(|l| l.pods > 0)
        .map(|l| &l.app.object)
        .collect();
    let mut found: Vec<Finding> = Vec::new();
    let concerned = now.apps_where(is_concerned).into_iter();
    for app in concerned.filter(|a| !lacking.contains(&a.object)) {
        let mut mechanisms = BTreeSet::new();
        let waiting = waiting::of(app, now);
        for waiting in waiting.iter().filter(|w| w.stage == Stage::Creating) {
            let Some(next) = of_pod(app, waiting, now) else { continue };
            if mechanisms.insert((next.mechanism, next.object.clone())) {
                add(&mut found, next);
            }
        }
        if waiting.is_empty() {
            found.extend(refused(app, now));
            over(app, now, findings);
        }
    }
    findings.found.extend(found);
}

/// Whether a workload waits for its volumes, may not use them, or did wait.
fn is_concerned(app: &App, now: &Snapshot) -> bool {
    let waiting = waiting::of(app, now);
    waiting.iter().any(|w| w.stage == Stage::Creating)
        || (waiting.is_empty() && (refused(app, now).is_some() || has_waited(app, now)))
}

/// One finding per object and mechanism: storage that several workloads wait for is one cause.
fn add(found: &mut Vec<Finding>, next: Finding) {
    let same = |f: &&mut Finding| f.object == next.object && f.mechanism == next.mechanism;
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

fn of_pod(app: &App, waiting: &Waiting<'_>, now: &Snapshot) -> Option<Finding> {
    let cause = cause::of(app, waiting, now)?;
    let since = waiting.since(now);
    let young = since.is_some_and(|at| now.now.since(at) < LETTING_GO_SECONDS);
    if cause.mechanism == "attach-conflict" && young {
        return None;
    }
    let headline = match cause.certainty {
        Certainty::Possible => format!("{} waits for its volumes: {}", app.object, cause.why),
        _ => format!("{} cannot start: {}", app.object, cause.why),
    };
    let (field, value, expected) = cause.edit;
    let how = format!("pod {} waits for its volumes", waiting.pod.meta.name);
    let mut finding = Finding::new(KIND.id, cause.mechanism, cause.object, headline)
        .field(field, value, expected)
        .since(since)
        .evidence(cause.evidence)
        .evidence([waiting.word()])
        .role(cause.role)
        .affects(app.object.clone(), how)
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    if cause.certainty < Certainty::Proven {
        let look = format!("kubectl describe {}", waiting.pod.meta.object(Kind::Pod).for_kubectl());
        finding = finding.unsure(cause.certainty, cause.alternatives, look);
    }
    Some(finding)
}

/// A program that runs on, is not ready, and says that it may not use what is mounted for it.
/// One that ends for it is told by `pod-crash-looping`.
fn refused(app: &App, now: &Snapshot) -> Option<Finding> {
    let pod = app.running().find(|p| p.is_ready() == Some(false))?;
    if !restarts::of(app, now).0.is_empty() {
        return None;
    }
    let spec = app.spec()?;
    spec.containers.iter().find_map(|c| {
        let clue = log_lines::read(app, &c.name, now)?;
        let (field, value, expected) = match clue.says {
            Says::Permission => crash_field::permission(app, &c.name, clue.line)?,
            Says::ReadOnly => crash_field::read_only(app, &c.name, clue.line)?,
            _ => return None,
        };
        let path = log_lines::path(clue.line)?;
        let at = |m: &model::record::Mount| {
            let rest = path.strip_prefix(m.mount_path.trim_end_matches('/'));
            rest.is_some_and(|r| r.is_empty() || r.starts_with('/'))
        };
        let mount = c.volume_mounts.iter().find(|m| at(m))?;
        let headline =
            format!("{} may not use {path} on volume {}: {expected}", app.object, mount.name);
        let look = log_lines::command(&pod.meta.object(Kind::Pod), &c.name, false);
        Some(
            Finding::new(KIND.id, "permission-denied", app.object.clone(), headline)
                .field(field, value, expected)
                .since(pod.ready.and_then(|r| r.since))
                .unsure(Certainty::Likely, &["application-error"], look)
                .evidence([clue.evidence])
                .affects(app.object.clone(), "it runs and is not ready")
                .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() }),
        )
    })
}

/// Complaints from before its pods got their volumes.
fn over(app: &App, now: &Snapshot, findings: &mut Findings) {
    if has_waited(app, now) {
        let what = format!("pods of {} once waited for a volume", app.object);
        findings.stale(what, "they have their volumes since");
    }
}

fn has_waited(app: &App, now: &Snapshot) -> bool {
    let told = |e: &model::record::ClusterEvent| {
        matches!(e.reason.as_str(), "FailedMount" | "FailedAttachVolume")
    };
    app.ready() > 0 && app.pod_events(now).any(told)
}

/// Deployments that roll over a disk for one node: the new pod waits for the old one.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Deployment) {
        let Some(spec) = app.spec().filter(|_| app.wanted().is_some_and(|w| w > 1)) else {
            continue;
        };
        for volume in spec.volumes.iter() {
            let VolumeSource::Claim(name) = &volume.source else { continue };
            let claim = now.claims.get(&app.object.namespace, name);
            let single = |a: &model::Text| a.starts_with("ReadWriteOnce");
            if claim.is_some_and(|c| !c.access.is_empty() && c.access.iter().all(single)) {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: "spec.replicas".into(),
                    why: format!("its pods share claim {name}, whose disk can be on one node only"),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> model::Remedy {
    let of_config = matches!(
        finding.mechanism,
        "config-map-missing" | "secret-missing" | "key-missing" | "service-account-missing"
    );
    let told = |m: &str| finding.evidence.iter().any(|e| e.field == format!("event/{m}"));
    if of_config && !told("FailedAttachVolume") {
        return advice::remedy(finding, now);
    }
    steps::remedy(finding, now)
}

/// How many pods share a disk is a decision, not a patch.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload mounts a config map that nobody has made.",
        acts: vec![(
            10,
            Act::Apply(drill_deployment!(
                "atlas",
                replicas: 2,
                container: "image: 'reg.example/team/atlas:1.0', \
                            volumeMounts: [{name: maps, mountPath: /maps}]",
                pod: "volumes: [{name: maps, configMap: {name: atlas-maps}}]"
            )),
        )],
        found_within_seconds: 60,
    })
}

#[cfg(test)]
mod tests;
