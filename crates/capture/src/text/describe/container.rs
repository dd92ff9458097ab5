//! Containers in `describe`: what was asked for, and how they are.

use super::env;
use super::outline::{Entry, Section};
use super::probe::probe;
use crate::text::shape::{put, put_some, some, truth};
use crate::text::time::rfc3339;
use serde_json::{Value, json};

/// What a container is and how it is doing.
pub struct Container {
    /// For `spec.containers`.
    pub spec: Value,
    /// For `status.containerStatuses`, when a state was printed.
    pub status: Option<Value>,
}

/// The containers below `Containers:`.
pub fn containers(entry: Entry<'_>) -> Vec<Container> {
    entry.body.entries().filter(|e| !e.key.is_empty()).map(container).collect()
}

fn container(entry: Entry<'_>) -> Container {
    let mut spec = json!({"name": entry.key});
    let mut status = json!({"name": entry.key});
    let body = entry.body;
    let mut host_ports: Option<Entry<'_>> = None;
    for part in body.entries() {
        match part.key {
            "Image" => put(&mut spec, "image", part.value),
            "Port" | "Ports" => put(&mut spec, "ports", ports(part.value)),
            "Host Port" | "Host Ports" => host_ports = Some(part),
            "Command" => put(&mut spec, "command", words(part)),
            "Args" => put(&mut spec, "args", words(part)),
            "Limits" => put(&mut spec, "resources.limits", part.quantities()),
            "Requests" => put(&mut spec, "resources.requests", part.quantities()),
            "Liveness" => put(&mut spec, "livenessProbe", probe(part.value)),
            "Readiness" => put(&mut spec, "readinessProbe", probe(part.value)),
            "Startup" => put(&mut spec, "startupProbe", probe(part.value)),
            "Environment" | "Environment Variables" => put(&mut spec, "env", env::variables(part)),
            "Environment Variables from" => put(&mut spec, "envFrom", env::sources(part)),
            "Mounts" | "Volume Mounts" => put(&mut spec, "volumeMounts", mounts(part)),
            "Container ID" => put_some(&mut status, "containerID", some(part.value)),
            "Image ID" => put_some(&mut status, "imageID", some(part.value)),
            "State" => put(&mut status, "state", state(part)),
            "Last State" => put(&mut status, "lastState", state(part)),
            "Ready" => put_some(&mut status, "ready", truth(part.value)),
            "Restart Count" => {
                put_some(&mut status, "restartCount", part.value.parse::<u64>().ok())
            }
            _ => {}
        }
    }
    if let Some(entry) = host_ports {
        add_host_ports(&mut spec, entry.value);
    }
    if body.find(&["Environment", "Environment Variables"]).is_some() {
        fill_absent(&mut spec);
    }
    let image = spec.get("image").cloned();
    let status = status.get("state").is_some().then(|| {
        put_some(&mut status, "image", image);
        status
    });
    Container { spec, status }
}

/// The container was printed to its end, so what was not printed is not there.
fn fill_absent(spec: &mut Value) {
    for (path, empty) in [
        ("/resources/limits", json!({})),
        ("/resources/requests", json!({})),
        ("/command", json!([])),
        ("/args", json!([])),
        ("/livenessProbe", Value::Null),
        ("/readinessProbe", Value::Null),
        ("/startupProbe", Value::Null),
    ] {
        if spec.pointer(path).is_none() {
            put(spec, &path.trim_start_matches('/').replace('/', "."), empty);
        }
    }
}

/// `8080/TCP (http), 9090/TCP (metrics)`.
fn ports(text: &str) -> Value {
    let port = |text: &str| {
        let (number, rest) = some(text)?.split_once('/')?;
        let (protocol, name) = rest.split_once(' ').unwrap_or((rest, ""));
        let mut port =
            json!({"containerPort": number.parse::<u16>().ok()?, "protocol": protocol.trim()});
        let name = name.trim().trim_start_matches('(').trim_end_matches(')');
        match some(name) {
            Some(name) => put(&mut port, "name", name),
            // Many clients print no names: there may be one.
            None => put(&mut port, "nameHidden", true),
        }
        Some(port)
    };
    Value::from(text.split(',').filter_map(port).collect::<Vec<_>>())
}

/// Host ports stand in the order of the ports; 0 is none.
fn add_host_ports(spec: &mut Value, text: &str) {
    let Some(Value::Array(list)) = spec.get_mut("ports") else { return };
    for (port, host) in list.iter_mut().zip(text.split(',')) {
        let number = host.trim().split('/').next().and_then(|n| n.parse::<u16>().ok());
        put_some(port, "hostPort", number.filter(|n| *n > 0));
    }
}

/// Lines of a command. After `-c` comes one script, which may have several lines.
fn words(entry: Entry<'_>) -> Value {
    let mut words: Vec<String> = entry.values().take(1).map(str::to_owned).collect();
    if entry.value.is_empty() {
        words.clear();
        words.extend(entry.body.text().into_iter().map(std::borrow::Cow::into_owned));
    }
    if let Some(flag) = words.iter().position(|w| w == "-c" || w == "-ec")
        && words.len() > flag + 2
    {
        let script = words.split_off(flag + 1).join("\n");
        words.push(script);
    }
    Value::from(words)
}

fn state(entry: Entry<'_>) -> Value {
    let body = entry.body;
    match entry.value.split(' ').next().unwrap_or("") {
        "Running" => {
            let mut running = json!({});
            put_some(&mut running, "startedAt", date(body, "Started"));
            json!({"running": running})
        }
        "Waiting" => {
            let mut waiting = json!({});
            put_some(&mut waiting, "reason", body.some("Reason"));
            put_some(&mut waiting, "message", body.some("Message"));
            json!({"waiting": waiting})
        }
        "Terminated" => {
            let mut ended = json!({});
            put_some(&mut ended, "reason", body.some("Reason"));
            put_some(&mut ended, "message", body.some("Message"));
            let number = |key| body.some(key).and_then(|n| n.parse::<i64>().ok());
            put_some(&mut ended, "exitCode", number("Exit Code"));
            put_some(&mut ended, "signal", number("Signal"));
            put_some(&mut ended, "startedAt", date(body, "Started"));
            put_some(&mut ended, "finishedAt", date(body, "Finished"));
            json!({"terminated": ended})
        }
        _ => json!({}),
    }
}

fn date(body: Section<'_>, key: &str) -> Option<String> {
    rfc3339(body.some(key)?)
}

/// `/data from redis-data (rw,path="x")`.
fn mounts(entry: Entry<'_>) -> Value {
    let mount = |text: &str| {
        let (path, rest) = text.split_once(" from ")?;
        let (name, flags) = rest.split_once(' ').unwrap_or((rest, ""));
        let flags = flags.trim().trim_start_matches('(').trim_end_matches(')');
        let mut mount = json!({"name": name, "mountPath": path});
        put(&mut mount, "readOnly", flags.split(',').any(|f| f == "ro"));
        let sub = flags.split(',').find_map(|f| f.strip_prefix("path="));
        put_some(&mut mount, "subPath", sub.map(|s| s.trim_matches('"')));
        Some(mount)
    };
    Value::from(entry.values().filter_map(mount).collect::<Vec<_>>())
}
