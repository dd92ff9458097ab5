//! Columns of pods; STATUS is the most telling reason among phase and container states.

use model::Timestamp;
use serde_json::Value;

use super::{AGE, Columns, NAME, age, name, since, text, text_or, wide};
use crate::field;

pub(crate) const POD: Columns = Columns::new(
    &[
        NAME,
        text("Ready"),
        text("Status"),
        text("Restarts"),
        AGE,
        wide("IP"),
        wide("Node"),
        wide("Nominated Node"),
        wide("Readiness Gates"),
    ],
    cells,
);

fn cells(pod: &Value, now: Timestamp) -> Vec<Value> {
    let statuses = field::list(pod, "/status/containerStatuses");
    let (sidecars, init) = (sidecars(pod), field::list(pod, "/status/initContainerStatuses"));
    let is_sidecar = |s: &&Value| sidecars.contains(&field::text(s, "/name"));
    let lasting: Vec<_> = init.iter().filter(is_sidecar).chain(statuses).collect();
    let ready = lasting.iter().filter(|s| runs(s) && field::flag(s, "/ready")).count();
    let total = field::list(pod, "/spec/containers").len() + sidecars.len();
    // While it initializes, a pod shows the restarts of what initializes it.
    let counted: Vec<_> = if initializing(pod).is_some() { init.iter().collect() } else { lasting };
    let ip = match field::text(pod, "/status/podIP") {
        "" => "<none>",
        ip => ip,
    };
    vec![
        name(pod),
        format!("{ready}/{total}").into(),
        status(pod).into(),
        restarts(&counted, now).into(),
        age(pod, now),
        ip.into(),
        text_or(pod, "/spec/nodeName", "<none>"),
        text_or(pod, "/status/nominatedNodeName", "<none>"),
        gates(pod).into(),
    ]
}

/// Init containers that go on running.
fn sidecars(pod: &Value) -> Vec<&str> {
    let init = field::list(pod, "/spec/initContainers").iter();
    let lasting = init.filter(|c| field::text(c, "/restartPolicy") == "Always");
    lasting.map(|c| field::text(c, "/name")).collect()
}

fn runs(status: &Value) -> bool {
    status.pointer("/state/running").is_some()
}

fn status(pod: &Value) -> String {
    let mut told = field::text(pod, "/status/phase").to_owned();
    if let Some(reason) = field::condition(pod, "PodScheduled")
        .filter(|c| field::text(c, "/reason") == "SchedulingGated")
    {
        told = field::text(reason, "/reason").to_owned();
    }
    if !field::text(pod, "/status/reason").is_empty() {
        told = field::text(pod, "/status/reason").to_owned();
    }
    match initializing(pod) {
        Some(init) => told = init,
        None => main_reason(pod, &mut told),
    }
    if field::is_deleting(pod) {
        let lost = field::text(pod, "/status/reason") == "NodeLost";
        told = if lost { "Unknown".into() } else { "Terminating".into() };
    }
    told
}

/// `Init:1/2` and the like, while init containers are at work.
fn initializing(pod: &Value) -> Option<String> {
    let statuses = field::list(pod, "/status/initContainerStatuses");
    for (i, status) in statuses.iter().enumerate() {
        let done = status.pointer("/state/terminated/exitCode").and_then(Value::as_i64) == Some(0);
        if done || (field::flag(status, "/started") && stays(pod, status)) {
            continue;
        }
        let waiting = field::text(status, "/state/waiting/reason");
        if status.pointer("/state/terminated").is_some() {
            return Some(format!("Init:{}", ended(status)));
        }
        if !matches!(waiting, "" | "PodInitializing") {
            return Some(format!("Init:{waiting}"));
        }
        return Some(format!("Init:{i}/{}", field::list(pod, "/spec/initContainers").len()));
    }
    None
}

/// Whether an init container is one that goes on beside the others.
fn stays(pod: &Value, status: &Value) -> bool {
    let name = field::text(status, "/name");
    let own = |c: &&Value| field::text(c, "/name") == name;
    let spec = field::list(pod, "/spec/initContainers").iter().find(own);
    spec.is_some_and(|c| field::text(c, "/restartPolicy") == "Always")
}

fn main_reason(pod: &Value, told: &mut String) {
    let mut running = false;
    for status in field::list(pod, "/status/containerStatuses").iter().rev() {
        let waiting = field::text(status, "/state/waiting/reason");
        if !waiting.is_empty() {
            *told = waiting.to_owned();
        } else if status.pointer("/state/terminated").is_some() {
            *told = ended(status);
        } else if field::flag(status, "/ready") && runs(status) {
            running = true;
        }
    }
    if told == "Completed" && running {
        let ready = field::condition_is(pod, "Ready", "True");
        *told = if ready { "Running".into() } else { "NotReady".into() };
    }
}

fn ended(status: &Value) -> String {
    let end = |key: &str| format!("/state/terminated/{key}");
    match field::text(status, &end("reason")) {
        "" => match field::number(status, &end("signal")) {
            0 => format!("ExitCode:{}", field::number(status, &end("exitCode"))),
            signal => format!("Signal:{signal}"),
        },
        reason => reason.to_owned(),
    }
}

fn restarts(statuses: &[&Value], now: Timestamp) -> String {
    let count: i64 = statuses.iter().map(|s| field::number(s, "/restartCount")).sum();
    let last = statuses
        .iter()
        .filter(|s| field::time(s, "/lastState/terminated/finishedAt").is_some())
        .max_by_key(|s| field::time(s, "/lastState/terminated/finishedAt"));
    match last.filter(|_| count > 0) {
        Some(last) => {
            format!("{count} ({} ago)", since(last, "/lastState/terminated/finishedAt", now))
        }
        None => count.to_string(),
    }
}

fn gates(pod: &Value) -> String {
    let gates = field::list(pod, "/spec/readinessGates");
    if gates.is_empty() {
        return "<none>".into();
    }
    let open = gates.iter().filter(|gate| {
        let condition = field::text(gate, "/conditionType");
        field::condition_is(pod, condition, "True")
    });
    format!("{}/{}", open.count(), gates.len())
}
