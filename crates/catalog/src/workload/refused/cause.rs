//! From a refusal to the object a person would edit, its field and what it should be.

use model::record::{Container, PodSpec};
use model::{App, Certainty, Evidence, Kind, ObjectRef, Quantity, Snapshot};

use super::message::{Exceeded, Limit, Refusal};
use crate::evidence;
use crate::pod::edit::{container_field, nearest, spec_field};

/// Why pods are refused.
#[derive(Debug)]
pub(crate) struct Cause {
    pub(crate) mechanism: &'static str,
    pub(crate) object: ObjectRef,
    /// A sentence.
    pub(crate) headline: String,
    pub(crate) field: String,
    pub(crate) value: String,
    pub(crate) expected: String,
    pub(crate) certainty: Certainty,
    pub(crate) alternatives: Vec<&'static str>,
    pub(crate) evidence: Vec<Evidence>,
    /// The other object that has to do with it, with how.
    pub(crate) other: Option<(ObjectRef, String)>,
}

/// The workload whose pods are refused.
pub(crate) struct Subject<'a> {
    pub(crate) object: &'a ObjectRef,
    pub(crate) app: Option<&'a App>,
    pub(crate) now: &'a Snapshot,
}

impl<'a> Subject<'a> {
    /// A field of its pod spec.
    pub(crate) fn field(&self, field: &str) -> String {
        match self.app {
            Some(app) => spec_field(app, field),
            None => format!("spec.template.spec.{field}"),
        }
    }

    fn container_field(&self, container: &str, field: &str) -> String {
        match self.app {
            Some(app) => container_field(app, container, field),
            None => format!("spec.template.spec.containers[{container}].{field}"),
        }
    }

    /// What its pods ask for.
    pub(crate) fn spec(&self) -> Option<&'a PodSpec> {
        self.app.and_then(|a| a.spec())
    }

    /// A cause at the workload, proven.
    pub(crate) fn cause(&self, mechanism: &'static str, why: &str, at: [String; 3]) -> Cause {
        let [field, value, expected] = at;
        Cause {
            mechanism,
            object: self.object.clone(),
            headline: format!("pods of {} are refused: {why}", self.object),
            field,
            value,
            expected,
            certainty: Certainty::Proven,
            alternatives: Vec::new(),
            evidence: Vec::new(),
            other: None,
        }
    }
}

/// The mechanism of a used-up resource.
pub(crate) fn quota_mechanism(resource: &str) -> &'static str {
    let is = |word: &str| resource.contains(word);
    match resource {
        _ if is("storage") || is("persistentvolumeclaims") => "quota-storage",
        _ if is("cpu") => "quota-cpu",
        _ if is("memory") => "quota-memory",
        "pods" | "count/pods" => "quota-pods",
        _ if is("services") => "quota-services",
        _ => "quota-count",
    }
}

/// Why, for a refusal that was understood.
pub(crate) fn of(refusal: &Refusal, subject: &Subject<'_>) -> Cause {
    match refusal {
        Refusal::Quota(exceeded) => quota(exceeded, subject),
        Refusal::Unstated { quota, resources, containers } => {
            unstated(quota, resources, containers, subject)
        }
        Refusal::LimitRange(limit) => limit_range(limit, subject),
        Refusal::PodSecurity { level, what } => security(level, what, subject),
        Refusal::Denied { by, why } => {
            let say = if why.is_empty() { "without a reason".to_owned() } else { cut(why) };
            let at = ["spec.template".into(), say.clone(), format!("what {by} accepts")];
            subject.cause("webhook-denied", &format!("{by} said no: {say}"), at)
        }
        Refusal::Unreachable { webhook, service, why } => {
            unreachable(webhook, service.as_ref(), why, subject)
        }
        Refusal::Account(name) => missing(Kind::ServiceAccount, name, subject),
        Refusal::Priority(name) => missing(Kind::PriorityClass, name, subject),
        Refusal::Runtime(name) => missing(Kind::RuntimeClass, name, subject),
        Refusal::Field { field, why } => {
            let inside = field.strip_prefix("spec.").unwrap_or(field);
            let at = [subject.field(inside), cut(why), "a value that the API accepts".into()];
            subject.cause("field-invalid", &format!("{field} is not valid: {}", cut(why)), at)
        }
        Refusal::Terminating => {
            let namespace = &subject.object.namespace;
            let why = format!("namespace {namespace} is being deleted");
            let at = ["status.phase".into(), "Terminating".into(), "Active".into()];
            let mut cause = subject.cause("namespace-terminating", &why, at);
            cause.object = ObjectRef::new(Kind::Namespace, "", namespace);
            cause
        }
    }
}

fn quota(q: &Exceeded, subject: &Subject<'_>) -> Cause {
    let namespace = &subject.object.namespace;
    let object = ObjectRef::new(Kind::ResourceQuota, namespace, &q.quota);
    let (resource, used, limited) = (&q.resource, &q.used, &q.limited);
    let missing = i64::from(subject.app.map_or(1, App::lost_replicas).max(1));
    let enough = amount(used).zip(amount(&q.requested)).map(|(used, asked)| {
        let milli = asked.milli().saturating_mul(missing);
        let sum = Quantity::from_milli(used.milli().saturating_add(milli));
        format!("at least {}", sum.text(resource))
    });
    let why = format!("quota {} allows {limited} of {resource}, {used} is used", q.quota);
    let why = match q.requested.as_str() {
        "" => why,
        asked => format!("{why} and each asks for {asked}"),
    };
    let at = [
        format!("spec.hard[{resource}]"),
        limited.clone(),
        enough.unwrap_or_else(|| "more, or pods that ask for less".into()),
    ];
    let mut cause = subject.cause(quota_mechanism(resource), &why, at);
    cause.other = Some((subject.object.clone(), format!("asks for {} of {resource}", q.requested)));
    if let Some(known) = subject.now.quotas.get(namespace, &q.quota) {
        let value = format!("{} used of {}", used, known.hard.amount(resource).text(resource));
        let field = format!("status.used[{resource}]");
        cause.evidence.push(evidence::field(known.meta.source, &object, field, value));
    }
    cause.object = object;
    cause
}

fn amount(text: &str) -> Option<Quantity> {
    text.parse().ok()
}

fn unstated(
    quota: &str,
    resources: &[String],
    containers: &[String],
    subject: &Subject<'_>,
) -> Cause {
    let first = resources.first().map_or("limits.cpu", String::as_str);
    let lacks = |c: &&Container| {
        let (part, name) = first.split_once('.').unwrap_or(("requests", first));
        let amounts = if part == "limits" { &c.resources.limits } else { &c.resources.requests };
        amounts.get(name).is_none()
    };
    let by_spec = || subject.spec().and_then(|s| s.containers.iter().find(lacks));
    let container = containers.first().map(String::as_str);
    let container = container.or_else(|| by_spec().map(|c| c.name.as_str())).unwrap_or("*");
    let all = resources.join(", ");
    let why = format!("quota {quota} wants {all} stated, container {container} does not state it");
    let why = if container == "*" {
        format!("quota {quota} wants {all} stated by every container")
    } else {
        why
    };
    let at = [
        subject.container_field(container, &format!("resources.{first}")),
        "none".into(),
        "an amount, or a default from a LimitRange".into(),
    ];
    let mut cause = subject.cause(quota_mechanism(first), &why, at);
    let object = ObjectRef::new(Kind::ResourceQuota, &subject.object.namespace, quota);
    cause.other = Some((object, format!("counts {all}")));
    cause
}

fn limit_range(limit: &Limit, subject: &Subject<'_>) -> Cause {
    let Limit { resource, per, bound, amount: given, part, too_small } = limit;
    let at_least = if *too_small { "at least" } else { "at most" };
    let has = |c: &&Container| {
        let amounts = if *part == "limits" { &c.resources.limits } else { &c.resources.requests };
        match amount(given) {
            Some(given) => amounts.get(resource) == Some(given),
            None => amounts.get(resource).is_none(),
        }
    };
    let container = subject.spec().and_then(|s| s.containers.iter().find(has));
    let container = container.map_or("*", |c| c.name.as_str());
    let value = if given.is_empty() { "none" } else { given };
    let why =
        format!("a limit range allows {at_least} {bound} of {resource} per {per}, not {value}");
    let at = [
        subject.container_field(container, &format!("resources.{part}.{resource}")),
        value.to_owned(),
        format!("{at_least} {bound}"),
    ];
    let mut cause = subject.cause("limit-range", &why, at);
    let rules = |l: &&model::record::LimitRange| {
        let bounds = |i: &model::record::LimitItem| {
            let set = if *too_small { &i.min } else { &i.max };
            i.kind == per.as_str() && set.get(resource).is_some()
        };
        l.items.iter().any(bounds)
    };
    let mut ranges = subject.now.limit_ranges.in_namespace(&subject.object.namespace);
    if let Some(range) = ranges.find(rules) {
        let object = range.meta.object(Kind::LimitRange);
        let field = format!("spec.limits[{per}].{resource}");
        let value = format!("{at_least} {bound}");
        cause.evidence.push(evidence::field(range.meta.source, &object, field, value));
        cause.other = Some((object, format!("allows {at_least} {bound} of {resource}")));
    }
    cause
}

/// `allowPrivilegeEscalation != false (container "main" must set a.b=false), ...`
fn security(level: &str, what: &str, subject: &Subject<'_>) -> Cause {
    let first = what.split_once(" (").map_or(what, |(rule, _)| rule);
    let clause = crate::wording::between(what, "(", ")").unwrap_or_default();
    let container = crate::wording::between(clause, "container \"", "\"");
    let container = container.or_else(|| crate::wording::between(clause, "containers \"", "\""));
    let set = clause.split_once("must set ").map(|(_, set)| set);
    let (field, expected) = match set.and_then(|s| s.split_once('=')) {
        Some((field, value)) => (field.to_owned(), value.to_owned()),
        None if clause.is_empty() => ("securityContext".into(), "what the rules allow".into()),
        None => ("securityContext".into(), clause.to_owned()),
    };
    let field = match container {
        Some(name) => subject.container_field(name, &field),
        None => subject.field(&field),
    };
    let why = format!("they break the rules {level}: {}", cut(first));
    subject.cause("pod-security", &why, [field, cut(first), expected])
}

fn unreachable(
    webhook: &str,
    service: Option<&(String, String)>,
    why: &str,
    subject: &Subject<'_>,
) -> Cause {
    let name = if webhook.is_empty() { "an admission webhook" } else { webhook };
    let at = ["webhook".into(), cut(why), "a webhook that answers".into()];
    let head = format!("{name} does not answer: {}", cut(why));
    let mut cause = subject.cause("webhook-unreachable", &head, at);
    if webhook.is_empty() {
        cause.certainty = Certainty::Likely;
        cause.alternatives = vec!["etcd-slow"];
    }
    if let Some((namespace, service)) = service {
        let object = ObjectRef::new(Kind::Service, namespace, service);
        let known = subject.now.services.get(namespace, service);
        let addresses = known.and_then(|s| subject.now.addresses(s));
        if let (Some(s), Some((ready, _))) = (known, addresses) {
            let value = format!("{ready} ready");
            cause.evidence.push(evidence::field(s.meta.source, &object, "endpoints", value));
        }
        let missing = subject.now.is_missing(Kind::Service, namespace, service);
        cause.field = if missing { "metadata.name".into() } else { "endpoints".into() };
        cause.expected = if missing { "a Service".into() } else { "ready pods behind it".into() };
        cause.other = Some((subject.object.clone(), "its pods are refused".into()));
        cause.object = object;
    }
    cause
}

/// A reference to something that does not exist.
pub(crate) fn missing(kind: Kind, name: &str, subject: &Subject<'_>) -> Cause {
    let (mechanism, field, word) = match kind {
        Kind::ServiceAccount => {
            ("service-account-missing", "serviceAccountName", "service account")
        }
        Kind::PriorityClass => ("priority-class-missing", "priorityClassName", "priority class"),
        _ => ("runtime-class-missing", "runtimeClassName", "runtime class"),
    };
    let namespace = if kind.is_namespaced() { &*subject.object.namespace } else { "" };
    let names = subject.now.named.in_namespace(namespace).filter(|n| n.kind == kind);
    let near = nearest(name, names.map(|n| n.meta.name.as_str()));
    let place = match kind.is_namespaced() {
        true => format!(" in namespace {namespace}"),
        false => String::new(),
    };
    let expected = match near {
        Some(near) => format!("{near}, which exists"),
        None => format!("a {word} of this name{place}"),
    };
    let why = format!("{word} {name} does not exist");
    subject.cause(mechanism, &why, [subject.field(field), name.to_owned(), expected])
}

/// The beginning of a text, for a headline.
fn cut(text: &str) -> String {
    const MOST: usize = 120;
    match text.char_indices().nth(MOST) {
        Some((at, _)) => format!("{}...", text.get(..at).unwrap_or(text)),
        None => text.to_owned(),
    }
}
