//! Failures of the control plane and of what serves the whole cluster.

mod certificate;
pub(crate) mod certificate_expiring;
pub(crate) mod degraded;
pub(crate) mod kubelets_orphaned;
pub(crate) mod lost;
pub(crate) mod mass_eviction_imminent;
pub(crate) mod name_server;
pub(crate) mod namespace_terminating_stuck;
pub(crate) mod pods_marked_but_running;
pub(crate) mod single;
mod standing;
mod told;
pub(crate) mod watch_cache_stale;
pub(crate) mod webhook_deadlock;
mod zones;
