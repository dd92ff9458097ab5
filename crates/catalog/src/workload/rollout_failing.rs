//! `deployment-rollout-failing`: a new revision of a Deployment does not come up.

use std::cmp::Reverse;

use model::record::{Known, Pod, Workload};
use model::{
    Act, App, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Role, Scenario, Snapshot, State,
    Step, Timestamp, Truth,
};

use crate::evidence;
use crate::pod::edit;

failure! {
    /// # A new revision does not come up
    ///
    /// ## Signs
    /// `kubectl rollout status` waits or says that the Deployment exceeded its progress
    /// deadline. The condition `Progressing` is False with the reason
    /// `ProgressDeadlineExceeded`. Pods of the newest ReplicaSet are not ready, those of the
    /// one before are.
    ///
    /// ## Why it happens
    /// A Deployment replaces its pods a few at a time and goes on only when new ones are
    /// ready. A bad image, a wrong setting, a failing probe, too little room or a rule that
    /// refuses the pods stops it there. With rolling updates the old pods go on serving, so
    /// the harm is small until somebody deletes them. After `progressDeadlineSeconds` (600
    /// when nothing is stated) the Deployment says so; it goes on trying all the same and
    /// never goes back by itself.
    ///
    /// When old pods are not ready either, the revision is not to blame: look at the node or
    /// at what both need.
    ///
    /// ## What we do
    /// 1. Look at the pods of the newest ReplicaSet: why are they not ready? That is the cause.
    /// 2. Somebody suffers, or it takes longer: `kubectl rollout undo`.
    /// 3. Correct the manifest, and roll out again.
    ///
    /// Do not delete old pods or the old ReplicaSet: they are what still serves.
    ///
    /// ## How to avoid it
    /// Readiness probes that mean it, `maxUnavailable: 0` for what is important, a pipeline
    /// that waits for `kubectl rollout status` and undoes on failure, and
    /// `progressDeadlineSeconds` of what a start really takes.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Deployments", section "Failed Deployment".
    id: "deployment-rollout-failing",
    mechanisms: {
        "new-revision-unready": "pods of the new revision do not become ready, the old ones are",
        "progress-deadline": "it made no progress for longer than it may take",
        "paused": "its rollout is paused, and a change waits",
    },
    reads: [Deployment, ReplicaSet, Pod],
    leads_to: ["service-without-endpoints", "slo-burning", "workload-dependency-failing"],
    detect: Apps(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Progress deadline of the API, in seconds.
const DEADLINE_SECONDS: i64 = 600;

fn detect(app: &App, now: &Snapshot, findings: &mut Findings) {
    if app.object.kind != Kind::Deployment {
        return;
    }
    let Some(workload) = app.workload.as_ref() else { return };
    if waits_paused(app, workload) {
        return findings.push(paused(app, workload, now));
    }
    let progress = workload.condition("Progressing");
    let progress =
        progress.filter(|c| c.status == Truth::False && c.reason() == "ProgressDeadlineExceeded");
    if workload.replicas == Some(0) {
        return;
    }
    let sets = sets(app);
    let newest = sets.first().copied();
    let rolling = newest.map(|set| Rolling::of(app, set, sets.get(1..).unwrap_or_default()));
    let well = app.wanted().is_some_and(|w| w > 0 && app.ready() as i64 >= w);
    let state_of_new = rolling.as_ref().map(|r| (r.new_sick.len(), r.new_ready));
    if well && state_of_new.is_none_or(|(sick, _)| sick == 0) {
        return;
    }
    if let Some(rolling) = &rolling
        && rolling.old_sick > 0
    {
        let why = "pods of the revision before are not ready either";
        return findings.rule_out(KIND.id, app.object.clone(), why);
    }
    let split = rolling.filter(|r| r.old_ready > 0 && !r.new_sick.is_empty());
    let late = |r: &Rolling<'_>| {
        let bad = r.new_sick.iter().any(|p| is_in_trouble(p));
        let deadline = workload.rollout.as_ref().and_then(|r| r.deadline_seconds);
        let begun = r.set.meta.created.filter(|_| now.has_time);
        let age = begun.map(|t| now.now.since(t)).or(r.set.meta.age_seconds.map(i64::from));
        bad || age.is_some_and(|a| a > deadline.unwrap_or(DEADLINE_SECONDS))
    };
    match split {
        Some(rolling) if progress.is_some() || late(&rolling) => {
            findings.push(finding(app, workload, Some(&rolling), now));
        }
        None if progress.is_some() => findings.push(finding(app, workload, None, now)),
        _ => {}
    }
}

/// The newest ReplicaSet with pods or a wish for some, and how the others are.
struct Rolling<'s> {
    set: &'s Workload,
    new_sick: Vec<&'s Pod>,
    new_ready: usize,
    old_ready: usize,
    old_sick: usize,
}

impl<'s> Rolling<'s> {
    fn of(app: &'s App, set: &'s Workload, older: &[&Workload]) -> Self {
        let of = |p: &&Pod, set: &Workload| {
            let owner = p.meta.owner.as_ref().map(|o| o.name.as_str());
            let by_name = || p.meta.name.rsplit_once('-').map(|(set, _)| set);
            owner.or_else(by_name) == Some(set.meta.name.as_str())
        };
        let ready = |p: &&Pod| p.is_ready() == Some(true);
        let (new, rest): (Vec<&Pod>, Vec<&Pod>) = app.running().partition(|p| of(p, set));
        let old: Vec<&Pod> = rest.into_iter().filter(|p| older.iter().any(|o| of(p, o))).collect();
        Rolling {
            set,
            new_ready: new.iter().copied().filter(ready).count(),
            new_sick: new.into_iter().filter(|p| p.is_ready() == Some(false)).collect(),
            old_ready: old.iter().copied().filter(ready).count(),
            old_sick: old.iter().filter(|p| p.is_ready() == Some(false)).count(),
        }
    }
}

/// ReplicaSets, the newest first: by revision, else by age.
fn sets(app: &App) -> Vec<&Workload> {
    let mut sets: Vec<&Workload> =
        app.sets.iter().map(|s| &**s).filter(|s| s.kind == Kind::ReplicaSet).collect();
    let revision = |s: &Workload| {
        let text = s.meta.annotation("deployment.kubernetes.io/revision");
        text.and_then(|t| t.parse::<u64>().ok())
    };
    sets.sort_by_key(|s| {
        let young = Reverse(s.meta.age_seconds.unwrap_or(u32::MAX));
        Reverse((revision(s), s.meta.created, young, s.meta.name.clone()))
    });
    sets
}

/// A pod that says by a word, or by its restarts, that it will not become ready by waiting.
fn is_in_trouble(pod: &Pod) -> bool {
    let fine = ["", "Running", "Pending", "ContainerCreating", "PodInitializing", "Completed"];
    pod.restarts() > 1 || pod.words().any(|w| !fine.contains(&w))
}

fn finding(
    app: &App,
    workload: &Workload,
    rolling: Option<&Rolling<'_>>,
    now: &Snapshot,
) -> Finding {
    let object = &app.object;
    let (mechanism, headline) = match rolling {
        Some(r) => {
            let (sick, old) = (r.new_sick.len(), r.old_ready);
            let pods = if sick == 1 { "pod" } else { "pods" };
            let text = format!(
                "rollout of {object} does not get on: {sick} {pods} of the new revision not ready, \
                 {old} of the old one serve"
            );
            ("new-revision-unready", text)
        }
        None => {
            let wanted = app.wanted().map(|w| format!(" of {w}")).unwrap_or_default();
            let text = format!(
                "rollout of {object} exceeded its progress deadline: {}{wanted} pods ready",
                ready(app, workload)
            );
            ("progress-deadline", text)
        }
    };
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .role(Role::Symptom)
        .affects(object.clone(), format!("{} ready", ready(app, workload)))
        .impact(Impact { replicas: app.lost_replicas(), ..Impact::default() });
    let progress = workload.condition("Progressing").filter(|c| c.status == Truth::False);
    if let Some(c) = progress {
        let fact = evidence::condition(workload.meta.source, object, c);
        finding = finding.since(c.since).evidence([fact]);
    } else if let Some(r) = rolling {
        let made: Option<Timestamp> = r.new_sick.iter().filter_map(|p| p.meta.created).max();
        finding = finding.since(made.or(r.set.meta.created).filter(|_| now.has_time));
    }
    if let Some(r) = rolling {
        finding = finding.evidence(r.new_sick.iter().take(2).map(|p| {
            let word = p.words().find(|w| !w.is_empty()).unwrap_or("not ready");
            let pod = p.meta.object(Kind::Pod);
            evidence::field(p.meta.source, &pod, "status", word)
        }));
        let containers = app.spec().into_iter().flat_map(|s| s.containers.iter());
        let change = containers.flat_map(|c| edit::changes(app, &c.name)).next();
        if let Some((field, old, new)) = change {
            finding = finding.field(field, new, format!("{old} (the revision before)"));
        }
    }
    let look = format!("kubectl describe pods -n {}", object.namespace);
    finding.decide = Some(look);
    finding
}

fn ready(app: &App, workload: &Workload) -> i64 {
    if app.pods.is_empty() { workload.counts.ready } else { app.ready() as i64 }
}

/// Paused, with a template that none of the running pods has.
fn waits_paused(app: &App, workload: &Workload) -> bool {
    let told = workload.condition("Progressing").is_some_and(|c| c.reason() == "DeploymentPaused");
    let counted = workload.meta.live.has(Known::STATUS);
    let behind = app.wanted().is_some_and(|w| workload.counts.updated < w);
    (workload.paused || told) && counted && behind
}

/// A rollout that was paused before its first pod, and for long, was forgotten; one that was
/// paused on its way may be a trial.
fn paused(app: &App, workload: &Workload, now: &Snapshot) -> Finding {
    let object = &app.object;
    let updated = workload.counts.updated;
    let text = format!(
        "rollout of {object} is paused: {updated} of {} pods have its newest template",
        app.wanted().unwrap_or(0)
    );
    let fact = evidence::field(workload.meta.source, object, "spec.paused", "true");
    let told = workload.condition("Progressing").filter(|c| c.reason() == "DeploymentPaused");
    let since = told.and_then(|c| c.since).filter(|_| now.has_time);
    // Where nothing in the input is younger, nobody knows how long ago that was.
    let long = since.is_some_and(|t| now.now.since(t) > DEADLINE_SECONDS || now.now.since(t) == 0);
    let finding = Finding::new(KIND.id, "paused", object.clone(), text)
        .field("spec.paused", "true", "false, when the change shall go out")
        .since(since)
        .evidence([fact])
        .evidence(told.map(|c| evidence::condition(workload.meta.source, object, c)));
    match updated == 0 && long {
        true => finding.affects(object.clone(), "no pod has its newest template"),
        false => finding.state(State::Suspected),
    }
}

/// A deadline that ends before a slow pod can be ready: every rollout then counts as failed.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Deployment) {
        let Some(workload) = app.workload.as_ref().filter(|w| w.meta.shows(Known::SPEC)) else {
            continue;
        };
        let deadline = workload.rollout.as_ref().and_then(|r| r.deadline_seconds);
        let Some(deadline) = deadline.filter(|d| *d < 60) else { continue };
        gaps.push(Gap {
            failure: KIND.id,
            object: app.object.clone(),
            field: "spec.progressDeadlineSeconds".into(),
            why: format!("{deadline}s is less than pulling an image may take"),
        });
    }
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    if finding.mechanism == "paused" {
        return Remedy {
            next: vec![Step::change(
                "Let the change go out, if it is wanted",
                format!("kubectl rollout resume {object}"),
                format!("kubectl rollout pause {object}"),
            )],
            do_not: vec!["Do not resume before whoever paused it agrees".into()],
        };
    }
    let namespace = &finding.object.namespace;
    Remedy {
        next: vec![
            Step::look(
                "See why the pods of the newest ReplicaSet are not ready",
                format!("kubectl get pods,replicasets -n {namespace} -o wide"),
            ),
            Step::change(
                "Go back to the revision before",
                format!("kubectl rollout undo {object}"),
                format!("kubectl rollout undo {object}"),
            ),
        ],
        do_not: vec!["Do not delete the old pods or their ReplicaSet: they still serve".into()],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  progressDeadlineSeconds: 600\n".to_owned();
    Some(Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A new revision names an image that no registry has.",
        acts: vec![
            (5, Act::LoseImage("registry.example/drill-till:2")),
            (10, Act::Apply(FIRST)),
            (60, Act::Apply(SECOND)),
        ],
        found_within_seconds: 240,
    })
}

const FIRST: &str = drill_deployment!(
    "drill-till",
    replicas: 2,
    container: "image: 'registry.example/drill-till:1'"
);

const SECOND: &str = drill_deployment!(
    "drill-till",
    replicas: 2,
    container: "image: 'registry.example/drill-till:2'"
);

#[cfg(test)]
mod tests;
