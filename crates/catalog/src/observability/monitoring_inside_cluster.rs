//! `monitoring-inside-cluster`: what watches the cluster is lost together with it.

use model::{
    Act, App, Factor, Finding, Gap, Kind, ObjectRef, Patch, Remedy, Role, Scenario, Snapshot, Step,
};

use super::{rules, tooling};
use crate::wording::{self, says};

failure! {
    /// # What watches the cluster runs inside it, and nothing outside notices its silence
    ///
    /// ## Signs
    /// Prometheus, Alertmanager or Grafana run as pods of the cluster they watch. None of the
    /// rules fires always (a dead man's switch, mostly called Watchdog), nothing sends the
    /// measurements elsewhere. In an incident the dashboards are slow, empty or gone.
    ///
    /// ## Why it happens
    /// A chart installs everything within minutes, where it is easiest: inside. It sees all
    /// but what takes it down itself: nodes lost one after another, a full disk, a network that
    /// is cut. Then no alert comes, and no alert looks exactly like no trouble. In a
    /// post-mortem of 2018 people found the cause only after the scheduler had put Prometheus
    /// on a node that stayed.
    ///
    /// ## What we do
    /// 1. In an incident: do not take quiet dashboards for quiet. Ask the API server and the
    ///    nodes themselves.
    /// 2. Fire one alert always, send it to a service outside, and let that call people when it
    ///    stops coming.
    /// 3. Send measurements outside (`remote_write`), or watch from another cluster.
    ///
    /// ## How to avoid it
    /// Test it: stop Alertmanager, and see who is called and when. Keep watchers on nodes
    /// of their own. Let `seaworthy watch` run outside of the cluster. What is read here:
    /// images, arguments, rules and settings in config maps and rule objects. Whether anybody
    /// outside listens to the switch stands in no object: that must be tested.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Prometheus
    /// documentation, "Alerting based on metrics" and "Meta-monitoring".
    id: "monitoring-inside-cluster",
    mechanisms: {
        "monitoring-inside-cluster": "what watches it is lost with it, and nobody notices",
    },
    reads: [ConfigMap, DaemonSet, Deployment, Pod, PrometheusRule, StatefulSet],
    leads_to: ["control-plane-lost", "node-lost-cascade", "node-poison-workload", "node-unknown"],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let Some(judge) = rules::judge(now) else { return };
    let alive = rules::alerts(now).any(|rule| {
        let always = rule.expression.trim().starts_with("vector(1)");
        always || says(&rule.name, wording::ALWAYS_FIRING)
    });
    if alive || leaves(now) {
        return;
    }
    let why = "nothing outside notices when it falls silent: no rule that always fires, and no \
               measurements that leave the cluster";
    gaps.push(Gap {
        failure: KIND.id,
        object: judge.object.clone(),
        field: "a rule that always fires".into(),
        why: why.into(),
    });
}

/// Whether measurements leave the cluster.
fn leaves(now: &Snapshot) -> bool {
    let told = |app: &App| {
        let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
        containers.flat_map(|c| c.args.iter()).any(|a| says(a, wording::SENDS_ELSEWHERE))
    };
    rules::all(now).any(|(_, r)| r.sends_elsewhere)
        || now.is_any_app(|a, _| tooling::runs(a, wording::CARRIERS))
        || tooling::watchers(now).into_iter().any(told)
}

/// What made the loss of these nodes worse: that what watches was on them.
pub(crate) fn factor<'s>(
    lost: impl IntoIterator<Item = &'s str>,
    now: &Snapshot,
) -> Option<Factor> {
    let lost: Vec<&str> = lost.into_iter().collect();
    let on_lost = |o: &ObjectRef| o.kind == Kind::Node && lost.contains(&o.name.as_str());
    let blind = |a: &&App| {
        let nodes = now.nodes_of(a);
        !nodes.is_empty() && nodes.iter().all(on_lost)
    };
    let watcher = tooling::watchers(now).into_iter().find(|a| blind(a))?;
    let nodes = now.nodes_of(watcher);
    let first = nodes.first().map_or("", |n| n.name.as_str());
    Some(Factor {
        failure: KIND.id,
        object: watcher.object.clone(),
        role: Role::Contributing,
        why: format!("it ran on {first}, which is lost: its silence since then means nothing"),
    })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    Remedy {
        next: vec![
            Step::look(
                "Ask the cluster itself, not the dashboards",
                "kubectl get nodes; kubectl get --raw '/readyz?verbose'",
            ),
            Step::look(
                "See where what watches is running",
                format!("kubectl get pods -n {} -o wide", finding.object.namespace),
            ),
            Step::advice("Fire one alert always, and let a service outside miss it"),
        ],
        do_not: vec!["Do not take quiet dashboards for a quiet cluster".into()],
    }
}

/// A rule that always fires. That somebody outside must miss it, no object can say.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    now.named.iter().find(|n| n.kind == Kind::PrometheusRule)?;
    let object = ObjectRef::new(Kind::PrometheusRule, &gap.object.namespace, "watchdog");
    let body = "spec:\n  groups:\n  - name: watchdog\n    rules:\n    - alert: Watchdog\n      \
                expr: vector(1)\n      labels:\n        severity: none\n";
    Some(Patch { object, body: body.into() })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The node with Prometheus is lost first, then the others, and no alert comes.",
        acts: vec![
            (
                0,
                Act::Apply(
                    drill_deployment!("measures", replicas: 1, container: "image: 'prometheus:v3'"),
                ),
            ),
            (60, Act::Unmodelled("The node that the pod of shop/measures is on is lost first.")),
        ],
        found_within_seconds: 600,
    })
}

#[cfg(test)]
mod tests {
    use super::{KIND, factor};
    use crate::testing::{check_gaps, snapshot};

    fn watcher(args: &str) -> String {
        format!(
            "kind: StatefulSet\nmetadata: {{namespace: tools, name: eye, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 1, template: {{spec: {{containers: [{{name: \
             main, image: 'quay.example/prometheus/prometheus:v3', args: [{args}]}}]}}}}}}\n---\n"
        )
    }

    fn file(text: &str) -> String {
        format!(
            "kind: ConfigMap\nmetadata: {{namespace: tools, name: eye, creationTimestamp: \
             2026-01-01T00:00:00Z}}\ndata:\n  a.yml: |\n    {text}\n---\n"
        )
    }

    fn object(name: &str, expression: &str) -> String {
        format!(
            "kind: PrometheusRule\nmetadata: {{namespace: tools, name: own, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{groups: [{{name: own, rules: [{{alert: {name}, expr: \
             {expression}}}]}}]}}\n---\n"
        )
    }

    const GAP: &str = "sts/eye a rule that always fires";

    #[test]
    fn a_watcher_whose_silence_nobody_notices_is_a_gap() {
        check_gaps(&KIND, &watcher(""), &[GAP]);
        check_gaps(&KIND, &(watcher("") + &object("Down", "up == 0")), &[GAP]);
        check_gaps(&KIND, &(watcher("") + &file("{groups: []}")), &[GAP]);
    }

    #[test]
    fn a_switch_or_measurements_that_leave_are_enough() {
        check_gaps(&KIND, &(watcher("") + &object("Watchdog", "vector(1)")), &[]);
        check_gaps(
            &KIND,
            &(watcher("") + &file("remote_write: [{url: 'http://far.example'}]")),
            &[],
        );
        check_gaps(&KIND, &watcher("'--remote-write.url=http://far.example'"), &[]);
        check_gaps(&KIND, &object("Down", "up == 0"), &[]);
    }

    #[test]
    fn what_watched_from_a_lost_node_is_named() {
        let pod = "kind: Pod\nmetadata: {namespace: tools, name: eye-0, creationTimestamp: \
                   2026-01-01T00:00:00Z, ownerReferences: [{kind: StatefulSet, name: eye, \
                   controller: true}]}\nspec: {nodeName: n1, containers: [{name: main, image: \
                   'prometheus:v3'}]}\nstatus: {phase: Running}\n---\n";
        let now = snapshot(&(watcher("") + pod));
        let told = factor(["n1", "n2"], &now).expect("a factor");
        assert_eq!(told.object.to_string(), "tools/eye");
        assert_eq!(factor(["n2"], &now), None);
    }
}
