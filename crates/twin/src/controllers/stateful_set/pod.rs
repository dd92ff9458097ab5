//! The numbered pods of a StatefulSet.

use serde_json::json;

use super::{COMPONENT, Plan, REVISION, Refused, claims};
use crate::cluster::Context;
use crate::controllers::{place, revisions};
use crate::field;
use crate::kinds::POD;
use crate::registry::{DeleteOptions, Note};
use crate::store::Object;

/// The number at the end of a pod's name.
pub(super) fn ordinal(set: &str, pod: &str) -> Option<i64> {
    let digits = pod.strip_prefix(set)?.strip_prefix('-')?;
    let plain = digits == "0" || !digits.starts_with(['0', '+', '-']);
    digits.parse().ok().filter(|_| plain)
}

pub(super) fn create(
    context: &mut Context<'_>,
    plan: &Plan,
    revision: &str,
    number: i64,
) -> Result<(), Refused> {
    let set = &plan.set;
    let (namespace, name) = place(set);
    let pod_name = format!("{name}-{number}");
    let mut pod = revisions::pod_of(context, set, revision);
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("name".into(), pod_name.clone().into());
    let labels = metadata.entry("labels").or_insert(json!({}));
    labels[REVISION] = revision.into();
    labels["statefulset.kubernetes.io/pod-name"] = pod_name.clone().into();
    labels["apps.kubernetes.io/pod-index"] = number.to_string().into();
    let spec = field::child(&mut pod, "spec");
    spec.insert("hostname".into(), pod_name.clone().into());
    if let Some(service) = set["spec"]["serviceName"].as_str().filter(|text| !text.is_empty()) {
        spec.insert("subdomain".into(), service.into());
    }
    for template in field::list(set, "/spec/volumeClaimTemplates") {
        let volume = field::name(template);
        let claim = format!("{volume}-{pod_name}");
        let source = json!({"name": volume, "persistentVolumeClaim": {"claimName": claim}});
        let volumes = field::child(&mut pod, "spec").entry("volumes").or_insert(json!([]));
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.retain(|known| known["name"] != volume);
            volumes.push(source);
        }
    }
    claims::make(context, plan, &pod)?;
    let what = format!("Pod {pod_name} in StatefulSet {name}");
    match context.registry.create(&POD, &namespace, pod) {
        Ok(_) => {
            let text = format!("create {what} successful");
            tell(context, set, true, "SuccessfulCreate", &text);
            Ok(())
        }
        Err(why) => {
            if !why.is_ending_namespace() {
                let text = format!("create {what} failed error: {why}");
                tell(context, set, false, "FailedCreate", &text);
            }
            Err(Refused)
        }
    }
}

/// Tells of success with a capital letter, of failure without.
fn tell(context: &mut Context<'_>, set: &Object, good: bool, reason: &str, text: &str) {
    if !good {
        return context.tell(COMPONENT, set, &Note::warning(reason, text));
    }
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    let text: String = first.into_iter().chain(letters).collect();
    context.tell(COMPONENT, set, &Note::normal(reason, text));
}

/// A pod that has ended is removed, so that another can have its name.
pub(super) fn recreate(context: &mut Context<'_>, plan: &Plan, pod: &Object) {
    let (namespace, name) = place(&plan.set);
    let ended = field::text(pod, "/status/phase") == "Failed";
    let (reason, what) = match ended {
        true => ("RecreatingFailedPod", "failed"),
        false => ("RecreatingTerminatedPod", "terminated"),
    };
    let text =
        format!("StatefulSet {namespace}/{name} is recreating {what} Pod {}", field::name(pod));
    let note = if ended { Note::warning(reason, text) } else { Note::normal(reason, text) };
    context.tell(COMPONENT, &plan.set, &note);
    delete(context, plan, pod);
}

pub(super) fn delete(context: &mut Context<'_>, plan: &Plan, pod: &Object) {
    let (namespace, name) = place(pod);
    let set = &plan.set;
    let options = DeleteOptions::default();
    if context.registry.delete(&POD, &namespace, &name, &options).is_ok() {
        let text = format!("delete Pod {name} in StatefulSet {} successful", field::name(set));
        tell(context, set, true, "SuccessfulDelete", &text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_plain() {
        for (name, expected) in [
            ("db-0", Some(0)),
            ("db-12", Some(12)),
            ("db-01", None),
            ("db-x", None),
            ("db-", None),
            ("web-1", None),
        ] {
            assert_eq!(ordinal("db", name), expected, "{name}");
        }
    }
}
