//! Reads `kubectl describe` of every common kind, old and new layouts.
//!
//! What was printed as `<none>` is empty in the object, what was not printed is absent. It never
//! fills in defaults of the API.

mod config;
mod container;
mod control;
mod cut;
mod env;
mod events;
mod guess;
pub mod loose;
mod network;
mod node;
mod outline;
mod pod;
mod policy;
mod probe;
mod storage;
mod volume;
mod workload;

#[cfg(test)]
pub mod tests;

use super::Out;
use super::command::Command;
use super::lines::Line;
use super::shape::{object, put, put_some, some};
use super::time::rfc3339;
use outline::Section;
use serde_json::Value;

/// Reads the object that begins at the first of `lines`; returns how many lines it took.
pub fn read(
    lines: &[Line<'_>],
    command: Option<&Command>,
    namespace: Option<&str>,
    out: &mut Out<'_>,
) -> Option<usize> {
    let first = lines.first()?;
    let name = some(first.text.strip_prefix("Name:")?)?;
    let (mut kept, used) = cut::object_lines(lines);
    let asked = command.and_then(Command::kind).map(|k| k.kind);
    let guessed = guess::kind_of(Section { lines: &kept });
    // A description of a Role does not name its namespace and looks like one of a ClusterRole.
    let about_access = |k: &&str| k.ends_with("Role") || k.ends_with("RoleBinding");
    let access = guessed.filter(about_access).and(asked).filter(about_access);
    let Some(kind) = access.or(super::kinds::told(guessed, asked)) else {
        out.skipped(format!("a description of {name}, whose kind cannot be told"), first.number);
        return Some(used);
    };
    if ends_early(&kept, kind) {
        out.skipped(format!("the description of {kind} {name} ends early"), first.number);
        // The text may stop inside its last line.
        if used == lines.len() && kept.len() > 1 {
            kept.pop();
        }
    }
    let body = Section { lines: &kept };
    let named = body.some("Namespace").or(namespace);
    let mut value = object(kind, name, named);
    metadata(body, &mut value);
    let (extra, notes) = fill(kind, body, &mut value);
    let events = body.find(&["Events"]);
    if events.is_some() {
        put(&mut value, "eventsShown", true);
    }
    let about = events.map(|entry| events::events(entry, &value)).unwrap_or_default();
    out.object(value, first.number);
    for (line, value) in extra {
        out.object(value, line);
    }
    for (line, event) in about {
        match event {
            Some(event) => out.object(event, line),
            None => out.skipped("an event that cannot be told apart".to_owned(), line),
        }
    }
    for note in notes {
        note.send(out);
    }
    Some(used)
}

/// Whether a kind that always prints its events stops before them.
fn ends_early(lines: &[Line<'_>], kind: &str) -> bool {
    let prints_events = matches!(
        kind,
        "Pod"
            | "Node"
            | "Deployment"
            | "ReplicaSet"
            | "StatefulSet"
            | "DaemonSet"
            | "Job"
            | "CronJob"
            | "Service"
            | "Endpoints"
            | "PersistentVolumeClaim"
            | "PersistentVolume"
            | "StorageClass"
            | "Ingress"
            | "HorizontalPodAutoscaler"
    );
    prints_events && Section { lines }.find(&["Events"]).is_none()
}

fn metadata(body: Section<'_>, value: &mut Value) {
    for entry in body.entries() {
        match entry.key {
            "Labels" => put(value, "metadata.labels", entry.map()),
            "Annotations" => put(value, "metadata.annotations", entry.map()),
            "CreationTimestamp" | "Created" | "Created on" => {
                put_some(value, "metadata.creationTimestamp", rfc3339(entry.value));
            }
            "Finalizers" => {
                let list = entry.value.trim_matches(['[', ']']).split(' ');
                put(value, "metadata.finalizers", list.filter_map(some).collect::<Vec<_>>());
            }
            "Termination Grace Period" => {
                let seconds = super::time::age_seconds(entry.value);
                put_some(value, "metadata.deletionGracePeriodSeconds", seconds);
            }
            "Containers" | "Pod Template" | "Events" => break,
            _ => {}
        }
    }
}

/// A fact about other objects that a description states.
enum Note {
    Missing { kind: &'static str, name: String, namespace: Option<String>, line: u32 },
    Listed { kind: &'static str, namespace: String, line: u32 },
}

impl Note {
    fn send(self, out: &mut Out<'_>) {
        match self {
            Note::Missing { kind, name, namespace, line } => {
                out.missing(kind, namespace, &name, line);
            }
            Note::Listed { kind, namespace, line } => out.listed(kind, Some(namespace), line),
        }
    }
}

/// Fills the object; returns other objects and facts printed with it.
fn fill(kind: &str, body: Section<'_>, value: &mut Value) -> (Vec<(u32, Value)>, Vec<Note>) {
    let mut extra = Vec::new();
    let mut notes = Vec::new();
    let text = |value: &Value, pointer: &str| {
        value.pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    };
    let namespace = text(value, "/metadata/namespace");
    match kind {
        "Pod" => pod::pod(body, value),
        "Node" => extra = node::node(body, value),
        "Deployment"
        | "ReplicaSet"
        | "StatefulSet"
        | "DaemonSet"
        | "ReplicationController"
        | "Job"
        | "CronJob" => workload::workload(kind, body, value),
        "Service" => extra = network::service(body, value),
        "Endpoints" => network::endpoints(body, value),
        "EndpointSlice" => network::endpoint_slice(body, value),
        "Ingress" => {
            for absent in network::ingress(body, value) {
                let (kind, name, line) = (absent.kind, absent.name, absent.line);
                notes.push(Note::Missing { kind, name, namespace: namespace.clone(), line });
            }
        }
        "NetworkPolicy" => network::policy(body, value),
        "PersistentVolumeClaim" => storage::claim(body, value),
        "PersistentVolume" => storage::volume(body, value),
        "StorageClass" => storage::class(body, value),
        "ConfigMap" => config::config_map(body, value),
        "Secret" => config::secret(body, value),
        "IngressClass" => put_some(value, "spec.controller", body.some("Controller")),
        "ServiceAccount" => {
            config::service_account(body, value);
            for (line, name) in config::absent_secrets(body.lines) {
                let namespace = namespace.clone();
                notes.push(Note::Missing { kind: "Secret", name, namespace, line });
            }
        }
        "HorizontalPodAutoscaler" => policy::autoscaler(body, value),
        "PodDisruptionBudget" => policy::budget(body, value),
        "ResourceQuota" => policy::quota(body, value),
        "LimitRange" => policy::limit_range(body, value),
        "PriorityClass" => policy::priority_class(body, value),
        "Role" | "ClusterRole" => policy::role(body, value),
        "RoleBinding" | "ClusterRoleBinding" => policy::role_binding(body, value),
        "Namespace" => {
            let name = text(value, "/metadata/name").unwrap_or_default();
            let line = body.lines.first().map_or(0, |l| l.number);
            let found = policy::namespace(body, &name, value);
            extra = found.objects;
            for (shown, kind) in
                [(found.quotas_shown, "ResourceQuota"), (found.limits_shown, "LimitRange")]
            {
                if shown {
                    notes.push(Note::Listed { kind, namespace: name.clone(), line });
                }
            }
        }
        "Lease" => control::lease(body, value),
        "APIService" => control::api_service(body, value),
        "ValidatingWebhookConfiguration" | "MutatingWebhookConfiguration" => {
            control::webhooks(body, value);
        }
        "Event" => guess::event(body, value),
        _ => {}
    }
    (extra, notes)
}
