//! The physical side: machines, their memory, their kubelets and containers.
//!
//! Must never know controllers; what it does, it does to its own pods and its own Node.

mod behaviours;
mod containers;
mod host;
mod kubelet;
mod machine;
mod node_status;
mod output;
mod probe;
mod pull;
mod references;
mod renewal;
mod stand_in;
mod status;
mod usage;

pub(crate) use behaviours::Behaviours;
pub(crate) use machine::Machine;
pub(crate) use output::{Line, NoOutput, output};
pub(crate) use renewal::Renewal;
pub(crate) use stand_in::StandIns;
pub(crate) use status::{condition_mut, drop_condition, set_condition};
pub(crate) use usage::Answer;
