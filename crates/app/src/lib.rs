//! The program: parse, call, build a view, print it.
//!
//! Only this crate knows the command line and output formats. It must hold no rule of diagnosis.

mod commands;
mod evidence;
mod exit;
mod moment;
mod names;
mod progress;
pub mod rehearse;
mod render;
mod runtime;
mod scope;
mod settings;
mod verdict;
pub mod views;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

pub use exit::Code;
use exit::Failure;

/// Runs the program with these arguments (the first is its own name).
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let settings = match settings::parse(arguments) {
        Ok(settings) => settings,
        Err(stop) => {
            // Help and usage; a closed pipe is nobody's problem.
            let _ = stop.print();
            return ExitCode::from(u8::try_from(stop.exit_code()).unwrap_or(2));
        }
    };
    match commands::run(settings) {
        Ok(outcome) => match print(&outcome.output) {
            Ok(()) => ExitCode::from(outcome.code.number()),
            Err(e) => {
                let e = anyhow::Error::new(e).context("cannot write to standard output");
                complain(&e.into())
            }
        },
        Err(failure) => complain(&failure),
    }
}

/// Writes to standard output. Whoever closed the pipe has read enough.
fn print(output: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(output.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Says on standard error what happened, why (the innermost reason last), and what to do next.
fn complain(failure: &Failure) -> ExitCode {
    let mut err = io::stderr().lock();
    let _ = writeln!(err, "seaworthy: {}", render::clean(&sentence(&failure.error)));
    if let Some(next) = failure.next {
        let _ = writeln!(err, "{next}");
    }
    ExitCode::from(failure.code.number())
}

/// The error and its reasons, each said once: many libraries repeat the reason in the message.
fn sentence(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for reason in error.chain() {
        let reason = reason.to_string();
        if !text.contains(&reason) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&reason);
        }
    }
    text
}
