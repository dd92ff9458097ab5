//! `seaworthy diagnose`: one verdict from a live cluster or any captured input.

use model::{Incident, Severity, Situation, State, Verdict};

use crate::evidence::{self, Evidence};
use crate::exit::{Code, Failure, Outcome};
use crate::progress::Spinner;
use crate::scope::Scope;
use crate::settings::Diagnose;
use crate::{render, views};

pub(super) fn run(options: &Diagnose, color: bool, progress: bool) -> Result<Outcome, Failure> {
    let scope = Scope::new(options)?;
    let spinner = Spinner::start(progress);
    let Evidence { now, source } = evidence::gather(options, &spinner)?;
    let situation = scope.narrow(engine::step(&now, catalog::ALL), &now);
    drop(spinner);
    let code = code(&situation, options.fail_on.into());
    let view = views::diagnosis(&situation, &now, source, catalog::ALL);
    let output = render::diagnosis(&view, options.output.format, color)?;
    // The process ends after this: to take a snapshot of a large cluster apart first would only
    // make people wait.
    std::mem::forget(now);
    Ok(Outcome { output, code })
}

/// Something that is not over and loud enough makes it 1, too little to tell makes it 5.
fn code(situation: &Situation, fail_on: Severity) -> Code {
    let counts = |i: &Incident| i.state != State::Recovered && i.severity >= fail_on;
    if situation.incidents.iter().any(counts) {
        Code::Findings
    } else if situation.verdict == Verdict::Inconclusive {
        Code::Inconclusive
    } else {
        Code::Clean
    }
}
