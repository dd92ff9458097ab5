//! Why a cluster could not be read at all. What it refuses in part is no error but blindness.

/// Why a cluster could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No kubeconfig, or one that makes no sense.
    #[error("no usable cluster configuration")]
    Configuration(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The configuration cannot be made a connection: a certificate or a login command is wrong.
    #[error("cannot set up the connection to the cluster")]
    Setup(#[source] Box<kube::Error>),
    /// Nobody answers, or what answers is no API server.
    #[error("the cluster did not answer while reading {what}")]
    Unreachable {
        /// What was being read.
        what: String,
        /// The reason.
        #[source]
        reason: Box<kube::Error>,
    },
    /// The cluster does not know who we are.
    #[error("the cluster refuses our credentials: {message}")]
    Unauthorised {
        /// What it said.
        message: String,
    },
    /// The cluster knows us and refuses everything.
    #[error("the cluster refuses or fails every list; the first reason: {message}")]
    NothingReadable {
        /// What it said first.
        message: String,
    },
}
