//! Exit codes: scripts and pipelines depend on them.

use std::fmt;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// Nothing to report.
    Clean = 0,
    /// Findings at or above `--fail-on`.
    Findings = 1,
    /// The command line or a file it names is wrong.
    Usage = 2,
    /// The cluster cannot be reached, or refuses us.
    Unreachable = 3,
    /// Too little to tell.
    Inconclusive = 5,
    /// Stopped by the user.
    Interrupted = 130,
}

impl Code {
    /// For the operating system.
    pub fn number(self) -> u8 {
        self as u8
    }
}

/// Why a command could not do what it was asked.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: Code,
    /// What happened.
    pub error: anyhow::Error,
    /// What to do next, where that is not plain.
    pub next: Option<&'static str>,
}

impl Failure {
    /// A failure with this exit code.
    pub fn new(code: Code, error: impl Into<anyhow::Error>) -> Self {
        Failure { code, error: error.into(), next: None }
    }

    /// The user asked for something that cannot be.
    pub fn usage(message: impl fmt::Display + fmt::Debug + Send + Sync + 'static) -> Self {
        Failure::new(Code::Usage, anyhow::Error::msg(message))
    }

    /// Stopped by the user.
    pub fn interrupted() -> Self {
        Failure::new(Code::Interrupted, anyhow::Error::msg("interrupted"))
    }

    /// Says what to do next.
    #[must_use]
    pub fn next(mut self, next: &'static str) -> Self {
        self.next = Some(next);
        self
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        Failure::new(Code::Usage, error)
    }
}

/// What a command hands to standard output, and how the program then ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The output.
    pub output: String,
    /// The exit code.
    pub code: Code,
}

impl Outcome {
    /// Output of a command that has nothing to report.
    pub fn clean(output: String) -> Self {
        Outcome { output, code: Code::Clean }
    }
}
