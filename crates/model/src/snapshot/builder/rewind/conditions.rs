//! Conditions as they were at a moment.

use std::sync::Arc;

use super::Unknown;
use super::events::Words;
use crate::record::{Known, Node};
use crate::{Condition, Kind, List, Timestamp, Truth};

/// Only those that held as they are now.
pub(super) fn until(conditions: &List<Condition>, at: Timestamp) -> List<Condition> {
    conditions.iter().filter(|c| c.since.is_none_or(|t| t <= at)).cloned().collect()
}

/// Events that say a condition of a node: its type, when it holds, when it does not.
const TOLD_BY: [(&str, &str, &str); 4] = [
    ("Ready", "NodeReady", "NodeNotReady"),
    ("MemoryPressure", "NodeHasInsufficientMemory", "NodeHasSufficientMemory"),
    ("DiskPressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure"),
    ("PIDPressure", "NodeHasInsufficientPID", "NodeHasSufficientPID"),
];

/// Takes nodes that were there back to the moment.
pub(super) fn nodes(nodes: &mut [Arc<Node>], at: Timestamp, words: &Words, unknown: &mut Unknown) {
    let later = |c: &Condition| c.since.is_some_and(|t| t > at);
    for node in nodes {
        let moved = node.conditions.iter().any(later);
        let beats = node.conditions.iter().any(|c| c.heartbeat.is_some_and(|t| t > at));
        let taints = node.taints.iter().any(|t| t.time_added.is_some_and(|t| t > at));
        if !moved && !beats && !taints {
            continue;
        }
        let node = Arc::make_mut(node);
        let object = node.meta.object(Kind::Node);
        if taints {
            let cordon = |key: &str| key == "node.kubernetes.io/unschedulable";
            let new = |t: &&crate::record::Taint| t.time_added.is_some_and(|t| t > at);
            if node.taints.iter().filter(new).any(|t| cordon(&t.key)) {
                node.unschedulable = false;
            }
            node.taints = node.taints.iter().filter(|t| !new(t)).cloned().collect();
        }
        let mut kept = Vec::new();
        for c in node.conditions.iter() {
            if !later(c) {
                let mut c = c.clone();
                c.heartbeat = c.heartbeat.min(Some(at)).or(c.heartbeat);
                kept.push(c);
                continue;
            }
            let told = TOLD_BY.iter().find(|(kind, ..)| *kind == c.kind);
            let told = told.and_then(|(_, yes, no)| {
                let (since, word) = words.last_by(&object, &[*yes, *no], at)?;
                Some((since, if word == *yes { Truth::True } else { Truth::False }))
            });
            match told {
                Some((since, status)) => {
                    let mut was = Condition::new(&c.kind, status, "", "");
                    was.since = Some(since);
                    kept.push(was);
                }
                None => {
                    let why = "they changed later, and only the last change is kept";
                    let whose = format!("{} of {}", c.kind, object.name);
                    unknown.note("conditions of nodes", why, whose);
                }
            }
        }
        if kept.len() < node.conditions.len() {
            node.meta.known = node.meta.known.without(Known::CONDITIONS);
            node.meta.live = node.meta.live.without(Known::CONDITIONS);
        }
        node.conditions = kept.into();
    }
}
