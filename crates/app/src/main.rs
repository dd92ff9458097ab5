//! The program `seaworthy`, also found by `kubectl` as the plugin `kubectl-seaworthy`.
//!
//! It must hold no logic: everything is in the library, where it can be tested.

use std::process::ExitCode;

/// A large capture is millions of small values; this allocator takes less time and less memory
/// for them than the system's.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    seaworthy::run(std::env::args_os())
}
