//! `service-headless-unbalanced`: clients of a headless Service all go to one pod.

use model::record::Service;
use model::{
    App, Certainty, Finding, Findings, Gap, Kind, Patch, Remedy, Risk, Scenario, Snapshot, State,
    Step,
};

use super::callers;
use crate::evidence;

failure! {
    /// # Clients of a headless Service all use one pod
    ///
    /// ## Signs
    /// A Service with `clusterIP: None` stands before several equal pods. One of them is busy,
    /// the others are idle. Adding replicas changes nothing.
    ///
    /// ## Why it happens
    /// Nothing balances a headless Service: its name resolves to the addresses of all pods, and
    /// each client does with them what it likes. Many take the first one, keep the connection,
    /// and never ask again. For a StatefulSet whose members have names of their own that is what
    /// is wanted. For equal pods it is mostly a mistake, or the client was to balance by itself
    /// and does not.
    ///
    /// ## What we do
    /// 1. Compare the CPU of the pods: does one do the work of all?
    /// 2. Let clients use a Service with an address of its own, which spreads connections.
    /// 3. Where connections live long (gRPC, HTTP/2), let the client balance over all addresses
    ///    and ask for the name again from time to time, or put a proxy between.
    ///
    /// Do not only add replicas: the new ones stay idle, too.
    ///
    /// ## How to avoid it
    /// Use headless Services only for StatefulSets and for clients that balance themselves.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service" (headless Services).
    id: "service-headless-unbalanced",
    mechanisms: { "headless": "nothing spreads the connections of its clients", },
    reads: [Service, Deployment, Pod],
    leads_to: ["pod-limit-reached", "pod-probe-failing", "workload-dependency-failing"],
    detect: Services(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A pod that does this part of the work of all does not share it.
const MOST_OF_IT: f64 = 0.8;

/// Less than this is idle, in cores: idle pods differ by chance.
const BUSY_CORES: f64 = 0.1;

/// The workload of equal pods behind a headless Service.
fn behind<'s>(service: &Service, now: &'s Snapshot) -> Option<&'s App> {
    if service.cluster_address != "None" || service.selector.is_empty() {
        return None;
    }
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    apps.into_iter().find(|a| a.object.kind == Kind::Deployment)
}

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    let Some(app) = behind(service, now) else { return };
    // Of `kubectl top pods`: the pods at one moment, `namespace/pod` or `pod`.
    let cores = |pod: &str| {
        let own = now
            .samples
            .iter()
            .filter(|s| s.metric == "cpu_usage" && s.subject.split('/').any(|part| part == pod));
        own.map(|s| s.value).next_back()
    };
    let ready = app.running().filter(|p| p.is_ready() == Some(true));
    let mut loads: Vec<(f64, &str)> =
        ready.filter_map(|p| Some((cores(&p.meta.name)?, p.meta.name.as_str()))).collect();
    loads.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    let sum: f64 = loads.iter().map(|(load, _)| load).sum();
    let Some((most, pod)) = loads.first().copied().filter(|_| loads.len() > 1) else { return };
    if most < BUSY_CORES || most < sum * MOST_OF_IT {
        return;
    }
    let object = service.meta.object(Kind::Service);
    let percent = (most / sum * 100.0).round();
    let headline = format!(
        "Service {object} is headless: pod {pod} does {percent} % of the work of {} pods",
        loads.len()
    );
    let look = format!("kubectl top pods -n {}", object.namespace);
    let mut finding = Finding::new(KIND.id, "headless", object.clone(), headline)
        .field("spec.clusterIP", "None", "an address of its own")
        .evidence([evidence::field(service.meta.source, &object, "spec.clusterIP", "None")])
        .unsure(Certainty::Possible, &["application-error"], look)
        .state(State::Suspected)
        .affects(app.object.clone(), "one of its pods bears the load of all");
    for caller in callers::of(service, now) {
        let how = format!("calls it ({}={})", caller.peer.setting, caller.peer.host);
        finding = finding.affects(caller.app.object.clone(), how);
    }
    findings.push(finding);
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for service in now.services.iter() {
        let Some(app) = behind(service, now) else { continue };
        let many = app.wanted().is_some_and(|n| n > 1);
        if many && !callers::of(service, now).is_empty() {
            gaps.push(Gap {
                failure: KIND.id,
                object: service.meta.object(Kind::Service),
                field: "spec.clusterIP".into(),
                why: format!(
                    "headless before {} equal pods of {}: clients may all take the first",
                    app.wanted().unwrap_or(0),
                    app.object.name
                ),
            });
        }
    }
}

/// The address of a Service cannot be changed: it has to be made anew.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = &finding.object;
    let app = finding.affected.first().map_or("WORKLOAD", |a| a.object.name.as_str());
    let name = format!("{}-balanced", object.name);
    Remedy {
        next: vec![
            Step::look("Compare the pods", format!("kubectl top pods -n {}", object.namespace)),
            Step::change(
                "Make a second Service with an address, and let clients use it",
                format!("kubectl expose -n {} deploy/{app} --name={name}", object.namespace),
                format!("kubectl delete -n {} service {name}", object.namespace),
            ),
            Step::advice("Or let the client balance over all addresses of the name")
                .risk(Risk::Reversible),
        ],
        do_not: vec!["Do not only add replicas: the new ones stay idle, too".into()],
    }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "All clients of a headless Service use the first of its pods.",
        acts: vec![(
            10,
            model::Act::Unmodelled("one of the pods of Deployment shop/cart bears all of the load"),
        )],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{check_gaps, lines, snapshot};

    fn yaml(address: &str) -> String {
        let pod = |n: u32| {
            format!(
                "kind: Pod\nmetadata: {{namespace: mill, name: saw-5d4f8c7b9-x2x4{n}, labels: \
                 {{app: saw}}, ownerReferences: [{{kind: ReplicaSet, name: saw-5d4f8c7b9}}]}}\n\
                 spec: {{containers: [{{name: main}}]}}\n\
                 status: {{phase: Running, conditions: [{{type: Ready, status: 'True'}}]}}\n---\n"
            )
        };
        let app = |name: &str, more: &str| {
            format!(
                "kind: Deployment\nmetadata: {{namespace: mill, name: {name}}}\nspec: {{replicas: \
                 3, selector: {{matchLabels: {{app: {name}}}}}, template: {{metadata: {{labels: \
                 {{app: {name}}}}}, spec: {{containers: [{{name: main{more}}}]}}}}}}\n---\n"
            )
        };
        app("saw", "")
            + &app("client", ", env: [{name: SAW, value: 'saw:80'}]")
            + &pod(1)
            + &pod(2)
            + &pod(3)
            + &format!(
                "kind: Service\nmetadata: {{namespace: mill, name: saw}}\n\
                 spec: {{clusterIP: {address}, selector: {{app: saw}}, ports: [{{port: 80}}]}}\n"
            )
    }

    #[track_caller]
    fn loads(address: &str, values: [f64; 3], want: &[&str]) {
        let mut now = snapshot(&yaml(address));
        for (n, value) in (1..).zip(values) {
            now.samples.push(model::Sample {
                subject: format!("saw-5d4f8c7b9-x2x4{n}").into(),
                metric: "cpu_usage".into(),
                value,
                at: None,
                document: 0,
            });
        }
        assert_eq!(lines(&KIND, &now), want);
    }

    #[test]
    fn one_busy_pod_among_idle_ones_is_told() {
        let want = ["headless svc/saw Possible Suspected"];
        loads("None", [0.9, 0.01, 0.02], &want);
        loads("None", [0.4, 0.3, 0.3], &[]);
        loads("None", [0.02, 0.001, 0.001], &[]);
        loads("10.0.0.1", [0.9, 0.01, 0.02], &[]);
    }

    #[test]
    fn a_headless_service_before_equal_pods_is_a_gap() {
        check_gaps(&KIND, &yaml("None"), &["svc/saw spec.clusterIP"]);
        check_gaps(&KIND, &yaml("10.0.0.1"), &[]);
        check_gaps(&KIND, &yaml("None").replace("saw:80", "elsewhere:80"), &[]);
    }
}
