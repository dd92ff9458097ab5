//! Aggregated cluster roles: the rules of those that their selectors mean.

use std::sync::Arc;

use serde_json::Value;

use super::selects;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::CLUSTER_ROLE;
use crate::registry::Part;
use crate::store::{Change, Object, Store};

const SELECTORS: &str = "/aggregationRule/clusterRoleSelectors";

/// The controller.
#[derive(Debug)]
pub(super) struct ClusterRoles;

impl Actor for ClusterRoles {
    fn name(&self) -> &str {
        "clusterrole-aggregation-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == CLUSTER_ROLE.storage
    }

    fn step(&mut self, _: &[Arc<Change>], context: &mut Context<'_>) {
        let store = &context.registry.store;
        let roles = store.table(CLUSTER_ROLE.storage).values();
        let stale: Vec<(Object, Vec<Value>)> = roles
            .filter(|role| !field::list(role, SELECTORS).is_empty())
            .map(|role| (Arc::clone(role), gathered(store, role)))
            .filter(|(role, rules)| field::list(role, "/rules") != rules)
            .collect();
        for (role, rules) in stale {
            let written = context.registry.modify(&CLUSTER_ROLE, &role, Part::Spec, |role| {
                role["rules"] = rules.into();
            });
            // The role may be gone by now.
            drop(written);
        }
    }
}

/// The rules of all roles that an aggregated one gathers, each once.
fn gathered(store: &Store, role: &Value) -> Vec<Value> {
    let mut rules: Vec<Value> = Vec::new();
    for selector in field::list(role, SELECTORS) {
        let others = store.table(CLUSTER_ROLE.storage).values();
        for other in others.filter(|other| field::name(other) != field::name(role)) {
            if !selects(selector, other) {
                continue;
            }
            for rule in field::list(other, "/rules") {
                if !rules.contains(rule) {
                    rules.push(rule.clone());
                }
            }
        }
    }
    rules
}
