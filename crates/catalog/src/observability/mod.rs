//! Failures of watching, of changing and of learning: what makes other failures worse, or lets
//! them go unseen. Most are protections that are missing.

pub(crate) mod change_unannounced;
pub(crate) mod knowledge_in_one_head;
pub(crate) mod lesson_unapplied;
pub(crate) mod log_alerter_unbounded;
pub(crate) mod monitoring_inside_cluster;
pub(crate) mod ops_beside_customers;
pub(crate) mod resource_alerts_missing;
mod rules;
pub(crate) mod slo_burning;
pub(crate) mod smoke_test_missing;
mod tooling;
