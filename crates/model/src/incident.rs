//! One incident per cause: a graph of findings.

use crate::{Finding, Impact, ObjectRef, Role, State};

/// How loud an incident is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing.
    Note,
    /// Worth doing in working hours.
    Ticket,
    /// Worth waking someone.
    Page,
}

/// A finding's place in an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The finding.
    pub finding: Finding,
    /// Its part here.
    pub role: Role,
}

/// Cause and effect, as indices into the members.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The cause.
    pub cause: usize,
    /// The effect.
    pub effect: usize,
    /// The relation that carries it, e.g. `selector`.
    pub why: &'static str,
}

/// Everything that follows from one cause. The first member is the cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Stable for the same input.
    pub id: String,
    /// State.
    pub state: State,
    /// Severity.
    pub severity: Severity,
    /// Findings, the cause first.
    pub members: Vec<Member>,
    /// Links among them.
    pub edges: Vec<Edge>,
    /// How much is broken in all.
    pub impact: Impact,
}

impl Incident {
    /// The finding everything else follows from.
    pub fn cause(&self) -> &Finding {
        assert!(!self.members.is_empty(), "an incident has a cause");
        &self.members[0].finding
    }
}

/// A failure that was looked at and is none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuledOut {
    /// Failure id.
    pub failure: &'static str,
    /// The object.
    pub object: ObjectRef,
    /// Why it is none.
    pub why: String,
}

/// Old signs that mean nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Stale {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}

/// The answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Somebody suffers now.
    Broken,
    /// Something is wrong, but service goes on.
    Degraded,
    /// It is getting better.
    Recovering,
    /// Nobody suffers yet.
    AtRisk,
    /// Nothing is wrong.
    Healthy,
    /// Too little to tell.
    Inconclusive,
}

/// All that is known to be wrong at one moment. Immutable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Situation {
    /// The answer.
    pub verdict: Verdict,
    /// Incidents, the most urgent first.
    pub incidents: Vec<Incident>,
    /// Looked at and none.
    pub ruled_out: Vec<RuledOut>,
    /// Old signs.
    pub stale: Vec<Stale>,
    /// What the input does not show and would have told.
    pub blind: Vec<Blind>,
}

/// Something that the input does not show.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Blind {
    /// What, e.g. `events of namespace shop`.
    pub what: String,
    /// Why it is not seen.
    pub why: String,
    /// The command that would show it.
    pub ask: String,
}
