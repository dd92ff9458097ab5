//! Volumes of pods and where a PersistentVolume's data is.

use super::outline::{Entry, Section};
use crate::text::shape::{put, put_some, some, truth};
use serde_json::{Value, json};

/// The volumes below `Volumes:`.
pub fn volumes(entry: Entry<'_>) -> Value {
    let named = entry.body.entries().filter(|e| !e.key.is_empty());
    let volume = |e: Entry<'_>| {
        let mut volume = source(e.body);
        put(&mut volume, "name", e.key);
        volume
    };
    Value::from(named.map(volume).collect::<Vec<_>>())
}

/// The source below `Type:`; `{}` when its type is not known here.
pub fn source(body: Section<'_>) -> Value {
    let kind = body.find(&["Type"]).map_or("", |e| e.value);
    let read_only = || body.some("ReadOnly").and_then(truth).unwrap_or(false);
    let optional = |keys: &[&str]| body.find(keys).and_then(|e| truth(e.value)).unwrap_or(false);
    match kind.split(' ').next().unwrap_or("") {
        "ConfigMap" => {
            json!({"configMap": {"name": text(body, &["Name", "ConfigMapName"]),
                "optional": optional(&["Optional"])}})
        }
        "Secret" => {
            json!({"secret": {"secretName": text(body, &["SecretName"]),
                "optional": optional(&["Optional"])}})
        }
        "PersistentVolumeClaim" => {
            json!({"persistentVolumeClaim": {"claimName": text(body, &["ClaimName"]),
                "readOnly": read_only()}})
        }
        "EmptyDir" => {
            let mut empty = json!({});
            put_some(&mut empty, "medium", body.some("Medium"));
            put_some(&mut empty, "sizeLimit", body.some("SizeLimit"));
            json!({"emptyDir": empty})
        }
        "HostPath" => {
            let kind = body.find(&["HostPathType"]).map_or("", |e| e.value);
            json!({"hostPath": {"path": text(body, &["Path"]), "type": kind}})
        }
        "NFS" => {
            json!({"nfs": {"server": text(body, &["Server"]), "path": text(body, &["Path"]),
                "readOnly": read_only()}})
        }
        "CSI" => {
            let mut csi = json!({"driver": text(body, &["Driver"]), "readOnly": read_only()});
            put_some(&mut csi, "fsType", body.some("FSType"));
            put_some(&mut csi, "volumeHandle", body.some("VolumeHandle"));
            json!({"csi": csi})
        }
        "LocalVolume" => json!({"local": {"path": text(body, &["Path"])}}),
        "EphemeralVolume" => {
            let mut spec = json!({});
            put_some(&mut spec, "storageClassName", body.some("StorageClass"));
            json!({"ephemeral": {"volumeClaimTemplate": {"spec": spec}}})
        }
        "DownwardAPI" => json!({"downwardAPI": {}}),
        "Projected" => json!({"projected": {"sources": projected(body)}}),
        _ => json!({}),
    }
}

fn text<'a>(body: Section<'a>, keys: &[&str]) -> &'a str {
    body.find(keys).and_then(|e| some(e.value)).unwrap_or("")
}

/// Sources of a projected volume. The line after a name says whether it is optional.
fn projected(body: Section<'_>) -> Value {
    let mut sources: Vec<Value> = Vec::new();
    for entry in body.entries() {
        match entry.key {
            "TokenExpirationSeconds" => {
                let seconds = entry.value.parse::<u64>().ok();
                sources.push(json!({"serviceAccountToken": {"expirationSeconds": seconds}}));
            }
            "SecretName" => {
                sources.push(json!({"secret": {"name": entry.value, "optional": false}}));
            }
            "ConfigMapName" => {
                sources.push(json!({"configMap": {"name": entry.value, "optional": false}}));
            }
            "DownwardAPI" => sources.push(json!({"downwardAPI": {}})),
            "Optional" | "ConfigMapOptional" | "SecretOptionalName" => {
                let optional = truth(entry.value).unwrap_or(false);
                if let Some(Value::Object(last)) = sources.last_mut() {
                    for reference in last.values_mut() {
                        put(reference, "optional", optional);
                    }
                }
            }
            _ => {}
        }
    }
    Value::from(sources)
}
