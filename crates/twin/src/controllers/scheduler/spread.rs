//! Topology spread constraints: how evenly matching pods lie over zones or nodes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::affinity;
use super::filter::{Plugin, Refusal};
use super::room::Room;
use super::rooms::Rooms;
use crate::cluster::Context;
use crate::controllers::taint_eviction::tolerates;
use crate::controllers::{labels_match, selects};
use crate::field;
use crate::kinds::{REPLICA_SET, REPLICATION_CONTROLLER, SERVICE, STATEFUL_SET};
use crate::store::Object;

pub(super) const HOST: &str = "kubernetes.io/hostname";
const ZONE: &str = "topology.kubernetes.io/zone";

/// One constraint and how many matching pods each value of its key has.
struct Constraint {
    key: String,
    max_skew: i64,
    counts: BTreeMap<String, i64>,
    matches_self: bool,
    least: i64,
}

/// The constraints of a pod: those that must hold, and those that count for the choice.
pub(super) struct Wish {
    hard: Vec<Constraint>,
    soft: Vec<Constraint>,
    /// Whether nodes without all of the keys are left out of the choice.
    needs_keys: bool,
}

impl Wish {
    pub fn of(context: &Context<'_>, pod: &Object, rooms: &Rooms) -> Self {
        let own = field::list(pod, "/spec/topologySpreadConstraints");
        let of = |when: &str| -> Vec<Constraint> {
            let wanted = own.iter().filter(|c| field::text(c, "/whenUnsatisfiable") == when);
            wanted.map(|constraint| read(pod, constraint, rooms, when)).collect()
        };
        let mut soft = of("ScheduleAnyway");
        if own.is_empty()
            && let Some(selector) = default_selector(context, pod)
        {
            let default = |key: &str, skew: i64| {
                let constraint = json!({
                    "topologyKey": key, "maxSkew": skew, "labelSelector": selector,
                    "nodeTaintsPolicy": "Ignore", "nodeAffinityPolicy": "Honor",
                });
                read(pod, &constraint, rooms, "")
            };
            soft = vec![default(HOST, 3), default(ZONE, 5)];
        }
        Self { hard: of("DoNotSchedule"), soft, needs_keys: !own.is_empty() }
    }

    /// Whether a node may be refused.
    pub fn is_hard(&self) -> bool {
        !self.hard.is_empty()
    }

    /// Whether the constraints would still hold with the pod on this node.
    pub fn check(&self, room: &Room) -> Result<(), Refusal> {
        const WHY: &str = "node(s) didn't match pod topology spread constraints";
        let refused = |reason: String, resolvable| {
            Err(Refusal { plugin: Plugin::Spread, reasons: vec![reason], resolvable })
        };
        for constraint in &self.hard {
            let Some(value) = room.label(&constraint.key) else {
                return refused(format!("{WHY} (missing required label)"), false);
            };
            let here = constraint.counts.get(value).copied().unwrap_or(0);
            let skew = here + i64::from(constraint.matches_self) - constraint.least;
            if skew > constraint.max_skew {
                return refused(WHY.to_owned(), true);
            }
        }
        Ok(())
    }

    /// Points of each node, 0 to 100; none where nothing is to be spread.
    pub fn scores(&self, fitting: &[&Room]) -> Option<Vec<i64>> {
        if self.soft.is_empty() {
            return None;
        }
        let counts = |room: &Room| {
            !self.needs_keys || self.soft.iter().all(|c| room.label(&c.key).is_some())
        };
        let weights: Vec<f64> = self.soft.iter().map(|c| c.weight(fitting)).collect();
        let crowd = |room: &Room| -> i64 {
            let of = self.soft.iter().zip(&weights).filter_map(|(constraint, weight)| {
                let value = room.label(&constraint.key)?;
                let count = constraint.counts.get(value).copied().unwrap_or(0);
                Some(count as f64 * weight + (constraint.max_skew - 1) as f64)
            });
            of.sum::<f64>().round() as i64
        };
        let raw: Vec<Option<i64>> =
            fitting.iter().map(|room| counts(room).then(|| crowd(room))).collect();
        let (least, most) = (raw.iter().flatten().min()?, raw.iter().flatten().max()?);
        let points = raw.iter().map(|crowd| match crowd {
            None => 0,
            Some(_) if *most == 0 => 100,
            Some(crowd) => 100 * (most + least - crowd) / most,
        });
        Some(points.collect())
    }
}

impl Constraint {
    /// Few values weigh less than many.
    fn weight(&self, fitting: &[&Room]) -> f64 {
        let values: BTreeSet<&str> =
            fitting.iter().filter_map(|room| room.label(&self.key)).collect();
        let size = if self.key == HOST { fitting.len() } else { values.len() };
        (size as f64 + 2.0).ln()
    }
}

fn read(pod: &Object, constraint: &Value, rooms: &Rooms, when: &str) -> Constraint {
    let key = field::text(constraint, "/topologyKey").to_owned();
    let mut selector = constraint["labelSelector"].clone();
    let labels = field::map(pod, "/metadata/labels");
    for key in field::list(constraint, "/matchLabelKeys").iter().filter_map(Value::as_str) {
        if let Some(value) = labels.and_then(|labels| labels.get(key)) {
            field::child(&mut selector, "matchLabels").insert(key.to_owned(), value.clone());
        }
    }
    let affinity = field::text(constraint, "/nodeAffinityPolicy") != "Ignore";
    let taints = field::text(constraint, "/nodeTaintsPolicy") == "Honor";
    let counts_on = |room: &Room| {
        (!affinity || affinity::matches(pod, &room.node))
            && (!taints || is_tolerated(pod, &room.node))
    };
    let mut counts: BTreeMap<String, i64> = BTreeMap::new();
    // Empty places matter only where the emptiest decides.
    if when == "DoNotSchedule" {
        for room in rooms.values().filter(|room| counts_on(room)) {
            counts.extend(room.label(&key).map(|value| (value.to_owned(), 0)));
        }
    }
    for (room, other) in rooms.in_namespace(field::namespace(pod)) {
        let meant = selector.is_object() && !field::is_deleting(other) && selects(&selector, other);
        if meant
            && counts_on(room)
            && let Some(value) = room.label(&key)
        {
            *counts.entry(value.to_owned()).or_default() += 1;
        }
    }
    let least_domains = constraint["minDomains"].as_i64().unwrap_or(1);
    let least = match (counts.len() as i64) < least_domains {
        true => 0,
        false => counts.values().min().copied().unwrap_or(0),
    };
    Constraint {
        matches_self: selector.is_object() && selects(&selector, pod),
        max_skew: field::number(constraint, "/maxSkew"),
        key,
        counts,
        least,
    }
}

fn is_tolerated(pod: &Value, node: &Value) -> bool {
    let tolerations = field::list(pod, "/spec/tolerations");
    field::list(node, "/spec/taints").iter().all(|taint| {
        field::text(taint, "/effect") == "PreferNoSchedule"
            || tolerations.iter().any(|one| tolerates(one, taint))
    })
}

/// What the services and the owner of a pod select: its equals.
fn default_selector(context: &Context<'_>, pod: &Value) -> Option<Value> {
    let store = &context.registry.store;
    let namespace = field::namespace(pod);
    let mut labels = serde_json::Map::new();
    let mut expressions: Vec<Value> = Vec::new();
    for service in store.in_namespace(SERVICE.storage, namespace) {
        let selector = field::map(service, "/spec/selector");
        if labels_match(selector, pod) {
            labels.extend(selector.into_iter().flatten().map(|(k, v)| (k.clone(), v.clone())));
        }
    }
    if let Some(owner) = field::controller(pod) {
        let kinds = [&REPLICA_SET, &STATEFUL_SET, &REPLICATION_CONTROLLER];
        let kind = kinds.into_iter().find(|kind| kind.kind == field::text(owner, "/kind"));
        let name = field::text(owner, "/name");
        if let Some(object) = kind.and_then(|kind| store.get(kind.storage, namespace, name)) {
            let selector = &object["spec"]["selector"];
            let plain = selector.get("matchLabels").unwrap_or(selector).as_object();
            if selector.get("matchExpressions").is_none() || selector.get("matchLabels").is_some() {
                let all = plain.into_iter().flatten();
                labels.extend(all.map(|(k, v)| (k.clone(), v.clone())));
            }
            expressions.extend(field::list(selector, "/matchExpressions").iter().cloned());
        }
    }
    let found = !labels.is_empty() || !expressions.is_empty();
    found.then(|| json!({"matchLabels": labels, "matchExpressions": expressions}))
}
