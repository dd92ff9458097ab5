//! Scheduler, controller manager, etcd and API server: what their units, pods and leases show.

use model::{App, Finding, Findings, Kind, ObjectRef, Snapshot};

use super::super::standing::{self, Down, Standing};
use super::{KIND, certainty, controllers, everybody};
use crate::evidence;
use crate::wording::{self, says};

/// Component, mechanism, and what everybody suffers from.
const COMPONENTS: [(&str, &str, &str); 4] = [
    ("kube-scheduler", "scheduler-down", "new pods get no node"),
    ("kube-controller-manager", "controller-manager-down", "nothing is made or replaced"),
    ("etcd", "etcd-down", "the API can neither read nor write"),
    ("kube-apiserver", "apiserver-down", "nothing in the cluster can be changed"),
];

pub(super) fn report(now: &Snapshot, findings: &mut Findings) {
    for (component, mechanism, effect) in COMPONENTS {
        let standing = standing::of(component, now);
        let mut idle = Vec::new();
        if component == "kube-controller-manager" && !matches!(standing, Standing::Works) {
            idle = controllers::untouched(now);
        }
        match standing {
            Standing::Down(down) => {
                let found = finding(component, mechanism, effect, down, now);
                findings.push(controllers::add(found, &idle));
            }
            Standing::Unseen if !idle.is_empty() => findings.push(controllers::missed(&idle)),
            _ => {}
        }
    }
}

fn finding(
    component: &str,
    mechanism: &'static str,
    effect: &str,
    down: Down<'_>,
    now: &Snapshot,
) -> Finding {
    let expired = expired(component, now);
    let mechanism = if expired.is_some() { "certificate-expired" } else { mechanism };
    let state = match (down.seen, down.nodes.as_slice()) {
        (true, []) => "is down".to_owned(),
        (true, nodes) => format!("is stopped on {}", nodes.join(", ")),
        (false, _) => "seems to be down".to_owned(),
    };
    let why = if expired.is_some() { " (a certificate has expired)" } else { "" };
    let headline = format!("{component} {state}{why}: {effect}");
    let mut found = Finding::new(KIND.id, mechanism, ObjectRef::component(component), headline)
        .field("process", if down.seen { "stopped" } else { "not seen" }, "running")
        .since(down.since.filter(|_| now.has_time))
        .evidence(expired)
        .evidence(down.evidence)
        .affects(everybody(), effect);
    for node in &down.nodes {
        found = found.affects(ObjectRef::new(Kind::Node, "", node), format!("{component} stopped"));
    }
    for pod in &down.pods {
        found = found.affects(pod.meta.object(Kind::Pod), "not ready");
    }
    if !down.seen {
        let look = format!("kubectl get pods,leases -n kube-system | grep {component}");
        found = found.unsure(certainty(false), &[], look);
    }
    found
}

/// What the component's log says of a certificate that has run out.
fn expired(component: &str, now: &Snapshot) -> Option<model::Evidence> {
    let own = |name: &str| name == component || name.starts_with(&format!("{component}-"));
    let logs = now.logs.iter().filter(|l| own(&l.name) || l.unit == component);
    let mut said = logs.filter_map(|log| {
        let line = log.lines.iter().rev().find(|l| says(l, wording::CERTIFICATE_EXPIRED))?;
        let value: String = line.chars().take(300).collect();
        Some(evidence::field(log.document, &ObjectRef::component(component), "log", value))
    });
    said.next()
}

/// Workloads in the namespace of the control plane.
pub(super) fn system_apps(now: &Snapshot) -> impl Iterator<Item = &App> {
    now.apps_in(standing::SYSTEM).iter()
}
