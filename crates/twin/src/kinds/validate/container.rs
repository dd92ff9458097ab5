//! Containers: names, images, ports, environment, mounts, resources, probes.

use serde_json::Value;

use super::{NOT_NEGATIVE, PORT_RANGE, at, duplicates, label_name, metadata, one_of};
use crate::field;
use crate::registry::Cause;

/// Resources of containers without a domain.
const STANDARD: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];
/// Fields that an environment variable may take its value from.
const FIELDS: [&str; 10] = [
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.serviceAccountName",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
    "metadata.labels",
];

/// What the containers of a pod's specification break.
pub(super) fn all(spec: &Value, path: &str) -> Vec<Cause> {
    let volumes: Vec<&str> =
        field::list(spec, "/volumes").iter().map(|v| field::text(v, "/name")).collect();
    let containers = field::list(spec, "/containers");
    let mut causes = Vec::new();
    if containers.is_empty() {
        causes.push(Cause::required(&format!("{path}.containers")));
    }
    for list in ["containers", "initContainers"] {
        let here = format!("{path}.{list}");
        let items = field::list(spec, &format!("/{list}"));
        for (index, container) in items.iter().enumerate() {
            causes.extend(one(container, &format!("{here}[{index}]"), &volumes));
        }
        causes.extend(duplicates(items, "name", &here));
    }
    causes
}

fn one(container: &Value, path: &str, volumes: &[&str]) -> Vec<Cause> {
    let here = |key: &str| format!("{path}.{key}");
    let mut causes: Vec<Cause> =
        label_name(at(container, "/name"), &here("name")).into_iter().collect();
    match field::text(container, "/image") {
        "" => causes.push(Cause::required(&here("image"))),
        image if image.trim() != image => {
            let why = "must not have leading or trailing whitespace";
            causes.push(Cause::invalid(&here("image"), &image.into(), why));
        }
        _ => {}
    }
    causes.extend(ports(container, path));
    causes.extend(environment(container, path));
    causes.extend(mounts(container, path, volumes));
    causes.extend(one_of(
        at(container, "/imagePullPolicy"),
        &here("imagePullPolicy"),
        &["Always", "IfNotPresent", "Never"],
    ));
    causes.extend(resources(at(container, "/resources"), &here("resources")));
    causes.extend(security(at(container, "/securityContext"), &here("securityContext")));
    for key in ["livenessProbe", "readinessProbe", "startupProbe"] {
        causes.extend(probe(container.get(key), &here(key)));
    }
    causes
}

fn ports(container: &Value, path: &str) -> Vec<Cause> {
    let list = field::list(container, "/ports");
    let mut causes = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for (index, port) in list.iter().enumerate() {
        let here = |key: &str| format!("{path}.ports[{index}].{key}");
        let name = field::text(port, "/name");
        let wrong = if name.is_empty() { Vec::new() } else { super::fields::port_name(name) };
        if !wrong.is_empty() {
            let told = wrong.iter().map(|why| Cause::invalid(&here("name"), &name.into(), why));
            causes.extend(told);
        } else if !name.is_empty() && names.contains(&name) {
            causes.push(Cause::duplicate(&here("name"), &name.into()));
        }
        names.push(name);
        match field::number(port, "/containerPort") {
            0 => causes.push(Cause::required(&here("containerPort"))),
            1..=65_535 => {}
            _ => causes.push(Cause::invalid(
                &here("containerPort"),
                at(port, "/containerPort"),
                PORT_RANGE,
            )),
        }
        if !(0..=65_535).contains(&field::number(port, "/hostPort")) {
            causes.push(Cause::invalid(&here("hostPort"), at(port, "/hostPort"), PORT_RANGE));
        }
        let known = ["SCTP", "TCP", "UDP"];
        causes.extend(one_of(at(port, "/protocol"), &here("protocol"), &known));
    }
    causes
}

fn environment(container: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, variable) in field::list(container, "/env").iter().enumerate() {
        let here = format!("{path}.env[{index}]");
        if field::text(variable, "/name").is_empty() {
            causes.push(Cause::required(&format!("{here}.name")));
        }
        let reference = at(variable, "/valueFrom/fieldRef");
        let wanted = field::text(reference, "/fieldPath");
        let known = FIELDS.contains(&wanted)
            || wanted.starts_with("metadata.labels['")
            || wanted.starts_with("metadata.annotations['");
        if reference.is_object() && !known {
            let why = format!("error converting fieldPath: field label not supported: {wanted}");
            let at = format!("{here}.valueFrom.fieldRef.fieldPath");
            causes.push(Cause::invalid(&at, &wanted.into(), &why));
        }
        let value = field::text(variable, "/value");
        if variable.get("valueFrom").is_some_and(Value::is_object) && !value.is_empty() {
            let why = "may not be specified when `value` is not empty";
            causes.push(Cause::invalid(&format!("{here}.valueFrom"), &"".into(), why));
        }
    }
    causes
}

fn mounts(container: &Value, path: &str, volumes: &[&str]) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut paths: Vec<&str> = Vec::new();
    for (index, mount) in field::list(container, "/volumeMounts").iter().enumerate() {
        let here = |key: &str| format!("{path}.volumeMounts[{index}].{key}");
        let name = field::text(mount, "/name");
        if name.is_empty() {
            causes.push(Cause::required(&here("name")));
        }
        match name {
            name if !volumes.contains(&name) => {
                causes.push(Cause::missing(&here("name"), &name.into()));
            }
            _ => {}
        }
        let target = field::text(mount, "/mountPath");
        if target.is_empty() {
            causes.push(Cause::required(&here("mountPath")));
        } else if paths.contains(&target) {
            let why = "must be unique";
            causes.push(Cause::invalid(&here("mountPath"), &target.into(), why));
        }
        paths.push(target);
    }
    causes
}

fn resources(resources: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for part in ["limits", "requests"] {
        for (name, amount) in field::map(resources, &format!("/{part}")).into_iter().flatten() {
            let here = format!("{path}.{part}[{name}]");
            causes.extend(resource_name(name, &here));
            let parsed = field::amount(Some(amount));
            if amount.as_str().is_some_and(|text| text.starts_with('-')) {
                causes.push(Cause::invalid(&here, amount, NOT_NEGATIVE));
            }
            let Some(limit) = resources["limits"].get(name).filter(|_| part == "requests") else {
                continue;
            };
            let told = limit.as_str().unwrap_or_default();
            let most = field::amount(Some(limit));
            let requests = format!("{path}.requests");
            if name.contains('/') && parsed != most {
                let why = format!("must be equal to {name} limit of {told}");
                causes.push(Cause::invalid(&requests, amount, &why));
            } else if parsed > most {
                let why = format!("must be less than or equal to {name} limit of {told}");
                causes.push(Cause::invalid(&requests, amount, &why));
            }
        }
    }
    causes
}

fn resource_name(name: &str, path: &str) -> Vec<Cause> {
    let mut causes: Vec<_> = metadata::qualified(name)
        .iter()
        .map(|why| Cause::invalid(path, &name.into(), why))
        .collect();
    if !name.contains('/') && !STANDARD.contains(&name) && !name.starts_with("hugepages-") {
        for why in [
            "must be a standard resource type or fully qualified",
            "must be a standard resource for containers",
        ] {
            causes.push(Cause::invalid(path, &name.into(), why));
        }
    }
    causes
}

fn security(context: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for key in ["runAsUser", "runAsGroup"] {
        let id = at(context, &format!("/{key}"));
        if id.as_i64().is_some_and(|id| !(0..=2_147_483_647).contains(&id)) {
            let why = "must be between 0 and 2147483647, inclusive";
            causes.push(Cause::invalid(&format!("{path}.{key}"), id, why));
        }
    }
    if field::flag(context, "/privileged") {
        let why = "disallowed by cluster policy";
        causes.push(Cause::forbidden(&format!("{path}.privileged"), why));
    }
    if context.get("allowPrivilegeEscalation") == Some(&Value::Bool(false)) {
        let mut refuse = |what: &str| {
            let told = super::internal("@core.SecurityContext", context);
            let why = format!("cannot set `allowPrivilegeEscalation` to false and {what}");
            let message = format!("Invalid value: {told}: {why}");
            causes.push(Cause::plain("FieldValueInvalid", path, message));
        };
        if field::flag(context, "/privileged") {
            refuse("`privileged` to true");
        }
        let added = field::list(context, "/capabilities/add").iter();
        added.filter(|name| *name == "CAP_SYS_ADMIN").for_each(|_| {
            refuse("`capabilities.Add` CAP_SYS_ADMIN");
        });
    }
    causes
}

fn probe(probe: Option<&Value>, path: &str) -> Vec<Cause> {
    let Some(probe) = probe.filter(|probe| probe.is_object()) else { return Vec::new() };
    let mut causes = Vec::new();
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    if handlers.iter().all(|key| probe.get(key).is_none()) {
        causes.push(Cause::required_because(path, "must specify a handler type"));
    }
    for key in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        let value = at(probe, &format!("/{key}"));
        if value.as_i64().is_some_and(|n| n < 0) {
            causes.push(Cause::invalid(&format!("{path}.{key}"), value, NOT_NEGATIVE));
        }
    }
    let once = field::number(probe, "/successThreshold") > 1 && !path.ends_with("readinessProbe");
    if once {
        let value = at(probe, "/successThreshold");
        causes.push(Cause::invalid(&format!("{path}.successThreshold"), value, "must be 1"));
    }
    causes
}
