//! How clients, the API server and components say that the control plane is unwell.

/// Nobody listens where the API server should.
pub const API_REFUSED: &[&str] = &["connection refused", "was refused"];

/// Nothing comes back from where the API server should be.
pub const API_SILENT: &[&str] = &[
    "i/o timeout",
    "no route to host",
    "network is unreachable",
    "host is down",
    "context deadline exceeded",
    "client.timeout exceeded",
    "connection timed out",
];

/// The API server is there and has too much to do.
pub const API_BUSY: &[&str] = &[
    "tls handshake timeout",
    "toomanyrequests",
    "too many requests",
    "asked us to try again later",
    "unable to return a response in the time allotted",
    "http2: client connection lost",
];

/// etcd did not answer in time.
pub const ETCD_SLOW: &[&str] = &[
    "etcdserver: request timed out",
    "etcdserver: leader changed",
    "etcdserver: too many requests",
];

/// etcd does not answer, or has no majority.
pub const ETCD_DOWN: &[&str] = &[
    "etcdserver: no leader",
    "etcdserver: unhealthy cluster",
    "etcdserver: server stopped",
    "etcdclient: no available endpoints",
    "error while dialing: dial tcp 127.0.0.1:2379",
];

/// etcd's database is at its quota: it reads and no longer writes.
pub const ETCD_FULL: &[&str] = &["mvcc: database space exceeded", "nospace"];

/// A certificate is past its date.
pub const CERTIFICATE_EXPIRED: &[&str] =
    &["certificate has expired", "certificate is expired", "certificate expired"];

/// The metrics API has nobody who answers for it.
pub const METRICS_DOWN: &[&str] = &[
    "pods.metrics.k8s.io)",
    "nodes.metrics.k8s.io)",
    "metrics api not available",
    "metrics not available yet",
    "unable to fetch metrics from resource metrics api",
];

/// An extension of the API has nobody who answers for it.
pub const EXTENSION_DOWN: &[&str] = &[
    "the server is currently unable to handle the request",
    "couldn't get resource list for",
    "unable to retrieve the complete list of server apis",
];

/// kubectl had no settings and asked its own machine.
pub const NO_KUBECONFIG: &[&str] = &["localhost:8080", "127.0.0.1:8080", "[::1]:8080"];

/// The name server itself was asked and did not answer.
pub const NAME_SERVER_SILENT: &[&str] =
    &[":53: i/o timeout", ":53: read: connection refused", "connection timed out; no servers"];

/// The insecure ports of the scheduler and the controller manager, closed since 1.19: that
/// `componentstatuses` find nobody there says nothing.
pub const CLOSED_HEALTH_PORTS: &[&str] = &[":10251", ":10252"];

/// The API server's cache is behind what a client has already seen.
pub const CACHE_BEHIND: &[&str] = &["too large resource version"];

/// The cluster's name server does not understand its settings, or would ask itself.
pub const COREFILE_REFUSED: &[&str] =
    &["corefile:", "error during parsing", "unknown directive", "loop (", "plugin/loop"];

/// etcd tells that it is slow.
pub const ETCD_TOOK_LONG: &[&str] = &[
    "took too long",
    "slow fdatasync",
    "failed to send out heartbeat on time",
    "leader is overloaded likely from slow disk",
    "waiting for readindex response took too long",
];

/// etcd tells that its disk or its machine is too slow for its own work, not only for a request.
pub const ETCD_STARVES: &[&str] =
    &["slow fdatasync", "failed to send out heartbeat on time", "likely from slow disk"];

/// A component lost its lease because the API did not answer in time.
pub const LEASE_LOST: &[&str] = &[
    "leaderelection lost",
    "leader election lost",
    "failed to renew lease",
    "error retrieving resource lock",
    "failed to update lock",
];
