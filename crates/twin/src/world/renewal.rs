//! Leases that are written: controllers outside the twin see only what is stored, so that for
//! them every heartbeat has to be a write.

use std::sync::Arc;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::LEASE;
use crate::registry::{NODE_LEASES, Part};
use crate::store::Change;

/// Kubelets renew their leases this often.
const PERIOD: i64 = 10 * SECOND;

/// Writes the leases of all nodes whose kubelet is heard of.
#[derive(Debug, Default)]
pub(crate) struct Renewal;

impl Actor for Renewal {
    fn name(&self) -> &str {
        "lease-renewal"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == LEASE.storage && change.before.is_none()
    }

    fn feels_heartbeats(&self) -> bool {
        true
    }

    fn step(&mut self, _: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        let alive = context.registry.heartbeats.iter().filter(|(_, beat)| beat.stopped.is_none());
        let alive: Vec<String> = alive.map(|(name, _)| name.clone()).collect();
        for name in &alive {
            let found = context.registry.get(&LEASE, NODE_LEASES, name).map(Arc::clone);
            let Ok(lease) = found else { continue };
            let last = field::time(&lease, "/spec/renewTime");
            if last.is_some_and(|last| plus(last, PERIOD) > now) {
                continue;
            }
            let written = context.registry.modify(&LEASE, &lease, Part::Spec, |lease| {
                lease["spec"]["renewTime"] = field::micro_time(now).into();
            });
            drop(written);
        }
        if !alive.is_empty() {
            context.wake(plus(now, PERIOD));
        }
    }
}
