//! The running cluster: the registry, its actors, and the queue that moves them.
//!
//! Single-threaded and deterministic: an actor is woken by a change of an object it reads (with
//! a delay drawn from its own dice) or by a timer, and acts on the registry only.

mod actor;
mod boot;
mod component;
mod fault;
mod held;
mod log;

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;

pub(crate) use actor::{Actor, Context};
pub use held::UnknownObject;
pub use log::Recorded;

use crate::access::User;
use crate::kernel::{Dice, Queue, SECOND, plus};
use crate::kinds::EVENT;
use crate::registry::Registry;
use crate::scenario::{Component, Scenario};
use crate::store::{Change, Key};
use crate::world::Behaviours;

/// Events are forgotten this long after they were last told.
const EVENT_TTL: i64 = 3600 * SECOND;

/// The index of an actor in the cluster's list.
type ActorId = usize;

#[derive(Debug)]
enum Due {
    /// An actor, and in which of its lives.
    Wake(ActorId, u32),
    Fault(usize),
    Forget(Key),
    /// A component won its election, if nothing happened to it since this start.
    Lead(Component, u32),
}

/// An actor and what waits for it.
struct Seat {
    actor: Box<dyn Actor + Send>,
    dice: Dice,
    inbox: Vec<Arc<Change>>,
    /// The earliest wake that is already scheduled.
    wakes_at: Option<Timestamp>,
    /// The program that it is a part of; `None` outside the control plane.
    component: Option<Component>,
    /// Under this name it writes.
    user: Arc<User>,
    /// Counts its starts.
    life: u32,
    runs: bool,
}

/// A simulated cluster.
pub(crate) struct Cluster {
    pub registry: Registry,
    behaviours: Behaviours,
    seats: Vec<Seat>,
    /// The seats in the order of their actors' names.
    order: Vec<ActorId>,
    queue: Queue<Due>,
    scenario: Scenario,
    /// Changes up to this version were handed to the actors.
    handed: u64,
    /// The heartbeats that the actors were last woken for.
    beats: u64,
    log: log::Log,
    control: component::ControlPlane,
    /// What of the timeline could not be done, and why.
    pub refusals: Vec<String>,
}

impl Cluster {
    /// Builds the scenario's cluster and lets it settle until the scenario's start.
    pub fn new(scenario: Scenario) -> Self {
        let built = plus(scenario.start, -scenario.age_seconds.saturating_mul(SECOND));
        let mut cluster = Self::empty(scenario, built);
        cluster.boot();
        cluster.run(cluster.scenario.start, usize::MAX);
        cluster
    }

    /// Nothing yet but the time.
    fn empty(scenario: Scenario, now: Timestamp) -> Self {
        Self {
            registry: Registry::new(scenario.seed, now),
            behaviours: Behaviours::of(&scenario),
            seats: Vec::new(),
            order: Vec::new(),
            queue: Queue::new(),
            scenario,
            handed: 0,
            beats: 0,
            log: log::Log::default(),
            control: component::ControlPlane::default(),
            refusals: Vec::new(),
        }
    }

    fn seat(&mut self, actor: Box<dyn Actor + Send>, component: Option<Component>) {
        let dice = Dice::of(self.scenario.seed, actor.name());
        let user = Arc::new(component::user_of(actor.as_ref()));
        // Whoever comes first must not depend on who was seated first.
        let at = self.order.partition_point(|id| {
            self.seats.get(*id).is_some_and(|seat| seat.actor.name() < actor.name())
        });
        self.order.insert(at, self.seats.len());
        let (inbox, wakes_at) = (Vec::new(), None);
        let seat = Seat { actor, dice, inbox, wakes_at, component, user, life: 0, runs: true };
        self.seats.push(seat);
    }

    /// Keeps what happens from now on; see [`Self::log`].
    pub fn record(&mut self) {
        self.hand_out();
        self.log.keep();
        self.registry.keep_deletions();
    }

    /// What happened so far.
    pub fn log(&mut self) -> &mut log::Log {
        &mut self.log
    }

    /// The scenario that runs.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// Runs events up to `until`, at most `most` of them. Whether it got there.
    pub fn run(&mut self, until: Timestamp, most: usize) -> bool {
        self.hand_out();
        for _ in 0..most {
            let Some((at, due)) = self.queue.pop(until) else {
                self.registry.now = self.registry.now.max(until);
                return true;
            };
            self.registry.now = self.registry.now.max(at);
            match due {
                Due::Wake(id, life) => self.wake(id, life),
                Due::Fault(index) => {
                    if let Some((_, fault)) = self.scenario.timeline.get(index).cloned() {
                        self.strike(&fault);
                    }
                }
                Due::Forget(key) => self.forget(key),
                Due::Lead(component, start) => self.lead(component, start),
            }
            self.hand_out();
        }
        false
    }

    fn wake(&mut self, id: ActorId, life: u32) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        if seat.life != life || !seat.runs {
            return;
        }
        if self.control.is_down() {
            // Without an API server nobody sees or does anything.
            seat.wakes_at = None;
            self.control.hold(id);
            return;
        }
        // Of several wakes at different times only the earliest counts as scheduled.
        if seat.wakes_at.is_some_and(|at| at <= self.registry.now) {
            seat.wakes_at = None;
        }
        let inbox = std::mem::take(&mut seat.inbox);
        self.let_act(id, |actor, context| actor.step(&inbox, context));
    }

    /// Lets an actor act, and notes when it wants to be woken.
    fn let_act(&mut self, id: ActorId, act: impl FnOnce(&mut dyn Actor, &mut Context<'_>)) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        let mut context = Context {
            registry: &mut self.registry,
            behaviours: &self.behaviours,
            dice: &mut seat.dice,
            wake_at: None,
        };
        context.registry.act_as(Some(Arc::clone(&seat.user)));
        act(seat.actor.as_mut(), &mut context);
        context.registry.act_as(None);
        if let Some(at) = context.wake_at {
            self.schedule(id, at);
        }
    }

    fn schedule(&mut self, id: ActorId, at: Timestamp) {
        let Some(seat) = self.seats.get_mut(id) else { return };
        let at = at.max(self.registry.now);
        if seat.wakes_at.is_none_or(|earliest| at < earliest) {
            seat.wakes_at = Some(at);
            self.queue.schedule(at, Due::Wake(id, seat.life));
        }
    }

    /// Gives new changes to the actors that read them.
    pub fn hand_out(&mut self) {
        if self.registry.beats != self.beats {
            self.beats = self.registry.beats;
            for id in self.order.clone() {
                let feels = |seat: &Seat| seat.runs && seat.actor.feels_heartbeats();
                if self.seats.get(id).is_some_and(feels) {
                    self.schedule(id, self.registry.now);
                }
            }
        }
        if self.handed == self.registry.store.rv() {
            return;
        }
        // The ring is far larger than what one step writes.
        let fresh = self.registry.store.changes_since(self.handed);
        let fresh: Vec<_> = fresh.map(|all| all.cloned().collect()).unwrap_or_default();
        self.handed = self.registry.store.rv();
        let mut delays: BTreeMap<usize, (ActorId, i64)> = BTreeMap::new();
        for change in &fresh {
            self.log.note(self.registry.now, change);
            if change.key.resource == EVENT.storage && change.after.is_some() {
                let at = plus(self.registry.now, EVENT_TTL);
                self.queue.schedule(at, Due::Forget(change.key.clone()));
            }
            for (rank, id) in self.order.iter().enumerate() {
                let Some(seat) = self.seats.get_mut(*id) else { continue };
                if seat.runs && seat.actor.reads(change) {
                    seat.inbox.push(Arc::clone(change));
                    delays.entry(rank).or_insert_with(|| (*id, seat.dice.between(2_000, 60_000)));
                }
            }
        }
        for (id, delay) in delays.into_values() {
            self.schedule(id, plus(self.registry.now, delay));
        }
    }

    /// Removes an event that was not told again.
    fn forget(&mut self, key: Key) {
        let found = self.registry.store.get(key.resource, &key.namespace, &key.name);
        let last = found.and_then(|event| crate::field::time(event, "/lastTimestamp"));
        if last.is_some_and(|last| plus(last, EVENT_TTL) <= self.registry.now) {
            self.registry.store.remove(key);
        }
    }
}
