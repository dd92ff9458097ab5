//! Failures of the control plane and of what serves the whole cluster.

pub(crate) mod degraded;
mod name_server;
mod standing;
mod told;
