//! Kinds that are served for completeness: listable, stored, not acted upon.

use super::{ADMISSION, NETWORKING, STATUS, STORAGE, cluster_wide, v1};
use crate::kinds::Kind;
use crate::kinds::columns::{cluster, network, policy, storage};
use crate::kinds::prepare;

pub(crate) static IP_ADDRESS: Kind = Kind {
    columns: network::ADDRESS,
    ..cluster_wide(v1(NETWORKING, "ipaddresses", "IPAddress", "ipaddresses.networking.k8s.io"))
};
pub(crate) static SERVICE_CIDR: Kind = Kind {
    columns: network::RANGE,
    subresources: STATUS,
    ..cluster_wide(v1(NETWORKING, "servicecidrs", "ServiceCIDR", "servicecidrs.networking.k8s.io"))
};
pub(crate) static STORAGE_CAPACITY: Kind = Kind {
    columns: cluster::NAME_AND_CREATION,
    needs_version: true,
    ..v1(
        STORAGE,
        "csistoragecapacities",
        "CSIStorageCapacity",
        "csistoragecapacities.storage.k8s.io",
    )
};
pub(crate) static VOLUME_ATTRIBUTES_CLASS: Kind = Kind {
    columns: storage::ATTRIBUTES,
    deletion_shows_object: true,
    prepare: prepare::attributes_class,
    ..cluster_wide(v1(
        STORAGE,
        "volumeattributesclasses",
        "VolumeAttributesClass",
        "volumeattributesclasses.storage.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY: Kind = Kind {
    columns: policy::MUTATING,
    has_generation: true,
    needs_version: true,
    ..cluster_wide(v1(
        ADMISSION,
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY_BINDING: Kind = Kind {
    columns: policy::POLICY_BINDING,
    has_generation: true,
    needs_version: true,
    ..cluster_wide(v1(
        ADMISSION,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_POLICY: Kind = Kind {
    columns: policy::VALIDATING,
    needs_version: true,
    subresources: STATUS,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        "validatingadmissionpolicies",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_POLICY_BINDING: Kind = Kind {
    columns: policy::POLICY_BINDING,
    needs_version: true,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        "validatingadmissionpolicybindings",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    ))
};
pub(crate) static DEVICE_CLASS: Kind = Kind {
    has_generation: true,
    deletion_shows_object: true,
    ..cluster_wide(v1(
        "resource.k8s.io",
        "deviceclasses",
        "DeviceClass",
        "deviceclasses.resource.k8s.io",
    ))
};
pub(crate) static RESOURCE_CLAIM: Kind = Kind {
    columns: policy::RESOURCE_CLAIM,
    deletion_shows_object: true,
    subresources: STATUS,
    ..v1("resource.k8s.io", "resourceclaims", "ResourceClaim", "resourceclaims.resource.k8s.io")
};
pub(crate) static RESOURCE_CLAIM_TEMPLATE: Kind = Kind {
    deletion_shows_object: true,
    ..v1(
        "resource.k8s.io",
        "resourceclaimtemplates",
        "ResourceClaimTemplate",
        "resourceclaimtemplates.resource.k8s.io",
    )
};
pub(crate) static RESOURCE_SLICE: Kind = Kind {
    fields: &["spec.nodeName", "spec.driver"],
    columns: policy::RESOURCE_SLICE,
    has_generation: true,
    deletion_shows_object: true,
    ..cluster_wide(v1(
        "resource.k8s.io",
        "resourceslices",
        "ResourceSlice",
        "resourceslices.resource.k8s.io",
    ))
};
pub(crate) static FLOW_SCHEMA: Kind = Kind {
    columns: policy::FLOW_SCHEMA,
    has_generation: true,
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        "FlowSchema",
        "flowschemas.flowcontrol.apiserver.k8s.io",
    ))
};
pub(crate) static PRIORITY_LEVEL: Kind = Kind {
    columns: policy::PRIORITY_LEVEL,
    has_generation: true,
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    ))
};
