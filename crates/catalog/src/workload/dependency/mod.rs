//! Parts of `workload-dependency-failing`.

pub(super) mod advice;
pub(super) mod blocked;
pub(super) mod by_log;
pub(super) mod by_setting;
mod cause;
mod limits;
mod reach;
