//! `knowledge-in-one-head`: what to do is known to one person, or written nowhere.

use model::record::{AlertRule, Meta};
use model::{Act, Finding, Gap, Kind, ObjectRef, Patch, Remedy, Scenario, Snapshot, Step};

use super::rules;

failure! {
    /// # What to do is known to one person
    ///
    /// ## Signs
    /// Alerts that wake people (severity `critical` or `page`) name no page that says what to
    /// do. Or a workload or namespace carries the annotation `seaworthy.dev/known-by` with one
    /// name only.
    ///
    /// ## Why it happens
    /// Who set it up knows it, and is asked each time; so nobody else learns it and nothing
    /// gets written. It shows at night, in the holidays, and when that person leaves. The others
    /// on call can only escalate, or try what worked elsewhere.
    ///
    /// ## What we do
    /// 1. Write down the first three commands and what makes it worse, next to the alert:
    ///    `runbook_url`.
    /// 2. Let the next repair be done by somebody else, with the one who knows beside them.
    /// 3. Write the second name into the annotation when it is true.
    ///
    /// Do not write a name that nobody asked: the list is believed when it matters.
    ///
    /// ## How to avoid it
    /// Rehearse: a failure on a copy of the cluster, and whoever is on call this week repairs
    /// it. What is read here: rules in PrometheusRule objects and config maps, and the
    /// annotation, which people set by hand. No program can see what people know: a workload
    /// without the annotation is not judged, and a link is not read.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Prometheus
    /// documentation, "Alerting".
    id: "knowledge-in-one-head",
    mechanisms: {
        "knowledge-in-one-head": "one person, or no page, says what to do about it",
    },
    reads: [ConfigMap, DaemonSet, Deployment, Namespace, PrometheusRule, StatefulSet],
    leads_to: [],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// The annotation with the names of those who know how to run it.
const KNOWN_BY: &str = "seaworthy.dev/known-by";

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for (object, rules) in rules::all(now) {
        let loud: Vec<&AlertRule> = rules.alerts.iter().filter(|r| wakes(r)).collect();
        let silent: Vec<&str> =
            loud.iter().filter(|r| !r.has_runbook).map(|r| r.name.as_str()).collect();
        let Some(first) = silent.first() else { continue };
        let why = format!(
            "{} of {} alerts that wake people say nothing of what to do, {first} for one",
            silent.len(),
            loud.len()
        );
        let field = "annotations.runbook_url".to_owned();
        gaps.push(Gap { failure: KIND.id, object, field, why });
    }
    let apps = now.apps.iter().filter_map(|a| Some((a.object.clone(), &a.workload.as_ref()?.meta)));
    let namespaces = now.named.iter().filter(|n| n.kind == Kind::Namespace);
    let namespaces = namespaces.map(|n| (n.meta.object(Kind::Namespace), &n.meta));
    gaps.extend(apps.chain(namespaces).filter_map(|(object, meta)| alone(object, meta)));
}

fn wakes(rule: &AlertRule) -> bool {
    matches!(rule.severity.as_str(), "critical" | "page" | "emergency")
}

/// Where only one name is given.
fn alone(object: ObjectRef, meta: &Meta) -> Option<Gap> {
    let names = meta.annotation(KNOWN_BY)?;
    let mut names = names.split(',').map(str::trim).filter(|n| !n.is_empty());
    let only = names.next().filter(|only| names.all(|other| other == *only))?;
    let why = format!("only {only} is said to know how it is run");
    Some(Gap { failure: KIND.id, object, field: format!("metadata.annotations[{KNOWN_BY}]"), why })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    Remedy {
        next: vec![
            Step::look(
                "See what it says of itself",
                format!("kubectl get {} -o yaml", finding.object.for_kubectl()),
            ),
            Step::advice("Write down the first three commands, and what makes it worse"),
            Step::advice("Let somebody else do the next repair, with the one who knows beside"),
        ],
        do_not: vec!["Do not write a name that nobody asked".into()],
    }
}

/// What people know is in no object.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Somebody who has never done it finds and repairs a workload that crashes.",
        acts: vec![
            (0, Act::Unmodelled("Those who know how shop/checkout is run are away.")),
            (60, Act::Crash { workload: "shop/checkout", exit_code: 1 }),
        ],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn rule(severity: &str, annotations: &str) -> String {
        format!(
            "kind: PrometheusRule\nmetadata: {{namespace: tools, name: own, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{groups: [{{name: own, rules: [{{alert: Down, expr: up \
             == 0, labels: {{severity: {severity}}}, annotations: {{{annotations}}}}}]}}]}}\n---\n"
        )
    }

    fn file(runbook: &str) -> String {
        format!(
            "kind: ConfigMap\nmetadata: {{namespace: tools, name: eye, creationTimestamp: \
             2026-01-01T00:00:00Z}}\ndata:\n  rules.yml: |\n    groups:\n    - name: own\n      \
             rules:\n      - alert: Down\n        expr: up == 0\n        labels:\n          \
             severity: page\n        annotations:\n          {runbook}\n---\n"
        )
    }

    fn known_by(kind: &str, names: &str) -> String {
        format!(
            "kind: {kind}\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z, annotations: {{seaworthy.dev/known-by: '{names}'}}}}\nspec: \
             {{}}\n---\n"
        )
    }

    #[test]
    fn alerts_that_wake_people_and_say_no_more_are_a_gap() {
        check_gaps(&KIND, &rule("critical", ""), &["prometheusrule/own annotations.runbook_url"]);
        check_gaps(&KIND, &file("summary: down"), &["cm/eye annotations.runbook_url"]);
        check_gaps(&KIND, &file("runbook_url: https://run.example/down"), &[]);
        check_gaps(&KIND, &rule("page", "runbook_url: 'https://run.example/down'"), &[]);
        check_gaps(&KIND, &rule("warning", ""), &[]);
    }

    #[test]
    fn one_name_is_a_gap_and_two_are_none() {
        let field = "metadata.annotations[seaworthy.dev/known-by]";
        check_gaps(&KIND, &known_by("Deployment", "ann"), &[&format!("deploy/buoy {field}")]);
        check_gaps(&KIND, &known_by("Namespace", "ann, ann"), &[&format!("ns/buoy {field}")]);
        check_gaps(&KIND, &known_by("Deployment", "ann, bo"), &[]);
        check_gaps(&KIND, &known_by("Deployment", ""), &[]);
    }
}
