//! Discovery of custom kinds: documents made from their rows, like those of the built-in ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::kinds::Kind;

const VERBS: [&str; 8] =
    ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
const PART_VERBS: [&str; 3] = ["get", "patch", "update"];

/// Groups of custom kinds, by name.
fn groups(customs: &[&'static Kind]) -> BTreeSet<&'static str> {
    customs.iter().map(|kind| kind.group).collect()
}

/// A group's versions, the preferred first: stable before beta before alpha, then the higher.
fn versions(customs: &[&'static Kind], group: &str) -> Vec<&'static str> {
    let all = customs.iter().filter(|kind| kind.group == group).map(|kind| kind.version);
    let all: BTreeSet<&'static str> = all.collect();
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by_key(|version| std::cmp::Reverse(rank(version)));
    all
}

/// `v2` before `v1`, `v1` before `v1beta2`, that before `v1alpha1`; other names come last.
fn rank(version: &str) -> (u8, u64, u64) {
    let Some(rest) = version.strip_prefix('v') else { return (0, 0, 0) };
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (major, tail) = rest.split_at(digits);
    let Ok(major) = major.parse() else { return (0, 0, 0) };
    let number = |tail: &str| tail.parse().unwrap_or(0);
    match tail {
        "" => (3, major, 0),
        _ => match (tail.strip_prefix("beta"), tail.strip_prefix("alpha")) {
            (Some(minor), _) => (2, major, number(minor)),
            (_, Some(minor)) => (1, major, number(minor)),
            _ => (0, 0, 0),
        },
    }
}

fn group(customs: &[&'static Kind], name: &str) -> Value {
    let told =
        |version: &&str| json!({"groupVersion": format!("{name}/{version}"), "version": version});
    let all: Vec<Value> = versions(customs, name).iter().map(told).collect();
    json!({"name": name, "versions": all, "preferredVersion": all.first()})
}

/// Adds the custom groups to the list of groups.
pub(super) fn add_groups(document: &mut Value, customs: &[&'static Kind]) {
    if let Some(list) = document["groups"].as_array_mut() {
        list.extend(groups(customs).into_iter().map(|name| group(customs, name)));
    }
}

/// The document of a group or of one version of it.
pub(super) fn document(
    customs: &[&'static Kind],
    name: &str,
    version: Option<&String>,
) -> Option<Value> {
    let Some(version) = version else {
        if !groups(customs).contains(name) {
            return None;
        }
        let mut told = group(customs, name);
        told["kind"] = "APIGroup".into();
        told["apiVersion"] = "v1".into();
        return Some(told);
    };
    let kinds = customs.iter().filter(|kind| kind.group == name && kind.version == version);
    let resources: Vec<Value> = kinds.flat_map(|kind| resources(kind)).collect();
    (!resources.is_empty()).then(|| {
        json!({
            "kind": "APIResourceList", "apiVersion": "v1",
            "groupVersion": format!("{name}/{version}"), "resources": resources,
        })
    })
}

fn resources(kind: &Kind) -> Vec<Value> {
    let Some(custom) = kind.custom else { return Vec::new() };
    let mut main = json!({
        "name": kind.plural, "singularName": custom.singular, "namespaced": kind.namespaced,
        "kind": kind.kind, "verbs": VERBS, "storageVersionHash": hash(kind),
    });
    for (key, list) in [("shortNames", &custom.short_names), ("categories", &custom.categories)] {
        if !list.is_empty() {
            main[key] = list.clone().into();
        }
    }
    let mut all = vec![main];
    for part in ["status", "scale"] {
        if !kind.subresources.contains(&part) {
            continue;
        }
        let mut told = json!({
            "name": format!("{}/{part}", kind.plural), "singularName": "",
            "namespaced": kind.namespaced, "kind": kind.kind, "verbs": PART_VERBS,
        });
        if part == "scale" {
            told["group"] = "autoscaling".into();
            told["version"] = "v1".into();
            told["kind"] = "Scale".into();
        }
        all.push(told);
    }
    all
}

/// The hash of where objects are stored: clients see by it whether they must be migrated.
fn hash(kind: &Kind) -> String {
    use ring::digest::{SHA256, digest};
    let place = format!("{}/{}/{}", kind.group, kind.version, kind.kind);
    let digest = digest(&SHA256, place.as_bytes());
    crate::field::base64(digest.as_ref().get(..8).unwrap_or_default())
}

/// Adds the custom groups to the aggregated document.
pub(super) fn add_aggregated(document: &mut Value, customs: &[&'static Kind]) {
    let Some(items) = document["items"].as_array_mut() else { return };
    for name in groups(customs) {
        let told = versions(customs, name).into_iter().map(|version| {
            let kinds = customs.iter().filter(|k| k.group == name && k.version == version);
            let resources: Vec<Value> = kinds.map(|kind| aggregated(kind)).collect();
            json!({"version": version, "resources": resources, "freshness": "Current"})
        });
        let told: Vec<Value> = told.collect();
        items.push(json!({
            "metadata": {"name": name, "creationTimestamp": null}, "versions": told,
        }));
    }
}

fn aggregated(kind: &Kind) -> Value {
    let Some(custom) = kind.custom else { return Value::Null };
    let own = response(kind.group, kind.version, kind.kind);
    let mut told = json!({
        "resource": kind.plural, "responseKind": own, "singularResource": custom.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "verbs": VERBS,
    });
    for (key, list) in [("shortNames", &custom.short_names), ("categories", &custom.categories)] {
        if !list.is_empty() {
            told[key] = list.clone().into();
        }
    }
    let parts = ["status", "scale"].into_iter().filter(|part| kind.subresources.contains(part));
    let parts = parts.map(|part| {
        let of = match part {
            "scale" => response("autoscaling", "v1", "Scale"),
            _ => own.clone(),
        };
        json!({"subresource": part, "responseKind": of, "verbs": PART_VERBS})
    });
    let parts: Vec<Value> = parts.collect();
    if !parts.is_empty() {
        told["subresources"] = parts.into();
    }
    told
}

/// A type as the aggregated document names it.
fn response(group: &str, version: &str, kind: &str) -> Value {
    json!({"group": group, "version": version, "kind": kind})
}
