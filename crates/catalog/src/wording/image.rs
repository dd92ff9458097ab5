//! How registries and runtimes say that an image cannot be had.

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
    "bad address",
    "name resolution failure",
    "no address associated with hostname",
];

/// Name resolution itself fails.
pub const NAME_RESOLUTION_DOWN: &[&str] = &[
    "temporary failure in name resolution",
    "eai_again",
    "server misbehaving",
    "no nameservers could be reached",
    "connection timed out; no servers",
    "read udp",
    "try again later: resolving",
];

/// Whether the peer that a text in lower case speaks of is a name server.
pub fn asks_dns(text: &str) -> bool {
    text.contains("lookup ") && text.contains(":53: ")
}

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
