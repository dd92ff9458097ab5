//! Evidence from the built-in simulated cluster, after its story has run on virtual time.

use kube::Client;
use twin::{Twin, scenario};

use super::{Raw, live};
use crate::exit::Failure;
use crate::progress::Spinner;
use crate::runtime;

/// Runs the story to its end and reads the cluster as any cluster is read.
///
/// # Errors
/// Those of reading a cluster.
pub(super) fn read(seed: u64, spinner: &Spinner) -> Result<Raw, Failure> {
    spinner.say("running the simulated cluster".to_owned());
    let twin = Twin::new(scenario::cascade(seed));
    twin.run();
    of(&twin, spinner)
}

/// Reads a twin as it is now. Its answers carry its own time.
///
/// # Errors
/// Those of reading a cluster.
pub(crate) fn of(twin: &Twin, spinner: &Spinner) -> Result<Raw, Failure> {
    runtime::run(async {
        let client = Client::new(twin.service(), "default");
        live::through(&client, cluster::Scope::default(), &[], spinner).await
    })
}
