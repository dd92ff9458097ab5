//! Groups of what runs: workloads, autoscaling, batch, policies, leases, endpoints.

use super::{STATUS, cluster_wide, v1};
use crate::kinds::columns::{cluster, network, policy, workloads};
use crate::kinds::{Kind, prepare, validate};

pub(crate) static CONTROLLER_REVISION: Kind = Kind {
    columns: workloads::REVISION,
    ..v1("apps", "controllerrevisions", "ControllerRevision", "controllerrevisions.apps")
};
pub(crate) static DAEMON_SET: Kind = Kind {
    subresources: STATUS,
    columns: workloads::DAEMON_SET,
    prepare_update: prepare::daemon_set_update,
    validate: validate::own_workload,
    has_generation: true,
    ..v1("apps", "daemonsets", "DaemonSet", "daemonsets.apps")
};
pub(crate) static DEPLOYMENT: Kind = Kind {
    subresources: &["scale", "status"],
    columns: workloads::DEPLOYMENT,
    validate: validate::own_workload,
    has_generation: true,
    ..v1("apps", "deployments", "Deployment", "deployments.apps")
};
pub(crate) static REPLICA_SET: Kind = Kind {
    subresources: &["scale", "status"],
    columns: workloads::REPLICA_SET,
    validate: validate::own_workload,
    has_generation: true,
    ..v1("apps", "replicasets", "ReplicaSet", "replicasets.apps")
};
pub(crate) static STATEFUL_SET: Kind = Kind {
    subresources: &["scale", "status"],
    columns: workloads::STATEFUL_SET,
    validate: validate::own_workload,
    has_generation: true,
    ..v1("apps", "statefulsets", "StatefulSet", "statefulsets.apps")
};
pub(crate) static HPA: Kind = Kind {
    subresources: STATUS,
    columns: workloads::AUTOSCALER,
    ..Kind::of(
        "autoscaling",
        "v2",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers.autoscaling",
    )
};
pub(crate) static HPA_V1: Kind = Kind {
    subresources: STATUS,
    columns: workloads::AUTOSCALER,
    ..Kind::of(
        "autoscaling",
        "v1",
        "horizontalpodautoscalers",
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers.autoscaling",
    )
};
pub(crate) static CRON_JOB: Kind = Kind {
    subresources: STATUS,
    columns: workloads::CRON_JOB,
    has_generation: true,
    ..v1("batch", "cronjobs", "CronJob", "cronjobs.batch")
};
pub(crate) static JOB: Kind = Kind {
    subresources: STATUS,
    fields: &["status.successful"],
    columns: workloads::JOB,
    prepare: prepare::job,
    has_generation: true,
    ..v1("batch", "jobs", "Job", "jobs.batch")
};
pub(crate) static DISRUPTION_BUDGET: Kind = Kind {
    names_are_dns: false,
    needs_version: true,
    subresources: STATUS,
    columns: policy::DISRUPTION_BUDGET,
    has_generation: true,
    ..v1("policy", "poddisruptionbudgets", "PodDisruptionBudget", "poddisruptionbudgets.policy")
};
pub(crate) static CERTIFICATE_REQUEST: Kind = Kind {
    subresources: &["approval", "status"],
    fields: &["spec.signerName"],
    ..cluster_wide(v1(
        "certificates.k8s.io",
        "certificatesigningrequests",
        "CertificateSigningRequest",
        "certificatesigningrequests.certificates.k8s.io",
    ))
};
pub(crate) static LEASE: Kind = Kind {
    columns: cluster::LEASE,
    needs_version: true,
    creates_on_update: true,
    ..v1("coordination.k8s.io", "leases", "Lease", "leases.coordination.k8s.io")
};
pub(crate) static ENDPOINT_SLICE: Kind = Kind {
    columns: network::ENDPOINT_SLICE,
    has_generation: true,
    ..v1("discovery.k8s.io", "endpointslices", "EndpointSlice", "endpointslices.discovery.k8s.io")
};
pub(crate) static PRIORITY_CLASS: Kind = Kind {
    generation_is_fixed: true,
    columns: policy::PRIORITY_CLASS,
    has_generation: true,
    ..cluster_wide(v1(
        "scheduling.k8s.io",
        "priorityclasses",
        "PriorityClass",
        "priorityclasses.scheduling.k8s.io",
    ))
};
pub(crate) static RUNTIME_CLASS: Kind = Kind {
    columns: policy::RUNTIME_CLASS,
    needs_version: true,
    ..cluster_wide(v1(
        "node.k8s.io",
        "runtimeclasses",
        "RuntimeClass",
        "runtimeclasses.node.k8s.io",
    ))
};
