//! How the kubelet and the runtime say that a pod's sandbox cannot be made.

/// There are no addresses left for pods.
pub const ADDRESSES_EXHAUSTED: &[&str] = &[
    "failed to assign an ip address",
    "no ip addresses available",
    "no available ip",
    "no addresses available",
    "failed to allocate for range",
    "no more ips available",
    "no more addresses",
    "ip addresses are exhausted",
    "address pool exhausted",
    "ipam pool exhausted",
    "insufficientfreeaddresses",
    "insufficient free ip",
    "range set: ",
    "no ips available",
    "assigned 0 out of 1 requested",
    "no more free affine blocks",
    "no free ips",
    "could not allocate ip",
    "unable to allocate ip",
    "out of ip addresses",
];

/// The node does not know the runtime that the pod's runtime class names.
pub const RUNTIME_CLASS_UNKNOWN: &[&str] = &[
    "no runtime for \"",
    "unknown runtime handler",
    "runtime handler",
    "runtimehandler",
    "failed to find runtime handler",
    "failed to get sandbox runtime",
    "runtimeclass.node.k8s.io",
    "runtimeclasses.node.k8s.io",
];

/// A security profile that the pod names is not on the node, or not allowed there.
pub const SECURITY_PROFILE: &[&str] = &[
    "seccomp",
    "apparmor",
    "selinux",
    "attr/keycreate",
    "security profile",
    "profile is not loaded",
    "sysctl",
];

/// The image every sandbox begins with cannot be had.
pub const SANDBOX_IMAGE: &[&str] =
    &["failed to get sandbox image", "failed to pull sandbox image", "/pause:", "/pause@"];

/// The network of a sandbox cannot be taken down.
pub const NETWORK_TEARDOWN: &[&str] =
    &["failed to teardown pod", "failed to destroy network", "failed to tear down network"];

/// The network of a sandbox cannot be made.
pub const NETWORK_SETUP: &[&str] = &[
    "networkplugin cni",
    "network plugin",
    "failed to setup network",
    "failed to set up network",
    "failed to set up sandbox container",
    "plugin type=",
    "cni config",
    "cni plugin",
    "/opt/cni/bin",
    "/etc/cni/net.d",
    "cni network",
    "add cmd:",
    "network is not ready",
    "subnet.env",
    "netplugin failed",
];

/// Words in the names of workloads that are network plugins.
pub const NETWORK_PLUGINS: &[&str] = &[
    "antrea",
    "aws-node",
    "azure-cni",
    "calico",
    "canal",
    "cilium",
    "flannel",
    "kindnet",
    "kube-router",
    "multus",
    "netd",
    "ovn",
    "terway",
    "weave",
];
