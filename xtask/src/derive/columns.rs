//! Descriptions of the columns of `kubectl get`: as recorded Tables tell them, and for kinds that
//! no recording shows, from the fields that the columns are made of.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value};

const META: &str = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

/// Resource, column, text; `@Type.field` stands for the field's description.
const OTHERS: [(&str, &str, &str); 65] = [
    ("secrets", "Type", "@io.k8s.api.core.v1.Secret.type"),
    ("secrets", "Data", "@io.k8s.api.core.v1.Secret.data"),
    ("namespaces", "Status", "The status of the namespace"),
    ("replicasets", "Desired", "@io.k8s.api.apps.v1.ReplicaSetSpec.replicas"),
    ("replicasets", "Current", "@io.k8s.api.apps.v1.ReplicaSetStatus.replicas"),
    ("replicasets", "Ready", "@io.k8s.api.apps.v1.ReplicaSetStatus.readyReplicas"),
    ("replicasets", "Containers", "Names of each container in the template."),
    ("replicasets", "Images", "Images referenced by each container in the template."),
    ("replicasets", "Selector", "@io.k8s.api.apps.v1.ReplicaSetSpec.selector"),
    ("replicationcontrollers", "Desired", "@io.k8s.api.core.v1.ReplicationControllerSpec.replicas"),
    (
        "replicationcontrollers",
        "Current",
        "@io.k8s.api.core.v1.ReplicationControllerStatus.replicas",
    ),
    (
        "replicationcontrollers",
        "Ready",
        "@io.k8s.api.core.v1.ReplicationControllerStatus.readyReplicas",
    ),
    ("replicationcontrollers", "Containers", "Names of each container in the template."),
    ("replicationcontrollers", "Images", "Images referenced by each container in the template."),
    (
        "replicationcontrollers",
        "Selector",
        "@io.k8s.api.core.v1.ReplicationControllerSpec.selector",
    ),
    ("persistentvolumes", "Capacity", "@io.k8s.api.core.v1.PersistentVolumeSpec.capacity"),
    ("persistentvolumes", "Access Modes", "@io.k8s.api.core.v1.PersistentVolumeSpec.accessModes"),
    (
        "persistentvolumes",
        "Reclaim Policy",
        "@io.k8s.api.core.v1.PersistentVolumeSpec.persistentVolumeReclaimPolicy",
    ),
    ("persistentvolumes", "Status", "@io.k8s.api.core.v1.PersistentVolumeStatus.phase"),
    ("persistentvolumes", "Claim", "@io.k8s.api.core.v1.PersistentVolumeSpec.claimRef"),
    ("persistentvolumes", "StorageClass", "StorageClass of the pv"),
    ("persistentvolumes", "VolumeAttributesClass", "VolumeAttributesClass of the pv"),
    ("persistentvolumes", "Reason", "@io.k8s.api.core.v1.PersistentVolumeStatus.reason"),
    ("persistentvolumes", "VolumeMode", "@io.k8s.api.core.v1.PersistentVolumeSpec.volumeMode"),
    (
        "ingresses",
        "Class",
        "The name of the IngressClass resource that should be used for additional configuration",
    ),
    (
        "ingresses",
        "Hosts",
        "Hosts that incoming requests are matched against before the ingress rule",
    ),
    ("ingresses", "Address", "Address is a list containing ingress points for the load-balancer"),
    ("ingresses", "Ports", "Ports of TLS configurations that open"),
    ("leases", "Holder", "@io.k8s.api.coordination.v1.LeaseSpec.holderIdentity"),
    ("limitranges", "Created At", "@META.creationTimestamp"),
    ("endpointslices", "AddressType", "@io.k8s.api.discovery.v1.EndpointSlice.addressType"),
    ("endpointslices", "Ports", "@io.k8s.api.discovery.v1.EndpointSlice.ports"),
    ("endpointslices", "Endpoints", "@io.k8s.api.discovery.v1.EndpointSlice.endpoints"),
    ("rolebindings", "Users", "Users in the roleBinding"),
    ("rolebindings", "Groups", "Groups in the roleBinding"),
    ("rolebindings", "ServiceAccounts", "ServiceAccounts in the roleBinding"),
    ("csinodes", "Drivers", "Drivers indicates the number of CSI drivers registered on the node"),
    (
        "mutatingwebhookconfigurations",
        "Webhooks",
        "Webhooks indicates the number of webhooks registered in this configuration",
    ),
    (
        "validatingadmissionpolicies",
        "Validations",
        "Validations indicates the number of validation rules defined in this configuration",
    ),
    ("ipaddresses", "ParentRef", "@io.k8s.api.networking.v1.IPAddressSpec.parentRef"),
    ("servicecidrs", "CIDRs", "@io.k8s.api.networking.v1.ServiceCIDRSpec.cidrs"),
    (
        "certificatesigningrequests",
        "SignerName",
        "@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.signerName",
    ),
    (
        "certificatesigningrequests",
        "Requestor",
        "@io.k8s.api.certificates.v1.CertificateSigningRequestSpec.request",
    ),
    ("apiservices", "Service", "The reference to the service that hosts this API endpoint."),
    ("csistoragecapacities", "Created At", "@META.creationTimestamp"),
    (
        "flowschemas",
        "PriorityLevel",
        "@io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationReference.name",
    ),
    (
        "flowschemas",
        "MatchingPrecedence",
        "@io.k8s.api.flowcontrol.v1.FlowSchemaSpec.matchingPrecedence",
    ),
    (
        "flowschemas",
        "DistinguisherMethod",
        "@io.k8s.api.flowcontrol.v1.FlowSchemaSpec.distinguisherMethod",
    ),
    ("flowschemas", "MissingPL", "references a broken or non-existent PriorityLevelConfiguration"),
    (
        "mutatingadmissionpolicies",
        "Mutations",
        "Mutation indicates the number of mutations rules defined in this configuration",
    ),
    (
        "mutatingadmissionpolicies",
        "ParamKind",
        "ParamKind specifies the kind of resources used to parameterize this policy",
    ),
    (
        "mutatingadmissionpolicybindings",
        "PolicyName",
        "PolicyName indicates the policy definition which the policy binding binded to",
    ),
    (
        "mutatingadmissionpolicybindings",
        "ParamRef",
        "ParamRef indicates the param resource which sets the configuration param",
    ),
    (
        "prioritylevelconfigurations",
        "Type",
        "@io.k8s.api.flowcontrol.v1.PriorityLevelConfigurationSpec.type",
    ),
    (
        "prioritylevelconfigurations",
        "NominalConcurrencyShares",
        "@io.k8s.api.flowcontrol.v1.LimitedPriorityLevelConfiguration.nominalConcurrencyShares",
    ),
    (
        "prioritylevelconfigurations",
        "Queues",
        "@io.k8s.api.flowcontrol.v1.QueuingConfiguration.queues",
    ),
    (
        "prioritylevelconfigurations",
        "HandSize",
        "@io.k8s.api.flowcontrol.v1.QueuingConfiguration.handSize",
    ),
    (
        "prioritylevelconfigurations",
        "QueueLengthLimit",
        "@io.k8s.api.flowcontrol.v1.QueuingConfiguration.queueLengthLimit",
    ),
    (
        "resourceclaims",
        "State",
        "A summary of the current state (allocated, pending, reserved, etc.).",
    ),
    ("resourceslices", "Node", "@io.k8s.api.resource.v1.ResourceSliceSpec.nodeName"),
    ("resourceslices", "Driver", "@io.k8s.api.resource.v1.ResourceSliceSpec.driver"),
    ("resourceslices", "Pool", "@io.k8s.api.resource.v1.ResourcePool.name"),
    (
        "rolebindings",
        "Role",
        "RoleRef can reference a Role in the current namespace or a ClusterRole in the global \
         namespace. If the RoleRef cannot be resolved, the Authorizer must return an error.",
    ),
    (
        "validatingadmissionpolicies",
        "ParamKind",
        "ParamKind specifies the kind of resources used to parameterize this policy",
    ),
    (
        "volumeattributesclasses",
        "DriverName",
        "@io.k8s.api.storage.v1.VolumeAttributesClass.driverName",
    ),
];

/// `{resource: {column: {description, type, format, priority}}}`; `*` holds what all share.
pub fn columns(folder: &Path, openapi: &Value) -> Result<Value> {
    let path = folder.join("exchanges.jsonl");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut all = Map::new();
    for line in text.lines().filter(|line| line.contains("columnDefinitions")) {
        let exchange: Value = serde_json::from_str(line)?;
        let path = exchange["request"]["path"].as_str().unwrap_or_default();
        if exchange["class"] != "table" || path.contains("example.com") {
            continue;
        }
        let parts: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').collect();
        let at = parts.iter().position(|p| *p == "namespaces").map_or(0, |at| at + 2);
        let resource = match at {
            0 => parts.last().copied(),
            at => parts.get(at).copied(),
        };
        let body = &exchange["response"]["body"];
        for column in body["columnDefinitions"].as_array().into_iter().flatten() {
            let name = column["name"].as_str().unwrap_or_default();
            note(&mut all, resource.unwrap_or_default(), name, column["description"].clone());
        }
    }
    for (resource, name, text) in OTHERS {
        let told = text.replace("@META", &format!("@{META}"));
        let value = match told.strip_prefix('@').and_then(|path| path.rsplit_once('.')) {
            Some((of, field)) => {
                openapi["definitions"][of]["properties"][field]["description"].clone()
            }
            None => told.into(),
        };
        note(&mut all, resource, name, value);
    }
    for (name, field) in [("Name", "name"), ("Age", "creationTimestamp")] {
        let value = openapi["definitions"][META]["properties"][field]["description"].clone();
        note(&mut all, "*", name, value);
    }
    Ok(Value::Object(all))
}

fn note(all: &mut Map<String, Value>, resource: &str, column: &str, description: Value) {
    let row = all.entry(resource).or_insert_with(|| Value::Object(Map::new()));
    row[column] = description;
}
