//! Evidence from those who watch a cluster: asks a Prometheus and an Alertmanager what they
//! measured and what they complain about.
//!
//! It only asks, a fixed list of bounded questions, and hands on figures and objects in the
//! terms of `model`. What was not answered is reported as blindness, never taken for "nothing
//! wrong". It must never know which failure is meant, and never show what it logs in with.

mod alerts;
mod answer;
mod ask;
mod figures;
mod names;
mod objects;
mod questions;
mod read;
mod source;
mod trouble;

#[cfg(test)]
mod tests;

pub use alerts::alerts;
pub use read::{Reading, Window, prometheus};
pub use source::{Access, Source};
pub use trouble::{Error, Trouble};
