//! Finds the cluster as kubectl does: a file that was named, `KUBECONFIG`, `~/.kube/config`, or
//! the service account of the pod we run in.

use std::path::PathBuf;
use std::time::Duration;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

use crate::Error;

/// Whoever does not answer in this time is not there.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// A page of 500 objects takes an API server seconds, not minutes.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(90);

/// Which cluster is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// A kubeconfig that was named.
    pub kubeconfig: Option<PathBuf>,
    /// A context of it.
    pub context: Option<String>,
}

/// A client for this cluster. Nothing is sent yet.
///
/// # Errors
/// When no configuration is found or it cannot be used.
pub async fn connect(access: &Access) -> Result<Client, Error> {
    let options = KubeConfigOptions { context: access.context.clone(), ..Default::default() };
    let config = match (&access.kubeconfig, &access.context) {
        (Some(file), _) => {
            let file = Kubeconfig::read_from(file).map_err(configuration)?;
            Config::from_custom_kubeconfig(file, &options).await.map_err(configuration)?
        }
        (None, Some(_)) => Config::from_kubeconfig(&options).await.map_err(configuration)?,
        (None, None) => Config::infer().await.map_err(configuration)?,
    };
    let mut config = config;
    config.connect_timeout = Some(CONNECT_TIMEOUT);
    config.read_timeout = Some(ANSWER_TIMEOUT);
    config.reset_reader_on_write = true;
    Client::try_from(config).map_err(|e| Error::Setup(Box::new(e)))
}

fn configuration(e: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Configuration(Box::new(e))
}
