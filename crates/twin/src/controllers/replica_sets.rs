//! The ReplicaSets of a Deployment: what they note of it, and changes of their size.

use serde_json::{Map, Value, json};

use super::deployment::{COMPONENT, Sets};
use super::rollout::{margins, most_pods};
use crate::cluster::Context;
use crate::field::{self, number};
use crate::kinds::REPLICA_SET;
use crate::registry::{Note, Part};
use crate::store::Object;

pub(super) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(super) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";
/// Annotations of a Deployment that its sets do not take over.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MOST,
    "deprecated.deployment.rollback.to",
];

pub(super) fn annotation<'a>(object: &'a Value, key: &str) -> Option<&'a str> {
    field::map(object, "/metadata/annotations")?.get(key)?.as_str()
}

pub(super) fn revision(object: &Value) -> i64 {
    annotation(object, REVISION).and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The annotations of an object, to be changed.
pub(super) fn annotations(object: &mut Value) -> &mut Map<String, Value> {
    let metadata = field::child(object, "metadata");
    let all = metadata.entry("annotations").or_insert(json!({}));
    field::child_of(all)
}

/// What a Deployment says of itself its sets say too.
pub(super) fn copy_annotations(deployment: &Value, to: &mut Map<String, Value>) {
    for (key, value) in field::map(deployment, "/metadata/annotations").into_iter().flatten() {
        if !OWN.contains(&key.as_str()) {
            to.insert(key.clone(), value.clone());
        }
    }
}

/// Gives a set another size, and notes what the Deployment wants; whether the size changed.
pub(super) fn scale(context: &mut Context<'_>, deployment: &Object, set: &Object, to: i64) -> bool {
    let from = number(set, "/spec/replicas");
    let scaled = context.registry.modify(&REPLICA_SET, set, Part::Spec, |set| {
        set["spec"]["replicas"] = to.into();
        let all = annotations(set);
        all.insert(DESIRED.into(), number(deployment, "/spec/replicas").to_string().into());
        all.insert(MOST.into(), most_pods(deployment).to_string().into());
    });
    if scaled.is_err() || from == to {
        return false;
    }
    let way = if to > from { "up" } else { "down" };
    let text = format!("Scaled {way} replica set {} from {from} to {to}", field::name(set));
    context.tell(COMPONENT, deployment, &Note::normal("ScalingReplicaSet", text));
    true
}

/// The wanted number changed: sets share the difference by their sizes.
pub(super) fn scale_all(context: &mut Context<'_>, deployment: &Object, sets: &Sets) {
    let wanted = number(deployment, "/spec/replicas");
    let active: Vec<&Object> = sets.all().filter(|set| number(set, "/spec/replicas") > 0).collect();
    let only = match active.as_slice() {
        [] => sets.new.as_ref().or(sets.old.last()),
        [one] => Some(*one),
        _ => None,
    };
    if let Some(set) = only {
        let told = annotation(set, DESIRED).is_none_or(|told| told == wanted.to_string());
        if number(set, "/spec/replicas") != wanted || !told {
            scale(context, deployment, set, wanted);
        }
        return;
    }
    if sets.new.as_ref().is_some_and(|new| is_saturated(deployment, new)) {
        for set in sets.old.iter().filter(|set| number(set, "/spec/replicas") > 0) {
            scale(context, deployment, set, 0);
        }
        return;
    }
    if field::text(deployment, "/spec/strategy/type") != "Recreate" {
        for (set, size) in shares(deployment, active) {
            scale(context, deployment, set, size);
        }
    }
}

fn is_saturated(deployment: &Value, set: &Value) -> bool {
    let wanted = number(deployment, "/spec/replicas");
    number(set, "/spec/replicas") == wanted
        && annotation(set, DESIRED).is_some_and(|told| told == wanted.to_string())
        && number(set, "/status/availableReplicas") == wanted
}

/// The new size of each set.
fn shares<'s>(deployment: &Value, mut active: Vec<&'s Object>) -> Vec<(&'s Object, i64)> {
    let wanted = number(deployment, "/spec/replicas");
    let most = wanted + margins(deployment).0;
    let size = |set: &Object| number(set, "/spec/replicas");
    let allowed = if wanted > 0 { most } else { 0 };
    let change = allowed - active.iter().map(|set| size(set)).sum::<i64>();
    let age = |set: &Object| field::text(set, "/metadata/creationTimestamp").to_owned();
    // The largest first; of equals the newest grow and the oldest shrink first.
    active.sort_by(|a, b| {
        let by_age = if change > 0 { age(b).cmp(&age(a)) } else { age(a).cmp(&age(b)) };
        size(b).cmp(&size(a)).then(by_age)
    });
    let mut done = 0;
    let mut sizes: Vec<(&Object, i64)> = Vec::new();
    for set in active {
        let left = change - done;
        let before = annotation(set, MOST).and_then(|text| text.parse::<i64>().ok());
        let base = before.unwrap_or_else(|| number(deployment, "/status/replicas")).max(1);
        let share = match wanted {
            0 => -size(set),
            _ => ((size(set) * most) as f64 / base as f64).round() as i64 - size(set),
        };
        let share = if change > 0 { share.min(left) } else { share.max(left) };
        let share = if left == 0 { 0 } else { share };
        done += share;
        sizes.push((set, size(set) + share));
    }
    if let Some((_, first)) = sizes.first_mut() {
        *first = (*first + change - done).max(0);
    }
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sealed;

    /// Sizes of old and new set before and after the wanted number changed.
    #[track_caller]
    fn check(wanted: i64, surge: i64, told_most: i64, sizes: &[i64], expected: &[i64]) {
        let deployment = json!({"spec": {"replicas": wanted, "strategy": {
            "rollingUpdate": {"maxSurge": surge, "maxUnavailable": 0},
        }}});
        let sets: Vec<Object> = sizes
            .iter()
            .enumerate()
            .map(|(age, size)| {
                sealed(json!({
                    "metadata": {
                        "name": age.to_string(),
                        "creationTimestamp": format!("2026-01-01T00:00:0{age}Z"),
                        "annotations": {MOST: told_most.to_string()},
                    },
                    "spec": {"replicas": size},
                }))
            })
            .collect();
        let mut found: Vec<_> = shares(&deployment, sets.iter().collect())
            .into_iter()
            .map(|(set, size)| (field::name(set).to_owned(), size))
            .collect();
        found.sort();
        let found: Vec<_> = found.into_iter().map(|(_, size)| size).collect();
        assert_eq!(found, expected, "{sizes:?} to {wanted}");
    }

    #[test]
    fn sets_share_a_change_by_their_sizes() {
        // Ten pods on their way, five and five, doubled and halved.
        check(20, 0, 10, &[5, 5], &[10, 10]);
        check(5, 0, 10, &[5, 5], &[2, 3]);
        check(30, 0, 10, &[8, 2], &[24, 6]);
        check(0, 0, 10, &[7, 3], &[0, 0]);
        check(12, 2, 12, &[7, 3], &[10, 4]);
    }
}
