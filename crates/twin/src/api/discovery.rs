//! Discovery documents: which groups, versions and resources there are.

use serde_json::{Value, json};

use super::Reply;
use crate::kinds::{Kind, TABLE};

/// The Kubernetes version that the server claims.
pub(crate) const GIT_VERSION: &str = "v1.36.1";
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

pub(super) fn version() -> Value {
    json!({
        "major": "1", "minor": "36", "emulationMajor": "1", "emulationMinor": "36",
        "minCompatibilityMajor": "1", "minCompatibilityMinor": "35",
        "gitVersion": GIT_VERSION, "gitCommit": "twin", "gitTreeState": "clean",
        "buildDate": "1970-01-01T00:00:00Z", "goVersion": "none", "compiler": "none",
        "platform": "linux/amd64",
    })
}

/// The document at these path segments.
pub(super) fn answer(path: &[String], accept: &str) -> Reply {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    let document = match parts.as_slice() {
        [root @ ("api" | "apis")] if wants_aggregated(accept) => {
            let groups = groups().into_iter().filter(|g| g.is_empty() == (*root == "api"));
            let items: Vec<_> = groups.map(aggregated_group).collect();
            let list = json!({
                "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2",
                "metadata": {}, "items": items,
            });
            let body = super::encode::line(&list);
            return Reply::bytes(200, AGGREGATED, body);
        }
        ["api"] => json!({
            "kind": "APIVersions", "versions": ["v1"],
            "serverAddressByClientCIDRs": [],
        }),
        ["apis"] => {
            let named = groups().into_iter().filter(|g| !g.is_empty());
            let groups: Vec<_> = named.map(group).collect();
            json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
        }
        ["api", version] => resources("", version),
        ["apis", name] => {
            let mut document = group(name);
            document["kind"] = "APIGroup".into();
            document["apiVersion"] = "v1".into();
            document
        }
        ["apis", name, version] => resources(name, version),
        _ => return Reply::text(404, "404 page not found\n"),
    };
    Reply::json(200, &document)
}

/// Whether the first usable choice of the client is the aggregated form.
fn wants_aggregated(accept: &str) -> bool {
    let first = accept.split(',').find(|choice| {
        let has = |part: &str| choice.split(';').any(|p| p.trim() == part);
        let aggregated = has("as=APIGroupDiscoveryList") && has("v=v2");
        aggregated || !choice.contains("as=")
    });
    first.is_some_and(|choice| choice.contains("as=APIGroupDiscoveryList"))
}

/// Groups in the order of the table.
fn groups() -> Vec<&'static str> {
    let mut groups: Vec<&str> = Vec::new();
    for kind in TABLE {
        if !groups.contains(&kind.group) {
            groups.push(kind.group);
        }
    }
    groups
}

fn versions(group: &str) -> Vec<&'static str> {
    let mut versions: Vec<_> = kinds_of(group).map(|k| k.version).collect();
    versions.dedup();
    versions
}

fn kinds_of(group: &str) -> impl Iterator<Item = &'static Kind> {
    TABLE.iter().copied().filter(move |k| k.group == group)
}

fn group(name: &str) -> Value {
    let told = |v: &str| json!({"groupVersion": format!("{name}/{v}"), "version": v});
    let versions: Vec<_> = versions(name).into_iter().map(told).collect();
    json!({"name": name, "versions": versions, "preferredVersion": versions.first()})
}

fn verbs(kind: &Kind) -> Vec<&'static str> {
    let mut verbs: Vec<_> = kind.verbs.iter().copied().chain(["get", "list", "watch"]).collect();
    verbs.sort_unstable();
    verbs
}

fn resources(group: &str, version: &str) -> Value {
    let mut all = Vec::new();
    for kind in kinds_of(group).filter(|k| k.version == version) {
        let mut row = json!({
            "name": kind.plural, "singularName": kind.singular, "namespaced": kind.namespaced,
            "kind": kind.kind, "verbs": verbs(kind),
        });
        if !kind.short_names.is_empty() {
            row["shortNames"] = kind.short_names.into();
        }
        if !kind.categories.is_empty() {
            row["categories"] = kind.categories.into();
        }
        all.push(row);
        all.extend(kind.subresources.iter().map(|sub| {
            json!({
                "name": format!("{}/{sub}", kind.plural), "singularName": "",
                "namespaced": kind.namespaced, "kind": kind.kind,
                "verbs": ["get", "patch", "update"],
            })
        }));
    }
    let group_version = match group {
        "" => version.to_owned(),
        group => format!("{group}/{version}"),
    };
    json!({
        "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": group_version,
        "resources": all,
    })
}

fn aggregated_group(name: &'static str) -> Value {
    let version = |version: &'static str| {
        let rows = kinds_of(name).filter(|k| k.version == version).map(aggregated_resource);
        let rows: Vec<_> = rows.collect();
        json!({"version": version, "resources": rows, "freshness": "Current"})
    };
    let versions: Vec<_> = versions(name).into_iter().map(version).collect();
    let metadata = if name.is_empty() { json!({}) } else { json!({"name": name}) };
    json!({"metadata": metadata, "versions": versions})
}

fn aggregated_resource(kind: &'static Kind) -> Value {
    let response = json!({"group": "", "version": "", "kind": kind.kind});
    let mut row = json!({
        "resource": kind.plural, "responseKind": response, "singularResource": kind.singular,
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" }, "verbs": verbs(kind),
    });
    if !kind.short_names.is_empty() {
        row["shortNames"] = kind.short_names.into();
    }
    if !kind.categories.is_empty() {
        row["categories"] = kind.categories.into();
    }
    let subs: Vec<_> = kind
        .subresources
        .iter()
        .map(|sub| {
            json!({
                "subresource": sub, "responseKind": response, "verbs": ["get", "patch", "update"],
            })
        })
        .collect();
    if !subs.is_empty() {
        row["subresources"] = subs.into();
    }
    row
}
