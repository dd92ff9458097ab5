//! What clients are told about an object that is taken all the same: deprecated fields, values
//! that hide others, names that surprise. In the words of the real server.

mod pod;

use std::net::IpAddr;

use serde_json::Value;

use super::Kind;
use super::validate::{self, at};
use crate::field;

/// Fields of nodes that selectors should not use any more.
const OLD_LABELS: [(&str, &str); 8] = [
    ("beta.kubernetes.io/arch", "deprecated since v1.14; use \"kubernetes.io/arch\" instead"),
    ("beta.kubernetes.io/os", "deprecated since v1.14; use \"kubernetes.io/os\" instead"),
    (
        "failure-domain.beta.kubernetes.io/region",
        "deprecated since v1.17; use \"topology.kubernetes.io/region\" instead",
    ),
    (
        "failure-domain.beta.kubernetes.io/zone",
        "deprecated since v1.17; use \"topology.kubernetes.io/zone\" instead",
    ),
    (
        "beta.kubernetes.io/instance-type",
        "deprecated since v1.17; use \"node.kubernetes.io/instance-type\" instead",
    ),
    ("app.kubernetes.io/created-by", "deprecated since v1.9"),
    (
        "scheduler.alpha.kubernetes.io/preferAvoidPods",
        "deprecated since v1.22; use Taints and Tolerations instead",
    ),
    ("node-role.kubernetes.io/master", "use \"node-role.kubernetes.io/control-plane\" instead"),
];

/// Kinds with pods of their own, by storage name: where the template stands.
const TEMPLATES: [(&str, &str); 8] = [
    ("deployments.apps", "/spec/template"),
    ("replicasets.apps", "/spec/template"),
    ("daemonsets.apps", "/spec/template"),
    ("statefulsets.apps", "/spec/template"),
    ("replicationcontrollers", "/spec/template"),
    ("jobs.batch", "/spec/template"),
    ("cronjobs.batch", "/spec/jobTemplate/spec/template"),
    ("podtemplates", "/template"),
];

/// Volumes and fields of volumes that are no more.
const OLD_VOLUMES: [(&str, &str); 8] = [
    ("photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"),
    ("gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"),
    ("scaleIO", "deprecated in v1.16, non-functional in v1.22+"),
    ("flocker", "deprecated in v1.22, non-functional in v1.25+"),
    ("storageos", "deprecated in v1.22, non-functional in v1.25+"),
    ("quobyte", "deprecated in v1.22, non-functional in v1.25+"),
    ("glusterfs", "deprecated in v1.25, non-functional in v1.26+"),
    ("cephfs", "deprecated in v1.28, non-functional in v1.31+"),
];

/// The remarks about a new object, or about a changed one.
pub(crate) fn warnings(kind: &Kind, new: &Value, old: Option<&Value>) -> Vec<String> {
    let mut told = Vec::new();
    if let Some((_, pointer)) = TEMPLATES.iter().find(|(storage, _)| *storage == kind.storage) {
        let counted =
            |value: Option<&Value>| value.map(|v| field::number(v, "/metadata/generation"));
        if old.is_some() && counted(old) == counted(Some(new)) {
            return told;
        }
        told.extend(pod_names(kind, new).filter(|_| old.is_none()));
        let path = pointer.trim_start_matches('/').replace('/', ".");
        told.extend(pod::template(at(new, pointer), &format!("{path}.")));
    }
    match kind.storage {
        "pods" if old.is_none() => {
            told.extend(hostname(new));
            told.extend(pod::template(new, ""));
        }
        "services" => told.extend(service(new)),
        "persistentvolumeclaims" => told.extend(claim(at(new, "/spec"), "spec")),
        "persistentvolumes" => told.extend(volume(new)),
        "storageclasses.storage.k8s.io" => told.extend(class(new)),
        "secrets" => told.extend(secret(new)),
        "nodes" => told.extend(node(new)),
        "resourcequotas" => told.extend(quota(new)),
        "ingresses.networking.k8s.io" => told.extend(ingress(new).filter(|_| old.is_none())),
        "statefulsets.apps" => {
            for (index, claim) in field::list(new, "/spec/volumeClaimTemplates").iter().enumerate()
            {
                let path = format!("spec.volumeClaimTemplates[{index}]");
                told.extend(self::claim(at(claim, "/spec"), &path));
            }
            if field::number(new, "/spec/revisionHistoryLimit") < 0 {
                told.push(
                    "spec.revisionHistoryLimit: a negative value retains all historical \
                     revisions; a value >= 0 is recommended"
                        .into(),
                );
            }
        }
        _ => {}
    }
    told
}

/// What is wrong with a name that becomes a host's.
fn host_label(name: &str) -> String {
    let mut wrong = Vec::new();
    if name.len() > 63 {
        wrong.push("must be no more than 63 characters".to_owned());
    }
    if name.contains('.') {
        wrong.push("must not contain dots".to_owned());
    } else if !validate::is_label(name) {
        wrong.push(validate::LABEL.to_owned());
    }
    wrong.join(" ")
}

fn hostname(pod: &Value) -> Option<String> {
    let wrong = host_label(field::name(pod));
    (!wrong.is_empty()).then(|| {
        format!(
            "metadata.name: this is used in the Pod's hostname, which can result in surprising \
             behavior; a DNS label is recommended: [{wrong}]"
        )
    })
}

/// Names of objects that become part of their pods' names.
fn pod_names(kind: &Kind, object: &Value) -> Option<String> {
    let named = ["daemonsets.apps", "statefulsets.apps", "podtemplates"];
    let wrong = host_label(field::name(object));
    (!wrong.is_empty() && !named.contains(&kind.storage)).then(|| {
        format!(
            "metadata.name: this is used in Pod names and hostnames, which can result in \
             surprising behavior; a DNS label is recommended: [{wrong}]"
        )
    })
}

/// The remark about a label of nodes.
fn old_label(key: &str) -> Option<&'static str> {
    OLD_LABELS.iter().find(|(old, _)| *old == key).map(|(_, why)| *why)
}

/// Old labels in the expressions of a term that chooses nodes.
fn term(term: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (index, rule) in field::list(term, "/matchExpressions").iter().enumerate() {
        let key = field::text(rule, "/key");
        if let Some(why) = old_label(key) {
            told.push(format!("{path}.matchExpressions[{index}].key: {key} is {why}"));
        }
    }
    told
}

/// An amount of bytes that is no whole number.
fn fraction(amounts: &Value, key: &str, path: &str) -> Option<String> {
    let amount = amounts.get(key)?;
    let text = amount.as_str()?;
    let parsed = field::amount(Some(amount));
    let whole = parsed.milli() % 1000 == 0;
    (!whole).then(|| {
        format!("{path}[{key}]: fractional byte value {text:?} is invalid, must be an integer")
    })
}

/// An address that is not written as it should be.
fn address(text: &str, path: &str) -> Option<String> {
    match text.parse::<IpAddr>() {
        Ok(IpAddr::V6(address)) if address.to_ipv4_mapped().is_some() => {
            let short = address.to_ipv4_mapped()?;
            Some(format!("{path}: non-standard IP address {text:?} is invalid: use \"{short}\""))
        }
        Ok(IpAddr::V6(address)) if address.to_string() != text => Some(format!(
            "{path}: IPv6 address {text:?} should be in RFC 5952 canonical format (\"{address}\")"
        )),
        Ok(_) => None,
        Err(_) => {
            let plain = validate::sloppy_address(text)?;
            Some(format!("{path}: non-standard IP address {text:?} is invalid: use \"{plain}\""))
        }
    }
}

fn service(service: &Value) -> Vec<String> {
    let spec = at(service, "/spec");
    let text = |key: &str| field::text(spec, &format!("/{key}"));
    let kind = text("type");
    let headless = kind == "ClusterIP" && text("clusterIP") == "None";
    let external = field::list(spec, "/externalIPs");
    let mut told = Vec::new();
    const HINTS: &str = "service.kubernetes.io/topology-aware-hints";
    if field::map(service, "/metadata/annotations").is_some_and(|map| map.contains_key(HINTS)) {
        told.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode \
             instead"
        ));
    }
    if headless {
        if !text("loadBalancerIP").is_empty() {
            told.push("spec.loadBalancerIP is ignored for headless services".into());
        }
        if !external.is_empty() {
            told.push("spec.externalIPs is ignored for headless services".into());
        }
        if text("sessionAffinity") != "None" {
            told.push("spec.SessionAffinity is ignored for headless services".into());
        }
    }
    for (index, ip) in external.iter().enumerate() {
        let path = format!("spec.externalIPs[{index}]");
        told.extend(address(ip.as_str().unwrap_or_default(), &path));
    }
    if !external.is_empty() && !headless && kind != "ExternalName" {
        told.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
                .into(),
        );
    }
    if kind == "ExternalName" && !external.is_empty() {
        told.push("spec.externalIPs is ignored when spec.type is \"ExternalName\"".into());
    }
    if kind != "ExternalName" && !text("externalName").is_empty() {
        told.push("spec.externalName is ignored when spec.type is not \"ExternalName\"".into());
    }
    if text("trafficDistribution") == "PreferClose" {
        told.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .into(),
        );
    }
    told
}

fn claim(spec: &Value, path: &str) -> Vec<String> {
    let parts = ["requests", "limits"].into_iter();
    let told = parts.filter_map(|part| {
        let here = format!("{path}.resources.{part}");
        fraction(at(spec, &format!("/resources/{part}")), "storage", &here)
    });
    told.collect()
}

fn volume(volume: &Value) -> Vec<String> {
    let spec = at(volume, "/spec");
    let mut told = Vec::new();
    if field::text(spec, "/persistentVolumeReclaimPolicy") == "Recycle" {
        told.push(
            "spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. \
             Instead, the recommended approach is to use dynamic provisioning."
                .into(),
        );
    }
    let terms = field::list(spec, "/nodeAffinity/required/nodeSelectorTerms");
    for (index, rules) in terms.iter().enumerate() {
        let path = format!("spec.nodeAffinity.required.nodeSelectorTerms[{index}]");
        told.extend(term(rules, &path));
    }
    let rbd = ("rbd", "deprecated in v1.28, non-functional in v1.31+");
    let old = OLD_VOLUMES.iter().chain(std::iter::once(&rbd));
    told.extend(old.filter(|(key, _)| spec.get(*key).is_some()).map(|(key, why)| {
        format!("spec.{}: {why}", if *key == "storageos" { "storageOS" } else { key })
    }));
    told
}

fn class(class: &Value) -> Vec<String> {
    let mut told = Vec::new();
    for (i, topology) in field::list(class, "/allowedTopologies").iter().enumerate() {
        for (j, rule) in field::list(topology, "/matchLabelExpressions").iter().enumerate() {
            if let Some(why) = old_label(field::text(rule, "/key")) {
                told.push(format!("allowedTopologies[{i}].matchLabelExpressions[{j}].key: {why}"));
            }
        }
    }
    told
}

/// A certificate that cannot be read.
fn secret(secret: &Value) -> Option<String> {
    if field::text(secret, "/type") != "kubernetes.io/tls" {
        return None;
    }
    let has_block = |key: &str| {
        let text = secret["data"][key].as_str().and_then(field::from_base64).unwrap_or_default();
        String::from_utf8_lossy(&text).contains("-----BEGIN ")
    };
    let missing = |what: &str| Some(format!("tls: failed to find any PEM data in {what} input"));
    match (has_block("tls.crt"), has_block("tls.key")) {
        (false, _) => missing("certificate"),
        (true, false) => missing("key"),
        (true, true) => None,
    }
}

fn node(node: &Value) -> Vec<String> {
    let mut told = Vec::new();
    if node.pointer("/spec/configSource").is_some() {
        told.push("spec.configSource: the feature is removed".into());
    }
    if !field::text(node, "/spec/externalID").is_empty() {
        told.push("spec.externalID: this field is deprecated, and is unused by Kubernetes".into());
    }
    told
}

/// More asked for than may be used.
fn quota(quota: &Value) -> Vec<String> {
    let hard = at(quota, "/spec/hard");
    let mut told = Vec::new();
    for name in ["cpu", "memory", "ephemeral-storage"] {
        let mut key = format!("requests.{name}");
        if hard.get(&key).is_none() && name != "ephemeral-storage" {
            key = name.to_owned();
        }
        let most = format!("limits.{name}");
        let (Some(request), Some(limit)) = (hard.get(&key), hard.get(&most)) else { continue };
        if field::amount(Some(request)) > field::amount(Some(limit)) {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            told.push(format!(
                "ResourceQuota {key} ({}) should be less than {most} ({})",
                text(request),
                text(limit)
            ));
        }
    }
    told
}

fn ingress(ingress: &Value) -> Option<String> {
    const CLASS: &str = "kubernetes.io/ingress.class";
    let annotations = field::map(ingress, "/metadata/annotations")?;
    annotations.contains_key(CLASS).then(|| {
        format!("annotation {CLASS:?} is deprecated, please use 'spec.ingressClassName' instead")
    })
}
