//! The rows. Names, short names, categories and scopes are those of Kubernetes 1.36.

mod core;
mod infrastructure;
mod others;
mod reviews;
mod workloads;

pub(crate) use self::core::*;
pub(crate) use infrastructure::*;
pub(crate) use others::*;
pub(crate) use reviews::{REVIEWS, TOKEN_REQUEST};
pub(crate) use workloads::*;

use super::Kind;

const STATUS: &[&str] = &["status"];

const ADMISSION: &str = "admissionregistration.k8s.io";
const RBAC: &str = "rbac.authorization.k8s.io";
const NETWORKING: &str = "networking.k8s.io";
const STORAGE: &str = "storage.k8s.io";

/// A namespaced kind of the core group.
const fn core(plural: &'static str, kind: &'static str) -> Kind {
    Kind::of("", "v1", plural, kind, plural)
}

/// A namespaced kind of another group, version v1.
const fn v1(
    group: &'static str,
    plural: &'static str,
    kind: &'static str,
    storage: &'static str,
) -> Kind {
    Kind::of(group, "v1", plural, kind, storage)
}

/// The same kind without namespaces.
const fn cluster_wide(kind: Kind) -> Kind {
    Kind { namespaced: false, ..kind }
}

/// Every resource that the server has, in order of discovery.
pub(crate) static TABLE: &[&Kind] = &[
    &COMPONENT_STATUS,
    &CONFIG_MAP,
    &ENDPOINTS,
    &EVENT,
    &LIMIT_RANGE,
    &NAMESPACE,
    &NODE,
    &PERSISTENT_VOLUME_CLAIM,
    &PERSISTENT_VOLUME,
    &POD,
    &POD_TEMPLATE,
    &REPLICATION_CONTROLLER,
    &RESOURCE_QUOTA,
    &SECRET,
    &SERVICE_ACCOUNT,
    &SERVICE,
    &API_SERVICE,
    &CONTROLLER_REVISION,
    &DAEMON_SET,
    &DEPLOYMENT,
    &REPLICA_SET,
    &STATEFUL_SET,
    &EVENT_V1,
    &HPA,
    &HPA_V1,
    &CRON_JOB,
    &JOB,
    &CERTIFICATE_REQUEST,
    &INGRESS_CLASS,
    &INGRESS,
    &NETWORK_POLICY,
    &IP_ADDRESS,
    &SERVICE_CIDR,
    &DISRUPTION_BUDGET,
    &CLUSTER_ROLE_BINDING,
    &CLUSTER_ROLE,
    &ROLE_BINDING,
    &ROLE,
    &CSI_DRIVER,
    &CSI_NODE,
    &STORAGE_CLASS,
    &VOLUME_ATTACHMENT,
    &STORAGE_CAPACITY,
    &VOLUME_ATTRIBUTES_CLASS,
    &MUTATING_WEBHOOKS,
    &VALIDATING_WEBHOOKS,
    &MUTATING_POLICY,
    &MUTATING_POLICY_BINDING,
    &VALIDATING_POLICY,
    &VALIDATING_POLICY_BINDING,
    &CUSTOM_RESOURCE_DEFINITION,
    &PRIORITY_CLASS,
    &LEASE,
    &RUNTIME_CLASS,
    &ENDPOINT_SLICE,
    &DEVICE_CLASS,
    &RESOURCE_CLAIM,
    &RESOURCE_CLAIM_TEMPLATE,
    &RESOURCE_SLICE,
    &FLOW_SCHEMA,
    &PRIORITY_LEVEL,
];
