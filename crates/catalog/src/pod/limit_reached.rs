//! `pod-limit-reached`: a container needs more than its own limits give it.

use model::record::Known;
use model::{
    Act, App, Finding, Findings, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, Step,
};

use super::{cpu_limit, edit, memory_limit, storage_limit};
use crate::wording::between;

failure! {
    /// # A container has reached one of its limits
    ///
    /// ## Signs
    /// Memory: the container ends with `OOMKilled`, exit code 137; with a very low limit it
    /// cannot even start ("container init was OOM-killed"). CPU: it runs, but slowly; the
    /// series of throttled time rises and usage stays just below the limit. Disk: the pod is
    /// evicted because it "exceeded its local ephemeral storage limit".
    ///
    /// ## Why it happens
    /// A memory limit is a wall: who runs into it is killed. A CPU limit is a brake: who
    /// reaches it waits for the next tenth of a second. A disk limit is checked now and then:
    /// who is found above it is evicted. Either the limit is too low for the usual work, or
    /// there is more work than usual, or the program keeps what it no longer needs.
    ///
    /// A node that runs out of memory kills too, also containers without any limit. That is
    /// another failure: raising limits makes it worse.
    ///
    /// ## What we do
    /// 1. Compare the limit with the revision before, with the request, with the siblings.
    /// 2. Did the container run for hours before it was killed? Then it grew: look for a leak.
    /// 3. Several workloads are slow? The one whose CPU is full holds up those that call it.
    /// 4. Raise the limit, or give the work to more pods; with a leak, restart it on a
    ///    schedule of your own until it is mended.
    ///
    /// ## How to avoid it
    /// Measure what a workload needs before it gets limits. Alert on memory above 90 % of the
    /// limit and on throttling above a quarter of the periods. Scale by usage.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Resource management for pods and containers" and
    /// "Node-pressure eviction"; kernel documentation of CFS bandwidth control.
    id: "pod-limit-reached",
    mechanisms: {
        "memory-limit-too-low": "its memory limit is below what it needs",
        "memory-leak": "its memory grows until the limit",
        "cpu-throttled": "its CPU limit holds it back",
        "cpu-overload": "it has more work than its CPU limit allows",
        "ephemeral-storage-limit": "it writes more to the disk than its limit allows",
    },
    reads: [Pod, Event, Deployment, ReplicaSet, StatefulSet, DaemonSet, Node, Job],
    leads_to: [
        "control-plane-degraded",
        "deployment-rollout-failing",
        "job-failing",
        "pod-crash-avalanche",
        "pod-crash-looping",
        "pod-evicted-storage",
        "pod-probe-failing",
        "pod-sandbox-failing",
        "service-without-endpoints",
        "slo-burning",
        "statefulset-update-stuck/new-pod-unready",
        "workload-dependency-failing",
    ],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    let before = findings.found.len();
    memory_limit::detect(KIND.id, app, now, findings);
    cpu_limit::detect(KIND.id, app, now, findings);
    storage_limit::detect(KIND.id, app, now, findings);
    for finding in findings.found.iter_mut().skip(before) {
        compare(finding, app, now);
    }
}

/// Adds how the limit compares with those of the siblings.
fn compare(finding: &mut Finding, app: &App, now: &Snapshot) {
    if finding.mechanism != "memory-limit-too-low" {
        return;
    }
    let name = finding.field.as_deref().and_then(|f| between(f, "ontainers[", "]"));
    let Some(limit) = memory_limit::limit_of(app, name.unwrap_or_default()) else { return };
    let told = finding.expected.as_deref().is_some_and(|e| e.contains("before"));
    if let Some(usual) = memory_limit::usual_beside(app, limit, now).filter(|_| !told) {
        finding.expected = Some(format!("about {}, as its siblings have", usual.text("memory")));
    }
}

/// A memory limit that most programs cannot even start with.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind != Kind::Pod) {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
        let Some(spec) = app.spec().filter(|_| shown) else { continue };
        for c in spec.containers.iter() {
            let (asks, gets) =
                (c.resources.requests.get("memory"), c.resources.limits.get("memory"));
            if let (Some(asks), Some(gets)) = (asks, gets)
                && gets.is_positive()
                && asks == gets
                && gets.units() < 16 << 20
            {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: edit::container_field(app, &c.name, "resources.limits.memory"),
                    why: format!(
                        "{} is less than most programs need to start",
                        gets.text("memory")
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = edit::namespace_option(&finding.object.namespace);
    let field = finding.field.as_deref().unwrap_or_default();
    let container = between(field, "ontainers[", "]").filter(|c| *c != "*");
    let value = finding.value.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let resource = field.rsplit('.').next().unwrap_or_default();
    let only = container.map(|c| format!(" -c {c}")).unwrap_or_default();
    let mut next =
        vec![Step::look("See what it uses", format!("kubectl top pod{namespace} --containers"))];
    let amount = expected.trim_start_matches("about ").split([' ', ',']).next().unwrap_or_default();
    let is_amount = amount.starts_with(|c: char| c.is_ascii_digit());
    if is_amount && matches!(resource, "memory" | "cpu") {
        next.push(Step::change(
            format!("Raise the {resource} limit to {amount}"),
            format!("kubectl set resources {object}{only} --limits={resource}={amount}"),
            format!("kubectl set resources {object}{only} --limits={resource}={value}"),
        ));
    } else if !field.is_empty() {
        next.push(Step {
            what: format!("Set {field}: {expected}"),
            command: Some(format!("kubectl edit {object}")),
            risk: Risk::Reversible,
            undo: None,
        });
    }
    let scales = matches!(finding.object.kind, Kind::Deployment | Kind::StatefulSet);
    if finding.mechanism.starts_with("cpu") && scales {
        let wanted = now.app(&finding.object).and_then(App::wanted).unwrap_or(1);
        next.push(Step::change(
            "Or spread the work over more pods",
            format!("kubectl scale {object} --replicas={}", wanted.max(1).saturating_mul(2)),
            format!("kubectl scale {object} --replicas={wanted}"),
        ));
    }
    if finding.mechanism == "memory-leak" {
        next.push(
            Step::advice("Until the leak is mended, restart it at quiet times, one pod at a time")
                .risk(Risk::Disruptive),
        );
    }
    let do_not = match finding.mechanism {
        "memory-leak" => "Do not only raise the limit: it will be reached again, a little later",
        "ephemeral-storage-limit" => {
            "Do not remove the limit: then the whole node can run out of disk"
        }
        "memory-limit-too-low" => {
            "Do not remove the limit: then the whole node can run out of memory"
        }
        _ => "Do not restart it: it will have the same work and the same limit",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "ontainers[", "]")?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {name}\n        \
         resources: {{limits: {{memory: 64Mi}}}}\n"
    );
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The memory of a workload grows until its limit.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "thumbs",
                    replicas: 2,
                    container: "image: 'reg.example/team/thumbs:1.0', \
                                resources: {requests: {memory: 64Mi}, limits: {memory: 128Mi}}"
                )),
            ),
            (60, Act::GrowMemory { workload: "shop/thumbs", bytes_per_second: 4 << 20 }),
        ],
        found_within_seconds: 180,
    })
}

#[cfg(test)]
mod tests;
