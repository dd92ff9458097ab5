//! Failures of storage: claims, volumes, classes.

pub(crate) mod claim;
pub(crate) mod claim_pending;
