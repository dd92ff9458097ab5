//! `workload-scaled-to-zero`: somebody still needs a workload that is told to run no pods.

use model::record::{ClusterEvent, Known};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario, Snapshot,
    State, Step,
};

use super::zero::{self, Need, Strength};
use crate::evidence;

failure! {
    /// # A workload that is needed has been scaled to zero
    ///
    /// ## Signs
    /// `kubectl get deployments` shows `0/0`: nothing is missing by its own count, there is no
    /// pod to look at and no warning about it. Those who call it say that connections are
    /// refused or time out; behind an Ingress people see 502 or 503. Its Service has no
    /// endpoints.
    ///
    /// ## Why it happens
    /// `replicas: 0` is a legal wish and often on purpose: for the night, for a migration, to
    /// save money. It becomes a failure when a caller, a route or an alert still depends on the
    /// workload: scaled down by hand and forgotten, by a script that never came back, or by a
    /// manifest with the wrong number. A HorizontalPodAutoscaler does not help: it switches
    /// itself off (`ScalingDisabled`) when the number of replicas is zero, and leaves it there.
    ///
    /// ## What we do
    /// 1. Find out who set it to zero and why: events of the workload, its manager, the team.
    /// 2. Scale it up to what it was before. Its Service fills by itself.
    /// 3. If zero is right, remove the route or the setting of its callers.
    ///
    /// ## How to avoid it
    /// Alert on Services with callers and without endpoints. Leave `replicas` out of manifests
    /// of what an autoscaler manages. Let one tool own the number.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Deployments", "Horizontal Pod Autoscaling" (implicit
    /// maintenance mode) and "Job" (suspending).
    id: "workload-scaled-to-zero",
    mechanisms: {
        "scaled-to-zero": "it is told to run no pods, and somebody still needs it",
        "autoscaler-at-zero": "it is at zero, where its autoscaler does nothing",
        "suspended": "it is suspended, and somebody still needs it",
    },
    reads: [Deployment, StatefulSet, ReplicaSet, ReplicationController, Job, Pod, Service,
        Ingress, HorizontalPodAutoscaler, Event],
    leads_to: [
        "ingress-misrouted",
        "pod-crash-looping",
        "pod-probe-failing",
        "service-unreachable-by-client",
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
    let Some(workload) = app.workload.as_ref() else { return };
    let shown = workload.meta.live.has(Known::REPLICAS);
    let asleep = match app.object.kind {
        Kind::Job => workload.paused && !workload.is_complete(),
        Kind::Deployment | Kind::StatefulSet | Kind::ReplicaSet | Kind::ReplicationController => {
            workload.replicas == Some(0)
        }
        _ => return,
    };
    if !shown || !asleep || app.running().next().is_some() {
        return;
    }
    let needs = zero::needs(app, now);
    let Some(strongest) = needs.iter().map(|n| n.strength).max() else {
        return findings.rule_out(KIND.id, app.object.clone(), "it is at zero and nobody calls it");
    };
    findings.push(finding(app, needs, strongest, now));
}

fn finding(app: &App, needs: Vec<Need>, strongest: Strength, now: &Snapshot) -> Finding {
    let object = &app.object;
    let scaler = now.scalers_of(app).next();
    let (mechanism, field, value) = match (object.kind, scaler) {
        (Kind::Job, _) => ("suspended", "spec.suspend", "true"),
        (_, Some(_)) => ("autoscaler-at-zero", "spec.replicas", "0"),
        _ => ("scaled-to-zero", "spec.replicas", "0"),
    };
    let down = scaled_down(app, now);
    let before = down.and_then(count_before);
    let fewest = scaler.map(model::record::Scaler::fewest).filter(|n| *n > 0);
    let expected = match (object.kind, before, fewest) {
        (Kind::Job, ..) => "false".to_owned(),
        (_, Some(n), _) => format!("{n}, as before"),
        (_, None, Some(n)) => format!("{n} or more: the autoscaler begins there"),
        _ => "1 or more".to_owned(),
    };
    let who = needs.iter().max_by_key(|n| n.strength).map_or("", |n| n.how.as_str());
    let asleep = if mechanism == "suspended" { "is suspended" } else { "is scaled to zero" };
    let mut finding = Finding::new(
        KIND.id,
        mechanism,
        object.clone(),
        format!("{} {object} {asleep}, but {who}", object.kind),
    )
    .field(field, value, expected)
    .since(down.and_then(|e| evidence::last_time(e, now)).filter(|_| now.has_time))
    .evidence([evidence::field(app.document(), object, field, value)])
    .evidence(down.and_then(|e| evidence::event(e, now)))
    .evidence(needs.iter().filter_map(|n| n.evidence.clone()).take(5));
    if let Some(c) = scaler.and_then(|s| Some((s, s.condition("ScalingActive")?))) {
        let object = c.0.meta.object(Kind::HorizontalPodAutoscaler);
        finding = finding.evidence([evidence::condition(c.0.meta.source, &object, c.1)]);
    }
    let look = format!("kubectl get events -n {} --for {}", object.namespace, target(object));
    match strongest {
        Strength::Calls => return finding.state(State::Suspected),
        Strength::Unwell => finding = finding.unsure(Certainty::Likely, &[], look),
        Strength::Told => {}
    }
    for need in needs {
        finding = finding.affects(need.object, need.how);
    }
    let lost = before.unwrap_or(1).clamp(1, 1000);
    finding.impact(Impact { replicas: u32::try_from(lost).unwrap_or(1), ..Impact::default() })
}

fn target(object: &model::ObjectRef) -> String {
    format!("{}/{}", object.kind.short(), object.name)
}

/// The event that tells when the last pods were taken away.
fn scaled_down<'s>(app: &App, now: &'s Snapshot) -> Option<&'s ClusterEvent> {
    let down = |e: &&ClusterEvent| {
        let to_zero = e.message.ends_with(" to 0") || e.message.contains(" to 0 from ");
        e.reason == "ScalingReplicaSet" && e.message.starts_with("Scaled down") && to_zero
    };
    now.events_about(&app.object).iter().rfind(down)
}

/// `Scaled down replica set web-5d4f8c7b9 to 0 from 3`.
fn count_before(event: &ClusterEvent) -> Option<i64> {
    let (_, rest) = event.message.split_once(" to 0 from ")?;
    rest.split_whitespace().next()?.parse().ok().filter(|n| *n > 0)
}

/// Workloads that an autoscaler manages and that a manifest could set to zero again.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for scaler in now.scalers.iter().filter(|s| s.min == Some(0)) {
        gaps.push(Gap {
            failure: KIND.id,
            object: scaler.meta.object(Kind::HorizontalPodAutoscaler),
            field: "spec.minReplicas".into(),
            why: "0: with no load nothing runs, and the first caller waits for a pod to start"
                .into(),
        });
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let replicas = finding.expected.as_deref().and_then(|e| e.split([',', ' ']).next());
    let replicas = replicas.unwrap_or("1");
    let mut next = vec![Step::look(
        "See who set it to zero and when",
        format!("kubectl describe {object}; kubectl get {object} -o yaml --show-managed-fields"),
    )];
    if finding.object.kind == Kind::Job {
        let patch =
            |on: bool| format!("kubectl patch {object} -p '{{\"spec\":{{\"suspend\":{on}}}}}'");
        next.push(Step::change("Let it run, if that is right", patch(false), patch(true)));
    } else {
        next.push(Step::change(
            "Scale it up, unless somebody works on it",
            format!("kubectl scale {object} --replicas={replicas}"),
            format!("kubectl scale {object} --replicas=0"),
        ));
    }
    let app = now.app(&finding.object);
    let claims = app.is_some_and(|a| !now.claims_of(a).is_empty());
    let mut do_not =
        vec!["Do not restart those who call it: they will not find it either".to_owned()];
    if claims {
        do_not.push("Do not scale it up while a migration or restore works on its volumes".into());
    }
    Remedy { next, do_not }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  minReplicas: 1\n".to_owned();
    (gap.field == "spec.minReplicas").then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A Deployment is scaled to zero while an Ingress still leads to it.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 60,
    })
}

const REHEARSAL: &str = concat!(
    drill_deployment!("drill-counter", replicas: 0, container: "image: 'drill:1'"),
    drill_service!(
        "drill-counter",
        selects: "drill-counter",
        ports: "{port: 80, targetPort: 8080}"
    ),
    "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\n\
     metadata: {name: drill-counter, namespace: shop}\n\
     spec: {rules: [{host: drill.example, http: {paths: [{path: /, pathType: Prefix, \
     backend: {service: {name: drill-counter, port: {number: 80}}}}]}}]}\n",
);

#[cfg(test)]
mod tests;
