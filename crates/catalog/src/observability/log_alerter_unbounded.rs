//! `log-alerter-unbounded`: what looks for lines of logs may take all memory of its node.

use model::record::LogRule;
use model::{Act, App, Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

use super::{rules, tooling};
use crate::node::lost_cascade::{limit_patch, unlimited};
use crate::pod::edit;
use crate::wording::LOG_ALERTERS;
use crate::workload::audit;

failure! {
    /// # An alerter on logs without bounds
    ///
    /// ## Signs
    /// A pod of ElastAlert or ElastAlert 2 whose container has no memory limit. In its config
    /// maps a rule of type `frequency`, `flatline` or `spike` without `use_count_query`,
    /// `use_terms_query` or `max_query_size`. Its memory follows the traffic of whatever
    /// writes the logs.
    ///
    /// ## Why it happens
    /// Such a rule needs one number: how many lines came in the last minutes. Unless it is
    /// told to count, it fetches the lines themselves, ten thousand at a time and hundreds of
    /// times in a row, and keeps them for the length of its window. A rule that was tried on a
    /// quiet index then meets one with millions of lines an hour. Charts set no limit by
    /// default. In a post-mortem of 2018 a new rule of this sort took the memory of one node
    /// after the other, and with them the dashboards that would have shown it.
    ///
    /// ## What we do
    /// 1. Set a memory limit on the container: then it is killed alone, not its node.
    /// 2. Let every rule that only needs a number count: `use_count_query: true`, with
    ///    `doc_type` where the version wants it, or `use_terms_query` for one number per key.
    /// 3. Where lines must be read, bound them: `max_query_size` and `max_scrolling_count`.
    ///
    /// Do not only raise the limit: the next index is larger.
    ///
    /// ## How to avoid it
    /// A LimitRange in the namespace of the tools, a review of new rules that asks how many
    /// lines an hour the index gets, and tools on nodes of their own. What is read here: images
    /// and limits of workloads, and the rule files in config maps. Rules that are baked into an
    /// image or kept in a Secret are not seen.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); ElastAlert 2
    /// documentation, "Rule Types and Configuration Options".
    id: "log-alerter-unbounded",
    mechanisms: {
        "log-alerter-unbounded": "nothing bounds how many lines of logs it holds in memory",
    },
    reads: [ConfigMap, Deployment, LimitRange, Pod, StatefulSet],
    leads_to: [
        "node-lost-cascade",
        "node-overloaded",
        "node-system-oom",
        "pod-evicted-memory",
        "pod-limit-reached",
    ],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    let is_one = |a: &App, _: &Snapshot| tooling::is_standing(a) && tooling::runs(a, LOG_ALERTERS);
    for app in now.apps_where(is_one) {
        if audit::limit_is_given(&app.object.namespace, "memory", now) {
            continue;
        }
        for container in unlimited(app) {
            let field = edit::container_field(app, &container.name, "resources.limits.memory");
            let why = "it holds lines of logs in memory, and nothing bounds how many";
            gaps.push(audit::gap(KIND.id, app, field, why));
        }
    }
    for (object, rules) in rules::all(now) {
        for rule in rules.logs.iter().filter(|r| reads_all(r)) {
            let why = format!(
                "rule {} ({}) fetches every line of its window, where a count would do",
                rule.name, rule.kind
            );
            let field = format!("data[{}].use_count_query", rule.name);
            gaps.push(Gap { failure: KIND.id, object: object.clone(), field, why });
        }
    }
}

/// Whether a rule that needs only a number fetches the lines, as many as there are.
fn reads_all(rule: &LogRule) -> bool {
    let needs_number = matches!(rule.kind.as_str(), "flatline" | "frequency" | "spike");
    needs_number && !rule.counts && rule.page_lines.is_none()
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    let mut next =
        vec![Step::look("See what it is told to do", format!("kubectl get {target} -o yaml"))];
    if finding.object.kind == Kind::ConfigMap {
        next.push(Step::advice("Add `use_count_query: true` to the rule and start it again"));
    } else {
        next.push(Step::look(
            "See what it holds now",
            format!("kubectl top pods -n {} --containers", finding.object.namespace),
        ));
        next.push(Step::change(
            "Bound its memory, well below that of a node",
            format!("kubectl set resources {target} --limits=memory=512Mi"),
            format!("kubectl rollout undo {target}"),
        ));
    }
    Remedy {
        next,
        do_not: vec!["Do not only give it more memory: the next index has more lines".into()],
    }
}

/// A limit of the container. A rule stands inside a text, which no patch reaches.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    limit_patch(gap, now)
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "An alerter on logs gets a rule that fetches every line, and takes node after node.",
        acts: vec![
            (
                0,
                Act::Apply(drill_deployment!(
                    "line-alerter",
                    replicas: 1,
                    container: "image: 'elastalert2:2.9'"
                )),
            ),
            (60, Act::GrowMemory { workload: "shop/line-alerter", bytes_per_second: 64 << 20 }),
        ],
        found_within_seconds: 3600,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};

    fn alerter(image: &str, resources: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: tools, name: teller, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 1, template: {{spec: {{containers: [{{name: \
             main, image: '{image}', resources: {{{resources}}}}}]}}}}}}\n---\n"
        )
    }

    fn rule(kind: &str, more: &str) -> String {
        format!(
            "kind: ConfigMap\nmetadata: {{namespace: tools, name: teller-rules, creationTimestamp: \
             2026-01-01T00:00:00Z}}\ndata:\n  edge.yaml: |\n    name: quiet-edge\n    type: \
             {kind}\n    index: edge-*\n    timeframe:\n      minutes: 15\n    {more}\n"
        )
    }

    #[test]
    fn an_alerter_without_a_limit_is_a_gap() {
        let field = "deploy/teller spec.template.spec.containers[main].resources.limits.memory";
        let bare = alerter("reg.example/elastalert2:2.9", "requests: {memory: 128Mi}");
        check_gaps(&KIND, &bare, &[field]);
        let now = snapshot(&bare);
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        let patch = (KIND.prevent)(&gaps[0], &now).expect("a patch");
        assert!(patch.body.ends_with("memory: 256Mi\n"), "{}", patch.body);
        check_gaps(&KIND, &alerter("elastalert:0.2", "limits: {memory: 1Gi}"), &[]);
        check_gaps(&KIND, &alerter("own/teller:2", ""), &[]);
    }

    #[test]
    fn a_pod_without_its_deployment_shows_it_too() {
        let pod = "kind: Pod\nmetadata: {namespace: tools, name: teller-6f4d5b7c9d-x2x4z, \
                   creationTimestamp: 2026-01-01T00:00:00Z, ownerReferences: [{kind: ReplicaSet, \
                   name: teller-6f4d5b7c9d, controller: true}]}\nspec: {containers: [{name: main, \
                   image: 'elastalert:0.2'}]}\n";
        let field = "deploy/teller spec.template.spec.containers[main].resources.limits.memory";
        check_gaps(&KIND, pod, &[field]);
    }

    #[test]
    fn a_rule_that_fetches_lines_to_count_them_is_a_gap() {
        let field = "cm/teller-rules data[quiet-edge].use_count_query";
        check_gaps(&KIND, &rule("flatline", "threshold: 1"), &[field]);
        check_gaps(&KIND, &rule("frequency", "num_events: 50"), &[field]);
        check_gaps(&KIND, &rule("flatline", "use_count_query: true"), &[]);
        check_gaps(&KIND, &rule("frequency", "max_query_size: 500"), &[]);
        check_gaps(&KIND, &rule("any", "alert: [slack]"), &[]);
    }
}
