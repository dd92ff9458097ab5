//! The part of the API's description that belongs to one group version, as OpenAPI v3.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

const V2: &str = "#/definitions/";
const V3: &str = "#/components/schemas/";

/// The document of a part such as `api/v1`, `apis/apps/v1` or `version`.
pub(super) fn part(document: &Value, part: &str) -> Option<Value> {
    let steps: Vec<_> = part.split('/').collect();
    let is_version = matches!(steps.as_slice(), ["api", _] | ["apis", _, _]);
    let inside = |path: &str| match path.trim_start_matches('/').strip_prefix(part) {
        Some("" | "/") => true,
        Some(rest) => is_version && rest.starts_with('/'),
        None => false,
    };
    let all = document["paths"].as_object().into_iter().flatten();
    let convert = |(path, item): (&String, &Value)| (path.clone(), path_item(document, item));
    let paths: Map<_, _> = all.filter(|(path, _)| inside(path)).map(convert).collect();
    if paths.is_empty() {
        return None;
    }
    let mut needed = BTreeSet::new();
    let paths = Value::Object(paths);
    references(&paths, &mut needed);
    let mut schemas = Map::new();
    while let Some(name) = needed.pop_first() {
        if let Some(definition) = document["definitions"].get(&name) {
            let converted = either(&name, schema(definition));
            let mut further = BTreeSet::new();
            references(&converted, &mut further);
            schemas.insert(name, converted);
            needed.extend(further.into_iter().filter(|name| !schemas.contains_key(name)));
        }
    }
    Some(json!({
        "openapi": "3.0.0", "info": document["info"], "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": document["securityDefinitions"]},
    }))
}

/// What is a text or a number: v2 had no words for it.
fn either(name: &str, mut of: Value) -> Value {
    let kinds = match name {
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString" => ["integer", "string"],
        "io.k8s.apimachinery.pkg.api.resource.Quantity" => ["string", "number"],
        _ => return of,
    };
    if let Some(map) = of.as_object_mut() {
        map.remove("type");
    }
    of["oneOf"] = kinds.map(|kind| json!({"type": kind})).to_vec().into();
    of
}

/// The schemas that are referred to anywhere below.
fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            if let Some(name) = map.get("$ref").and_then(Value::as_str)
                && let Some(name) = name.strip_prefix(V3)
            {
                found.insert(name.to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn path_item(document: &Value, item: &Value) -> Value {
    let members = item.as_object().into_iter().flatten().map(|(key, value)| {
        let value = match key.as_str() {
            "parameters" => {
                let all = value.as_array().into_iter().flatten();
                all.map(|one| parameter(resolved(document, one))).collect()
            }
            "get" | "put" | "post" | "delete" | "options" | "head" | "patch" => {
                operation(document, value)
            }
            _ => value.clone(),
        };
        (key.clone(), value)
    });
    Value::Object(members.collect())
}

fn operation(document: &Value, from: &Value) -> Value {
    let mut made = json!({});
    let mut parameters = Vec::new();
    for (key, value) in from.as_object().into_iter().flatten() {
        match key.as_str() {
            "consumes" | "produces" | "schemes" | "parameters" | "responses" => {}
            _ => made[key.as_str()] = value.clone(),
        }
    }
    for one in from["parameters"].as_array().into_iter().flatten() {
        let one = resolved(document, one);
        if one["in"] == "body" {
            made["requestBody"] = json!({"content": content(&from["consumes"], &one["schema"])});
            if one["required"] == true {
                made["requestBody"]["required"] = true.into();
            }
        } else {
            parameters.push(parameter(one));
        }
    }
    if !parameters.is_empty() {
        made["parameters"] = parameters.into();
    }
    for (code, response) in from["responses"].as_object().into_iter().flatten() {
        let mut told = json!({"description": response["description"]});
        if let Some(of) = response.get("schema") {
            told["content"] = content(&from["produces"], of);
        }
        made["responses"][code.as_str()] = told;
    }
    made
}

fn content(types: &Value, of: &Value) -> Value {
    let of = schema(of);
    let types = types.as_array().into_iter().flatten().filter_map(Value::as_str);
    types.map(|kind| (kind.to_owned(), json!({"schema": of}))).collect::<Map<_, _>>().into()
}

/// A parameter that may be told elsewhere.
fn resolved<'a>(document: &'a Value, parameter: &'a Value) -> &'a Value {
    let name = parameter["$ref"].as_str().and_then(|path| path.strip_prefix("#/parameters/"));
    name.and_then(|name| document["parameters"].get(name)).unwrap_or(parameter)
}

fn parameter(from: &Value) -> Value {
    let (mut made, mut of) = (json!({}), json!({}));
    for (key, value) in from.as_object().into_iter().flatten() {
        match key.as_str() {
            "type" | "format" | "uniqueItems" => of[key.as_str()] = value.clone(),
            "schema" => of = schema(value),
            _ => made[key.as_str()] = value.clone(),
        }
    }
    made["schema"] = of;
    made
}

/// A schema with its references in their new place: beside a reference nothing else may stand.
fn schema(from: &Value) -> Value {
    match from {
        Value::Object(map) => {
            let mut made: Map<_, _> = map.iter().map(|(k, v)| (k.clone(), schema(v))).collect();
            if let Some(name) = map.get("$ref").and_then(Value::as_str)
                && let Some(name) = name.strip_prefix(V2)
            {
                let reference = json!({"$ref": format!("{V3}{name}")});
                if map.len() == 1 {
                    return reference;
                }
                made.remove("$ref");
                made.insert("allOf".into(), json!([reference]));
            }
            Value::Object(made)
        }
        Value::Array(list) => list.iter().map(schema).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Value {
        crate::schema::unpacked(super::super::PACKED)
    }

    #[test]
    fn a_group_version_has_what_it_refers_to_and_nothing_else() {
        let apps = part(&document(), "apis/apps/v1").unwrap();
        let schemas = apps["components"]["schemas"].as_object().unwrap();
        assert!(schemas.contains_key("io.k8s.api.core.v1.PodSpec"));
        assert!(!schemas.contains_key("io.k8s.api.batch.v1.Job"));
        let mut named = BTreeSet::new();
        references(&apps, &mut named);
        for name in &named {
            assert!(schemas.contains_key(name), "{name}");
        }
        assert!(!apps.to_string().contains(V2));
        let path = &apps["paths"]["/apis/apps/v1/namespaces/{namespace}/deployments/{name}"];
        let parameters = path["patch"]["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|p| p["name"] == "fieldValidation"), "{parameters:?}");
        let body = &path["patch"]["requestBody"]["content"]["application/apply-patch+yaml"];
        assert!(body["schema"]["$ref"].is_string(), "{body}");
    }

    #[test]
    fn parts_without_a_version_hold_one_path() {
        let group = part(&document(), "apis/apps").unwrap();
        assert_eq!(group["paths"].as_object().unwrap().len(), 1);
        assert!(part(&document(), "apis/nope/v1").is_none());
    }
}
