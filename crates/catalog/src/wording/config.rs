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
