//! Failures of what a cloud gives to a cluster.

mod balancer;
pub(crate) mod lb_pending;
pub(crate) mod lb_port_conflict;
