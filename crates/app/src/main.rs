//! The program `seaworthy`, also found by `kubectl` as the plugin `kubectl-seaworthy`.
//!
//! It must hold no logic: everything is in the library, where it can be tested.

use std::process::ExitCode;

fn main() -> ExitCode {
    seaworthy::run(std::env::args_os())
}
