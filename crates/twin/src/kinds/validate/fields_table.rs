//! Which fields of which kind must be what: storage name, path, rule; pods by the path in their
//! specification. In the order in which the server tells them.

use super::fields::Rule::{self, *};

const MODES: &[&str] = &["ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
const OPERATIONS: &[&str] = &["*", "CONNECT", "CREATE", "DELETE", "UPDATE"];
const POLICY: &str = "validatingadmissionpolicies.admissionregistration.k8s.io";
const CLAIM: &str = "persistentvolumeclaims";
const VOLUME: &str = "persistentvolumes";
const SLICE: &str = "endpointslices.discovery.k8s.io";
const SET: &str = "statefulsets.apps";
const SCALER: &str = "horizontalpodautoscalers.autoscaling";
const INGRESS: &str = "ingresses.networking.k8s.io";
const NETWORK: &str = "networkpolicies.networking.k8s.io";
const JOB: &str = "jobs.batch";
const EVENT: &str = "events";
const ADDRESS: &str = "must contain at least 1 address";
const BOTH: &str = "validations or auditAnnotations must contain at least one item";

pub(super) static TABLE: &[(&str, &str, Rule)] = &[
    (EVENT, "metadata.namespace", Subdomain),
    ("services", "spec.selector", Labels),
    ("services", "spec.ports[*].targetPort", PortName),
    ("services", "spec.ports[*].appProtocol", Qualified),
    ("services", "spec.externalIPs[*]", Ip),
    ("services", "spec.externalTrafficPolicy", OneOf(&["Cluster", "Local"])),
    ("services", "spec.internalTrafficPolicy", OneOf(&["Cluster", "Local"])),
    ("endpoints", "subsets[*].ports[*].port", Port),
    (SLICE, "endpoints[*].addresses", RequiredBecause(ADDRESS)),
    (SLICE, "endpoints[*].nodeName", StrictSubdomain),
    (SLICE, "ports[*].name", Label),
    (SLICE, "ports[*].protocol", OneOf(PROTOCOLS)),
    (CLAIM, "spec.accessModes[*]", EachOneOf(MODES)),
    (CLAIM, "spec.selector.matchLabels", Labels),
    (CLAIM, "spec.storageClassName", Subdomain),
    (CLAIM, "spec.volumeMode", OneOf(&["Block", "Filesystem"])),
    (CLAIM, "spec.dataSource.name", Required),
    (CLAIM, "spec.dataSource.kind", Required),
    (CLAIM, "spec.dataSourceRef.name", Required),
    (CLAIM, "spec.dataSourceRef.kind", Required),
    (VOLUME, "spec.accessModes[*]", EachOneOf(MODES)),
    (VOLUME, "spec.persistentVolumeReclaimPolicy", OneOf(&["Delete", "Recycle", "Retain"])),
    (
        VOLUME,
        "spec.nodeAffinity.required",
        RequiredBecause("must specify required node constraints"),
    ),
    (
        VOLUME,
        "spec.nodeAffinity.required.nodeSelectorTerms",
        RequiredBecause("must have at least one node selector term"),
    ),
    (VOLUME, "spec.hostPath.path", Required),
    (VOLUME, "spec.nfs.server", Required),
    (VOLUME, "spec.nfs.path", Required),
    (VOLUME, "spec.csi.driver", Required),
    (VOLUME, "spec.csi.driver", Subdomain),
    (VOLUME, "spec.csi.volumeHandle", Required),
    (VOLUME, "spec.storageClassName", Subdomain),
    (VOLUME, "spec.volumeMode", OneOf(&["Block", "Filesystem"])),
    ("storageclasses.storage.k8s.io", "provisioner", QualifiedSmall),
    (
        "poddisruptionbudgets.policy",
        "spec.unhealthyPodEvictionPolicy",
        OneOf(&["AlwaysAllow", "IfHealthyBudget"]),
    ),
    (SET, "spec.serviceName", Label),
    (SET, "spec.ordinals.start", NotNegative),
    (SET, "spec.persistentVolumeClaimRetentionPolicy.whenDeleted", OneOf(&["Retain", "Delete"])),
    (SET, "spec.persistentVolumeClaimRetentionPolicy.whenScaled", OneOf(&["Retain", "Delete"])),
    (SET, "spec.volumeClaimTemplates[*].spec.accessModes[*]", EachOneOf(MODES)),
    (JOB, "spec.backoffLimitPerIndex", NotNegative),
    (JOB, "spec.maxFailedIndexes", NotNegative),
    (JOB, "spec.completionMode", OneOf(&["NonIndexed", "Indexed"])),
    (SCALER, "spec.metrics[*].pods.metric.name", RequiredBecause("must specify a metric name")),
    (SCALER, "spec.metrics[*].object.metric.name", RequiredBecause("must specify a metric name")),
    (SCALER, "spec.metrics[*].external.metric.name", RequiredBecause("must specify a metric name")),
    (SCALER, "spec.metrics[*].resource.name", RequiredBecause("must specify a resource name")),
    (SCALER, "spec.behavior.scaleUp.stabilizationWindowSeconds", AtMost(3600)),
    (SCALER, "spec.behavior.scaleUp.policies", RequiredBecause("must specify at least one Policy")),
    (SCALER, "spec.behavior.scaleUp.policies[*].type", OneOf(&["Percent", "Pods"])),
    (SCALER, "spec.behavior.scaleUp.policies[*].value", Positive),
    (SCALER, "spec.behavior.scaleUp.policies[*].periodSeconds", Positive),
    (SCALER, "spec.behavior.scaleUp.policies[*].periodSeconds", AtMost(1800)),
    (SCALER, "spec.behavior.scaleDown.stabilizationWindowSeconds", AtMost(3600)),
    (
        SCALER,
        "spec.behavior.scaleDown.policies",
        RequiredBecause("must specify at least one Policy"),
    ),
    (SCALER, "spec.behavior.scaleDown.policies[*].type", OneOf(&["Percent", "Pods"])),
    (SCALER, "spec.behavior.scaleDown.policies[*].value", Positive),
    (SCALER, "spec.behavior.scaleDown.policies[*].periodSeconds", Positive),
    (SCALER, "spec.behavior.scaleDown.policies[*].periodSeconds", AtMost(1800)),
    ("limitranges", "spec.limits[*].type", Qualified),
    (
        "priorityclasses.scheduling.k8s.io",
        "preemptionPolicy",
        OneOf(&["PreemptLowerPriority", "Never"]),
    ),
    (NETWORK, "spec.ingress[*].from[*]", RequiredBecause("must specify a peer")),
    (NETWORK, "spec.egress[*].to[*]", RequiredBecause("must specify a peer")),
    (NETWORK, "spec.ingress[*].from[*].ipBlock.except[*]", Cidr),
    (NETWORK, "spec.egress[*].to[*].ipBlock.except[*]", Cidr),
    (INGRESS, "spec.ingressClassName", StrictSubdomain),
    (INGRESS, "spec.tls[*].hosts[*]", StrictSubdomain),
    (INGRESS, "spec.tls[*].secretName", Subdomain),
    (INGRESS, "spec.rules[*].host", Subdomain),
    (INGRESS, "spec.rules[*].http.paths", Required),
    ("ingressclasses.networking.k8s.io", "spec.controller", Required),
    (POLICY, "spec.failurePolicy", OneOf(&["Fail", "Ignore"])),
    (POLICY, "spec.matchConstraints", Required),
    (POLICY, "spec.matchConstraints.resourceRules", Required),
    (POLICY, "spec.matchConstraints.namespaceSelector.matchLabels", Labels),
    (POLICY, "spec.matchConstraints.objectSelector.matchLabels", Labels),
    (POLICY, "spec.matchConstraints.resourceRules[*].operations", Required),
    (POLICY, "spec.matchConstraints.resourceRules[*].operations[*]", OneOf(OPERATIONS)),
    (POLICY, "spec.matchConstraints.resourceRules[*].apiGroups", Required),
    (POLICY, "spec.matchConstraints.resourceRules[*].apiVersions", Required),
    (POLICY, "spec.matchConstraints.resourceRules[*].apiVersions[*]", Required),
    (POLICY, "spec.matchConstraints.resourceRules[*].resources", Required),
    (POLICY, "spec.matchConstraints.resourceRules[*].resources[*]", Required),
    (POLICY, "spec.validations", RequiredBecause(BOTH)),
    (POLICY, "spec.auditAnnotations", RequiredBecause(BOTH)),
    (POLICY, "spec.validations[*].expression", RequiredBecause("expression is not specified")),
    (
        POLICY,
        "spec.validations[*].reason",
        OneOf(&["Forbidden", "Invalid", "RequestEntityTooLarge"]),
    ),
];

/// Both kinds of webhook configurations.
pub(super) static OF_HOOKS: &[(&str, Rule)] = &[
    ("webhooks[*].name", Required),
    ("webhooks[*].name", Subdomain),
    ("webhooks[*].rules[*].operations", Required),
    ("webhooks[*].rules[*].operations[*]", OneOf(OPERATIONS)),
    ("webhooks[*].rules[*].apiGroups", Required),
    ("webhooks[*].rules[*].apiVersions", Required),
    ("webhooks[*].rules[*].apiVersions[*]", Required),
    ("webhooks[*].rules[*].resources", Required),
    ("webhooks[*].rules[*].resources[*]", Required),
    ("webhooks[*].failurePolicy", OneOf(&["Fail", "Ignore"])),
    ("webhooks[*].matchPolicy", OneOf(&["Equivalent", "Exact"])),
    ("webhooks[*].sideEffects", Present("must specify one of None, NoneOnDryRun")),
    ("webhooks[*].sideEffects", OneOf(&["None", "NoneOnDryRun"])),
    ("webhooks[*].admissionReviewVersions", RequiredBecause("must specify one of v1, v1beta1")),
    ("webhooks[*].clientConfig.service.name", Required),
    ("webhooks[*].clientConfig.service.namespace", Required),
];

pub(super) static OF_PODS: &[(&str, Rule)] = &[
    ("volumes[*].configMap.name", Required),
    ("volumes[*].secret.secretName", Required),
    ("volumes[*].persistentVolumeClaim.claimName", Required),
    ("volumes[*].hostPath.path", Required),
    ("volumes[*].nfs.server", Required),
    ("volumes[*].nfs.path", Required),
    ("volumes[*].csi.driver", Required),
    ("volumes[*].hostPath.type", OneOf(HOST_PATHS)),
    ("nodeSelector", Labels),
    ("serviceAccountName", Subdomain),
    ("nodeName", Subdomain),
    ("runtimeClassName", Subdomain),
    ("priorityClassName", Subdomain),
    ("hostAliases[*].ip", Ip),
];

const HOST_PATHS: &[&str] = &[
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];
