//! The arithmetic of a rollout, and the status of a Deployment.

use model::Timestamp;
use serde_json::Value;

use super::deployment::Sets;
use super::replica_sets::{self as sets, REVISION, scale};
use crate::cluster::Context;
use crate::field::{self, number};
use crate::kinds::DEPLOYMENT;
use crate::registry::Part;
use crate::store::Object;
use crate::world::{condition_mut, drop_condition, set_condition};

/// A count or a percentage of `total`, rounded up or down.
pub(super) fn share(value: Option<&Value>, total: i64, up: bool) -> i64 {
    let text = value.and_then(Value::as_str).and_then(|t| t.strip_suffix('%'));
    let share = match text.and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) if up => total.saturating_mul(percent).saturating_add(99).div_euclid(100),
        Some(percent) => total.saturating_mul(percent).div_euclid(100),
        None => value.and_then(Value::as_i64).unwrap_or(0),
    };
    share.clamp(0, i64::from(i32::MAX))
}

/// How many pods there may be above, and may be missing below the wanted number.
pub(super) fn margins(deployment: &Value) -> (i64, i64) {
    let total = number(deployment, "/spec/replicas");
    let at = |key: &str| deployment.pointer(&format!("/spec/strategy/rollingUpdate/{key}"));
    if is_recreate(deployment) {
        return (0, 0);
    }
    let (surge, missing) =
        (share(at("maxSurge"), total, true), share(at("maxUnavailable"), total, false));
    // Both zero would allow no step at all.
    if surge == 0 && missing == 0 { (0, 1) } else { (surge, missing) }
}

/// Whether old pods end before new ones start.
pub(super) fn is_recreate(deployment: &Value) -> bool {
    field::text(deployment, "/spec/strategy/type") == "Recreate"
}

/// The most pods there may be at a time.
pub(super) fn most_pods(deployment: &Value) -> i64 {
    number(deployment, "/spec/replicas") + margins(deployment).0
}

fn size(set: &Object) -> i64 {
    number(set, "/spec/replicas")
}

fn available(set: &Object) -> i64 {
    number(set, "/status/availableReplicas")
}

/// How many pods a new set begins with.
pub(super) fn first_size(deployment: &Value, old: &[Object]) -> i64 {
    grown(deployment, 0, old.iter().map(size).sum())
}

/// How large the new set may be, `others` besides it.
fn grown(deployment: &Value, now: i64, others: i64) -> i64 {
    let wanted = number(deployment, "/spec/replicas");
    if is_recreate(deployment) {
        return wanted;
    }
    let left = (most_pods(deployment) - others - now).max(0);
    now + left.min(wanted - now)
}

/// Stops all old pods; whether some had to be.
pub(super) fn stop_old(context: &mut Context<'_>, deployment: &Object, sets: &Sets) -> bool {
    let mut moved = false;
    for set in sets.old.iter().filter(|set| size(set) > 0) {
        moved |= scale(context, deployment, set, 0);
    }
    moved
}

/// One step from the old sets to the new one; whether there was one to take.
pub(super) fn advance(context: &mut Context<'_>, deployment: &Object, sets: &Sets) -> bool {
    let Some(new) = &sets.new else { return false };
    let wanted = number(deployment, "/spec/replicas");
    let others: i64 = sets.old.iter().map(size).sum();
    let target = match size(new) {
        large if large > wanted => wanted,
        now => grown(deployment, now, others),
    };
    if target != size(new) {
        return scale(context, deployment, new, target);
    }
    if is_recreate(deployment) || others == 0 {
        return false;
    }
    let least = wanted - margins(deployment).1;
    let mut removable = others + size(new) - least - (size(new) - available(new));
    if removable <= 0 {
        return false;
    }
    let mut moved = false;
    let mut sizes: Vec<i64> = sets.old.iter().map(size).collect();
    // Pods that are not available go first: nobody misses them.
    for (set, kept) in sets.old.iter().zip(&mut sizes) {
        let useless = (*kept - available(set)).clamp(0, removable);
        if useless > 0 {
            *kept -= useless;
            removable -= useless;
            moved |= scale(context, deployment, set, *kept);
        }
    }
    let mut spare = sets.all().map(available).sum::<i64>() - least;
    for (set, kept) in sets.old.iter().zip(&sizes) {
        let less = (*kept).min(spare);
        if less > 0 {
            spare -= less;
            moved |= scale(context, deployment, set, kept - less);
        }
    }
    moved
}

/// Notes the revision of the present set and, the first time or if it `is_new`, the set.
pub(super) fn note_set(
    context: &mut Context<'_>,
    deployment: &Object,
    (revision, (reason, message)): (i64, (&str, String)),
    is_new: bool,
) {
    let now = context.now();
    let patient = deployment["spec"]["progressDeadlineSeconds"].is_i64();
    let untold = field::condition(deployment, "Progressing").is_none();
    let told = sets::revision(deployment) == revision;
    if told && !(patient && (is_new || untold)) {
        return;
    }
    let written = context.registry.modify(&DEPLOYMENT, deployment, Part::Status, |deployment| {
        sets::annotations(deployment).insert(REVISION.into(), revision.to_string().into());
        if patient && (is_new || untold) {
            stamp(deployment, "Progressing", "True", (reason, &message), now);
        }
    });
    // The Deployment may be gone by now.
    drop(written);
}

/// A Deployment that is held says so, and so does one that goes on.
pub(super) fn note_pause(context: &mut Context<'_>, deployment: &Object) -> Object {
    let reason = field::condition(deployment, "Progressing").map(|c| field::text(c, "/reason"));
    let is_held = reason == Some("DeploymentPaused");
    let paused = field::flag(deployment, "/spec/paused");
    let patient = deployment["spec"]["progressDeadlineSeconds"].is_i64();
    if !patient || is_held == paused || reason == Some(LATE) {
        return deployment.clone();
    }
    let told = match paused {
        true => ("DeploymentPaused", "Deployment is paused"),
        false => ("DeploymentResumed", "Deployment is resumed"),
    };
    let now = context.now();
    let written = context.registry.modify(&DEPLOYMENT, deployment, Part::Status, |deployment| {
        stamp(deployment, "Progressing", "Unknown", told, now);
    });
    written.unwrap_or_else(|_| deployment.clone())
}

/// The new set could not be made.
pub(super) fn note_failure(context: &mut Context<'_>, deployment: &Object, why: &str) {
    let now = context.now();
    let written = context.registry.modify(&DEPLOYMENT, deployment, Part::Status, |deployment| {
        stamp(deployment, "Progressing", "False", ("ReplicaSetCreateError", why), now);
    });
    drop(written);
}

/// Whether a rollout is over, by a status.
pub(super) fn is_complete(deployment: &Value, status: &Value) -> bool {
    let wanted = number(deployment, "/spec/replicas");
    ["/updatedReplicas", "/replicas", "/availableReplicas"]
        .into_iter()
        .all(|key| number(status, key) == wanted)
        && number(status, "/observedGeneration") >= number(deployment, "/metadata/generation")
}

/// Counts and conditions of a Deployment; when its rollout will have taken too long.
pub(super) fn write_status(
    context: &mut Context<'_>,
    deployment: &Object,
    sets: &Sets,
) -> Option<Timestamp> {
    let now = context.now();
    let total =
        |key: &str| -> i64 { sets.all().map(|set| number(set, &format!("/status/{key}"))).sum() };
    let updated = sets.new.as_ref().map_or(0, |set| number(set, "/status/replicas"));
    let sizes: i64 = sets.all().map(size).sum();
    let (all, available) = (total("replicas"), total("availableReplicas"));
    let (ready, leaving) = (total("readyReplicas"), total("terminatingReplicas"));
    let failure = |set: &Object| field::condition(set, "ReplicaFailure").cloned();
    let refusal = sets.new.as_ref().and_then(failure);
    let refusal = refusal.or_else(|| sets.old.iter().find_map(failure));
    let wanted = number(deployment, "/spec/replicas");
    let enough = available >= wanted - unavailable_bound(deployment);
    let new = sets.new.as_ref().map(|set| field::name(set).to_owned());
    let written = context.registry.modify(&DEPLOYMENT, deployment, Part::Status, |object| {
        let before = object["status"].clone();
        let generation = object["metadata"]["generation"].clone();
        let status = field::child(object, "status");
        status.insert("observedGeneration".into(), generation);
        for (key, n) in [
            ("replicas", all),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", (sizes - available).max(0)),
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
        stamp(object, "Available", is, (reason, text), now);
        stamp_progress(object, new.as_deref(), &before, now);
        match &refusal {
            Some(why) => {
                let of = |key: &str| field::text(why, key).to_owned();
                let told = (of("/reason"), of("/message"));
                stamp(object, "ReplicaFailure", &of("/status"), (&told.0, &told.1), now);
            }
            None => drop_condition(object, "ReplicaFailure"),
        }
    });
    // The Deployment may have been removed by its own deletion.
    deadline(&*written.ok()?).filter(|at| *at > now)
}

/// How many pods may be missing of those that must be available; Recreate starts with none.
fn unavailable_bound(deployment: &Value) -> i64 {
    let wanted = number(deployment, "/spec/replicas");
    margins(deployment).1.min(wanted)
}

/// Says how the rollout goes, seen against the status as it was.
fn stamp_progress(object: &mut Value, new: Option<&str>, before: &Value, now: Timestamp) {
    if !object["spec"]["progressDeadlineSeconds"].is_i64() {
        return drop_condition(object, "Progressing");
    }
    let was = field::condition(object, "Progressing").cloned().unwrap_or_default();
    let all_new = number(object, "/status/replicas") == number(object, "/status/updatedReplicas");
    if all_new && field::text(&was, "/reason") == DONE {
        return;
    }
    let subject = match new {
        Some(new) => format!("ReplicaSet \"{new}\""),
        None => format!("Deployment \"{}\"", field::name(object)),
    };
    if is_complete(object, &object["status"]) {
        let text = format!("{subject} has successfully progressed.");
        stamp(object, "Progressing", "True", (DONE, &text), now);
    } else if has_moved(before, &object["status"]) {
        let text = format!("{subject} is progressing.");
        stamp(object, "Progressing", "True", ("ReplicaSetUpdated", &text), now);
        if let Some(condition) = condition_mut(object, "Progressing") {
            condition["lastUpdateTime"] = now.to_string().into();
        }
    } else if deadline(object).is_some_and(|at| at <= now) {
        let text = format!("{subject} has timed out progressing.");
        stamp(object, "Progressing", "False", (LATE, &text), now);
    }
}

/// More new pods, fewer old ones, or more of them ready.
fn has_moved(before: &Value, after: &Value) -> bool {
    let grows = |key: &str| number(after, key) > number(before, key);
    let old = |status: &Value| number(status, "/replicas") - number(status, "/updatedReplicas");
    grows("/updatedReplicas")
        || old(after) < old(before)
        || grows("/readyReplicas")
        || grows("/availableReplicas")
}

/// The reasons of a rollout that is over, and of one that took too long.
const DONE: &str = "NewReplicaSetAvailable";
const LATE: &str = "ProgressDeadlineExceeded";

/// When a rollout that makes no progress will have taken too long.
fn deadline(object: &Value) -> Option<Timestamp> {
    let progressing = field::condition(object, "Progressing")?;
    let is_over = matches!(field::text(progressing, "/reason"), DONE | LATE);
    if is_over || field::flag(object, "/spec/paused") {
        return None;
    }
    let since = field::time(progressing, "/lastUpdateTime")?;
    // The times are whole seconds: one more is waited for.
    Some(since.plus_seconds(object["spec"]["progressDeadlineSeconds"].as_i64()? + 1))
}

/// Sets a condition and, if it changed, its time of update.
fn stamp(object: &mut Value, kind: &str, status: &str, told: (&str, &str), now: Timestamp) {
    let before = field::condition(object, kind).cloned();
    set_condition(object, kind, status, told, now);
    let same = |c: &Value, b: &Value| {
        ["status", "reason", "message"].iter().all(|key| c.get(*key) == b.get(*key))
    };
    if let Some(condition) = condition_mut(object, kind)
        && !before.is_some_and(|b| same(condition, &b))
    {
        condition["lastUpdateTime"] = now.to_string().into();
    }
}
