//! Reads why the API server refused a pod (or a claim of it), in the wordings of all versions.

use crate::wording::{self, between, says};

/// Why a pod was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A quota is used up.
    Quota(Exceeded),
    /// A quota counts something that the pod does not state.
    Unstated {
        /// The quota.
        quota: String,
        /// What must be stated, e.g. `limits.cpu`.
        resources: Vec<String>,
        /// Containers that do not state it, where they are named.
        containers: Vec<String>,
    },
    /// A limit range is broken.
    LimitRange(Limit),
    /// A rule about security is broken.
    PodSecurity {
        /// The rules: `restricted:latest`, `SecurityContextDeny`.
        level: String,
        /// What breaks them.
        what: String,
    },
    /// An admission webhook or policy said no.
    Denied {
        /// Its name.
        by: String,
        /// Its reason.
        why: String,
    },
    /// An admission webhook did not answer.
    Unreachable {
        /// Its name, or empty.
        webhook: String,
        /// Namespace and name of the Service behind it.
        service: Option<(String, String)>,
        /// How it failed.
        why: String,
    },
    /// The service account does not exist.
    Account(String),
    /// The priority class does not exist.
    Priority(String),
    /// The runtime class does not exist.
    Runtime(String),
    /// A field is not valid.
    Field {
        /// The field, e.g. `spec.containers[0].image`.
        field: String,
        /// What is wrong with it.
        why: String,
    },
    /// The namespace is being deleted.
    Terminating,
}

/// A used-up quota, with amounts as written.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Exceeded {
    pub(crate) quota: String,
    /// The resource that counts, e.g. `requests.cpu`.
    pub(crate) resource: String,
    pub(crate) requested: String,
    pub(crate) used: String,
    pub(crate) limited: String,
}

/// A broken limit.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct Limit {
    /// `cpu`, `memory`, `storage`.
    pub(crate) resource: String,
    /// `Container`, `Pod` or `PersistentVolumeClaim`.
    pub(crate) per: String,
    /// Whether the amount is too small instead of too large.
    pub(crate) too_small: bool,
    /// `limits` or `requests`.
    pub(crate) part: &'static str,
    /// The bound.
    pub(crate) bound: String,
    /// The amount; empty when none is stated.
    pub(crate) amount: String,
}

/// Why a pod was refused; `None` when the text says nothing known.
pub(crate) fn parse(text: &str) -> Option<Refusal> {
    quota(text)
        .or_else(|| unreachable(text))
        .or_else(|| denied(text))
        .or_else(|| reference(text))
        .or_else(|| security(text))
        .or_else(|| limit(text).map(Refusal::LimitRange))
        .or_else(|| says(text, wording::NAMESPACE_ENDS).then_some(Refusal::Terminating))
        .or_else(|| field(text))
}

fn quota(text: &str) -> Option<Refusal> {
    if let Some((_, rest)) = text.split_once("exceeded quota: ") {
        let name = rest.split([',', ' ']).next()?.to_owned();
        let list = |mark: &str, end: Option<&str>| {
            let (_, after) = rest.split_once(mark)?;
            Some(end.and_then(|e| after.split_once(e)).map_or(after, |(inside, _)| inside))
        };
        let requested = pairs(list("requested: ", Some(", used: ")).unwrap_or_default());
        let used = pairs(list("used: ", Some(", limited: ")).unwrap_or_default());
        let limited = pairs(list("limited: ", None).unwrap_or_default());
        let resource = most_telling(limited.iter().chain(&requested))?;
        let amount = |list: &[(String, String)]| {
            let own = list.iter().find(|(name, _)| *name == resource);
            own.map(|(_, amount)| amount.clone()).unwrap_or_default()
        };
        return Some(Refusal::Quota(Exceeded {
            requested: amount(&requested),
            used: amount(&used),
            limited: amount(&limited),
            quota: name,
            resource,
        }));
    }
    let (_, rest) = text.split_once("failed quota: ")?;
    let (name, rest) = rest.split_once(": must specify ")?;
    let mut resources = Vec::new();
    let mut containers = Vec::new();
    // New: `limits.cpu for: a,b; limits.memory for: a`; old: `limits.cpu,limits.memory`.
    for part in rest.split(';') {
        let (what, of) = part.split_once(" for: ").unwrap_or((part, ""));
        let words = |text: &str| -> Vec<String> {
            let parts = text.split(',').map(|w| w.trim().trim_end_matches('.').to_owned());
            parts.filter(|w| !w.is_empty()).collect()
        };
        resources.extend(words(what));
        containers.extend(words(of));
    }
    containers.sort();
    containers.dedup();
    Some(Refusal::Unstated { quota: name.to_owned(), resources, containers })
}

/// `requests.cpu=2,pods=1`.
fn pairs(list: &str) -> Vec<(String, String)> {
    let pairs = list.split(',').filter_map(|p| p.trim().split_once('='));
    pairs.map(|(k, v)| (k.trim().to_owned(), v.trim().trim_end_matches('.').to_owned())).collect()
}

/// Of several resources that are used up, the one to name.
fn most_telling<'a>(list: impl Iterator<Item = &'a (String, String)>) -> Option<String> {
    let weight = |name: &str| {
        ["cpu", "memory", "pods", "storage", "services"].iter().position(|w| name.contains(w))
    };
    let names: Vec<&str> = list.map(|(name, _)| name.as_str()).collect();
    names.into_iter().min_by_key(|n| (weight(n).unwrap_or(9), *n)).map(str::to_owned)
}

fn unreachable(text: &str) -> Option<Refusal> {
    let called = says(text, wording::WEBHOOK_FAILED);
    if !called && !says(text, wording::ADMISSION_TIMEOUT) {
        return None;
    }
    let named = text.split_once("webhook").and_then(|(_, rest)| between(rest, "\"", "\""));
    let url = between(text, "https://", "\"").or_else(|| between(text, "https://", "/"));
    let host = url.map(|u| u.split(['/', ':', '?']).next().unwrap_or(u));
    let service = host.and_then(|h| {
        let mut parts = h.split('.');
        let (name, namespace) = (parts.next()?, parts.next()?);
        (parts.next()? == "svc").then(|| (namespace.to_owned(), name.to_owned()))
    });
    let why = text.rsplit_once("\": ").map_or(text, |(_, why)| why);
    Some(Refusal::Unreachable {
        webhook: named.unwrap_or_default().to_owned(),
        service,
        why: why.trim().to_owned(),
    })
}

fn denied(text: &str) -> Option<Refusal> {
    let by = |mark: &str, quote: &str| {
        let (_, rest) = text.split_once(mark)?;
        let name = between(rest, quote, quote)?;
        let why = rest.split_once("denied").map_or("", |(_, w)| w);
        let why = why.trim_start().trim_start_matches("the ").trim_start_matches("request");
        let why = why.trim_start_matches(" without explanation").trim_start_matches([':', ' ']);
        let (by, why) = (name.to_owned(), why.to_owned());
        Some(Refusal::Denied { by, why })
    };
    if text.contains("admission webhook") && text.contains("denied") {
        return by("admission webhook", "\"");
    }
    by("ValidatingAdmissionPolicy", "'").filter(|_| text.contains("denied"))
}

fn reference(text: &str) -> Option<Refusal> {
    let lower = text.to_ascii_lowercase();
    let after = |mark: &str| lower.find(mark).and_then(|at| text.get(at + mark.len()..));
    let missing = lower.contains("not found");
    if lower.contains("service account") || lower.contains("serviceaccount") {
        let quoted = after("serviceaccount \"").and_then(|rest| rest.split('"').next());
        let tokenless =
            after("token found for service account \"").and_then(|rest| rest.split('"').next());
        if let Some(name) = quoted.filter(|_| missing).or(tokenless) {
            return Some(Refusal::Account(name.to_owned()));
        }
    }
    if let Some(rest) = after("no priorityclass with name ") {
        let name = rest.split_whitespace().next().unwrap_or_default();
        return Some(Refusal::Priority(name.trim_matches('"').to_owned()));
    }
    let runtime = after("runtimeclass").filter(|_| missing);
    runtime.and_then(|rest| between(rest, "\"", "\"")).map(|n| Refusal::Runtime(n.to_owned()))
}

fn security(text: &str) -> Option<Refusal> {
    if let Some((_, rest)) = text.split_once("violates PodSecurity ") {
        let level = between(rest, "\"", "\"").unwrap_or_default().to_owned();
        let what = rest.split_once("\": ").map_or("", |(_, what)| what).to_owned();
        return Some(Refusal::PodSecurity { level, what });
    }
    if !says(text, wording::POD_SECURITY_OLD) {
        return None;
    }
    let what = text.split_once("is forbidden: ").map_or(text, |(_, what)| what);
    let level = if says(text, &["constraint"]) { "security context constraints" } else { "policy" };
    Some(Refusal::PodSecurity { level: level.into(), what: what.trim().to_owned() })
}

/// `maximum cpu usage per Container is 1, but limit is 2`.
fn limit(text: &str) -> Option<Limit> {
    let lower = text.to_ascii_lowercase();
    let at = ["maximum ", "minimum "].iter().filter_map(|m| lower.find(m)).min();
    if let Some(at) = at.filter(|_| lower.contains(" usage per ")) {
        let rest = text.get(at..)?;
        let mut words = rest.split_whitespace();
        let too_small = words.next()? == "minimum";
        let resource = words.next()?.to_owned();
        let (_, rest) = rest.split_once(" usage per ")?;
        let (per, rest) = rest.split_once(" is ")?;
        let bound = rest.split([',', ' ']).next()?.trim_end_matches('.').to_owned();
        let (part, amount) = match rest.split_once(" but ") {
            Some((_, is)) => {
                let part = if is.starts_with("request") { "requests" } else { "limits" };
                (part, is.split_once(" is ").map_or("", |(_, n)| n))
            }
            None if lower.contains("no request is specified") => ("requests", ""),
            None => ("limits", ""),
        };
        let amount = amount.split([',', ' ', ']']).next().unwrap_or_default();
        let amount = amount.trim_end_matches('.').to_owned();
        return Some(Limit { resource, per: per.into(), too_small, part, bound, amount });
    }
    let (before, rest) = text.split_once(" max limit to request ratio per ")?;
    let resource = before.rsplit([' ', '[']).next()?.to_owned();
    let (per, rest) = rest.split_once(" is ")?;
    let bound = rest.split(',').next()?.trim().to_owned();
    let given = rest.split_once("ratio is ").map_or("", |(_, n)| n);
    let amount = given.split([',', ' ', ']']).next().unwrap_or_default();
    let amount = amount.trim_end_matches('.').to_owned();
    Some(Limit { resource, per: per.into(), too_small: false, part: "limits", bound, amount })
}

fn field(text: &str) -> Option<Refusal> {
    let invalid = text.split_once("is invalid: ").map(|(_, rest)| rest);
    let forbidden = || {
        let (_, rest) = text.split_once("is forbidden: ")?;
        rest.starts_with("spec.").then_some(rest)
    };
    let rest = invalid.or_else(forbidden)?.trim_start_matches('[');
    let (field, why) = rest.split_once(": ")?;
    Some(Refusal::Field { field: field.trim().to_owned(), why: why.trim().to_owned() })
}

#[cfg(test)]
mod tests;
