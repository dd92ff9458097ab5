//! Jobs and CronJobs.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::{at, not_negative, one_of, pod};
use crate::cron::{self, Schedule};
use crate::field;
use crate::registry::Cause;

pub(super) fn job(job: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let selector = at(job, "/spec/selector");
    if !field::flag(job, "/spec/manualSelector") && !selector.is_null() {
        let labels = field::map(job, "/spec/selector/matchLabels");
        if labels.is_none_or(|labels| labels.len() > 1) {
            let why = "`selector` not auto-generated";
            causes.push(Cause::invalid("spec.selector", selector, why));
        }
    }
    causes.extend(spec(at(job, "/spec"), "spec"));
    if selector.is_null() {
        causes.push(Cause::required("spec.selector"));
    }
    let labels = at(job, "/spec/template/metadata/labels");
    let template = serde_json::json!({"metadata": {"labels": labels}});
    if selector.is_null() || !crate::controllers::selects(selector, &template) {
        let why = "`selector` does not match template `labels`";
        causes.push(Cause::invalid("spec.template.metadata.labels", labels, why));
    }
    causes
}

fn spec(spec: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
    ] {
        let (pointer, path) = (format!("/{key}"), format!("{path}.{key}"));
        causes.extend(not_negative(spec, &[(&pointer, &path)]));
    }
    causes.extend(indexes(spec, path));
    let template = format!("{path}.template.spec");
    let pods = at(spec, "/template/spec");
    causes.extend(super::metadata::labels(
        at(spec, "/template/metadata/labels"),
        &format!("{path}.template.labels"),
    ));
    causes.extend(pod::spec_rules(pods, &template));
    let policy = field::text(pods, "/restartPolicy");
    if !matches!(policy, "" | "Always" | "OnFailure" | "Never") {
        let here = format!("{template}.restartPolicy");
        let all = ["Always", "OnFailure", "Never"];
        causes.push(Cause::unsupported(&here, &policy.into(), &all));
        causes.push(Cause::unsupported(&here, &policy.into(), &["OnFailure", "Never"]));
    }
    if matches!(policy, "Always" | "") {
        let why = "valid values: \"OnFailure\", \"Never\"";
        causes.push(Cause::required_because(&format!("{template}.restartPolicy"), why));
    }
    causes
}

/// What counted pods need and uncounted ones may not have.
fn indexes(spec: &Value, path: &str) -> Vec<Cause> {
    const MOST: i64 = 100_000;
    let number = |key: &str| at(spec, &format!("/{key}")).as_i64();
    let here = |key: &str| format!("{path}.{key}");
    let mut causes = Vec::new();
    if field::text(spec, "/completionMode") != "Indexed" {
        for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
            if let Some(n) = number(key).filter(|_| spec["completionMode"] == "NonIndexed") {
                let why = "requires indexed completion mode";
                causes.push(Cause::invalid(&here(key), &n.into(), why));
            }
        }
        return causes;
    }
    if number("completions").is_none() {
        let why = "when completion mode is Indexed";
        causes.push(Cause::required_because(&here("completions"), why));
    }
    if let Some(n) = number("parallelism").filter(|n| *n > MOST) {
        let why = format!("must be less than or equal to {MOST} when completion mode is Indexed");
        causes.push(Cause::invalid(&here("parallelism"), &n.into(), &why));
    }
    let many = number("completions").is_some_and(|n| n > MOST);
    if many && number("backoffLimitPerIndex").is_some() && number("maxFailedIndexes").is_none() {
        let why = format!("must be specified when completions is above {MOST}");
        causes.push(Cause::required_because(&here("maxFailedIndexes"), &why));
    }
    causes
}

pub(super) fn cron_job(job: &Value) -> Vec<Cause> {
    const PATH: &str = "spec.schedule";
    let mut causes = Vec::new();
    let schedule = at(job, "/spec/schedule");
    let text = schedule.as_str().unwrap_or_default();
    if text.is_empty() {
        causes.push(Cause::required(PATH));
    } else if text.contains("TZ=") {
        let why = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
        causes.push(Cause::invalid(PATH, schedule, why));
    } else if let Err(why) = Schedule::parse(text, TimeZone::UTC) {
        causes.push(Cause::invalid(PATH, schedule, &why));
    }
    if let Some(zone) = job.pointer("/spec/timeZone").and_then(Value::as_str)
        && cron::zone(zone).is_none()
    {
        let why = match zone {
            "" => "timeZone must be nil or non-empty string".to_owned(),
            zone => format!("unknown time zone {zone}"),
        };
        causes.push(Cause::invalid("spec.timeZone", &zone.into(), &why));
    }
    causes.extend(one_of(
        at(job, "/spec/concurrencyPolicy"),
        "spec.concurrencyPolicy",
        &["Allow", "Forbid", "Replace"],
    ));
    causes.extend(spec(at(job, "/spec/jobTemplate/spec"), "spec.jobTemplate.spec"));
    let name = field::name(job);
    if name.len() > 52 && job.pointer("/metadata/generation").and_then(Value::as_i64) == Some(1) {
        let why = "must be no more than 52 characters";
        causes.push(Cause::invalid("metadata.name", &name.into(), why));
    }
    causes.extend(not_negative(
        job,
        &[
            ("/spec/startingDeadlineSeconds", "spec.startingDeadlineSeconds"),
            ("/spec/successfulJobsHistoryLimit", "spec.successfulJobsHistoryLimit"),
            ("/spec/failedJobsHistoryLimit", "spec.failedJobsHistoryLimit"),
        ],
    ));
    causes
}
