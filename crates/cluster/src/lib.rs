//! Eyes on a cluster: reads objects through the Kubernetes API into evidence.
//!
//! It only reads, in pages, and never reads what a Secret or ConfigMap holds: of these it asks
//! the API for names alone. What it may not see is reported as blindness, never taken for
//! absence. It must never know which failure is meant, nor whether the cluster is real: it is
//! handed a client and that is all.

mod connect;
mod error;
mod follow;
mod page;
mod read;
mod refusal;
mod request;
mod server;
mod sight;

#[cfg(test)]
mod tests;

pub use connect::{Access, connect};
pub use error::Error;
pub use read::{Progress, Reading, Scope, read};
pub use server::Server;
pub use sight::{News, Sight};
