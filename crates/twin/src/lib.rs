//! A simulated Kubernetes cluster behind a real Kubernetes API, on virtual time.
//!
//! [`Twin::new`] builds the cluster of a [`scenario::Scenario`]; [`Twin::run_until`] moves
//! time; [`Twin::service`] is a tower service for `kube::Client::new`, without a socket;
//! [`serve`] opens the same API on a TLS port for kubectl and everybody else.
//!
//! Inside everything is synchronous, single-threaded and deterministic: same scenario and same
//! calls, same bytes. This crate must never know what a diagnosis makes of its cluster.

mod access;
mod api;
mod cluster;
mod controllers;
mod cron;
mod custom;
mod expressions;
mod field;
mod kernel;
mod kinds;
mod ownership;
mod patch;
mod registry;
pub mod scenario;
mod schema;
mod shell;
mod store;
mod world;

pub use access::Authorization;
pub use cluster::{Recorded, UnknownObject};
pub use registry::Deletion;
pub use shell::{Options, ServeError, Server, Speed, Twin, TwinBody, TwinService, serve};
