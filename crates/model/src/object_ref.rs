//! Names of objects.

use std::fmt;

use crate::Text;

macro_rules! kinds {
    ($( $(#[$doc:meta])* $name:ident = $api:literal, $plural:literal, $short:literal; )*) => {
        /// The kinds of object that are told apart. Everything else is `Other`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Kind { $( #[allow(missing_docs)] $name, )* }

        impl Kind {
            /// All of them, in order.
            pub const ALL: &[Kind] = &[ $( Kind::$name, )* ];

            /// The name as the API writes it, e.g. `Pod`.
            pub fn name(self) -> &'static str {
                match self { $( Kind::$name => stringify!($name), )* }
            }

            /// Group and version, e.g. `apps/v1`; empty for what is no API object.
            pub fn api_version(self) -> &'static str {
                match self { $( Kind::$name => $api, )* }
            }

            /// The name in URLs and commands, e.g. `pods`.
            pub fn plural(self) -> &'static str {
                match self { $( Kind::$name => $plural, )* }
            }

            /// The short form for `kubectl`, e.g. `deploy`.
            pub fn short(self) -> &'static str {
                match self { $( Kind::$name => $short, )* }
            }

            /// By the API's name of the kind.
            pub fn from_name(name: &str) -> Option<Kind> {
                match name { $( stringify!($name) => Some(Kind::$name), )* _ => None }
            }
        }
    };
}

kinds! {
    APIService = "apiregistration.k8s.io/v1", "apiservices", "apiservice";
    Certificate = "cert-manager.io/v1", "certificates", "certificate";
    CertificateSigningRequest =
        "certificates.k8s.io/v1", "certificatesigningrequests", "csr";
    ClusterRole = "rbac.authorization.k8s.io/v1", "clusterroles", "clusterrole";
    ClusterRoleBinding =
        "rbac.authorization.k8s.io/v1", "clusterrolebindings", "clusterrolebinding";
    ComponentStatus = "v1", "componentstatuses", "cs";
    ConfigMap = "v1", "configmaps", "cm";
    CronJob = "batch/v1", "cronjobs", "cronjob";
    DaemonSet = "apps/v1", "daemonsets", "ds";
    Deployment = "apps/v1", "deployments", "deploy";
    EndpointSlice = "discovery.k8s.io/v1", "endpointslices", "endpointslice";
    Endpoints = "v1", "endpoints", "ep";
    Event = "v1", "events", "event";
    HorizontalPodAutoscaler = "autoscaling/v2", "horizontalpodautoscalers", "hpa";
    Ingress = "networking.k8s.io/v1", "ingresses", "ingress";
    IngressClass = "networking.k8s.io/v1", "ingressclasses", "ingressclass";
    Job = "batch/v1", "jobs", "job";
    Lease = "coordination.k8s.io/v1", "leases", "lease";
    LimitRange = "v1", "limitranges", "limits";
    MutatingWebhookConfiguration = "admissionregistration.k8s.io/v1",
        "mutatingwebhookconfigurations", "mutatingwebhookconfiguration";
    Namespace = "v1", "namespaces", "ns";
    NetworkPolicy = "networking.k8s.io/v1", "networkpolicies", "netpol";
    Node = "v1", "nodes", "node";
    PersistentVolume = "v1", "persistentvolumes", "pv";
    PersistentVolumeClaim = "v1", "persistentvolumeclaims", "pvc";
    Pod = "v1", "pods", "pod";
    PodDisruptionBudget = "policy/v1", "poddisruptionbudgets", "pdb";
    PriorityClass = "scheduling.k8s.io/v1", "priorityclasses", "pc";
    PrometheusRule = "monitoring.coreos.com/v1", "prometheusrules", "prometheusrule";
    ReplicaSet = "apps/v1", "replicasets", "rs";
    ReplicationController = "v1", "replicationcontrollers", "rc";
    ResourceQuota = "v1", "resourcequotas", "quota";
    Role = "rbac.authorization.k8s.io/v1", "roles", "role";
    RoleBinding = "rbac.authorization.k8s.io/v1", "rolebindings", "rolebinding";
    RuntimeClass = "node.k8s.io/v1", "runtimeclasses", "runtimeclass";
    Secret = "v1", "secrets", "secret";
    Service = "v1", "services", "svc";
    ServiceAccount = "v1", "serviceaccounts", "sa";
    StatefulSet = "apps/v1", "statefulsets", "sts";
    StorageClass = "storage.k8s.io/v1", "storageclasses", "sc";
    ValidatingWebhookConfiguration = "admissionregistration.k8s.io/v1",
        "validatingwebhookconfigurations", "validatingwebhookconfiguration";
    Component = "", "components", "component";
    Cluster = "", "clusters", "cluster";
}

impl Kind {
    /// Whether objects of this kind live in a namespace.
    pub fn is_namespaced(self) -> bool {
        !matches!(
            self,
            Kind::APIService
                | Kind::CertificateSigningRequest
                | Kind::Cluster
                | Kind::ClusterRole
                | Kind::ClusterRoleBinding
                | Kind::Component
                | Kind::ComponentStatus
                | Kind::IngressClass
                | Kind::MutatingWebhookConfiguration
                | Kind::Namespace
                | Kind::Node
                | Kind::PersistentVolume
                | Kind::PriorityClass
                | Kind::RuntimeClass
                | Kind::StorageClass
                | Kind::ValidatingWebhookConfiguration
        )
    }

    /// Whether only some clusters serve it: those with a certain extension, or of an age.
    pub fn is_optional(self) -> bool {
        matches!(self, Kind::Certificate | Kind::ComponentStatus | Kind::PrometheusRule)
    }

    /// Whether it is an object of the Kubernetes API (a component or the cluster is none).
    pub fn is_api_object(self) -> bool {
        !self.api_version().is_empty()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The name of one object. The namespace is empty for cluster-wide kinds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectRef {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace, or empty.
    pub namespace: Text,
    /// Its name.
    pub name: Text,
}

impl ObjectRef {
    /// A reference; the namespace is dropped for kinds that have none.
    pub fn new(kind: Kind, namespace: &str, name: &str) -> Self {
        let namespace = if kind.is_namespaced() { namespace.into() } else { Text::default() };
        Self { kind, namespace, name: name.into() }
    }

    /// A component of the control plane or of a node, such as `kube-scheduler`.
    pub fn component(name: &str) -> Self {
        Self::new(Kind::Component, "", name)
    }

    /// For `kubectl`: `-n shop deploy/web`, or `node/a`.
    pub fn for_kubectl(&self) -> String {
        let target = format!("{}/{}", self.kind.short(), self.name);
        if self.namespace.is_empty() { target } else { format!("-n {} {target}", self.namespace) }
    }
}

/// `shop/web` or `node-1`: the name people say, without the kind.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.namespace.is_empty() {
            write!(f, "{}/", self.namespace)?;
        }
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_print_as_people_and_kubectl_write_them() {
        let web = ObjectRef::new(Kind::Deployment, "shop", "web");
        assert_eq!(web.to_string(), "shop/web");
        assert_eq!(web.for_kubectl(), "-n shop deploy/web");
        assert_eq!(ObjectRef::new(Kind::Node, "x", "a").for_kubectl(), "node/a");
        assert_eq!(Kind::from_name("Pod"), Some(Kind::Pod));
    }
}
