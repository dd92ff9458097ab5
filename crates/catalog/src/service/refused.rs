//! `service-refused`: a Service has ready endpoints, and connections to it are refused.

use model::record::{Known, Service};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Kind, Patch, Remedy, Scenario, Snapshot,
    State, Step,
};

use super::callers;
use crate::dependency::complaint::{self, Class};
use crate::evidence;
use crate::pod::edit::{container_field, namespace_option};
use crate::workload::prestop_missing;

failure! {
    /// # Connections to a Service are refused although it has endpoints
    ///
    /// ## Signs
    /// Clients log "connection refused". `kubectl get endpoints` shows addresses, and the pods
    /// are ready. It comes and goes with restarts, or it stays.
    ///
    /// ## Why it happens
    /// Refused means that a machine was reached and nobody listened there. A pod without a
    /// readiness probe counts as ready as soon as its process runs: during each start it gets
    /// requests that it cannot take yet. A readiness probe that asks another port than the one
    /// the Service leads to says nothing about that port. And when kube-proxy is down on a
    /// node, clients there use endpoints that are long gone.
    ///
    /// ## What we do
    /// 1. Connect to a pod directly, on the target port: refused there means the program.
    /// 2. Then through the Service, from several nodes: refused on one only means its proxy.
    /// 3. Give the pods a readiness probe on the very port that the Service leads to.
    ///
    /// ## How to avoid it
    /// A readiness probe for every workload behind a Service, on the port it serves. Clients
    /// that try again, after a pause.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Debug Services", "Configure Liveness, Readiness and Startup
    /// Probes" and "Virtual IPs and Service Proxies".
    id: "service-refused",
    mechanisms: {
        "readiness-missing": "its pods count as ready before they listen",
        "not-listening": "its pods are ready, and nothing listens where it leads",
    },
    reads: [Service, Endpoints, EndpointSlice, Pod, Deployment, StatefulSet, DaemonSet],
    leads_to: [
        "workload-dependency-failing",
        "pod-crash-looping",
        "pod-probe-failing",
        "slo-burning",
    ],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    let mut complaints = complaint::all(now);
    complaints.retain(|c| c.class == Class::Unreachable && !c.is_over && !c.is_own);
    if complaints.is_empty() && now.dials.is_empty() {
        return;
    }
    for service in now.services.iter() {
        let told = complaints.iter().filter(|c| {
            let same = c.seen.as_ref().and_then(|s| s.service);
            let is = same.is_some_and(|s| std::ptr::eq(s, service));
            is && c.is_heard() && c.line.to_ascii_lowercase().contains("refused")
        });
        let mut facts: Vec<Evidence> = told.map(|c| c.evidence.clone()).collect();
        let dials = callers::dials(service, now).filter(|d| !d.connected);
        let refused = dials.filter(|d| d.answer.to_ascii_lowercase().contains("refused"));
        facts.extend(refused.map(|d| callers::dial_evidence(service, d)));
        if !facts.is_empty()
            && let Some(finding) = finding(service, facts, now)
        {
            findings.push(finding);
        }
    }
}

/// The one workload behind a Service, when it is at full strength and its port is right.
fn behind<'s>(service: &Service, now: &'s Snapshot) -> Option<&'s App> {
    if service.selector.is_empty() || now.addresses(service).is_some_and(|(ready, _)| ready == 0) {
        return None;
    }
    let apps = now.apps_selected(&service.meta.namespace, &service.selector);
    let [app] = apps.as_slice() else { return None };
    (app.ready() > 0 && app.lost_replicas() == 0 && app.shows_spec()).then_some(*app)
}

fn finding(service: &Service, facts: Vec<Evidence>, now: &Snapshot) -> Option<Finding> {
    let app = behind(service, now)?;
    let spec = app.spec()?;
    let bare = spec.containers.iter().all(|c| c.readiness_probe.is_none());
    // Who has listened for long refuses nobody at a start: then the address is the matter.
    let first = facts.iter().filter_map(|f| f.at).min();
    let young = |p: &model::record::Pod| {
        let since = p.ready.and_then(|r| r.since);
        matches!((since, first), (Some(s), Some(f)) if f.since(s) <= 300)
    };
    let restarted = app.running().any(|p| p.restarts() > 0 || young(p));
    let dialled = facts.iter().any(|f| f.field.starts_with("connection to"));
    if !(bare && restarted || dialled) {
        return None;
    }
    let object = service.meta.object(Kind::Service);
    let look = format!(
        "kubectl exec{} {} -- sh -c 'netstat -tln || ss -tln'",
        namespace_option(&app.object.namespace),
        app.running().next()?.meta.name
    );
    let state = if bare { State::Active } else { State::Suspected };
    let (mechanism, headline) = if bare {
        let text = "refuses connections: its pods have no readiness probe and count as ready \
                    before they listen";
        ("readiness-missing", format!("Service {object} {text}"))
    } else {
        let text = "refuses connections though its pods say that they are ready";
        ("not-listening", format!("Service {object} {text}"))
    };
    let sure = if bare && restarted { Certainty::Likely } else { Certainty::Possible };
    let others: &[&str] = if bare { &["not-listening"] } else { &["readiness-missing"] };
    let first = spec.containers.first().map_or("", |c| c.name.as_str());
    let fact = evidence::field(app.document(), &app.object, "readinessProbe", "none");
    let mut finding = Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field(
            container_field(app, first, "readinessProbe"),
            if bare { "none" } else { "of another port" },
            "a check of the port that the Service leads to",
        )
        .evidence(facts)
        .evidence(bare.then_some(fact))
        .affects(object, "refuses some of its clients")
        .state(state)
        .unsure(sure, others, look);
    finding.factors.extend(prestop_missing::factor(app));
    Some(finding)
}

/// Workloads behind Services whose pods count as ready at once. Data stores with one pod are
/// asked by nobody else than their clients, and suffer the same.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for service in now.services.iter().filter(|s| !s.selector.is_empty()) {
        for app in now.apps_selected(&service.meta.namespace, &service.selector) {
            let shown = app.workload.as_ref().is_some_and(|w| w.meta.shows(Known::SPEC));
            let Some(spec) = app.spec().filter(|_| shown) else { continue };
            if let Some(c) = spec.containers.first()
                && spec.containers.iter().all(|c| c.readiness_probe.is_none())
            {
                gaps.push(Gap {
                    failure: KIND.id,
                    object: app.object.clone(),
                    field: container_field(app, &c.name, "readinessProbe"),
                    why: format!(
                        "Service {} sends it requests before it listens",
                        service.meta.name
                    ),
                });
            }
        }
    }
}

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let mut next = Vec::new();
    if let Some(decide) = &finding.decide {
        next.push(Step::look("See where the program listens", decide.clone()));
    }
    let service = now.services.get(&finding.object.namespace, &finding.object.name);
    if let Some(app) = service.and_then(|s| behind(s, now)) {
        let object = app.object.for_kubectl();
        next.push(Step::change(
            "Give its pods a readiness probe on the port of the Service",
            format!("kubectl edit {object}"),
            format!("kubectl rollout undo {object}"),
        ));
    }
    next.push(Step::look(
        "Rule out the proxy of a single node",
        "kubectl get pods -n kube-system -l k8s-app=kube-proxy -o wide",
    ));
    let never = "Do not restart the pods: each start refuses its clients once more";
    Remedy { next, do_not: vec![never.into()] }
}

fn prevent(gap: &Gap, now: &Snapshot) -> Option<Patch> {
    let app = now.app(&gap.object)?;
    let c = app.spec()?.containers.first()?;
    let port = c.ports.iter().find(|p| p.protocol.is_empty() || p.protocol == "TCP")?;
    let templated = !matches!(gap.object.kind, Kind::Pod | Kind::CronJob);
    let body = format!(
        "spec:\n  template:\n    spec:\n      containers:\n      - name: {}\n        \
         readinessProbe:\n          tcpSocket: {{port: {}}}\n",
        c.name, port.container_port
    );
    templated.then(|| Patch { object: gap.object.clone(), body })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A workload without a readiness probe needs a minute before it listens.",
        acts: vec![(
            30,
            Act::Unmodelled(
                "the program of shop/drill-stock listens only a minute after its start",
            ),
        )],
        found_within_seconds: 120,
    })
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::{Member, check_gaps, lines, log, snapshot};

    fn shop(probe: &str, ready: bool) -> String {
        let env = "{name: STOCK_ADDR, value: 'stock:8080'}";
        let desk = Member { name: "desk", env, ..Member::default() }.yaml();
        let stock = Member { name: "stock", ready, ..Member::default() }.yaml();
        let stock =
            stock.replace("ports: [{containerPort", &format!("{probe} ports: [{{containerPort"));
        (desk + &stock).trim_start_matches("---\n").to_owned()
    }

    #[track_caller]
    fn check(yaml: &str, line: &str, want: &[&str]) {
        let mut now = snapshot(yaml);
        log(&mut now, "desk", &[line; 4]);
        assert_eq!(lines(&KIND, &now), want, "{line}");
    }

    const REFUSED: &str = "dial tcp stock:8080: connect: connection refused";

    #[test]
    fn refused_by_pods_that_are_ready() {
        let at = |time: &str| format!("2026-03-01T{time}Z {REFUSED}");
        let soon = at("08:02:00");
        check(&shop("", true), &soon, &["readiness-missing svc/stock Likely Active"]);
        // Long after the start it is no matter of readiness.
        check(&shop("", true), &at("12:00:00"), &[]);
        let mut now = snapshot(&shop("readinessProbe: {tcpSocket: {port: 9}},", true));
        now.dials.push(model::Dial {
            host: "stock".into(),
            port: 8080,
            connected: false,
            answer: "Connection refused".into(),
            document: 0,
        });
        assert_eq!(lines(&KIND, &now), ["not-listening svc/stock Possible Suspected"]);
    }

    #[test]
    fn other_complaints_and_pods_that_are_not_ready_are_not_meant() {
        check(&shop("", true), "dial tcp stock:8080: i/o timeout", &[]);
        check(&shop("", false), REFUSED, &[]);
        check(&shop("", true), "all is well", &[]);
    }

    #[test]
    fn workloads_behind_services_need_a_readiness_probe() {
        let gap = "spec.template.spec.containers[main].readinessProbe";
        let want = [format!("deploy/desk {gap}"), format!("deploy/stock {gap}")];
        check_gaps(&KIND, &shop("", true), &want.each_ref().map(String::as_str));
    }
}
