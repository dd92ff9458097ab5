//! The faults that are planted in a dump, and what a right diagnosis says of each.

/// What is wrong with an application, or with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The program exits with 1 at once.
    CrashLoop,
    /// The image does not exist.
    ImageMissing,
    /// The container is killed at its memory limit again and again.
    MemoryLimit,
    /// No node has room for the request.
    TooBig,
    /// The Service selects a label no pod has.
    SelectorWrong,
    /// The claim names a storage class that does not exist.
    ClassMissing,
    /// The pod names a secret that does not exist.
    SecretMissing,
    /// The readiness probe is answered with 503.
    Unready,
    /// The quota of the namespace refuses every pod.
    Quota,
    /// The node's kubelet went silent.
    NodeSilent,
}

/// Faults of applications, in the order they are dealt out.
pub const OF_APPS: &[Fault] = &[
    Fault::CrashLoop,
    Fault::ImageMissing,
    Fault::MemoryLimit,
    Fault::TooBig,
    Fault::SelectorWrong,
    Fault::ClassMissing,
    Fault::SecretMissing,
    Fault::Unready,
    Fault::Quota,
];

impl Fault {
    /// The failures a right diagnosis may name as the cause, and the kinds of the object to mend.
    pub fn expected(self) -> (&'static [&'static str], &'static [&'static str]) {
        match self {
            Fault::CrashLoop => (&["pod-crash-looping"], &["Deployment"]),
            Fault::ImageMissing => (&["pod-image-pull-failing"], &["Deployment"]),
            Fault::MemoryLimit => (&["pod-limit-reached", "pod-crash-looping"], &["Deployment"]),
            Fault::TooBig => (&["pod-pending-unschedulable"], &["Deployment"]),
            Fault::SelectorWrong => (&["service-without-endpoints"], &["Service"]),
            Fault::ClassMissing => (&["claim-pending"], &["PersistentVolumeClaim"]),
            Fault::SecretMissing => (&["pod-config-missing"], &["Deployment"]),
            Fault::Unready => (&["pod-probe-failing"], &["Deployment"]),
            Fault::Quota => (
                &["pods-refused-at-admission", "deployment-blocked-by-admission"],
                &["Deployment", "ResourceQuota"],
            ),
            Fault::NodeSilent => (&["node-unknown", "node-not-ready"], &["Node"]),
        }
    }

    /// Whether pods of the application are bound to nodes.
    pub fn scheduled(self) -> bool {
        !matches!(self, Fault::TooBig | Fault::ClassMissing)
    }

    /// Whether the fault shows on the pods.
    pub fn on_pods(self) -> bool {
        !matches!(self, Fault::SelectorWrong | Fault::Quota | Fault::NodeSilent)
    }
}

/// One planted fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planted {
    /// What.
    pub fault: Fault,
    /// Namespace of the application; empty for a node.
    pub namespace: String,
    /// Name of the application or node.
    pub name: String,
}
