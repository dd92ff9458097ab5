//! How programs say, in their logs, why they end.

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
