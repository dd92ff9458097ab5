//! Slowness among workloads: who is slow, who calls whom, and which one place explains it.
//!
//! Latency travels upwards to callers. Who is named by alerts is mostly a victim; the culprit
//! is what all victims have below them. It names places and how well they fit; what a person
//! is told is decided by the kinds.

pub(crate) mod calls;
pub(crate) mod explain;
pub(crate) mod members;
