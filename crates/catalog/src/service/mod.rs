//! Failures of Services.

mod callers;
mod ingress;
pub(crate) mod ingress_misrouted;
pub(crate) mod misrouted;
mod nearest;
pub(crate) mod without_endpoints;
