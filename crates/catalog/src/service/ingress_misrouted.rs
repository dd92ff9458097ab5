//! `ingress-misrouted`: a route into the cluster ends nowhere.

use model::record::Ingress;
use model::{
    Act, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Risk, Scenario, Snapshot, Step,
};

use super::ingress::{certificate, class, conflict, route, told};
use crate::evidence;

failure! {
    /// # An Ingress leads nowhere
    ///
    /// ## Signs
    /// The name answers with 404, with 503, with the wrong site or with a certificate made out
    /// to nobody ("Fake Certificate"), while the pods behind it run well. The Ingress has no
    /// address. `kubectl describe ingress` shows `<error: services "x" not found>`.
    ///
    /// ## Why it happens
    /// An Ingress holds only names: of a class, of Services, of their ports, of Secrets. The
    /// API takes any of them, whether they exist or not. A class that does not exist, or none
    /// at all where no class is the default, means that no controller takes the Ingress up,
    /// and none complains. A Service, or a port of it, that does not exist gives 503 for this
    /// one path. A Secret that does not exist gives the controller's own certificate, and
    /// browsers turn away. Where two Ingresses claim one host and path, the older one mostly
    /// wins, and the other is never asked.
    ///
    /// ## What we do
    /// 1. See whether the Ingress has an address. Without one nobody serves it: compare its
    ///    class with `kubectl get ingressclass`.
    /// 2. With one, compare each route with the Services of the same namespace and with the
    ///    ports of these Services (not of the pods). An Ingress reaches its own namespace only.
    /// 3. For a wrong certificate, see whether the Secret exists in the Ingress's namespace.
    ///
    /// Do not restart the controller: it serves what it is told, and all other sites with it.
    ///
    /// ## How to avoid it
    /// Name the class in every Ingress or make one class the default. Refer to ports by name.
    /// Let one template write the Service and its Ingress. Ask for each host from outside.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Ingress" and "Ingress Controllers".
    id: "ingress-misrouted",
    mechanisms: {
        "class-missing": "no controller takes it up, because its class does not exist",
        "backend-service-missing": "it leads to a Service that does not exist",
        "backend-port-missing": "it leads to a port that the Service does not have",
        "certificate-secret-missing": "the Secret with its certificate does not exist",
        "path-conflict": "another Ingress has the same host and path",
    },
    reads: [Ingress, IngressClass, Service, Secret, Certificate, Event],
    leads_to: ["service-unreachable-by-client", "slo-burning", "workload-dependency-failing"],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    for ingress in now.ingresses.iter() {
        class::detect(ingress, now, findings);
        route::detect(ingress, now, findings);
        certificate::detect(ingress, now, findings);
    }
    conflict::detect(now, findings);
    told::detect(now, findings);
}

/// A finding about an Ingress, with the Services behind it as those who suffer.
pub(super) fn finding(
    ingress: &Ingress,
    mechanism: &'static str,
    headline: String,
    at: [&str; 3],
) -> Finding {
    let object = ingress.meta.object(Kind::Ingress);
    let [field, value, expected] = at;
    let fact = evidence::field(ingress.meta.source, &object, field, value);
    Finding::new(KIND.id, mechanism, object, headline)
        .field(field, value, expected)
        .evidence([fact])
}

/// The only class, or the one that is the default.
fn usual_class(now: &Snapshot) -> Option<String> {
    let classes = || class::all(now);
    let default = classes().find(|c| class::is_default(c));
    let only = classes().next().filter(|_| classes().count() == 1);
    default.or(only).map(|c| c.meta.name.to_string())
}

/// An Ingress without a class is served only as long as some controller takes all.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for ingress in now.ingresses.iter() {
        let shown = ingress.meta.known.has(model::record::Known::SELECTOR);
        if shown && (ingress.class.is_empty() || ingress.class_annotated) {
            gaps.push(Gap {
                failure: KIND.id,
                object: ingress.meta.object(Kind::Ingress),
                field: "spec.ingressClassName".into(),
                why: "no class is named: which controller serves it, if any, is left open".into(),
            });
        }
    }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let ingress = now.ingresses.get(&gap.object.namespace, &gap.object.name)?;
    let annotated = ingress.class_annotated.then(|| ingress.class.to_string());
    let class = annotated.or_else(|| usual_class(now))?;
    let body = format!("spec:\n  ingressClassName: {class}\n");
    Some(Patch { object: gap.object.clone(), body })
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = &finding.object;
    let place = format!("-n {}", object.namespace);
    let mut next = Vec::new();
    match finding.mechanism {
        "class-missing" => {
            next.push(Step::look("See which classes there are", "kubectl get ingressclass"));
            if let Some(class) = usual_class(now).filter(|_| object.kind == Kind::Ingress) {
                next.push(set_class(object, &class, finding.value.as_deref()));
            }
        }
        "certificate-secret-missing" => {
            let secret = finding.value.as_deref().unwrap_or("NAME");
            next.push(Step::look(
                "See which Secrets with certificates there are",
                format!("kubectl get secrets {place} --field-selector type=kubernetes.io/tls"),
            ));
            next.push(Step::change(
                "Make the Secret from the certificate and its key",
                format!("kubectl create secret tls {secret} {place} --cert=FILE --key=FILE"),
                format!("kubectl delete secret {secret} {place}"),
            ));
        }
        "path-conflict" => {
            next.push(Step::look(
                "See who claims which host",
                "kubectl get ingress -A -o wide".to_owned(),
            ));
            next.push(edit(finding));
        }
        _ => {
            let look = format!("kubectl get services {place}");
            next.push(Step::look("See which Services and ports there are", look));
            next.push(edit(finding));
        }
    }
    Remedy {
        next,
        do_not: vec![
            "Do not restart the controller: it does what it is told, and serves all other sites"
                .into(),
        ],
    }
}

fn set_class(object: &ObjectRef, class: &str, old: Option<&str>) -> Step {
    let patch = |value: &str| {
        format!(
            "kubectl patch {} --type merge -p '{{\"spec\":{{\"ingressClassName\":{value}}}}}'",
            object.for_kubectl()
        )
    };
    let plain = |n: &&str| n.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'.'));
    let named = old.filter(plain).filter(|o| !o.is_empty());
    let old = named.map_or("null".to_owned(), |o| format!("\"{o}\""));
    Step::change(format!("Give it the class {class}"), patch(&format!("\"{class}\"")), patch(&old))
}

fn edit(finding: &Finding) -> Step {
    let what = match (&finding.field, &finding.expected) {
        (Some(field), Some(expected)) => format!("Set {field} to {expected}"),
        _ => "Correct the route".to_owned(),
    };
    let command = format!("kubectl edit {}", finding.object.for_kubectl());
    Step { what, command: Some(command.clone()), risk: Risk::Reversible, undo: Some(command) }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "An Ingress leads to a Service that was renamed.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 60,
    })
}

const REHEARSAL: &str = "\
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: drill}
spec: {controller: example.com/drill}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: drill-gate, namespace: shop}
spec:
  ingressClassName: drill
  rules:
  - host: drill.example.com
    http:
      paths:
      - path: /
        pathType: Prefix
        backend: {service: {name: drill-front, port: {number: 80}}}
";

#[cfg(test)]
mod tests;
