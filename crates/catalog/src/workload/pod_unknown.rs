//! `statefulset-pod-unknown`: a pod of a StatefulSet is on a lost node and is not replaced.

use model::record::{Known, Node, Pod};
use model::{
    Act, App, Finding, Findings, Forecast, Gap, Impact, Kind, Patch, Remedy, Risk, Role, Scenario,
    Snapshot, Step, Truth,
};

use super::update_stuck::ordinal;
use crate::evidence;

failure! {
    /// # A pod of a StatefulSet is lost with its node and not replaced
    ///
    /// ## Signs
    /// A node is `NotReady` or unknown. A pod of a StatefulSet on it shows `Terminating` (old
    /// versions: `Unknown`) for longer than its grace period, and no pod with its number comes
    /// up elsewhere. Deployments on the same node were replaced long ago.
    ///
    /// ## Why it happens
    /// A StatefulSet promises that there is at most one pod of each number. When a node does
    /// not answer, nobody knows whether its pod still runs and still writes to its volume. The
    /// controller therefore waits until the node says that the pod is gone, or until somebody
    /// takes the responsibility. The volume stays attached to the lost node as well.
    ///
    /// ## What we do
    /// 1. Can the node come back? Then that is the safest way: the pod is replaced by itself.
    /// 2. If not: switch the machine off, and make sure of it in the console of whoever runs
    ///    it. Only then is nobody writing.
    /// 3. Give the node the taint `node.kubernetes.io/out-of-service` (since 1.24, stable
    ///    since 1.28): its pods are deleted and its volumes detached. Or delete the node.
    /// 4. Take the taint off when the node is repaired.
    ///
    /// Deleting the pod with `--force` before the machine is off can run it twice on one
    /// volume and destroy its data.
    ///
    /// ## How to avoid it
    /// Replicas of a database on several nodes with an operator that fails over; fencing that
    /// works without people; alerts on nodes that stop answering.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Force delete StatefulSet pods" and "Non-graceful node
    /// shutdown".
    id: "statefulset-pod-unknown",
    mechanisms: {
        "node-lost": "its node does not answer, and it may run only once",
    },
    reads: [StatefulSet, Pod, Node, Deployment, Service],
    leads_to: ["service-without-endpoints"],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// The time pods stay bound to a node that does not answer, in seconds: their toleration.
const TOLERATED_SECONDS: i64 = 300;

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    if app.object.kind != Kind::StatefulSet {
        return;
    }
    let numbered = app.pods.iter().filter(|p| ordinal(p).is_some() && !p.is_finished());
    let lost: Vec<&Pod> = numbered.map(|p| &**p).filter(|p| is_lost(p, now)).collect();
    let Some(first) = lost.first() else { return };
    let names: Vec<&str> = lost.iter().map(|p| p.meta.name.as_str()).collect();
    let node = now.nodes.get("", &first.node);
    let at =
        if first.node.is_empty() { "a lost node".into() } else { format!("node {}", first.node) };
    let pods = if let [one] = names.as_slice() {
        format!("pod {one} of {} is", app.object)
    } else {
        format!("{} pods of {} are", names.len(), app.object)
    };
    let headline = format!("{pods} on {at}, which does not answer, and will not be replaced");
    let since = node.and_then(|n| n.condition("Ready")).and_then(|c| c.since);
    let count = u32::try_from(lost.len()).unwrap_or(u32::MAX);
    let mut finding = Finding::new(KIND.id, "node-lost", app.object.clone(), headline)
        .role(Role::Symptom)
        .since(since.or(first.ready.and_then(|r| r.since)))
        .evidence(lost.iter().take(3).map(|p| of_pod(p)))
        .evidence(node.and_then(of_node))
        .affects(app.object.clone(), format!("{} not replaced", names.join(", ")))
        .impact(Impact { replicas: count, ..Impact::default() });
    finding.decide = Some(format!("kubectl describe node {}", first.node));
    let marked = lost.iter().all(|p| p.meta.deleting.is_some());
    if let (Some(since), false, true) = (since, marked, now.has_time) {
        let at = since.plus_seconds(TOLERATED_SECONDS);
        if at > now.now {
            let what = format!("{} is marked for deletion and waits", names.join(", "));
            finding.forecast.push(Forecast { what, at });
        }
    }
    findings.push(finding);
}

/// On a node that does not answer; where no node is shown, by the pod's own word.
fn is_lost(pod: &Pod, now: &Snapshot) -> bool {
    let word = pod.summary.as_ref().map_or("", |s| s.status.as_str());
    let told = pod.why.as_ref().is_some_and(|w| w.0 == "NodeLost") || word == "Unknown";
    match now.nodes.get("", &pod.node) {
        Some(node) => does_not_answer(node) && pod.is_ready() != Some(true),
        None => told,
    }
}

fn does_not_answer(node: &Node) -> bool {
    node.ready() == Some(Truth::Unknown)
}

fn of_pod(pod: &Pod) -> model::Evidence {
    let object = pod.meta.object(Kind::Pod);
    let word = match pod.meta.deleting {
        Some(_) => "marked for deletion, not gone",
        None => "not ready",
    };
    evidence::field(pod.meta.source, &object, "status", word)
}

fn of_node(node: &Node) -> Option<model::Evidence> {
    let ready = node.condition("Ready").filter(|_| node.meta.known.has(Known::CONDITIONS))?;
    Some(evidence::condition(node.meta.source, &node.meta.object(Kind::Node), ready))
}

/// A StatefulSet of one has nobody to take over while its node is lost.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::StatefulSet) {
        let called =
            now.services_of(app).iter().any(|s| !now.callers_of(&s.namespace, &s.name).is_empty());
        if app.wanted() == Some(1) && called {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "spec.replicas".into(),
                why: "one pod that others call: when its node is lost, it stays away until \
                      somebody fences the node"
                    .into(),
            });
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let app = now.app(&finding.object);
    let node = app.and_then(|a| a.pods.iter().find(|p| is_lost(p, now))).map(|p| p.node.clone());
    let node = node.filter(|n| !n.is_empty()).unwrap_or_else(|| "NODE".into());
    let taint = format!(
        "kubectl taint node {node} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
    );
    Remedy {
        next: vec![
            Step::look(
                "See whether the node can come back",
                format!("kubectl describe node {node}"),
            ),
            Step::advice(format!("If not, switch machine {node} off and make sure that it is off")),
            Step {
                what: "Only then: let its pods be replaced and its volumes be detached".into(),
                command: Some(taint.clone()),
                risk: Risk::Destructive,
                undo: Some(format!("{taint}-")),
            },
        ],
        do_not: vec![
            "Do not delete the pod with --force while its machine may run: two pods would write to \
             one volume"
                .into(),
        ],
    }
}

/// How many replicas a program bears, no object says.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The node of a StatefulSet's only pod stops answering.",
        acts: vec![
            (10, Act::Unmodelled("the StatefulSet controller keeps one pod of each number")),
            (60, Act::StopKubelet("worker-1")),
        ],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps, lines, snapshot};

    fn pod(more: &str, status: &str) -> String {
        format!(
            "kind: Pod\nmetadata: {{namespace: mint, name: coin-0, creationTimestamp: \
             2026-01-01T00:00:00Z{more}, ownerReferences: [{{kind: StatefulSet, name: coin, \
             controller: true}}]}}\nspec: {{nodeName: n1, containers: [{{name: main}}]}}\nstatus: \
             {status}\n---\n"
        )
    }

    fn node(status: &str) -> String {
        format!(
            "kind: Node\nmetadata: {{name: n1}}\nstatus: {{conditions: [{{type: Ready, status: \
             {status}, lastTransitionTime: 2026-01-02T00:00:00Z}}]}}\n---\n"
        )
    }

    const UNREADY: &str = "{phase: Running, conditions: [{type: Ready, status: 'False'}]}";
    const WANT: &str = "node-lost sts/coin Proven Active";

    #[test]
    fn a_numbered_pod_on_a_node_that_does_not_answer() {
        let marked = pod(", deletionTimestamp: 2026-01-02T00:05:00Z", UNREADY);
        check(&KIND, &(marked.clone() + &node("Unknown")), &[WANT]);
        check(&KIND, &(pod("", UNREADY) + &node("Unknown")), &[WANT]);
        // Old versions said so in the pod.
        check(&KIND, &pod("", "{phase: Unknown, reason: NodeLost}"), &[WANT]);
    }

    #[test]
    fn look_alikes_stay_quiet() {
        check(&KIND, &(pod("", UNREADY) + &node("'True'")), &[]);
        check(&KIND, &(pod("", UNREADY) + &node("'False'")), &[]);
        let deployment = pod("", UNREADY).replace("StatefulSet", "ReplicaSet");
        check(&KIND, &(deployment + &node("Unknown")), &[]);
        check(&KIND, &pod("", UNREADY), &[]);
    }

    #[test]
    fn the_end_of_the_grace_is_forecast() {
        let clock = "kind: Event\nmetadata: {namespace: mint, name: e}\ninvolvedObject: {kind: \
                     Pod, \
                     namespace: mint, name: x}\nlastTimestamp: 2026-01-02T00:02:00Z\n---\n";
        let now = snapshot(&(pod("", UNREADY) + &node("Unknown") + clock));
        assert_eq!(lines(&KIND, &now), [WANT]);
        let mut findings = model::Findings::default();
        now.apps.iter().for_each(|a| super::detect(a, &now, &mut findings));
        let forecast = findings.found.first().and_then(|f| f.forecast.first()).expect("a forecast");
        assert_eq!(forecast.at.to_string(), "2026-01-02T00:05:00Z");
    }

    #[test]
    fn a_lonely_pod_that_others_call_is_a_gap() {
        let yaml = "kind: StatefulSet\nmetadata: {namespace: mint, name: coin}\nspec: {replicas: \
                    1, \
                    template: {metadata: {labels: {app: coin}}}}\n---\nkind: Service\nmetadata: \
                    {namespace: mint, name: coin}\nspec: {selector: {app: coin}, ports: [{port: \
                    1}]}\n---\nkind: Deployment\nmetadata: {namespace: mint, name: press}\nspec: \
                    {replicas: 2, template: {spec: {containers: [{name: main, env: [{name: COIN, \
                    value: 'coin:1'}]}]}}}\n";
        check_gaps(&KIND, yaml, &["sts/coin spec.replicas"]);
        check_gaps(&KIND, &yaml.replace("replicas: 1", "replicas: 3"), &[]);
    }
}
