//! `lesson-unapplied`: what was to be done after an incident is still not so, or not so again.

use model::record::Meta;
use model::{
    Act, App, FailureKind, Finding, Gap, Kind, ObjectRef, Patch, Remedy, Scenario, Snapshot, Step,
};

use crate::workload::audit;

failure! {
    /// # A lesson that was written down and not applied
    ///
    /// ## Signs
    /// A workload or its namespace carries the annotation `seaworthy.dev/lessons` with the ids
    /// of checks, separated by commas: what a post-mortem decided that it must pass from now
    /// on. One of them does not pass.
    ///
    /// ## Why it happens
    /// Actions of a post-mortem are tickets. They wait behind features, are closed when
    /// somebody has begun, and nobody notices when a later change takes the repair back: the
    /// limit that was set by hand is not in the chart, the next release removes it. The second
    /// incident is then the same as the first.
    ///
    /// ## What we do
    /// 1. Read the page of the check that fails: `seaworthy explain ID`.
    /// 2. Apply it where the object comes from (chart, repository), not only in the cluster.
    /// 3. If the lesson was wrong, say so in the post-mortem and take the id out.
    ///
    /// Do not take the id out to make the list shorter: that is how it came here.
    ///
    /// ## How to avoid it
    /// Write actions as checks that a machine can repeat, with the object they are about. What
    /// is read here: the annotation on workloads and namespaces, and the checks themselves.
    /// An id that is no check is told too, since nobody would ever see it pass. A check that
    /// the input is too thin for says nothing.
    ///
    /// ## Sources
    /// "Maximize learnings from a Kubernetes cluster failure" (NU.nl, 2018); Google, "Site
    /// Reliability Workbook", chapter on post-mortems.
    id: "lesson-unapplied",
    mechanisms: {
        "lesson-unapplied": "a check that a post-mortem asked for does not pass",
    },
    reads: [DaemonSet, Deployment, LimitRange, Namespace, StatefulSet],
    leads_to: [
        "deployment-rollout-failing",
        "node-lost-cascade",
        "node-system-oom",
        "pod-crash-looping",
        "pod-evicted-storage",
        "pod-limit-reached",
        "service-refused",
        "service-without-endpoints",
    ],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// The annotation that names checks.
const LESSONS: &str = "seaworthy.dev/lessons";

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    for (id, place) in lessons(app, now) {
        let Some(kind) = crate::find(id).filter(|k| k.id != KIND.id) else {
            let why = format!("the lesson `{id}` on {place} is no check: it can never pass");
            gaps.push(audit::gap(KIND.id, app, format!("metadata.annotations[{LESSONS}]"), why));
            continue;
        };
        if let Some(gap) = audit::gaps_of(kind, app, now).into_iter().next() {
            let why = format!("the lesson {id} on {place} is not applied: {}", gap.why);
            gaps.push(audit::gap(KIND.id, app, gap.field, why));
        }
    }
}

/// Checks that a workload shall pass, each with the object that says so.
fn lessons<'s>(app: &'s App, now: &'s Snapshot) -> Vec<(&'s str, ObjectRef)> {
    let of = |meta: &'s Meta, object: ObjectRef| {
        let ids = meta.annotation(LESSONS).into_iter().flat_map(|t| t.split(','));
        let ids = ids.map(str::trim).filter(|id| !id.is_empty());
        ids.map(move |id| (id, object.clone())).collect::<Vec<_>>()
    };
    let own = app.workload.as_ref().map(|w| of(&w.meta, app.object.clone()));
    let namespace = now.named(Kind::Namespace, "", &app.object.namespace);
    let around = namespace.map(|n| of(&n.meta, n.meta.object(Kind::Namespace)));
    let mut all: Vec<_> = own.into_iter().chain(around).flatten().collect();
    all.dedup_by(|b, a| a.0 == b.0);
    all
}

/// The kind whose check fails, by the field that it names.
fn failing(gap: &Gap, now: &Snapshot) -> Option<(&'static FailureKind, Gap)> {
    let app = now.app(&gap.object)?;
    lessons(app, now).into_iter().find_map(|(id, _)| {
        let kind = crate::find(id).filter(|k| k.id != KIND.id)?;
        let mut found = Vec::new();
        (kind.exposed)(now, &mut found);
        let same = |g: &Gap| g.object == gap.object && g.field == gap.field;
        found.into_iter().find(same).map(|g| (kind, g))
    })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let target = finding.object.for_kubectl();
    Remedy {
        next: vec![
            Step::look(
                "See which lessons it carries",
                format!("kubectl get {target} -o yaml | grep {LESSONS}"),
            ),
            Step::advice("Apply the check where the object comes from, not only in the cluster"),
        ],
        do_not: vec!["Do not take the id out to make the list shorter".into()],
    }
}

/// The patch of the check that fails.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let (kind, gap) = failing(gap, now)?;
    (kind.prevent)(&gap, now)
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A limit that a post-mortem asked for was lost; the workload grows again.",
        acts: vec![
            (
                0,
                Act::Apply(
                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: learned, namespace: \
                     shop, annotations: {seaworthy.dev/lessons: limits-missing}}\nspec:\n  \
                     replicas: 1\n  selector: {matchLabels: {app: learned}}\n  template:\n    \
                     metadata: {labels: {app: learned}}\n    spec:\n      containers:\n      - \
                     {name: main, image: 'learned:1'}\n",
                ),
            ),
            (60, Act::Unmodelled("A release takes a setting back that was made by hand.")),
        ],
        found_within_seconds: 900,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};

    fn app(lessons: &str, resources: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z, annotations: {{seaworthy.dev/lessons: '{lessons}'}}}}\nspec: \
             {{replicas: 1, template: {{spec: {{containers: [{{name: main, resources: \
             {{{resources}}}}}]}}}}}}\n---\n"
        )
    }

    const FIELD: &str = "deploy/buoy spec.template.spec.containers[main].resources.limits.memory";
    const ASKS: &str = "requests: {memory: 128Mi}";

    #[test]
    fn a_check_on_the_workload_that_fails_is_a_gap() {
        let yaml = app("limits-missing", ASKS);
        check_gaps(&KIND, &yaml, &[FIELD]);
        let now = snapshot(&yaml);
        let mut gaps = Vec::new();
        (KIND.exposed)(&now, &mut gaps);
        let patch = (KIND.prevent)(&gaps[0], &now).expect("the check's own patch");
        assert!(patch.body.contains("memory: 256Mi"), "{}", patch.body);
        let unknown = "deploy/buoy metadata.annotations[seaworthy.dev/lessons]";
        check_gaps(&KIND, &app("be-careful, lesson-unapplied", ASKS), &[unknown, unknown]);
    }

    #[test]
    fn a_check_on_the_namespace_holds_for_all_in_it() {
        let namespace = "kind: Namespace\nmetadata: {name: dock, creationTimestamp: \
                         2026-01-01T00:00:00Z, annotations: {seaworthy.dev/lessons: \
                         limits-missing}}\n---\n";
        check_gaps(&KIND, &(namespace.to_owned() + &app("", ASKS)), &[FIELD]);
        check_gaps(&KIND, &(namespace.to_owned() + &app("limits-missing", ASKS)), &[FIELD]);
    }

    #[test]
    fn a_lesson_that_is_applied_and_none_at_all_are_quiet() {
        check_gaps(&KIND, &app("limits-missing", "limits: {memory: 1Gi}"), &[]);
        check_gaps(&KIND, &app("", ASKS), &[]);
    }
}
