//! The catalogue: one file per failure kind, each answering five questions.
//!
//! It must never know how anything is observed, executed or shown. What belongs to many kinds
//! (relations between objects, the words of Kubernetes' messages) stands in one place and is
//! asked from there.

#[macro_use]
mod drill;
#[macro_use]
mod failure;
pub mod autoscaling;
mod cloud;
mod control_plane;
mod dependency;
mod evidence;
pub mod explain;
mod listening;
mod node;
mod observability;
mod pod;
mod service;
mod slow;
mod storage;
pub mod wording;
mod workload;

#[cfg(test)]
mod testing;

pub use model::FailureKind;

/// Every failure kind, by id.
pub const ALL: &[&FailureKind] = &[
    &control_plane::certificate_expiring::KIND,
    &workload::change_refused::KIND,
    &observability::change_unannounced::KIND,
    &storage::claim_pending::KIND,
    &control_plane::degraded::KIND,
    &control_plane::lost::KIND,
    &control_plane::single::KIND,
    &workload::rollout_failing::KIND,
    &workload::dns_alpine::KIND,
    &workload::ephemeral_limit_missing::KIND,
    &node::eviction_gc_clash::KIND,
    &workload::exec_probe_frequent::KIND,
    &service::gateway_single_replica::KIND,
    &workload::hostpath_used::KIND,
    &autoscaling::blind::KIND,
    &autoscaling::explained::KIND,
    &autoscaling::pinned::KIND,
    &workload::image_untagged::KIND,
    &service::ingress_misrouted::KIND,
    &service::ingress_untuned::KIND,
    &workload::job_failing::KIND,
    &observability::knowledge_in_one_head::KIND,
    &control_plane::kubelets_orphaned::KIND,
    &cloud::lb_pending::KIND,
    &cloud::lb_port_conflict::KIND,
    &observability::lesson_unapplied::KIND,
    &workload::limits_missing::KIND,
    &observability::log_alerter_unbounded::KIND,
    &control_plane::mass_eviction_imminent::KIND,
    &observability::monitoring_inside_cluster::KIND,
    &control_plane::namespace_terminating_stuck::KIND,
    &node::allocatable_shrunk::KIND,
    &node::container_gc_failing::KIND,
    &node::disk_pressure::KIND,
    &node::disk_pressure_loop::KIND,
    &node::flapping::KIND,
    &node::image_gc_failing::KIND,
    &node::image_gc_timeout::KIND,
    &node::kernel_fault::KIND,
    &node::lost_cascade::KIND,
    &node::memory_overreported::KIND,
    &node::network_degraded::KIND,
    &node::network_unavailable::KIND,
    &node::not_ready::KIND,
    &node::overloaded::KIND,
    &node::pid_cgroup::KIND,
    &node::pid_exhaustion::KIND,
    &node::pleg_stalled::KIND,
    &node::poison_workload::KIND,
    &node::repair_loop::KIND,
    &node::runtime_hung::KIND,
    &node::system_oom::KIND,
    &node::unknown::KIND,
    &observability::ops_beside_customers::KIND,
    &workload::pdb_blocking::KIND,
    &workload::pdb_missing::KIND,
    &pod::config_missing::KIND,
    &pod::crash_avalanche::KIND,
    &pod::crash_looping::KIND,
    &pod::dns_slow::KIND,
    &pod::evicted_memory::KIND,
    &pod::evicted_storage::KIND,
    &pod::evicted_taint::KIND,
    &pod::exec_container_missing::KIND,
    &pod::image_pull::KIND,
    &pod::limit_reached::KIND,
    &pod::pending_unschedulable::KIND,
    &pod::probe_failing::KIND,
    &pod::probe_failing_node_loaded::KIND,
    &pod::refused_by_node::KIND,
    &pod::sandbox_failing::KIND,
    &pod::terminating_stuck::KIND,
    &pod::volume_mount_failing::KIND,
    &control_plane::pods_marked_but_running::KIND,
    &workload::pods_refused::KIND,
    &workload::prestop_missing::KIND,
    &workload::probe_too_tight::KIND,
    &workload::quota_nearly_full::KIND,
    &workload::rbac_denied::KIND,
    &workload::readiness_missing::KIND,
    &workload::replicas_colocated::KIND,
    &workload::not_updated::KIND,
    &observability::resource_alerts_missing::KIND,
    &service::headless_unbalanced::KIND,
    &service::misrouted::KIND,
    &service::refused::KIND,
    &service::unreachable_by_client::KIND,
    &service::without_endpoints::KIND,
    &workload::single_replica::KIND,
    &observability::slo_burning::KIND,
    &observability::smoke_test_missing::KIND,
    &workload::pod_unknown::KIND,
    &workload::update_stuck::KIND,
    &workload::volume_leftover::KIND,
    &control_plane::watch_cache_stale::KIND,
    &control_plane::webhook_deadlock::KIND,
    &workload::dependency_failing::KIND,
    &workload::scaled_to_zero::KIND,
];

/// The kind with this id, or the one that means the same.
pub fn find(id: &str) -> Option<&'static FailureKind> {
    ALL.iter().copied().find(|k| k.is_called(id))
}
