//! The shape of a failure kind: five questions, answered in one file of the catalogue.

use crate::record::{Claim, Node, Service};
use crate::{App, Finding, Findings, Kind, ObjectRef, Snapshot};

/// A failure kind.
#[derive(Clone, Copy, Debug)]
pub struct FailureKind {
    /// `subject-symptom`, lower case.
    pub id: &'static str,
    /// Other ids that mean the same failure.
    pub also: &'static [&'static str],
    /// The page that `explain` prints: a title line and sections.
    pub page: &'static str,
    /// Which agreements can be broken.
    pub mechanisms: &'static [Mechanism],
    /// Kinds of object that detection reads: the watch list and the rights it needs.
    pub reads: &'static [Kind],
    /// Failures it can cause: an id, or one mechanism of a failure as `id/mechanism`.
    pub leads_to: &'static [&'static str],
    /// Is it happening?
    pub detect: Detect,
    /// Could it happen?
    pub exposed: fn(&Snapshot, &mut Vec<Gap>),
    /// What do we do?
    pub remedy: fn(&Finding, &Snapshot) -> Remedy,
    /// Which patch stops it?
    pub prevent: fn(&Gap, &Snapshot) -> Option<Patch>,
    /// How do we practise?
    pub rehearse: fn() -> Option<Scenario>,
}

impl FailureKind {
    /// The title of its page.
    pub fn title(&self) -> &'static str {
        self.page.lines().next().unwrap_or_default().trim().trim_start_matches('#').trim()
    }

    /// Whether it can cause this failure with this mechanism.
    pub fn causes(&self, failure: &str, mechanism: &str) -> bool {
        self.leads_to.iter().any(|entry| match entry.split_once('/') {
            Some((id, one)) => id == failure && one == mechanism,
            None => *entry == failure,
        })
    }

    /// Whether it is called so.
    pub fn is_called(&self, id: &str) -> bool {
        self.id == id || self.also.contains(&id)
    }

    /// What a mechanism of it means; the word itself when it is not one of its own.
    pub fn meaning<'a>(&self, mechanism: &'a str) -> &'a str {
        let own = self.mechanisms.iter().find(|m| m.id == mechanism);
        own.map_or(mechanism, |m| m.meaning)
    }
}

/// One agreement that can be broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mechanism {
    /// The word, e.g. `node-selector-unmatched`.
    pub id: &'static str,
    /// What it means, as a clause that can follow "because", without a full stop.
    pub meaning: &'static str,
}

/// What detection looks at, one at a time, so that a change re-evaluates only what it touches.
#[derive(Clone, Copy, Debug)]
pub enum Detect {
    /// Each workload with all that belongs to it.
    Apps(fn(&App, &Snapshot, &mut Findings)),
    /// Each node.
    Nodes(fn(&Node, &Snapshot, &mut Findings)),
    /// Each Service.
    Services(fn(&Service, &Snapshot, &mut Findings)),
    /// Each claim.
    Claims(fn(&Claim, &Snapshot, &mut Findings)),
    /// The cluster as a whole, for failures that are a pattern among objects.
    Cluster(fn(&Snapshot, &mut Findings)),
    /// Nothing: a missing protection does not happen, it only lets other failures happen. Such
    /// a kind speaks through `exposed` alone.
    Exposure,
    /// Likewise, where each workload can be asked for itself.
    ExposedApps(fn(&App, &Snapshot, &mut Vec<Gap>)),
}

impl Detect {
    /// Whether it looks for something that happens, and not only for what could.
    pub fn happens(&self) -> bool {
        !matches!(self, Detect::Exposure | Detect::ExposedApps(_))
    }
}

/// A protection that is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The failure it would stop.
    pub failure: &'static str,
    /// The object that lacks it.
    pub object: ObjectRef,
    /// The field that is missing or wrong.
    pub field: String,
    /// Why it matters.
    pub why: String,
}

/// How much a step can hurt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// Only looks.
    ReadOnly,
    /// Can be undone by one command.
    Reversible,
    /// Restarts or moves something.
    Disruptive,
    /// Cannot be undone.
    Destructive,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// What, as an instruction.
    pub what: String,
    /// The command, if there is one.
    pub command: Option<String>,
    /// How much it can hurt.
    pub risk: Risk,
    /// The command that undoes it.
    pub undo: Option<String>,
}

impl Step {
    /// A step that only looks.
    pub fn look(what: impl Into<String>, command: impl Into<String>) -> Self {
        Step { what: what.into(), command: Some(command.into()), risk: Risk::ReadOnly, undo: None }
    }

    /// A step that changes something, with the command that undoes it.
    pub fn change(
        what: impl Into<String>,
        command: impl Into<String>,
        undo: impl Into<String>,
    ) -> Self {
        Step {
            what: what.into(),
            command: Some(command.into()),
            risk: Risk::Reversible,
            undo: Some(undo.into()),
        }
    }

    /// A step without a command.
    pub fn advice(what: impl Into<String>) -> Self {
        Step { what: what.into(), command: None, risk: Risk::ReadOnly, undo: None }
    }

    /// States the risk.
    #[must_use]
    pub fn risk(mut self, risk: Risk) -> Self {
        self.risk = risk;
        self
    }
}

/// What to do and what not to do.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Remedy {
    /// Steps, the first one first.
    pub next: Vec<Step>,
    /// What makes it worse, with the reason.
    pub do_not: Vec<String>,
}

/// A change that closes a gap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// The object.
    pub object: ObjectRef,
    /// A strategic merge patch, as YAML.
    pub body: String,
}

/// A failure to rehearse on a simulated cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario {
    /// What happens, in one sentence.
    pub story: &'static str,
    /// What happens when, in seconds after the cluster is at rest.
    pub acts: Vec<(u32, Act)>,
    /// Within how many seconds after the last act it must be found.
    pub found_within_seconds: u32,
}

impl Scenario {
    /// What the simulated cluster has no physics for yet; empty when it can be played.
    pub fn waits_for(&self) -> Vec<&'static str> {
        let unmodelled = |(_, act): &(u32, Act)| match act {
            Act::Unmodelled(what) => Some(*what),
            _ => None,
        };
        self.acts.iter().filter_map(unmodelled).collect()
    }
}

/// One thing that happens in a rehearsal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Objects are applied: YAML documents.
    Apply(&'static str),
    /// A node's kubelet stops.
    StopKubelet(&'static str),
    /// It starts again.
    StartKubelet(&'static str),
    /// A node's container runtime stops answering.
    StopRuntime(&'static str),
    /// No node can pull this image any more (its registry says not found).
    LoseImage(&'static str),
    /// Containers of a workload (`namespace/name`) end with this exit code soon after starting.
    Crash {
        /// `namespace/name`.
        workload: &'static str,
        /// Exit code.
        exit_code: i32,
    },
    /// The containers of a workload (`namespace/name`) grow by this much memory a second.
    GrowMemory {
        /// `namespace/name`.
        workload: &'static str,
        /// Bytes per second.
        bytes_per_second: u64,
    },
    /// Something the simulated cluster has no physics for yet, in one plain sentence. A scenario
    /// with such an act is written down and waits.
    Unmodelled(&'static str),
}
