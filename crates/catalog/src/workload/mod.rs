//! Failures of workloads: what makes pods.

pub(crate) mod pods_refused;
mod refused;
