//! `claim-pending`: a claim for storage gets no volume, and the pods that mount it wait.

use model::record::Claim;
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, ObjectRef, Patch, Remedy, Risk,
    Scenario, Snapshot, Step,
};

use super::claim::cause::{self, Answer, Cause};
use crate::evidence;
use crate::pod::pending::message::Reason;
use crate::pod::pending::told::Waiting;

failure! {
    /// # A claim for storage is not bound
    ///
    /// ## Signs
    /// `kubectl get pvc` shows `Pending` (or `Lost`). Pods that mount the claim wait with "pod
    /// has unbound immediate PersistentVolumeClaims". The claim's own events name the reason:
    /// `ProvisioningFailed` or `FailedBinding`.
    ///
    /// ## Why it happens
    /// A claim is bound to a volume that fits in every field: class, size, ways of access,
    /// mode, and labels where the claim has a selector. Either such a volume was made by hand,
    /// or the provisioner of the class makes one. So there are two families of reasons: a
    /// claim and a volume that were meant for each other differ in one field, or the class
    /// does not exist or its provisioner fails.
    ///
    /// A claim without a class and one with the class "" are not the same: the first gets the
    /// cluster's default class, the second only ever a volume made by hand without a class.
    ///
    /// A claim whose class has `WaitForFirstConsumer` waits for its first pod. That is no
    /// fault; the pod then tells what it waits for.
    ///
    /// ## What we do
    /// 1. `kubectl describe pvc`: read its events.
    /// 2. Compare it with `kubectl get pv` field by field, and with `kubectl get sc`.
    /// 3. Most fields of a claim cannot be changed: delete the claim and make it anew. It is
    ///    bound to nothing, so nothing is lost. Or change the volume instead.
    /// 4. A volume that is `Released` is kept for its old claim, with its data: only clear its
    ///    `claimRef` when that data may be used or lost.
    ///
    /// ## How to avoid it
    /// Keep claim and volume in one file. Mark one class as the default. Do not write
    /// `storageClassName: ""` unless volumes are made by hand.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Persistent Volumes" and "Storage Classes".
    id: "claim-pending",
    mechanisms: {
        "storage-class-missing": "the storage class does not exist, or none is asked for",
        "storage-class-mismatch": "claim and volume name different classes",
        "capacity-too-small": "the volume is smaller than the claim",
        "access-mode-mismatch": "the volume does not offer the access that the claim wants",
        "selector-unmatched": "the claim's selector selects no volume",
        "volume-name-missing": "the volume that the claim names does not exist",
        "volume-taken": "the volume belongs to another claim",
        "volume-mode-mismatch": "one is a file system, the other a block device",
        "no-volume": "volumes are made by hand and there is none for it",
        "provisioner-failing": "the provisioner makes no volume",
        "waiting-for-consumer": "it waits for its first pod (no fault)",
    },
    reads: [PersistentVolumeClaim, PersistentVolume, StorageClass, Event, Pod, StatefulSet],
    leads_to: [
        "deployment-rollout-failing",
        "pod-pending-unschedulable",
        "pod-volume-mount-failing",
        "service-without-endpoints",
        "statefulset-update-stuck/new-pod-unready",
        "workload-dependency-failing",
    ],
    detect: Claims(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(claim: &Claim, now: &Snapshot, findings: &mut Findings) {
    let object = claim.meta.object(Kind::PersistentVolumeClaim);
    let complaint =
        |reason: &str| matches!(reason, "ProvisioningFailed" | "FailedBinding" | "ClaimLost");
    let events = now.events_about(&object);
    let last = events.iter().rfind(|e| complaint(&e.reason));
    match claim.phase.as_str() {
        "Pending" | "Lost" => {}
        "Bound" if last.is_some() => {
            return findings.stale(format!("claim {object} once had no volume"), "it is bound now");
        }
        // Nobody showed its state, but somebody complained.
        "" if last.is_some() => {}
        _ => return,
    }
    match cause::of(claim, now) {
        Answer::Fine(why) => findings.rule_out(KIND.id, object, why),
        Answer::Broken(cause) => findings.push(finding(claim, object, cause, now)),
    }
}

fn finding(claim: &Claim, object: ObjectRef, cause: Cause, now: &Snapshot) -> Finding {
    let events = now.events_about(&object);
    let told = events.iter().rfind(|e| {
        matches!(
            e.reason.as_str(),
            "ProvisioningFailed" | "FailedBinding" | "ClaimLost" | "ExternalProvisioning"
        )
    });
    let by_age = claim.meta.age_seconds.map(|age| now.now.minus_seconds(i64::from(age)));
    let first = told.and_then(|e| evidence::first_time(e, now));
    let headline = format!("claim {object} has no volume: {}", cause.why);
    let phase = if claim.phase.is_empty() { "not shown" } else { &claim.phase };
    let state = evidence::field(claim.meta.source, &object, "status.phase", phase);
    let mut finding = Finding::new(KIND.id, cause.mechanism, object.clone(), headline)
        .field(cause.field, cause.value.clone(), cause.expected)
        .since(claim.meta.created.or(by_age).or(first).filter(|_| now.has_time))
        .evidence(told.and_then(|e| evidence::event(e, now)))
        .evidence([evidence::field(claim.meta.source, &object, cause.field, cause.value)])
        .evidence(cause.evidence)
        .evidence([state]);
    if cause.certainty < Certainty::Proven {
        let look = format!("kubectl get {} -o yaml; kubectl get pv", object.for_kubectl());
        finding = finding.unsure(cause.certainty, &cause.alternatives, look);
    }
    users(finding, &object, now)
}

/// Names the workloads that mount the claim. Their lost replicas are counted at the workloads
/// that wait for a node; here only where none of them was seen to wait.
fn users(mut finding: Finding, object: &ObjectRef, now: &Snapshot) -> Finding {
    let known = now.dependants(object);
    let mut users: Vec<&App> = known.iter().filter_map(|(_, user)| now.app(user)).collect();
    if users.is_empty() {
        users = of_ordinal(object, now);
    }
    if users.is_empty() {
        users = presumed_users(object, now);
    }
    let mut wait = 0;
    for app in &users {
        let pods = app.running().filter(|p| p.is_unscheduled()).count();
        wait += pods;
        let how = match pods {
            0 => "mounts it".to_owned(),
            n => format!("{n} of {} pods wait for it", app.running().count()),
        };
        finding = finding.affects(app.object.clone(), how);
    }
    let mounted = !users.is_empty() || !now.coverage.lists(Kind::Pod, &object.namespace);
    finding.impact = Impact { replicas: u32::from(wait == 0 && mounted), ..Impact::default() };
    finding
}

/// Where volumes are not shown, a name still tells: the pod `db-0` of a stateful set waits for
/// its claim `data-db-0`.
fn of_ordinal<'s>(object: &ObjectRef, now: &'s Snapshot) -> Vec<&'s App> {
    let is_own = |pod: &str| {
        let ordinal = pod.rsplit_once('-').is_some_and(|(_, n)| n.parse::<u32>().is_ok());
        let front = object.name.strip_suffix(pod).and_then(|f| f.strip_suffix('-'));
        ordinal && front.is_some_and(|f| !f.is_empty())
    };
    let waits = |app: &&App| {
        let mut pods = app.running().filter(|p| p.is_unscheduled());
        !app.shows_spec() && pods.any(|p| is_own(&p.meta.name))
    };
    now.apps_in(&object.namespace).iter().filter(waits).collect()
}

/// Workloads that wait for some claim, where volumes are not shown and this is the only claim
/// of the namespace that is not bound.
fn presumed_users<'s>(object: &ObjectRef, now: &'s Snapshot) -> Vec<&'s App> {
    let mut open = now.claims.in_namespace(&object.namespace).filter(|c| c.phase != "Bound");
    let alone = open.all(|c| c.meta.name == object.name);
    if !alone || !now.coverage.lists(Kind::PersistentVolumeClaim, &object.namespace) {
        return Vec::new();
    }
    // Who waits and does not say for what may wait for it too.
    let waits = |app: &&App| {
        let told = Waiting::of(app, now).map(|w| w.told.and_then(|t| t.refusal));
        let for_claim = |r: &Reason| matches!(r, Reason::ClaimUnbound | Reason::NoVolume);
        !app.shows_spec() && told.is_some_and(|t| t.is_none_or(|r| r.has(for_claim)))
    };
    now.apps_in(&object.namespace).iter().filter(waits).collect()
}

/// Bound claims whose class is gone: the next volume of that class cannot be made or grow.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for claim in now.claims.iter().filter(|c| c.phase == "Bound") {
        let Some(class) = claim.class.as_deref().filter(|c| !c.is_empty()) else { continue };
        let by_hand = now.volumes.get("", &claim.volume).is_none();
        if !by_hand && now.is_missing(Kind::StorageClass, "", class) {
            gaps.push(Gap {
                failure: KIND.id,
                object: claim.meta.object(Kind::PersistentVolumeClaim),
                field: "spec.storageClassName".into(),
                why: format!("class {class} does not exist: the same claim made anew may wait"),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let (name, namespace) = (&finding.object.name, &finding.object.namespace);
    let expected = finding.expected.as_deref().unwrap_or_default();
    let field = finding.field.as_deref().unwrap_or_default();
    let look = match finding.mechanism {
        "storage-class-missing" => Step::look("See the classes there are", "kubectl get sc"),
        "provisioner-failing" => {
            Step::look("See what the provisioner says", format!("kubectl describe {object}"))
        }
        _ => Step::look("Compare the claim with the volumes", "kubectl get pv --show-labels"),
    };
    let anew = |what: String| Step {
        what,
        command: Some(format!(
            "kubectl get {object} -o yaml > {name}.yaml; kubectl delete pvc {name} -n {namespace} \
             --wait=false"
        )),
        risk: Risk::Disruptive,
        undo: Some(format!("kubectl apply -f {name}.yaml")),
    };
    let volume = crate::wording::between(expected, "(volume ", ")");
    let mut next = vec![look];
    match finding.mechanism {
        "provisioner-failing" => next.push(Step::advice(
            "Bring the provisioner's pods back to health: they mostly run in kube-system",
        )),
        "volume-taken" => next.push(Step::advice(
            "Make another volume, or name one that is free. A Released volume keeps old data",
        )),
        "no-volume" => next.push(Step::advice(format!("Make {expected}"))),
        _ => next.push(anew(format!("Make the claim anew with {field} set to {expected}"))),
    }
    if let (Some(volume), "storage-class-mismatch") = (volume, finding.mechanism) {
        let class = finding.value.as_deref().filter(|v| *v != "none").unwrap_or_default();
        let old = now.volumes.get("", volume).map_or("", |v| v.class.as_str());
        let patch = |class: &str| {
            let body = format!("{{\"spec\":{{\"storageClassName\":\"{class}\"}}}}");
            format!("kubectl patch pv {volume} -p '{body}'")
        };
        let what = "Or give the volume the claim's class".to_owned();
        next.push(Step::change(what, patch(class), patch(old)));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not delete the pods that wait: they are not the reason".into(),
            "Do not clear the claimRef of a Released volume before its data is safe".into(),
        ],
    }
}

/// Which class or size is right only the owner knows.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A claim asks for a storage class that does not exist.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = concat!(
    "apiVersion: v1\nkind: PersistentVolumeClaim\n\
     metadata: {name: drill-records, namespace: shop}\n\
     spec: {storageClassName: fast, accessModes: [ReadWriteOnce], \
     resources: {requests: {storage: 1Gi}}}\n",
    drill_deployment!(
        "drill-archive",
        replicas: 1,
        container: "image: 'drill:1', volumeMounts: [{name: records, mountPath: /records}]",
        pod: "volumes: [{name: records, persistentVolumeClaim: {claimName: drill-records}}]"
    ),
);

#[cfg(test)]
mod tests;
