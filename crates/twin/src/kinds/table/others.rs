//! Kinds that are served for completeness: listable, stored, not acted upon.

use super::{ADMISSION, EXTENSIONS, NETWORKING, STATUS, STORAGE, cluster_wide, v1};
use crate::kinds::Kind;

pub(crate) static IP_ADDRESS: Kind = Kind {
    short_names: &["ip"],
    ..cluster_wide(v1(
        NETWORKING,
        ["ipaddresses", "ipaddress"],
        "IPAddress",
        "ipaddresses.networking.k8s.io",
    ))
};
pub(crate) static SERVICE_CIDR: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(
        NETWORKING,
        ["servicecidrs", "servicecidr"],
        "ServiceCIDR",
        "servicecidrs.networking.k8s.io",
    ))
};
pub(crate) static STORAGE_CAPACITY: Kind = v1(
    STORAGE,
    ["csistoragecapacities", "csistoragecapacity"],
    "CSIStorageCapacity",
    "csistoragecapacities.storage.k8s.io",
);
pub(crate) static VOLUME_ATTRIBUTES_CLASS: Kind = Kind {
    short_names: &["vac"],
    ..cluster_wide(v1(
        STORAGE,
        ["volumeattributesclasses", "volumeattributesclass"],
        "VolumeAttributesClass",
        "volumeattributesclasses.storage.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY: Kind = Kind {
    categories: EXTENSIONS,
    ..cluster_wide(v1(
        ADMISSION,
        ["mutatingadmissionpolicies", "mutatingadmissionpolicy"],
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies.admissionregistration.k8s.io",
    ))
};
pub(crate) static MUTATING_POLICY_BINDING: Kind = Kind {
    categories: EXTENSIONS,
    ..cluster_wide(v1(
        ADMISSION,
        ["mutatingadmissionpolicybindings", "mutatingadmissionpolicybinding"],
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_POLICY: Kind = Kind {
    categories: EXTENSIONS,
    subresources: STATUS,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        ["validatingadmissionpolicies", "validatingadmissionpolicy"],
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies.admissionregistration.k8s.io",
    ))
};
pub(crate) static VALIDATING_POLICY_BINDING: Kind = Kind {
    categories: EXTENSIONS,
    has_generation: true,
    ..cluster_wide(v1(
        ADMISSION,
        ["validatingadmissionpolicybindings", "validatingadmissionpolicybinding"],
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings.admissionregistration.k8s.io",
    ))
};
pub(crate) static DEVICE_CLASS: Kind = cluster_wide(v1(
    "resource.k8s.io",
    ["deviceclasses", "deviceclass"],
    "DeviceClass",
    "deviceclasses.resource.k8s.io",
));
pub(crate) static RESOURCE_CLAIM: Kind = Kind {
    subresources: STATUS,
    ..v1(
        "resource.k8s.io",
        ["resourceclaims", "resourceclaim"],
        "ResourceClaim",
        "resourceclaims.resource.k8s.io",
    )
};
pub(crate) static RESOURCE_CLAIM_TEMPLATE: Kind = v1(
    "resource.k8s.io",
    ["resourceclaimtemplates", "resourceclaimtemplate"],
    "ResourceClaimTemplate",
    "resourceclaimtemplates.resource.k8s.io",
);
pub(crate) static RESOURCE_SLICE: Kind = cluster_wide(v1(
    "resource.k8s.io",
    ["resourceslices", "resourceslice"],
    "ResourceSlice",
    "resourceslices.resource.k8s.io",
));
pub(crate) static FLOW_SCHEMA: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        ["flowschemas", "flowschema"],
        "FlowSchema",
        "flowschemas.flowcontrol.apiserver.k8s.io",
    ))
};
pub(crate) static PRIORITY_LEVEL: Kind = Kind {
    subresources: STATUS,
    ..cluster_wide(v1(
        "flowcontrol.apiserver.k8s.io",
        ["prioritylevelconfigurations", "prioritylevelconfiguration"],
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io",
    ))
};
