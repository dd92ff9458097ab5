//! Reads captured evidence: any file, folder, archive or stream in any of the forms people have
//! it in, told apart by content.
//!
//! It never opens a socket, never writes to disk, and never judges what it reads: no rule of
//! diagnosis belongs here. Text for people is turned into values shaped like the API and
//! decoded by the same code as JSON, so that all forms of one situation say the same.

pub mod alerts;
pub mod json;
pub mod logs;
pub mod metrics;
pub mod piece;
pub mod sniff;
pub mod source;
pub mod text;
pub mod yaml;

mod assemble;
mod report;
mod specs;

pub use report::{Capture, Document, Skipped};
pub use source::{Input, Limits};

/// Reads everything the user points at. It never fails: what cannot be read is in the report.
pub fn read(inputs: &[Input], limits: &Limits) -> Capture {
    let mut assembler = assemble::Assembler::default();
    source::walk(inputs, limits, &mut assembler);
    assembler.finish()
}
