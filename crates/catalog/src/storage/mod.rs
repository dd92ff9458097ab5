//! Failures of storage: claims, volumes, classes.

mod claim;
pub(crate) mod claim_pending;
