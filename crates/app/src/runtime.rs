//! Where asynchronous work runs: one thread, until it is done or the user interrupts it.

use std::future::Future;

use anyhow::Context as _;

use crate::exit::Failure;

/// Runs this to its end.
///
/// # Errors
/// Its own, or that the user pressed Ctrl-C.
pub(crate) fn run<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().context("cannot start the event loop")?;
    runtime.block_on(async {
        tokio::select! {
            result = work => result,
            signal = tokio::signal::ctrl_c() => {
                signal.context("cannot listen for Ctrl-C")?;
                Err(Failure::interrupted())
            }
        }
    })
}
