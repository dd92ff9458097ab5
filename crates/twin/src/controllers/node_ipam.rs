//! Node addresses: every node gets a range of its own for its pods.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::NODE;
use crate::registry::Part;
use crate::store::{Change, Object};

/// Under this name its writes are noted.
const MANAGER: &str = "kube-controller-manager";

/// The controller.
#[derive(Debug, Default)]
pub(super) struct NodeIpam;

impl Actor for NodeIpam {
    fn name(&self) -> &str {
        "node-ipam-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NODE.storage && change.before.is_none()
    }

    fn step(&mut self, _: &[Arc<Change>], context: &mut Context<'_>) {
        let nodes: Vec<Object> =
            context.registry.store.table(NODE.storage).values().cloned().collect();
        let range = |node: &Object| field::text(node, "/spec/podCIDR").to_owned();
        let mut taken: BTreeSet<String> = nodes.iter().map(range).collect();
        for node in nodes.iter().filter(|node| range(node).is_empty()) {
            let all = (0..65_536_u32).map(|n| format!("10.{}.{}.0/24", 244 ^ (n >> 8), n & 0xff));
            let Some(free) = all.into_iter().find(|range| !taken.contains(range)) else { return };
            let written = context.registry.modify_as(MANAGER, (&NODE, node, Part::Spec), |node| {
                let spec = field::child(node, "spec");
                spec.insert("podCIDR".into(), free.clone().into());
                spec.insert("podCIDRs".into(), json!([free]));
            });
            // The node may be gone by now.
            drop(written);
            taken.insert(free);
        }
    }
}
