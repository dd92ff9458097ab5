//! What a CustomResourceDefinition must fulfil, in the words of the real server.

use serde_json::{Value, json};

use super::Path;
use crate::field;
use crate::kinds::validate::{dns_1035, internal, subdomain};
use crate::registry::Cause;

const COLUMN_TYPES: [&str; 5] = ["boolean", "date", "integer", "number", "string"];
const FORMATS: [&str; 9] =
    ["byte", "date", "date-time", "double", "float", "int32", "int64", "name", "password"];

/// What stands alike in all versions is told as one, without the versions.
fn lifted(spec: &Value) -> (Value, Vec<Value>) {
    let mut versions = field::list(spec, "/versions").to_vec();
    let mut top = json!({});
    for key in ["schema", "subresources", "additionalPrinterColumns", "selectableFields"] {
        let first = versions.first().map_or(Value::Null, |version| version[key].clone());
        if versions.iter().all(|version| version[key] == first) {
            top[key] = first;
            for version in &mut versions {
                if let Some(map) = version.as_object_mut() {
                    map.remove(key);
                }
            }
        }
    }
    (top, versions)
}

/// What a new definition breaks, but for its metadata.
pub(crate) fn create_causes(definition: &Value) -> Vec<Cause> {
    let spec = &definition["spec"];
    let text = |key: &str| field::text(spec, &format!("/{key}"));
    let mut causes = Vec::new();
    let name = field::name(definition);
    if name != format!("{}.{}", field::text(spec, "/names/plural"), text("group")) {
        let why = "must be spec.names.plural+\".\"+spec.group";
        causes.push(Cause::invalid("metadata.name", &name.into(), why));
    }
    causes.extend(spec_causes(spec));
    causes.extend(names(&definition["status"]["acceptedNames"], "status.acceptedNames"));
    causes.extend(stored(definition));
    causes
}

fn stored(definition: &Value) -> Vec<Cause> {
    const PATH: &str = "status.storedVersions";
    let stored = field::list(definition, "/status/storedVersions");
    if stored.is_empty() {
        let why = "must have at least one stored version";
        return vec![Cause::invalid(PATH, &Value::Null, why)];
    }
    let versions = field::list(definition, "/spec/versions");
    let mut causes = Vec::new();
    for (index, name) in stored.iter().enumerate() {
        if !versions.iter().any(|version| version["name"] == *name) {
            let told = name.as_str().unwrap_or_default();
            let why = format!(
                "missing from spec.versions; {told} was previously a storage version, and must \
                 remain in spec.versions until a storage migration ensures no data remains \
                 persisted in {told} and removes {told} from status.storedVersions"
            );
            causes.push(Cause::invalid(&format!("{PATH}[{index}]"), name, &why));
        }
    }
    causes
}

/// What a changed definition breaks.
pub(crate) fn update_causes(old: &Value, new: &Value) -> Vec<Cause> {
    let mut causes = spec_causes(&new["spec"]);
    let established = field::condition_is(old, "Established", "True");
    for (pointer, path, always) in [
        ("/spec/scope", "spec.scope", false),
        ("/spec/names/kind", "spec.names.kind", false),
        ("/spec/group", "spec.group", true),
        ("/spec/names/plural", "spec.names.plural", true),
    ] {
        if (always || established) && old.pointer(pointer) != new.pointer(pointer) {
            let value = new.pointer(pointer).unwrap_or(&Value::Null);
            causes.push(Cause::invalid(path, value, "field is immutable"));
        }
    }
    causes.extend(names(&new["status"]["acceptedNames"], "status.acceptedNames"));
    causes.extend(stored(new));
    causes
}

fn spec_causes(spec: &Value) -> Vec<Cause> {
    let text = |key: &str| field::text(spec, &format!("/{key}"));
    let mut causes = Vec::new();
    match text("group") {
        "" => causes.push(Cause::required("spec.group")),
        group => {
            let wrong = subdomain(group);
            if !wrong.is_empty() {
                causes.push(Cause::invalid("spec.group", &group.into(), &wrong.join(",")));
            } else if !group.contains('.') {
                let why = "should be a domain with at least one dot";
                causes.push(Cause::invalid("spec.group", &group.into(), why));
            }
        }
    }
    match text("scope") {
        "" => causes.push(Cause::required("spec.scope")),
        "Cluster" | "Namespaced" => {}
        other => {
            let known = ["Cluster", "Namespaced"];
            causes.push(Cause::unsupported("spec.scope", &other.into(), &known));
        }
    }
    let (top, versions) = lifted(spec);
    if top["schema"]["openAPIV3Schema"].is_null() {
        for (index, version) in versions.iter().enumerate() {
            if version["schema"]["openAPIV3Schema"].is_null() {
                let path = format!("spec.versions[{index}].schema.openAPIV3Schema");
                causes.push(Cause::required(&path));
            }
        }
    }
    for (index, version) in versions.iter().enumerate() {
        causes.extend(version_causes(version, &format!("spec.versions[{index}]")));
    }
    causes.extend(version_names(&versions));
    for key in ["plural", "singular", "kind", "listKind"] {
        if field::text(spec, &format!("/names/{key}")).is_empty() {
            causes.push(Cause::required(&format!("spec.names.{key}")));
        }
    }
    causes.extend(names(&spec["names"], "spec.names"));
    causes.extend(schema(&top["schema"]["openAPIV3Schema"], "spec.validation.openAPIV3Schema"));
    causes.extend(subresources(&top["subresources"], "spec.subresources"));
    causes.extend(columns(&top["additionalPrinterColumns"], "spec.additionalPrinterColumns"));
    causes.extend(conversion(&spec["conversion"]));
    causes
}

fn version_causes(version: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = &version["name"];
    let wrong = dns_1035(name.as_str().unwrap_or_default());
    if !wrong.is_empty() {
        causes.push(Cause::invalid(&format!("{path}.name"), name, &wrong.join(",")));
    }
    if !field::flag(version, "/deprecated") && version.get("deprecationWarning").is_some() {
        let why = "can only be set for deprecated versions";
        let here = format!("{path}.deprecationWarning");
        causes.push(Cause::invalid(&here, &version["deprecationWarning"], why));
    }
    let here = format!("{path}.schema.openAPIV3Schema");
    causes.extend(schema(&version["schema"]["openAPIV3Schema"], &here));
    causes.extend(subresources(&version["subresources"], &format!("{path}.subresources")));
    let here = format!("{path}.additionalPrinterColumns");
    causes.extend(columns(&version["additionalPrinterColumns"], &here));
    causes
}

/// Names come once, and one version is stored.
fn version_names(versions: &[Value]) -> Vec<Cause> {
    const PATH: &str = "spec.versions";
    let list = |why: &str| {
        let told = match versions {
            [] => "null".to_owned(),
            some => {
                let all = Value::Array(some.to_vec());
                internal("[@apiextensions.CustomResourceDefinitionVersion", &all)
            }
        };
        Cause::plain("FieldValueInvalid", PATH, format!("Invalid value: {told}: {why}"))
    };
    let mut causes = Vec::new();
    let twice = |(index, version): (usize, &Value)| {
        versions.iter().take(index).any(|other| other["name"] == version["name"])
    };
    if versions.iter().enumerate().any(twice) {
        causes.push(list("must contain unique version names"));
    }
    if versions.iter().filter(|version| field::flag(version, "/storage")).count() != 1 {
        causes.push(list("must have exactly one version marked as storage version"));
    }
    causes
}

fn names(names: &Value, path: &str) -> Vec<Cause> {
    const MIXED: &str = "may have mixed case, but should otherwise match: ";
    let mut causes = Vec::new();
    let mut check = |value: &Value, path: String, mixed: bool| {
        let text = value.as_str().unwrap_or_default();
        let wrong = dns_1035(&if mixed { text.to_lowercase() } else { text.to_owned() });
        if !wrong.is_empty() {
            let why = format!("{}{}", if mixed { MIXED } else { "" }, wrong.join(","));
            causes.push(Cause::invalid(&path, value, &why));
        }
    };
    for (key, mixed) in [("plural", false), ("singular", false), ("kind", true), ("listKind", true)]
    {
        if !field::text(names, &format!("/{key}")).is_empty() {
            check(&names[key], format!("{path}.{key}"), mixed);
        }
    }
    for (index, name) in field::list(names, "/shortNames").iter().enumerate() {
        check(name, format!("{path}.shortNames[{index}]"), false);
    }
    let kind = field::text(names, "/kind");
    if !kind.is_empty() && names["listKind"] == kind {
        let why = "kind and listKind may not be the same";
        causes.push(Cause::invalid(&format!("{path}.listKind"), &kind.into(), why));
    }
    for (index, name) in field::list(names, "/categories").iter().enumerate() {
        let wrong = dns_1035(name.as_str().unwrap_or_default());
        if !wrong.is_empty() {
            let here = format!("{path}.categories[{index}]");
            causes.push(Cause::invalid(&here, name, &wrong.join(",")));
        }
    }
    causes
}

fn subresources(subresources: &Value, path: &str) -> Vec<Cause> {
    let scale = &subresources["scale"];
    let mut causes = Vec::new();
    if !scale.is_object() {
        return causes;
    }
    for (key, root) in [("specReplicasPath", ".spec"), ("statusReplicasPath", ".status")] {
        let here = format!("{path}.scale.{key}");
        match field::text(scale, &format!("/{key}")) {
            "" => causes.push(Cause::required(&here)),
            text if !is_simple(text) => causes.push(Cause::invalid(
                &here,
                &text.into(),
                "must be a simple json path starting with .",
            )),
            text if !text.starts_with(&format!("{root}.")) => {
                let why = format!("should be a json path under {root}");
                causes.push(Cause::invalid(&here, &text.into(), &why));
            }
            _ => {}
        }
    }
    let selector = field::text(scale, "/labelSelectorPath");
    if !selector.is_empty() && !selector.starts_with(".spec.") && !selector.starts_with(".status.")
    {
        let why = "should be a json path under either .spec or .status";
        causes.push(Cause::invalid(
            &format!("{path}.scale.labelSelectorPath"),
            &selector.into(),
            why,
        ));
    }
    causes
}

fn is_simple(path: &str) -> bool {
    path.starts_with('.') && Path::parse(path).is_some_and(|path| path.is_simple())
}

fn columns(columns: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, column) in columns.as_array().into_iter().flatten().enumerate() {
        let here = |key: &str| format!("{path}[{index}].{key}");
        let text = |key: &str| field::text(column, &format!("/{key}"));
        if text("name").is_empty() {
            causes.push(Cause::required(&here("name")));
        }
        let known = format!("must be one of {}", COLUMN_TYPES.join(","));
        match text("type") {
            "" => causes.push(Cause::required_because(&here("type"), &known)),
            kind if !COLUMN_TYPES.contains(&kind) => {
                causes.push(Cause::invalid(&here("type"), &kind.into(), &known));
            }
            _ => {}
        }
        let format = text("format");
        if !format.is_empty() && !FORMATS.contains(&format) {
            let why = format!("must be one of {}", FORMATS.join(","));
            causes.push(Cause::invalid(&here("format"), &format.into(), &why));
        }
        if text("jsonPath").is_empty() {
            causes.push(Cause::required(&here("JSONPath")));
        }
    }
    causes
}

fn conversion(conversion: &Value) -> Vec<Cause> {
    let known = ["None", "Webhook"];
    match field::text(conversion, "/strategy") {
        "" if conversion.is_object() => vec![Cause::required("spec.conversion.strategy")],
        "" | "None" => Vec::new(),
        "Webhook" if conversion["webhook"]["clientConfig"].is_null() => {
            let why = "required when strategy is set to Webhook";
            vec![Cause::required_because("spec.conversion.webhookClientConfig", why)]
        }
        "Webhook" => Vec::new(),
        other => vec![Cause::unsupported("spec.conversion.strategy", &other.into(), &known)],
    }
}

/// What a schema must be like so that objects can be pruned by it.
fn schema(schema: &Value, path: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    if schema.is_null() {
        return causes;
    }
    match field::text(schema, "/type") {
        "" => causes.push(Cause::required_because(
            &format!("{path}.type"),
            "must not be empty at the root",
        )),
        "object" => {}
        other => {
            let why = "must be object at the root";
            causes.push(Cause::invalid(&format!("{path}.type"), &other.into(), why));
        }
    }
    node(schema, path, 0, &mut causes);
    causes
}

fn node(schema: &Value, path: &str, depth: usize, causes: &mut Vec<Cause>) {
    const DEEPEST: usize = 64;
    if depth > DEEPEST {
        return;
    }
    let open = schema["x-kubernetes-preserve-unknown-fields"] == true;
    let either = schema["x-kubernetes-int-or-string"] == true;
    let kind = field::text(schema, "/type");
    if kind.is_empty() && depth > 0 && !open && !either {
        let why = "must not be empty for specified object fields";
        causes.push(Cause::required_because(&format!("{path}.type"), why));
    }
    if kind == "array" && schema["items"].is_null() {
        let why = "must be specified";
        causes.push(Cause::required_because(&format!("{path}.items"), why));
    }
    let known = ["array", "boolean", "integer", "number", "object", "string"];
    if !kind.is_empty() && !known.contains(&kind) {
        causes.push(Cause::unsupported(&format!("{path}.type"), &kind.into(), &known));
    }
    let list = field::text(schema, "/x-kubernetes-list-type");
    if !list.is_empty() && !["atomic", "map", "set"].contains(&list) {
        let here = format!("{path}.x-kubernetes-list-type");
        causes.push(Cause::unsupported(&here, &list.into(), &["atomic", "map", "set"]));
    }
    for (index, rule) in field::list(schema, "/x-kubernetes-validations").iter().enumerate() {
        let text = field::text(rule, "/rule");
        // Optional members are read by the real server and not by this one.
        let unread = text.contains("?.") || text.contains("[?");
        if let Err(why) = crate::expressions::compile(text)
            && !unread
        {
            let here = format!("{path}.x-kubernetes-validations[{index}].rule");
            causes.push(Cause::invalid(&here, &text.into(), &format!("compilation failed: {why}")));
        }
    }
    for (key, of) in schema["properties"].as_object().into_iter().flatten() {
        node(of, &format!("{path}.properties[{key}]"), depth + 1, causes);
    }
    for key in ["items", "additionalProperties"] {
        if schema[key].is_object() {
            node(&schema[key], &format!("{path}.{key}"), depth + 1, causes);
        }
    }
}
