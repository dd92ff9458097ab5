//! Names of the kinds as people type them (`po`, `deploy`, `pvc`).

/// One kind of the API.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// `Pod`.
    pub kind: &'static str,
    /// `apps/v1`.
    pub api_version: &'static str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Plural first, then the short names.
    names: &'static [&'static str],
}

const fn kind(
    kind: &'static str,
    api_version: &'static str,
    namespaced: bool,
    names: &'static [&'static str],
) -> Kind {
    Kind { kind, api_version, namespaced, names }
}

static KINDS: &[Kind] = &[
    kind("Pod", "v1", true, &["pods", "po"]),
    kind("Node", "v1", false, &["nodes", "no"]),
    kind("Deployment", "apps/v1", true, &["deployments", "deploy"]),
    kind("ReplicaSet", "apps/v1", true, &["replicasets", "rs"]),
    kind("StatefulSet", "apps/v1", true, &["statefulsets", "sts"]),
    kind("DaemonSet", "apps/v1", true, &["daemonsets", "ds"]),
    kind("ReplicationController", "v1", true, &["replicationcontrollers", "rc"]),
    kind("Job", "batch/v1", true, &["jobs"]),
    kind("CronJob", "batch/v1", true, &["cronjobs", "cj"]),
    kind("Service", "v1", true, &["services", "svc"]),
    kind("Endpoints", "v1", true, &["endpoints", "ep"]),
    kind("EndpointSlice", "discovery.k8s.io/v1", true, &["endpointslices"]),
    kind("PersistentVolumeClaim", "v1", true, &["persistentvolumeclaims", "pvc"]),
    kind("PersistentVolume", "v1", false, &["persistentvolumes", "pv"]),
    kind("StorageClass", "storage.k8s.io/v1", false, &["storageclasses", "sc"]),
    kind("VolumeAttachment", "storage.k8s.io/v1", false, &["volumeattachments"]),
    kind("CSIDriver", "storage.k8s.io/v1", false, &["csidrivers"]),
    kind("CSINode", "storage.k8s.io/v1", false, &["csinodes"]),
    kind("ConfigMap", "v1", true, &["configmaps", "cm"]),
    kind("Secret", "v1", true, &["secrets"]),
    kind("ServiceAccount", "v1", true, &["serviceaccounts", "sa"]),
    kind("Namespace", "v1", false, &["namespaces", "ns"]),
    kind("Ingress", "networking.k8s.io/v1", true, &["ingresses", "ing"]),
    kind("IngressClass", "networking.k8s.io/v1", false, &["ingressclasses"]),
    kind("NetworkPolicy", "networking.k8s.io/v1", true, &["networkpolicies", "netpol"]),
    kind("HorizontalPodAutoscaler", "autoscaling/v2", true, &["horizontalpodautoscalers", "hpa"]),
    kind("PodDisruptionBudget", "policy/v1", true, &["poddisruptionbudgets", "pdb"]),
    kind("ResourceQuota", "v1", true, &["resourcequotas", "quota"]),
    kind("LimitRange", "v1", true, &["limitranges", "limits"]),
    kind("PriorityClass", "scheduling.k8s.io/v1", false, &["priorityclasses", "pc"]),
    kind("PrometheusRule", "monitoring.coreos.com/v1", true, &["prometheusrules", "promrule"]),
    kind("RuntimeClass", "node.k8s.io/v1", false, &["runtimeclasses"]),
    kind("Event", "v1", true, &["events", "ev"]),
    kind("Lease", "coordination.k8s.io/v1", true, &["leases"]),
    kind("Role", "rbac.authorization.k8s.io/v1", true, &["roles"]),
    kind("RoleBinding", "rbac.authorization.k8s.io/v1", true, &["rolebindings"]),
    kind("ClusterRole", "rbac.authorization.k8s.io/v1", false, &["clusterroles"]),
    kind("ClusterRoleBinding", "rbac.authorization.k8s.io/v1", false, &["clusterrolebindings"]),
    kind(
        "CustomResourceDefinition",
        "apiextensions.k8s.io/v1",
        false,
        &["customresourcedefinitions", "crd", "crds"],
    ),
    kind("ComponentStatus", "v1", false, &["componentstatuses", "cs"]),
    kind("APIService", "apiregistration.k8s.io/v1", false, &["apiservices"]),
    kind(
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        false,
        &["validatingwebhookconfigurations"],
    ),
    kind(
        "MutatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1",
        false,
        &["mutatingwebhookconfigurations"],
    ),
    kind(
        "CertificateSigningRequest",
        "certificates.k8s.io/v1",
        false,
        &["certificatesigningrequests", "csr"],
    ),
    kind("Certificate", "cert-manager.io/v1", true, &["certificates", "cert", "certs"]),
];

/// What `kubectl get all` asks for.
pub const ALL: &[&str] = &[
    "Pod",
    "ReplicationController",
    "Service",
    "DaemonSet",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "HorizontalPodAutoscaler",
    "Job",
    "CronJob",
];

/// By a name as typed or printed: `po`, `pods`, `Pod`, `deployments.apps`, `deployment.v1.apps`.
pub fn by_name(name: &str) -> Option<&'static Kind> {
    let short = name.split('.').next()?;
    if short.is_empty() {
        return None;
    }
    KINDS.iter().find(|k| {
        k.kind.eq_ignore_ascii_case(short) || k.names.iter().any(|n| n.eq_ignore_ascii_case(short))
    })
}

/// The kind that a text is of. A ReplicationController prints what a ReplicaSet prints: there
/// the command decides.
pub fn told(by_text: Option<&'static str>, asked: Option<&'static str>) -> Option<&'static str> {
    match (by_text, asked) {
        (Some("ReplicaSet"), Some("ReplicationController")) => asked,
        _ => by_text.or(asked),
    }
}

/// By the kind's own name.
pub fn by_kind(kind: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|k| k.kind == kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_as_typed() {
        for (name, want) in [
            ("po", Some("Pod")),
            ("deployments.apps", Some("Deployment")),
            ("PersistentVolumeClaim", Some("PersistentVolumeClaim")),
            ("replicaset", Some("ReplicaSet")),
            ("ingresses.networking.k8s.io", Some("Ingress")),
            ("storageclasses.storage.k8s.io", Some("StorageClass")),
            ("widgets", None),
            ("", None),
        ] {
            assert_eq!(by_name(name).map(|k| k.kind), want, "{name}");
        }
    }
}
