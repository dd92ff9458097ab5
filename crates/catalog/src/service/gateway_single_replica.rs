//! `gateway-single-replica`: one pod stands between the world and all that is behind it.

use model::record::Known;
use model::{App, Finding, Gap, Kind, Patch, Remedy, Scenario, Snapshot, Step};

failure! {
    /// # The way into the cluster is a single pod
    ///
    /// ## Signs
    /// The workload behind a Service of type LoadBalancer, or the controller of Ingresses or of a
    /// Gateway, runs one replica. Often it is the default of an installation that nobody changed.
    ///
    /// ## Why it happens
    /// Ingress controllers and mesh gateways are installed by charts whose default is one replica.
    /// That works until its node is drained, its pod is evicted or its memory is used up. Then
    /// every site behind it is gone at once, however many replicas these have themselves. Under
    /// load a single gateway is also the first to throttle.
    ///
    /// ## What we do
    /// 1. Run at least two, better three, replicas on different nodes.
    /// 2. State CPU and memory requests: without a CPU request an autoscaler is blind.
    /// 3. Add an autoscaler with at least three replicas, and a disruption budget.
    ///
    /// Do not put all replicas on one node pool that is drained as a whole.
    ///
    /// ## How to avoid it
    /// Treat the gateway as the most important workload of the cluster: it carries all others.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Ingress Controllers" and "Horizontal Pod Autoscaling".
    id: "gateway-single-replica",
    mechanisms: { "single-replica": "all traffic from outside goes through one pod", },
    reads: [Service, Deployment, Ingress, HorizontalPodAutoscaler],
    leads_to: [],
    detect: Exposure,
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

/// Parts of images that are ingress controllers or gateways.
const GATEWAYS: [&str; 8] = [
    "ingress-nginx/controller",
    "nginx-ingress",
    "traefik",
    "istio/proxyv2",
    "contour",
    "haproxy",
    "kong",
    "envoy-gateway",
];

/// Fewest replicas of what all traffic goes through.
const FEWEST: i64 = 2;

/// Whether what a workload serves is reached from outside through it.
fn is_gateway(app: &App, now: &Snapshot) -> bool {
    let outside = now
        .services_of(app)
        .iter()
        .any(|s| now.services.get(&s.namespace, &s.name).is_some_and(|s| s.kind == "LoadBalancer"));
    let spec = app.spec();
    let image = spec
        .is_some_and(|s| s.containers.iter().any(|c| GATEWAYS.iter().any(|g| c.image.contains(g))));
    // The sidecars of a mesh have the image of its gateways.
    let named = ["ingress", "gateway", "traefik", "router"];
    outside || (image && named.iter().any(|n| app.object.name.contains(n)))
}

/// Whether an autoscaler looks after it.
fn floor(app: &App, now: &Snapshot) -> Option<i64> {
    let mut scalers = now.scalers.in_namespace(&app.object.namespace);
    let own =
        scalers.find(|s| s.target.0 == app.object.kind.name() && s.target.1 == app.object.name)?;
    Some(own.min.unwrap_or(1))
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for app in now.apps.iter().filter(|a| a.object.kind == Kind::Deployment) {
        let shown = app.workload.as_ref().is_some_and(|w| w.meta.known.has(Known::REPLICAS));
        if !shown || !is_gateway(app, now) {
            continue;
        }
        let gap = |field: &str, why: String| Gap {
            failure: KIND.id,
            object: app.object.clone(),
            field: field.into(),
            why,
        };
        let fewest = floor(app, now).or(app.wanted()).unwrap_or(0);
        if fewest == 1 {
            let why = "one replica carries all traffic from outside".to_owned();
            gaps.push(gap("spec.replicas", why));
        }
        let no_request = |c: &&model::record::Container| c.resources.requests.get("cpu").is_none();
        let spec = app.spec().filter(|_| app.shows_spec());
        let bare = spec.and_then(|s| s.containers.iter().find(no_request));
        if let Some(container) = bare.filter(|_| fewest <= FEWEST) {
            let field =
                format!("spec.template.spec.containers[{}].resources.requests.cpu", container.name);
            let why = "without a CPU request no autoscaler can look after it".to_owned();
            gaps.push(gap(&field, why));
        }
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = "spec:\n  replicas: 3\n".to_owned();
    (gap.field == "spec.replicas").then(|| Patch { object: gap.object.clone(), body })
}

fn remedy(finding: &Finding, _: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    Remedy {
        next: vec![Step::change(
            "Run three replicas",
            format!("kubectl scale {object} --replicas=3"),
            format!("kubectl scale {object} --replicas=1"),
        )],
        do_not: vec!["Do not drain its node before a second replica is ready".into()],
    }
}

/// A missing protection does not happen.
fn rehearse() -> Option<Scenario> {
    None
}

#[cfg(test)]
mod tests {
    use super::KIND;
    use crate::testing::check_gaps;

    fn gate(name: &str, image: &str, replicas: u32, more: &str) -> String {
        format!(
            "kind: Deployment\nmetadata: {{namespace: edge, name: {name}}}\n\
             spec: {{replicas: {replicas}, selector: {{matchLabels: {{app: {name}}}}}, template: \
             {{metadata: {{labels: {{app: {name}}}}}, spec: {{containers: [{{name: main, image: \
             {image}{more}}}]}}}}}}\n---\n"
        )
    }

    const CPU: &str = ", resources: {requests: {cpu: 100m}}";

    #[test]
    fn one_replica_before_all_others_is_a_gap() {
        let nginx = "registry.example/ingress-nginx/controller:v1";
        let one = gate("ingress-nginx-controller", nginx, 1, CPU);
        check_gaps(&KIND, &one, &["deploy/ingress-nginx-controller spec.replicas"]);
        check_gaps(&KIND, &one.replace("replicas: 1", "replicas: 3"), &[]);
        let scaled = one.clone()
            + "kind: HorizontalPodAutoscaler\nmetadata: {namespace: edge, name: h}\n\
               spec: {minReplicas: 3, maxReplicas: 9, scaleTargetRef: {kind: Deployment, \
               name: ingress-nginx-controller}}\n";
        check_gaps(&KIND, &scaled, &[]);
        let bare = gate("ingress-nginx-controller", nginx, 1, "");
        check_gaps(
            &KIND,
            &bare,
            &[
                "deploy/ingress-nginx-controller spec.replicas",
                "deploy/ingress-nginx-controller \
             spec.template.spec.containers[main].resources.requests.cpu",
            ],
        );
    }

    #[test]
    fn what_a_load_balancer_leads_to_is_a_gateway() {
        let app = gate("shopfront", "shop:1", 1, CPU);
        check_gaps(&KIND, &app, &[]);
        let service = |kind: &str| {
            format!(
                "kind: Service\nmetadata: {{namespace: edge, name: s}}\n\
                 spec: {{type: {kind}, selector: {{app: shopfront}}, ports: [{{port: 80}}]}}\n"
            )
        };
        let outside = app.clone() + &service("LoadBalancer");
        check_gaps(&KIND, &outside, &["deploy/shopfront spec.replicas"]);
        check_gaps(&KIND, &(app + &service("ClusterIP")), &[]);
    }
}
