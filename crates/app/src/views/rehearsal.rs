//! A rehearsal as views show it.

use serde::Serialize;

use super::API_VERSION;

/// What happened in a rehearsal, and whether that was what should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rehearsal {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `Rehearsal`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// What happens.
    pub story: String,
    /// Seed of everything random.
    pub seed: u64,
    /// How long it was watched, in seconds.
    pub lasts_seconds: i64,
    /// Whether all that was expected was seen, and nothing that is forbidden.
    pub as_expected: bool,
    /// What was expected.
    pub expect: Vec<Wished>,
    /// What is forbidden.
    pub forbid: Vec<Wished>,
    /// What happened, in order of time.
    pub timeline: Vec<Entry>,
    /// Time between two looks, in seconds.
    pub step_seconds: i64,
    /// Ready endpoints of every Service at each look.
    pub ready: Vec<ReadyLine>,
    /// What the rehearsal and the simulated cluster take for granted.
    pub assumes: Vec<String>,
    /// Stands for every object at the end: the same for the same rehearsal and seed.
    pub fingerprint: String,
}

impl Default for Rehearsal {
    fn default() -> Self {
        Rehearsal {
            api_version: API_VERSION,
            kind: "Rehearsal",
            name: String::new(),
            story: String::new(),
            seed: 0,
            lasts_seconds: 0,
            as_expected: false,
            expect: Vec::new(),
            forbid: Vec::new(),
            timeline: Vec::new(),
            step_seconds: 1,
            ready: Vec::new(),
            assumes: Vec::new(),
            fingerprint: String::new(),
        }
    }
}

/// Something that had to be seen, or must not be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wished {
    /// What.
    pub what: String,
    /// When it was first seen, in seconds from the start.
    pub at_seconds: Option<i64>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When, in seconds from the start.
    pub at_seconds: i64,
    /// What sort of thing.
    #[serde(flatten)]
    pub sort: Sort,
    /// In words.
    pub text: String,
}

impl Entry {
    /// Something that happened.
    pub fn new(at_seconds: i64, sort: Sort, text: String) -> Self {
        Entry { at_seconds, sort, text }
    }
}

/// What sort of thing happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase", tag = "sort")]
pub enum Sort {
    /// The rehearsal did it.
    Act,
    /// An event of the cluster.
    Event {
        /// Whether it is a warning.
        warning: bool,
    },
    /// Ready endpoints changed.
    Ready,
    /// The diagnosis found an incident.
    Found,
    /// The diagnosis says so no more.
    Over,
}

/// Ready endpoints of a Service over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReadyLine {
    /// Namespace of the Service.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Ready endpoints at each look.
    pub ready: Vec<u32>,
}

/// What can be rehearsed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalList {
    /// `seaworthy.dev/v1`.
    pub api_version: &'static str,
    /// `RehearsalList`.
    pub kind: &'static str,
    /// The rehearsals, by name.
    pub items: Vec<RehearsalRow>,
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RehearsalRow {
    /// Its name.
    pub name: String,
    /// What happens.
    pub story: String,
    /// What the simulated cluster cannot do yet; empty when it can be run.
    pub waits_for: Vec<String>,
}

impl RehearsalList {
    /// The view of these.
    pub fn of(items: Vec<RehearsalRow>) -> Self {
        RehearsalList { api_version: API_VERSION, kind: "RehearsalList", items }
    }
}
