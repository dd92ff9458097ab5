//! Gets the evidence that a diagnosis rests on, wherever it comes from.

mod captured;
mod live;
mod twin;

use model::Snapshot;

use crate::exit::Failure;
use crate::progress::Spinner;
use crate::settings::Diagnose;
use crate::views::Source;

pub(crate) use twin::of as of_twin;

/// What is known, and where it was read.
pub(crate) struct Evidence {
    /// What is known.
    pub(crate) now: Snapshot,
    /// Where it was read.
    pub(crate) source: Source,
}

/// Gets what the options point at: captured input, the twin, or the live cluster.
///
/// # Errors
/// When there is nothing to read, or nobody answers.
pub(crate) fn gather(options: &Diagnose, spinner: &Spinner) -> Result<Evidence, Failure> {
    if options.twin {
        twin::read(options.seed, spinner)
    } else if options.paths.is_empty() {
        live::read(options, spinner)
    } else {
        captured::read(&options.paths, spinner)
    }
}
