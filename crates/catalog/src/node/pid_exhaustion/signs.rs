//! What says that a machine, or one pod on it, has used up the processes it may have.

use std::collections::BTreeSet;

use model::record::Node;
use model::{HostFigure, Kind, Snapshot};

use crate::node::complaints::{self, Complaint};
use crate::node::signs::{self, Sign, Source};
use crate::wording::{self, says};

/// Everything about one machine.
pub(super) struct Signs<'s> {
    /// Its name, or empty.
    pub(super) name: &'s str,
    pub(super) node: Option<&'s Node>,
    /// The kubelet says so: PIDPressure or its events.
    pub(super) pressure: Vec<Sign<'s>>,
    /// The machine's units and kernel were refused a process.
    pub(super) refused: Vec<Sign<'s>>,
    /// A pod reached its own bound.
    pub(super) pod_bound: Vec<Sign<'s>>,
    /// Pods were refused one, by the runtime.
    pub(super) by_runtime: Vec<Complaint<'s>>,
    /// Programs say that they were.
    pub(super) by_program: Vec<Complaint<'s>>,
    /// Tasks that were counted on it.
    pub(super) tasks: Option<(u32, u16)>,
}

/// What is said about each machine.
pub(super) fn all(now: &Snapshot) -> Vec<Signs<'_>> {
    let mut complaints = complaints::by_node(now, fits);
    let known = if now.hosts.is_empty() {
        now.nodes_where(|n, now| Signs::of(&n.meta.name, Some(n), now).tell())
    } else {
        now.known_nodes().collect()
    };
    let known = known.into_iter().map(|n| n.meta.name.as_str());
    let names: BTreeSet<&str> = known.chain(complaints.keys().copied()).collect();
    let of = |name| {
        let node = now.nodes.get("", name).or_else(|| now.implied_nodes.get("", name));
        let mut signs = Signs::of(name, node, now);
        for complaint in complaints.remove(name).unwrap_or_default() {
            let list =
                if complaint.by_program { &mut signs.by_program } else { &mut signs.by_runtime };
            list.push(complaint);
        }
        signs
    };
    names.into_iter().map(of).collect()
}

/// Whether a pod's words are about processes it could not get.
fn fits(text: &str) -> bool {
    wording::lacks_processes(text) || says(text, &["low on resource: pids"])
}

impl<'s> Signs<'s> {
    /// What the machine says itself.
    fn of(name: &'s str, node: Option<&'s Node>, now: &'s Snapshot) -> Self {
        let mut signs = Signs {
            name,
            node,
            pressure: Vec::new(),
            refused: Vec::new(),
            pod_bound: Vec::new(),
            by_runtime: Vec::new(),
            by_program: Vec::new(),
            tasks: tasks(name, now),
        };
        let said = node.map(|n| signs::of(n, now)).unwrap_or_default();
        for sign in said {
            signs.sort(sign, now);
        }
        signs
    }

    fn tell(&self) -> bool {
        !(self.pressure.is_empty() && self.refused.is_empty() && self.pod_bound.is_empty())
    }

    fn sort(&mut self, sign: Sign<'s>, now: &Snapshot) {
        let Some(node) = self.node else { return };
        let pressure = match sign.source {
            Source::Condition => sign.reason == "PIDPressure",
            Source::Event => {
                sign.reason == "NodeHasInsufficientPID"
                    || (sign.reason == "EvictionThresholdMet" && sign.says(&["pids"]))
            }
            Source::Log => sign.says(&["attempting to reclaim\" resourcename=\"pids\""]),
        };
        let cleared = sign.source == Source::Event
            && node.condition("PIDPressure").is_some_and(|c| c.status == model::Truth::False);
        if pressure {
            if !cleared && sign.is_current(node, now) {
                self.pressure.push(sign);
            }
        } else if sign.source != Source::Condition && wording::lacks_processes(sign.text) {
            if !sign.is_current(node, now) {
                return;
            }
            let bound = sign.says(wording::POD_PROCESSES) && sign.says(&["kubepods"]);
            if bound { self.pod_bound.push(sign) } else { self.refused.push(sign) }
        }
    }
}

/// Tasks counted on the machine, the most of several counts.
fn tasks(name: &str, now: &Snapshot) -> Option<(u32, u16)> {
    let counts = now.host_figures(name).filter_map(|h| match h.figure {
        HostFigure::Tasks { total, .. } => Some((total, h.document)),
        _ => None,
    });
    counts.max()
}

/// Commands of which most processes run on a machine.
pub(super) fn most(name: &str, now: &Snapshot) -> Option<(String, u32)> {
    let counts = now.host_figures(name).filter_map(|h| match &h.figure {
        HostFigure::Processes { command, count, .. } => Some((*count, command.to_string())),
        _ => None,
    });
    counts.max().map(|(count, command)| (command, count))
}

/// Whether the object is a node that was read.
pub(super) fn is_read(object: &model::ObjectRef, now: &Snapshot) -> bool {
    object.kind == Kind::Node && now.nodes.get("", &object.name).is_some()
}
