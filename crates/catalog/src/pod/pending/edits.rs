//! Explanations that end in an edit of the workload's own rules: selector, affinity,
//! tolerations, spread.

use std::collections::{BTreeMap, BTreeSet};

use model::record::{PodTerm, Taint};
use model::{Kind, Labels, ObjectRef, Requirement, Role, Selector};

use super::cause::{Cause, Scene, listed};
use super::fit::{self, Fit, Obstacle};
use super::message::Reason;
use crate::evidence;
use crate::pod::edit::nearest;

/// The node selector names a label that no node has.
pub(crate) fn selector(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let mechanism = "node-selector-unmatched";
    let Some(spec) = scene.waiting.spec.as_ref().filter(|s| !s.node_selector.is_empty()) else {
        let cause = Cause::new(mechanism, object, "no node has the labels it selects");
        let expected = "labels that some node has".into();
        return cause.at(scene.field("nodeSelector"), "not shown".into(), expected);
    };
    let fore = scene.fore();
    let has = |f: &&&Fit<'_>, (k, v): (&str, &str)| f.labels.get(k) == Some(v);
    let nowhere = spec
        .node_selector
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .find(|pair| fore.iter().filter(|f| has(f, *pair)).count() == 0);
    let known = fore.iter().any(|f| f.labels_known);
    let Some((key, value)) = nowhere.filter(|_| known) else {
        let all = spec.node_selector.to_string();
        let why = match known {
            true => format!("no node has all of the labels {all} at once"),
            false => format!("no node has the label {all}"),
        };
        let cause = Cause::new(mechanism, object, why);
        let field = match spec.node_selector.as_ref() {
            [(key, _)] => scene.field(&format!("nodeSelector.{key}")),
            _ => scene.field("nodeSelector"),
        };
        let value = match spec.node_selector.as_ref() {
            [(_, value)] => value.to_string(),
            _ => all,
        };
        return cause.at(field, value, "labels that one node has".into());
    };
    let (expected, facts) = meant(scene, key, value);
    let mut cause = Cause::new(mechanism, object, format!("no node has the label {key}={value}"))
        .at(scene.field(&format!("nodeSelector.{key}")), value.into(), expected);
    cause.evidence.extend(facts);
    cause
}

/// What the label should have been, judging by the labels that nodes have.
fn meant(scene: &Scene<'_>, key: &str, value: &str) -> (String, Vec<model::Evidence>) {
    let fore = scene.fore();
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for fit in &fore {
        if let Some(v) = fit.node.meta.labels.get(key) {
            values.entry(v).or_default().push(&fit.node.meta.name);
        }
    }
    let fact = |fit: &Fit<'_>, key: &str| {
        let object = fit.node.meta.object(Kind::Node);
        let value = fit.node.meta.labels.get(key).unwrap_or("(no such label)");
        evidence::field(fit.node.meta.source, &object, format!("metadata.labels[{key}]"), value)
    };
    let facts = |key: &str| fore.iter().take(3).map(|f| fact(f, key)).collect();
    if !values.is_empty() {
        let best = nearest(value, values.keys().copied());
        let best = best.or_else(|| values.iter().max_by_key(|(_, n)| n.len()).map(|(v, _)| *v));
        let best = best.unwrap_or_default();
        let nodes = values.get(best).map(|n| listed(n.iter().copied(), 3)).unwrap_or_default();
        return (format!("{best} (as {nodes})"), facts(key));
    }
    let keys = fore.iter().flat_map(|f| f.node.meta.labels.iter().map(|(k, _)| k.as_str()));
    let keys: BTreeSet<&str> = keys.collect();
    match nearest(key, keys) {
        Some(other) => (format!("the key {other}, which nodes have"), facts(other)),
        None => ("a label that some node has".into(), facts(key)),
    }
}

/// The node affinity is met by no node.
pub(crate) fn affinity(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let base = "affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution";
    let field = scene.field(base);
    let spec = scene.waiting.spec.as_ref();
    let terms = spec.and_then(|s| s.affinity.as_ref()).map(|a| &a.nodes);
    let Some(terms) = terms.filter(|t| !t.is_empty()) else {
        let why = "no node meets its node affinity";
        let cause = Cause::new("node-affinity-unmatched", object, why);
        return cause.at(field, "not shown".into(), "a rule that some node meets".into());
    };
    let fore = scene.fore();
    let met =
        |r: &Requirement| fore.iter().any(|f| r.met_by(f.labels.get(&r.key))) || fore.is_empty();
    let rules: Vec<&Requirement> = terms.iter().flat_map(|t| t.match_expressions.iter()).collect();
    let unmet = rules.iter().find(|r| !met(r)).or_else(|| rules.first());
    let fields = || terms.iter().flat_map(|t| t.match_fields.iter()).next();
    let Some(rule) = unmet.copied().or_else(fields) else {
        let why = "no node meets its node affinity";
        return Cause::new("node-affinity-unmatched", object, why);
    };
    let (expected, facts) = wanted_labels(scene, rule);
    let why = format!("no node meets its node affinity `{rule}`");
    let mut cause =
        Cause::new("node-affinity-unmatched", object, why).at(field, rule.to_string(), expected);
    cause.evidence.extend(facts);
    cause
}

/// What a rule on a label should be, judging by the labels that nodes have.
fn wanted_labels(scene: &Scene<'_>, rule: &Requirement) -> (String, Vec<model::Evidence>) {
    let first = rule.values.first().map(|v| v.as_str()).unwrap_or_default();
    let (like, facts) = meant(scene, &rule.key, first);
    let expected = match rule.operator.as_str() {
        "NotIn" | "DoesNotExist" => {
            format!("a rule that some node meets; nodes have {} {like}", rule.key)
        }
        "In" => like,
        _ => "a label that some node has, or no such rule".into(),
    };
    (expected, facts)
}

/// Nodes have a taint that the pod does not tolerate.
pub(crate) fn taint(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let tainted: Vec<(&Fit<'_>, &Taint)> = scene
        .wanted()
        .into_iter()
        .filter_map(|f| {
            let taint = f.obstacles.iter().find_map(|o| match o {
                Obstacle::Taint(t) => Some(t),
                _ => None,
            });
            taint.map(|t| (f, t))
        })
        .collect();
    let Some((_, taint)) = tainted.first() else { return taint_as_said(scene) };
    let names = listed(tainted.iter().map(|(f, _)| f.node.meta.name.as_str()), 3);
    let why = format!("it does not tolerate the taint {} of {names}", taint.text());
    let expected = format!("a toleration of {}", taint.text());
    let mut cause = Cause::new("taint-not-tolerated", object, why);
    cause = cause.at(scene.field("tolerations"), tolerated(scene, &taint.key), expected);
    for (fit, taint) in tainted.iter().take(4) {
        let node = fit.node.meta.object(Kind::Node);
        let fact = evidence::field(fit.node.meta.source, &node, "spec.taints", taint.text());
        cause.evidence.push(fact);
        cause.nodes.push(node);
    }
    if let Some((fit, taint)) = tainted.iter().find(|(_, t)| is_trouble(&t.key)) {
        // The node that is sick is the thing to repair, not the pod.
        cause.object = fit.node.meta.object(Kind::Node);
        cause.why = format!("node {} has the taint {}", fit.node.meta.name, taint.text());
        cause = cause.at("spec.taints".into(), taint.text(), "a node without trouble".into());
        cause.role = Role::Symptom;
        if taint.key == UNINITIALIZED {
            let names = listed(tainted.iter().map(|(f, _)| f.node.meta.name.as_str()), 3);
            cause.object = ObjectRef::component("cloud-controller-manager");
            cause.why = format!("the cloud's controller has not set up {names}");
            cause.role = Role::Trigger;
        }
    }
    cause
}

/// The taint of a node until the cloud's controller has set it up.
const UNINITIALIZED: &str = "node.cloudprovider.kubernetes.io/uninitialized";

/// Only the scheduler's words name the taint.
fn taint_as_said(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let refusal = scene.waiting.told.as_ref().and_then(|t| t.refusal.as_ref());
    let taints = refusal.into_iter().flat_map(|r| &r.reasons).filter_map(|(n, r)| match r {
        Reason::Taint(k, v) if !fit::is_control_plane_key(k) && !k.is_empty() => Some((*n, k, v)),
        _ => None,
    });
    let Some((count, key, value)) = taints.max_by_key(|(n, _, _)| *n) else {
        let unready = refusal.is_some_and(|r| r.has(|r| *r == Reason::NotReady));
        let why = if unready {
            "the nodes it could run on are not ready"
        } else {
            "it does not tolerate the taints of the nodes"
        };
        let mut cause = Cause::new("taint-not-tolerated", object, why);
        let expected = "a toleration of their taints".into();
        cause = cause.at(scene.field("tolerations"), tolerated(scene, ""), expected);
        if unready {
            cause.role = Role::Symptom;
        }
        return cause;
    };
    let text = if value.is_empty() { key.clone() } else { format!("{key}={value}") };
    let nodes = if count == 1 { "1 node".into() } else { format!("{count} nodes") };
    let why = format!("it does not tolerate the taint {text} of {nodes}");
    let expected = format!("a toleration of {text}");
    let mut cause = Cause::new("taint-not-tolerated", object, why);
    cause = cause.at(scene.field("tolerations"), tolerated(scene, key), expected);
    if is_trouble(key) {
        cause.role = Role::Symptom;
        let expected = "nodes that are ready and not short of anything".into();
        cause = cause.at("status.conditions of the nodes".into(), key.clone(), expected);
    }
    cause
}

/// A taint that a sick node got by itself: the node is the trouble, not the pod.
fn is_trouble(key: &str) -> bool {
    key.starts_with("node.kubernetes.io/") || key.starts_with("node.cloudprovider.kubernetes.io/")
}

/// The tolerations it has, those of this key first.
fn tolerated(scene: &Scene<'_>, key: &str) -> String {
    let Some(spec) = &scene.waiting.spec else { return "not shown".into() };
    let mut own: Vec<_> = spec.tolerations.iter().collect();
    own.sort_by_key(|t| t.key != key);
    let text = own.iter().take(3).map(|t| {
        let value = if t.value.is_empty() { String::new() } else { format!("={}", t.value) };
        let effect = if t.effect.is_empty() { String::new() } else { format!(":{}", t.effect) };
        format!("{}{value}{effect}", t.key)
    });
    let text: Vec<String> = text.collect();
    if text.is_empty() { "none".into() } else { text.join(", ") }
}

/// Pods it must be beside are nowhere, or pods it must not be beside are everywhere.
pub(crate) fn pod_rules(scene: &Scene<'_>, mechanism: &'static str) -> Cause {
    let object = scene.app().object.clone();
    let beside = mechanism == "pod-affinity-unmatched";
    let part = if beside { "podAffinity" } else { "podAntiAffinity" };
    let field =
        scene.field(&format!("affinity.{part}.requiredDuringSchedulingIgnoredDuringExecution"));
    let affinity = scene.waiting.spec.as_ref().and_then(|s| s.affinity.as_ref());
    let terms = affinity.map(|a| if beside { &a.pods } else { &a.anti });
    let Some(term) = terms.and_then(|t| t.first()) else {
        let (why, expected) = match beside {
            true => ("no node has the pods it must be beside", "pods that exist"),
            false => ("each node has a pod that it must not be beside", "a rule that can hold"),
        };
        return Cause::new(mechanism, object, why).at(field, "not shown".into(), expected.into());
    };
    let selector = term.label_selector.clone().unwrap_or_default();
    let value = format!("{selector} by {}", term.topology_key);
    let own = scene.app().pod_labels().is_some_and(|l| selector.matches(l));
    if beside {
        let why = format!("there is no pod {selector} beside which it may run");
        let expected = near_labels(scene, &selector, term);
        return Cause::new(mechanism, object, why).at(field, value, expected);
    }
    let many = scene.app().wanted().unwrap_or(0);
    let (why, expected) = if own {
        let nodes = scene.wanted().len();
        let why = format!("each {} may hold only one of its {many} pods", term.topology_key);
        (why, format!("at most {nodes} replicas, or a preference instead of a rule"))
    } else {
        let why = format!("pods {selector}, which it must not be beside, are everywhere");
        (why, "a preference instead of a rule, or nodes without such pods".into())
    };
    Cause::new(mechanism, object, why).at(field, value, expected)
}

/// Labels of pods that were probably meant.
fn near_labels(scene: &Scene<'_>, selector: &Selector, term: &PodTerm) -> String {
    let here = scene.now.apps_in(&scene.app().object.namespace);
    let others: Vec<&Labels> = here.iter().filter_map(|a| a.pod_labels()).collect();
    let near = selector.match_labels.iter().find_map(|(key, value)| {
        let values = others.iter().filter_map(|l| l.get(key));
        nearest(value, values).map(|v| format!("{key}={v}, which pods of this namespace have"))
    });
    near.unwrap_or_else(|| {
        format!("labels of pods that run, and the node label {}", term.topology_key)
    })
}

/// The pods cannot be spread as the workload wants.
pub(crate) fn spread(scene: &Scene<'_>) -> Cause {
    let object = scene.app().object.clone();
    let rules = scene.waiting.spec.as_ref().map(|s| &s.spread);
    let hard = rules.and_then(|r| r.iter().find(|s| s.when_unsatisfiable != "ScheduleAnyway"));
    let mechanism = "topology-spread-unsatisfiable";
    let Some(rule) = hard else {
        let why = "its pods cannot be spread over the nodes as its rule wants";
        let field = scene.field("topologySpreadConstraints");
        let expected = "ScheduleAnyway, or a label that nodes have".into();
        return Cause::new(mechanism, object, why).at(field, "not shown".into(), expected);
    };
    let key = rule.topology_key.as_str();
    let fore = scene.fore();
    let known = fore.iter().any(|f| f.labels_known);
    let unlabelled = known && fore.iter().all(|f| f.node.meta.labels.get(key).is_none());
    if unlabelled {
        let why = format!("no node has the label {key}, over which its pods shall be spread");
        let field = scene.field(&format!("topologySpreadConstraints[{key}].topologyKey"));
        let keys = fore.iter().flat_map(|f| f.node.meta.labels.iter().map(|(k, _)| k.as_str()));
        let expected = nearest(key, keys).unwrap_or("a label that nodes have").to_owned();
        return Cause::new(mechanism, object, why).at(field, key.into(), expected);
    }
    let why =
        format!("one more pod would make the numbers by {key} differ by over {}", rule.max_skew);
    let field = scene.field(&format!("topologySpreadConstraints[{key}].whenUnsatisfiable"));
    let expected = "ScheduleAnyway, or room in the emptiest part".into();
    Cause::new(mechanism, object, why).at(field, "DoNotSchedule".into(), expected)
}
