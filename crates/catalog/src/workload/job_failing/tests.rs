use super::KIND;
use crate::testing::{check, check_gaps, lines, snapshot};
use model::{Alert, Kind};

fn job(name: &str, owner: &str, status: &str) -> String {
    let owner = match owner {
        "" => String::new(),
        cron => format!(", ownerReferences: [{{kind: CronJob, name: {cron}, controller: true}}]"),
    };
    format!(
        "kind: Job\nmetadata: {{namespace: mill, name: {name}, creationTimestamp: \
         2026-03-01T10:00:00Z{owner}}}\nspec:\n  backoffLimit: 3\n  parallelism: 1\n  \
         completions: 1\n  template: {{spec: {{restartPolicy: Never, containers: [{{name: main, \
         image: x, resources: {{limits: {{memory: 64Mi}}}}}}]}}}}\nstatus: {status}\n---\n"
    )
}

fn pod(job: &str, end: &str, exit: &str) -> String {
    format!(
        "kind: Pod\nmetadata: {{namespace: mill, name: {job}-{end}, creationTimestamp: \
         2026-03-01T10:00:01Z, ownerReferences: [{{kind: Job, name: {job}, controller: true}}]}}\n\
         spec: {{restartPolicy: Never, containers: [{{name: main, resources: {{limits: {{memory: \
         64Mi}}}}}}]}}\nstatus:\n  phase: Failed\n  containerStatuses:\n  - {{name: main, state: \
         {{terminated: {{{exit}, startedAt: 2026-03-01T10:00:02Z, finishedAt: \
         2026-03-01T10:00:09Z}}}}}}\n---\n"
    )
}

const GAVE_UP: &str = "{failed: 4, conditions: [{type: Failed, status: 'True', reason: \
                       BackoffLimitExceeded, message: Job has reached the specified backoff limit, \
                       lastTransitionTime: 2026-03-01T10:05:00Z}]}";

fn cron(fields: &str, status: &str) -> String {
    format!(
        "kind: CronJob\nmetadata: {{namespace: mill, name: grind, creationTimestamp: \
         2026-01-01T00:00:00Z}}\nspec: {{schedule: '*/10 * * * *'{fields}, jobTemplate: {{spec: \
         {{template: {{spec: {{containers: [{{name: main}}]}}}}}}}}}}\nstatus: {status}\n---\n"
    )
}

/// An event about an object, and with it the time of the evidence.
fn event(kind: &str, name: &str, reason: &str, message: &str, at: &str) -> String {
    format!(
        "kind: Event\nmetadata: {{namespace: mill, name: e}}\ntype: Warning\nreason: {reason}\n\
         message: '{message}'\ninvolvedObject: {{kind: {kind}, namespace: mill, name: {name}}}\n\
         lastTimestamp: {at}\n---\n"
    )
}

fn at(time: &str) -> String {
    event("Pod", "clock", "Tick", "", time)
}

#[test]
fn a_job_that_gave_up_is_told_by_its_pods_or_else_by_its_condition() {
    check(&KIND, &job("sift", "", GAVE_UP), &["backoff-limit job/sift Likely Active"]);
    let error = job("sift", "", GAVE_UP) + &pod("sift", "a1b2c", "exitCode: 1, reason: Error");
    check(&KIND, &error, &["application-error job/sift Possible Active"]);
    let missing = "exitCode: 128, reason: StartError, message: 'exec: \"sieve\": executable file \
                   not found in $PATH: unknown'";
    let missing = job("sift", "", GAVE_UP) + &pod("sift", "a1b2c", missing);
    check(&KIND, &missing, &["command-not-found job/sift Proven Active"]);
    let late = GAVE_UP
        .replace("BackoffLimitExceeded", "DeadlineExceeded")
        .replace("Job has reached", "Job was active longer");
    check(&KIND, &job("sift", "", &late), &["deadline job/sift Proven Active"]);
}

#[test]
fn memory_is_the_cause_of_a_job_that_was_killed_for_it() {
    let killed = pod("sift", "a1b2c", "exitCode: 137, reason: OOMKilled");
    let yaml = job("sift", "", "{failed: 1, active: 1}") + &killed;
    check(&KIND, &yaml, &["backoff-limit job/sift Proven Active"]);
    let memory = crate::find("pod-limit-reached").expect("a kind");
    assert!(memory.leads_to.contains(&KIND.id));
    check(memory, &yaml, &["memory-limit-too-low job/sift Proven Active"]);
    let done = job(
        "sift",
        "",
        "{failed: 1, succeeded: 1, conditions: [{type: Complete, status: 'True'}]}",
    );
    check(memory, &(done.clone() + &killed), &[]);
    check(&KIND, &(done + &killed), &[]);
}

#[test]
fn events_alone_name_the_cron_job() {
    let told = event(
        "Job",
        "grind-29141350",
        "BackoffLimitExceeded",
        "Job has reached the specified backoff limit",
        "2026-03-01T10:05:00Z",
    );
    let mut now = snapshot(&told);
    assert_eq!(lines(&KIND, &now), Vec::<String>::new(), "all Jobs are listed, and it is gone");
    now.coverage = model::Coverage::default();
    assert_eq!(lines(&KIND, &now), ["backoff-limit cronjob/grind Likely Active"]);
}

#[test]
fn what_is_over_or_long_ago_is_history() {
    let old = job("sift", "", GAVE_UP) + &at("2026-03-09T10:00:00Z");
    check(&KIND, &old, &[]);
    let better = "{succeeded: 1, conditions: [{type: Complete, status: 'True'}]}";
    let later = job("grind-2", "grind", better).replace("10:00:00Z, owner", "10:20:00Z, owner");
    let yaml = cron("", "{lastScheduleTime: 2026-03-01T10:20:00Z}")
        + &job("grind-1", "grind", GAVE_UP)
        + &later;
    check(&KIND, &yaml, &[]);
    let worse = yaml.replace(better, GAVE_UP);
    check(&KIND, &worse, &["backoff-limit cronjob/grind Likely Active"]);
}

#[test]
fn a_cron_job_that_starts_nothing() {
    let last = "{lastScheduleTime: 2026-03-01T10:00:00Z}";
    let now = at("2026-03-01T14:00:00Z");
    check(&KIND, &(cron("", last) + &at("2026-03-01T10:15:00Z")), &[]);
    let silent = "cron-too-many-missed cronjob/grind Possible Active";
    check(&KIND, &(cron("", last) + &now), &[silent]);
    let short = cron(", startingDeadlineSeconds: 5", last) + &now;
    check(&KIND, &short, &["cron-too-many-missed cronjob/grind Proven Active"]);
    check_gaps(&KIND, &short, &["cronjob/grind spec.startingDeadlineSeconds"]);
    for (reason, message) in [
        (
            "FailedNeedsStart",
            "Cannot determine if job needs to be started: too many missed start \
          time (> 100). Set or decrease .spec.startingDeadlineSeconds or check clock skew",
        ),
        (
            "TooManyMissedTimes",
            "too many missed start times: 101. Set or decrease \
          .spec.startingDeadlineSeconds or check clock skew",
        ),
    ] {
        let told = event("CronJob", "grind", reason, message, "2026-03-01T14:00:00Z");
        let proven = "cron-too-many-missed cronjob/grind Proven Active";
        check(&KIND, &(cron("", last) + &told), &[proven]);
        let again = "{lastScheduleTime: 2026-03-01T14:00:01Z}";
        check(&KIND, &(cron("", again) + &told), &[]);
    }
    let told = event(
        "CronJob",
        "grind",
        "UnparseableSchedule",
        "unparseable schedule: \"x\"",
        "2026-03-01T14:00:00Z",
    );
    check(&KIND, &(cron("", last) + &told), &["schedule-invalid cronjob/grind Proven Active"]);
}

#[test]
fn a_run_that_does_not_end_keeps_later_ones_from_starting() {
    let forbid = cron(
        ", concurrencyPolicy: Forbid",
        "{active: [{name: grind-1}], lastScheduleTime: 2026-03-01T10:00:00Z}",
    );
    let yaml = forbid + &job("grind-1", "grind", "{active: 1, startTime: 2026-03-01T10:00:00Z}");
    check(&KIND, &(yaml.clone() + &at("2026-03-01T10:15:00Z")), &[]);
    let hung = yaml + &at("2026-03-01T11:00:00Z");
    check(&KIND, &hung, &["concurrency-forbid cronjob/grind Likely Active"]);
    check_gaps(&KIND, &hung, &["cronjob/grind spec.jobTemplate.spec.activeDeadlineSeconds"]);
}

#[test]
fn a_suspended_cron_job_is_a_note_unless_somebody_misses_it() {
    let yaml = cron(", suspend: true", "{lastScheduleTime: 2026-03-01T10:00:00Z}")
        + &at("2026-03-01T14:00:00Z");
    check(&KIND, &yaml, &["cron-suspended cronjob/grind Proven Suspected"]);
    let never = cron(", suspend: true", "{}") + &at("2026-03-01T14:00:00Z");
    check(&KIND, &never, &[]);
    let mut now = snapshot(&yaml);
    assert_eq!(now.apps.iter().filter(|a| a.object.kind == Kind::CronJob).count(), 1);
    now.alerts.push(Alert {
        name: "BackupTooOld".into(),
        subjects: vec!["cronjob/grind".into()],
        text: "no flour for 4 h".into(),
        labels: Default::default(),
        since: None,
        document: 0,
    });
    assert_eq!(lines(&KIND, &now), ["cron-suspended cronjob/grind Proven Active"]);
}
