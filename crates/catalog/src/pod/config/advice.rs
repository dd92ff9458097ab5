//! What to do about a reference that does not hold.

use model::{Finding, Kind, ObjectRef, Patch, Remedy, Risk, Snapshot, Step};

use super::lack;
use crate::pod::edit::namespace_option;

/// Steps for a missing config map, secret, key or account.
pub(crate) fn remedy(finding: &Finding, now: &Snapshot) -> Remedy {
    let object = finding.object.for_kubectl();
    let namespace = namespace_option(&finding.object.namespace);
    let expected = finding.expected.as_deref().unwrap_or_default();
    let value = finding.value.as_deref().unwrap_or_default();
    let is_config = matches!(finding.object.kind, Kind::ConfigMap | Kind::Secret);
    let mut next = Vec::new();
    if !is_config {
        let meant = expected.split([',', ' ']).next().unwrap_or_default();
        let known = expected.contains("exists") || expected.contains("revision before");
        let known = known || (expected.contains("has") && finding.mechanism == "key-missing");
        if known {
            next.push(edit(finding, format!("Correct the name to {meant}"), &object));
        }
    }
    let missing = missing(finding, value);
    match finding.mechanism {
        "key-missing" => next.extend(key_steps(finding, &missing, value, now)),
        "config-map-missing" | "secret-missing" | "service-account-missing" => {
            let first = next.is_empty();
            next.push(create(finding.mechanism, &missing.name, &namespace, first));
        }
        _ => {}
    }
    let has_history = now.app(&finding.object).is_some_and(|a| a.sets.len() > 1);
    if finding.object.kind == Kind::Deployment && has_history {
        next.push(Step::change(
            "Or go back to the revision before",
            format!("kubectl rollout undo {object}"),
            format!("kubectl rollout undo {object}"),
        ));
    }
    Remedy {
        next,
        do_not: vec![
            "Do not delete the waiting pods: the kubelet tries again by itself, and their \
             successors name the same thing"
                .into(),
            "Do not mark the reference as optional to get going: the program would start without \
             its settings"
                .into(),
        ],
    }
}

/// The object that is missing, or lacks the key.
fn missing(finding: &Finding, value: &str) -> ObjectRef {
    let is_config = |k: Kind| matches!(k, Kind::ConfigMap | Kind::Secret | Kind::ServiceAccount);
    if is_config(finding.object.kind) {
        return finding.object.clone();
    }
    let told = finding.evidence.iter().find(|e| is_config(e.object.kind));
    let kind = match finding.mechanism {
        "secret-missing" => Kind::Secret,
        "service-account-missing" => Kind::ServiceAccount,
        _ => Kind::ConfigMap,
    };
    let made = || ObjectRef::new(kind, &finding.object.namespace, value);
    told.map_or_else(made, |e| e.object.clone())
}

fn edit(finding: &Finding, what: String, object: &str) -> Step {
    let field = finding.field.as_deref().unwrap_or_default();
    Step {
        what: format!("{what} ({field})"),
        command: Some(format!("kubectl edit {object}")),
        risk: Risk::Reversible,
        undo: (finding.object.kind == Kind::Deployment)
            .then(|| format!("kubectl rollout undo {object}")),
    }
}

fn create(mechanism: &str, name: &str, namespace: &str, first: bool) -> Step {
    let begin = if first { "Apply" } else { "Or apply" };
    let (kind, how) = match mechanism {
        "secret-missing" => ("secret", "secret generic"),
        "service-account-missing" => ("serviceaccount", "serviceaccount"),
        _ => ("configmap", "configmap"),
    };
    let data = if kind == "serviceaccount" { "" } else { " --from-env-file=FILE" };
    Step::change(
        format!("{begin} the {kind} {name} from where its source is kept, else make it anew"),
        format!("kubectl create {how} {name}{namespace}{data}"),
        format!("kubectl delete {kind} {name}{namespace}"),
    )
}

fn key_steps(finding: &Finding, at: &ObjectRef, key: &str, now: &Snapshot) -> Vec<Step> {
    let word = lack::word(at.kind);
    let key = key.trim_start_matches("no key ");
    if at.name.is_empty() || at.name == key {
        let look = format!("kubectl describe {}", finding.object.for_kubectl());
        return vec![Step::look(format!("See which {word} it takes the key {key} from"), look)];
    }
    let look = Step::look(
        format!("See which keys {word} {} has", at.name),
        format!("kubectl describe {}", at.for_kubectl()),
    );
    let fixed = now.named(at.kind, &at.namespace, &at.name).is_some_and(|n| n.immutable);
    let add = if fixed {
        let text = format!(
            "{} is immutable: make a new {word} with the key {key} and name that one",
            at.name
        );
        Step::advice(text)
    } else {
        let part = if at.kind == Kind::Secret { "stringData" } else { "data" };
        let object = at.for_kubectl();
        Step::change(
            format!("Or add the key {key} to it"),
            format!("kubectl patch {object} -p '{{\"{part}\":{{\"{key}\":\"VALUE\"}}}}'"),
            format!("kubectl patch {object} -p '{{\"data\":{{\"{key}\":null}}}}'"),
        )
    };
    vec![look, add]
}

/// Nobody here knows what the settings are.
pub(crate) fn prevent(_: &model::Gap, _: &Snapshot) -> Option<Patch> {
    None
}
