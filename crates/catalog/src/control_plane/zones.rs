//! Zones as the node controller sees them: how many nodes of each are silent, and how fast it
//! would drive their pods away. Pure arithmetic; it must never name a cause.

use std::collections::BTreeMap;

use model::record::Node;
use model::{Snapshot, Timestamp, Truth};

/// Nodes that fell silent within this many seconds of each other fell together.
const TOGETHER_SECONDS: i64 = 90;

/// Share of silent nodes from which a zone counts as disrupted.
const DISRUPTED_SHARE: f64 = 0.55;

/// Zones of up to this many nodes are not evicted at all when they are disrupted.
const LARGE_NODES: usize = 50;

/// Nodes a second that are tainted in a zone that is well, or gone as a whole.
const RATE: f64 = 0.1;

/// Nodes a second in a large zone that is disrupted.
const SECONDARY_RATE: f64 = 0.01;

/// A zone.
pub(crate) struct Zone<'s> {
    /// Its name, or empty.
    pub(crate) name: &'s str,
    /// How many nodes it has.
    pub(crate) nodes: usize,
    /// Nodes that nobody hears from, the first one first.
    pub(crate) silent: Vec<&'s Node>,
}

/// All zones, by name. Nodes without a zone share one.
pub(crate) fn of(now: &Snapshot) -> Vec<Zone<'_>> {
    let mut zones: BTreeMap<&str, Zone<'_>> = BTreeMap::new();
    for node in now.nodes.iter() {
        let name = node.zone();
        let zone = zones.entry(name).or_insert(Zone { name, nodes: 0, silent: Vec::new() });
        zone.nodes += 1;
        if node.ready() == Some(Truth::Unknown) {
            zone.silent.push(node);
        }
    }
    for zone in zones.values_mut() {
        zone.silent.sort_by_key(|n| (silent_since(n), n.meta.name.clone()));
    }
    zones.into_values().collect()
}

/// Since when a node is Unknown.
pub(crate) fn silent_since(node: &Node) -> Option<Timestamp> {
    let ready = node.condition("Ready").filter(|c| c.status == Truth::Unknown)?;
    ready.since.or(ready.heartbeat)
}

/// Whether these nodes, in order of time, fell silent together.
pub(crate) fn together(silent: &[&Node]) -> bool {
    let times: Vec<Timestamp> = silent.iter().filter_map(|n| silent_since(n)).collect();
    match (times.iter().min(), times.iter().max()) {
        (Some(first), Some(last)) => {
            silent.len() >= 2
                && times.len() == silent.len()
                && last.since(*first) <= TOGETHER_SECONDS
        }
        _ => false,
    }
}

impl Zone<'_> {
    /// Whether several of its nodes fell silent together.
    pub(crate) fn fell_together(&self) -> bool {
        together(&self.silent)
    }

    fn is_gone(&self) -> bool {
        self.nodes > 0 && self.silent.len() == self.nodes
    }

    fn is_disrupted(&self) -> bool {
        let share = self.silent.len() as f64 / (self.nodes as f64).max(1.0);
        self.silent.len() > 2 && share >= DISRUPTED_SHARE
    }

    /// Nodes a second that the node controller taints in this zone.
    pub(crate) fn rate(&self, all: &[Zone<'_>]) -> f64 {
        match (self.is_gone(), self.is_disrupted()) {
            _ if all.iter().all(Zone::is_gone) => 0.0,
            (true, _) | (_, false) => RATE,
            _ if self.nodes > LARGE_NODES => SECONDARY_RATE,
            _ => 0.0,
        }
    }

    /// The arithmetic in words.
    pub(crate) fn words(&self, all: &[Zone<'_>]) -> String {
        let name =
            if self.name.is_empty() { "the cluster".into() } else { format!("zone {}", self.name) };
        let (silent, nodes) = (self.silent.len(), self.nodes);
        let why = match self.rate(all) {
            0.0 if all.iter().all(Zone::is_gone) => "all zones are silent: held".to_owned(),
            0.0 => format!("55 % or more of at most {LARGE_NODES} nodes: held"),
            rate => format!("one node in {:.0} s", 1.0 / rate),
        };
        format!("{name}: {silent} of {nodes} nodes silent, {why}")
    }
}
