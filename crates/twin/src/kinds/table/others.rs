//! Kinds that are served for completeness: listable, stored, not acted upon.

use super::{ADMISSION, NETWORKING, STATUS, STORAGE, cluster_wide, v1};
use crate::kinds::Kind;
use crate::kinds::columns::policy;

pub(crate) static IP_ADDRESS: Kind = Kind {
    ..cluster_wide(v1(NETWORKING, "ipaddresses", "IPAddress", "ipaddresses.networking.k8s.io"))
};
pub(crate) static SERVICE_CIDR: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(NETWORKING, "servicecidrs", "ServiceCIDR", "servicecidrs.networking.k8s.io"))
};
pub(crate) static STORAGE_CAPACITY: Kind = v1(
    STORAGE,
    "csistoragecapacities",
    "CSIStorageCapacity",
    "csistoragecapacities.storage.k8s.io",
);
pub(crate) static VOLUME_ATTRIBUTES_CLASS: Kind = Kind {
    ..cluster_wide(v1(
        STORAGE,
        "volumeattributesclasses",
        "VolumeAttributesClass",
        "volumeattributesclasses.storage.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY: Kind = Kind {
    needs_version: true,
    ..cluster_wide(v1(
        ADMISSION,
        "mutatingadmissionpolicies",
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY_BINDING: Kind = Kind {
    needs_version: true,
    ..cluster_wide(v1(
        ADMISSION,
        "mutatingadmissionpolicybindings",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_POLICY: Kind = Kind {
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
pub(crate) static DEVICE_CLASS: Kind = cluster_wide(v1(
    "resource.k8s.io",
    "deviceclasses",
    "DeviceClass",
    "deviceclasses.resource.k8s.io",
));
pub(crate) static RESOURCE_CLAIM: Kind = Kind {
    subresources: STATUS,
    ..v1("resource.k8s.io", "resourceclaims", "ResourceClaim", "resourceclaims.resource.k8s.io")
};
pub(crate) static RESOURCE_CLAIM_TEMPLATE: Kind = v1(
    "resource.k8s.io",
    "resourceclaimtemplates",
    "ResourceClaimTemplate",
    "resourceclaimtemplates.resource.k8s.io",
);
pub(crate) static RESOURCE_SLICE: Kind = cluster_wide(v1(
    "resource.k8s.io",
    "resourceslices",
    "ResourceSlice",
    "resourceslices.resource.k8s.io",
));
pub(crate) static FLOW_SCHEMA: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        "flowschemas",
        "FlowSchema",
        "flowschemas.flowcontrol.apiserver.k8s.io",
    ))
};
pub(crate) static PRIORITY_LEVEL: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        "prioritylevelconfigurations",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    ))
};
