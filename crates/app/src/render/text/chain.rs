//! The chain from the cause to what is noticed, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::views::{Cause, Graph, Incident, Node};

/// One step of the chain: how deep it is, and what happened.
pub(in crate::render) struct Link {
    /// 1 for what the cause does itself.
    pub(in crate::render) depth: usize,
    /// One sentence.
    pub(in crate::render) text: String,
}

/// Names told of further objects with the same trouble.
const NAMES_TOLD: usize = 3;

/// What the mechanism means, said no more firmly than it is known, without a full stop.
pub(in crate::render) fn because(cause: &Cause) -> String {
    let meaning = cause.meaning.trim_end_matches('.');
    match cause.certainty {
        "proven" => meaning.to_owned(),
        "likely" => format!("most likely {meaning}"),
        _ => format!("perhaps {meaning}"),
    }
}

/// What follows from the cause, nearest first; objects with the same trouble in one sentence.
pub(in crate::render) fn of(incident: &Incident) -> Vec<Link> {
    let graph = &incident.graph;
    let depths = depths(graph);
    let mut groups: Vec<(usize, &str, Vec<&Node>)> = Vec::new();
    for node in graph.nodes.iter().skip(1).filter(|n| is_effect(n)) {
        let depth = depths.get(node.id.as_str()).copied().unwrap_or(1);
        match groups.iter_mut().find(|(d, f, _)| (*d, *f) == (depth, node.failure)) {
            Some((_, _, nodes)) => nodes.push(node),
            None => groups.push((depth, node.failure, vec![node])),
        }
    }
    groups.sort_by_key(|(depth, _, _)| *depth);
    groups.iter().map(|(depth, _, nodes)| link(*depth, nodes)).collect()
}

/// What made it possible or worse.
pub(in crate::render) fn factors(incident: &Incident) -> Vec<String> {
    let factors = incident.graph.nodes.iter().skip(1).filter(|n| !is_effect(n));
    factors.map(|n| format!("{}: {} ({})", n.object, n.headline, n.failure)).collect()
}

fn is_effect(node: &Node) -> bool {
    node.role != "contributing" && node.role != "gap"
}

fn link(depth: usize, nodes: &[&Node]) -> Link {
    let Some((first, others)) = nodes.split_first() else {
        return Link { depth, text: String::new() };
    };
    let mut names: Vec<String> =
        others.iter().take(NAMES_TOLD).map(|n| n.object.to_string()).collect();
    if others.len() > NAMES_TOLD {
        names.push(format!("{} more", others.len() - NAMES_TOLD));
    }
    let text = match names.as_slice() {
        [] => first.headline.clone(),
        names => format!("{}; the same with {}", first.headline, names.join(", ")),
    };
    Link { depth, text }
}

/// How many links each node is away from the cause.
fn depths(graph: &Graph) -> BTreeMap<&str, usize> {
    let mut depths = BTreeMap::new();
    let Some(cause) = graph.nodes.first() else { return depths };
    let mut edge: BTreeSet<&str> = [cause.id.as_str()].into();
    let mut depth = 0;
    while !edge.is_empty() {
        for id in &edge {
            depths.insert(*id, depth);
        }
        let links = graph.links.iter().filter(|l| edge.contains(l.cause.as_str()));
        let effects = links.map(|l| l.effect.as_str()).filter(|e| !depths.contains_key(e));
        edge = effects.collect();
        depth += 1;
    }
    depths
}
