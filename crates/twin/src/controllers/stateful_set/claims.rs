//! The claims of a StatefulSet's pods: made with them, and kept or not after them.

use serde_json::{Value, json};

use super::{COMPONENT, Plan, Refused};
use crate::cluster::Context;
use crate::controllers::place;
use crate::field;
use crate::kinds::PERSISTENT_VOLUME_CLAIM;
use crate::registry::{Note, Part};
use crate::store::Object;

fn name_of(template: &Value, pod: &Value) -> String {
    format!("{}-{}", field::name(template), field::name(pod))
}

/// Makes the claims of a pod that are not there yet.
pub(super) fn make(context: &mut Context<'_>, plan: &Plan, pod: &Value) -> Result<(), Refused> {
    let set = &plan.set;
    let (namespace, name) = place(set);
    for template in field::list(set, "/spec/volumeClaimTemplates") {
        let claim = name_of(template, pod);
        if context.registry.get(&PERSISTENT_VOLUME_CLAIM, &namespace, &claim).is_ok() {
            continue;
        }
        let mut made = template.clone();
        let metadata = field::child(&mut made, "metadata");
        metadata.insert("name".into(), claim.clone().into());
        let labels = metadata.entry("labels").or_insert(json!({}));
        for (key, value) in field::map(set, "/spec/selector/matchLabels").into_iter().flatten() {
            labels[key] = value.clone();
        }
        if keeps(set, "whenDeleted") {
            metadata.remove("ownerReferences");
        } else {
            metadata.insert("ownerReferences".into(), json!([holder(set, true)]));
        }
        let what = format!("Claim {claim} Pod {} in StatefulSet {name}", field::name(pod));
        match context.registry.create(&PERSISTENT_VOLUME_CLAIM, &namespace, made) {
            Ok(_) => {
                let text = format!("Create {what} success");
                context.tell(COMPONENT, set, &Note::normal("SuccessfulCreate", text));
            }
            Err(why) => {
                if !why.is_ending_namespace() {
                    let text = format!("create {what} failed error: {why}");
                    context.tell(COMPONENT, set, &Note::warning("FailedCreate", text));
                }
                return Err(Refused);
            }
        }
    }
    Ok(())
}

/// Whether claims outlive the set, or a pod that is no longer wanted.
fn keeps(set: &Value, when: &str) -> bool {
    let policy = set.pointer(&format!("/spec/persistentVolumeClaimRetentionPolicy/{when}"));
    policy.is_none_or(|policy| policy != "Delete")
}

/// A reference under which a claim goes with its holder.
fn holder(object: &Value, is_controller: bool) -> Value {
    let mut reference = json!({
        "apiVersion": object["apiVersion"], "kind": object["kind"],
        "name": field::name(object), "uid": field::uid(object),
    });
    if is_controller {
        reference["controller"] = true.into();
        reference["blockOwnerDeletion"] = true.into();
    }
    reference
}

/// Claims go with the set if they should, and with nothing else while their pod is wanted.
pub(super) fn keep(context: &mut Context<'_>, plan: &Plan) {
    let own = holder(&plan.set, true);
    let with_set = !keeps(&plan.set, "whenDeleted");
    for pod in &plan.pods {
        let wanted = plan.ordinal(pod).is_some_and(|number| plan.range().contains(&number));
        if wanted {
            let held: Vec<Value> = if with_set { vec![own.clone()] } else { Vec::new() };
            hold(context, plan, pod, &held);
        }
    }
}

/// The pod is no longer wanted: its claims go with it, if they should.
pub(super) fn condemn(context: &mut Context<'_>, plan: &Plan, pod: &Object) {
    if !keeps(&plan.set, "whenScaled") {
        hold(context, plan, pod, &[holder(pod, false)]);
    }
}

/// Gives the claims of a pod these owners in place of the set and the pod.
fn hold(context: &mut Context<'_>, plan: &Plan, pod: &Object, holders: &[Value]) {
    let namespace = field::namespace(pod);
    let ours = [field::uid(&plan.set), field::uid(pod)];
    for template in field::list(&plan.set, "/spec/volumeClaimTemplates") {
        let claim = name_of(template, pod);
        let found = context.registry.get(&PERSISTENT_VOLUME_CLAIM, namespace, &claim).cloned();
        let Ok(claim) = found else { continue };
        let known = field::list(&claim, "/metadata/ownerReferences");
        let mut next: Vec<Value> = known
            .iter()
            .filter(|reference| !ours.contains(&field::text(reference, "/uid")))
            .cloned()
            .collect();
        next.extend(holders.iter().cloned());
        if next == known {
            continue;
        }
        let held = context.registry.modify(&PERSISTENT_VOLUME_CLAIM, &claim, Part::Spec, |claim| {
            let metadata = field::child(claim, "metadata");
            match next.is_empty() {
                true => drop(metadata.remove("ownerReferences")),
                false => drop(metadata.insert("ownerReferences".into(), next.into())),
            }
        });
        // The claim may be gone by now.
        drop(held);
    }
}
