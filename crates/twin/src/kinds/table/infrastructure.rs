//! Groups of what it runs on: networking, roles, storage, extensions of the API.

use super::{ADMISSION, EXTENSIONS, NETWORKING, RBAC, STATUS, STORAGE, cluster_wide, v1};
use crate::kinds::Kind;
use crate::kinds::columns::{cluster, network, policy, storage};

pub(crate) static INGRESS: Kind = Kind {
    short_names: &["ing"],
    subresources: STATUS,
    columns: network::INGRESS,
    has_generation: true,
    ..v1(NETWORKING, ["ingresses", "ingress"], "Ingress", "ingresses.networking.k8s.io")
};
pub(crate) static INGRESS_CLASS: Kind = Kind {
    columns: network::INGRESS_CLASS,
    has_generation: true,
    ..cluster_wide(v1(
        NETWORKING,
        ["ingressclasses", "ingressclass"],
        "IngressClass",
        "ingressclasses.networking.k8s.io",
    ))
};
pub(crate) static NETWORK_POLICY: Kind = Kind {
    short_names: &["netpol"],
    columns: network::NETWORK_POLICY,
    has_generation: true,
    ..v1(
        NETWORKING,
        ["networkpolicies", "networkpolicy"],
        "NetworkPolicy",
        "networkpolicies.networking.k8s.io",
    )
};

pub(crate) static CLUSTER_ROLE: Kind = Kind {
    columns: cluster::NAME_AND_CREATION,
    names_are_dns: false,
    ..cluster_wide(v1(
        RBAC,
        ["clusterroles", "clusterrole"],
        "ClusterRole",
        "clusterroles.rbac.authorization.k8s.io",
    ))
};
pub(crate) static CLUSTER_ROLE_BINDING: Kind = Kind {
    columns: cluster::ROLE_BINDING,
    names_are_dns: false,
    ..cluster_wide(v1(
        RBAC,
        ["clusterrolebindings", "clusterrolebinding"],
        "ClusterRoleBinding",
        "clusterrolebindings.rbac.authorization.k8s.io",
    ))
};
pub(crate) static ROLE: Kind = Kind {
    columns: cluster::NAME_AND_CREATION,
    names_are_dns: false,
    ..v1(RBAC, ["roles", "role"], "Role", "roles.rbac.authorization.k8s.io")
};
pub(crate) static ROLE_BINDING: Kind = Kind {
    columns: cluster::ROLE_BINDING,
    names_are_dns: false,
    ..v1(
        RBAC,
        ["rolebindings", "rolebinding"],
        "RoleBinding",
        "rolebindings.rbac.authorization.k8s.io",
    )
};

pub(crate) static STORAGE_CLASS: Kind = Kind {
    short_names: &["sc"],
    columns: storage::CLASS,
    deletion_shows_object: true,
    ..cluster_wide(v1(
        STORAGE,
        ["storageclasses", "storageclass"],
        "StorageClass",
        "storageclasses.storage.k8s.io",
    ))
};
pub(crate) static CSI_DRIVER: Kind = cluster_wide(v1(
    STORAGE,
    ["csidrivers", "csidriver"],
    "CSIDriver",
    "csidrivers.storage.k8s.io",
));
pub(crate) static CSI_NODE: Kind = Kind {
    deletion_shows_object: true,
    ..cluster_wide(v1(STORAGE, ["csinodes", "csinode"], "CSINode", "csinodes.storage.k8s.io"))
};
pub(crate) static VOLUME_ATTACHMENT: Kind = Kind {
    subresources: STATUS,
    deletion_shows_object: true,
    ..cluster_wide(v1(
        STORAGE,
        ["volumeattachments", "volumeattachment"],
        "VolumeAttachment",
        "volumeattachments.storage.k8s.io",
    ))
};

pub(crate) static MUTATING_WEBHOOKS: Kind = Kind {
    categories: EXTENSIONS,
    columns: policy::WEBHOOKS,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        ["mutatingwebhookconfigurations", "mutatingwebhookconfiguration"],
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_WEBHOOKS: Kind = Kind {
    categories: EXTENSIONS,
    columns: policy::WEBHOOKS,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        ["validatingwebhookconfigurations", "validatingwebhookconfiguration"],
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations.admissionregistration.k8s.io",
    ))
};
pub(crate) static CUSTOM_RESOURCE_DEFINITION: Kind = Kind {
    short_names: &["crd", "crds"],
    categories: EXTENSIONS,
    subresources: STATUS,
    columns: cluster::NAME_AND_CREATION,
    verbs: &[],
    ..cluster_wide(v1(
        "apiextensions.k8s.io",
        ["customresourcedefinitions", "customresourcedefinition"],
        "CustomResourceDefinition",
        "customresourcedefinitions.apiextensions.k8s.io",
    ))
};
pub(crate) static API_SERVICE: Kind = Kind {
    categories: EXTENSIONS,
    subresources: STATUS,
    verbs: &[],
    ..cluster_wide(v1(
        "apiregistration.k8s.io",
        ["apiservices", "apiservice"],
        "APIService",
        "apiservices.apiregistration.k8s.io",
    ))
};
