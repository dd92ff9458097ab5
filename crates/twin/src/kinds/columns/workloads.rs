//! Columns of workloads.

use serde_json::Value;

use super::{
    AGE, Columns, NAME, age, containers, labels, name, number_or_text, selector, since, text,
    text_or, typed, wide,
};
use crate::field::{self, number};

const TEMPLATE: &str = "/spec/template/spec";

pub(crate) const DEPLOYMENT: Columns = Columns::new(
    &[
        NAME,
        text("Ready"),
        text("Up-to-date"),
        text("Available"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, TEMPLATE);
        vec![
            name(o),
            ready(o),
            number(o, "/status/updatedReplicas").into(),
            number(o, "/status/availableReplicas").into(),
            age(o, now),
            names,
            images,
            selector(o, "/spec/selector"),
        ]
    },
);

pub(crate) const REPLICA_SET: Columns = Columns::new(
    &[
        NAME,
        typed("Desired", "integer"),
        typed("Current", "integer"),
        typed("Ready", "integer"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, TEMPLATE);
        vec![
            name(o),
            number(o, "/spec/replicas").into(),
            number(o, "/status/replicas").into(),
            number(o, "/status/readyReplicas").into(),
            age(o, now),
            names,
            images,
            selector(o, "/spec/selector"),
        ]
    },
);

pub(crate) const STATEFUL_SET: Columns =
    Columns::new(&[NAME, text("Ready"), AGE, wide("Containers"), wide("Images")], |o, now| {
        let [names, images] = containers(o, TEMPLATE);
        vec![name(o), ready(o), age(o, now), names, images]
    });

pub(crate) const DAEMON_SET: Columns = Columns::new(
    &[
        NAME,
        typed("Desired", "integer"),
        typed("Current", "integer"),
        typed("Ready", "integer"),
        typed("Up-to-date", "integer"),
        typed("Available", "integer"),
        text("Node Selector"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, TEMPLATE);
        vec![
            name(o),
            number(o, "/status/desiredNumberScheduled").into(),
            number(o, "/status/currentNumberScheduled").into(),
            number(o, "/status/numberReady").into(),
            number(o, "/status/updatedNumberScheduled").into(),
            number(o, "/status/numberAvailable").into(),
            labels(o, "/spec/template/spec/nodeSelector"),
            age(o, now),
            names,
            images,
            selector(o, "/spec/selector"),
        ]
    },
);

pub(crate) const JOB: Columns = Columns::new(
    &[
        NAME,
        text("Status"),
        text("Completions"),
        text("Duration"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, TEMPLATE);
        let done = number(o, "/status/succeeded");
        let wanted = match o.pointer("/spec/completions").and_then(Value::as_i64) {
            Some(wanted) => format!("{done}/{wanted}"),
            None => format!("{done}/1"),
        };
        let duration = match field::time(o, "/status/startTime") {
            None => String::new(),
            Some(start) => {
                let end = field::time(o, "/status/completionTime").unwrap_or(now);
                model::duration_text(end.since(start))
            }
        };
        vec![
            name(o),
            job_status(o).into(),
            wanted.into(),
            duration.into(),
            age(o, now),
            names,
            images,
            selector(o, "/spec/selector"),
        ]
    },
);

pub(crate) const CRON_JOB: Columns = Columns::new(
    &[
        NAME,
        text("Schedule"),
        text("Timezone"),
        typed("Suspend", "boolean"),
        typed("Active", "integer"),
        text("Last Schedule"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, "/spec/jobTemplate/spec/template/spec");
        let last = match field::time(o, "/status/lastScheduleTime") {
            Some(_) => since(o, "/status/lastScheduleTime", now),
            None => "<none>".into(),
        };
        let suspended = if field::flag(o, "/spec/suspend") { "True" } else { "False" };
        vec![
            name(o),
            text_or(o, "/spec/schedule", ""),
            text_or(o, "/spec/timeZone", "<none>"),
            suspended.into(),
            field::list(o, "/status/active").len().into(),
            last.into(),
            age(o, now),
            names,
            images,
            selector(o, "/spec/jobTemplate/spec/selector"),
        ]
    },
);

pub(crate) const REVISION: Columns =
    Columns::new(&[NAME, text("Controller"), text("Revision"), AGE], |o, now| {
        let owner = field::controller(o).map_or("<none>".into(), |owner| {
            let kind = field::text(owner, "/kind").to_lowercase();
            let group = field::text(owner, "/apiVersion").split_once('/');
            let group = group.map(|(group, _)| format!(".{group}")).unwrap_or_default();
            format!("{kind}{group}/{}", field::text(owner, "/name"))
        });
        vec![name(o), owner.into(), number(o, "/revision").into(), age(o, now)]
    });

pub(crate) const POD_TEMPLATE: Columns =
    Columns::new(&[NAME, text("Containers"), text("Images"), text("Pod Labels")], |o, _| {
        let [names, images] = containers(o, "/template/spec");
        vec![name(o), names, images, labels(o, "/template/metadata/labels")]
    });

pub(crate) const AUTOSCALER: Columns = Columns::new(
    &[
        NAME,
        text("Reference"),
        text("Targets"),
        text("MinPods"),
        text("MaxPods"),
        text("Replicas"),
        AGE,
    ],
    |o, now| {
        let target = "/spec/scaleTargetRef";
        let reference = format!(
            "{}/{}",
            field::text(o, &format!("{target}/kind")),
            field::text(o, &format!("{target}/name"))
        );
        vec![
            name(o),
            reference.into(),
            targets(o).into(),
            number_or_text(o, "/spec/minReplicas", "<unset>"),
            number(o, "/spec/maxReplicas").into(),
            number(o, "/status/currentReplicas").into(),
            age(o, now),
        ]
    },
);

/// `cpu: 41%/80%` for resource metrics; other types by their name.
fn targets(autoscaler: &Value) -> String {
    let current = field::list(autoscaler, "/status/currentMetrics");
    let told = field::list(autoscaler, "/spec/metrics").iter().enumerate().map(|(i, metric)| {
        let now = current.get(i).unwrap_or(&Value::Null);
        let kind = field::text(metric, "/type");
        if kind != "Resource" && kind != "ContainerResource" {
            return outside(kind, metric, now);
        }
        let resource = field::text(metric, "/resource/name");
        let read = |from: &Value, side: &str| -> Option<String> {
            let share = from.pointer(&format!("/resource/{side}/averageUtilization"));
            let value = from.pointer(&format!("/resource/{side}/averageValue"));
            share.map(|n| format!("{n}%")).or(value.and_then(Value::as_str).map(str::to_owned))
        };
        let unknown = || "<unknown>".to_owned();
        format!(
            "{resource}: {}/{}",
            read(now, "current").unwrap_or_else(unknown),
            read(metric, "target").unwrap_or_else(unknown)
        )
    });
    let told: Vec<_> = told.collect();
    if told.is_empty() { "<none>".into() } else { told.join(", ") }
}

/// Metrics that are no resources have no name in the column.
fn outside(kind: &str, metric: &Value, now: &Value) -> String {
    let key = kind.to_lowercase();
    let read = |from: &Value, side: &str| -> Option<(String, bool)> {
        let value = |name: &str| from.pointer(&format!("/{key}/{side}/{name}")).cloned();
        let plain = value("value").map(|v| (v, false));
        let (found, average) = plain.or_else(|| value("averageValue").map(|v| (v, true)))?;
        Some((found.as_str().map_or_else(|| found.to_string(), str::to_owned), average))
    };
    let unknown = || "<unknown>".to_owned();
    let current = read(now, "current").map_or_else(unknown, |(text, _)| text);
    match read(metric, "target") {
        Some((wanted, true)) if key != "pods" => format!("{current}/{wanted} (avg)"),
        Some((wanted, _)) => format!("{current}/{wanted}"),
        None => "<unknown type>".to_owned(),
    }
}

fn ready(object: &Value) -> Value {
    let wanted = number(object, "/spec/replicas");
    format!("{}/{wanted}", number(object, "/status/readyReplicas")).into()
}

fn job_status(job: &Value) -> &'static str {
    let is = |kind| field::condition_is(job, kind, "True");
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if field::is_deleting(job) => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

pub(crate) const REPLICATION_CONTROLLER: Columns = Columns::new(
    &[
        NAME,
        typed("Desired", "integer"),
        typed("Current", "integer"),
        typed("Ready", "integer"),
        AGE,
        wide("Containers"),
        wide("Images"),
        wide("Selector"),
    ],
    |o, now| {
        let [names, images] = containers(o, "/spec/template/spec");
        vec![
            name(o),
            field::number(o, "/spec/replicas").into(),
            field::number(o, "/status/replicas").into(),
            field::number(o, "/status/readyReplicas").into(),
            age(o, now),
            names,
            images,
            labels(o, "/spec/selector"),
        ]
    },
);
