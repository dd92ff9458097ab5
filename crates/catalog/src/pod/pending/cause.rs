//! What is to be said about a pod without a node: the mechanism, the object a person would
//! edit, its field and what it should be.

use model::record::Node;
use model::{App, Certainty, Evidence, Factor, Kind, ObjectRef, Role, Snapshot};

use super::choice::{self, Case, Choice};
use super::fit::{self, Demand, Fit, Obstacle};
use super::supply::Supply;
use super::told::{self, Waiting};
use super::{claims, edits, room};
use crate::evidence;
use crate::pod::edit::spec_field;

/// Why a workload's pods have no node.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) mechanism: &'static str,
    pub(crate) object: ObjectRef,
    /// A clause: `no node has the label disktype=ssd`.
    pub(crate) why: String,
    /// Field, value and what it should be.
    pub(crate) field: Option<(String, String, String)>,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: Vec<&'static str>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) role: Role,
    /// Nodes that have to do with it.
    pub(crate) nodes: Vec<ObjectRef>,
    pub(crate) factors: Vec<Factor>,
}

impl Cause {
    /// A cause at the workload itself.
    pub(crate) fn new(mechanism: &'static str, object: ObjectRef, why: impl Into<String>) -> Self {
        Cause {
            mechanism,
            object,
            why: why.into(),
            field: None,
            certainty: Certainty::Proven,
            alternatives: Vec::new(),
            evidence: Vec::new(),
            role: Role::Trigger,
            nodes: Vec::new(),
            factors: Vec::new(),
        }
    }

    /// Names the field, its value and what it should be.
    pub(crate) fn at(mut self, field: String, value: String, expected: String) -> Self {
        self.field = Some((field, value, expected));
        self
    }
}

/// Everything an explanation is made from.
pub(crate) struct Scene<'a> {
    pub(crate) waiting: &'a Waiting<'a>,
    pub(crate) fits: &'a [Fit<'a>],
    /// Nodes that matter, and those of them that the pod's own choice admits.
    fore: Vec<&'a Fit<'a>>,
    wanted: Vec<&'a Fit<'a>>,
    pub(crate) supply: &'a Supply<'a>,
    pub(crate) now: &'a Snapshot,
}

impl<'a> Scene<'a> {
    fn new(
        waiting: &'a Waiting<'a>,
        fits: &'a [Fit<'a>],
        supply: &'a Supply<'a>,
        now: &'a Snapshot,
    ) -> Self {
        let fore = choice::foreground(fits);
        let wanted = fore.iter().copied().filter(|f| f.is_wanted()).collect();
        Scene { waiting, fits, fore, wanted, supply, now }
    }

    /// The workload that waits.
    pub(crate) fn app(&self) -> &'a App {
        self.waiting.app
    }

    /// Nodes that matter.
    pub(crate) fn fore(&self) -> Vec<&'a Fit<'a>> {
        self.fore.clone()
    }

    /// Nodes that matter and that the pod's own choice admits.
    pub(crate) fn wanted(&self) -> Vec<&'a Fit<'a>> {
        self.wanted.clone()
    }

    /// A field of the object a person would edit.
    pub(crate) fn field(&self, field: &str) -> String {
        spec_field(self.app(), field)
    }
}

/// Why the workload's pods have no node; `None` when nobody said and nothing contradicts.
pub(crate) fn of(waiting: &Waiting<'_>, now: &Snapshot, supply: &Supply<'_>) -> Option<Cause> {
    let mut cause = gated(waiting).or_else(|| claims::of(waiting, now)).or_else(|| {
        let demand = waiting.spec.as_ref().map(|spec| Demand {
            spec,
            namespace: &waiting.app.object.namespace,
            daemon: waiting.app.object.kind == Kind::DaemonSet,
        });
        let fits = demand.map(|d| fit::of(&d, now, supply)).unwrap_or_default();
        explain(&Scene::new(waiting, &fits, supply, now))
    })?;
    let said = waiting.told.as_ref().map(|t| t.evidence.clone());
    cause.evidence.splice(0..0, said);
    Some(cause)
}

fn gated(waiting: &Waiting<'_>) -> Option<Cause> {
    let app = waiting.app;
    let gates = waiting.spec.as_ref().map(|s| &s.scheduling_gates).filter(|g| !g.is_empty());
    if gates.is_none() && !waiting.pods.iter().any(|p| told::is_gated(p)) {
        return None;
    }
    let names = gates.map(|g| g.join(", ")).unwrap_or_default();
    let named = if names.is_empty() { String::new() } else { format!(" ({names})") };
    let why = format!("a scheduling gate holds it back{named}");
    let value = if names.is_empty() { "a gate".into() } else { names };
    let field = spec_field(app, "schedulingGates");
    let cause = Cause::new("scheduling-gated", app.object.clone(), why);
    Some(cause.at(field, value, "none, once whoever set the gate has taken it away".into()))
}

fn explain(scene: &Scene<'_>) -> Option<Cause> {
    let refusal = scene.waiting.told.as_ref().and_then(|t| t.refusal.as_ref());
    let spec = scene.waiting.spec.as_ref();
    let placement_known = scene.waiting.placement_known;
    let case = Case { refusal, fits: scene.fits, spec, placement_known };
    let Choice { mechanism, certainty, alternatives } = match choice::of(&case) {
        Some(choice) => choice,
        None if refusal.is_some_and(|r| r.nodes == 0 && r.reasons.is_empty()) => {
            let why = "the cluster has no node at all";
            return Some(Cause::new("node-cordoned", scene.app().object.clone(), why));
        }
        None => return None,
    };
    let mut cause = match mechanism {
        "node-cordoned" => cordoned(scene),
        "taint-not-tolerated" => edits::taint(scene),
        "node-selector-unmatched" => edits::selector(scene),
        "node-affinity-unmatched" => edits::affinity(scene),
        "pod-affinity-unmatched" | "pod-anti-affinity-unmatched" => {
            edits::pod_rules(scene, mechanism)
        }
        "topology-spread-unsatisfiable" => edits::spread(scene),
        "host-port-taken" => room::port(scene),
        "volume-node-conflict" | "volume-limit-reached" => room::volume(scene, mechanism),
        _ => room::resource(scene, mechanism),
    };
    cause.certainty = certainty;
    cause.alternatives = alternatives;
    cause.factors = lost_nodes(scene, mechanism);
    Some(cause)
}

/// Workers are cordoned. Exactly one that could take the pod: that node is the thing to edit.
fn cordoned(scene: &Scene<'_>) -> Cause {
    let app = &scene.app().object;
    let blocked = |f: &&Fit<'_>| f.obstacles.contains(&Obstacle::Cordon);
    let nodes: Vec<&Node> = scene.wanted().into_iter().filter(blocked).map(|f| f.node).collect();
    let field = "spec.unschedulable";
    let mut cause = match nodes.as_slice() {
        [] => Cause::new("node-cordoned", app.clone(), "the nodes it could run on are cordoned"),
        [node] => {
            let why = match scene.wanted().len() {
                1 => format!("{}, the only node it may run on, is cordoned", node.meta.name),
                _ => format!("node {} is cordoned and the others are no use", node.meta.name),
            };
            let cause = Cause::new("node-cordoned", node.meta.object(Kind::Node), why);
            cause.at(field.into(), "true".into(), "false".into())
        }
        many => {
            let names = listed(many.iter().map(|n| n.meta.name.as_str()), 4);
            let why = format!("the nodes it could run on are cordoned: {names}");
            let field = format!("{field} of nodes {names}");
            let cause = Cause::new("node-cordoned", app.clone(), why);
            cause.at(field, "true".into(), "false".into())
        }
    };
    for node in nodes {
        let object = node.meta.object(Kind::Node);
        cause.evidence.push(evidence::field(node.meta.source, &object, field, "true"));
        cause.nodes.push(object);
    }
    cause
}

/// Nodes that are lost make the others too small: they contribute.
fn lost_nodes(scene: &Scene<'_>, mechanism: &str) -> Vec<Factor> {
    if mechanism == "taint-not-tolerated" || mechanism == "node-cordoned" {
        return Vec::new();
    }
    let factor = |f: &Fit<'_>| Factor {
        failure: "node-not-ready",
        object: f.node.meta.object(Kind::Node),
        role: Role::Contributing,
        why: format!("node {} is not ready and takes no pods", f.node.meta.name),
    };
    scene.wanted().into_iter().filter(|f| f.lost).map(factor).collect()
}

/// Names in a row, cut after some.
pub(crate) fn listed<'n>(names: impl Iterator<Item = &'n str>, most: usize) -> String {
    let names: Vec<&str> = names.collect();
    let shown = names.get(..most.min(names.len())).unwrap_or_default().join(", ");
    match names.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
