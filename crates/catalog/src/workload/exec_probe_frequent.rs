//! `exec-probe-frequent`: probes that start a process in a container every few seconds.

use std::collections::BTreeMap;

use model::record::Container;
use model::{Act, App, Factor, Gap, Kind, ObjectRef, Patch, Scenario, Snapshot};

use super::audit;
use crate::listening;
use crate::pod::edit;

failure! {
    /// # Probes that run a command too often
    ///
    /// ## Signs
    /// A liveness or readiness probe of the type `exec` has a `periodSeconds` below ten, or the
    /// pods of one node together start more than one process a second for their probes.
    ///
    /// ## Why it happens
    /// An HTTP or TCP probe costs the kubelet a connection. An `exec` probe asks the container
    /// runtime to join the container's namespaces and to start a process there, which takes
    /// tens of milliseconds and a lock or two, and much more on a loaded node. Many of them
    /// keep the runtime busy: its lists come late, the kubelet declares it unhealthy, and the
    /// whole node goes with it. A shell that the probe starts and nobody waits for leaves a
    /// defunct process behind each time.
    ///
    /// Since 1.20 the kubelet also ends an exec probe after `timeoutSeconds`, one second when
    /// it is not stated.
    ///
    /// ## What we do
    /// 1. Ask by HTTP, gRPC or TCP where the program listens at all.
    /// 2. Where only a command can tell, run it every ten seconds or less often, without a
    ///    shell, with a time limit of some seconds.
    /// 3. Where such probes leave processes behind, give the container an init that reaps.
    ///
    /// Do not answer a hung runtime with more probes: each is one more request to it.
    ///
    /// ## How to avoid it
    /// gRPC probes (since 1.24 without a helper program) and a small HTTP endpoint are cheap
    /// to have.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
    id: "exec-probe-frequent",
    mechanisms: {
        "exec-probe-frequent": "its probes start a process in it every few seconds",
    },
    reads: [Deployment, StatefulSet, DaemonSet, Pod],
    leads_to: ["node-pid-exhaustion", "node-pleg-stalled", "node-runtime-hung"],
    detect: Exposure,
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A command that is run more often than this, in seconds, is run often.
const OFTEN_SECONDS: u32 = 10;
/// Commands that probes may start on one node, in thousandths a second.
const MOST_PER_NODE: u64 = 1000;
/// Factors that are named, at most.
const NAMED: usize = 3;

/// Commands that are run as long as a container lives, with their period in seconds.
fn commands(c: &Container) -> impl Iterator<Item = (&'static str, u32)> {
    let lasting = listening::probes(c).filter(|(field, _)| *field != "startupProbe");
    let commands = lasting.filter(|(_, probe)| probe.exec.is_some());
    commands.map(|(field, probe)| (field, probe.period_seconds.unwrap_or(10).max(1)))
}

/// A container's probe that is run often.
fn frequent(app: &App) -> impl Iterator<Item = (&Container, &'static str, u32)> {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    let all = containers.flat_map(|c| commands(c).map(move |(field, period)| (c, field, period)));
    all.filter(|(_, _, period)| *period < OFTEN_SECONDS)
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps_where(|a, _| audit::is_shown(a) && frequent(a).next().is_some()) {
        for (c, probe, period) in frequent(app) {
            let field = edit::container_field(app, &c.name, &format!("{probe}.periodSeconds"));
            let why = format!("a process is started in it every {period} s by its probe");
            gaps.push(audit::gap(KIND.id, app, field, why));
        }
    }
    for (node, rate) in rates(now).into_iter().filter(|(_, rate)| *rate > MOST_PER_NODE) {
        gaps.push(Gap {
            failure: KIND.id,
            object: ObjectRef::new(Kind::Node, "", node),
            field: "exec probes of its pods".into(),
            why: format!("they start {}.{} processes a second", rate / 1000, rate % 1000 / 100),
        });
    }
}

/// How many commands the probes of a node's pods start, in thousandths a second.
fn rates(now: &Snapshot) -> BTreeMap<&str, u64> {
    let mut rates = BTreeMap::new();
    for app in now.apps_where(|a, _| rate(a) > 0) {
        let rate = rate(app);
        for pod in app.running().filter(|p| !p.node.is_empty()) {
            *rates.entry(pod.node.as_str()).or_default() += rate;
        }
    }
    rates
}

/// The same for one pod of a workload.
fn rate(app: &App) -> u64 {
    let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
    containers.flat_map(commands).map(|(_, period)| 1000 / u64::from(period)).sum()
}

/// Workloads on a node whose probes keep its runtime busy.
pub(crate) fn factors_on(node: &str, now: &Snapshot) -> Vec<Factor> {
    let apps = now.apps_on(node).into_iter();
    let busy = apps.filter_map(|(app, _)| Some((app, frequent(app).next()?.2)));
    let factor = |(app, period): (&App, u32)| {
        audit::factor(
            KIND.id,
            app,
            format!("its probe asks the runtime for a process each {period} s"),
        )
    };
    busy.take(NAMED).map(factor).collect()
}

/// Less often is safe; asking in another way needs to know what the program answers.
fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let probe = ["livenessProbe", "readinessProbe"].into_iter().find(|p| gap.field.contains(p))?;
    edit::container_patch(gap, &format!("{probe}: {{periodSeconds: {OFTEN_SECONDS}}}"))
}

fn rehearse() -> Option<Scenario> {
    let act = "the runtime of the nodes with pods of shop/drill-knock answers later with each \
               process that it has to start";
    Some(Scenario {
        story: "Probes that run a command every second keep the runtime of their nodes busy.",
        acts: vec![
            (
                10,
                Act::Apply(drill_deployment!(
                    "drill-knock",
                    replicas: 6,
                    container: "image: 'drill:1', livenessProbe: {exec: {command: [knock]}, \
                                periodSeconds: 1}"
                )),
            ),
            (60, Act::Unmodelled(act)),
        ],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factors_on};
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(probe: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{spec: {{containers: [{{name: \
             main, resources: {{}}, {probe}}}]}}}}}}\n---\n"
        )
    }

    fn pod(end: usize) -> String {
        format!(
            "kind: Pod\nmetadata: {{namespace: dock, name: buoy-5d4f8c7b9-{end:05}, \
             ownerReferences: [{{kind: ReplicaSet, name: buoy-5d4f8c7b9, controller: true}}]}}\n\
             spec: {{nodeName: n1}}\nstatus: {{phase: Running}}\n---\n"
        )
    }

    const OFTEN: &str = "livenessProbe: {exec: {command: [test]}, periodSeconds: 2}";
    const FIELD: &str = "spec.template.spec.containers[main].livenessProbe.periodSeconds";

    #[test]
    fn a_command_every_few_seconds_is_a_gap() {
        check_gaps(&KIND, &yaml(OFTEN), &[&format!("deploy/buoy {FIELD}")]);
        let ready =
            yaml(&OFTEN.replace("liveness", "readiness")).replace("Deployment", "DaemonSet");
        let field = FIELD.replace("liveness", "readiness");
        check_gaps(&KIND, &ready, &[&format!("ds/buoy {field}")]);
    }

    #[test]
    fn other_probes_are_none() {
        check_gaps(&KIND, &yaml("livenessProbe: {exec: {command: [test]}}"), &[]);
        check_gaps(&KIND, &yaml(&OFTEN.replace(": 2}", ": 30}")), &[]);
        check_gaps(&KIND, &yaml("livenessProbe: {tcpSocket: {port: 80}, periodSeconds: 1}"), &[]);
        check_gaps(&KIND, &yaml(&OFTEN.replace("liveness", "startup")), &[]);
        check_gaps(&KIND, &yaml(OFTEN).replace("dock", "kube-system"), &[]);
    }

    #[test]
    fn many_pods_together_are_too_often_for_their_node() {
        let slow = yaml("livenessProbe: {exec: {command: [test]}}");
        let pods = |count: usize| (0..count).map(pod).collect::<String>();
        check_gaps(&KIND, &(slow.clone() + &pods(12)), &["node/n1 exec probes of its pods"]);
        check_gaps(&KIND, &(slow + &pods(9)), &[]);
    }

    #[test]
    fn it_is_a_factor_on_the_node_it_keeps_busy() {
        let now = snapshot(&(yaml(OFTEN) + &pod(1) + &pod(2)));
        assert_eq!(factors_on("n1", &now).len(), 1);
        assert!(factors_on("n2", &now).is_empty());
        let now = snapshot(&(yaml("livenessProbe: {tcpSocket: {port: 80}}") + &pod(1)));
        assert!(factors_on("n1", &now).is_empty());
    }

    #[test]
    fn the_patch_asks_less_often() {
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: FIELD.into(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&yaml(OFTEN))).expect("a patch");
        assert!(patch.body.contains("livenessProbe: {periodSeconds: 10}"), "{}", patch.body);
    }
}
