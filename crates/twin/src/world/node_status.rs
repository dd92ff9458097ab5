//! What a kubelet tells of its own node: the container runtime is gone, the kubelet is back.

use model::Timestamp;
use serde_json::{Value, json};

use super::kubelet::Stage;
use super::machine::Machine;
use super::status::set_condition;
use crate::cluster::Context;
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::registry::{Note, Part};
use crate::scenario::conditions;
use crate::store::Object;

/// The runtime counts as down after this long without an answer.
const RUNTIME_PATIENCE: i64 = 30 * SECOND;
/// The list of pods counts as stale after this long.
const RELIST_PATIENCE: i64 = 180 * SECOND;
/// A kubelet looks at its node's status this often.
const PERIOD: i64 = 10 * SECOND;

impl Machine {
    /// The container runtime stops answering: what runs goes on, nothing starts or stops.
    pub(super) fn lose_runtime(&mut self, context: &Context<'_>) {
        let now = context.now();
        if self.runtime_lost.is_none() {
            self.runtime_lost = Some(now);
            self.report_at = Some(self.look_after(context, plus(now, RUNTIME_PATIENCE)));
        }
    }

    /// The first look at the node's status at or after `at`.
    fn look_after(&self, context: &Context<'_>, at: Timestamp) -> Timestamp {
        let beat = context.registry.heartbeats.get(&self.node);
        let since = beat.map_or(at, |beat| beat.since);
        let gone = at.micros().saturating_sub(since.micros()).max(0);
        plus(since, (gone + PERIOD - 1) / PERIOD * PERIOD)
    }

    /// Posts the node's status if its time has come.
    pub(super) fn report(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let (Some(lost), Some(_)) = (self.runtime_lost, self.report_at.filter(|at| *at <= now))
        else {
            return;
        };
        let down = "container runtime is down";
        let silent = now.micros().saturating_sub(lost.micros());
        let message = if silent < RELIST_PATIENCE {
            self.report_at = Some(self.look_after(context, plus(lost, RELIST_PATIENCE)));
            down.to_owned()
        } else {
            self.report_at = None;
            let seen = silent / SECOND;
            format!(
                "[{down}, PLEG is not healthy: pleg was last seen active {}m{}s ago; threshold \
                 is 3m0s]",
                seen / 60,
                seen % 60
            )
        };
        let Some(node) = self.own(context) else { return };
        let posted = context.registry.modify(&NODE, &node, Part::Status, |node| {
            set_condition(node, "Ready", "False", ("KubeletNotReady", &message), now);
        });
        drop(posted);
        self.announce(context, "NodeNotReady");
    }

    /// The kubelet and the runtime are started again: it reads its pods anew and goes on.
    pub(super) fn come_back(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        (self.runtime_lost, self.report_at) = (None, None);
        context.registry.revive(&self.node);
        let Some(node) = self.own(context) else { return };
        let fresh = conditions(&now.to_string());
        let posted = context.registry.modify(&NODE, &node, Part::Status, |node| {
            for condition in &fresh {
                let of = |key: &str| field::text(condition, key);
                let told = (of("/reason"), of("/message"));
                set_condition(node, of("/type"), of("/status"), told, now);
            }
        });
        drop(posted);
        self.tell(context, &self.reference(), &Note::normal("Starting", "Starting kubelet."));
        self.announce(context, "NodeReady");
        self.read_anew(context);
    }

    /// Pods came, changed and went while the kubelet did not listen.
    fn read_anew(&mut self, context: &mut Context<'_>) {
        let mine = |pod: &&Object| field::text(pod, "/spec/nodeName") == self.node;
        let pods = context.registry.store.table(POD.storage).values();
        let pods: Vec<Object> = pods.filter(mine).cloned().collect();
        let there: Vec<&str> = pods.iter().map(|pod| field::uid(pod)).collect();
        let gone: Vec<String> =
            self.pods.keys().filter(|uid| !there.contains(&uid.as_str())).cloned().collect();
        for uid in gone {
            self.forget(&uid);
        }
        for pod in &pods {
            self.take_note(context, pod);
            let runs = self.pods.get(field::uid(pod)).is_some_and(|r| r.stage == Stage::Running);
            if runs {
                self.post(context, field::uid(pod));
            }
        }
    }

    fn own(&self, context: &Context<'_>) -> Option<Object> {
        context.registry.get(&NODE, "", &self.node).ok().cloned()
    }

    /// A kubelet knows its Node by name only and puts it as the uid.
    pub(super) fn reference(&self) -> Value {
        json!({
            "kind": "Node", "apiVersion": "v1",
            "metadata": {"name": self.node, "uid": self.node},
        })
    }

    fn announce(&self, context: &mut Context<'_>, state: &'static str) {
        let text = format!("Node {} status is now: {state}", self.node);
        self.tell(context, &self.reference(), &Note::normal(state, text));
    }
}
