//! `certificate-expiring`: a certificate is past its date, or nobody renews it.

use model::{Finding, Findings, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, Step};

use super::certificate::{issued, requests, told};

failure! {
    /// # A certificate is past its date, or will be
    ///
    /// ## Signs
    /// `x509: certificate has expired or is not yet valid: current time ... is after ...` in the
    /// logs of clients, in events, in what webhooks are told. Browsers warn. A Certificate of
    /// cert-manager is not Ready, or its renewal time has passed. Requests of kubelets stay
    /// Pending in `kubectl get csr`.
    ///
    /// ## Why it happens
    /// Every certificate has a last day. Somebody or something must have a new one issued before
    /// and hand it to whoever serves it. The chain breaks when nobody does it, when the issuer
    /// refuses, when a request waits for a person's approval, or when the program goes on with
    /// the old file until it is started anew. On that day all connections that check it fail at
    /// once, although nothing was changed. A clock that is wrong by days looks the same.
    ///
    /// ## What we do
    /// 1. Compare the two times in the message: is it the certificate or the clock?
    /// 2. Find who serves it: the host in the message, the Service, its workload, its Secret.
    /// 3. Have it issued anew; read why the issuer refused, or approve the request that waits
    ///    (only after a look at who asks for what).
    /// 4. Restart what reads its certificate only once.
    ///
    /// Do not switch the check off (`insecure-skip-tls-verify`): it stays off.
    ///
    /// ## How to avoid it
    /// Let one controller renew all certificates, at two thirds of their life. Alert two weeks
    /// before the last day, on the certificate as it is served and not on the file.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Certificate Management with kubeadm", "Certificates and
    /// Certificate Signing Requests"; cert-manager documentation, "Certificate resource".
    id: "certificate-expiring",
    mechanisms: {
        "certificate-expired": "it is past its last day",
        "clock-skew": "it is not valid yet, or a clock is wrong",
        "renewal-overdue": "it should have been renewed and was not",
        "issuing-failed": "its issuer does not issue it",
        "request-pending": "the request for it waits to be approved",
    },
    reads: [
        Certificate, CertificateSigningRequest, Secret, Ingress, Service, Pod, Deployment,
        StatefulSet, DaemonSet, Node, Event,
    ],
    leads_to: [
        "control-plane-degraded",
        "ingress-misrouted",
        "node-not-ready",
        "node-unknown",
        "pod-crash-looping",
        "pod-probe-failing",
        "pods-refused-at-admission",
        "service-unreachable-by-client",
        "webhook-deadlock",
        "workload-dependency-failing",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    for certificate in now.certificates.iter() {
        match certificate.kind {
            Kind::Certificate => issued::certificate(certificate, now, findings),
            _ => requests::request(certificate, now, findings),
        }
    }
    issued::secrets(now, findings);
    told::detect(now, findings);
}

/// A certificate that a person brings has to be brought again.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    if !now.coverage.lists_any(Kind::Certificate) {
        return;
    }
    for ingress in now.ingresses.iter() {
        let namespace = ingress.meta.namespace.as_str();
        for name in &ingress.certificates {
            let renewed = now.certificates.in_namespace(namespace).any(|c| c.secret == *name);
            if !renewed && now.named(Kind::Secret, namespace, name).is_some() {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: ingress.meta.object(Kind::Ingress),
                    field: format!("spec.tls[{name}].secretName"),
                    why: format!("no Certificate renews Secret {name}: a person has to"),
                });
            }
        }
    }
}

/// Which issuer is right for a name is for its owner to say.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = &finding.object;
    let mut next = Vec::new();
    match object.kind {
        Kind::CertificateSigningRequest => {
            next.push(Step::look(
                "See who asks for what",
                format!("kubectl describe csr {}", object.name),
            ));
            next.push(Step {
                what: "Approve it, when it is what the node should ask for".into(),
                command: Some(format!("kubectl certificate approve {}", object.name)),
                risk: Risk::Destructive,
                undo: None,
            });
        }
        Kind::Certificate => {
            next.push(Step::look(
                "Read why it is not issued",
                format!(
                    "kubectl describe {}; kubectl get certificaterequests,orders,challenges -n {}",
                    object.for_kubectl(),
                    object.namespace
                ),
            ));
        }
        Kind::Secret => {
            next.push(Step::look(
                "Read its dates",
                format!(
                    "kubectl get -n {} secret {} -o jsonpath='{{.data.tls\\.crt}}' | base64 -d | \
                     openssl x509 -noout -dates -subject",
                    object.namespace, object.name
                ),
            ));
            next.push(Step::advice("Have it issued anew and put it into the Secret"));
        }
        _ => {
            next.push(Step::look(
                "See what it serves",
                format!("kubectl describe {}", object.for_kubectl()),
            ));
            next.push(Step::advice("Have its certificate issued anew"));
        }
    }
    let app = [object]
        .into_iter()
        .chain(finding.affected.iter().map(|a| &a.object))
        .find(|o| matches!(o.kind, Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet));
    if let Some(app) = app.filter(|_| object.kind != Kind::CertificateSigningRequest) {
        next.push(Step {
            what: "Then restart what reads its certificate only once".into(),
            command: Some(format!("kubectl rollout restart {}", app.for_kubectl())),
            risk: Risk::Disruptive,
            undo: None,
        });
    }
    let do_not = match object.kind {
        Kind::CertificateSigningRequest => {
            "Do not approve all that waits at once: whoever is approved may act as that node"
        }
        _ => "Do not switch the check off in the clients: nobody switches it on again",
    };
    Remedy { next, do_not: vec![do_not.into()] }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The certificate of a Service inside of the cluster passes its last day.",
        acts: vec![(
            10,
            model::Act::Unmodelled(
                "clients of Service shop/catalog say that its certificate has expired",
            ),
        )],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests;
