//! The chain from the cause to what is noticed, in words.

use std::collections::{BTreeMap, BTreeSet};

use crate::views::{Graph, Incident, Node};

/// One step of the chain: how deep it is, and what happened.
pub(in crate::render) struct Link {
    /// 1 for what the cause does itself.
    pub(in crate::render) depth: usize,
    /// One sentence.
    pub(in crate::render) text: String,
}

/// Names told of several objects with the same trouble.
const NAMES_TOLD: usize = 3;

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
    groups.iter().map(|(depth, failure, nodes)| link(*depth, failure, nodes)).collect()
}

/// What made it possible or worse.
pub(in crate::render) fn factors(incident: &Incident) -> Vec<String> {
    let factors = incident.graph.nodes.iter().skip(1).filter(|n| !is_effect(n));
    factors.map(|n| format!("{}: {} ({})", n.object, n.headline, n.failure)).collect()
}

fn is_effect(node: &Node) -> bool {
    node.role != "contributing" && node.role != "gap"
}

fn link(depth: usize, failure: &str, nodes: &[&Node]) -> Link {
    let text = match nodes {
        [node] => node.headline.clone(),
        nodes => {
            let mut names: Vec<String> =
                nodes.iter().take(NAMES_TOLD).map(|n| n.object.to_string()).collect();
            if nodes.len() > NAMES_TOLD {
                names.push(format!("{} more", nodes.len() - NAMES_TOLD));
            }
            format!("{failure} on {} objects: {}", nodes.len(), names.join(", "))
        }
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
