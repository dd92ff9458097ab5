//! The status that a kubelet posts for a pod.

use model::Timestamp;
use serde_json::{Value, json};

use super::kubelet::{ContainerRun, End, PodRun, State};
use crate::field;
use crate::kernel::fnv64;

/// Writes the kubelet's view of a pod into the object; what others put there stays.
pub(super) fn write(pod: &mut Value, run: &PodRun, host_ip: &str, now: Timestamp) {
    let creating =
        |c: &ContainerRun| matches!(c.state, State::Waiting { reason: "ContainerCreating", .. });
    // Before the first try of a container there is no sandbox, and so no address.
    let sandboxed = run.containers.iter().any(|c| !creating(c));
    let ready = run.containers.iter().all(|c| c.ready);
    let unready: Vec<_> =
        run.containers.iter().filter(|c| !c.ready).map(|c| c.name.as_str()).collect();
    let generation = field::number(pod, "/metadata/generation");
    let why = format!("containers with unready status: [{}]", unready.join(" "));
    let why = if ready { ("", "") } else { ("ContainersNotReady", why.as_str()) };
    for (kind, is, reason, message) in [
        ("PodReadyToStartContainers", sandboxed, "", ""),
        ("Initialized", true, "", ""),
        ("Ready", ready, why.0, why.1),
        ("ContainersReady", ready, why.0, why.1),
    ] {
        set_condition(pod, kind, if is { "True" } else { "False" }, (reason, message), now);
        if let Some(own) = condition_mut(pod, kind) {
            own["observedGeneration"] = generation.into();
        }
    }
    let containers: Vec<_> = run.containers.iter().map(|c| container(run, c)).collect();
    let status = field::child(pod, "status");
    status.insert("phase".into(), phase(run).into());
    status.insert("observedGeneration".into(), generation.into());
    status.insert("hostIP".into(), host_ip.into());
    status.insert("hostIPs".into(), json!([{"ip": host_ip}]));
    if let Some(at) = run.started_at {
        status.insert("startTime".into(), at.to_string().into());
    }
    if sandboxed {
        status.insert("podIP".into(), run.ip.clone().into());
        status.insert("podIPs".into(), json!([{"ip": run.ip}]));
    }
    status.insert("containerStatuses".into(), containers.into());
}

/// Running once a container was started; over when all ended for good.
fn phase(run: &PodRun) -> &'static str {
    let ends: Option<Vec<&End>> = run.containers.iter().map(ContainerRun::is_over).collect();
    let was_started =
        |c: &ContainerRun| c.last.is_some() || matches!(c.state, State::Running { .. });
    match ends {
        Some(ends) if ends.iter().all(|end| end.exit_code == 0) => "Succeeded",
        Some(_) => "Failed",
        None if run.containers.iter().all(was_started) => "Running",
        None => "Pending",
    }
}

fn container(run: &PodRun, container: &ContainerRun) -> Value {
    let id = |restart: i64| {
        let text = format!("{}{}{restart}", run.uid(), container.name);
        format!("containerd://{:016x}{:048x}", fnv64(text.as_bytes()), restart)
    };
    let end = |end: &End, restart: i64| {
        json!({"terminated": {
            "exitCode": end.exit_code, "reason": end.reason, "containerID": id(restart),
            "startedAt": end.started_at.to_string(), "finishedAt": end.finished_at.to_string(),
        }})
    };
    let mut told = json!({
        "name": container.name, "image": container.image, "imageID": "",
        "restartCount": container.restarts, "ready": container.ready,
        "started": container.started,
        "lastState": last(container).map_or(json!({}), |(l, restart)| end(l, restart)),
    });
    told["state"] = match &container.state {
        State::Waiting { reason, message, .. } if message.is_empty() => {
            json!({"waiting": {"reason": reason}})
        }
        State::Waiting { reason, message, .. } => {
            json!({"waiting": {"reason": reason, "message": message}})
        }
        State::Running { since } => json!({"running": {"startedAt": since.to_string()}}),
        State::Terminated(last) => end(last, container.restarts),
    };
    if container.last.is_some() || matches!(container.state, State::Running { .. }) {
        told["containerID"] = id(container.restarts).into();
        let digest = fnv64(container.image.as_bytes());
        let name = container.image.split(':').next().unwrap_or_default();
        told["imageID"] = format!("{name}@sha256:{digest:064x}").into();
    }
    told
}

/// How the container ended before its present state, and at which restart.
fn last(container: &ContainerRun) -> Option<(&End, i64)> {
    let last = container.last.as_ref()?;
    match container.state {
        State::Running { .. } => Some((last, container.restarts - 1)),
        State::Waiting { .. } => Some((last, container.restarts)),
        State::Terminated(_) => None,
    }
}

/// The condition of this type of any object.
pub(crate) fn condition_mut<'a>(object: &'a mut Value, kind: &str) -> Option<&'a mut Value> {
    let all = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    all.into_iter().flatten().find(|c| field::text(c, "/type") == kind)
}

/// Removes a condition of any object.
pub(crate) fn drop_condition(object: &mut Value, kind: &str) {
    if let Some(all) = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut) {
        all.retain(|condition| field::text(condition, "/type") != kind);
    }
}

/// Sets a condition of any object; its transition time moves only with its status.
pub(crate) fn set_condition(
    object: &mut Value,
    kind: &str,
    status: &str,
    (reason, message): (&str, &str),
    now: Timestamp,
) {
    let known = field::condition(object, kind);
    let since = known
        .filter(|c| field::text(c, "/status") == status)
        .map_or_else(|| now.to_string(), |c| field::text(c, "/lastTransitionTime").to_owned());
    let mut condition = known.cloned().unwrap_or_else(|| json!({"type": kind}));
    condition["status"] = status.into();
    condition["lastTransitionTime"] = since.into();
    for (key, text) in [("reason", reason), ("message", message)] {
        match (text, condition.as_object_mut()) {
            ("", Some(map)) => drop(map.remove(key)),
            (text, _) => condition[key] = text.into(),
        }
    }
    if condition.get("lastProbeTime").is_none() && object["kind"] == "Pod" {
        condition["lastProbeTime"] = Value::Null;
    }
    if let Some(slot) = condition_mut(object, kind) {
        *slot = condition;
        return;
    }
    let conditions = field::child(object, "status").entry("conditions").or_insert(json!([]));
    match conditions.as_array_mut() {
        Some(all) => all.push(condition),
        None => *conditions = json!([condition]),
    }
}
