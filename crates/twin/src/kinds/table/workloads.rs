//! Groups of what runs: workloads, autoscaling, batch, policies, leases, endpoints.

use super::{ALL, STATUS, cluster_wide, v1};
use crate::kinds::columns::{cluster, network, policy, workloads};
use crate::kinds::{Kind, validate};

pub(crate) static CONTROLLER_REVISION: Kind = v1(
    "apps",
    ["controllerrevisions", "controllerrevision"],
    "ControllerRevision",
    "controllerrevisions.apps",
);
pub(crate) static DAEMON_SET: Kind = Kind {
    short_names: &["ds"],
    categories: ALL,
    subresources: STATUS,
    columns: workloads::DAEMON_SET,
    validate: validate::workload,
    has_generation: true,
    ..v1("apps", ["daemonsets", "daemonset"], "DaemonSet", "daemonsets.apps")
};
pub(crate) static DEPLOYMENT: Kind = Kind {
    short_names: &["deploy"],
    categories: ALL,
    subresources: STATUS,
    columns: workloads::DEPLOYMENT,
    validate: validate::workload,
    has_generation: true,
    ..v1("apps", ["deployments", "deployment"], "Deployment", "deployments.apps")
};
pub(crate) static REPLICA_SET: Kind = Kind {
    short_names: &["rs"],
    categories: ALL,
    subresources: STATUS,
    fields: &["status.replicas"],
    columns: workloads::REPLICA_SET,
    validate: validate::workload,
    has_generation: true,
    ..v1("apps", ["replicasets", "replicaset"], "ReplicaSet", "replicasets.apps")
};
pub(crate) static STATEFUL_SET: Kind = Kind {
    short_names: &["sts"],
    categories: ALL,
    subresources: STATUS,
    columns: workloads::STATEFUL_SET,
    validate: validate::workload,
    has_generation: true,
    ..v1("apps", ["statefulsets", "statefulset"], "StatefulSet", "statefulsets.apps")
};
pub(crate) static HPA: Kind = Kind {
    short_names: &["hpa"],
    categories: ALL,
    subresources: STATUS,
    columns: workloads::AUTOSCALER,
    ..Kind::of(
        "autoscaling",
        "v2",
        ["horizontalpodautoscalers", "horizontalpodautoscaler"],
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers.autoscaling",
    )
};
pub(crate) static CRON_JOB: Kind = Kind {
    short_names: &["cj"],
    categories: ALL,
    subresources: STATUS,
    columns: workloads::CRON_JOB,
    has_generation: true,
    ..v1("batch", ["cronjobs", "cronjob"], "CronJob", "cronjobs.batch")
};
pub(crate) static JOB: Kind = Kind {
    categories: ALL,
    subresources: STATUS,
    fields: &["status.successful"],
    columns: workloads::JOB,
    has_generation: true,
    ..v1("batch", ["jobs", "job"], "Job", "jobs.batch")
};
pub(crate) static DISRUPTION_BUDGET: Kind = Kind {
    short_names: &["pdb"],
    subresources: STATUS,
    columns: policy::DISRUPTION_BUDGET,
    has_generation: true,
    ..v1(
        "policy",
        ["poddisruptionbudgets", "poddisruptionbudget"],
        "PodDisruptionBudget",
        "poddisruptionbudgets.policy",
    )
};
pub(crate) static CERTIFICATE_REQUEST: Kind = Kind {
    short_names: &["csr"],
    subresources: STATUS,
    fields: &["spec.signerName"],
    ..cluster_wide(v1(
        "certificates.k8s.io",
        ["certificatesigningrequests", "certificatesigningrequest"],
        "CertificateSigningRequest",
        "certificatesigningrequests.certificates.k8s.io",
    ))
};
pub(crate) static LEASE: Kind = Kind {
    columns: cluster::LEASE,
    ..v1("coordination.k8s.io", ["leases", "lease"], "Lease", "leases.coordination.k8s.io")
};
pub(crate) static ENDPOINT_SLICE: Kind = Kind {
    columns: network::ENDPOINT_SLICE,
    has_generation: true,
    ..v1(
        "discovery.k8s.io",
        ["endpointslices", "endpointslice"],
        "EndpointSlice",
        "endpointslices.discovery.k8s.io",
    )
};
pub(crate) static PRIORITY_CLASS: Kind = Kind {
    short_names: &["pc"],
    columns: policy::PRIORITY_CLASS,
    has_generation: true,
    ..cluster_wide(v1(
        "scheduling.k8s.io",
        ["priorityclasses", "priorityclass"],
        "PriorityClass",
        "priorityclasses.scheduling.k8s.io",
    ))
};
pub(crate) static RUNTIME_CLASS: Kind = cluster_wide(v1(
    "node.k8s.io",
    ["runtimeclasses", "runtimeclass"],
    "RuntimeClass",
    "runtimeclasses.node.k8s.io",
));
