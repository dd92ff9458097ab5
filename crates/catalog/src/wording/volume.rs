//! How the kubelet, the attach controller and storage drivers say that a volume cannot be had.

/// A disk is attached to another node and may be on one only.
pub const ATTACH_CONFLICT: &[&str] = &[
    "multi-attach error",
    "already exclusively attached",
    "already attached to another node",
    "already attached to a different node",
    "is already attached to an instance",
    "is already being used by",
    "volume is already used by pod",
    "volumeinuse",
    "resource_in_use_by_another_resource",
    "rbd image is still being used",
    "is still being used",
    "is still attached to",
    "still attached to node",
    "isn't in available state",
    "volume is not in available state",
];

/// A driver was called and failed, for a reason that only it knows.
pub const DRIVER_FAILED: &[&str] = &["mount command failed, status: failure"];

/// The node knows no driver of this name.
pub const DRIVER_MISSING: &[&str] = &[
    "not found in the list of registered csi drivers",
    "does not contain driver",
    "no volume plugin matched",
    "failed to get plugin from volumespec",
    "unknown volume plugin",
    "driver not found",
    "no csi driver",
    "timed out waiting for external-attacher",
    "csinode object",
    "no such file or directory\" (csi.sock",
];

/// The socket of a driver is there and nobody answers at it.
pub const DRIVER_SOCKET: &[&str] = &["csi.sock: connect", "csi.sock: no such file"];

/// The server of a network volume does not answer or is not found.
pub const STORAGE_UNREACHABLE: &[&str] = &[
    "connection timed out",
    "connection refused",
    "no route to host",
    "network is unreachable",
    "host is down",
    "unable to connect",
    "failed to resolve server",
    "name or service not known",
    "could not resolve address",
    "no such host",
    "transport endpoint is not connected",
    "stale file handle",
    "stale nfs file handle",
    "rpc: program not registered",
    "failed to sendtargets",
    "server not responding",
    "deadlineexceeded",
    "context deadline exceeded",
    "i/o timeout",
    "cannot mount: timed out",
    "exit status 110",
];

/// The server of a volume, or the node's file system, refuses.
pub const STORAGE_DENIED: &[&str] = &[
    "access denied by server",
    "permission denied",
    "operation not permitted",
    "mount error(13)",
    "applyfsgroup failed",
    "unauthorizedoperation",
    "accessdenied",
    "authorizationfailed",
    "is not authorized to perform",
];

/// A path or a device of the node is not there.
pub const DEVICE_MISSING: &[&str] = &[
    "hostpath type check failed",
    "special device",
    "does not exist",
    "no such file or directory",
    "no such device",
    "could not find device",
    "failed to find device",
    "cannot find device",
    "failed to get device path",
    "device path is empty",
    "timeout waiting for device",
    "timed out waiting for device",
    "is not a directory",
    "is not a block device",
];

/// The disk behind a volume is gone.
pub const DISK_GONE: &[&str] = &[
    "invalidvolume.notfound",
    "could not find volume",
    "volume not found",
    "disk not found",
    "no such volume",
    "code = notfound",
    "was not found on zone",
    "error processing pvc",
];

/// The data on a volume is not what it is mounted as.
pub const FILE_SYSTEM_WRONG: &[&str] = &[
    "wrong fs type",
    "bad superblock",
    "unknown filesystem type",
    "structure needs cleaning",
    "fsck found errors",
    "'fsck' found errors",
    "can't read superblock",
    "already contains an unknown",
];

/// No more disks can be attached to the node.
pub const ATTACH_LIMIT: &[&str] = &[
    "attachmentlimitexceeded",
    "maximum number of data disks",
    "too many disks",
    "exceeds the maximum number of attach",
    "attachable volume limit",
    "volumes attached to the node exceeds",
];

/// The kubelet waited for volumes and nobody says why; also older kubelets.
pub const VOLUME_TIMEOUT: &[&str] =
    &["timed out waiting for the condition", "timeout expired waiting for volumes"];

/// Events after which a pod has its volumes.
pub const HAS_VOLUMES: &[&str] = &["Pulling", "Pulled", "Created", "Started"];
