//! The fields of every object that people edit, part by part as they were shown.

use std::collections::BTreeMap;

use model::record::{Known, Named, Node, Service};
use model::{App, Kind, ObjectRef, Resources, Snapshot, Timestamp};

use super::{Fields, spec};

/// The parts of an object that were shown, each with its fields.
pub(super) type Parts = BTreeMap<Known, Fields>;

/// What a field says.
#[derive(Clone, Debug)]
pub(super) struct Value {
    text: String,
    digest: u64,
    secret: bool,
}

impl Value {
    /// A value that may be shown.
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Value { text: text.into(), digest: 0, secret: false }
    }

    /// A value under a name: not shown where the name says that it is a secret.
    pub(super) fn named(name: &str, text: impl Into<String>) -> Self {
        Value { text: text.into(), digest: 0, secret: is_secret(name) }
    }

    /// Whether it is the same as another, as far as both are known. A digest of 0 is none.
    pub(super) fn is_same(&self, other: &Value) -> bool {
        match (self.digest, other.digest) {
            (0, 0) => self.text == other.text,
            (0, _) | (_, 0) => true,
            (a, b) => a == b,
        }
    }

    /// What may be shown of it.
    pub(super) fn shown(&self) -> String {
        if self.secret { "(not shown)".to_owned() } else { self.text.clone() }
    }
}

/// Whether a name says that its value is nobody's business.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["pass", "secret", "token", "key", "credential", "auth"].iter().any(|w| name.contains(w))
}

/// Adds a field, unless it is empty.
pub(super) fn set(fields: &mut Fields, name: impl Into<String>, text: impl Into<String>) {
    let text = text.into();
    if !text.is_empty() {
        fields.insert(name.into(), Value::plain(text));
    }
}

/// Kinds of named objects that people edit.
const EDITED: [Kind; 7] = [
    Kind::ConfigMap,
    Kind::IngressClass,
    Kind::Namespace,
    Kind::PriorityClass,
    Kind::RuntimeClass,
    Kind::Secret,
    Kind::ServiceAccount,
];

/// Every object that people edit, with its fields. Pods of workloads are none.
pub(super) fn of(now: &Snapshot) -> BTreeMap<ObjectRef, Parts> {
    let mut all: BTreeMap<ObjectRef, Parts> = BTreeMap::new();
    for app in &now.apps {
        if app.workload.is_some() || app.object.kind == Kind::Pod {
            all.insert(app.object.clone(), workload(app));
        }
    }
    for node in now.nodes.iter() {
        all.insert(node.meta.object(Kind::Node), self::node(node));
    }
    for service in now.services.iter() {
        all.insert(service.meta.object(Kind::Service), self::service(service));
    }
    for named in now.named.iter().filter(|n| EDITED.contains(&n.kind)) {
        all.insert(named.meta.object(named.kind), self::named(named));
    }
    policies(now, &mut all);
    all
}

/// When every object was made, where that is known.
pub(super) fn created(now: &Snapshot) -> BTreeMap<ObjectRef, Timestamp> {
    let pods = now.apps.iter().flat_map(|a| a.pods.iter().map(|p| (Kind::Pod, &p.meta)));
    let apps = now.apps.iter().filter_map(|a| Some((a.object.kind, &a.workload.as_ref()?.meta)));
    let nodes = now.nodes.iter().map(|o| (Kind::Node, &o.meta));
    let services = now.services.iter().map(|o| (Kind::Service, &o.meta));
    let claims = now.claims.iter().map(|o| (Kind::PersistentVolumeClaim, &o.meta));
    let ingresses = now.ingresses.iter().map(|o| (Kind::Ingress, &o.meta));
    let scalers = now.scalers.iter().map(|o| (Kind::HorizontalPodAutoscaler, &o.meta));
    let policies = now.policies.iter().map(|o| (Kind::NetworkPolicy, &o.meta));
    let named = now.named.iter().map(|o| (o.kind, &o.meta));
    let all = pods.chain(apps).chain(nodes).chain(services).chain(claims);
    let all = all.chain(ingresses).chain(scalers).chain(policies).chain(named);
    all.filter_map(|(kind, meta)| Some((meta.object(kind), meta.created?))).collect()
}

fn amounts(fields: &mut Fields, prefix: &str, amounts: &Resources) {
    for (name, amount) in amounts.iter() {
        set(fields, format!("{prefix}.{name}"), amount.text(name));
    }
}

fn workload(app: &App) -> Parts {
    let mut parts = Parts::new();
    let Some(w) = &app.workload else {
        let shown = app.pods.iter().find(|p| p.meta.known.has(Known::SPEC));
        if let Some(pod) = shown {
            let mut fields = Fields::new();
            spec::fields(app, &pod.spec, &mut fields);
            parts.insert(Known::SPEC, fields);
        }
        return parts;
    };
    if let (true, Some(replicas)) = (w.meta.known.has(Known::REPLICAS), w.replicas)
        && w.kind != Kind::DaemonSet
    {
        let name = if w.kind == Kind::Job { "spec.parallelism" } else { "spec.replicas" };
        let mut fields = Fields::new();
        set(&mut fields, name, replicas.to_string());
        parts.insert(Known::REPLICAS, fields);
    }
    if w.meta.known.has(Known::SPEC) {
        let mut fields = Fields::new();
        let paused = if w.job.is_some() { "spec.suspend" } else { "spec.paused" };
        set(&mut fields, paused, if w.paused { "true" } else { "" });
        if let Some(job) = &w.job {
            set(&mut fields, "spec.schedule", job.plan.schedule.as_str());
            set(&mut fields, "spec.timeZone", job.plan.time_zone.as_str());
            set(&mut fields, "spec.concurrencyPolicy", job.plan.concurrency.as_str());
        }
        for (key, value) in w.template_labels.iter() {
            set(&mut fields, format!("spec.template.metadata.labels.{key}"), value.as_str());
        }
        if let Some(template) = &w.template {
            spec::fields(app, template, &mut fields);
        }
        parts.insert(Known::SPEC, fields);
    }
    parts
}

fn node(node: &Node) -> Parts {
    let known = node.meta.known;
    let mut parts = Parts::new();
    let mut add = |part: Known, fill: &dyn Fn(&mut Fields)| {
        if known.has(part) {
            let mut fields = Fields::new();
            fill(&mut fields);
            parts.insert(part, fields);
        }
    };
    add(Known::LABELS, &|fields| {
        for (key, value) in node.meta.labels.iter() {
            set(
                fields,
                format!("metadata.labels.{key}"),
                if value.is_empty() { "(set)" } else { value },
            );
        }
    });
    add(Known::SPEC, &|fields| {
        set(fields, "spec.unschedulable", if node.unschedulable { "true" } else { "" });
    });
    add(Known::PLACE, &|fields| {
        // What the control plane and kubelets put on themselves says how a node is, not what
        // somebody edited.
        let own = |key: &str| key.starts_with("node.kubernetes.io/");
        for taint in node.taints.iter().filter(|t| !own(&t.key)) {
            set(fields, format!("spec.taints[{}:{}]", taint.key, taint.effect), taint.text());
        }
    });
    add(Known::STATUS, &|fields| amounts(fields, "status.allocatable", &node.allocatable));
    add(Known::SUMMARY, &|fields| {
        set(fields, "status.nodeInfo.kubeletVersion", node.kubelet_version.as_str());
        set(fields, "status.nodeInfo.containerRuntimeVersion", node.runtime.as_str());
    });
    parts
}

fn service(service: &Service) -> Parts {
    let known = service.meta.known;
    let mut parts = Parts::new();
    if known.has(Known::SELECTOR) {
        let mut fields = Fields::new();
        for (key, value) in service.selector.iter() {
            set(&mut fields, format!("spec.selector.{key}"), value.as_str());
        }
        parts.insert(Known::SELECTOR, fields);
    }
    if known.has(Known::SPEC) {
        let mut fields = Fields::new();
        for port in service.ports.iter() {
            let target = port.target_port.as_ref().map_or(port.port.to_string(), |t| t.to_string());
            set(&mut fields, format!("spec.ports[{}].targetPort", port.port), target);
        }
        set(&mut fields, "spec.type", service.kind.as_str());
        let local = |local: bool| if local { "Local" } else { "" };
        set(&mut fields, "spec.externalTrafficPolicy", local(service.local_external));
        set(&mut fields, "spec.internalTrafficPolicy", local(service.local_internal));
        parts.insert(Known::SPEC, fields);
    }
    parts
}

/// The keys of a config map or secret. Of a secret only that a value differs is told.
fn named(named: &Named) -> Parts {
    let mut parts = Parts::new();
    if named.meta.known.has(Known::SPEC) {
        let mut fields = Fields::new();
        let prefix = if named.kind == Kind::ServiceAccount { "imagePullSecrets" } else { "data" };
        for (at, key) in named.keys.iter().enumerate() {
            let value = named.values.get(at);
            let text = value.and_then(|v| v.text.as_deref()).unwrap_or("(not shown)");
            let digest = value.map_or(0, |v| v.digest);
            let value = Value { digest, ..Value::named(key, text) };
            fields.insert(format!("{prefix}.{key}"), value);
        }
        parts.insert(Known::SPEC, fields);
    }
    parts
}

/// Rules of namespaces, autoscalers, storage, routes.
fn policies(now: &Snapshot, all: &mut BTreeMap<ObjectRef, Parts>) {
    let mut add = |object: ObjectRef, known: Known, part: Known, fields: Fields| {
        let parts = if known.has(part) { Parts::from([(part, fields)]) } else { Parts::new() };
        all.insert(object, parts);
    };
    for q in now.quotas.iter() {
        let mut fields = Fields::new();
        amounts(&mut fields, "spec.hard", &q.hard);
        add(q.meta.object(Kind::ResourceQuota), q.meta.known, Known::SPEC, fields);
    }
    for l in now.limit_ranges.iter() {
        let mut fields = Fields::new();
        for item in l.items.iter() {
            let lists = [
                ("max", &item.max),
                ("min", &item.min),
                ("default", &item.default),
                ("defaultRequest", &item.default_request),
            ];
            for (name, list) in lists {
                amounts(&mut fields, &format!("spec.limits[{}].{name}", item.kind), list);
            }
        }
        add(l.meta.object(Kind::LimitRange), l.meta.known, Known::SPEC, fields);
    }
    for s in now.scalers.iter() {
        let mut fields = Fields::new();
        set(&mut fields, "spec.minReplicas", s.min.map(|m| m.to_string()).unwrap_or_default());
        set(&mut fields, "spec.maxReplicas", s.max.to_string());
        set(&mut fields, "spec.scaleTargetRef", format!("{}/{}", s.target.0, s.target.1));
        add(s.meta.object(Kind::HorizontalPodAutoscaler), s.meta.known, Known::SPEC, fields);
    }
    for c in now.claims.iter() {
        let mut fields = Fields::new();
        let size = c.requested.map(|r| r.text("storage")).unwrap_or_default();
        set(&mut fields, "spec.resources.requests.storage", size);
        set(&mut fields, "spec.storageClassName", c.class.as_deref().unwrap_or_default());
        add(c.meta.object(Kind::PersistentVolumeClaim), c.meta.known, Known::SPEC, fields);
    }
    for c in now.storage_classes.iter() {
        let mut fields = Fields::new();
        set(&mut fields, "provisioner", c.provisioner.as_str());
        set(
            &mut fields,
            "volumeBindingMode",
            if c.waits_for_consumer { "WaitForFirstConsumer" } else { "" },
        );
        add(c.meta.object(Kind::StorageClass), c.meta.known, Known::SPEC, fields);
    }
    for i in now.ingresses.iter() {
        let mut fields = Fields::new();
        for path in i.paths.iter() {
            set(&mut fields, format!("spec.rules[].paths[{}]", path.service), format!("{path:?}"));
        }
        add(i.meta.object(Kind::Ingress), i.meta.known, Known::SPEC, fields);
    }
    for p in now.policies.iter() {
        let mut fields = Fields::new();
        set(&mut fields, "spec.podSelector", format!("{{{}}}", p.pods));
        let rules = |rules: &Option<model::List<model::record::PolicyRule>>| {
            rules.as_ref().map(|r| format!("{} rules: {r:?}", r.len())).unwrap_or_default()
        };
        set(&mut fields, "spec.ingress", rules(&p.ingress));
        set(&mut fields, "spec.egress", rules(&p.egress));
        add(p.meta.object(Kind::NetworkPolicy), p.meta.known, Known::SPEC, fields);
    }
}
