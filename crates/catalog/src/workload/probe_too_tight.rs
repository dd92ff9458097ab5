//! `probe-too-tight`: liveness probes that kill what is only slow for a moment.

use model::record::{Container, Probe};
use model::{Act, App, Factor, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;

failure! {
    /// # A liveness probe that kills too soon
    ///
    /// ## Signs
    /// A container is killed after less than fifteen seconds without an answer, or its liveness
    /// probe runs a command that must end within one second, or its liveness and readiness
    /// probes are the same in all their figures.
    ///
    /// ## Why it happens
    /// Probes are written while nothing is wrong: the program answers within milliseconds, so
    /// one second seems ample. Then its node is busy for half a minute, or a garbage collection
    /// takes long, and the kubelet kills a container that was about to answer. Its load goes to
    /// the others, which are killed in turn. A restart is the slowest answer of all.
    ///
    /// Readiness probes may be tight: they only take a pod out of its Services for a while. A
    /// liveness probe with the same figures kills at the moment at which readiness would have
    /// given relief.
    ///
    /// A command needs time to be started, which on a busy node alone is a second. Before 1.20
    /// its time limit was ignored; whoever upgrades from there meets it for the first time.
    ///
    /// ## What we do
    /// 1. Allow half a minute or more before a container is killed: `failureThreshold` times
    ///    `periodSeconds`.
    /// 2. Give commands five seconds, and slow starts a startup probe.
    /// 3. Ask in the liveness probe only whether the process lives. It may be left out.
    ///
    /// Do not roll back or restart what is killed by such a probe; give it time first.
    ///
    /// ## How to avoid it
    /// Try the probes while the node is under load, not on an idle one.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
    id: "probe-too-tight",
    mechanisms: {
        "probe-too-tight": "its liveness probe kills it for being slow for some seconds",
    },
    reads: [Deployment, StatefulSet, DaemonSet],
    leads_to: ["pod-crash-avalanche", "pod-crash-looping", "pod-probe-failing"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A container should be allowed to be silent for so long before it is killed, in seconds.
const PATIENCE_SECONDS: u32 = 15;
/// What a changed probe allows, in seconds.
const AMPLE_SECONDS: u32 = 30;
/// What a command is given, in seconds.
const COMMAND_SECONDS: u32 = 5;

/// The figures of a probe with the API's defaults: period, time limit, failures that count.
fn figures(probe: &Probe) -> (u32, u32, u32) {
    let period = probe.period_seconds.unwrap_or(10).max(1);
    let timeout = probe.timeout_seconds.unwrap_or(1).max(1);
    (period, timeout, probe.failure_threshold.unwrap_or(3).max(1))
}

/// How long a container may be silent before it is killed, from the first probe that it does
/// not answer, in seconds.
fn patience_seconds(probe: &Probe) -> u32 {
    let (period, timeout, failures) = figures(probe);
    period.saturating_mul(failures - 1).saturating_add(timeout)
}

/// What is too tight about the liveness probe of a container: the field below the probe, and
/// why.
fn tight(c: &Container) -> Option<(&'static str, String)> {
    let probe = c.liveness_probe.as_deref()?;
    let (seconds, (_, timeout, _)) = (patience_seconds(probe), figures(probe));
    if seconds < PATIENCE_SECONDS {
        return Some(("failureThreshold", format!("it is killed after {seconds} s of silence")));
    }
    if probe.exec.is_some() && timeout <= 1 {
        let why = "its command must end within 1 s, also on a busy node";
        return Some(("timeoutSeconds", why.into()));
    }
    let ready = c.readiness_probe.as_deref()?;
    let action =
        |p: &Probe| (p.http_get.clone(), p.tcp_socket.clone(), p.grpc.clone(), p.exec.clone());
    let same = action(probe) == action(ready) && figures(probe) == figures(ready);
    let why = "it is killed at the moment at which it would be taken out of its Services";
    same.then(|| ("failureThreshold", why.into()))
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, _: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_shown(app) {
        return;
    }
    for c in app.spec().into_iter().flat_map(|s| s.containers.iter()) {
        let Some((field, why)) = tight(c) else { continue };
        let field = edit::container_field(app, &c.name, &format!("livenessProbe.{field}"));
        gaps.push(audit::gap(KIND.id, app, field, why));
    }
}

/// That a liveness probe of the workload kills what is only slow.
pub(crate) fn factor(app: &App) -> Option<Factor> {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let (c, why) = containers.filter_map(|c| Some((c, tight(c)?.1))).next()?;
    Some(audit::factor(KIND.id, app, format!("container {}: {why}", c.name)))
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let container = edit::container_of_gap(gap, now.app(&gap.object)?)?;
    let probe = container.liveness_probe.as_deref()?;
    let (period, _, failures) = figures(probe);
    let change = if gap.field.ends_with("timeoutSeconds") {
        format!("timeoutSeconds: {COMMAND_SECONDS}")
    } else {
        let enough = AMPLE_SECONDS.div_ceil(period).saturating_add(1);
        format!("failureThreshold: {}", enough.max(failures.saturating_mul(2)))
    };
    edit::container_patch(gap, &format!("livenessProbe: {{{change}}}"))
}

fn rehearse() -> Option<Scenario> {
    let act = "the program of shop/drill-nap answers 8 s late once a minute";
    Some(Scenario {
        story: "A liveness probe kills a program for pausing some seconds.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-nap",
                    replicas: 2,
                    container: "image: 'drill:1', livenessProbe: {httpGet: {path: /live, port: \
                                8080}, periodSeconds: 3, failureThreshold: 2}"
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(probes: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, resources: {{}}, {probes}}}]}}}}}}\n"
        )
    }

    const FIELD: &str = "spec.template.spec.containers[main].livenessProbe";
    const QUICK: &str =
        "livenessProbe: {httpGet: {port: 80}, periodSeconds: 5, failureThreshold: 2}";

    #[test]
    fn killing_after_some_seconds_is_a_gap() {
        let threshold = format!("deploy/buoy {FIELD}.failureThreshold");
        check_gaps(&KIND, &yaml(QUICK), &[&threshold]);
        check_gaps(
            &KIND,
            &yaml("livenessProbe: {tcpSocket: {port: 80}, failureThreshold: 1, timeoutSeconds: 5}"),
            &[&threshold],
        );
        let both = "livenessProbe: {httpGet: {port: 80}}, readinessProbe: {httpGet: {port: 80}, \
                    periodSeconds: 10}";
        check_gaps(&KIND, &yaml(both), &[&threshold]);
    }

    #[test]
    fn a_command_that_must_end_within_a_second_is_a_gap() {
        let timeout = format!("deploy/buoy {FIELD}.timeoutSeconds");
        check_gaps(&KIND, &yaml("livenessProbe: {exec: {command: [test]}}"), &[&timeout]);
        let five = "livenessProbe: {exec: {command: [test]}, timeoutSeconds: 5}";
        check_gaps(&KIND, &yaml(five), &[]);
    }

    #[test]
    fn the_usual_figures_are_none() {
        check_gaps(&KIND, &yaml("livenessProbe: {httpGet: {port: 80}}"), &[]);
        check_gaps(&KIND, &yaml(&QUICK.replace("liveness", "readiness")), &[]);
        check_gaps(&KIND, &yaml(&QUICK.replace("liveness", "startup")), &[]);
        let apart = "livenessProbe: {httpGet: {port: 80}, failureThreshold: 6}, readinessProbe: \
                     {httpGet: {port: 80}}";
        check_gaps(&KIND, &yaml(apart), &[]);
        check_gaps(&KIND, &yaml(QUICK).replace("dock", "kube-system"), &[]);
        assert_eq!(factor(&snapshot(&yaml(apart)).apps[0]), None);
    }

    #[test]
    fn the_patch_waits_for_half_a_minute() {
        let patch = |probes: &str, field: &str| {
            let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
            let field = format!("{FIELD}.{field}");
            let gap = Gap { failure: KIND.id, object, field, why: String::new() };
            (KIND.prevent)(&gap, &snapshot(&yaml(probes))).expect("a patch").body
        };
        let body = patch(QUICK, "failureThreshold");
        assert!(body.contains("livenessProbe: {failureThreshold: 7}"), "{body}");
        let body = patch("livenessProbe: {exec: {command: [test]}}", "timeoutSeconds");
        assert!(body.contains("livenessProbe: {timeoutSeconds: 5}"), "{body}");
        let now = snapshot(&yaml(QUICK));
        assert!(factor(&now.apps[0]).is_some_and(|f| f.why.contains("6 s")));
    }
}
