//! How programs say, in their logs, why they end and which peer they lack: those of common
//! runtimes (JVM, Go, Node, Python, .NET), of proxies and of data stores. All in lower case.

/// A client comes to a peer without any password.
pub const CREDENTIALS_MISSING: &[&str] = &[
    "(using password: no)",
    "no password supplied",
    "noauth authentication required",
    "command requires authentication",
    "requires authentication",
    "password is required",
    "no credentials were provided",
];

/// A peer refuses the name or the password of its client.
pub const CREDENTIALS_REJECTED: &[&str] = &[
    "access denied for user",
    "password authentication failed",
    "authentication failed",
    "authentication failure",
    "mongosecurityexception",
    "scram-sha",
    "login was refused using authentication mechanism",
    "authentication unsuccessful",
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
    "invalidaccesskeyid",
    "signaturedoesnotmatch",
    "invalidclienttokenid",
    "unrecognizedclientexception",
    "security token included in the request is",
    "expiredtoken",
    "is not authorized to perform",
    "access key id you provided does not exist",
    "invalid_grant",
    "invalid_client",
    "aadsts",
    "invalid api key",
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
    "cert_has_expired",
    "depth_zero_self_signed_cert",
    "unable_to_verify_leaf_signature",
    "certificate signed by unknown authority",
    "certificateexception",
    "remote certificate is invalid",
];

/// One side of a connection speaks TLS, the other does not.
pub const TLS_MISMATCH: &[&str] = &[
    "first record does not look like a tls handshake",
    "wrong version number",
    "server gave http response to https client",
    "client sent an http request to an https server",
    "plain http request was sent to https port",
    "unrecognized ssl message",
    "unsupported or unrecognized ssl message",
    "ssl_error_rx_record_too_long",
    "packet length too long",
    "does not support ssl",
    "server does not support tls",
];

/// Something is to be written where nothing may be written.
pub const READ_ONLY: &[&str] = &["read-only file system", "readonly file system", "erofs"];

/// A data store answers that it takes no writes at present.
pub const STORE_READ_ONLY: &[&str] = &[
    "running with the --read-only option",
    "running with the --super-read-only option",
    "--read_only",
    "read_only=on",
    "in a read-only transaction",
    "cannot execute insert in a read-only",
    "readonly you can't write against a read only",
    "can't write against a read only",
    "not master and slaveok=false",
    "notwritableprimary",
    "not primary",
    "not master",
    "is read only",
    "database is read-only",
    "database is readonly",
    "readonly database",
    "read-only mode",
    "index_closed_exception",
    "read_only_allow_delete",
    "misconf redis is configured to save",
    "stop-writes-on-bgsave-error",
];

/// A data store, or the client's own pool, has no connection left to give.
pub const CONNECTIONS_EXHAUSTED: &[&str] = &[
    "too many connections",
    "too many clients already",
    "remaining connection slots are reserved",
    "max number of clients reached",
    "max_user_connections",
    "too many open connections",
    "connection limit exceeded",
    "connection slots",
    "connection refused because too many",
];

/// The pool of connections within the client has none left: its size, or what holds them.
pub const POOL_EXHAUSTED: &[&str] = &[
    "connection is not available, request timed out after",
    "connection pool exhausted",
    "timeout waiting for connection from pool",
    "timeout waiting for idle object",
    "queuepool limit of size",
    "could not get a resource from the pool",
    "pool is exhausted",
    "poolexhaustedexception",
    "the timeout period elapsed prior to obtaining a connection from the pool",
];

/// A peer takes the request and does not answer in time.
pub const ANSWERS_LATE: &[&str] = &[
    "read timed out",
    "read timeout",
    "sockettimeoutexception",
    "request timed out",
    "request timeout",
    "response timeout",
    "response timed out",
    "timeout awaiting response headers",
    "awaiting headers",
    "upstream timed out",
    "upstream request timeout",
    "upstream response timeout",
    "gateway timeout",
    "deadline_exceeded",
    "deadlineexceeded",
    "deadline exceeded",
    "lock wait timeout",
    "query timeout",
    "statement timeout",
    "timed out while reading",
    "timeout performing",
    "net_read_timeout",
    "esockettimedout",
];

/// Nothing more can be written: the disk or the quota of it is full.
pub const NO_SPACE: &[&str] = &[
    "no space left on device",
    "enospc",
    "disk quota exceeded",
    "disk is full",
    "disk full",
    "flood stage disk watermark",
];

/// Somebody listens on the port already.
pub const ADDRESS_IN_USE: &[&str] = &[
    "address already in use",
    "eaddrinuse",
    "address in use",
    "failed to bind to port",
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
    "host(s) tried for",
    "brokers are down",
    "broker may not be available",
    "context deadline exceeded",
    "communications link failure",
    "server has gone away",
    "lost connection to mysql server",
    "server selection timed out",
    "serverselectiontimeout",
    "serverselectionerror",
    "no suitable servers",
    "mongonetworkerror",
    "redisconnectionexception",
    "connection to the redis server",
    "connect timed out",
    "connecttimeout",
    "target machine actively refused",
    "max retries exceeded with url",
    "failed to establish a new connection",
    "amqpconnection",
    "upstream connect error",
    "no healthy upstream",
    "connect() failed",
    "no live upstreams",
    "upstream prematurely closed connection",
    "socket hang up",
    "statuscode.unavailable",
    "code = unavailable",
    "unable to acquire jdbc connection",
    "failed to obtain jdbc connection",
    "connection attempt failed",
];

/// A volume is mounted where the image has something of another kind.
pub const MOUNT_OVER_FILE: &[&str] =
    &["mount a directory onto a file", "not a directory: unknown", "is a directory: unknown"];

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
