//! `lb-port-conflict`: two Services want one port of one load balancer.

use model::record::Service;
use model::{
    Act, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario, Snapshot, Step,
};

use super::balancer;
use crate::evidence;

failure! {
    /// # Two Services share a load balancer and want the same port
    ///
    /// ## Signs
    /// Two Services of type LoadBalancer name the same load balancer, ask for the same address
    /// or are served on the same nodes, and both have the same port. One of them stays
    /// `<pending>`, or clients of one reach the pods of the other.
    ///
    /// ## Why it happens
    /// A load balancer has each port once for each protocol. Where every Service gets one of its
    /// own that is enough. Where several share one, by an annotation that names it, by
    /// `loadBalancerIP`, or because a small cluster serves all of them on its nodes, the second
    /// Service that asks for port 80 either is refused or takes the port away from the first,
    /// depending on the cloud. UDP and TCP do not disturb each other.
    ///
    /// ## What we do
    /// 1. Find both Services: same load balancer, same port, same protocol.
    /// 2. Give the younger one another port, or a load balancer of its own.
    /// 3. Where both serve web sites, put an Ingress or a Gateway before them instead.
    ///
    /// Do not delete the older Service: its address and its clients go with it.
    ///
    /// ## How to avoid it
    /// Keep a list of ports for each shared load balancer, or share by an Ingress, which tells
    /// sites apart by name and not by port.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service"; MetalLB documentation, "IP address sharing".
    id: "lb-port-conflict",
    mechanisms: { "port-taken": "another Service has the port of their load balancer", },
    reads: [Service, DaemonSet, Event],
    leads_to: ["lb-pending", "service-unreachable-by-client"],
    detect: Services(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if !balancer::is_wanted(service) {
        return;
    }
    let others = now.services.iter().filter(|o| balancer::is_wanted(o));
    let earlier = others.filter(|o| precedes(o, service));
    for other in earlier {
        let same = balancer::same_ports(service, other);
        let Some(port) = same.first() else { continue };
        let Some(why) = balancer::shared(service, other, now) else { continue };
        return findings.push(finding(service, other, port.port, &why, now));
    }
}

/// Who was first keeps the port: the one with an address, then the older one.
fn precedes(a: &Service, b: &Service) -> bool {
    let key = |s: &Service| {
        (balancer::is_pending(s), s.meta.created, s.meta.namespace.clone(), s.meta.name.clone())
    };
    key(a) < key(b)
}

fn finding(service: &Service, other: &Service, port: u16, why: &str, now: &Snapshot) -> Finding {
    let (own, first) = (service.meta.object(Kind::Service), other.meta.object(Kind::Service));
    let headline =
        format!("Services {first} and {own} want port {port} of one load balancer: {why}");
    let field = format!("spec.ports[{port}].port");
    let mut finding = Finding::new(KIND.id, "port-taken", own.clone(), headline)
        .field(field.clone(), port.to_string(), format!("a port that {first} does not have"))
        .since(service.meta.created)
        .evidence([
            evidence::field(service.meta.source, &own, field.clone(), port.to_string()),
            evidence::field(other.meta.source, &first, field, port.to_string()),
        ])
        .affects(own, "is not reached from outside on this port")
        .impact(Impact { services: 1, ..Impact::default() });
    if let Some(event) = balancer::complaint(service, now) {
        return finding.evidence(evidence::event(event, now));
    }
    if !balancer::is_pending(service) {
        // Both have an address: which of them answers is up to the cloud.
        let look = format!("kubectl describe {}", finding.object.for_kubectl());
        finding = finding.unsure(Certainty::Likely, &[], look);
    }
    finding
}

/// Services that name a load balancer by hand share it, whatever their ports are today.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for service in now.services.iter().filter(|s| balancer::is_wanted(s)) {
        let mut others = now.services.iter().filter(|o| balancer::is_wanted(o));
        let address = &service.wanted_address;
        let shares = !address.is_empty()
            && others.any(|o| o.meta.name != service.meta.name && o.wanted_address == *address);
        if shares {
            gaps.push(Gap {
                failure: KIND.id,
                object: service.meta.object(Kind::Service),
                field: "spec.loadBalancerIP".into(),
                why: format!("address {address} is asked for by other Services, too"),
            });
        }
    }
}

/// Which of them gives way is for their owners to say.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let edit = format!("kubectl edit {}", finding.object.for_kubectl());
    let what = match (&finding.field, &finding.expected) {
        (Some(field), Some(expected)) => {
            format!("Set {field} to {expected}, or give it a load balancer of its own")
        }
        _ => "Give it another port".to_owned(),
    };
    Remedy {
        next: vec![
            Step::look(
                "See who has which address and port",
                "kubectl get services -A -o wide".to_owned(),
            ),
            Step::change(what, edit.clone(), edit),
        ],
        do_not: vec!["Do not delete the older Service: its clients and its address go too".into()],
    }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A second Service asks for the address and the port of the first.",
        acts: vec![(10, Act::Apply(FIRST)), (40, Act::Apply(SECOND))],
        found_within_seconds: 60,
    })
}

const FIRST: &str = "\
apiVersion: v1
kind: Service
metadata: {name: drill-east, namespace: shop}
spec:
  type: LoadBalancer
  loadBalancerIP: 192.0.2.10
  selector: {app: frontend}
  ports:
  - {port: 80, targetPort: 8080}
";

const SECOND: &str = "\
apiVersion: v1
kind: Service
metadata: {name: drill-west, namespace: shop}
spec:
  type: LoadBalancer
  loadBalancerIP: 192.0.2.10
  selector: {app: catalog}
  ports:
  - {port: 80, targetPort: 8080}
";

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check, check_gaps};

    fn service(name: &str, day: u32, meta: &str, spec: &str, points: &str) -> String {
        format!(
            "kind: Service\nmetadata: {{namespace: pier, name: {name}, \
             creationTimestamp: 2026-01-0{day}T00:00:00Z{meta}}}\n\
             spec: {{type: LoadBalancer, {spec}}}\n\
             status: {{loadBalancer: {{ingress: [{points}]}}}}\n---\n"
        )
    }

    const ID: &str = ", annotations: {kubernetes.io/elb.id: lb-7}";
    const WEB: &str = "ports: [{port: 80}]";

    #[test]
    fn the_younger_one_is_named() {
        let first = service("west", 1, ID, WEB, "{ip: 192.0.2.1}");
        let pending = first.clone() + &service("east", 2, ID, WEB, "");
        check(&KIND, &pending, &["port-taken svc/east Proven Active"]);
        let both = first + &service("east", 2, ID, WEB, "{ip: 192.0.2.1}");
        check(&KIND, &both, &["port-taken svc/east Likely Active"]);
        let asked = "loadBalancerIP: 192.0.2.9, ports: [{port: 443}]";
        let yaml =
            service("west", 1, "", asked, "{ip: 192.0.2.9}") + &service("east", 2, "", asked, "");
        check(&KIND, &yaml, &["port-taken svc/east Proven Active"]);
        check_gaps(&KIND, &yaml, &["svc/east spec.loadBalancerIP", "svc/west spec.loadBalancerIP"]);
    }

    #[test]
    fn nodes_that_serve_all_have_each_port_once() {
        let svclb = "kind: DaemonSet\n\
                     metadata: {namespace: kube-system, name: svclb-west-1a2b3c4d}\n\
                     spec: {template: {spec: {containers: [{name: main}]}}}\n";
        let yaml = service("west", 1, "", WEB, "{ip: 10.1.0.1}") + &service("east", 2, "", WEB, "");
        check(&KIND, &yaml, &[]);
        check(&KIND, &(yaml + svclb), &["port-taken svc/east Proven Active"]);
    }

    #[test]
    fn other_ports_protocols_and_balancers_do_not_disturb() {
        let first = service("west", 1, ID, WEB, "{ip: 192.0.2.1}");
        for (meta, spec) in [
            (ID, "ports: [{port: 81}]"),
            (ID, "ports: [{port: 80, protocol: UDP}]"),
            (", annotations: {kubernetes.io/elb.id: lb-8}", WEB),
            ("", WEB),
        ] {
            check(&KIND, &(first.clone() + &service("east", 2, meta, spec, "")), &[]);
        }
    }
}
