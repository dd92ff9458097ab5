//! Failures of autoscaling, and how an autoscaler computes (`arithmetic`).

pub mod arithmetic;
pub(crate) mod blind;
pub(crate) mod explained;
pub(crate) mod pinned;
mod signs;
