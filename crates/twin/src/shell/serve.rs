//! The API on a TLS port, for kubectl and every other client.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use model::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::clock::{self, Speed};
use super::kubeconfig;
use super::service::TwinService;
use super::twin::Twin;
use crate::access::Authorization;

/// How a twin is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub address: SocketAddr,
    /// The bearer token that clients must show.
    pub token: String,
    /// How fast virtual time runs at first.
    pub speed: Speed,
    /// Without TLS; for loopback only.
    pub plain: bool,
    /// Who may do what.
    pub authorization: Authorization,
}

/// Why a twin could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The twin's own certificates could not be made.
    #[error("cannot make the server certificate: {0}")]
    Certificate(#[from] rcgen::Error),
    /// The TLS library refused the configuration.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// Clients would see objects from their own future.
    #[error("virtual time {virtual_now} is ahead of the wall clock {wall_now}; start earlier")]
    AheadOfWall {
        /// The twin's time.
        virtual_now: Timestamp,
        /// The wall's time.
        wall_now: Timestamp,
    },
}

/// A served twin. Dropping it closes the port and stops the clock.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    authority_pem: String,
    token: String,
    plain: bool,
    speed: watch::Sender<Speed>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Server {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The certificate authority of the server, as PEM.
    pub fn authority_pem(&self) -> &str {
        &self.authority_pem
    }

    /// A kubeconfig for this server.
    pub fn kubeconfig(&self) -> String {
        let scheme = if self.plain { "http" } else { "https" };
        let server = format!("{scheme}://{}", self.address);
        kubeconfig::write(&server, &self.authority_pem, &self.token)
    }

    /// Changes how fast virtual time runs.
    pub fn set_speed(&self, speed: Speed) {
        self.speed.send_replace(speed);
    }
}

/// Serves a twin over TLS (HTTP/1.1 and HTTP/2). Must be called inside a tokio runtime with
/// I/O and time.
pub async fn serve(twin: &Twin, options: Options) -> Result<Server, ServeError> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let wall_now = Timestamp::from_seconds(i64::try_from(since.as_secs()).unwrap_or(i64::MAX));
    if twin.now() > wall_now {
        return Err(ServeError::AheadOfWall { virtual_now: twin.now(), wall_now });
    }
    let certificate = Certificate::new(options.address.ip())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut tls = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(certificate.chain, certificate.key)?;
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listen = |source| ServeError::Listen { address: options.address, source };
    let listener = TcpListener::bind(options.address).await.map_err(listen)?;
    let address = listener.local_addr().map_err(listen)?;

    let (speed, speed_changes) = watch::channel(options.speed);
    twin.authorize(options.authorization);
    twin.admit(&options.token, certificate.secret);
    let service = TwinService::new(twin.clone(), true);
    let mut tasks = JoinSet::new();
    let tls = (!options.plain).then(|| TlsAcceptor::from(Arc::new(tls)));
    tasks.spawn(accept(listener, tls, service));
    tasks.spawn(clock::follow(twin.clone(), speed_changes));
    Ok(Server {
        address,
        authority_pem: certificate.authority_pem,
        token: options.token,
        plain: options.plain,
        speed,
        _tasks: tasks,
    })
}

/// Takes connections until it is aborted; its connections end with it.
async fn accept(listener: TcpListener, tls: Option<TlsAcceptor>, service: TwinService) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                // A connection that died before it was taken is no reason to stop.
                if let Ok((stream, _)) = accepted {
                    connections.spawn(connection(stream, tls.clone(), service.clone()));
                }
            }
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, tls: Option<TlsAcceptor>, service: TwinService) {
    let service = TowerToHyperService::new(service);
    let builder = auto::Builder::new(TokioExecutor::new());
    let Some(tls) = tls else {
        drop(builder.serve_connection(TokioIo::new(stream), service).await);
        return;
    };
    // Clients that do not trust the certificate hang up; that is theirs to report.
    let Ok(stream) = tls.accept(stream).await else { return };
    drop(builder.serve_connection(TokioIo::new(stream), service).await);
}
