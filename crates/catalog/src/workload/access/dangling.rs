//! Bindings that name roles which do not exist: a contradiction, whether anybody complains or
//! not.

use model::record::AccessBinding;
use model::{Certainty, Finding, Findings, Snapshot, State};

use super::asked::account_of;
use super::judge::role_ref;
use crate::evidence;
use crate::pod::edit::nearest;
use crate::workload::rbac_denied::KIND;

pub(crate) fn detect(now: &Snapshot, findings: &mut Findings) {
    for binding in now.bindings.iter().filter(|b| !b.role.1.is_empty()) {
        let role = role_ref(binding);
        let told = |f: &Finding| f.object == binding.meta.object(binding.kind);
        if now.is_missing(role.kind, &role.namespace, &role.name)
            && !findings.found.iter().any(told)
        {
            findings.found.extend(dangling(binding, now));
        }
    }
}

/// A binding without role matters where a workload uses the account it is for.
fn dangling(binding: &AccessBinding, now: &Snapshot) -> Option<Finding> {
    let object = binding.meta.object(binding.kind);
    let role = role_ref(binding);
    let accounts = binding.subjects.iter().filter(|s| s.kind == "ServiceAccount");
    let mut users = accounts.flat_map(|s| {
        let namespace = if s.namespace.is_empty() { &binding.meta.namespace } else { &s.namespace };
        now.apps_in(namespace).iter().filter(|a| account_of(a) == Some(s.name.as_str()))
    });
    let app = users.next()?;
    let here = now.roles.in_namespace(&role.namespace).filter(|r| r.kind == role.kind);
    let near = nearest(&role.name, here.map(|r| r.meta.name.as_str()));
    let expected = match near {
        Some(near) => format!("{near}, which exists"),
        None => format!("a {} that exists", role.kind),
    };
    let value = format!("{}/{}", role.kind, role.name);
    let headline = format!(
        "{} {object} gives {} {} the {} {role}, which does not exist",
        object.kind, app.object.kind, app.object, role.kind
    );
    let look = format!("kubectl logs {}", app.object.for_kubectl());
    let fact = evidence::field(binding.meta.source, &object, "roleRef", &*value);
    let finding = Finding::new(KIND.id, "role-missing", object, headline)
        .field("roleRef.name", role.name.as_str(), expected)
        .evidence([fact])
        .unsure(Certainty::Likely, &[], look)
        .affects(app.object.clone(), "may lack what the role was to allow");
    // Whoever is well may do without the role.
    Some(if app.lost_replicas() == 0 { finding.state(State::Suspected) } else { finding })
}
