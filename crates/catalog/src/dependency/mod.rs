//! What workloads are told and what they say about the peers they need: their settings, and
//! the lines of their logs. Kinds about failures between workloads ask here.
//!
//! It reads and compares; it must never decide whose fault something is.

pub(crate) mod complaint;
pub(crate) mod credentials;
pub(crate) mod moment;
pub(crate) mod resolver;
pub(crate) mod seen;
pub(crate) mod settings;
pub(crate) mod store;
