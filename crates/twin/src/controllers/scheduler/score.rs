//! Which of the nodes that fit is best.

use std::collections::BTreeMap;

use serde_json::Value;

use super::room::{Demand, Room};
use crate::cluster::Context;
use crate::field;

const ZONE: &str = "topology.kubernetes.io/zone";
/// Weight of spreading over nodes and zones against free room.
const SPREAD: i64 = 2;

/// The name of the best node; equals are decided by the dice.
pub(super) fn best(
    context: &mut Context<'_>,
    pod: &Value,
    demand: &Demand,
    fitting: &[&Room],
    rooms: &BTreeMap<String, Room>,
) -> Option<String> {
    let owner = field::controller(pod).map(|o| field::text(o, "/uid")).unwrap_or_default();
    let mut zones: BTreeMap<&str, i64> = BTreeMap::new();
    for room in rooms.values() {
        *zones.entry(zone(room)).or_default() += room.owners.get(owner).copied().unwrap_or(0);
    }
    let scores: Vec<_> = fitting
        .iter()
        .map(|room| {
            let here = room.owners.get(owner).copied().unwrap_or(0);
            let in_zone = zones.get(zone(room)).copied().unwrap_or(0);
            let spread = 100 / (1 + here + in_zone);
            SPREAD * spread + free(demand, room) + balance(demand, room)
        })
        .collect();
    let top = scores.iter().max()?;
    let equal: Vec<_> =
        fitting.iter().zip(&scores).filter(|(_, s)| *s == top).map(|(r, _)| r).collect();
    let count = i64::try_from(equal.len()).unwrap_or(1);
    let pick = usize::try_from(context.dice.between(0, count)).unwrap_or(0);
    equal.get(pick).map(|room| field::name(&room.node).to_owned())
}

fn zone(room: &Room) -> &str {
    let labels = field::map(&room.node, "/metadata/labels");
    labels.and_then(|l| l.get(ZONE)).and_then(Value::as_str).unwrap_or_default()
}

/// Percent of a resource that would be taken.
fn taken(taken: i64, more: i64, of: i64) -> i64 {
    (taken.saturating_add(more).saturating_mul(100) / of.max(1)).clamp(0, 100)
}

/// Percent that would stay free, cpu and memory in the middle.
fn free(demand: &Demand, room: &Room) -> i64 {
    let cpu = taken(room.taken.weight_cpu, demand.weight_cpu, room.cpu_milli);
    let memory = taken(room.taken.weight_memory, demand.weight_memory, room.memory_bytes);
    100 - (cpu + memory) / 2
}

/// How evenly cpu and memory would be taken.
fn balance(demand: &Demand, room: &Room) -> i64 {
    let cpu = taken(room.taken.cpu_milli, demand.cpu_milli, room.cpu_milli);
    let memory = taken(room.taken.memory_bytes, demand.memory_bytes, room.memory_bytes);
    100 - (cpu - memory).abs() / 2
}
