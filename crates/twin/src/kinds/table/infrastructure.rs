//! Groups of what it runs on: networking, roles, storage, extensions of the API.

use super::{ADMISSION, NETWORKING, RBAC, STATUS, STORAGE, cluster_wide, v1};
use crate::kinds::Kind;
use crate::kinds::columns::{cluster, network, policy, storage};

pub(crate) static INGRESS: Kind = Kind {
    subresources: STATUS,
    columns: network::INGRESS,
    has_generation: true,
    ..v1(NETWORKING, "ingresses", "Ingress", "ingresses.networking.k8s.io")
};
pub(crate) static INGRESS_CLASS: Kind = Kind {
    columns: network::INGRESS_CLASS,
    has_generation: true,
    ..cluster_wide(v1(
        NETWORKING,
        "ingressclasses",
        "IngressClass",
        "ingressclasses.networking.k8s.io",
    ))
};
pub(crate) static NETWORK_POLICY: Kind = Kind {
    columns: network::NETWORK_POLICY,
    has_generation: true,
    ..v1(NETWORKING, "networkpolicies", "NetworkPolicy", "networkpolicies.networking.k8s.io")
};

pub(crate) static CLUSTER_ROLE: Kind = Kind {
    creates_on_update: true,
    columns: cluster::NAME_AND_CREATION,
    names_are_dns: false,
    ..cluster_wide(v1(
        RBAC,
        "clusterroles",
        "ClusterRole",
        "clusterroles.rbac.authorization.k8s.io",
    ))
};
pub(crate) static CLUSTER_ROLE_BINDING: Kind = Kind {
    creates_on_update: true,
    columns: cluster::ROLE_BINDING,
    names_are_dns: false,
    ..cluster_wide(v1(
        RBAC,
        "clusterrolebindings",
        "ClusterRoleBinding",
        "clusterrolebindings.rbac.authorization.k8s.io",
    ))
};
pub(crate) static ROLE: Kind = Kind {
    creates_on_update: true,
    columns: cluster::NAME_AND_CREATION,
    names_are_dns: false,
    ..v1(RBAC, "roles", "Role", "roles.rbac.authorization.k8s.io")
};
pub(crate) static ROLE_BINDING: Kind = Kind {
    creates_on_update: true,
    columns: cluster::ROLE_BINDING,
    names_are_dns: false,
    ..v1(RBAC, "rolebindings", "RoleBinding", "rolebindings.rbac.authorization.k8s.io")
};

pub(crate) static STORAGE_CLASS: Kind = Kind {
    columns: storage::CLASS,
    deletion_shows_object: true,
    ..cluster_wide(v1(STORAGE, "storageclasses", "StorageClass", "storageclasses.storage.k8s.io"))
};
pub(crate) static CSI_DRIVER: Kind = Kind {
    columns: storage::DRIVER,
    needs_version: true,
    deletion_shows_object: true,
    ..cluster_wide(v1(STORAGE, "csidrivers", "CSIDriver", "csidrivers.storage.k8s.io"))
};
pub(crate) static CSI_NODE: Kind = Kind {
    columns: storage::CSI_NODE,
    deletion_shows_object: true,
    needs_version: true,
    ..cluster_wide(v1(STORAGE, "csinodes", "CSINode", "csinodes.storage.k8s.io"))
};
pub(crate) static VOLUME_ATTACHMENT: Kind = Kind {
    columns: storage::ATTACHMENT,
    subresources: STATUS,
    deletion_shows_object: true,
    needs_version: true,
    ..cluster_wide(v1(
        STORAGE,
        "volumeattachments",
        "VolumeAttachment",
        "volumeattachments.storage.k8s.io",
    ))
};

pub(crate) static MUTATING_WEBHOOKS: Kind = Kind {
    columns: policy::WEBHOOKS,
    needs_version: true,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        "mutatingwebhookconfigurations",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_WEBHOOKS: Kind = Kind {
    columns: policy::WEBHOOKS,
    needs_version: true,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        "validatingwebhookconfigurations",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
    ))
};
pub(crate) static CUSTOM_RESOURCE_DEFINITION: Kind = Kind {
    subresources: STATUS,
    columns: cluster::NAME_AND_CREATION,
    needs_version: true,
    has_generation: true,
    ..cluster_wide(v1(
        "apiextensions.k8s.io",
        "customresourcedefinitions",
        "CustomResourceDefinition",
        "customresourcedefinitions.apiextensions.k8s.io",
    ))
};
pub(crate) static API_SERVICE: Kind = Kind {
    subresources: STATUS,
    needs_version: true,
    ..cluster_wide(v1(
        "apiregistration.k8s.io",
        "apiservices",
        "APIService",
        "apiservices.apiregistration.k8s.io",
    ))
};
