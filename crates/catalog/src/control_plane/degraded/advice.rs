//! What to do about a part of the control plane that is down, and how to practise it.

use model::{Act, Finding, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, Step};

use super::super::name_server;
use super::KIND;

/// Commands with the real names, and what makes it worse.
pub(super) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let next = match finding.mechanism {
        "dns-down" => names(finding, now),
        "proxy-down" => proxy(finding),
        "metrics-down" | "extension-api-down" => extension(finding),
        "certificate-expired" => certificates(finding),
        "etcd-slow" | "etcd-full" => store(finding),
        "apiserver-overloaded" => busy(),
        _ => process(finding),
    };
    let warning = match finding.mechanism {
        "dns-down" => "Do not restart the workloads: they fail again until names are answered",
        "proxy-down" => "Do not restart the Services' pods: their new addresses are not learned",
        "metrics-down" | "extension-api-down" => {
            "Do not delete the APIService of an API you need: its objects become unreachable"
        }
        "etcd-slow" | "etcd-full" | "etcd-down" => {
            "Do not restart etcd members one after the other: without a majority nothing works"
        }
        "apiserver-overloaded" => {
            "Do not restart the API server: all clients list everything again at once"
        }
        _ => "Do not delete pods or workloads meanwhile: what is deleted now is not made again",
    };
    Remedy { next, do_not: vec![warning.into()] }
}

/// The machine on which the unit was seen stopped.
fn machine(finding: &Finding) -> Option<&str> {
    let nodes = finding.affected.iter().filter(|a| a.object.kind == Kind::Node);
    nodes.map(|a| a.object.name.as_str()).next()
}

fn start(unit: &str, node: &str) -> Step {
    Step::change(
        format!("Start {unit} again on {node}"),
        format!("ssh {node} sudo systemctl start {unit}"),
        format!("ssh {node} sudo systemctl stop {unit}"),
    )
}

fn scale_back(finding: &Finding, replicas: u32) -> Option<Step> {
    let object = finding.object.for_kubectl();
    (finding.field.as_deref() == Some("spec.replicas")).then(|| {
        Step::change(
            "Give it its replicas back",
            format!("kubectl scale {object} --replicas={replicas}"),
            format!("kubectl scale {object} --replicas=0"),
        )
    })
}

fn names(finding: &Finding, now: &Snapshot) -> Vec<Step> {
    let object = finding.object.for_kubectl();
    if let Some(step) = scale_back(finding, 2) {
        return vec![step];
    }
    let check = Step::look(
        "See whether a name is answered",
        "kubectl run names --rm -it --restart=Never --image=busybox:1.36 -- nslookup \
         kubernetes.default",
    );
    match finding.object.kind {
        Kind::ConfigMap => {
            let app = name_server::apps(now).first().map(|a| a.object.for_kubectl());
            let app = app.unwrap_or_else(|| "-n kube-system deploy/coredns".into());
            vec![
                Step::advice(format!("Correct the Corefile: kubectl edit {object}")),
                Step {
                    what: "Let the name server read it now".into(),
                    command: Some(format!("kubectl rollout restart {app}")),
                    risk: Risk::Disruptive,
                    undo: None,
                },
                check,
            ]
        }
        Kind::Service => vec![
            Step::look("See the Service", format!("kubectl get {object} -o yaml")),
            Step::advice(format!("Correct its selector: kubectl edit {object}")),
            check,
        ],
        Kind::Component => vec![
            Step::look(
                "See whether the name server runs",
                "kubectl get deployment,pods,endpoints -n kube-system -l k8s-app=kube-dns",
            ),
            check,
        ],
        _ => vec![
            Step::look("See why its pods are not ready", format!("kubectl describe {object}")),
            Step::look("And what they say", format!("kubectl logs {object} --tail=50")),
            check,
        ],
    }
}

fn proxy(finding: &Finding) -> Vec<Step> {
    let object = finding.object.for_kubectl();
    if finding.field.as_deref().is_some_and(|f| f.ends_with("nodeSelector")) {
        return vec![Step::advice(format!("Correct the node selector: kubectl edit {object}"))];
    }
    let nodes = finding.affected.iter().filter(|a| a.object.kind == Kind::Node);
    let nodes: Vec<&str> = nodes.map(|a| a.object.name.as_str()).collect();
    if finding.object.kind == Kind::Component {
        return nodes.iter().map(|n| start("kube-proxy", n)).collect();
    }
    vec![
        Step::look("See why its pods are not ready", format!("kubectl describe {object}")),
        Step::look("And what they say", format!("kubectl logs {object} --tail=50")),
    ]
}

fn extension(finding: &Finding) -> Vec<Step> {
    let object = finding.object.for_kubectl();
    if let Some(step) = scale_back(finding, 1) {
        return vec![step];
    }
    let service = finding.value.as_deref().and_then(|v| v.split_once('/'));
    let mut steps = vec![Step::look("See what it says", format!("kubectl describe {object}"))];
    match (finding.object.kind, service) {
        (Kind::APIService, Some((namespace, name))) => steps.push(Step::look(
            "See the Service that must answer for it",
            format!("kubectl get service,endpoints -n {namespace} {name}"),
        )),
        (Kind::Component, _) => {
            steps = vec![Step::look(
                "See who answers for the metrics API",
                "kubectl get apiservice v1beta1.metrics.k8s.io -o yaml",
            )]
        }
        _ => steps
            .push(Step::look("And what its pods say", format!("kubectl logs {object} --tail=50"))),
    }
    steps
}

fn certificates(finding: &Finding) -> Vec<Step> {
    vec![
        Step::look("See which certificates have run out", "sudo kubeadm certs check-expiration"),
        Step {
            what: "Renew them, on every control-plane node".into(),
            command: Some("sudo kubeadm certs renew all".into()),
            risk: Risk::Disruptive,
            undo: None,
        },
        Step::advice(format!(
            "Restart {} and the other static pods: move their manifests out of \
             /etc/kubernetes/manifests for 20 s",
            finding.object.name
        )),
        Step::advice("Copy the new /etc/kubernetes/admin.conf over the old kubeconfig"),
    ]
}

fn store(finding: &Finding) -> Vec<Step> {
    let mut steps = vec![Step::look(
        "See size, leader and errors of each member",
        "etcdctl endpoint status --cluster -w table; etcdctl alarm list",
    )];
    if finding.mechanism == "etcd-full" {
        let revision = "$(etcdctl endpoint status -w json | grep -o '\"revision\":[0-9]*' | \
                        head -1 | cut -d: -f2)";
        steps.push(Step {
            what: "Drop old revisions, give the space back, and clear the alarm".into(),
            command: Some(format!(
                "etcdctl compact {revision} && etcdctl defrag && etcdctl alarm disarm"
            )),
            risk: Risk::Disruptive,
            undo: None,
        });
        steps.push(Step::advice("Find out what fills it: mostly events or one kind of object"));
    } else {
        steps.push(Step::advice(
            "Look at the disk: a sync must take less than 10 ms (etcd_disk_wal_fsync_duration)",
        ));
    }
    steps
}

fn busy() -> Vec<Step> {
    vec![
        Step::look(
            "See whose requests fill it",
            "kubectl get --raw /metrics | grep apiserver_flowcontrol_current_inqueue_requests",
        ),
        Step::advice("Stop the client that lists or watches too much, or scale it to one"),
    ]
}

fn process(finding: &Finding) -> Vec<Step> {
    let name = finding.object.name.as_str();
    let mut steps = Vec::new();
    match machine(finding) {
        Some(node) => {
            steps.push(Step::look(
                format!("See why {name} stopped"),
                format!("ssh {node} sudo journalctl -u {name} -n 50 --no-pager"),
            ));
            steps.push(start(name, node));
        }
        None => {
            steps.push(Step::look(
                format!("See whether {name} runs, on its machine"),
                format!("sudo crictl ps -a | grep {name}; ls /etc/kubernetes/manifests"),
            ));
            steps.push(Step::look(
                "And why the kubelet does not start it",
                "sudo journalctl -u kubelet -n 50 --no-pager",
            ));
            steps.push(Step::advice(format!(
                "Put its manifest back: /etc/kubernetes/manifests/{name}.yaml"
            )));
        }
    }
    steps
}

/// A name server with one replica is gone with one node.
pub(super) fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in name_server::apps(now) {
        if app.object.kind == Kind::Deployment && app.wanted() == Some(1) {
            gaps.push(Gap {
                failure: KIND.id,
                object: app.object.clone(),
                field: "spec.replicas".into(),
                why: "with one replica all names are lost with one pod".into(),
            });
        }
    }
}

pub(super) fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    (gap.field == "spec.replicas")
        .then(|| Patch { object: gap.object.clone(), body: "spec:\n  replicas: 2\n".into() })
}

pub(super) fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "Somebody scales the name server to zero.",
        acts: vec![(
            20,
            Act::Apply(
                "apiVersion: apps/v1\nkind: Deployment\n\
                 metadata: {name: coredns, namespace: kube-system, labels: {app: coredns}}\n\
                 spec:\n  replicas: 0\n  selector: {matchLabels: {app: coredns}}\n\
                 \x20 template:\n    metadata: {labels: {app: coredns}}\n\
                 \x20   spec:\n      containers:\n\
                 \x20     - {name: coredns, image: 'registry.example/coredns:1.4.2'}\n",
            ),
        )],
        found_within_seconds: 60,
    })
}
