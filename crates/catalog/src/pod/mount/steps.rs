//! What to do about a volume that cannot be had.

use model::{Finding, Kind, Remedy, Risk, Snapshot, Step};

use crate::pod::edit::namespace_option;

/// Steps for each mechanism.
pub(crate) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let value = finding.value.as_deref().unwrap_or_default();
    let mut do_not = vec![
        "Do not delete the claim or its volume to start anew: the data may go with it".to_owned(),
    ];
    let mut next = Vec::new();
    match finding.mechanism {
        "attach-conflict" => {
            next.extend(conflict(finding, &object));
            do_not.push(
                "Do not force the old pod away while its node may still run: two writers destroy \
                 a file system"
                    .into(),
            );
        }
        "driver-missing" => next.extend(driver(finding, value)),
        "network-storage-unreachable" => {
            let node = node_of(finding, now);
            let host = value.split(':').next().unwrap_or(value).trim_start_matches('/');
            next.push(Step::look(
                "Ask from the node whether the storage answers",
                format!("ssh {node} 'getent hosts {host}; nc -zv {host} 2049'"),
            ));
            next.push(Step::advice("Bring back the storage; the kubelet tries again by itself"));
            do_not.push(
                "Do not reboot nodes that hang on it: their other pods are lost, the storage stays \
                 away"
                    .into(),
            );
        }
        "device-missing" => {
            let node = node_of(finding, now);
            next.push(Step::look(
                "See what the node has there",
                format!("ssh {node} ls -ld {value}"),
            ));
            next.push(edit(finding, &object));
        }
        "attach-limit-reached" => {
            next.push(Step::look(
                "See which disks the node holds",
                format!("kubectl get volumeattachments | grep {}", finding.object.name),
            ));
            next.push(Step::change(
                "Let no more pods come to it",
                format!("kubectl cordon {}", finding.object.name),
                format!("kubectl uncordon {}", finding.object.name),
            ));
        }
        _ => {
            next.push(Step::look("See what it is made of", format!("kubectl describe {object}")));
            if finding.object.kind != Kind::PersistentVolume {
                next.push(edit(finding, &object));
            }
        }
    }
    Remedy { next, do_not }
}

fn edit(finding: &Finding, object: &str) -> Step {
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    Step {
        what: format!("Set {field}: {expected}"),
        command: Some(format!("kubectl edit {object}")),
        risk: Risk::Reversible,
        undo: None,
    }
}

fn conflict(finding: &Finding, object: &str) -> Vec<Step> {
    let namespace = namespace_option(&finding.object.namespace);
    let mut steps = vec![Step::look(
        "See which node holds the disk, and whether its pod is going",
        format!("kubectl get volumeattachments; kubectl get pods{namespace} -o wide"),
    )];
    let expected = finding.expected.as_deref().unwrap_or_default();
    match finding.field.as_deref().unwrap_or_default() {
        "spec.strategy.type" => steps.push(Step::change(
            "Let the old pod go before the new one comes",
            format!(
                "kubectl patch {object} -p \
                 '{{\"spec\":{{\"strategy\":{{\"type\":\"Recreate\",\"rollingUpdate\":null}}}}}}'"
            ),
            format!(
                "kubectl patch {object} -p \
                 '{{\"spec\":{{\"strategy\":{{\"type\":\"RollingUpdate\"}}}}}}'"
            ),
        )),
        "spec.replicas" => {
            let old = finding.value.as_deref().unwrap_or("2");
            steps.push(Step::change(
                "Run one pod until each has a claim of its own",
                format!("kubectl scale {object} --replicas=1"),
                format!("kubectl scale {object} --replicas={old}"),
            ));
        }
        _ => steps.push(Step::advice(format!("It needs: {expected}"))),
    }
    steps
}

fn driver(finding: &Finding, value: &str) -> Vec<Step> {
    let name = value.trim_start_matches("no ");
    let mut steps = vec![Step::look(
        format!("See on which nodes {name} is registered"),
        "kubectl get csinodes -o custom-columns=NODE:.metadata.name,DRIVERS:.spec.drivers[*].name",
    )];
    if finding.object.kind == Kind::DaemonSet {
        let object = finding.object.for_kubectl();
        steps.push(Step {
            what: "Start the driver's pods anew, so that they register again".into(),
            command: Some(format!("kubectl rollout restart {object}")),
            risk: Risk::Disruptive,
            undo: None,
        });
    } else {
        steps.push(Step::look(
            "See whether its pod runs on that node",
            "kubectl get pods -A -o wide | grep -i csi",
        ));
    }
    steps
}

/// The node of a pod that waits for it.
fn node_of(finding: &Finding, now: &Snapshot) -> String {
    let apps = finding.affected.iter().filter_map(|a| now.app(&a.object));
    let pods = apps.flat_map(|a| a.running().filter(|p| p.is_ready() != Some(true)));
    let mut nodes = pods.map(|p| p.node.to_string()).filter(|n| !n.is_empty());
    nodes.next().unwrap_or_else(|| "NODE".into())
}
