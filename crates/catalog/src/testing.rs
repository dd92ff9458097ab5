//! How kinds are tried: a few lines of YAML in, one line per finding out.

use model::{Builder, FailureKind, Findings, Kind, Snapshot, decode_value};

/// A snapshot of YAML documents (objects of the API). Every kind counts as listed completely
/// in the namespaces that are named; nodes only where there is one.
pub(crate) fn snapshot(yaml: &str) -> Snapshot {
    let mut builder = Builder::default();
    let mut namespaces = vec![String::new()];
    for document in yaml.split("\n---").filter(|d| !d.trim().is_empty()) {
        let value: serde_json::Value = serde_saphyr::from_str(document).expect("test YAML");
        let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a known kind");
        if let Some(namespace) = value.pointer("/metadata/namespace").and_then(|n| n.as_str()) {
            namespaces.push(namespace.to_owned());
        }
        let mut object = decode_value(kind, &value, false).expect("a well-shaped object");
        if let Some(meta) = object.meta_mut() {
            meta.live = meta.known;
        }
        builder.add(object, 0);
    }
    let nodes = yaml.contains("kind: Node\n");
    for kind in Kind::ALL.iter().filter(|k| **k != Kind::Node || nodes) {
        for namespace in &namespaces {
            builder.coverage.list(*kind, Some(namespace));
        }
    }
    builder.finish(None)
}

/// Findings of one kind, one line each: `failure/mechanism kind/name certainty state`.
pub(crate) fn lines(kind: &FailureKind, now: &Snapshot) -> Vec<String> {
    let mut findings = Findings::default();
    match kind.detect {
        model::Detect::Apps(d) => now.apps.iter().for_each(|a| d(a, now, &mut findings)),
        model::Detect::Nodes(d) => now.known_nodes().for_each(|n| d(n, now, &mut findings)),
        model::Detect::Services(d) => now.services.iter().for_each(|s| d(s, now, &mut findings)),
        model::Detect::Claims(d) => now.claims.iter().for_each(|c| d(c, now, &mut findings)),
        model::Detect::Cluster(d) => d(now, &mut findings),
        model::Detect::Exposure => {}
    }
    findings
        .found
        .iter()
        .map(|f| {
            let object = format!("{}/{}", f.object.kind.short(), f.object.name);
            format!("{} {object} {:?} {:?}", f.mechanism, f.certainty, f.state)
        })
        .collect()
}

/// Checks what a kind finds in YAML documents.
#[track_caller]
pub(crate) fn check(kind: &FailureKind, yaml: &str, expected: &[&str]) {
    assert_eq!(lines(kind, &snapshot(yaml)), expected, "found in:\n{yaml}");
}

/// Checks which protections a kind misses in YAML documents, one line each: `kind/name field`.
#[track_caller]
pub(crate) fn check_gaps(kind: &FailureKind, yaml: &str, expected: &[&str]) {
    let mut gaps = Vec::new();
    (kind.exposed)(&snapshot(yaml), &mut gaps);
    let line = |g: &model::Gap| format!("{}/{} {}", g.object.kind.short(), g.object.name, g.field);
    assert_eq!(gaps.iter().map(line).collect::<Vec<_>>(), expected, "missing in:\n{yaml}");
}
