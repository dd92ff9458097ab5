//! Custom kinds in the description of the API: their types, and paths like those of a built-in
//! kind.
//!
//! Paths are those of a kind that has nothing special, under other names. Version 2 has no words
//! for some of a schema; what it cannot say is left out. Must never know a request.

use std::sync::LazyLock;

use serde_json::{Map, Value, json};

use super::unpacked_document;
use crate::field;
use crate::kinds::Kind;

/// The kind whose paths are the pattern, and the one for scales.
const PATTERN: &str = "PodDisruptionBudget";
const SCALED: &str = "Deployment";
const OBJECT_META: &str = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";
const LIST_META: &str = "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ListMeta";
const CONVENTIONS: &str =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// What is used of the description of the built-in kinds.
static BASE: LazyLock<Value> = LazyLock::new(|| {
    let mut document = unpacked_document();
    if let Some(paths) = document["paths"].as_object_mut() {
        paths.retain(|path, _| {
            let own = path.contains("/poddisruptionbudgets") && !path.contains("/watch/");
            own || path.ends_with("/namespaces/{namespace}/deployments/{name}/scale")
        });
    }
    if let Some(definitions) = document["definitions"].as_object_mut() {
        let used = ["io.k8s.apimachinery.", "io.k8s.api.autoscaling.v1.", "io.k8s.api.policy.v1."];
        definitions.retain(|name, _| used.iter().any(|start| name.starts_with(start)));
    }
    document
});

/// Which words there are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    V2,
    V3,
}

/// A description with these kinds only, and all types that they may refer to.
pub(super) fn document(kinds: &[&'static Kind]) -> Value {
    let mut made = json!({
        "info": {"title": "Kubernetes CRD Swagger", "version": "v0.1.0"},
        "parameters": BASE["parameters"], "definitions": BASE["definitions"],
    });
    let (own, definitions) = parts(kinds, Form::V3);
    if let Some(all) = made["definitions"].as_object_mut() {
        all.extend(definitions);
    }
    made["paths"] = own.into();
    made
}

/// Paths and types of these kinds.
pub(super) fn parts(
    kinds: &[&'static Kind],
    form: Form,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut own, mut definitions) = (Map::new(), Map::new());
    for kind in kinds {
        let names = Names::of(kind);
        own.extend(paths(kind, &names));
        definitions.insert(format!("{}.{}", names.model, kind.kind), object(kind, form));
        definitions.insert(format!("{}.{}", names.model, names.list), list(kind, &names));
    }
    (own, definitions)
}

/// The names of a kind in the places where the pattern's stand.
struct Names<'a> {
    /// `com.example.stable.v1`.
    model: String,
    /// `StableExampleComV1`.
    operation: String,
    /// `stableExampleCom_v1`.
    tag: String,
    list: &'a str,
}

impl Names<'_> {
    fn of(kind: &'static Kind) -> Names<'static> {
        let reversed: Vec<_> = kind.group.rsplit('.').collect();
        let words = kind.group.split(|c: char| !c.is_ascii_alphanumeric());
        let camel: String = words.map(|word| first(word, char::to_ascii_uppercase)).collect();
        Names {
            model: format!("{}.{}", reversed.join("."), kind.version),
            operation: format!("{camel}{}", first(kind.version, char::to_ascii_uppercase)),
            tag: format!("{}_{}", first(&camel, char::to_ascii_lowercase), kind.version),
            list: kind.custom.map_or("", |custom| &custom.list_kind),
        }
    }
}

/// The word with its first letter changed.
fn first(word: &str, change: impl Fn(&char) -> char) -> String {
    let mut letters = word.chars();
    letters.next().map(|letter| change(&letter)).into_iter().chain(letters).collect()
}

fn paths(kind: &Kind, names: &Names<'_>) -> Map<String, Value> {
    let mut made = Map::new();
    for (path, item) in BASE["paths"].as_object().into_iter().flatten() {
        let part = path.rsplit_once("{name}/").map(|(_, part)| part);
        let whole = !path.contains("{namespace}");
        let wanted = part.is_none_or(|part| kind.subresources.contains(&part));
        if !wanted || whole && !kind.namespaced {
            continue;
        }
        let place = if kind.namespaced && !whole { "namespaces/{namespace}/" } else { "" };
        let tail = path.split_once("/{name}").map_or("", |(_, _)| "/{name}");
        let part = part.map(|part| format!("/{part}")).unwrap_or_default();
        let root = format!("/apis/{}/{}/{place}{}", kind.group, kind.version, kind.plural);
        made.insert(format!("{root}{tail}{part}"), item_of(item, kind, names));
    }
    made
}

fn item_of(item: &Value, kind: &Kind, names: &Names<'_>) -> Value {
    let mut item = renamed(item, kind, names);
    for (verb, operation) in item.as_object_mut().into_iter().flatten() {
        if verb == "parameters" {
            if let Some(list) = operation.as_array_mut().filter(|_| !kind.namespaced) {
                list.retain(|one| {
                    !field::text(one, "/$ref").starts_with("#/parameters/namespace-")
                });
            }
            continue;
        }
        operation["produces"] = json!(["application/json", "application/yaml"]);
        operation["consumes"] = match verb.as_str() {
            "patch" => json!([
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/apply-patch+yaml"
            ]),
            _ => operation["produces"].clone(),
        };
        operation["x-kubernetes-group-version-kind"] =
            json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    }
    item
}

/// The pattern with the names of a kind.
fn renamed(value: &Value, kind: &Kind, names: &Names<'_>) -> Value {
    match value {
        Value::String(text) => {
            let space = if kind.namespaced { "Namespaced" } else { "" };
            let model = format!("io.k8s.api.policy.v1.{PATTERN}");
            let of = |name: &str| format!("{}.{name}", names.model);
            text.replace(&format!("{model}List"), &of(names.list))
                .replace(&model, &of(kind.kind))
                .replace("PolicyV1", &names.operation)
                .replace("AppsV1", &names.operation)
                .replace("policy_v1", &names.tag)
                .replace("apps_v1", &names.tag)
                .replace("Namespaced", space)
                .replace("list or watch objects", "list objects")
                .replace(PATTERN, kind.kind)
                .replace(SCALED, kind.kind)
                .into()
        }
        Value::Array(list) => list.iter().map(|one| renamed(one, kind, names)).collect(),
        Value::Object(map) => {
            let members = map.iter().map(|(key, value)| (key.clone(), renamed(value, kind, names)));
            Value::Object(members.collect())
        }
        other => other.clone(),
    }
}

/// The type of the objects.
fn object(kind: &Kind, form: Form) -> Value {
    let structural = kind.custom.map_or(&Value::Null, |custom| &custom.structural);
    let open = field::flag(structural, "/x-kubernetes-preserve-unknown-fields");
    let mut made = if !structural.is_object() || open && form == Form::V2 {
        // With any member named, clients take all others to be forbidden.
        json!({"type": "object"})
    } else {
        let mut made = schema(structural, form);
        set_types(&mut made);
        made["properties"]["metadata"] = metadata(OBJECT_META, "Standard object's metadata.");
        made
    };
    mark(&mut made, kind, kind.kind);
    made
}

fn list(kind: &Kind, names: &Names<'_>) -> Value {
    let item = format!("#/definitions/{}.{}", names.model, kind.kind);
    let items = json!({
        "description": format!("List of {}. More info: {CONVENTIONS}", kind.plural),
        "type": "array", "items": {"$ref": item},
    });
    let mut made = json!({
        "description": format!("{} is a list of {}", names.list, kind.kind),
        "type": "object", "required": ["items"], "properties": {"items": items},
    });
    set_types(&mut made);
    made["properties"]["metadata"] = json!({
        "$ref": LIST_META,
        "description": format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds"),
    });
    mark(&mut made, kind, names.list);
    made
}

fn metadata(path: &str, what: &str) -> Value {
    json!({"$ref": path, "description": format!("{what} More info: {CONVENTIONS}#metadata")})
}

/// Adds `apiVersion` and `kind`, in the words of the built-in kinds.
fn set_types(made: &mut Value) {
    let known = &BASE["definitions"][format!("io.k8s.api.policy.v1.{PATTERN}").as_str()];
    for key in ["apiVersion", "kind"] {
        made["properties"][key] = known["properties"][key].clone();
    }
}

fn mark(made: &mut Value, kind: &Kind, name: &str) {
    made["x-kubernetes-group-version-kind"] =
        json!([{"group": kind.group, "kind": name, "version": kind.version}]);
    if !kind.fields.is_empty() {
        let fields = kind.fields.iter().map(|path| json!({"fieldPath": path}));
        made["x-kubernetes-selectable-fields"] = fields.collect();
    }
}

/// A schema in the words of the form.
fn schema(from: &Value, form: Form) -> Value {
    let flag = |of: &Value, key: &str| field::flag(of, &format!("/{key}"));
    let (open, nullable) =
        (flag(from, "x-kubernetes-preserve-unknown-fields"), flag(from, "nullable"));
    let old = form == Form::V2;
    let mut made = Map::new();
    for (key, value) in from.as_object().into_iter().flatten() {
        let left_out = match key.as_str() {
            "allOf" | "anyOf" | "oneOf" | "not" | "nullable" | "default" => old,
            "items" | "properties" => old && (open || nullable),
            "type" if value == "array" => old && (open || nullable || !from["items"].is_object()),
            "type" => old && (nullable || open && value == "object"),
            _ => false,
        };
        if !left_out {
            made.insert(key.clone(), member(key, value, form));
        }
    }
    if let (true, Some(Value::Array(required))) = (old, made.get_mut("required")) {
        let may_be_null = |name: &str| flag(&from["properties"][name], "nullable");
        required.retain(|name| !name.as_str().is_some_and(may_be_null));
        if required.is_empty() {
            made.remove("required");
        }
    }
    let mut made = Value::Object(made);
    if flag(from, "x-kubernetes-int-or-string") && !old && made["anyOf"].is_null() {
        made["anyOf"] = json!([{"type": "integer"}, {"type": "string"}]);
    }
    if flag(from, "x-kubernetes-embedded-resource") && !(old && open) {
        embed(&mut made);
    }
    made
}

fn member(key: &str, value: &Value, form: Form) -> Value {
    match (key, value) {
        ("properties", Value::Object(all)) => {
            all.iter().map(|(name, of)| (name.clone(), schema(of, form))).collect()
        }
        ("items" | "additionalProperties", Value::Object(_)) => schema(value, form),
        _ => value.clone(),
    }
}

/// What a whole object inside another has.
fn embed(made: &mut Value) {
    for (key, what) in [
        ("apiVersion", "defines the versioned schema of this representation of an object."),
        ("kind", "is a string value representing the type of this object. In CamelCase."),
    ] {
        let anchor = if key == "kind" { "types-kinds" } else { "resources" };
        let told = format!("{key} {what} More info: {CONVENTIONS}#{anchor}");
        made["properties"][key] = json!({"description": told, "type": "string"});
    }
    made["properties"]["metadata"] = metadata(OBJECT_META, "Standard object's metadata.");
    let mut required = made["required"].as_array().cloned().unwrap_or_default();
    for key in ["kind", "apiVersion"] {
        if !required.iter().any(|name| name == key) {
            required.push(key.into());
        }
    }
    made["required"] = required.into();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scope: &str) -> &'static Kind {
        let schema = json!({"type": "object", "properties": {"spec": {
            "type": "object", "required": ["a", "b"], "properties": {
                "a": {"type": "string", "nullable": true}, "b": {"type": "integer", "default": 1},
                "port": {"x-kubernetes-int-or-string": true},
                "any": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
            },
        }}});
        let names = json!({"plural": "crontabs", "kind": "CronTab", "listKind": "CronTabList"});
        let definition = json!({
            "spec": {"group": "stable.example.com", "scope": scope, "versions": [{
                "name": "v1", "served": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": schema},
            }]},
            "status": {
                "acceptedNames": names, "conditions": [{"type": "Established", "status": "True"}],
            },
        });
        crate::custom::rows(&definition)[0]
    }

    #[test]
    fn what_version_2_has_no_words_for_is_left_out() {
        let of =
            |form| parts(&[row("Namespaced")], form).1["com.example.stable.v1.CronTab"].clone();
        let old = &of(Form::V2)["properties"]["spec"];
        assert_eq!(old["properties"]["a"], json!({}));
        assert_eq!(old["properties"]["b"], json!({"type": "integer"}));
        assert_eq!(old["required"], json!(["b"]));
        assert!(old["properties"]["any"]["type"].is_null());
        let new = &of(Form::V3)["properties"]["spec"];
        assert_eq!(new["properties"]["a"]["nullable"], true);
        assert_eq!(new["properties"]["port"]["anyOf"][1]["type"], "string");
        assert_eq!(new["required"], json!(["a", "b"]));
    }

    #[test]
    fn paths_are_those_of_the_scope_and_the_parts() {
        let keys =
            |scope| -> Vec<String> { parts(&[row(scope)], Form::V2).0.keys().cloned().collect() };
        let root = "/apis/stable.example.com/v1";
        let inside = format!("{root}/namespaces/{{namespace}}/crontabs");
        let mut wanted = vec![
            format!("{root}/crontabs"),
            inside.clone(),
            format!("{inside}/{{name}}"),
            format!("{inside}/{{name}}/status"),
        ];
        wanted.sort();
        let mut got = keys("Namespaced");
        got.sort();
        assert_eq!(got, wanted);
        let own = parts(&[row("Namespaced")], Form::V2).0;
        let item = &own[&format!("{inside}/{{name}}")];
        assert_eq!(item["get"]["operationId"], "readStableExampleComV1NamespacedCronTab");
        assert_eq!(item["get"]["tags"][0], "stableExampleCom_v1");
        assert_eq!(keys("Cluster").len(), 3);
        let cluster = parts(&[row("Cluster")], Form::V2).0;
        let text = Value::Object(cluster).to_string();
        assert!(!text.to_lowercase().contains("namespace") && !text.contains(PATTERN), "{text}");
    }
}
