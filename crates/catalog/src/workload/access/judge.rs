//! Why a request was refused: which link from the account over a binding to a role is broken.

use model::record::{AccessBinding, AccessRole, AccessRule, Known, Subject};
use model::{Certainty, Evidence, Finding, Findings, Impact, Kind, ObjectRef, Snapshot, Timestamp};

use super::asked::{Request, account_of};
use crate::evidence;
use crate::pod::edit::{nearest, spec_field};
use crate::workload::rbac_denied::KIND;

/// Why, and what a person would edit.
struct Cause {
    mechanism: &'static str,
    object: ObjectRef,
    headline: String,
    at: [String; 3],
    certainty: Certainty,
    evidence: Vec<Evidence>,
}

pub(crate) fn judge(request: &Request, now: &Snapshot, findings: &mut Findings) {
    let bound: Vec<&AccessBinding> =
        now.bindings.iter().filter(|b| in_scope(b, request) && is_bound(b, request)).collect();
    if bound.iter().any(|b| role_of(b, now).is_some_and(|r| allows(r, request))) {
        let account = request.account();
        let what = format!("{account} was once not allowed to {}", request.text());
        return findings.stale(what, "it is allowed now");
    }
    let cause = missing_role(request, &bound, now)
        .or_else(|| other_subject(request, now))
        .or_else(|| poor_role(request, &bound, now))
        .unwrap_or_else(|| unbound(request, now));
    findings.push(finding(request, cause, now));
}

/// Whether a finding is about this request.
pub(crate) fn concerns(request: &Request, finding: &Finding) -> bool {
    finding.evidence.contains(&request.evidence)
}

/// A role that would allow the request: one of the same namespace first, then one of the
/// cluster that is no part of Kubernetes.
pub(crate) fn role_that_allows(request: &Request, now: &Snapshot) -> Option<ObjectRef> {
    let here = now.roles.in_namespace(&request.denial.namespace).filter(|r| r.kind == Kind::Role);
    let wide = now.roles.in_namespace("").filter(|r| {
        let own = r.meta.name.starts_with("system:");
        let all = matches!(r.meta.name.as_str(), "cluster-admin" | "admin" | "edit");
        r.kind == Kind::ClusterRole && !own && !all
    });
    let mut fitting: Vec<&AccessRole> = here.chain(wide).filter(|r| allows(r, request)).collect();
    let like = |r: &&AccessRole| !r.meta.name.contains(request.denial.account.as_str());
    fitting.sort_by_key(|r| (r.kind != Kind::Role, like(r)));
    fitting.first().map(|r| r.meta.object(r.kind))
}

/// A binding counts in its own namespace, one of the cluster everywhere.
fn in_scope(binding: &AccessBinding, request: &Request) -> bool {
    binding.kind == Kind::ClusterRoleBinding
        || (!request.denial.namespace.is_empty()
            && binding.meta.namespace == request.denial.namespace)
}

fn is_bound(binding: &AccessBinding, request: &Request) -> bool {
    let d = &request.denial;
    let user = format!("system:serviceaccount:{}:{}", d.account_namespace, d.account);
    let group = format!("system:serviceaccounts:{}", d.account_namespace);
    binding.subjects.iter().any(|s| match s.kind.as_str() {
        "ServiceAccount" => s.name == d.account && place(s, binding) == d.account_namespace,
        "User" => s.name == user,
        "Group" => {
            s.name == group
                || matches!(s.name.as_str(), "system:serviceaccounts" | "system:authenticated")
        }
        _ => false,
    })
}

/// The namespace of a service account; text does not always print it.
fn place<'b>(subject: &'b Subject, binding: &'b AccessBinding) -> &'b str {
    if subject.namespace.is_empty() { &binding.meta.namespace } else { &subject.namespace }
}

/// The role that a binding gives.
pub(super) fn role_ref(binding: &AccessBinding) -> ObjectRef {
    ObjectRef::new(binding.role.0, &binding.meta.namespace, &binding.role.1)
}

fn role_of<'s>(binding: &AccessBinding, now: &'s Snapshot) -> Option<&'s AccessRole> {
    let object = role_ref(binding);
    now.roles.all(&object.namespace, &object.name).find(|r| r.kind == object.kind)
}

fn allows(role: &AccessRole, request: &Request) -> bool {
    let d = &request.denial;
    let name = Some(d.name.as_str()).filter(|n| !n.is_empty());
    role.rules.iter().any(|r| match d.path.as_str() {
        "" => r.allows(&d.verb, &d.group, &d.resource, name),
        path => r.allows_path(&d.verb, path),
    })
}

/// A binding of the account names a role that does not exist.
fn missing_role(request: &Request, bound: &[&AccessBinding], now: &Snapshot) -> Option<Cause> {
    let told = |b: &&&AccessBinding| {
        request.denial.missing_roles.iter().any(|(k, n)| *k == b.role.0 && b.role.1 == *n)
    };
    let gone = |b: &&&AccessBinding| {
        let role = role_ref(b);
        now.is_missing(role.kind, &role.namespace, &role.name)
    };
    if let Some(binding) = bound.iter().find(|b| told(b) || gone(b)) {
        return Some(without_role(binding, now));
    }
    // The server names the role; the binding that names it was not shown.
    let (kind, name) = request.denial.missing_roles.first()?;
    let object = ObjectRef::new(*kind, &request.denial.namespace, name);
    Some(Cause {
        mechanism: "role-missing",
        headline: format!("{kind} {object}, which a binding names, does not exist"),
        at: ["metadata.name".into(), "missing".into(), format!("a {kind} {name}")],
        object,
        certainty: Certainty::Proven,
        evidence: Vec::new(),
    })
}

/// The cause at a binding whose role does not exist.
fn without_role(binding: &AccessBinding, now: &Snapshot) -> Cause {
    let object = binding.meta.object(binding.kind);
    let role = role_ref(binding);
    let here = now.roles.in_namespace(&role.namespace).filter(|r| r.kind == role.kind);
    let near = nearest(&role.name, here.map(|r| r.meta.name.as_str()));
    let expected = match near {
        Some(near) => format!("{near}, which exists"),
        None => format!("a {} that exists", role.kind),
    };
    let value = format!("{}/{}", role.kind, role.name);
    let fact = evidence::field(binding.meta.source, &object, "roleRef", &*value);
    Cause {
        mechanism: "role-missing",
        headline: format!(
            "{} {object} gives {} {role}, which does not exist",
            object.kind, role.kind
        ),
        at: ["roleRef.name".into(), role.name.to_string(), expected],
        object,
        certainty: Certainty::Proven,
        evidence: vec![fact],
    }
}

/// A binding gives what is asked for to an account that is not the one that asks.
fn other_subject(request: &Request, now: &Snapshot) -> Option<Cause> {
    let gives = |b: &&AccessBinding| {
        in_scope(b, request) && role_of(b, now).is_some_and(|r| allows(r, request))
    };
    let accounts = |b: &'_ AccessBinding| -> Vec<Subject> {
        b.subjects.iter().filter(|s| s.kind == "ServiceAccount").cloned().collect()
    };
    let mut best: Option<(u8, &AccessBinding, Subject)> = None;
    for binding in now.bindings.iter().filter(gives) {
        for subject in accounts(binding) {
            let score = likeness(&subject, binding, request, now);
            if score > best.as_ref().map_or(0, |b| b.0) {
                best = Some((score, binding, subject));
            }
        }
    }
    let (_, binding, subject) = best?;
    let d = &request.denial;
    let object = binding.meta.object(binding.kind);
    let (own, given) = (
        format!("{}/{}", d.account_namespace, d.account),
        format!("{}/{}", place(&subject, binding), subject.name),
    );
    let fact = evidence::field(binding.meta.source, &object, "subjects", &*given);
    let certainty = Certainty::Proven;
    let subject_exists = now.exists(Kind::ServiceAccount, place(&subject, binding), &subject.name);
    if d.account == "default"
        && subject_exists
        && let Some(app) = request.apps(now).first()
        && account_of(app) == Some("default")
    {
        return Some(Cause {
            mechanism: "subject-mismatch",
            object: app.object.clone(),
            headline: format!(
                "{} {} runs as account default, but {} {} gives the role to {given}",
                app.object.kind, app.object, object.kind, object.name
            ),
            at: [spec_field(app, "serviceAccountName"), "default".into(), subject.name.to_string()],
            certainty,
            evidence: vec![fact],
        });
    }
    Some(Cause {
        mechanism: "subject-mismatch",
        headline: format!(
            "{} {object} gives its role to service account {given}, but {own} asks",
            object.kind
        ),
        object,
        at: ["subjects[*]".into(), given, own],
        certainty,
        evidence: vec![fact],
    })
}

/// How much another account looks as if the asking one was meant; 0 when it does not.
fn likeness(subject: &Subject, binding: &AccessBinding, request: &Request, now: &Snapshot) -> u8 {
    let d = &request.denial;
    let place = place(subject, binding);
    let same_place = place == d.account_namespace;
    if subject.name == d.account && !same_place {
        return 4;
    }
    if !same_place {
        return 0;
    }
    let near = nearest(&d.account, [subject.name.as_str()]).is_some()
        || subject.name.contains(&d.account)
        || d.account.contains(subject.name.as_str());
    if near && d.account != "default" {
        return 3;
    }
    let absent = now.is_missing(Kind::ServiceAccount, place, &subject.name);
    let unused = !now.apps_in(place).iter().any(|a| account_of(a) == Some(&*subject.name));
    match (d.account.as_str(), absent) {
        ("default", false) if unused => 2,
        (_, true) => 2,
        _ => 0,
    }
}

/// The account has a role that is about the same things, but lacks the verb or the resource.
fn poor_role(request: &Request, bound: &[&AccessBinding], now: &Snapshot) -> Option<Cause> {
    let d = &request.denial;
    let about = |r: &AccessRule| {
        let resource = r.resources.iter().any(|x| x == d.resource.as_str() || x == "*");
        let group = r.api_groups.iter().any(|g| g == d.group.as_str() || g == "*");
        match (resource, group) {
            (true, true) => 4,
            (true, false) => 3,
            (false, true) => 2,
            (false, false) => 1,
        }
    };
    let own = |b: &&&AccessBinding| b.subjects.iter().any(|s| s.kind == "ServiceAccount");
    let roles = bound.iter().filter(own).filter_map(|b| role_of(b, now));
    let shown = roles.filter(|r| r.meta.known.has(Known::SPEC));
    let named = |r: &&AccessRole| !r.meta.name.starts_with("system:");
    let role = shown.filter(named).max_by_key(|r| r.rules.iter().map(about).max().unwrap_or(0))?;
    let object = role.meta.object(role.kind);
    let best = role.rules.iter().max_by_key(|r| about(r));
    let join =
        |list: &[model::Text]| list.iter().map(|t| t.as_str()).collect::<Vec<_>>().join(", ");
    let (field, value, expected) = match best.map(|r| (about(r), r)) {
        Some((4, rule)) if !rule.verbs.iter().any(|v| v == d.verb.as_str() || v == "*") => {
            (format!("rules[{}].verbs", d.resource), join(&rule.verbs), format!("also {}", d.verb))
        }
        Some((4, rule)) => (
            format!("rules[{}].resourceNames", d.resource),
            join(&rule.resource_names),
            if d.name.is_empty() { "all names".into() } else { format!("also {}", d.name) },
        ),
        Some((3, rule)) => (
            format!("rules[{}].apiGroups", d.resource),
            format!("\"{}\"", join(&rule.api_groups)),
            format!("also \"{}\"", d.group),
        ),
        other => (
            "rules".to_owned(),
            other.map_or("none".into(), |(_, rule)| join(&rule.resources)),
            format!("a rule for {} {}", d.verb, request.resource()),
        ),
    };
    let fact = evidence::field(role.meta.source, &object, field.clone(), value.clone());
    Some(Cause {
        mechanism: "role-missing",
        headline: format!(
            "{} {object}, which account {} has, does not allow to {}",
            object.kind,
            request.account(),
            request.text()
        ),
        object,
        at: [field, value, expected],
        certainty: Certainty::Proven,
        evidence: vec![fact],
    })
}

/// Nothing gives the account what it asks for.
fn unbound(request: &Request, now: &Snapshot) -> Cause {
    let d = &request.denial;
    let object = request.account();
    let lists = |kind: Kind, namespace: &str| {
        let named = now.bindings.in_namespace(namespace).filter(|b| b.kind == kind);
        now.coverage.lists(kind, namespace)
            && named.into_iter().all(|b| b.meta.known.has(Known::SPEC))
    };
    let cluster = lists(Kind::ClusterRoleBinding, "");
    let complete = cluster && (d.namespace.is_empty() || lists(Kind::RoleBinding, &d.namespace));
    let some = d.namespace.is_empty() || lists(Kind::RoleBinding, &d.namespace);
    let certainty = match (complete, some && !d.namespace.is_empty()) {
        (true, _) => Certainty::Proven,
        (false, true) => Certainty::Likely,
        _ => Certainty::Possible,
    };
    let kind = if d.namespace.is_empty() { "ClusterRoleBinding" } else { "RoleBinding" };
    let role = role_that_allows(request, now);
    let by = match &role {
        Some(role) => format!("a {kind} to {} {}, which allows it", role.kind, role.name),
        None => format!("a {kind} to a role that allows to {}", request.text()),
    };
    let elsewhere = now
        .bindings
        .iter()
        .find(|b| is_bound(b, request) && role_of(b, now).is_some_and(|r| allows(r, request)));
    let (but, facts) = match elsewhere {
        Some(b) => {
            let other = b.meta.object(b.kind);
            let fact = evidence::field(b.meta.source, &other, "roleRef", b.role.1.as_str());
            (format!("; {} {other} allows it in its own namespace only", b.kind), vec![fact])
        }
        None => (String::new(), Vec::new()),
    };
    Cause {
        mechanism: "binding-missing",
        headline: format!("service account {object} may not {}{but}", request.text()),
        at: [format!("{kind} subjects"), "none names it".into(), by],
        object,
        certainty,
        evidence: facts,
    }
}

fn finding(request: &Request, cause: Cause, now: &Snapshot) -> Finding {
    let [field, value, expected] = cause.at;
    let since: Option<Timestamp> = request.evidence.at.filter(|_| request.count <= 1);
    let mut finding = Finding::new(KIND.id, cause.mechanism, cause.object, cause.headline)
        .field(field, value, expected)
        .since(since)
        .evidence([request.evidence.clone()])
        .evidence(cause.evidence);
    if cause.certainty < Certainty::Proven {
        let others = ["role-missing", "subject-mismatch"];
        let left = if cause.certainty == Certainty::Likely { &others[..1] } else { &others[..] };
        finding = finding.unsure(cause.certainty, left, request.can_i());
    }
    let mut replicas = 0;
    let apps = request.apps(now);
    for app in &apps {
        let lost = app.lost_replicas();
        replicas += lost;
        let how = match lost {
            0 => format!("may not {}", request.text()),
            n => format!("may not {}; {n} replicas are not ready", request.text()),
        };
        finding = finding.affects(app.object.clone(), how);
    }
    if apps.is_empty() {
        let how = format!("may not {}", request.text());
        finding = finding.affects(request.account(), how);
    }
    finding.impact(Impact { replicas, ..Impact::default() })
}
