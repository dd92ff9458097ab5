//! The status that a kubelet posts for a pod.

use model::Timestamp;
use serde_json::{Value, json};

use super::kubelet::{ContainerRun, End, PodRun, State};
use crate::field;
use crate::kernel::fnv64;

/// Writes the kubelet's view of a pod into the object; what others put there stays.
pub(super) fn write(pod: &mut Value, run: &PodRun, host_ip: &str, now: Timestamp) {
    let started = run.containers.iter().any(|c| !matches!(c.state, State::Waiting { .. }))
        || run.containers.iter().any(|c| c.last.is_some());
    let unready: Vec<_> =
        run.containers.iter().filter(|c| !c.ready).map(|c| c.name.as_str()).collect();
    let ready = unready.is_empty();
    let generation = field::number(pod, "/metadata/generation");
    let why = format!("containers with unready status: [{}]", unready.join(" "));
    let why = if ready { ("", "") } else { ("ContainersNotReady", why.as_str()) };
    for (kind, is, reason, message) in [
        ("PodReadyToStartContainers", started, "", ""),
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
    status.insert("phase".into(), if started { "Running" } else { "Pending" }.into());
    status.insert("observedGeneration".into(), generation.into());
    status.insert("hostIP".into(), host_ip.into());
    status.insert("hostIPs".into(), json!([{"ip": host_ip}]));
    if let Some(at) = run.started_at {
        status.insert("startTime".into(), at.to_string().into());
    }
    if started {
        status.insert("podIP".into(), run.ip.clone().into());
        status.insert("podIPs".into(), json!([{"ip": run.ip}]));
    }
    status.insert("containerStatuses".into(), containers.into());
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
        "started": matches!(container.state, State::Running { .. }),
        "lastState": container.last.as_ref().map_or(json!({}), |l| end(l, container.restarts - 1)),
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
    if !matches!(container.state, State::Waiting { reason: "ContainerCreating", .. }) {
        told["containerID"] = id(container.restarts).into();
        let digest = fnv64(container.image.as_bytes());
        let name = container.image.split(':').next().unwrap_or_default();
        told["imageID"] = format!("{name}@sha256:{digest:064x}").into();
    }
    told
}

fn condition_mut<'a>(object: &'a mut Value, kind: &str) -> Option<&'a mut Value> {
    let all = object.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
    all.into_iter().flatten().find(|c| field::text(c, "/type") == kind)
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
