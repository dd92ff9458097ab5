//! Why a volume cannot be attached or mounted: who holds its disk, what the storage says, and
//! which object a person would look at. It decides nothing about pods that have their volumes.

pub(super) mod cause;
mod conflict;
mod owner;
pub(super) mod steps;
mod storage;
