//! Jobs and CronJobs.

use serde_json::Value;

use super::{at, not_negative, one_of, pod};
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
    let template = format!("{path}.template.spec");
    let pods = at(spec, "/template/spec");
    causes.extend(pod::spec_rules(pods, &template));
    if field::text(pods, "/restartPolicy") == "Always" {
        let why = "valid values: \"OnFailure\", \"Never\"";
        causes.push(Cause::required_because(&format!("{template}.restartPolicy"), why));
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
    } else if let Some(why) = bad_schedule(text) {
        causes.push(Cause::invalid(PATH, schedule, &why));
    }
    if let Some(zone) = job.pointer("/spec/timeZone").and_then(Value::as_str)
        && !is_zone(zone)
    {
        let why = format!("unknown time zone {zone}");
        causes.push(Cause::invalid("spec.timeZone", &zone.into(), &why));
    }
    causes.extend(one_of(
        at(job, "/spec/concurrencyPolicy"),
        "spec.concurrencyPolicy",
        &["Allow", "Forbid", "Replace"],
    ));
    causes.extend(spec(at(job, "/spec/jobTemplate/spec"), "spec.jobTemplate.spec"));
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

fn bad_schedule(text: &str) -> Option<String> {
    if text.starts_with('@') {
        return None;
    }
    let fields: Vec<&str> = text.split_whitespace().collect();
    if fields.len() != 5 {
        let told = fields.join(" ");
        return Some(format!("expected exactly 5 fields, found {}: [{told}]", fields.len()));
    }
    None
}

/// Zones have a known area; the rest is not checked.
fn is_zone(zone: &str) -> bool {
    const AREAS: [&str; 11] = [
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
        "Etc",
    ];
    let area = zone.split('/').next().unwrap_or_default();
    AREAS.contains(&area) || !zone.contains('/')
}
