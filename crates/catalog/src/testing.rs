//! How kinds are tried: a few lines of YAML in, one line per finding out. Whatever a kind is tried
//! on, it is tried once more without the objects that it does not say it reads, and must find
//! the same.

use model::{Builder, FailureKind, Findings, Kind, Snapshot, decode_value};

/// A snapshot of YAML documents (objects of the API). Every kind counts as listed completely
/// in the namespaces that are named; nodes only where there is one.
pub(crate) fn snapshot(yaml: &str) -> Snapshot {
    read(yaml, Kind::ALL)
}

/// As [`snapshot`], when only these kinds of object are read.
fn read(yaml: &str, kinds: &[Kind]) -> Snapshot {
    let mut builder = Builder::default();
    let mut namespaces = vec![String::new()];
    for document in yaml.split("\n---").filter(|d| !d.trim().is_empty()) {
        let value: serde_json::Value = serde_saphyr::from_str(document).expect("test YAML");
        let kind = value["kind"].as_str().and_then(Kind::from_name).expect("a known kind");
        if let Some(namespace) = value.pointer("/metadata/namespace").and_then(|n| n.as_str()) {
            namespaces.push(namespace.to_owned());
        }
        if !kinds.contains(&kind) {
            continue;
        }
        let mut object = decode_value(kind, &value, false).expect("a well-shaped object");
        if let Some(meta) = object.meta_mut() {
            meta.live = meta.known;
        }
        builder.add(object, 0);
    }
    let nodes = yaml.contains("kind: Node\n");
    for kind in kinds.iter().filter(|k| **k != Kind::Node || nodes) {
        for namespace in &namespaces {
            builder.coverage.list(*kind, Some(namespace));
        }
    }
    builder.finish(None)
}

/// Adds the log of a workload of namespace `shop`.
pub(crate) fn log(now: &mut Snapshot, name: &str, lines: &[&str]) {
    now.logs.push(model::LogLines {
        name: name.into(),
        namespace: "".into(),
        container: "".into(),
        unit: "".into(),
        previous: false,
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        document: 0,
    });
}

/// A Deployment of namespace `shop` with one pod on a node, and a Service of the same name and
/// port: `env` is the list of its variables, `node` and `ready` are the pod's.
pub(crate) struct Member<'a> {
    pub(crate) name: &'a str,
    pub(crate) image: &'a str,
    pub(crate) port: u16,
    pub(crate) env: &'a str,
    pub(crate) node: &'a str,
    pub(crate) ready: bool,
}

impl Default for Member<'_> {
    fn default() -> Self {
        Member {
            name: "",
            image: "reg.example/own:1",
            port: 8080,
            env: "",
            node: "n1",
            ready: true,
        }
    }
}

impl Member<'_> {
    /// Its YAML documents.
    pub(crate) fn yaml(&self) -> String {
        let Member { name, image, port, env, node, ready } = self;
        let spec = format!(
            "{{nodeName: '', containers: [{{name: main, image: '{image}', env: [{env}], \
             ports: [{{containerPort: {port}}}]}}]}}"
        );
        let ready = if *ready { "True" } else { "False" };
        format!(
            "---\nkind: Deployment\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{replicas: 1, selector: {{matchLabels: {{app: {name}}}}}, \
             template: {{metadata: {{labels: {{app: {name}}}}}, spec: {spec}}}}}\n\
             ---\nkind: Pod\nmetadata: {{name: {name}-6f4d5b7c9d-x2x4z, namespace: shop, \
             labels: {{app: {name}}}, creationTimestamp: 2026-03-01T08:00:00Z, \
             ownerReferences: [{{kind: ReplicaSet, name: {name}-6f4d5b7c9d, controller: true}}]}}\n\
             spec: {spec}\nstatus: {{phase: Running, conditions: [{{type: Ready, \
             status: '{ready}', lastTransitionTime: 2026-03-01T08:01:00Z}}]}}\n\
             ---\nkind: Service\nmetadata: {{name: {name}, namespace: shop}}\n\
             spec: {{clusterIP: 10.9.0.{}, selector: {{app: {name}}}, ports: [{{port: {port}}}]}}\n",
            name.len()
        )
        .replace("nodeName: ''", &format!("nodeName: {node}"))
    }
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
        model::Detect::Exposure | model::Detect::ExposedApps(_) => {}
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

fn gaps(kind: &FailureKind, now: &Snapshot) -> Vec<String> {
    let mut gaps = Vec::new();
    (kind.exposed)(now, &mut gaps);
    let line = |g: &model::Gap| format!("{}/{} {}", g.object.kind.short(), g.object.name, g.field);
    gaps.iter().map(line).collect()
}

/// Checks what a kind finds in YAML documents.
#[track_caller]
pub(crate) fn check(kind: &FailureKind, yaml: &str, expected: &[&str]) {
    assert_eq!(lines(kind, &snapshot(yaml)), expected, "found in:\n{yaml}");
    reads_what_it_says(kind, yaml, lines);
}

/// Checks which protections a kind misses in YAML documents, one line each: `kind/name field`.
#[track_caller]
pub(crate) fn check_gaps(kind: &FailureKind, yaml: &str, expected: &[&str]) {
    assert_eq!(gaps(kind, &snapshot(yaml)), expected, "missing in:\n{yaml}");
    reads_what_it_says(kind, yaml, gaps);
}

/// A kind must not look at what it does not declare: nothing else is read for it.
#[track_caller]
fn reads_what_it_says(
    kind: &FailureKind,
    yaml: &str,
    ask: fn(&FailureKind, &Snapshot) -> Vec<String>,
) {
    let all = ask(kind, &snapshot(yaml));
    if ask(kind, &read(yaml, kind.reads)) == all {
        return;
    }
    let but = |one: Kind| Kind::ALL.iter().copied().filter(|k| *k != one).collect::<Vec<_>>();
    let undeclared = Kind::ALL.iter().filter(|k| !kind.reads.contains(k));
    let looked_at: Vec<&str> =
        undeclared.filter(|k| ask(kind, &read(yaml, &but(**k))) != all).map(|k| k.name()).collect();
    panic!("{} looks at {looked_at:?}, which its `reads` does not name; in:\n{yaml}", kind.id);
}
