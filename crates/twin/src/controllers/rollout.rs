//! The arithmetic of a rollout, and the status of a Deployment.

use model::Timestamp;
use serde_json::Value;

use super::deployment::COMPONENT;
use crate::cluster::Context;
use crate::field::{self, number};
use crate::kinds::{DEPLOYMENT, REPLICA_SET};
use crate::registry::{Note, Part};
use crate::store::Object;
use crate::world::{condition_mut, drop_condition, set_condition};

/// A count or a percentage of `total`, rounded up or down.
fn share(value: Option<&Value>, total: i64, up: bool) -> i64 {
    let text = value.and_then(Value::as_str).and_then(|t| t.strip_suffix('%'));
    let share = match text.and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) if up => total.saturating_mul(percent).saturating_add(99).div_euclid(100),
        Some(percent) => total.saturating_mul(percent).div_euclid(100),
        None => value.and_then(Value::as_i64).unwrap_or(0),
    };
    share.clamp(0, i64::from(i32::MAX))
}

/// How many pods there may be above, and may be missing below the wanted number.
fn margins(deployment: &Value) -> (i64, i64) {
    let total = number(deployment, "/spec/replicas");
    let at = |key: &str| deployment.pointer(&format!("/spec/strategy/rollingUpdate/{key}"));
    if field::text(deployment, "/spec/strategy/type") == "Recreate" {
        return (0, total);
    }
    let (surge, missing) =
        (share(at("maxSurge"), total, true), share(at("maxUnavailable"), total, false));
    // Both zero would allow no step at all.
    if surge == 0 && missing == 0 { (0, 1) } else { (surge, missing) }
}

/// The most pods there may be at a time.
pub(super) fn most_pods(deployment: &Value) -> i64 {
    number(deployment, "/spec/replicas") + margins(deployment).0
}

/// One step from the old sets to the new one.
pub(super) fn advance(
    context: &mut Context<'_>,
    deployment: &Object,
    new: &Object,
    old: &[Object],
) {
    let wanted = number(deployment, "/spec/replicas");
    let (surge, missing) = margins(deployment);
    let of = |set: &Object| number(set, "/spec/replicas");
    let old_total: i64 = old.iter().map(of).sum();
    let recreate = field::text(deployment, "/spec/strategy/type") == "Recreate";
    let old_running: i64 = old.iter().map(|s| number(s, "/status/replicas")).sum();
    let target = match () {
        () if old.is_empty() || old_total == 0 && (!recreate || old_running == 0) => wanted,
        () if recreate => of(new),
        () => (wanted + surge - old_total).clamp(of(new).min(wanted), wanted),
    };
    scale(context, deployment, new, target);
    if recreate {
        for set in old {
            scale(context, deployment, set, 0);
        }
        return;
    }
    let available = |set: &Object| number(set, "/status/availableReplicas");
    let ready: i64 = old.iter().map(available).sum::<i64>() + available(new);
    let new_missing = (of(new) - available(new)).max(0);
    let mut removable = old_total + of(new) - (wanted - missing) - new_missing;
    // Pods that are not available go first: nobody misses them.
    for set in old {
        let useless = (of(set) - available(set)).clamp(0, removable.max(0));
        scale(context, deployment, set, of(set) - useless);
        removable -= useless;
    }
    let mut spare = (ready - (wanted - missing)).min(removable).max(0);
    for set in old {
        let kept = of(set).min(available(set));
        let less = kept.min(spare);
        if less > 0 {
            scale(context, deployment, set, kept - less);
            spare -= less;
        }
    }
}

fn scale(context: &mut Context<'_>, deployment: &Object, set: &Object, to: i64) {
    let from = number(set, "/spec/replicas");
    if from == to {
        return;
    }
    let scaled = context.registry.modify(&REPLICA_SET, set, Part::Spec, |set| {
        set["spec"]["replicas"] = to.into();
    });
    if scaled.is_ok() {
        let way = if to > from { "up" } else { "down" };
        let text = format!("Scaled {way} replica set {} from {from} to {to}", field::name(set));
        context.tell(COMPONENT, deployment, &Note::normal("ScalingReplicaSet", text));
    }
}

/// Counts and conditions of a Deployment; when its rollout will have taken too long.
pub(super) fn write_status(
    context: &mut Context<'_>,
    deployment: &Object,
    new: &str,
    sets: &[Object],
) -> Option<Timestamp> {
    let now = context.now();
    let total =
        |key: &str| -> i64 { sets.iter().map(|set| number(set, &format!("/status/{key}"))).sum() };
    let updated: i64 = sets
        .iter()
        .filter(|set| field::name(set) == new)
        .map(|set| number(set, "/status/replicas"))
        .sum();
    let wanted = number(deployment, "/spec/replicas");
    let (all, available) = (total("replicas"), total("availableReplicas"));
    let (ready, leaving) = (total("readyReplicas"), total("terminatingReplicas"));
    let failing = sets.iter().filter(|set| field::name(set) == new);
    let refusal = failing.filter_map(|set| field::condition(set, "ReplicaFailure")).next();
    let refusal = refusal.map(|condition| field::text(condition, "/message").to_owned());
    let enough = available >= wanted - margins(deployment).1;
    let complete = updated == wanted && all == wanted && available == wanted;
    let written = context.registry.modify(&DEPLOYMENT, deployment, Part::Status, |object| {
        let generation = object["metadata"]["generation"].clone();
        let before = counts(object);
        let status = field::child(object, "status");
        status.insert("observedGeneration".into(), generation);
        for (key, n) in [
            ("replicas", all),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", (wanted.max(all) - available).max(0)),
        ] {
            match n {
                0 => drop(status.remove(key)),
                n => drop(status.insert(key.into(), n.into())),
            }
        }
        status.insert("terminatingReplicas".into(), leaving.into());
        let (is, reason, text) = match enough {
            true => ("True", "MinimumReplicasAvailable", "Deployment has minimum availability."),
            false => (
                "False",
                "MinimumReplicasUnavailable",
                "Deployment does not have minimum availability.",
            ),
        };
        stamp(object, "Available", is, (reason, text), &now.to_string(), now);
        match &refusal {
            Some(why) => {
                let told = ("FailedCreate", why.as_str());
                stamp(object, "ReplicaFailure", "True", told, &now.to_string(), now);
            }
            None => drop_condition(object, "ReplicaFailure"),
        }
        stamp_progress(object, new, (complete, counts(object) != before), now);
    });
    // The Deployment may have been removed by its own deletion.
    deadline(&*written.ok()?).filter(|at| *at > now)
}

/// Says how the rollout to the set `new` goes: whether it is `complete`, whether it just `moved`.
fn stamp_progress(object: &mut Value, new: &str, (complete, moved): (bool, bool), now: Timestamp) {
    // A rollout that was once complete stays so until the next one begins.
    let done = format!("ReplicaSet \"{new}\" has successfully progressed.");
    let was = field::condition(object, "Progressing").cloned().unwrap_or_default();
    let settled = field::text(&was, "/reason") == "NewReplicaSetAvailable"
        && field::text(&was, "/message") == done;
    let running = format!("ReplicaSet \"{new}\" is progressing.");
    let late = format!("ReplicaSet \"{new}\" has timed out progressing.");
    let given_up = field::text(&was, "/reason") == LATE;
    let overdue = !moved && (given_up || deadline(object).is_some_and(|at| at <= now));
    let (is, told) = match () {
        () if complete || settled => ("True", ("NewReplicaSetAvailable", done.as_str())),
        () if overdue => ("False", (LATE, late.as_str())),
        () => ("True", ("ReplicaSetUpdated", running.as_str())),
    };
    stamp(object, "Progressing", is, told, &now.to_string(), now);
    if let Some(condition) = condition_mut(object, "Progressing").filter(|_| moved && !settled) {
        condition["lastUpdateTime"] = now.to_string().into();
    }
}

/// The reason of a rollout that took too long.
const LATE: &str = "ProgressDeadlineExceeded";

/// What counts as progress when it changes.
fn counts(object: &Value) -> [i64; 3] {
    ["updatedReplicas", "readyReplicas", "availableReplicas"]
        .map(|key| number(object, &format!("/status/{key}")))
}

/// When a rollout that makes no progress will have taken too long.
fn deadline(object: &Value) -> Option<Timestamp> {
    let progressing = field::condition(object, "Progressing")?;
    let is_over = matches!(field::text(progressing, "/reason"), "NewReplicaSetAvailable" | LATE);
    if is_over || field::flag(object, "/spec/paused") {
        return None;
    }
    let since = field::time(progressing, "/lastUpdateTime")?;
    Some(since.plus_seconds(number(object, "/spec/progressDeadlineSeconds")))
}

/// Sets a condition and, if it changed, its time of update.
fn stamp(
    object: &mut Value,
    kind: &str,
    status: &str,
    told: (&str, &str),
    at: &str,
    now: model::Timestamp,
) {
    let before = field::condition(object, kind).cloned();
    set_condition(object, kind, status, told, now);
    let same = |c: &Value, b: &Value| {
        ["status", "reason", "message"].iter().all(|key| c.get(*key) == b.get(*key))
    };
    if let Some(condition) = condition_mut(object, kind)
        && !before.is_some_and(|b| same(condition, &b))
    {
        condition["lastUpdateTime"] = at.into();
    }
}
