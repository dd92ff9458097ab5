//! The core group.

use super::{ALL, STATUS, cluster_wide, core, v1};
use crate::kinds::columns::{cluster, events, network, nodes, pods, policy, storage};
use crate::kinds::{Kind, validate};

pub(crate) static CONFIG_MAP: Kind = Kind {
    short_names: &["cm"],
    columns: cluster::CONFIG_MAP,
    ..core(["configmaps", "configmap"], "ConfigMap")
};
pub(crate) static ENDPOINTS: Kind = Kind {
    short_names: &["ep"],
    columns: network::ENDPOINTS,
    ..core(["endpoints", "endpoints"], "Endpoints")
};
pub(crate) static EVENT: Kind = Kind {
    short_names: &["ev"],
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
    ..core(["events", "event"], "Event")
};
pub(crate) static EVENT_V1: Kind = Kind {
    short_names: &["ev"],
    columns: events::EVENT,
    ..v1("events.k8s.io", ["events", "event"], "Event", "events")
};
pub(crate) static LIMIT_RANGE: Kind = Kind {
    short_names: &["limits"],
    columns: cluster::NAME_AND_CREATION,
    ..core(["limitranges", "limitrange"], "LimitRange")
};
pub(crate) static NAMESPACE: Kind = Kind {
    short_names: &["ns"],
    subresources: STATUS,
    fields: &["status.phase"],
    columns: cluster::NAMESPACE,
    verbs: &["create", "delete", "patch", "update"],
    deletion_shows_object: true,
    ..cluster_wide(core(["namespaces", "namespace"], "Namespace"))
};
pub(crate) static NODE: Kind = Kind {
    short_names: &["no"],
    subresources: STATUS,
    fields: &["spec.unschedulable"],
    columns: nodes::NODE,
    ..cluster_wide(core(["nodes", "node"], "Node"))
};
pub(crate) static PERSISTENT_VOLUME_CLAIM: Kind = Kind {
    short_names: &["pvc"],
    subresources: STATUS,
    columns: storage::CLAIM,
    deletion_shows_object: true,
    ..core(["persistentvolumeclaims", "persistentvolumeclaim"], "PersistentVolumeClaim")
};
pub(crate) static PERSISTENT_VOLUME: Kind = Kind {
    short_names: &["pv"],
    subresources: STATUS,
    columns: storage::VOLUME,
    deletion_shows_object: true,
    ..cluster_wide(core(["persistentvolumes", "persistentvolume"], "PersistentVolume"))
};
pub(crate) static POD: Kind = Kind {
    short_names: &["po"],
    categories: ALL,
    subresources: STATUS,
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
    validate: validate::pod,
    has_generation: true,
    deletion_shows_object: true,
    ..core(["pods", "pod"], "Pod")
};
pub(crate) static POD_TEMPLATE: Kind =
    Kind { deletion_shows_object: true, ..core(["podtemplates", "podtemplate"], "PodTemplate") };
pub(crate) static REPLICATION_CONTROLLER: Kind = Kind {
    short_names: &["rc"],
    categories: ALL,
    subresources: STATUS,
    has_generation: true,
    ..core(["replicationcontrollers", "replicationcontroller"], "ReplicationController")
};
pub(crate) static RESOURCE_QUOTA: Kind = Kind {
    short_names: &["quota"],
    subresources: STATUS,
    columns: policy::QUOTA,
    deletion_shows_object: true,
    ..core(["resourcequotas", "resourcequota"], "ResourceQuota")
};
pub(crate) static SECRET: Kind = Kind {
    fields: &["type"],
    columns: cluster::SECRET,
    ..core(["secrets", "secret"], "Secret")
};
pub(crate) static SERVICE_ACCOUNT: Kind = Kind {
    short_names: &["sa"],
    deletion_shows_object: true,
    ..core(["serviceaccounts", "serviceaccount"], "ServiceAccount")
};
pub(crate) static SERVICE: Kind = Kind {
    short_names: &["svc"],
    categories: ALL,
    subresources: STATUS,
    fields: &["spec.clusterIP", "spec.type"],
    columns: network::SERVICE,
    deletion_shows_object: true,
    ..core(["services", "service"], "Service")
};
