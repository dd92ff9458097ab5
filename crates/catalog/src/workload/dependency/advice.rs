//! What to do about a peer that does not serve, how it comes about, and how to practise it.

use model::{Act, Finding, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, Step};

use crate::dependency::settings;
use crate::wording::between;

const ID: &str = super::super::dependency_failing::KIND.id;

/// Addresses that lead to nobody, also where nobody has complained yet.
pub(in crate::workload) fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for c in settings::contradictions(now).into_iter().filter(|c| c.is_dangling) {
        gaps.push(Gap {
            failure: ID,
            object: c.app.object.clone(),
            field: super::by_setting::field(c.app, c.setting),
            why: c.why,
        });
    }
}

/// Which address was meant, only a person can know for certain: the finding names it.
pub(in crate::workload) fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

pub(in crate::workload) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let mut next = Vec::new();
    if let Some(decide) = &finding.decide {
        next.push(Step::look("See which side is wrong", decide.clone()));
    }
    match finding.mechanism {
        "dependency-address-wrong" | "dependency-port-wrong" => next.push(set(finding)),
        "credentials-rejected" | "credentials-missing" => next.push(credentials(finding)),
        "connections-exhausted" => {
            next.push(Step::look(
                "See who holds the connections: the workload with the most pods times its pool",
                format!("kubectl get pods -n {} -o wide", finding.object.namespace),
            ));
            next.push(Step::advice("Make the pools of the clients smaller, or allow more"));
        }
        "dependency-read-only" => {
            next.push(Step::look(
                "See why it takes no writes: a full disk, a failover, a setting",
                format!("kubectl logs {object} --tail=100"),
            ));
            next.push(edit(finding, "Let it write again once the reason is gone"));
        }
        "name-unresolved" => next.push(Step::look(
            "See whether cluster DNS runs and answers",
            "kubectl get pods -n kube-system -l k8s-app=kube-dns -o wide",
        )),
        "network-policy-blocks" => {
            let policy = finding.field.as_deref().unwrap_or("its rules");
            next.push(edit(finding, &format!("Add the one rule that is missing in {policy}")));
        }
        "certificate-rejected" => {
            next.push(Step::advice("Renew the certificate, or let the client trust its issuer"));
        }
        _ => next.push(Step::look("See how the peer does", format!("kubectl describe {object}"))),
    }
    let clients: Vec<String> = finding
        .affected
        .iter()
        .map(|a| &a.object)
        .filter(|o| **o != finding.object && now.app(o).is_some() && o.kind != Kind::Pod)
        .take(2)
        .map(|o| o.for_kubectl())
        .collect();
    for client in clients {
        next.push(Step::look(
            "Then see that its lines stop",
            format!("kubectl logs {client} --tail=20"),
        ));
    }
    Remedy { next, do_not: vec![do_not(finding.mechanism).into()] }
}

fn do_not(mechanism: &str) -> &'static str {
    match mechanism {
        "connections-exhausted" => {
            "Do not restart the store: all clients come back at once and take what there is"
        }
        "dependency-read-only" => {
            "Do not force it to write before you know which copy is the newest: data can part"
        }
        "credentials-rejected" | "credentials-missing" => {
            "Do not change the password on the peer: the clients that work would fail as well"
        }
        "network-policy-blocks" => {
            "Do not delete the policy: add the one rule that is missing, or everything is open"
        }
        "certificate-rejected" => "Do not switch the check off: then anybody can be the peer",
        "dependency-slow" => "Do not add clients or retries: a slow peer gets slower by them",
        _ => "Do not restart the clients: they will be told the same and find the same",
    }
}

fn edit(finding: &Finding, what: &str) -> Step {
    let object = finding.object.for_kubectl();
    let deployed = finding.object.kind == Kind::Deployment;
    Step {
        what: what.to_owned(),
        command: Some(format!("kubectl edit {object}")),
        risk: Risk::Disruptive,
        undo: deployed.then(|| format!("kubectl rollout undo {object}")),
    }
}

/// Sets the variable to the address that was probably meant.
fn set(finding: &Finding) -> Step {
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    let known = between(field, "env[", "]").filter(|_| !expected.contains(' '));
    let is_whole = finding.value.as_deref().is_some_and(|v| !v.contains("://"));
    match known.filter(|_| is_whole && !expected.is_empty()) {
        Some(name) if between(field, "ontainers[", "]").is_some() => {
            let object = finding.object.for_kubectl();
            let old = finding.value.as_deref().unwrap_or_default();
            // A host and its port may stand in two variables.
            let value = |v: &str| {
                let host = ["HOST", "HOSTNAME", "SERVER"].iter().any(|e| name.ends_with(e));
                if host { v.split(':').next().unwrap_or(v).to_owned() } else { v.to_owned() }
            };
            let (new, old) = (value(expected), value(old));
            if new == old {
                return edit(finding, &format!("Set the port of {name} to that of {expected}"));
            }
            Step::change(
                format!("Set {name} to {new}"),
                format!("kubectl set env {object} {name}={new}"),
                format!("kubectl set env {object} {name}={old}"),
            )
        }
        _ => edit(finding, &format!("Correct {field}: {expected}")),
    }
}

fn credentials(finding: &Finding) -> Step {
    let value = finding.value.as_deref().unwrap_or_default();
    let namespace = &finding.object.namespace;
    match value.strip_prefix("secret ") {
        Some(name) => {
            let name = name.split('/').next().unwrap_or(name);
            Step {
                what: format!("Compare Secret {name} with what the peer accepts, and correct it"),
                command: Some(format!("kubectl edit secret -n {namespace} {name}")),
                risk: Risk::Disruptive,
                undo: None,
            }
        }
        None => edit(finding, "Give it the credentials that its peer accepts"),
    }
}

pub(in crate::workload) fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload is told the address of a peer with a letter too many.",
        acts: vec![(10, Act::Apply(REHEARSAL))],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = concat!(
    drill_deployment!(
        "drill-stock",
        replicas: 1,
        container: "image: 'drill:1', ports: [{name: http, containerPort: 8080}]"
    ),
    drill_service!(
        "drill-stock",
        selects: "drill-stock",
        ports: "{name: http, port: 8080, targetPort: http}"
    ),
    drill_deployment!(
        "drill-basket",
        replicas: 1,
        container: "image: 'drill:1', env: [{name: STOCK_ADDR, value: 'drill-stocks:8080'}]"
    ),
);
