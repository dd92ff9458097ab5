//! What controllers of a real control plane do in every case that matters, as tables: node
//! health and zones, eviction by taints, disruption budgets and evictions.

// Helpers of tests may fail like tests.
#![allow(clippy::unwrap_used, clippy::panic, clippy::expect_used)]

mod budgets;
mod evictions;
mod nodes;
mod stage;
mod taints;
