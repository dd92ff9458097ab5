//! How the kubelet says that a check failed.

/// A container was started anew because a check of the kubelet failed.
pub const KILLED_BY_PROBE: &[&str] = &[
    "failed liveness probe",
    "failed startup probe",
    "is unhealthy, it will be killed",
    "container failed liveness",
];

/// A probe's command cannot be started.
pub const PROBE_COMMAND: &[&str] = &[
    "executable file not found",
    "no such file or directory",
    "command not found",
    "exec failed",
    "exec format error",
    "permission denied: unknown",
    "exec: permission denied",
    "not found in $path",
    ": not found",
];

/// A probe names a port that its container does not have.
pub const PROBE_PORT_NAME: &[&str] = &[
    "couldn't find port",
    "could not find port",
    "strconv.atoi",
    "strconv.parseint",
    "invalid port",
];

/// What answers a probe does not speak its protocol.
pub const PROBE_PROTOCOL: &[&str] = &[
    "malformed http response",
    "malformed http status code",
    "malformed http version",
    "http/1.x transport connection broken",
    "error reading server preface",
    "first record does not look like a tls handshake",
    "server gave http response to https client",
    "client sent an http request to an https server",
    "the plain http request was sent to https port",
    "does not implement the grpc health",
    "frame too large",
    "wrong version number",
    "tls: handshake failure",
    "unexpected http status code received from server",
    "http2: server sent goaway",
];

/// Nobody listens where a probe connects to.
pub const PROBE_REFUSED: &[&str] =
    &["connection refused", "failed to connect service", "actively refused"];

/// A probe took longer than it may.
pub const PROBE_TIMEOUT: &[&str] = &[
    "context deadline exceeded",
    "client.timeout exceeded",
    "request canceled",
    "i/o timeout",
    "timed out",
    "timeout",
    "deadline_exceeded",
];

/// A probe failed because its container was not there.
pub const PROBE_WITHOUT_CONTAINER: &[&str] = &[
    "container is not created or running",
    "container not running",
    "cannot exec in a stopped",
    "no running task found",
    "task not found",
    "container is in container_exited state",
    "failed to find container",
];
