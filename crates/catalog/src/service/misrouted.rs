//! `service-misrouted`: a Service sends its traffic to where nobody listens, or its clients
//! use a port that it does not have.

use model::record::{Port, Service, ServicePort};
use model::{Act, Finding, Findings, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

mod client;
mod external;
mod locality;
mod policy;
mod readiness;
mod stale;
mod target;
pub(crate) mod traffic;

failure! {
    /// # A Service leads to the wrong port
    ///
    /// ## Signs
    /// All pods run and are ready, the Service has endpoints, and yet connections to it are
    /// refused or time out. No event says why: nothing in Kubernetes compares the ports of a
    /// Service with those of its pods.
    ///
    /// ## Why it happens
    /// Four numbers have to agree: the port the program listens on, the port of the container,
    /// the Service's `targetPort`, and the port its clients use, which is the Service's `port`.
    /// A target given by name has to be the name of a container's port, letter by letter; if
    /// no container has it, the pods are no endpoints of that port at all. Traffic also stops
    /// when the protocol differs (UDP, TCP), when a policy keeps it on nodes that run no pod
    /// of the Service, or when a network policy does not let the clients in, or does not let
    /// them ask for its name. A Service that only stands for another name (ExternalName) leads
    /// nowhere when that name is gone. And where endpoints stay as they were while pods come and
    /// go, nobody keeps them in step any more: look at the controller manager.
    ///
    /// ## What we do
    /// 1. Find out where the program listens: its settings, its probes, its declared ports.
    /// 2. Compare `targetPort` with that, and the clients' addresses with `port`.
    /// 3. Correct the one that differs, and connect once to see that it works.
    ///
    /// ## How to avoid it
    /// Name the ports of containers and let probes and Services use the names: then the number
    /// stands in one place. Test a connection through the Service in every rollout.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service", "Debug Services" and "Network Policies".
    id: "service-misrouted",
    mechanisms: {
        "target-port-wrong": "its target port is not the one its pods listen on",
        "port-name-unmatched": "no container has a port of the name it targets",
        "protocol-mismatch": "its protocol is not that of the port it targets",
        "port-mismatch-of-client": "a client uses a port that the Service does not have",
        "traffic-policy-local":
            "its traffic must stay on the node, and nodes with clients have no pod of it",
        "network-policy-blocks": "a network policy does not let its clients through",
        "external-name-wrong": "it stands for the name of a Service that does not exist",
        "endpoints-stale": "its endpoints are not the pods that are ready",
    },
    reads: [
        Service,
        Endpoints,
        EndpointSlice,
        Pod,
        Deployment,
        StatefulSet,
        DaemonSet,
        NetworkPolicy,
        Namespace,
        Event,
    ],
    leads_to: [
        "control-plane-degraded",
        "pod-crash-looping",
        "pod-probe-failing",
        "service-unreachable-by-client",
        "slo-burning",
        "workload-dependency-failing",
    ],
    detect: Services(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    target::detect(service, now, findings);
    client::detect(service, now, findings);
    locality::detect(service, now, findings);
    policy::detect(service, now, findings);
    external::detect(service, now, findings);
    stale::detect(service, now, findings);
}

/// Two numbers that have to be kept equal by hand will differ one day.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for service in now.services.iter().filter(|s| !s.selector.is_empty()) {
        for port in &service.ports {
            let Some(name) = name_of_target(service, port, now) else { continue };
            let target = port.target_port.clone().unwrap_or(Port::Number(port.port));
            gaps.push(Gap {
                failure: KIND.id,
                object: service.meta.object(Kind::Service),
                field: target_field(&port.name, port.port),
                why: format!("the number {target} stands in two places; its name is {name}"),
            });
        }
    }
}

/// The name that the pods give to the port whose number a Service targets.
fn name_of_target(service: &Service, port: &ServicePort, now: &Snapshot) -> Option<String> {
    let Some(Port::Number(number)) = &port.target_port else { return None };
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let mut ports = apps.iter().flat_map(|a| a.ports());
    let found = ports.find(|(name, n, _)| n == number && !name.is_empty());
    found.map(|(name, _, _)| name.to_owned())
}

/// The field of a Service's port, told by its name or else its number.
fn target_field(name: &str, number: u16) -> String {
    format!("{}.targetPort", port_field(name, number))
}

fn port_field(name: &str, number: u16) -> String {
    if name.is_empty() { format!("spec.ports[{number}]") } else { format!("spec.ports[{name}]") }
}

/// The place of a port in the Service's list, for a JSON patch.
fn port_index(service: &Service, field: &str) -> Option<usize> {
    service.ports.iter().position(|p| field.starts_with(&port_field(&p.name, p.port)))
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let mut next = Vec::new();
    let rule = || {
        let blocked = finding.mechanism == "network-policy-blocks";
        policy::patch(object, now).filter(|_| blocked)
    };
    if let Some(step) = patch_step(finding, now).or_else(rule) {
        next.push(step);
    } else {
        let undo = match object.kind {
            Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet => {
                format!("kubectl rollout undo {}", object.for_kubectl())
            }
            _ => format!("kubectl edit {}", object.for_kubectl()),
        };
        let what = match (&finding.field, &finding.expected) {
            (Some(field), Some(expected)) => format!("Set {field} to {expected}"),
            _ => format!("Correct {}", object.name),
        };
        next.push(Step::change(what, format!("kubectl edit {}", object.for_kubectl()), undo));
    }
    let service = finding.affected.iter().map(|a| &a.object).chain([object]);
    if let Some(service) = service.into_iter().find(|o| o.kind == Kind::Service) {
        next.push(Step::look(
            "See that it has endpoints with the right port",
            format!("kubectl get endpoints -n {} {}", service.namespace, service.name),
        ));
    }
    let do_not = match finding.mechanism {
        "endpoints-stale" => {
            "Do not edit the endpoints by hand: mend who keeps them, it overwrites them at once"
        }
        "network-policy-blocks" => {
            "Do not delete the policy: add the one rule that is missing, or everything is open"
        }
        _ => "Do not restart or scale the pods: they are well, the traffic does not find them",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

/// A patch of the one number that is wrong, where it is known what it should be.
fn patch_step(finding: &Finding, now: &Snapshot) -> Option<Step> {
    let object = &finding.object;
    let service = now.services.get(&object.namespace, &object.name)?;
    let (field, expected) = (finding.field.as_ref()?, finding.expected.as_ref()?);
    let word = |t: &str| -> Option<String> {
        let fine = !t.is_empty() && t.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let quoted = || format!("\"{t}\"");
        fine.then(|| t.parse::<u16>().map_or_else(|_| quoted(), |n| n.to_string()))
    };
    if object.kind != Kind::Service {
        return None;
    }
    if field == "spec.internalTrafficPolicy" {
        let patch = |value: &str| {
            let body = format!("{{\"spec\":{{\"internalTrafficPolicy\":\"{value}\"}}}}");
            format!("kubectl patch {} --type merge -p '{body}'", object.for_kubectl())
        };
        let what = "Let traffic leave the node";
        return Some(Step::change(what, patch("Cluster"), patch("Local")));
    }
    let index = port_index(service, field)?;
    let leaf = field.rsplit('.').next()?;
    let patch = |value: String| {
        let body = format!(
            "[{{\"op\":\"add\",\"path\":\"/spec/ports/{index}/{leaf}\",\"value\":{value}}}]"
        );
        format!("kubectl patch {} --type json -p '{body}'", object.for_kubectl())
    };
    let (new, old) = (word(expected)?, word(finding.value.as_ref()?)?);
    Some(Step::change(format!("Set {field} to {expected}"), patch(new), patch(old)))
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let service = now.services.get(&gap.object.namespace, &gap.object.name)?;
    let port = service.ports.get(port_index(service, &gap.field)?)?;
    let name = name_of_target(service, port, now)?;
    let body = format!("spec:\n  ports:\n  - port: {}\n    targetPort: {name}\n", port.port);
    Some(Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The target port of a Service is one number off.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = concat!(
    drill_deployment!(
        "drill-ledger",
        replicas: 2,
        container: "image: 'drill:1', env: [{name: PORT, value: '8080'}], \
                    ports: [{name: http, containerPort: 8080}]"
    ),
    drill_service!(
        "drill-ledger",
        selects: "drill-ledger",
        ports: "{name: http, port: 80, targetPort: 8081}"
    ),
);

#[cfg(test)]
mod tests;
