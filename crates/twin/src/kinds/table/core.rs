//! The core group.

use super::{STATUS, cluster_wide, core, v1};
use crate::kinds::columns::{cluster, events, network, nodes, pods, policy, storage, workloads};
use crate::kinds::{Kind, prepare, validate};

pub(crate) static COMPONENT_STATUS: Kind = Kind {
    warning: "v1 ComponentStatus is deprecated in v1.19+",
    verbs: &[],
    ..cluster_wide(core("componentstatuses", "ComponentStatus"))
};
pub(crate) static CONFIG_MAP: Kind =
    Kind { columns: cluster::CONFIG_MAP, ..core("configmaps", "ConfigMap") };
pub(crate) static ENDPOINTS: Kind = Kind {
    warning: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
    creates_on_update: true,
    columns: network::ENDPOINTS,
    ..core("endpoints", "Endpoints")
};
pub(crate) static EVENT: Kind = Kind {
    names_are_dns: false,
    creates_on_update: true,
    columns: events::EVENT,
    fields: &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ],
    ..core("events", "Event")
};
pub(crate) static EVENT_V1: Kind = Kind {
    creates_on_update: true,
    columns: events::EVENT,
    fields: &[
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reason",
        "reportingController",
        "type",
    ],
    ..v1("events.k8s.io", "events", "Event", "events")
};
pub(crate) static LIMIT_RANGE: Kind = Kind {
    creates_on_update: true,
    columns: cluster::NAME_AND_CREATION,
    ..core("limitranges", "LimitRange")
};
pub(crate) static NAMESPACE: Kind = Kind {
    subresources: &["finalize", "status"],
    prepare: prepare::namespace,
    fields: &["status.phase"],
    columns: cluster::NAMESPACE,
    verbs: &["create", "delete", "patch", "update"],
    deletion_shows_object: true,
    ..cluster_wide(core("namespaces", "Namespace"))
};
pub(crate) static NODE: Kind = Kind {
    subresources: &["proxy", "status"],
    fields: &["spec.unschedulable"],
    columns: nodes::NODE,
    ..cluster_wide(core("nodes", "Node"))
};
pub(crate) static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    prepare: prepare::claim,
    subresources: STATUS,
    columns: storage::CLAIM,
    deletion_shows_object: true,
    ..core("persistentvolumeclaims", "PersistentVolumeClaim")
};
pub(crate) static PERSISTENT_VOLUME: Kind = Kind {
    subresources: STATUS,
    columns: storage::VOLUME,
    prepare: prepare::volume,
    deletion_shows_object: true,
    ..cluster_wide(core("persistentvolumes", "PersistentVolume"))
};
pub(crate) static POD: Kind = Kind {
    subresources: &[
        "attach",
        "binding",
        "ephemeralcontainers",
        "eviction",
        "exec",
        "log",
        "portforward",
        "proxy",
        "resize",
        "status",
    ],
    fields: &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ],
    columns: pods::POD,
    validate: validate::own_pod,
    has_generation: true,
    deletion_shows_object: true,
    ..core("pods", "Pod")
};
pub(crate) static POD_TEMPLATE: Kind = Kind {
    deletion_shows_object: true,
    has_generation: true,
    columns: workloads::POD_TEMPLATE,
    ..core("podtemplates", "PodTemplate")
};
pub(crate) static REPLICATION_CONTROLLER: Kind = Kind {
    fields: &["status.replicas"],
    columns: workloads::REPLICATION_CONTROLLER,
    subresources: &["scale", "status"],
    deletion_shows_object: true,
    has_generation: true,
    ..core("replicationcontrollers", "ReplicationController")
};
pub(crate) static RESOURCE_QUOTA: Kind = Kind {
    subresources: STATUS,
    columns: policy::QUOTA,
    deletion_shows_object: true,
    ..core("resourcequotas", "ResourceQuota")
};
pub(crate) static SECRET: Kind =
    Kind { fields: &["type"], columns: cluster::SECRET, ..core("secrets", "Secret") };
pub(crate) static SERVICE_ACCOUNT: Kind = Kind {
    prepare: prepare::service_account,
    prepare_update: |_, account| prepare::bare_secrets(account),
    subresources: &["token"],
    deletion_shows_object: true,
    ..core("serviceaccounts", "ServiceAccount")
};
pub(crate) static SERVICE: Kind = Kind {
    creates_on_update: true,
    subresources: &["proxy", "status"],
    fields: &["spec.clusterIP", "spec.type"],
    columns: network::SERVICE,
    prepare: prepare::service,
    prepare_update: prepare::service_update,
    deletion_shows_object: true,
    ..core("services", "Service")
};
