//! Facts and the graph of one incident, with the ids by which they name each other.

use std::collections::BTreeMap;

use model::{Incident, Member};

use super::words::Word;
use super::{Evidence, Graph, Link, Node, Object};

/// The facts of an incident, each once, and which of them each member rests on.
pub(super) struct Facts {
    /// The facts, the most telling first.
    pub(super) list: Vec<Evidence>,
    of_member: Vec<Vec<String>>,
}

impl Facts {
    /// Numbers the facts of all members, the cause's first.
    pub(super) fn of(incident: &Incident, source: &dyn Fn(u16) -> String) -> Self {
        let mut ids: BTreeMap<&model::Evidence, String> = BTreeMap::new();
        let mut facts = Facts { list: Vec::new(), of_member: Vec::new() };
        for member in &incident.members {
            let mut own = Vec::new();
            for fact in &member.finding.evidence {
                let next = format!("e{}", facts.list.len() + 1);
                let id = ids.entry(fact).or_insert_with(|| next.clone());
                if *id == next {
                    facts.list.push(evidence(fact, next, source));
                }
                if !own.contains(id) {
                    own.push(id.clone());
                }
            }
            facts.of_member.push(own);
        }
        facts
    }
}

fn evidence(fact: &model::Evidence, id: String, source: &dyn Fn(u16) -> String) -> Evidence {
    Evidence {
        id,
        source: source(fact.document),
        object: (&fact.object).into(),
        field: fact.field.clone(),
        value: fact.value.clone(),
        at: fact.at.map(|t| t.to_string()),
    }
}

fn node_id(place: usize) -> String {
    format!("n{}", place + 1)
}

/// The graph: members in their order, then what made them possible or worse.
pub(super) fn graph(incident: &Incident, facts: &Facts) -> Graph {
    let mut nodes: Vec<Node> =
        incident.members.iter().enumerate().map(|(place, m)| node(place, m)).collect();
    let mut links: Vec<Link> = incident
        .edges
        .iter()
        .map(|edge| Link {
            cause: node_id(edge.cause),
            effect: node_id(edge.effect),
            why: edge.why.to_owned(),
            evidence: facts.of_member.get(edge.effect).cloned().unwrap_or_default(),
        })
        .collect();
    for (place, member) in incident.members.iter().enumerate() {
        for factor in &member.finding.factors {
            let id = node_id(nodes.len());
            links.push(Link {
                cause: id.clone(),
                effect: node_id(place),
                why: factor.role.word().to_owned(),
                evidence: Vec::new(),
            });
            nodes.push(Node {
                id,
                failure: factor.failure,
                mechanism: None,
                object: (&factor.object).into(),
                role: factor.role.word(),
                headline: factor.why.clone(),
                since: None,
            });
        }
    }
    Graph { nodes, links }
}

fn node(place: usize, member: &Member) -> Node {
    let finding = &member.finding;
    Node {
        id: node_id(place),
        failure: finding.failure,
        mechanism: Some(finding.mechanism),
        object: Object::from(&finding.object),
        role: member.role.word(),
        headline: finding.headline.clone(),
        since: finding.since.map(|t| t.to_string()),
    }
}
