//! Failures of Services.

pub(crate) mod callers;
pub(crate) mod gateway_single_replica;
pub(crate) mod headless_unbalanced;
mod ingress;
pub(crate) mod ingress_misrouted;
pub(crate) mod ingress_untuned;
pub(crate) mod misrouted;
pub(crate) mod nearest;
pub(crate) mod refused;
pub(crate) mod unreachable_by_client;
pub(crate) mod without_endpoints;
