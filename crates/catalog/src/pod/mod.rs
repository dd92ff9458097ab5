//! Failures of pods.

mod config;
pub(crate) mod config_missing;
mod cpu_limit;
mod crash_cause;
mod crash_field;
pub(crate) mod crash_looping;
pub(crate) mod edit;
mod exit_code;
mod image;
pub(crate) mod image_pull;
pub(crate) mod limit_reached;
pub(crate) mod log_lines;
mod measured;
mod memory_limit;
mod mount;
mod peer;
pub(crate) mod pending;
pub(crate) mod pending_unschedulable;
pub(crate) mod probe_failing;
mod pull_cause;
mod restarts;
pub(crate) mod sandbox_failing;
mod storage_limit;
pub(crate) mod volume_mount_failing;
