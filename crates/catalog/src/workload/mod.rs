//! Failures of workloads: what makes pods.

mod access;
mod audit;
mod dependency;
pub(crate) mod dependency_failing;
mod job;
pub(crate) mod job_failing;
pub(crate) mod limits_missing;
pub(crate) mod not_updated;
pub(crate) mod pdb_blocking;
pub(crate) mod pdb_missing;
pub(crate) mod pod_unknown;
pub(crate) mod pods_refused;
pub(crate) mod quota_nearly_full;
pub(crate) mod rbac_denied;
pub(crate) mod readiness_missing;
pub(crate) mod refused;
pub(crate) mod replicas_colocated;
pub(crate) mod rollout_failing;
pub(crate) mod scaled_to_zero;
pub(crate) mod single_replica;
pub(crate) mod update_stuck;
pub(crate) mod volume_leftover;
mod zero;
