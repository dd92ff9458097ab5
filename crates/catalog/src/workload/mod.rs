//! Failures of workloads: what makes pods.

mod access;
mod dependency;
pub(crate) mod dependency_failing;
pub(crate) mod pods_refused;
pub(crate) mod rbac_denied;
pub(crate) mod refused;
