//! How Kubernetes words things, old and new. Fragments are data: one place for each.

/// Whether a text holds one of the fragments, letters compared without case.
pub fn says(text: &str, fragments: &[&str]) -> bool {
    let text = text.to_ascii_lowercase();
    fragments.iter().any(|f| text.contains(&f.to_ascii_lowercase()))
}

/// What stands between two marks: `between("serviceaccount \"a\" not found", "\"", "\"")`.
pub fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// The container runtime does not answer.
pub const RUNTIME_DOWN: &[&str] = &[
    "container runtime is down",
    "container runtime not ready",
    "container runtime status check may not have completed",
    "cannot connect to the docker daemon",
    "pleg is not healthy",
    "runtimeready=false",
    "containerd.sock: connect",
    "crio.sock: connect",
];

/// The network plugin is not ready.
pub const NETWORK_PLUGIN_DOWN: &[&str] = &[
    "cni plugin not initialized",
    "cni config uninitialized",
    "network plugin is not ready",
    "network plugin not ready",
    "networkready=false",
    "networkpluginnotready",
    "runtime network not ready",
];

/// A certificate is past its date or not trusted.
pub const CERTIFICATE: &[&str] =
    &["x509:", "certificate has expired", "certificate signed by unknown"];

/// The disk is full.
pub const DISK_FULL: &[&str] = &["no space left on device", "disk quota exceeded"];

/// The kubelet does not report.
pub const KUBELET_SILENT: &[&str] =
    &["kubelet stopped posting node status", "kubelet never posted node status"];

/// The kubelet is only starting.
pub const KUBELET_STARTING: &[&str] =
    &["node not yet ready", "kubelet is starting", "csinode is not yet initialized"];

/// System units that are container runtimes.
pub const RUNTIME_UNITS: &[&str] = &["containerd", "docker", "crio", "cri-o", "cri-dockerd"];

/// Waiting reasons of a container whose image cannot be had.
pub const IMAGE_WORDS: &[&str] = &[
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "ErrRegistryUnavailable",
    "SignatureValidationFailed",
];

/// The image's name breaks the rules for names.
pub const IMAGE_NAME_INVALID: &[&str] = &[
    "invalid reference format",
    "couldn't parse image",
    "failed to apply default image tag",
    "invalidimagename",
    "must be lowercase",
];

/// The image must be on the node already and is not.
pub const IMAGE_NEVER_PULLED: &[&str] = &["errimageneverpull", "pull policy of never"];

/// The registry gives no more for now.
pub const REGISTRY_RATE: &[&str] =
    &["toomanyrequests", "too many requests", "pull rate limit", "rate limit", "rate exceeded"];

/// There is such an image, but none for this kind of machine.
pub const IMAGE_PLATFORM: &[&str] = &[
    "no match for platform",
    "no matching manifest for",
    "does not match the specified platform",
    "no image found in manifest list",
    "no image found in image index",
];

/// The registry's certificate is not accepted.
pub const REGISTRY_CERTIFICATE: &[&str] = &[
    "x509:",
    "tls: failed to verify",
    "certificate signed by unknown",
    "certificate has expired",
    "remote error: tls",
    "gave http response to https client",
];

/// A name is not known to name resolution.
pub const NAME_UNKNOWN: &[&str] = &[
    "no such host",
    "name or service not known",
    "name does not resolve",
    "enotfound",
    "could not resolve host",
    "could not translate host name",
    "unknownhostexception",
    "unknown host",
    "nodename nor servname provided",
    "getaddrinfo failed",
    "host not found",
    "nxdomain",
];

/// Name resolution itself fails.
pub const NAME_RESOLUTION_DOWN: &[&str] = &[
    "temporary failure in name resolution",
    "eai_again",
    "server misbehaving",
    "try again later: resolving",
];

/// The registry says that there is no such image.
pub const IMAGE_NOT_FOUND: &[&str] = &[
    "manifest unknown",
    "manifest_unknown",
    "name unknown",
    "name_unknown",
    "code = notfound",
    ": not found",
    "not found: manifest",
    "404 not found",
    "repository name not known",
    "no such image",
];

/// The registry does not say whether there is no such image or no right to it.
pub const REGISTRY_DENIED: &[&str] = &[
    "pull access denied",
    "repository does not exist or may require",
    "insufficient_scope",
    "requested access to the resource is denied",
];

/// The registry wants other credentials.
pub const REGISTRY_UNAUTHORIZED: &[&str] = &[
    "unauthorized",
    "authentication required",
    "authorization failed",
    "403 forbidden",
    "status code 403",
    "no basic auth credentials",
    "failed to authorize",
    "anonymous token",
    "anonymous pull",
    "access denied",
    "access forbidden",
    "permission denied",
    "permission \"artifactregistry",
    "denied:",
];

/// The registry was asked without credentials.
pub const REGISTRY_ANONYMOUS: &[&str] =
    &["anonymous token", "anonymous pull", "no basic auth credentials", "unauthenticated"];

/// The registry does not answer.
pub const REGISTRY_UNREACHABLE: &[&str] = &[
    "i/o timeout",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "connection reset",
    "tls handshake timeout",
    "client.timeout exceeded",
    "request canceled while waiting",
    "500 internal server error",
    "502 bad gateway",
    "503 service unavailable",
    "504 gateway",
    "unexpected eof",
    "registry unavailable",
];

/// The pull takes longer than it may.
pub const PULL_SLOW: &[&str] =
    &["image pull progress", "context deadline exceeded", "deadlineexceeded", "context canceled"];

/// A peer refuses the name or the password of its client.
pub const CREDENTIALS_REJECTED: &[&str] = &[
    "access denied for user",
    "password authentication failed",
    "authentication failed",
    "authentication failure",
    "noauth authentication required",
    "wrongpass",
    "invalid username or password",
    "invalid username-password",
    "invalid credentials",
    "login failed for user",
    "no pg_hba.conf entry",
    "access_refused",
    "not authorized on",
    "sasl authentication",
    "permission denied for table",
    "permission denied for schema",
    "permission denied for relation",
    "permission denied for database",
];

/// A certificate is not accepted by one side of a connection.
pub const CERTIFICATE_REJECTED: &[&str] = &[
    "x509:",
    "certificate has expired",
    "certificate is not yet valid",
    "certificate verify failed",
    "self signed certificate",
    "self-signed certificate",
    "unable to get local issuer certificate",
    "pkix path building failed",
    "bad certificate",
    "sslhandshakeexception",
    "remote error: tls",
    "tls: failed to verify",
    "err_tls_cert",
];

/// Something is to be written where nothing may be written.
pub const READ_ONLY: &[&str] = &["read-only file system", "readonly file system", "erofs"];

/// Somebody listens on the port already.
pub const ADDRESS_IN_USE: &[&str] = &[
    "address already in use",
    "eaddrinuse",
    "address in use",
    "port is already allocated",
    "port already in use",
    "was already in use",
    "only one usage of each socket address",
];

/// A program gets no more memory.
pub const NO_MEMORY: &[&str] = &[
    "cannot allocate memory",
    "heap out of memory",
    "outofmemoryerror",
    "out of memory",
    "memoryerror",
    "bad_alloc",
    "enomem",
    "failed to allocate memory",
];

/// A container was killed for memory before its program began.
pub const KILLED_AT_START: &[&str] =
    &["oom-killed", "oom killed", "memory limit too low", "container init caused memory"];

/// A peer does not take the connection.
pub const CONNECTION_FAILED: &[&str] = &[
    "connection refused",
    "econnrefused",
    "no route to host",
    "ehostunreach",
    "network is unreachable",
    "enetunreach",
    "connection timed out",
    "etimedout",
    "i/o timeout",
    "connection reset by peer",
    "econnreset",
    "could not connect to",
    "couldn't connect to",
    "unable to connect to",
    "failed to connect to",
    "cannot connect to",
    "can't connect to",
    "error connecting to",
    "connection could not be established",
    "connectexception",
    "no connection could be made",
    "all connection attempts failed",
    "no servers available",
    "brokers are down",
    "context deadline exceeded",
];

/// The program that was to be started is not there.
pub const COMMAND_MISSING: &[&str] = &[
    "executable file not found in $path",
    "executable file `",
    "command not found",
    ": not found",
    "cannot find module",
    "could not find or load main class",
    "unable to access jarfile",
    "can't open file",
    "no module named",
    "no command specified",
    "exec user process caused: no such file",
    "exec user process caused \"no such file",
];

/// The program is built for other processors.
pub const PROGRAM_FORMAT: &[&str] = &["exec format error"];

/// A file or a port may not be used by the user the program runs as.
pub const PERMISSION: &[&str] = &[
    "permission denied",
    "eacces",
    "operation not permitted",
    "eperm",
    "access to the path",
    "accessdeniedexception",
    "permissionerror",
    "not writable",
    "is not readable",
    "could not be opened for writing",
];

/// A program does not like its settings.
pub const CONFIG_INVALID: &[&str] = &[
    "missing required",
    "required environment variable",
    "required env",
    "environment variable not set",
    "environment variable is not set",
    "must be set",
    "is not set",
    "not specified and no default",
    "is not specified",
    "you need to specify one of",
    "is required but",
    "invalid config",
    "bad config",
    "configuration error",
    "config error",
    "error in config",
    "configuration file",
    "parse config",
    "parsing config",
    "load config",
    "loading config",
    "read config",
    "fatal config file error",
    "unknown flag",
    "unknown shorthand flag",
    "flag provided but not defined",
    "unrecognized argument",
    "unrecognized option",
    "unrecognised option",
    "unknown option",
    "unknown directive",
    "unknown configuration",
    "unknown variable",
    "invalid value",
    "invalid argument",
    "invalid port",
    "[emerg]",
    "yaml: line",
    "yaml: unmarshal",
    "yaml: mapping",
    "yaml: did not find",
    "error unmarshaling",
    "cannot unmarshal",
    "error converting yaml",
    "toml: line",
    "unexpected token",
    "invalid json",
    "invalid character",
    "keyerror",
    "validation error",
    "parse error",
    "syntax error",
];

/// A file that a program wants is not there.
pub const FILE_MISSING: &[&str] =
    &["no such file or directory", "enoent", "filenotfound", "nosuchfile", "file not found"];

/// A program gives up.
pub const PROGRAM_FAULT: &[&str] = &[
    "panic:",
    "panicked at",
    "traceback (most recent call last)",
    "unhandled exception",
    "uncaught exception",
    "unhandledpromiserejection",
    "exception in thread",
    "segmentation fault",
    "fatal",
    "error:",
    "exception:",
    "assertion failed",
    "core dumped",
];

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

/// A pod took more of the node's disk than its own limits allow (not: than the node has).
pub const STORAGE_LIMIT: &[&str] = &[
    "exceeded its local ephemeral storage limit",
    "ephemeral local storage usage exceeds the total limit",
    "usage of emptydir volume",
    "exceeds its local ephemeral storage limit",
];

/// Somebody says that a container is held back from the processor.
pub const CPU_THROTTLED: &[&str] = &["throttl", "cpu_cfs", "cfs_"];

/// Somebody says that a container uses very much of the processor.
pub const CPU_BUSY: &[&str] = &[
    "cpu core",
    "cpu usage",
    "cpu_usage",
    "cpu utilization",
    "cpu utilisation",
    "cpu saturation",
    "cpu overload",
    "cpu pressure",
    "high cpu",
    "highcpu",
    "cpuusage",
    "cpu load",
];

/// An admission webhook was called and did not answer.
pub const WEBHOOK_FAILED: &[&str] = &["failed calling webhook", "failed to call webhook"];

/// Something between the API server and the store took too long: mostly a webhook.
pub const ADMISSION_TIMEOUT: &[&str] = &["request did not complete within requested timeout"];

/// The namespace is being deleted and takes nothing new.
pub const NAMESPACE_ENDS: &[&str] = &["because it is being terminated"];

/// Rules about security, as they were told before Pod Security admission.
pub const POD_SECURITY_OLD: &[&str] = &[
    "unable to validate against any pod security policy",
    "unable to validate against any security context constraint",
    "no providers available to validate pod",
    "securitycontextdeny",
    "pod.spec.securitycontext",
    "securitycontext.runasuser is forbidden",
    "securitycontext.selinuxoptions is forbidden",
    "securitycontext.fsgroup is forbidden",
    "securitycontext.supplementalgroups is forbidden",
];

/// A message is about a storage class.
pub const CLASS: &[&str] =
    &["storageclass.storage.k8s.io \"", "storageclass \"", "storage class \""];

/// A class whose volumes are made by hand.
pub const NO_PROVISIONER: &[&str] =
    &["kubernetes.io/no-provisioner", "no volume plugin matched", "cannot find volume plugin"];

/// The volume that a claim names or had is not there.
pub const VOLUME_GONE: &[&str] = &["not found", "lost its persistentvolume"];

/// A claim waits for its first pod; no fault.
pub const WAITS_FOR_POD: &[&str] =
    &["waiting for first consumer to be created before binding", "to be scheduled"];

/// The scheduler found no volume for a claim that waits for its pod.
pub const NO_VOLUME_TO_BIND: &[&str] = &["available persistent volumes to bind"];

/// Why a volume that a claim names cannot be bound to it, with the mechanism.
pub const BINDING_REFUSED: &[(&str, &str)] = &[
    ("already bound to a different claim", "volume-taken"),
    ("already bound to", "volume-taken"),
    ("storageclassname does not match", "storage-class-mismatch"),
    ("requested pv is too small", "capacity-too-small"),
    ("incompatible accessmode", "access-mode-mismatch"),
    ("incompatible volumemode", "volume-mode-mismatch"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_found_whatever_their_case() {
        assert!(says("PLEG is not healthy: pleg was last seen active 3m7s ago", RUNTIME_DOWN));
        assert!(!says("all is well", RUNTIME_DOWN));
        assert_eq!(between("serviceaccount \"a\" not found", "\"", "\""), Some("a"));
    }
}
