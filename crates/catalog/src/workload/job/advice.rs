//! What to do about Jobs that do not get done, how to avoid and how to rehearse it.

use model::record::Known;
use model::{Act, Finding, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, Step};

const ID: &str = "job-failing";
const DEADLINE: &str = "spec.jobTemplate.spec.activeDeadlineSeconds";
const STARTING: &str = "spec.startingDeadlineSeconds";

/// CronJobs that one hung run stops for good, or that can never start in time.
pub(crate) fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::CronJob) {
        let shown = app.workload.as_ref().filter(|w| w.meta.shows(Known::SPEC));
        let Some(plan) = shown.and_then(|w| w.job.as_deref()).map(|j| &j.plan) else { continue };
        let mut gap = |field: &str, why: &str| {
            gaps.push(Gap {
                failure: ID,
                object: app.object.clone(),
                field: field.into(),
                why: why.into(),
            });
        };
        if plan.concurrency == "Forbid" && plan.deadline_seconds.is_none() {
            gap(DEADLINE, "a run that hangs keeps all later ones from starting");
        }
        if plan.starting_deadline_seconds.is_some_and(|s| s < 10) {
            gap(STARTING, "the controller looks every ten seconds: runs are missed by chance");
        }
    }
}

pub(crate) fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = &finding.object.namespace;
    let name = &finding.object.name;
    let is_cron = finding.object.kind == Kind::CronJob;
    let mut next = Vec::new();
    if let Some(decide) = &finding.decide {
        next.push(Step::look("Read what the last attempt said", decide.clone()));
    }
    match finding.mechanism {
        "cron-suspended" => {
            let patch =
                |on: bool| format!("kubectl patch {object} -p '{{\"spec\":{{\"suspend\":{on}}}}}'");
            next.push(Step::change("Let it run again, if it is wanted", patch(false), patch(true)));
        }
        "cron-too-many-missed" => next.push(Step::change(
            "Let it look back only a few minutes for missed runs",
            format!("kubectl patch {object} -p '{{\"spec\":{{\"startingDeadlineSeconds\":200}}}}'"),
            format!(
                "kubectl patch {object} -p '{{\"spec\":{{\"startingDeadlineSeconds\":null}}}}'"
            ),
        )),
        "concurrency-forbid" => {
            next.push(Step::look(
                "See which run does not end, and its pods",
                format!("kubectl get jobs,pods -n {namespace}"),
            ));
            next.push(Step {
                what: "End the run that hangs; the next one starts when it is due".into(),
                command: Some(format!("kubectl delete job -n {namespace} NAME_OF_THE_RUN")),
                risk: Risk::Destructive,
                undo: None,
            });
        }
        "schedule-invalid" => next.push(Step::advice(format!("Correct it: kubectl edit {object}"))),
        _ => {
            if let (Some(field), Some(expected)) = (&finding.field, &finding.expected) {
                next.push(Step::advice(format!("Set {field}: {expected}")));
            }
            next.push(run_again(is_cron, namespace, name));
        }
    }
    let mut do_not = Vec::new();
    if matches!(finding.mechanism, "backoff-limit" | "application-error") {
        do_not
            .push("Do not only raise backoffLimit: it fails more often for the same reason".into());
    }
    if finding.mechanism == "concurrency-forbid" {
        do_not.push("Do not allow runs side by side before you know that they may overlap".into());
    }
    do_not.push("Do not delete the failed Job before its log is read: its pods go with it".into());
    Remedy { next, do_not }
}

fn run_again(is_cron: bool, namespace: &str, name: &str) -> Step {
    if is_cron {
        let command =
            format!("kubectl create job -n {namespace} {name}-again --from=cronjob/{name}");
        let undo = format!("kubectl delete job -n {namespace} {name}-again");
        return Step::change("Then run it once by hand", command, undo);
    }
    Step {
        what: "Then run it again: the template of a Job cannot be changed, so replace it".into(),
        command: Some(format!(
            "kubectl get job -n {namespace} {name} -o yaml > job.yaml  # correct, drop \
             controller-uid labels and selector; kubectl replace --force -f job.yaml"
        )),
        risk: Risk::Disruptive,
        undo: None,
    }
}

/// A day is longer than nearly all runs take, and shorter than for ever.
pub(crate) fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = match gap.field.as_str() {
        DEADLINE => "spec:\n  jobTemplate:\n    spec:\n      activeDeadlineSeconds: 86400\n",
        STARTING => "spec:\n  startingDeadlineSeconds: 200\n",
        _ => return None,
    };
    Some(Patch { object: gap.object.clone(), body: body.into() })
}

pub(crate) fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The program of a Job ends with an error until the Job gives up.",
        acts: vec![(10, Act::Unmodelled("the Job controller makes pods until one succeeds"))],
        found_within_seconds: 300,
    })
}
