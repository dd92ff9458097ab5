//! Which nodes could take a pod, which not and why, and which comes nearest.

use std::collections::BTreeMap;

use model::record::{Known, Pod, PodSpec};
use model::{App, Kind, Quantity, Question, Snapshot};

use crate::pod::pending::cause::listed;
use crate::pod::pending::fit::{self, Demand, Fit, Obstacle, resources_of};
use crate::pod::pending::supply::Supply;
use crate::pod::pending::told;

/// Names of nodes told in one row.
const NAMES_TOLD: usize = 3;

/// What a pod asks of nodes, in words.
pub(super) fn wishes(spec: &PodSpec, question: &mut Question) {
    let asks = |r: &&str| spec.requests(r).is_positive();
    let asked: Vec<String> = resources_of(spec)
        .into_iter()
        .filter(asks)
        .map(|r| format!("{r} {}", spec.requests(r).text(r)))
        .collect();
    if !asked.is_empty() {
        question.fact("asks for", asked.join(", "));
    }
    if !spec.node_selector.is_empty() {
        question.fact("node selector", spec.node_selector.to_string());
    }
    let affinity = spec.affinity.as_deref();
    let terms = affinity.map(|a| &a.nodes).filter(|t| !t.is_empty());
    if let Some(terms) = terms {
        let term = |t: &model::record::NodeTerm| {
            let all = t.match_expressions.iter().chain(&t.match_fields);
            all.map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        };
        question.fact("node affinity", terms.iter().map(term).collect::<Vec<_>>().join(", or "));
    }
    if !spec.priority_class.is_empty() {
        question.fact("priority class", spec.priority_class.as_str());
    }
}

/// Every node, grouped by what keeps the pod from it.
pub(super) fn nodes(pod: &Pod, app: &App, now: &Snapshot) -> Option<Question> {
    if now.nodes.is_empty() {
        return None;
    }
    let (spec, _) = told::spec_of(pod, app);
    let spec = spec?;
    let supply = Supply::of(now);
    let demand = Demand {
        spec: &spec,
        namespace: &pod.meta.namespace,
        daemon: app.object.kind == Kind::DaemonSet,
    };
    let fits = fit::of(&demand, now, &supply);
    let others: Vec<&Fit<'_>> = fits.iter().filter(|f| f.node.meta.name != pod.node).collect();
    let free = others.iter().filter(|f| f.obstacles.is_empty()).count();
    let placed = !pod.node.is_empty();
    let (ask, all) = if placed {
        ("Where else could it run?", format!("{} other nodes", others.len()))
    } else {
        ("Which nodes could take it?", format!("{} nodes", others.len()))
    };
    let unsure = supply.is_whole() && now.nodes.iter().all(knows);
    let limit = if unsure { "" } else { ", as far as the input shows" };
    let answer = match free {
        0 => format!("None of {all}{limit}."),
        n => format!("{n} of {all}{limit}."),
    };
    let mut question = Question::new(ask, answer);
    groups(&others, &spec, &mut question);
    if free == 0 {
        nearest(&others, &mut question);
    }
    Some(question)
}

/// Whether all of a node that matters here was shown.
fn knows(node: &model::record::Node) -> bool {
    node.meta.known.has(Known::LABELS) && !node.allocatable.is_empty()
}

fn groups(fits: &[&Fit<'_>], spec: &PodSpec, question: &mut Question) {
    let mut groups: BTreeMap<(usize, String), Vec<&str>> = BTreeMap::new();
    for fit in fits {
        let why: Vec<String> = fit.obstacles.iter().map(|o| words(o, spec)).collect();
        let why = if why.is_empty() { "could take it".to_owned() } else { why.join("; ") };
        groups.entry((fit.obstacles.len(), why)).or_default().push(&fit.node.meta.name);
    }
    for ((_, why), names) in groups {
        let count =
            if names.len() == 1 { "1 node".into() } else { format!("{} nodes", names.len()) };
        question.fact(count, format!("{why}: {}", listed(names.into_iter(), NAMES_TOLD)));
    }
}

/// What keeps a pod from a node, without the figures of the node.
fn words(obstacle: &Obstacle, spec: &PodSpec) -> String {
    match obstacle {
        Obstacle::Cordon => "cordoned".into(),
        Obstacle::Taint(taint) => format!("taint {} is not tolerated", taint.text()),
        Obstacle::Selector => format!("lacks the labels {}", spec.node_selector),
        Obstacle::Affinity => "does not meet the node affinity".into(),
        Obstacle::Port(port) => format!("port {port} of the node is taken"),
        Obstacle::Lacks { resource, .. } => format!("too little {resource} left"),
        Obstacle::Pods => "holds as many pods as it may".into(),
        Obstacle::Volume(name) => format!("volume {name} cannot be used there"),
    }
}

/// The node with the fewest obstacles, the pod's own choice first, then the smallest lack.
fn nearest(fits: &[&Fit<'_>], question: &mut Question) {
    let lack = |o: &Obstacle| match o {
        Obstacle::Lacks { asked, room, .. } => {
            let missing = asked.minus(room.free.max(Quantity::ZERO)).milli().max(0);
            i128::from(missing) * 1000 / i128::from(asked.milli().max(1))
        }
        _ => 1000,
    };
    let distance = |f: &&&Fit<'_>| {
        let sum: i128 = f.obstacles.iter().map(lack).sum();
        (f.background, !f.is_wanted(), f.obstacles.len(), sum)
    };
    let Some(fit) = fits.iter().min_by_key(distance) else { return };
    let figures = fit.obstacles.iter().map(|o| match o {
        Obstacle::Lacks { resource, asked, room, .. } => {
            let text = |q: Quantity| q.max(Quantity::ZERO).text(resource);
            let most = if room.exact { "" } else { "at most " };
            format!(
                "{} more {resource} (asked {}, {most}{} of {} left)",
                text(asked.minus(room.free.max(Quantity::ZERO))),
                text(*asked),
                text(room.free),
                text(room.total)
            )
        }
        Obstacle::Cordon => "to be uncordoned".into(),
        Obstacle::Taint(taint) => format!("a toleration for {}", taint.text()),
        Obstacle::Selector => "the labels of the node selector".into(),
        Obstacle::Affinity => "the labels of the node affinity".into(),
        Obstacle::Port(port) => format!("port {port} to be free"),
        Obstacle::Pods => "room for one more pod".into(),
        Obstacle::Volume(name) => format!("volume {name}"),
    });
    let figures: Vec<String> = figures.collect();
    question.fact("nearest", format!("{} needs {}", fit.node.meta.name, figures.join(" and ")));
}
