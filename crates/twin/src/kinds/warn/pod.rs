//! Remarks about pods and pod templates.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::validate::at;
use super::{OLD_VOLUMES, address, claim, fraction, old_label, term};
use crate::field;

const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED: &str = "preferredDuringSchedulingIgnoredDuringExecution";

const OLD_ANNOTATIONS: [(&str, &str); 3] = [
    (
        "scheduler.alpha.kubernetes.io/critical-pod",
        "non-functional in v1.16+; use the \"priorityClassName\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
    (
        "security.alpha.kubernetes.io/unsafe-sysctls",
        "non-functional in v1.11+; use the \"sysctls\" field instead",
    ),
];

/// The remarks about a pod or a template; `path` ends with a dot or is empty.
pub(super) fn template(pod: &Value, path: &str) -> Vec<String> {
    let spec = at(pod, "/spec");
    let mut told = nodes(spec, path);
    for (key, why) in OLD_ANNOTATIONS {
        if field::map(pod, "/metadata/annotations").is_some_and(|map| map.contains_key(key)) {
            told.push(format!("{path}metadata.annotations[{key}]: {why}"));
        }
    }
    told.extend(volumes(spec, path));
    told.extend(repeated(spec, path, "hostAliases", "ip"));
    told.extend(repeated(spec, path, "imagePullSecrets", "name"));
    for (index, secret) in field::list(spec, "/imagePullSecrets").iter().enumerate() {
        if field::text(secret, "/name").is_empty() {
            told.push(format!(
                "{path}spec.imagePullSecrets[{index}].name: invalid empty name \"\""
            ));
        }
    }
    for key in ["memory", "ephemeral-storage"] {
        told.extend(fraction(at(spec, "/overhead"), key, &format!("{path}spec.overhead")));
    }
    let all = containers(spec, path);
    for (here, container) in &all {
        told.extend(amounts(container, here));
        told.extend(environment(container, here));
    }
    told.extend(ports(&all));
    told.extend(port_names(&all));
    if field::number(spec, "/terminationGracePeriodSeconds") < 0 {
        told.push(format!(
            "{path}spec.terminationGracePeriodSeconds: must be >= 0; negative values are invalid \
             and will be treated as 1"
        ));
    }
    told.extend(affinity(spec, path));
    for (index, server) in field::list(spec, "/dnsConfig/nameservers").iter().enumerate() {
        let here = format!("{path}spec.dnsConfig.nameservers[{index}]");
        told.extend(address(server.as_str().unwrap_or_default(), &here));
    }
    for (index, alias) in field::list(spec, "/hostAliases").iter().enumerate() {
        let here = format!("{path}spec.hostAliases[{index}].ip");
        told.extend(address(field::text(alias, "/ip"), &here));
    }
    told
}

/// All containers with their paths: those that start first come first.
fn containers<'v>(spec: &'v Value, path: &str) -> Vec<(String, &'v Value)> {
    let mut all = Vec::new();
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for (index, container) in field::list(spec, &format!("/{list}")).iter().enumerate() {
            all.push((format!("{path}spec.{list}[{index}]"), container));
        }
    }
    all
}

/// Labels of nodes that are used to choose some.
fn nodes(spec: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (key, _) in field::map(spec, "/nodeSelector").into_iter().flatten() {
        if let Some(why) = old_label(key) {
            told.push(format!("{path}spec.nodeSelector[{key}]: {why}"));
        }
    }
    let base = format!("{path}spec.affinity.nodeAffinity");
    let node = at(spec, "/affinity/nodeAffinity");
    let required = field::list(node, &format!("/{REQUIRED}/nodeSelectorTerms"));
    for (index, rules) in required.iter().enumerate() {
        told.extend(term(rules, &format!("{base}.{REQUIRED}.nodeSelectorTerms[{index}]")));
    }
    for (index, rules) in field::list(node, &format!("/{PREFERRED}")).iter().enumerate() {
        let here = format!("{base}.{PREFERRED}[{index}].preference");
        told.extend(term(at(rules, "/preference"), &here));
    }
    for (index, rule) in field::list(spec, "/topologySpreadConstraints").iter().enumerate() {
        let here = format!("{path}spec.topologySpreadConstraints[{index}]");
        let key = field::text(rule, "/topologyKey");
        if let Some(why) = old_label(key) {
            told.push(format!("{here}.topologyKey: {key} is {why}"));
        }
        if rule.get("labelSelector").is_none() {
            told.push(format!(
                "{here}.labelSelector: a null labelSelector results in matching no pod"
            ));
        }
    }
    told
}

fn volumes(spec: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for (index, volume) in field::list(spec, "/volumes").iter().enumerate() {
        let here = format!("{path}spec.volumes[{index}]");
        for (key, why) in OLD_VOLUMES.iter().filter(|(key, _)| volume.get(*key).is_some()) {
            let name = if *key == "storageos" { "storageOS" } else { key };
            told.push(format!("{here}.{name}: {why}"));
        }
        if let Some(template) = volume.pointer("/ephemeral/volumeClaimTemplate/spec") {
            let here = format!("{here}.ephemeral.volumeClaimTemplate.spec");
            told.extend(claim(template, &here));
        }
        if volume.get("rbd").is_some() {
            told.push(format!("{here}.rbd: deprecated in v1.28, non-functional in v1.31+"));
        }
    }
    told
}

fn repeated(spec: &Value, path: &str, list: &str, key: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut told = Vec::new();
    for (index, item) in field::list(spec, &format!("/{list}")).iter().enumerate() {
        let text = field::text(item, &format!("/{key}"));
        if !seen.insert(text) {
            told.push(format!("{path}spec.{list}[{index}].{key}: duplicate {key} {text:?}"));
        }
    }
    told
}

fn amounts(container: &Value, here: &str) -> Vec<String> {
    let mut told = Vec::new();
    for key in ["memory", "ephemeral-storage"] {
        for part in ["limits", "requests"] {
            let amounts = at(container, &format!("/resources/{part}"));
            told.extend(fraction(amounts, key, &format!("{here}.resources.{part}")));
        }
    }
    told
}

/// A variable that hides one of the same name without building on it.
fn environment(container: &Value, here: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let mut told = Vec::new();
    for (index, variable) in field::list(container, "/env").iter().enumerate() {
        let name = field::text(variable, "/name");
        if seen.insert(name) {
            continue;
        }
        let own = format!("$({name})");
        let value = field::text(variable, "/value");
        if variable.get("valueFrom").is_some() || value == own || !value.contains(&own) {
            told.push(format!(
                "{here}.env[{index}]: hides previous definition of {name:?}, which may be dropped \
                 when using apply"
            ));
        }
    }
    told
}

fn ports(all: &[(String, &Value)]) -> Vec<String> {
    let mut known: BTreeMap<String, Vec<(String, &Value)>> = BTreeMap::new();
    let mut told = Vec::new();
    for (here, container) in all {
        for (index, port) in field::list(container, "/ports").iter().enumerate() {
            let here = format!("{here}.ports[{index}]");
            let number = field::number(port, "/containerPort");
            let place = format!("{number}/{}", field::text(port, "/protocol"));
            let others = known.entry(place).or_default();
            for (path, other) in others.iter() {
                let host = |port: &Value| field::number(port, "/hostPort");
                let ip = |port: &Value| field::text(port, "/hostIP").to_owned();
                if ip(port) == ip(other) && host(port) == host(other) {
                    told.push(format!("{here}: duplicate port definition with {path}"));
                } else if host(port) == 0 || host(other) == 0 {
                    told.push(format!("{here}: overlapping port definition with {path}"));
                } else if host(port) == host(other) && (ip(port).is_empty() != ip(other).is_empty())
                {
                    told.push(format!("{here}: dangerously ambiguous port definition with {path}"));
                }
            }
            others.push((here, port));
        }
    }
    told
}

fn port_names(all: &[(String, &Value)]) -> Vec<String> {
    let mut known: BTreeMap<&str, String> = BTreeMap::new();
    let mut told = Vec::new();
    for (here, container) in all {
        for (index, port) in field::list(container, "/ports").iter().enumerate() {
            let (name, here) = (field::text(port, "/name"), format!("{here}.ports[{index}]"));
            if name.is_empty() {
                continue;
            }
            match known.get(name) {
                Some(other) => told.push(format!(
                    "{here}: duplicate port name {name:?} with {other}, services and probes that \
                     select ports by name will use {other}"
                )),
                None => drop(known.insert(name, here)),
            }
        }
    }
    told
}

/// Rules about other pods that mean none.
fn affinity(spec: &Value, path: &str) -> Vec<String> {
    let mut told = Vec::new();
    for kind in ["podAffinity", "podAntiAffinity"] {
        for (list, within) in [(REQUIRED, ""), (PREFERRED, "podAffinityTerm")] {
            let rules = field::list(spec, &format!("/affinity/{kind}/{list}"));
            for (index, rule) in rules.iter().enumerate() {
                let term = if within.is_empty() { rule } else { &rule[within] };
                if term.get("labelSelector").is_none() {
                    let dot = if within.is_empty() { "" } else { "." };
                    told.push(format!(
                        "{path}spec.affinity.{kind}.{list}[{index}]{dot}{within}.labelSelector: a \
                         null labelSelector results in matching no pod"
                    ));
                }
            }
        }
    }
    told
}
