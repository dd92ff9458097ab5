//! `pdb-blocking`: a disruption budget lets no pod be evicted, and somebody wants to.

use model::record::{Budget, Known, Node, Pod};
use model::{
    Act, App, Certainty, Evidence, Finding, Findings, Gap, Kind, ObjectRef, Patch, Remedy, Role,
    Scenario, Snapshot, Step,
};

use crate::evidence;
use crate::wording::{self, says};

failure! {
    /// # A disruption budget blocks the draining of a node
    ///
    /// ## Signs
    /// `kubectl drain` repeats "Cannot evict pod as it would violate the pod's disruption
    /// budget". An upgrade of nodes or the autoscaler's scale-down hangs at one node, which
    /// stays cordoned. `kubectl get pdb` shows 0 under ALLOWED DISRUPTIONS.
    ///
    /// ## Why it happens
    /// A budget says how many pods must stay. When it asks for as many as there are
    /// (`minAvailable` equal to the replicas, `100%`, or `maxUnavailable: 0`), no pod may ever
    /// be evicted. When some pods are not ready, none of the others may go either; and, before
    /// 1.26 or without `unhealthyPodEvictionPolicy: AlwaysAllow`, nor may the broken ones.
    /// Two budgets for one pod make every eviction of it an error.
    ///
    /// Budgets only stop evictions. They stop no crash, no rollout and no `kubectl delete`.
    ///
    /// ## What we do
    /// 1. Pods not ready? Repair them first: the budget does what it is for.
    /// 2. The budget allows none by its figures: scale the workload up by one, drain, scale
    ///    down again. It is safer than to change the budget.
    /// 3. Then correct the budget: `maxUnavailable: 1`.
    /// 4. A drain that cannot finish: uncordon the node instead of leaving it half empty.
    ///
    /// ## How to avoid it
    /// `maxUnavailable: 1` instead of `minAvailable`, two replicas or more, one budget for
    /// each workload, and `unhealthyPodEvictionPolicy: AlwaysAllow`.
    ///
    /// ## Sources
    /// Kubernetes documentation, "Disruptions" and "Specifying a Disruption Budget".
    id: "pdb-blocking",
    mechanisms: {
        "budget-allows-none": "it asks for as many pods as there are",
        "pods-unhealthy": "too few of its pods are healthy to let one go",
        "two-budgets": "two budgets claim the same pods, which the API refuses to evict",
    },
    reads: [PodDisruptionBudget, Deployment, StatefulSet, Pod, Node, Event],
    leads_to: [],
    detect: Cluster(detect),
    exposed: exposed,
    remedy: remedy,
    prevent: prevent,
    rehearse: rehearse,
}

fn detect(now: &Snapshot, findings: &mut Findings) {
    for budget in now.budgets.iter() {
        let apps = match budget.meta.known.has(Known::SELECTOR) {
            true => now.protected_by(budget),
            false => refused(budget, now),
        };
        let Some(mechanism) = blocks(budget, &apps, now) else { continue };
        let object = budget.meta.object(Kind::PodDisruptionBudget);
        match wanted(&apps, now) {
            Some(wish) => findings.push(finding(budget, &apps, mechanism, wish)),
            None if mechanism != "pods-unhealthy" => {
                findings.rule_out(
                    KIND.id,
                    object,
                    "it allows no eviction, but nobody asks for one",
                );
            }
            None => {}
        }
    }
    if now.budgets.is_empty() {
        findings.found.extend(only_told(now));
    }
}

/// A drain is refused and no budget was shown: the pods it names are all that is known.
fn only_told(now: &Snapshot) -> Option<Finding> {
    let told = now.client_errors.iter().filter(|e| says(&e.text, wording::EVICTION_REFUSED));
    let mut told = told.filter_map(|e| Some((refused_pod(&e.text)?, e)));
    let (pod, error) = told.next()?;
    let is_own = |p: &Pod| p.meta.name == pod.name;
    let here = now.apps_in(&pod.namespace).iter();
    let app = here.into_iter().find(|a| a.pods.iter().any(|p| is_own(p)));
    let object = app.map_or_else(|| pod.clone(), |a| a.object.clone());
    let text = format!("a disruption budget lets no pod of {object} go: a drain waits for it");
    let mechanism = match app.map(|a| a.lost_replicas()) {
        Some(1..) => "pods-unhealthy",
        _ => "budget-allows-none",
    };
    let look = match pod.namespace.as_str() {
        "" => "kubectl get pdb -A".to_owned(),
        namespace => format!("kubectl get pdb -n {namespace}"),
    };
    let fact = evidence::field(error.document, &object, "client", error.text.clone());
    Some(
        Finding::new(KIND.id, mechanism, object.clone(), text)
            .evidence([fact])
            .affects(object, "its pods cannot be evicted")
            .unsure(Certainty::Possible, &["pods-unhealthy", "two-budgets"], look),
    )
}

/// The pod in `error when evicting pods/"web-0" -n "shop" (will retry after 5s): ...`.
fn refused_pod(text: &str) -> Option<ObjectRef> {
    let (_, rest) = text.split_once("evicting pod")?;
    let name = wording::between(rest, "\"", "\"").filter(|n| !n.is_empty())?;
    let namespace = wording::between(rest, "-n \"", "\"").unwrap_or_default();
    Some(ObjectRef::new(Kind::Pod, namespace, name))
}

/// Why no pod may be evicted; `None` when one may.
fn blocks(budget: &Budget, apps: &[&App], now: &Snapshot) -> Option<&'static str> {
    if apps.iter().any(|a| other(budget, a, now).is_some()) {
        return Some("two-budgets");
    }
    let shown = budget.meta.live.has(Known::REPLICAS);
    if !shown || budget.allowed > 0 {
        return None;
    }
    let expected = pods_of(budget, apps);
    if expected == 0 {
        return None;
    }
    Some(if allows_none(budget, expected) { "budget-allows-none" } else { "pods-unhealthy" })
}

/// How many pods it is about.
fn pods_of(budget: &Budget, apps: &[&App]) -> i64 {
    let wanted: i64 = apps.iter().filter_map(|a| a.wanted()).sum();
    let running = || apps.iter().map(|a| a.running().count()).sum::<usize>();
    match (budget.expected, wanted) {
        (1.., _) => budget.expected,
        (_, 1..) => wanted,
        _ => i64::try_from(running()).unwrap_or(i64::MAX),
    }
}

/// A table does not show whom a budget protects. The only one of a namespace that lets nobody
/// go protects those whose eviction was refused.
fn refused<'s>(budget: &Budget, now: &'s Snapshot) -> Vec<&'s App> {
    let here = now.budgets.in_namespace(&budget.meta.namespace);
    let mut shut = here.filter(|b| b.allowed == 0 && b.meta.live.has(Known::REPLICAS));
    let alone = shut.next().is_some_and(|b| b.meta.name == budget.meta.name);
    if !alone || shut.next().is_some() {
        return Vec::new();
    }
    let told = now.client_errors.iter().filter(|e| says(&e.text, wording::EVICTION_REFUSED));
    let texts: Vec<&str> = told.map(|e| e.text.as_str()).collect();
    let named = |a: &&App| {
        !texts.is_empty()
            && a.running().any(|p| texts.iter().any(|t| t.contains(p.meta.name.as_str())))
    };
    now.apps_in(&budget.meta.namespace).iter().filter(named).collect()
}

/// Whether its figures allow no eviction even when all pods are well.
fn allows_none(budget: &Budget, pods: i64) -> bool {
    match (budget.min_available, budget.max_unavailable) {
        (Some(min), _) => min.of(pods) >= pods,
        (None, Some(max)) => max.of(pods) == 0,
        (None, None) => false,
    }
}

/// Another budget that claims pods of the workload.
fn other<'s>(budget: &Budget, app: &App, now: &'s Snapshot) -> Option<&'s Budget> {
    let labels = app.pod_labels()?;
    let mut here = now.budgets.in_namespace(&budget.meta.namespace);
    here.find(|b| {
        b.meta.name != budget.meta.name
            && !b.selector.is_empty()
            && !budget.selector.is_empty()
            && b.selector.matches(labels)
    })
}

/// Somebody who wants to evict its pods.
struct Wish {
    node: Option<ObjectRef>,
    evidence: Vec<Evidence>,
    certainty: Certainty,
}

fn wanted(apps: &[&App], now: &Snapshot) -> Option<Wish> {
    let pods = || apps.iter().flat_map(|a| a.running());
    let words = || [wording::EVICTION_REFUSED, wording::TWO_BUDGETS].concat();
    let about = |text: &str| pods().any(|p| text.contains(p.meta.name.as_str()));
    let told = now.client_errors.iter().find(|e| says(&e.text, &words()) && about(&e.text));
    let event = now.events.iter().rfind(|e| {
        let own = e
            .about
            .as_ref()
            .is_some_and(|o| pods().any(|p| p.meta.object(Kind::Pod) == *o) || about(&e.message));
        own && says(&e.message, &words()) && evidence::is_recent(e, now, 3600)
    });
    let draining = now.nodes.iter().find(|n| is_draining(n, apps, now));
    let node = draining.map(|n| n.meta.object(Kind::Node));
    let mut facts: Vec<Evidence> =
        event.and_then(|e| evidence::event(e, now)).into_iter().collect();
    if let (Some(error), Some(app)) = (told, apps.first()) {
        facts.push(evidence::field(error.document, &app.object, "client", error.text.clone()));
    }
    let certainty = if facts.is_empty() { Certainty::Likely } else { Certainty::Proven };
    if let Some(node) = draining {
        let object = node.meta.object(Kind::Node);
        let value = "true, and only pods that may not be evicted are left on it";
        facts.push(evidence::field(node.meta.source, &object, "spec.unschedulable", value));
    }
    (!facts.is_empty()).then_some(Wish { node, evidence: facts, certainty })
}

/// A cordoned node on which nothing is left but these pods and what a drain leaves alone.
fn is_draining(node: &Node, apps: &[&App], now: &Snapshot) -> bool {
    let here = |p: &&Pod| p.node == node.meta.name;
    if !node.is_cordoned() || !apps.iter().any(|a| a.running().any(|p| here(&p))) {
        return false;
    }
    let stays = |a: &App| {
        let mirror = |p: &Pod| p.meta.annotation("kubernetes.io/config.mirror").is_some();
        a.object.kind == Kind::DaemonSet
            || apps.iter().any(|own| own.object == a.object)
            || a.pods.iter().any(|p| mirror(p))
            || a.pods.iter().any(|p| p.meta.owner.as_ref().is_some_and(|o| o.kind == "Node"))
    };
    now.apps.iter().filter(|a| a.running().any(|p| here(&p))).all(stays)
}

fn finding(budget: &Budget, apps: &[&App], mechanism: &'static str, wish: Wish) -> Finding {
    let object = budget.meta.object(Kind::PodDisruptionBudget);
    let pods = pods_of(budget, apps);
    let (field, value) = match (budget.min_available, budget.max_unavailable) {
        (Some(min), _) => ("spec.minAvailable", min.to_string()),
        (_, Some(max)) => ("spec.maxUnavailable", max.to_string()),
        _ => ("spec", "not shown".to_owned()),
    };
    let at = wish.node.as_ref().map(|n| format!(" from node {n}")).unwrap_or_default();
    let (healthy, needed) = budget.healthy;
    let headline = match mechanism {
        "budget-allows-none" => {
            format!("budget {object} lets no pod go{at}: {field} {value} with {pods} pods")
        }
        "two-budgets" => {
            format!("budget {object} and another claim the same pods: none may go{at}")
        }
        _ => format!("budget {object} lets no pod go{at}: {healthy} healthy, {needed} must be"),
    };
    let expected = if mechanism == "pods-unhealthy" {
        "healthy pods"
    } else {
        "maxUnavailable: 1, and one budget for each workload"
    };
    let role = if mechanism == "pods-unhealthy" { Role::Symptom } else { Role::Trigger };
    let allowed = format!("{} allowed", budget.allowed);
    let fact = evidence::field(budget.meta.source, &object, "status.disruptionsAllowed", allowed);
    let mut finding = Finding::new(KIND.id, mechanism, object, headline)
        .field(field, value, expected)
        .evidence(wish.evidence)
        .evidence([fact])
        .role(role);
    if wish.certainty < Certainty::Proven {
        let look = "kubectl get events -A | grep -i evict; kubectl get nodes";
        finding = finding.unsure(wish.certainty, &[], look);
    }
    match wish.node {
        Some(node) => finding.affects(node, "cannot be drained"),
        None => match apps.first() {
            Some(app) => finding.affects(app.object.clone(), "its pods cannot be evicted"),
            None => finding,
        },
    }
}

fn exposed(now: &Snapshot, gaps: &mut Vec<Gap>) {
    for budget in now.budgets.iter().filter(|b| b.meta.shows(Known::SPEC)) {
        let apps = now.protected_by(budget);
        let object = budget.meta.object(Kind::PodDisruptionBudget);
        let mut gap = |field: &str, why: String| {
            gaps.push(Gap { failure: KIND.id, object: object.clone(), field: field.into(), why });
        };
        if let Some(twin) = apps.iter().find_map(|a| other(budget, a, now)) {
            gap("spec.selector", format!("budget {} claims the same pods", twin.meta.name));
        }
        let pods = pods_of(budget, &apps);
        if pods > 0 && allows_none(budget, pods) {
            let field = if budget.min_available.is_some() { MIN } else { MAX };
            gap(
                field,
                format!("no pod of {pods} may ever be evicted: no node of theirs can be drained"),
            );
        }
    }
}

const MIN: &str = "spec.minAvailable";
const MAX: &str = "spec.maxUnavailable";

fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = &finding.object.namespace;
    let budget = now.budgets.get(namespace, &finding.object.name);
    let app = budget.and_then(|b| now.protected_by(b).into_iter().next());
    let mut next = vec![Step::look(
        "See which pods it counts and how many may go",
        format!("kubectl describe {object}; kubectl get pods -n {namespace} -o wide"),
    )];
    let scale = app.and_then(|a| Some((a, a.wanted()?)));
    match (finding.mechanism, scale) {
        ("budget-allows-none", Some((app, replicas))) if app.object.kind == Kind::Deployment => {
            let target = app.object.for_kubectl();
            let to = |n: i64| format!("kubectl scale {target} --replicas={n}");
            next.push(Step::change(
                "Make one pod more; drain; go back afterwards",
                to(replicas.saturating_add(1)),
                to(replicas),
            ));
        }
        ("two-budgets", _) => {
            next.push(Step::advice("Delete the budget that nobody misses"));
        }
        ("pods-unhealthy", _) => {
            next.push(Step::advice("Repair the pods that are not ready first"))
        }
        _ => {}
    }
    Remedy {
        next,
        do_not: vec![
            "Do not use drain --disable-eviction: it deletes pods whatever the budget says".into(),
            "Do not leave the node cordoned for days: uncordon it when the drain is given up"
                .into(),
        ],
    }
}

fn prevent(gap: &Gap, _: &Snapshot) -> Option<Patch> {
    let body = match gap.field.as_str() {
        MIN => "spec:\n  minAvailable: null\n  maxUnavailable: 1\n",
        MAX => "spec:\n  maxUnavailable: 1\n",
        _ => return None,
    };
    Some(Patch { object: gap.object.clone(), body: body.into() })
}

fn rehearse() -> Option<Scenario> {
    Some(Scenario {
        story: "A node is drained, and a budget asks for as many pods as there are.",
        acts: vec![(10, Act::Unmodelled("a node is drained, and budgets are respected"))],
        found_within_seconds: 300,
    })
}

#[cfg(test)]
mod tests;
