//! `cargo xtask derive FOLDER`: makes the twin's tables from the schemas that Kubernetes
//! publishes: `kubernetes/openapi-v2.json`, `kubernetes/apply-schema.json`,
//! `kubernetes/protobuf-fields.json` and the discovery documents under `apiserver/discovery`.
//!
//! `kubernetes/openapi-v2-served.json`, if it is there, is the answer of a running server to
//! `kubectl get --raw /openapi/v2`; it describes the enabled parts of the API only.
//!
//! What stands in no schema, the order of fields in the server's internal types, is read from
//! Kubernetes' own declarations by `internal.go`, which lies beside this file.
//!
//! The tables are committed (see ATTRIBUTION.md), so that nobody needs the sources to build.

mod columns;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

const OUT: &str = "crates/twin/data";

pub fn run(folder: &str) -> Result<()> {
    let folder = Path::new(folder);
    let read = |name: &str| -> Result<Value> {
        let path = folder.join("kubernetes").join(name);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
    };
    let (openapi, apply) = (read("openapi-v2.json")?, read("apply-schema.json")?);
    write("types.json.gz", &types(&openapi, &apply))?;
    write("messages.json.gz", &messages(&read("protobuf-fields.json")?))?;
    write("discovery.json.gz", &discovery(&folder.join("apiserver/discovery"))?)?;
    write("columns.json.gz", &columns::columns(&folder.join("apiserver"), &openapi)?)?;
    // What a server serves tells more than what is published: the values that a text may have.
    write("openapi.json.gz", &read("openapi-v2-served.json").unwrap_or(openapi))
}

/// `cargo xtask derive-roles FILE`: the roles and bindings of a server that has just started, from
/// `kubectl get clusterroles,clusterrolebindings,roles,rolebindings -A -o json`.
pub fn roles(file: &str) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {file}"))?;
    let mut read: Value = serde_json::from_str(&text)?;
    let mut all = read["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    for role in &mut all {
        if let Some(meta) = role["metadata"].as_object_mut() {
            meta.retain(|key, _| {
                !matches!(
                    key.as_str(),
                    "creationTimestamp" | "managedFields" | "resourceVersion" | "uid"
                )
            });
        }
        if let Some(role) = role.as_object_mut() {
            role.retain(|_, value| !value.is_null());
        }
    }
    let place = |role: &Value| -> Vec<String> {
        let text =
            |pointer: &str| role.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        ["/kind", "/metadata/namespace", "/metadata/name"].map(|p| text(p).to_owned()).to_vec()
    };
    all.sort_by_key(place);
    write("rbac.json.gz", &all.into())
}

fn write(name: &str, value: &Value) -> Result<()> {
    let path = Path::new(OUT).join(name);
    let file = fs::File::create(&path).with_context(|| format!("cannot write {name} to {OUT}"))?;
    let mut packed = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    packed.write_all(value.to_string().as_bytes())?;
    packed.finish()?;
    println!("{}: {} bytes", path.display(), fs::metadata(&path)?.len());
    Ok(())
}

/// Definitions without their texts: `{name: {field: {t, r, d, m, p, l, k}}}`.
fn types(openapi: &Value, apply: &Value) -> Value {
    let defaults = defaults(apply);
    let (mut types, mut kinds) = (Map::new(), Map::new());
    for (name, definition) in openapi["definitions"].as_object().into_iter().flatten() {
        for gvk in definition["x-kubernetes-group-version-kind"].as_array().into_iter().flatten() {
            let text = |key: &str| gvk[key].as_str().unwrap_or_default();
            let (group, version, kind) = (text("group"), text("version"), text("kind"));
            // Options are registered under every group; only objects have a home of their own.
            if definition["properties"].get("metadata").is_some() {
                let full = format!("{group}/{version}/{kind}");
                kinds.insert(full.trim_start_matches('/').to_owned(), name.as_str().into());
            }
        }
        types.insert(name.clone(), structure(name, definition, &defaults));
    }
    json!({"types": types, "kinds": kinds})
}

/// Default values by type and field, as server-side apply knows them.
fn defaults(apply: &Value) -> BTreeMap<(String, String), Value> {
    let mut defaults = BTreeMap::new();
    for kind in apply["types"].as_array().into_iter().flatten() {
        for field in kind["map"]["fields"].as_array().into_iter().flatten() {
            let text = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
            if let Some(default) = field.get("default") {
                defaults.insert((text(kind), text(field)), default.clone());
            }
        }
    }
    defaults
}

fn structure(
    name: &str,
    definition: &Value,
    defaults: &BTreeMap<(String, String), Value>,
) -> Value {
    let Some(properties) = definition["properties"].as_object() else {
        return plain(name, definition).into();
    };
    let required: Vec<&str> =
        definition["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let mut fields = Map::new();
    for (key, property) in properties {
        let mut field = json!({"t": kind_of(property)});
        if required.contains(&key.as_str()) {
            field["r"] = true.into();
        }
        if let Some(default) = defaults.get(&(name.to_owned(), key.clone())) {
            field["d"] = default.clone();
        }
        for (short, long) in [
            ("m", "x-kubernetes-patch-merge-key"),
            ("p", "x-kubernetes-patch-strategy"),
            ("l", "x-kubernetes-list-type"),
            ("k", "x-kubernetes-list-map-keys"),
            ("a", "x-kubernetes-map-type"),
        ] {
            if let Some(value) = property.get(long) {
                field[short] = value.clone();
            }
        }
        fields.insert(key.clone(), field);
    }
    if let Some(whole) = definition.get("x-kubernetes-map-type") {
        return json!({"fields": fields, "a": whole});
    }
    json!({"fields": fields})
}

/// Definitions that are one value: times, amounts, free-form documents.
fn plain(name: &str, definition: &Value) -> String {
    match name.rsplit('.').next().unwrap_or_default() {
        "Time" => "time".into(),
        "MicroTime" => "microtime".into(),
        "Quantity" => "quantity".into(),
        "IntOrString" => "intstr".into(),
        _ => kind_of(definition),
    }
}

/// `@Name` refers, `[` is a list of, `{` a map of; else the name of a scalar.
fn kind_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return format!("@{}", name.trim_start_matches("#/definitions/"));
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("array"), _) => format!("[{}", kind_of(&schema["items"])),
        (Some("object"), _) if schema.get("additionalProperties").is_some() => {
            format!("{{{}", kind_of(&schema["additionalProperties"]))
        }
        (Some("string"), Some("byte")) => "bytes".into(),
        (Some("string"), _) => "string".into(),
        (Some("integer"), Some("int64")) => "int64".into(),
        (Some("integer"), _) => "int32".into(),
        (Some("number"), _) => "double".into(),
        (Some("boolean"), _) => "bool".into(),
        _ => "any".into(),
    }
}

/// `{message: [[tag, name, type, repeated]]}`.
fn messages(source: &Value) -> Value {
    let rows = source["messages"].as_object().into_iter().flatten();
    let packed = rows.map(|(name, fields)| {
        let fields = fields.as_array().into_iter().flatten();
        let fields: Vec<_> =
            fields.map(|f| json!([f["tag"], f["name"], f["type"], f["repeated"]])).collect();
        (name.clone(), Value::from(fields))
    });
    Value::Object(packed.collect())
}

/// The aggregated documents with what only the plain ones tell: storage hashes.
fn discovery(folder: &Path) -> Result<Value> {
    let read = |name: &str| -> Result<Value> {
        let path = folder.join(name);
        let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no JSON", path.display()))
    };
    let index = read("index.json")?;
    let mut documents = Map::new();
    for entry in index.as_array().into_iter().flatten() {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        let aggregated = if text("accept").contains("as=") { "aggregated" } else { "" };
        let place = format!("{}{}", aggregated, text("path"));
        let mut document = read(text("file"))?;
        if let Some(map) = document.as_object_mut()
            && map.contains_key("serverAddressByClientCIDRs")
        {
            // The address of the server that was recorded.
            map.insert("serverAddressByClientCIDRs".into(), json!([]));
        }
        documents.insert(place, document);
    }
    Ok(Value::Object(documents))
}
