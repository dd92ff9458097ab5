//! `lb-pending`: a Service waits for its load balancer.

use model::record::{Known, Service};
use model::{
    Act, App, Certainty, Finding, Findings, Gap, Impact, Kind, Patch, Remedy, Scenario, Snapshot,
    Step,
};

use super::balancer;
use crate::evidence;
use crate::wording;

failure! {
    /// # A Service waits for its load balancer
    ///
    /// ## Signs
    /// `kubectl get services` shows `<pending>` under EXTERNAL-IP for minutes. Inside of the
    /// cluster the Service works; from outside nobody reaches it. Its events say
    /// `SyncLoadBalancerFailed`, or there are no events at all.
    ///
    /// ## Why it happens
    /// Kubernetes makes no load balancers. A controller of the cloud, or one such as MetalLB,
    /// watches Services of this type, orders a load balancer and writes its address into the
    /// status. With complaints in the events the controller works and the cloud refuses: a
    /// quota is used up, rights are missing, no subnet or no address is free. Without any event
    /// nobody acts: the controller does not run, or its copies cannot agree on a leader, so that
    /// all of them wait. In a cluster without any such controller the Service waits for ever.
    ///
    /// ## What we do
    /// 1. Read the events of the Service.
    /// 2. With a complaint: free or raise what it names, at the cloud. The controller tries again
    ///    by itself within minutes.
    /// 3. Without one: see whether the controller's pods are ready, and compare the holder of its
    ///    Lease with them. A holder that is no pod any more keeps the others waiting.
    /// 4. Until then the Service is reachable through its node ports.
    ///
    /// Do not delete the Service to make it try again: the cloud may give another address, and
    /// names and firewalls point to the old one.
    ///
    /// ## How to avoid it
    /// Watch the quota of load balancers and addresses. Share one load balancer among Services
    /// through an Ingress or a Gateway. Run two copies of the controller and watch its Lease.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Service", "Cloud Controller Manager" and "Leases".
    id: "lb-pending",
    mechanisms: {
        "quota-exceeded": "the cloud's quota is used up",
        "rights-missing": "the controller may not make one in the cloud",
        "subnet-missing": "no subnet of the cloud is fit for it",
        "addresses-exhausted": "no address is free",
        "provider-failing": "the cloud's interface does not answer as it should",
        "controller-down": "the program that makes load balancers is not ready",
        "leader-lost": "nobody leads the programs that make load balancers",
        "controller-silent": "the program that makes load balancers does not act",
    },
    reads: [Service, Event, Lease, Pod, Deployment, DaemonSet, Node],
    leads_to: ["service-unreachable-by-client"],
    detect: Services(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// A load balancer takes its time: within this many seconds nothing is wrong.
const MAKING_SECONDS: i64 = 300;

/// A leader renews its Lease every few seconds.
const LEADING_SECONDS: i64 = 60;

fn detect(service: &Service, now: &Snapshot, findings: &mut Findings) {
    if !balancer::is_wanted(service) {
        return;
    }
    let object = service.meta.object(Kind::Service);
    let told = balancer::complaint(service, now);
    if !balancer::is_pending(service) {
        // Without a status nobody can say; with an address an old complaint means nothing.
        if told.is_some() && !service.points.is_empty() {
            findings.stale(format!("Service {object} once had no load balancer"), "it has one now");
        }
        return;
    }
    let finding = match told {
        Some(event) => {
            let mechanism = wording::balancer_mechanism(&event.message);
            let headline =
                format!("Service {object} has no load balancer: {}", short(&event.message));
            let at = ["status.loadBalancer.ingress", "none", "an address"];
            let found = waiting(service, mechanism, headline, at);
            let first = evidence::first_time(event, now);
            Some(found.since(first).evidence(evidence::event(event, now)))
        }
        None if by_log(service, now).is_some() => by_log(service, now),
        None if is_young(service, now) => {
            return findings.rule_out(KIND.id, object, "it is new: a load balancer takes minutes");
        }
        None => silent(service, now),
    };
    match finding {
        Some(finding) => findings.push(finding),
        None => {
            let why = "nothing in the cluster is known to make load balancers";
            findings.rule_out(KIND.id, object, why);
        }
    }
}

/// Only the log of the controller says why.
fn by_log(service: &Service, now: &Snapshot) -> Option<Finding> {
    let object = service.meta.object(Kind::Service);
    let (text, fact) = balancer::logged(service, now)?;
    let headline = format!("Service {object} has no load balancer: {}", short(text));
    let at = ["status.loadBalancer.ingress", "none", "an address"];
    let found = waiting(service, wording::balancer_mechanism(text), headline, at);
    Some(found.evidence([fact]))
}

/// The first sentence or so of a message.
fn short(text: &str) -> String {
    const MOST: usize = 140;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}

fn is_young(service: &Service, now: &Snapshot) -> bool {
    let by_date = service.meta.created.filter(|_| now.has_time).map(|c| now.now.since(c));
    let age = service.meta.age_seconds.map(i64::from).or(by_date);
    age.is_some_and(|seconds| seconds < MAKING_SECONDS)
}

fn waiting(service: &Service, mechanism: &'static str, headline: String, at: [&str; 3]) -> Finding {
    let object = service.meta.object(Kind::Service);
    let field = "status.loadBalancer.ingress";
    let fact = evidence::field(service.meta.source, &object, field, "none");
    Finding::new(KIND.id, mechanism, object.clone(), headline)
        .field(at[0], at[1], at[2])
        .since(service.meta.created)
        .evidence([fact])
        .affects(object, "is not reached from outside")
        .impact(Impact { services: 1, ..Impact::default() })
}

/// Nobody complains, and nobody acts.
fn silent(service: &Service, now: &Snapshot) -> Option<Finding> {
    let object = service.meta.object(Kind::Service);
    let headline = |why: &str| format!("Service {object} has no load balancer: {why}");
    let Some(app) = balancer::controller(now) else {
        // Where others have one, somebody makes them.
        let other = now.services.iter().find(|s| !s.points.is_empty())?;
        let class = match service.load_balancer_class.as_str() {
            "" => String::new(),
            class => format!(" (its class is {class})"),
        };
        let at = [
            "spec.loadBalancerClass",
            service.load_balancer_class.as_str(),
            "a class that is served",
        ];
        let why = format!("others have one, nobody made one for it{class}");
        let found = waiting(service, "controller-silent", headline(&why), at);
        let other_object = other.meta.object(Kind::Service);
        let points = other.points.iter().map(|p| p.as_str()).collect::<Vec<_>>().join(", ");
        let fact = evidence::field(
            other.meta.source,
            &other_object,
            "status.loadBalancer.ingress",
            points,
        );
        let look = format!("kubectl describe {}", object.for_kubectl());
        return Some(found.evidence([fact]).unsure(Certainty::Possible, &["quota-exceeded"], look));
    };
    let name = &app.object;
    if app.running().next().is_some() && app.ready() == 0 {
        let why = format!("{} {name}, which makes them, is not ready", name.kind);
        let mut found = waiting(
            service,
            "controller-down",
            headline(&why),
            ["status.readyReplicas", "0", "at least 1"],
        );
        found.object = name.clone();
        return Some(found);
    }
    let why = format!("{} {name} has not made one, and does not say why", name.kind);
    let mut found = leaderless(service, app, now).unwrap_or_else(|| {
        let look = format!("kubectl logs {} --tail=200", name.for_kubectl());
        waiting(
            service,
            "controller-silent",
            headline(&why),
            ["status.loadBalancer.ingress", "none", "an address"],
        )
        .unsure(Certainty::Possible, &["quota-exceeded", "rights-missing"], look)
    });
    found.object = name.clone();
    Some(found)
}

/// The Lease of the controller is held by nobody who is there.
fn leaderless(service: &Service, app: &App, now: &Snapshot) -> Option<Finding> {
    let mut leases = now.leases.in_namespace(&app.object.namespace);
    let lease = leases
        .find(|l| l.meta.name == app.object.name || l.meta.name == "cloud-controller-manager")?;
    if !lease.meta.known.has(Known::SPEC) {
        return None;
    }
    let holder = lease.holder.as_str();
    let is_there = app.pods.iter().any(|p| {
        holder.starts_with(p.meta.name.as_str())
            || holder.starts_with(p.node.as_str()) && !p.node.is_empty()
    });
    let stale = lease.renewed.filter(|_| now.has_time).map(|t| now.now.since(t));
    let late = stale.is_some_and(|s| s > LEADING_SECONDS);
    let gone = holder.is_empty() || (!app.pods.is_empty() && !is_there);
    if !(late || (gone && stale.is_none())) {
        return None;
    }
    let object = lease.meta.object(Kind::Lease);
    let who = if holder.is_empty() { "nobody" } else { holder };
    let since = stale.map(|s| format!(", renewed {} ago", model::duration_text(s)));
    let headline = format!(
        "Service {} has no load balancer: Lease {object} of {} is held by {who}{}",
        service.meta.object(Kind::Service),
        app.object.name,
        since.unwrap_or_default()
    );
    let fact = evidence::field(lease.meta.source, &object, "spec.holderIdentity", who);
    let found = waiting(
        service,
        "leader-lost",
        headline,
        ["spec.holderIdentity", who, "one of its pods, renewed within seconds"],
    );
    let look = format!("kubectl get -n {} lease {} -o yaml", object.namespace, object.name);
    let found = found.evidence([fact]);
    Some(if late { found } else { found.unsure(Certainty::Likely, &["controller-silent"], look) })
}

/// Many load balancers, one for each Service, use up quota and addresses.
fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    const MANY: usize = 20;
    let all = || now.services.iter().filter(|s| balancer::is_wanted(s));
    if all().count() <= MANY {
        return;
    }
    for service in all().skip(MANY) {
        gaps.push(Gap {
            failure: KIND.id,
            object: service.meta.object(Kind::Service),
            field: "spec.type".into(),
            why: format!("{} Services have a load balancer each; clouds limit them", all().count()),
        });
    }
}

/// Which Services can share a way in is for the owners of the names to say.
fn prevent(_: &Gap, _: &Snapshot) -> Option<Patch> {
    None
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let service = finding.affected.iter().map(|a| &a.object).find(|o| o.kind == Kind::Service);
    let service = service.unwrap_or(&finding.object);
    let mut next = vec![Step::look(
        "Read what its controller says",
        format!("kubectl describe {}", service.for_kubectl()),
    )];
    let object = &finding.object;
    match finding.mechanism {
        "controller-down" | "controller-silent" if object.kind != Kind::Service => {
            next.push(Step::look(
                "See how the program that makes load balancers is",
                format!("kubectl logs {} --tail=100", object.for_kubectl()),
            ));
        }
        "leader-lost" => {
            next.push(Step {
                what: "Let its copies elect a leader anew".into(),
                command: Some(format!("kubectl rollout restart {}", object.for_kubectl())),
                risk: model::Risk::Disruptive,
                undo: None,
            });
        }
        "quota-exceeded" | "addresses-exhausted" => next.push(Step::look(
            "See who holds load balancers that nobody needs",
            "kubectl get services -A --field-selector spec.type=LoadBalancer".to_owned(),
        )),
        _ => next.push(Step::advice("Mend at the cloud what the message names; it is tried again")),
    }
    let look =
        format!("kubectl get {} -o jsonpath='{{.spec.ports[*].nodePort}}'", service.for_kubectl());
    next.push(Step::look("Until then, use its node ports", look));
    Remedy {
        next,
        do_not: vec![
            "Do not delete and make the Service anew: its address may change for good".into(),
        ],
    }
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "The cloud refuses a load balancer: the quota is used up.",
        acts: vec![
            (10, Act::Apply(REHEARSAL)),
            (
                20,
                Act::Unmodelled(
                    "the cloud's controller says SyncLoadBalancerFailed: quota exceeded",
                ),
            ),
        ],
        found_within_seconds: 120,
    })
}

const REHEARSAL: &str = "\
apiVersion: v1
kind: Service
metadata: {name: drill-door, namespace: shop}
spec:
  type: LoadBalancer
  selector: {app: frontend}
  ports:
  - {port: 80, targetPort: 8080}
";

#[cfg(test)]
mod tests;
