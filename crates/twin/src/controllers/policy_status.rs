//! Admission policies are told that they have been looked at.

use std::sync::Arc;

use serde_json::json;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::VALIDATING_POLICY;
use crate::registry::Part;
use crate::store::{Change, Object};

/// The controller. Expressions that cannot be read are refused when the policy is written, so
/// there is nothing to remark on here.
#[derive(Debug)]
pub(super) struct PolicyStatus;

impl Actor for PolicyStatus {
    fn name(&self) -> &str {
        "validatingadmissionpolicy-status-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == VALIDATING_POLICY.storage && change.after.is_some()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let seen = |policy: &&Object| {
            let generation = field::number(policy, "/metadata/generation");
            field::number(policy, "/status/observedGeneration") == generation
        };
        let fresh = changes.iter().filter_map(|change| change.after.as_ref());
        for policy in fresh.filter(|policy| !seen(policy)) {
            let written =
                context.registry.modify(&VALIDATING_POLICY, policy, Part::Status, |policy| {
                    let generation = policy["metadata"]["generation"].clone();
                    let status = field::child(policy, "status");
                    status.insert("observedGeneration".into(), generation);
                    status.insert("typeChecking".into(), json!({}));
                });
            // The policy may be gone by now.
            drop(written);
        }
    }
}
