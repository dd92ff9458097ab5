//! How the kubelet says that a container cannot be configured or its volumes not be made.

/// The word for a container whose settings cannot be put together.
pub const CONFIG_WORD: &str = "CreateContainerConfigError";

/// Words for a container that has not been started yet, which also one without its volumes has.
pub const CREATING_WORDS: &[&str] = &["ContainerCreating", "PodInitializing"];

/// Marks before the quoted name of an object that the kubelet misses, old and new, with what
/// it is.
pub const MISSED_OBJECTS: &[(&str, &str)] = &[
    ("configmap \"", "ConfigMap"),
    ("configmaps \"", "ConfigMap"),
    ("secret \"", "Secret"),
    ("secrets \"", "Secret"),
    ("serviceaccount \"", "ServiceAccount"),
    ("serviceaccounts \"", "ServiceAccount"),
    ("persistentvolumeclaim \"", "PersistentVolumeClaim"),
    ("persistentvolumeclaims \"", "PersistentVolumeClaim"),
];

/// Marks before the name of a key that a volume wants and its source lacks.
pub const MISSED_ITEMS: &[(&str, &str)] = &[
    ("references non-existent config key: ", "ConfigMap"),
    ("references non-existent secret key: ", "Secret"),
];

/// The mark before the name of a key that a variable wants.
pub const MISSED_KEY: &str = "couldn't find key ";

/// The image would run as root, and its pod forbids that.
pub const ROOT_FORBIDDEN: &[&str] = &[
    "container has runasnonroot and image",
    "container's runasuser breaks non-root policy",
    "runasnonroot and runasuser",
];

/// A path inside a volume cannot be made or is not there.
pub const SUB_PATH: &[&str] =
    &["failed to prepare subpath", "subpath \"", "failed to create subpath directory"];

/// A program cannot make out a value that it was given: a number, a duration, an address.
pub const VALUE_UNREADABLE: &[&str] = &[
    "invalid literal for int()",
    "could not convert string to float",
    "strconv.",
    "time: invalid duration",
    "time: unknown unit",
    "time: missing unit",
    "numberformatexception",
    "formatexception",
    "not in a correct format",
    "parseinterror",
    "parsefloaterror",
    "parseboolerror",
    "invalid digit found in string",
    "invalid float literal",
    "invalid value for integer()",
    "invalid value for float()",
    "not a textual representation of an integer",
    "relative url without a base",
    "err_invalid_url",
    "err_socket_bad_port",
    "malformedurlexception",
    "urisyntaxexception",
    "missing protocol scheme",
    "unsupported protocol scheme",
    "not a valid value",
    "is not a valid port",
    "is not a valid number",
    "is not a valid integer",
    "is not a valid url",
    "not a valid logrus level",
    "unrecognized level",
    "invalid log level",
    "unknown log level",
];
