//! Failures of workloads: what makes pods.

mod access;
pub(crate) mod pods_refused;
pub(crate) mod rbac_denied;
pub(crate) mod refused;
