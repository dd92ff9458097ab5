//! The physical side: machines, their memory, their kubelets and containers.
//!
//! Must never know controllers; what it does, it does to its own pods and its own Node.

mod behaviours;
mod host;
mod kubelet;
mod machine;
mod status;

pub(crate) use behaviours::Behaviours;
pub(crate) use machine::Machine;
pub(crate) use status::set_condition;
