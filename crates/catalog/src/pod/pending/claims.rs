//! Pods that wait for a claim: one that does not exist is the workload's own fault, one that
//! is not bound is told by the failure kind of claims.

use model::record::VolumeSource;
use model::{Certainty, Kind, Role, Snapshot};

use super::cause::Cause;
use super::message::{Reason, Refusal};
use super::told::Waiting;
use crate::evidence;
use crate::pod::edit::{nearest, spec_field};

/// Why the pods wait for a claim, if they do.
pub(crate) fn of(waiting: &Waiting<'_>, now: &Snapshot) -> Option<Cause> {
    let refusal = waiting.told.as_ref().and_then(|t| t.refusal.as_ref());
    let names = claims(waiting, now);
    if let Some(missing) = missing(&names, refusal, waiting, now) {
        return Some(missing_claim(missing, waiting, now));
    }
    let says_so = |r: &Refusal| r.has(|r| matches!(r, Reason::ClaimUnbound | Reason::NoVolume));
    if !refusal.is_none_or(says_so) {
        return None;
    }
    let pending = names.iter().copied().find(|n| is_pending(n, refusal.is_some(), waiting, now));
    if refusal.is_none() && pending.is_none() {
        return None;
    }
    let object = waiting.app.object.clone();
    let Some(claim) = pending else {
        let claim = names.first().copied().unwrap_or("(not shown)");
        let mut cause = Cause::new("claim-unbound", object, "a claim of it is not bound");
        cause = cause.at(spec_field(waiting.app, "volumes"), claim.into(), "a bound claim".into());
        cause.certainty = Certainty::Proven;
        cause.role = Role::Symptom;
        return Some(cause);
    };
    let why = format!("its claim {claim} is not bound");
    let mut cause = Cause::new("claim-unbound", object, why).at(
        spec_field(waiting.app, "volumes"),
        claim.into(),
        "a bound claim".into(),
    );
    cause.role = Role::Symptom;
    if let Some(found) = now.claims.get(&waiting.app.object.namespace, claim) {
        let about = found.meta.object(Kind::PersistentVolumeClaim);
        let fact = evidence::field(found.meta.source, &about, "status.phase", &*found.phase);
        cause.evidence.push(fact);
    }
    Some(cause)
}

/// Claims of the waiting pods.
fn claims<'s>(waiting: &'s Waiting<'_>, now: &'s Snapshot) -> Vec<&'s str> {
    let volumes = waiting.spec.iter().flat_map(|s| s.volumes.iter());
    let own: Vec<&str> = volumes
        .filter_map(|v| match &v.source {
            VolumeSource::Claim(name) => Some(name.as_str()),
            _ => None,
        })
        .collect();
    if own.is_empty() { now.claims_of(waiting.app) } else { own }
}

/// A claim that does not exist: the scheduler says so, or the list does.
fn missing<'n>(
    names: &[&'n str],
    refusal: Option<&'n Refusal>,
    waiting: &Waiting<'_>,
    now: &Snapshot,
) -> Option<&'n str> {
    let namespace = &waiting.app.object.namespace;
    let told = refusal.into_iter().flat_map(|r| &r.reasons).find_map(|(_, r)| match r {
        Reason::ClaimMissing(name) => Some(name.as_str()),
        _ => None,
    });
    // Made since: the scheduler's word is old.
    let told = told.filter(|n| !now.exists(Kind::PersistentVolumeClaim, namespace, n));
    let listed = || {
        let gone = |n: &&&str| now.is_missing(Kind::PersistentVolumeClaim, namespace, n);
        names.iter().find(gone).copied().filter(|_| {
            refusal.is_none_or(|r| r.has(|r| matches!(r, Reason::ClaimUnbound | Reason::NoVolume)))
        })
    };
    told.or_else(listed)
}

fn missing_claim(claim: &str, waiting: &Waiting<'_>, now: &Snapshot) -> Cause {
    let app = waiting.app;
    let named = |name: &str| match app.spec() {
        Some(spec) => {
            spec.volumes.iter().find(|v| matches!(&v.source, VolumeSource::Claim(n) if n == name))
        }
        None => None,
    };
    let volume = named(claim).map_or("*", |v| v.name.as_str());
    let field = format!("volumes[{volume}].persistentVolumeClaim.claimName");
    let here = now.claims.in_namespace(&app.object.namespace);
    let near = nearest(claim, here.map(|c| c.meta.name.as_str()));
    let expected = near.map_or_else(
        || format!("a claim of this name in namespace {}", app.object.namespace),
        |n| format!("{n}, which exists"),
    );
    let why = format!("its claim {claim} does not exist");
    Cause::new("claim-unbound", app.object.clone(), why).at(
        spec_field(app, &field),
        claim.into(),
        expected,
    )
}

/// Whether a claim is known to wait. One that waits for its first pod is none to wait for,
/// unless the scheduler itself complains.
fn is_pending(name: &str, told: bool, waiting: &Waiting<'_>, now: &Snapshot) -> bool {
    let Some(claim) = now.claims.get(&waiting.app.object.namespace, name) else { return false };
    let class = claim.class.as_deref().and_then(|c| now.storage_classes.get("", c));
    let lazy = class.is_some_and(|c| c.waits_for_consumer);
    matches!(claim.phase.as_str(), "Pending" | "Lost") && (told || !lazy)
}
