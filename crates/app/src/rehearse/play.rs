//! What is rehearsed: a cluster, what happens to it, and what must come of it.

use twin::scenario::Scenario as Stage;

use super::wish::Wish;

/// A rehearsal that can be run.
#[derive(Clone, Debug)]
pub(crate) struct Play {
    /// Its name.
    pub(crate) name: String,
    /// What happens, in a sentence or two.
    pub(crate) story: String,
    /// The cluster with its timeline.
    pub(crate) stage: Stage,
    /// How long it is watched, in seconds from the start.
    pub(crate) lasts_seconds: i64,
    /// What must be seen.
    pub(crate) expect: Vec<Wish>,
    /// What must never be seen.
    pub(crate) forbid: Vec<Wish>,
    /// What it takes for granted, beside what the model does anyway.
    pub(crate) assumes: Vec<String>,
}
