//! `/metrics`: how near the server is to its limits, for Prometheus.

use super::{Reply, TEXT};
use crate::registry::{HISTORY_LIMIT, MOST_BODY_BYTES, MOST_WATCHES, Registry};

pub(super) fn answer(registry: &Registry) -> Reply {
    let meters = &registry.meters;
    let rows = [
        ("request_body_limit_bytes", "gauge", MOST_BODY_BYTES as u64),
        ("request_bodies_refused_total", "counter", meters.bodies_refused),
        ("watch_limit", "gauge", MOST_WATCHES),
        ("watches_open", "gauge", meters.watches_open),
        ("watches_opened_total", "counter", meters.watches_opened),
        ("watches_refused_total", "counter", meters.watches_refused),
        ("history_limit_changes", "gauge", HISTORY_LIMIT as u64),
        ("history_changes", "gauge", registry.store.remembered() as u64),
        ("resource_version", "counter", registry.store.rv()),
    ];
    let mut text = String::new();
    for (name, kind, value) in rows {
        text.push_str(&format!("# TYPE twin_{name} {kind}\ntwin_{name} {value}\n"));
    }
    Reply::bytes(200, TEXT, text.into())
}
