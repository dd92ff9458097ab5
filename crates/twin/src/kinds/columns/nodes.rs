//! Columns of nodes.

use model::Timestamp;
use serde_json::Value;

use super::{AGE, Columns, NAME, age, name, text, text_or, wide};
use crate::field;

pub(crate) const NODE: Columns = Columns::new(
    &[
        NAME,
        text("Status"),
        text("Roles"),
        AGE,
        text("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    cells,
);

const ROLE: &str = "node-role.kubernetes.io/";

fn cells(node: &Value, now: Timestamp) -> Vec<Value> {
    let info = |key: &str| text_or(node, &format!("/status/nodeInfo/{key}"), "<unknown>");
    vec![
        name(node),
        status(node).into(),
        roles(node).into(),
        age(node, now),
        text_or(node, "/status/nodeInfo/kubeletVersion", ""),
        address(node, "InternalIP").into(),
        address(node, "ExternalIP").into(),
        info("osImage"),
        kernel(node).into(),
        info("containerRuntimeVersion"),
    ]
}

/// The kernel's version with the architecture it runs on, where that is known.
fn kernel(node: &Value) -> String {
    let info = |key: &str| field::text(node, &format!("/status/nodeInfo/{key}")).to_owned();
    match (info("kernelVersion"), info("architecture")) {
        (version, _) if version.is_empty() => "<unknown>".into(),
        (version, architecture) if architecture.is_empty() => version,
        (version, architecture) => format!("{version} ({architecture})"),
    }
}

fn status(node: &Value) -> String {
    let mut status = match field::condition(node, "Ready").map(|c| field::text(c, "/status")) {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if field::flag(node, "/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> String {
    let labels = field::map(node, "/metadata/labels").into_iter().flatten();
    let role = |(key, value): (&'_ String, &'_ Value)| match key.as_str() {
        "kubernetes.io/role" => value.as_str().map(str::to_owned),
        key => key.strip_prefix(ROLE).map(str::to_owned),
    };
    let roles: Vec<_> = labels.filter_map(role).filter(|r| !r.is_empty()).collect();
    if roles.is_empty() { "<none>".into() } else { roles.join(",") }
}

fn address<'a>(node: &'a Value, kind: &str) -> &'a str {
    let mut all = field::list(node, "/status/addresses").iter();
    let found = all.find(|a| field::text(a, "/type") == kind);
    found.map_or("<none>", |a| field::text(a, "/address"))
}
