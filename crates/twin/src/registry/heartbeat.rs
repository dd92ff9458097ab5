//! Node heartbeats, elided: no event renews a lease, its time is computed when it is read.

use model::Timestamp;
use serde_json::Value;

use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{Kind, LEASE, NODE};
use crate::store::{Object, sealed};

/// Namespace of the nodes' leases.
pub(crate) const NODE_LEASES: &str = "kube-node-lease";
/// A kubelet renews its lease this often.
const RENEWAL: i64 = 10 * SECOND;
/// A kubelet posts an unchanged status this often.
const STATUS: i64 = 300 * SECOND;

/// When a node's kubelet renews its lease.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heartbeat {
    /// The first renewal; the later ones follow every 10 s.
    pub since: Timestamp,
    /// When the kubelet stopped.
    pub stopped: Option<Timestamp>,
    /// Whether there is a machine behind it that answers requests.
    pub has_machine: bool,
}

impl Heartbeat {
    /// The last renewal up to `now`.
    pub fn renewed_at(&self, now: Timestamp) -> Timestamp {
        self.last(RENEWAL, now)
    }

    /// The last status posted without a change, up to `now`.
    fn status_at(&self, now: Timestamp) -> Timestamp {
        self.last(STATUS, now)
    }

    fn last(&self, period: i64, now: Timestamp) -> Timestamp {
        let end = self.stopped.map_or(now, |stopped| stopped.min(now));
        let alive = end.micros().saturating_sub(self.since.micros()).max(0);
        plus(self.since, alive / period * period)
    }

    /// The object with the times that were not worth a write.
    pub fn shown(&self, kind: &Kind, object: &Object, now: Timestamp) -> Object {
        let mut shown = Value::clone(object);
        if kind.storage == LEASE.storage {
            shown["spec"]["renewTime"] = field::micro_time(self.renewed_at(now)).into();
        } else if kind.storage == NODE.storage {
            self.show_heartbeat(&mut shown, now);
        }
        sealed(shown)
    }

    /// Conditions that the kubelet still posts carry its last heartbeat.
    fn show_heartbeat(&self, node: &mut Value, now: Timestamp) {
        let posted = self.status_at(now).to_string();
        let conditions = node.pointer_mut("/status/conditions").and_then(Value::as_array_mut);
        for condition in conditions.into_iter().flatten() {
            let posted_by_kubelet = field::text(condition, "/status") != "Unknown";
            if posted_by_kubelet && field::text(condition, "/lastHeartbeatTime") < posted.as_str() {
                condition["lastHeartbeatTime"] = posted.clone().into();
            }
        }
    }
}
