//! Failures of watching, of changing and of learning: what makes other failures worse, or lets
//! them go unseen. Most are protections that are missing.

pub(crate) mod log_alerter_unbounded;
pub(crate) mod monitoring_inside_cluster;
pub(crate) mod ops_beside_customers;
pub(crate) mod resource_alerts_missing;
mod rules;
mod tooling;
