//! One file per verb: call, build a view, hand it to a renderer. A command must decide nothing
//! about Kubernetes.

mod diagnose;
mod explain;
mod rehearse;
mod twin;
mod version;
mod watch;

pub(crate) use diagnose::code;

use crate::exit::{Failure, Outcome};
use crate::settings::{Command, Settings};

/// Does what the settings say.
///
/// # Errors
/// What cannot be done, with the exit code that tells why.
pub(crate) fn run(settings: Settings) -> Result<Outcome, Failure> {
    let color = settings.color;
    match settings.command {
        Command::Diagnose(options) if options.watch => {
            watch::run(&options, color, settings.progress, settings.redraws)
        }
        Command::Diagnose(options) => diagnose::run(&options, color, settings.progress),
        Command::Explain(options) => explain::run(&options, color, settings.progress),
        Command::Rehearse(options) => rehearse::run(&options, color, settings.progress),
        Command::Twin(options) => twin::run(&options),
        Command::Version(output) => version::run(output, color),
    }
}
