//! What the server itself writes into new and changed objects, after admission.

use model::Timestamp;
use serde_json::{Value, json};

use crate::field;

/// A Job selects its pods by its own uid, unless its selector is given by hand.
pub(crate) fn job(job: &mut Value, _: Timestamp) {
    if field::flag(job, "/spec/manualSelector") {
        return;
    }
    let (uid, name) = (field::uid(job).to_owned(), field::name(job).to_owned());
    const UID: &str = "batch.kubernetes.io/controller-uid";
    let labels = [
        (UID, &uid),
        ("controller-uid", &uid),
        ("batch.kubernetes.io/job-name", &name),
        ("job-name", &name),
    ];
    let template = field::child(job, "spec").entry("template").or_insert_with(|| json!({}));
    for (key, value) in labels {
        template["metadata"]["labels"][key] = value.clone().into();
    }
    let inherited = template["metadata"]["labels"].clone();
    field::default(field::child(job, "metadata"), "labels", inherited);
    job["spec"]["selector"]["matchLabels"][UID] = uid.into();
}

/// A namespace is emptied before it goes.
pub(crate) fn namespace(namespace: &mut Value, _: Timestamp) {
    field::default(field::child(namespace, "spec"), "finalizers", json!(["kubernetes"]));
}

/// A volume notes since when it has its phase.
pub(crate) fn volume(volume: &mut Value, now: Timestamp) {
    let status = field::child(volume, "status");
    field::default(status, "lastPhaseTransitionTime", now.to_string());
}

/// A DaemonSet counts the changes of its template in an annotation.
pub(crate) fn daemon_set_update(old: &Value, new: &mut Value) {
    const COUNT: &str = "deprecated.daemonset.template.generation";
    let pointer = format!("/metadata/annotations/{COUNT}");
    let before: i64 = field::text(old, &pointer).parse().unwrap_or(1);
    let changed = old.pointer("/spec/template") != new.pointer("/spec/template");
    let count = before + i64::from(changed);
    new["metadata"]["annotations"][COUNT] = count.to_string().into();
}

/// A Service's address is the first of its addresses.
pub(crate) fn service(service: &mut Value, _: Timestamp) {
    let address = field::text(service, "/spec/clusterIP").to_owned();
    if let Some(spec) = service.get_mut("spec").and_then(Value::as_object_mut)
        && !address.is_empty()
    {
        field::default(spec, "clusterIPs", json!([address]));
    }
}

/// A Service keeps its addresses and ports while it needs them, and loses what its new type has
/// no use for unless the client set it anew.
pub(crate) fn service_update(old: &Value, new: &mut Value) {
    let before = field::text(old, "/spec/type").to_owned();
    let after = field::text(new, "/spec/type").to_owned();
    let addressed = |kind: &str| kind != "ExternalName";
    let ports = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
    let Some(spec) = new.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let had = &old["spec"];
    let copy = |spec: &mut serde_json::Map<String, Value>, key: &str| {
        if let Some(value) = had.get(key)
            && spec.get(key).is_none_or(Value::is_null)
        {
            spec.insert(key.to_owned(), value.clone());
        }
    };
    let drop_same = |spec: &mut serde_json::Map<String, Value>, keys: &[&str]| {
        for key in keys {
            if spec.get(*key) == had.get(*key) {
                spec.remove(*key);
            }
        }
    };
    if addressed(&before) && addressed(&after) {
        let unsaid = spec.get("clusterIP").is_none_or(|address| address == "");
        if unsaid && spec.get("clusterIPs").is_none() {
            spec.remove("clusterIP");
            copy(spec, "clusterIP");
            copy(spec, "clusterIPs");
        } else if spec.get("clusterIPs").is_none()
            || spec.get("clusterIP") != had.get("clusterIP")
                && spec.get("clusterIPs") == had.get("clusterIPs")
        {
            let address = spec.get("clusterIP").cloned().unwrap_or_default();
            spec.insert("clusterIPs".into(), json!([address]));
        }
        copy(spec, "ipFamilies");
        copy(spec, "ipFamilyPolicy");
    }
    if addressed(&before) && !addressed(&after) {
        drop_same(
            spec,
            &["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "internalTrafficPolicy"],
        );
    }
    keep_ports(had, spec, ports(&before) && ports(&after), ports(&before) && !ports(&after));
    if ports(&before) && !ports(&after) {
        drop_same(spec, &["externalTrafficPolicy"]);
    }
    if before == "LoadBalancer" && after != "LoadBalancer" {
        let only = ["loadBalancerClass", "allocateLoadBalancerNodePorts", "healthCheckNodePort"];
        drop_same(spec, &only);
    }
}

/// Node ports of a Service's ports, by port and protocol.
fn keep_ports(old: &Value, spec: &mut serde_json::Map<String, Value>, keep: bool, lose: bool) {
    let known = field::list(old, "/ports");
    let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
    for port in ports.into_iter().flatten() {
        let same =
            |other: &&Value| ["port", "protocol"].iter().all(|key| other.get(key) == port.get(key));
        let before = known.iter().find(same).and_then(|p| p.get("nodePort")).cloned();
        let Some(map) = port.as_object_mut() else { continue };
        match before {
            Some(number) if keep && map.get("nodePort").is_none() => {
                map.insert("nodePort".into(), number);
            }
            Some(number) if lose && map.get("nodePort") == Some(&number) => {
                map.remove("nodePort");
            }
            _ => {}
        }
    }
}

/// References to secrets keep nothing but names.
pub(crate) fn service_account(account: &mut Value, _: Timestamp) {
    bare_secrets(account);
}

/// The same for a changed account.
pub(crate) fn bare_secrets(account: &mut Value) {
    if !account["secrets"].is_array() {
        return;
    }
    for secret in account["secrets"].as_array_mut().into_iter().flatten() {
        let name = field::text(secret, "/name").to_owned();
        *secret = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    }
}

/// A class of attributes is kept while volumes use it.
pub(crate) fn attributes_class(class: &mut Value, _: Timestamp) {
    const GUARD: &str = "kubernetes.io/vac-protection";
    let metadata = field::child(class, "metadata");
    let finalizers = metadata.entry("finalizers").or_insert_with(|| json!([]));
    if let Some(list) = finalizers.as_array_mut().filter(|list| !list.contains(&GUARD.into())) {
        list.push(GUARD.into());
    }
}

/// Both names of what a claim is filled from say the same.
pub(crate) fn claim(claim: &mut Value, _: Timestamp) {
    let spec = &claim["spec"];
    let of = |key: &str| spec.get(key).filter(|source| source.is_object()).cloned();
    match (of("dataSource"), of("dataSourceRef")) {
        (Some(source), None) => claim["spec"]["dataSourceRef"] = source,
        (None, Some(source)) if source.get("namespace").is_none() => {
            claim["spec"]["dataSource"] = source;
        }
        _ => {}
    }
}
