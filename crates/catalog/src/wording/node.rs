//! How nodes and their kubelets say what is wrong.

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

/// The kubelet is only starting.
pub const KUBELET_STARTING: &[&str] =
    &["node not yet ready", "kubelet is starting", "csinode is not yet initialized"];

/// System units that are container runtimes.
pub const RUNTIME_UNITS: &[&str] = &["containerd", "docker", "crio", "cri-o", "cri-dockerd"];
