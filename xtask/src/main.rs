//! Project chores: `cargo xtask COMMAND`.
//!
//! Dispatch only. It must hold no rule: each command is one module.

use std::process::ExitCode;

mod accuracy;
mod bench;
mod catalogue;
mod ci;
mod compare;
mod derive;
mod docs;
mod fidelity;
mod new_failure;
mod source;
mod tidy;
mod workspace;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  ci                        everything that must pass before a change lands
  tidy                      the house rules that rustfmt and clippy do not know
  docs                      write the documents that are made from the catalogue
  new-failure NAME FOLDER   start a failure kind, e.g. node-clock-skewed node
  accuracy SCORES.json      write docs/accuracy.md from the scores of recorded incidents
  derive FOLDER             make the twin's tables from Kubernetes' own schemas
  derive-roles FILE         make its table of default roles from those of a server
  fidelity api FOLDER...    replay recorded exchanges against the twin: equal answers
  fidelity kubectl FOLDER --kubectl PATH...
                            play a recorded session of kubectl against the twin
  fidelity specs SUITE.json --e2e PATH --kubectl PATH
                            run upstream end-to-end specs against the twin
  fidelity world FOLDER     replay recorded timelines of a control plane on the twin
  bench diagnose [OPTIONS]  diagnose a made dump: time, memory, faults found
  bench watch [OPTIONS]     follow changes of a made dump: time of each against its limit
  bench api --control-plane FOLDER
                            the twin beside a real API server under the same load
  compare FOLDER...         write docs/comparison.md from recorded outputs of the tools
  compare plant OPTIONS     plant further faults in a running cluster of virtual nodes
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["ci"] => ci::run(),
        ["tidy"] => tidy::run(),
        ["docs"] => docs::run(),
        ["new-failure", name, folder] => new_failure::run(name, folder),
        ["accuracy", scores] => accuracy::run(scores),
        ["derive", folder] => derive::run(folder),
        ["derive-roles", file] => derive::roles(file),
        ["fidelity", rest @ ..] => fidelity::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["compare", rest @ ..] => compare::run(rest),
        ["help" | "--help" | "-h"] => {
            print!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprint!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
