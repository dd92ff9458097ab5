//! Failures of Services.

mod callers;
pub(crate) mod misrouted;
mod nearest;
pub(crate) mod without_endpoints;
