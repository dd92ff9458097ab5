//! The shape of a diagnosis: one contract for every surface.

use serde::Serialize;

use super::{Changes, Object};

/// What is wrong, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Diagnosis {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `Diagnosis`.
    pub kind: &'static str,
    /// `broken`, `degraded`, `recovering`, `at-risk`, `healthy` or `inconclusive`.
    pub verdict: &'static str,
    /// Newest time in the evidence of captured input, now for a live cluster; RFC 3339.
    pub as_of: Option<String>,
    /// When the evidence was made, if it was taken back to an earlier moment; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub taken_back_from: Option<String>,
    /// Incidents that were over before this are left out; RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// How many were left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub older: Option<usize>,
    /// Documents that were read.
    pub input: Vec<InputDocument>,
    /// Pieces of the input that could not be read; at most 100, `input` has the whole count.
    pub skipped: Vec<Skipped>,
    /// How much was looked at.
    pub looked_at: LookedAt,
    /// What the input does not show and would have told.
    pub blind: Vec<NotSeen>,
    /// Incidents, the most urgent first.
    pub incidents: Vec<Incident>,
    /// What changed since an earlier capture, when two were compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// Failures that were looked at and are none.
    pub ruled_out: Vec<RuledOut>,
    /// Old signs that mean nothing any more.
    pub stale: Vec<Stale>,
}

/// A document of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InputDocument {
    /// Path, path inside an archive, `-`, or `live`.
    pub name: String,
    /// Format.
    pub format: String,
    /// Objects read.
    pub objects: usize,
    /// Events read.
    pub events: usize,
    /// Lines of logs read.
    pub lines: usize,
    /// Pieces that could not be read.
    pub skipped: usize,
}

/// A piece that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Skipped {
    /// Document.
    pub document: String,
    /// Line, or 0 when the form has none.
    pub line: u32,
    /// Why.
    pub why: String,
}

/// How many objects were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LookedAt {
    /// Nodes.
    pub nodes: usize,
    /// Workloads.
    pub workloads: usize,
    /// Pods.
    pub pods: usize,
    /// Services.
    pub services: usize,
    /// Events.
    pub events: usize,
    /// Failure kinds that were looked for.
    pub failure_kinds: usize,
}

/// Something that the input does not show.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotSeen {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
    /// The command that shows it.
    pub ask: String,
}

/// Everything that follows from one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Incident {
    /// Stable for the same input.
    pub id: String,
    /// 1 is the most urgent.
    pub rank: usize,
    /// `active`, `recovering`, `recovered` or `suspected`.
    pub state: &'static str,
    /// `page`, `ticket` or `note`.
    pub severity: &'static str,
    /// One sentence.
    pub headline: String,
    /// What it follows from.
    pub cause: Cause,
    /// How one thing led to the other.
    pub graph: Graph,
    /// Who suffers.
    pub affected: Vec<Affected>,
    /// Facts.
    pub evidence: Vec<Evidence>,
    /// What to do, in order.
    pub next: Vec<Step>,
    /// What makes it worse.
    pub do_not: Vec<String>,
    /// What will happen, the earliest first.
    pub forecast: Vec<Forecast>,
}

/// What an incident follows from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Failure id.
    pub failure: &'static str,
    /// Which agreement is broken.
    pub mechanism: &'static str,
    /// What the mechanism means, as a clause that can follow "because".
    pub meaning: String,
    /// The thing a person would edit or repair.
    pub object: Object,
    /// Field that is wrong.
    pub field: Option<String>,
    /// Its value.
    pub value: Option<String>,
    /// What it should have been.
    pub expected: Option<String>,
    /// Since when, RFC 3339.
    pub since: Option<String>,
    /// `proven`, `likely` or `possible`.
    pub certainty: &'static str,
    /// Other mechanisms that remain when it is not proven.
    pub alternatives: Vec<&'static str>,
    /// The command that decides between them.
    pub decide: Option<String>,
}

/// How one thing led to the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Graph {
    /// What happened; the cause first.
    pub nodes: Vec<Node>,
    /// What led to what.
    pub links: Vec<Link>,
}

/// One thing that happened to one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// `n1` and so on.
    pub id: String,
    /// Failure id.
    pub failure: &'static str,
    /// Which agreement is broken; absent for a contributing factor or a gap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<&'static str>,
    /// The object.
    pub object: Object,
    /// `trigger`, `contributing`, `mechanism`, `symptom` or `gap`.
    pub role: &'static str,
    /// One sentence.
    pub headline: String,
    /// Since when, RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
}

/// One thing led to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Link {
    /// Id of a node.
    pub cause: String,
    /// Id of a node.
    pub effect: String,
    /// The relation that carries it.
    pub why: String,
    /// Ids of the facts that show the effect.
    pub evidence: Vec<String>,
}

/// Someone who suffers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Affected {
    /// The object.
    pub object: Object,
    /// How.
    pub how: String,
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// `e1` and so on, within the incident.
    pub id: String,
    /// Document it was read from.
    pub source: String,
    /// The object.
    pub object: Object,
    /// Field, `event/REASON` or `log`.
    pub field: String,
    /// What it says.
    pub value: String,
    /// When, RFC 3339.
    pub at: Option<String>,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// What.
    #[serde(rename = "do")]
    pub what: String,
    /// The command, if there is one.
    pub command: Option<String>,
    /// `read-only`, `reversible`, `disruptive` or `destructive`.
    pub risk: &'static str,
    /// The command that undoes it.
    pub undo: Option<String>,
}

/// Something that will happen if nothing is done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Forecast {
    /// What.
    pub what: String,
    /// When, RFC 3339.
    pub at: String,
    /// Seconds from `asOf`; negative when it should have happened already.
    pub in_seconds: i64,
}

/// A failure that was looked at and is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RuledOut {
    /// Failure id.
    pub failure: &'static str,
    /// The object.
    pub object: Object,
    /// Why it is none.
    pub why: String,
}

/// Old signs that mean nothing any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Stale {
    /// What.
    pub what: String,
    /// Why not.
    pub why: String,
}
