//! Certificates that end: those that are issued, those that are asked for, and those that
//! programs complain about.

pub(super) mod issued;
pub(super) mod requests;
pub(super) mod told;
