//! `readiness-missing`: traffic goes to pods of which nobody knows whether they serve.

use model::record::{Known, Port};
use model::{App, Gap, Patch, Scenario, Snapshot};

use super::audit;
use crate::pod::edit;
use crate::wording::between;

failure! {
    /// # Pods behind a Service without a readiness probe
    ///
    /// ## Signs
    /// A Service leads to pods none of whose containers has a readiness probe. At each rollout
    /// or restart, callers see connections refused for some seconds.
    ///
    /// ## Why it happens
    /// Without a readiness probe a pod counts as ready as soon as its containers run, before
    /// the program listens. It gets traffic at once, and a rolling update goes on at once: a
    /// revision that never serves replaces all pods in a minute.
    ///
    /// ## What we do
    /// 1. Add a readiness probe of the port the Service leads to, at best of a path that says
    ///    whether the program can work.
    /// 2. It must not ask after peers: when one of them is down, all pods would be unready.
    ///
    /// ## How to avoid it
    /// Make the probe part of the template. A readiness probe never restarts a container;
    /// that is what liveness probes do.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
    id: "readiness-missing",
    mechanisms: {
        "readiness-missing": "nothing tells when its pods can serve",
    },
    reads: [Deployment, StatefulSet, Service],
    leads_to: ["deployment-rollout-failing", "service-refused"],
    detect: ExposedApps(lacks),
    exposed: exposed,
    remedy: audit::remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    now.apps.iter().for_each(|app| lacks(app, now, gaps));
}

/// What one workload lacks.
fn lacks(app: &App, now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !audit::is_app(app) {
        return;
    }
    let Some(service) = now.services_of(app).into_iter().next() else { return };
    let Some(spec) = app.spec().filter(|_| app.shows_spec()) else { return };
    if spec.containers.iter().any(|c| c.readiness_probe.is_some()) {
        return;
    }
    let serving = target(app, now).map(|(container, _)| container);
    let first = || spec.containers.first().map(|c| c.name.to_string());
    let Some(container) = serving.or_else(first) else { return };
    let field = edit::container_field(app, &container, "readinessProbe");
    let why = format!("Service {} sends it traffic before it listens", service.name);
    gaps.push(audit::gap(KIND.id, app, field, why));
}

/// The container and the port that its Service leads to.
fn target(app: &App, now: &Snapshot) -> Option<(String, u16)> {
    let service = now.services_of(app).into_iter().next()?;
    let service = now.services.get(&service.namespace, &service.name)?;
    let shown = service.meta.known.has(Known::SPEC);
    let port = service.ports.first().filter(|_| shown)?;
    let number = match &port.target_port {
        None | Some(Port::Number(0)) => port.port,
        Some(other) => app.resolve_port(other)?,
    };
    let spec = app.spec()?;
    let listens =
        spec.containers.iter().find(|c| c.ports.iter().any(|p| p.container_port == number));
    let container = listens.or(spec.containers.first().filter(|_| spec.containers.len() == 1))?;
    Some((container.name.to_string(), number))
}

/// That the port takes connections is the least that says it serves.
fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let name = between(&gap.field, "ontainers[", "]")?;
    let (container, port) = target(now.app(&gap.object)?, now)?;
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {container}\n        \
         readinessProbe:\n          tcpSocket:\n            port: {port}\n          \
         periodSeconds: 5\n"
    );
    (container == name).then(|| Patch { object: gap.object.clone(), body })
}

/// Nothing happens by itself.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, snapshot};
    use model::{Gap, Kind, ObjectRef};

    fn yaml(probe: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: dock, name: buoy, creationTimestamp: \
             2026-01-01T00:00:00Z}}\nspec: {{replicas: 2, template: {{metadata: {{labels: {{app: \
             buoy}}}}, spec: {{containers: [{{name: main, ports: [{{name: web, containerPort: \
             8080}}]{probe}}}]}}}}}}\n---\nkind: Service\nmetadata: {{namespace: dock, name: buoy, \
             creationTimestamp: 2026-01-01T00:00:00Z}}\nspec: {{selector: {{app: buoy}}, ports: \
             [{{port: 80, targetPort: web}}]}}\n"
        )
    }

    #[test]
    fn traffic_without_a_readiness_probe_is_a_gap() {
        let field = "spec.template.spec.containers[main].readinessProbe";
        check_gaps(&KIND, &yaml(""), &[&format!("deploy/buoy {field}")]);
        let alive = yaml(", livenessProbe: {tcpSocket: {port: 8080}}");
        check_gaps(&KIND, &alive, &[&format!("deploy/buoy {field}")]);
        check_gaps(&KIND, &yaml(", readinessProbe: {tcpSocket: {port: 8080}}"), &[]);
        let object = ObjectRef::new(Kind::Deployment, "dock", "buoy");
        let gap = Gap { failure: KIND.id, object, field: field.into(), why: String::new() };
        let patch = (KIND.prevent)(&gap, &snapshot(&yaml(""))).expect("a patch");
        assert!(patch.body.contains("port: 8080"), "{}", patch.body);
    }
}
