//! What all actors of the cluster have in common.

use model::Timestamp;
use serde_json::Value;

use crate::kernel::{Dice, plus};
use crate::registry::{Note, Registry, Source};
use crate::scenario::Fault;
use crate::store::Change;
use crate::world::Behaviours;
use std::sync::Arc;

/// A controller or a kubelet: a state machine that is given changes and writes objects.
pub(crate) trait Actor {
    /// Its name; also the name of its dice.
    fn name(&self) -> &str;

    /// Whether it wants to hear of a change.
    fn reads(&self, change: &Change) -> bool;

    /// Whether it is woken when a node's heartbeat starts or stops.
    fn feels_heartbeats(&self) -> bool {
        false
    }

    /// Something from outside happens to the cluster; only machines feel it.
    fn hit(&mut self, _: &Fault, _: &mut Context<'_>) {}

    /// Acts on what changed and on what is due.
    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>);
}

/// What an actor may use while it acts.
pub(crate) struct Context<'a> {
    pub registry: &'a mut Registry,
    pub behaviours: &'a Behaviours,
    pub dice: &'a mut Dice,
    /// When it wants to act again.
    pub wake_at: Option<Timestamp>,
}

impl Context<'_> {
    pub fn now(&self) -> Timestamp {
        self.registry.now
    }

    /// Asks to be woken at `at` at the latest.
    pub fn wake(&mut self, at: Timestamp) {
        self.wake_at = Some(self.wake_at.map_or(at, |earlier| earlier.min(at)));
    }

    /// A moment from now, between `low` and `high` microseconds away.
    pub fn soon(&mut self, low: i64, high: i64) -> Timestamp {
        plus(self.registry.now, self.dice.between(low, high))
    }

    /// Records an event told by a component of the control plane.
    pub fn tell(&mut self, component: &str, object: &Value, note: &Note<'_>) {
        self.registry.tell(Source { component, host: "" }, object, note);
    }
}
