//! Where a person edits what is wrong with a pod: fields of the object that makes it, and what
//! they were in the revision before.

use std::sync::Arc;

use model::record::{Container, PodSpec, Workload};
use model::{App, Finding, Gap, Kind, Patch, Risk, Step};

use crate::wording::between;

/// The field of the object a person would edit, for a field of its pod spec.
pub(crate) fn spec_field(app: &App, field: &str) -> String {
    app.spec_field(field)
}

/// The field of one container, init containers told apart.
pub(crate) fn container_field(app: &App, container: &str, field: &str) -> String {
    let is = |c: &Container| c.name == container;
    let init = app.spec().is_some_and(|s| s.init_containers.iter().any(is));
    let list = if init { "initContainers" } else { "containers" };
    let only = app.spec().filter(|s| s.containers.len() == 1).and_then(|s| s.containers.first());
    let name = match (container, only) {
        ("", Some(only)) => only.name.as_str(),
        ("", None) => "*",
        (name, _) => name,
    };
    spec_field(app, &format!("{list}[{name}].{field}"))
}

/// A patch of the container that a gap names: `lines` is what it shall have, parts of a YAML
/// map, one a line. There is none where pods cannot be changed or are made a level deeper.
pub(crate) fn container_patch(gap: &Gap, lines: &str) -> Option<Patch> {
    let templated = matches!(
        gap.object.kind,
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::ReplicaSet
    );
    let name = between(&gap.field, "ontainers[", "]").filter(|name| *name != "*" && templated)?;
    let list = if gap.field.contains("initContainers[") { "initContainers" } else { "containers" };
    let lines: String = lines.lines().map(|l| format!("        {l}\n")).collect();
    let body =
        format!("spec:\n  template:\n    spec:\n      {list}:\n      - name: {name}\n{lines}");
    Some(Patch { object: gap.object.clone(), body })
}

/// Gives the field that a finding names the value it should have.
pub(crate) fn set_field(finding: &Finding) -> Step {
    let field = finding.field.as_deref().unwrap_or_default();
    let expected = finding.expected.as_deref().unwrap_or_default();
    Step {
        what: format!("Set {field}: {expected}"),
        command: Some(format!("kubectl edit {}", finding.object.for_kubectl())),
        risk: Risk::Reversible,
        undo: None,
    }
}

/// The container that a gap names.
pub(crate) fn container_of_gap<'a>(gap: &Gap, app: &'a App) -> Option<&'a Container> {
    container(app.spec()?, between(&gap.field, "ontainers[", "]")?)
}

/// ` -n shop`, for a command; nothing when the namespace is not known.
pub(crate) fn namespace_option(namespace: &str) -> String {
    if namespace.is_empty() { String::new() } else { format!(" -n {namespace}") }
}

/// The container of this name in a spec; the only one when the name is not known.
pub(crate) fn container<'a>(spec: &'a PodSpec, name: &str) -> Option<&'a Container> {
    let only = || spec.containers.first().filter(|_| name.is_empty() && spec.containers.len() == 1);
    spec.all_containers().find(|c| c.name == name).or_else(only)
}

/// The pod spec of the newest revision before the present one, where a set of it is known.
pub(crate) fn previous_spec(app: &App) -> Option<&PodSpec> {
    let now = app.spec()?;
    let revision = |set: &Workload| {
        let text = set.meta.annotation("deployment.kubernetes.io/revision");
        text.and_then(|t| t.parse::<u64>().ok())
    };
    let key = |set: &&Arc<Workload>| (revision(set), set.meta.created, set.counts.ready);
    let others = app.sets.iter().filter(|s| s.kind == Kind::ReplicaSet);
    let others = others.filter(|s| s.template.as_deref().is_some_and(|t| differs(t, now)));
    others.max_by_key(key).and_then(|s| s.template.as_deref())
}

/// Whether two specs run different containers (and not only in the order of their parts).
fn differs(a: &PodSpec, b: &PodSpec) -> bool {
    a.containers != b.containers
        || a.init_containers != b.init_containers
        || a.pull_secrets != b.pull_secrets
        || a.volumes != b.volumes
}

/// Whether a pod runs other containers than the template: another image, command, argument or
/// variable. What admission adds to a pod does not count.
pub(crate) fn runs_otherwise(template: &PodSpec, pod: &PodSpec) -> bool {
    template.containers.iter().any(|wanted| {
        let Some(has) = container(pod, &wanted.name) else { return true };
        let env = wanted.env.iter().any(|e| {
            let own = has.env.iter().find(|h| h.name == e.name);
            own.is_none_or(|h| h.value != e.value)
        });
        has.image != wanted.image || has.command != wanted.command || has.args != wanted.args || env
    })
}

/// What the newest revision changed in a container: the field, before and after.
pub(crate) fn changes(app: &App, name: &str) -> Vec<(String, String, String)> {
    let pair = || {
        let new = container(app.spec()?, name)?;
        Some((container(previous_spec(app)?, name)?, new))
    };
    let Some((old, new)) = pair() else { return Vec::new() };
    let words = |list: &[model::Text]| list.join(" ");
    let mut found = Vec::new();
    let mut note = |field: &str, old: String, new: String| {
        if old != new {
            found.push((container_field(app, name, field), old, new));
        }
    };
    note("image", old.image.to_string(), new.image.to_string());
    note("command", words(&old.command), words(&new.command));
    note("args", words(&old.args), words(&new.args));
    let names: std::collections::BTreeSet<&str> =
        old.env.iter().chain(&new.env).map(|e| e.name.as_str()).collect();
    for variable in names {
        let value = |c: &Container| {
            let env = c.env.iter().find(|e| e.name == variable);
            env.map_or("(not set)".into(), |e| {
                e.value.as_ref().map_or("(from elsewhere)".into(), ToString::to_string)
            })
        };
        let hidden = |c: &Container| c.env.iter().any(|e| e.name == variable && e.is_hidden());
        let (before, after) = match (value(old), value(new)) {
            (a, b) if a != b && hidden(old) && hidden(new) => {
                ("(another secret)".into(), "(a secret)".into())
            }
            values => values,
        };
        note(&format!("env[{variable}]"), before, after);
    }
    for resource in ["memory", "cpu", "ephemeral-storage"] {
        let limit = |c: &Container| {
            c.resources.limits.get(resource).map_or("(none)".into(), |q| q.text(resource))
        };
        note(&format!("resources.limits.{resource}"), limit(old), limit(new));
    }
    found
}

/// How many letters have to be changed, added, dropped or swapped to get from one word to
/// the other; words of more than 64 letters are not compared.
pub(crate) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().max(b.len()) > 64 {
        return usize::MAX;
    }
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |r: usize, c: usize| {
                rows.get(r).and_then(|r| r.get(c)).copied().unwrap_or(usize::MAX - 1)
            };
            let swap = match (i.checked_sub(1), j.checked_sub(1)) {
                (Some(p), Some(q)) if a.get(p) == Some(y) && b.get(q) == Some(x) => at(p, q) + 1,
                _ => usize::MAX,
            };
            let change = at(i, j) + usize::from(x != y);
            let add = row.last().copied().unwrap_or(0) + 1;
            row.push(change.min(add).min(at(i, j + 1) + 1).min(swap));
        }
        rows.push(row);
    }
    rows.last().and_then(|r| r.last()).copied().unwrap_or(0)
}

/// Which of the names is most like this one, when it is so like that it is a slip of the pen.
pub(crate) fn nearest<'a>(name: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.into_iter().map(|n| (distance(name, n), n));
    let near = near.filter(|(d, n)| *d > 0 && *d <= 2 && *d * 3 <= n.len());
    near.min().map(|(_, n)| n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_pen_are_near() {
        assert_eq!(distance("oredrs", "orders"), 1);
        assert_eq!(distance("orders", "order"), 1);
        assert_eq!(nearest("oredrs", ["billing", "orders"]), Some("orders"));
        assert_eq!(nearest("db", ["pg", "billing"]), None);
        assert_eq!(nearest("orders", ["orders"]), None);
    }
}
