//! The programs of the control plane: they are killed and started, forget everything with it,
//! and may act only once they are elected.
//!
//! It must never know what a controller does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::json;

use super::{Actor, ActorId, Cluster, Due};
use crate::access::{AUTHENTICATED, User};
use crate::controllers;
use crate::kernel::{Dice, SECOND, plus};
use crate::kinds::LEASE;
use crate::registry::{Note, Part, Source};
use crate::scenario::Component;
use crate::store::Change;

/// A follower waits for the lease (15 s, from when it first saw it) and asks every 2 s.
const ELECTION: (i64, i64) = (15 * SECOND, 17 * SECOND);
/// A process needs this long until it asks for the lease, and its caches until they are filled.
const START: (i64, i64) = (SECOND / 5, SECOND);
const FILL: (i64, i64) = (SECOND, 17 * SECOND / 10);
/// A leader that cannot renew its lease for this long gives up and ends.
const RENEWAL_DEADLINE: i64 = 10 * SECOND;
/// Clients find a server again after this long.
const RECONNECTION: (i64, i64) = (SECOND / 10, 2 * SECOND);

/// What runs of the control plane.
#[derive(Clone, Debug, Default)]
pub(super) struct ControlPlane {
    /// Since when there is no API server.
    down: Option<Timestamp>,
    /// Who was to act meanwhile.
    held: BTreeSet<ActorId>,
    /// Kubelets that could not renew their leases meanwhile.
    cut_off: BTreeSet<String>,
    /// Started while there was no API server.
    waiting: Vec<Component>,
    /// How often each was started or stopped.
    turns: BTreeMap<&'static str, u32>,
}

impl ControlPlane {
    pub fn is_down(&self) -> bool {
        self.down.is_some()
    }

    pub fn hold(&mut self, id: ActorId) {
        self.held.insert(id);
    }

    fn turn(&mut self, component: Component) -> u32 {
        let turn = self.turns.entry(component.program()).or_default();
        *turn += 1;
        *turn
    }
}

/// The program that a controller is a part of.
pub(super) fn of(actor: &dyn Actor) -> Component {
    match controllers::short_name(actor.name()) {
        "scheduler" => Component::Scheduler,
        _ => Component::ControllerManager,
    }
}

/// The user as whom an actor writes: every controller has its service account, under a name of
/// its own in some cases.
pub(super) fn user_of(actor: &dyn Actor) -> User {
    let account = match actor.name() {
        "default-scheduler" => return User::named("system:kube-scheduler"),
        "stand-ins" => return User::named("system:node:stand-ins"),
        "taint-eviction-controller" => "node-controller",
        "garbage-collector" => "generic-garbage-collector",
        "daemonset-controller" => "daemon-set-controller",
        "horizontal-pod-autoscaler-controller" => "horizontal-pod-autoscaler",
        "persistentvolume-controller" => "persistent-volume-binder",
        name => name,
    };
    let mut user = User::named(&User::account_name("kube-system", account));
    user.groups = User::account_groups("kube-system");
    user.join(AUTHENTICATED);
    user
}

impl Cluster {
    /// A program is killed.
    pub(super) fn stop(&mut self, component: Component) {
        self.control.turn(component);
        self.control.waiting.retain(|waiting| *waiting != component);
        if component == Component::ApiServer {
            self.control.down.get_or_insert(self.registry.now);
            let beats = self.registry.heartbeats.iter();
            let alive = beats.filter(|(_, beat)| beat.stopped.is_none());
            let alive: Vec<String> = alive.map(|(name, _)| name.clone()).collect();
            for node in alive {
                self.registry.silence(&node);
                self.control.cut_off.insert(node);
            }
            return;
        }
        for seat in self.seats.iter_mut().filter(|seat| seat.component == Some(component)) {
            seat.runs = false;
            seat.inbox.clear();
            seat.wakes_at = None;
        }
    }

    /// A program is started.
    pub(super) fn start(&mut self, component: Component) {
        if component == Component::ApiServer {
            return self.reconnect();
        }
        if self.control.is_down() {
            self.control.waiting.push(component);
            return;
        }
        let turn = self.control.turn(component);
        let mut dice = self.election_dice(component, turn);
        let wait = dice.between(START.0, START.1) + dice.between(ELECTION.0, ELECTION.1);
        self.queue.schedule(plus(self.registry.now, wait), Due::Lead(component, turn));
    }

    /// The API server answers again.
    fn reconnect(&mut self) {
        let Some(since) = self.control.down.take() else { return };
        let now = self.registry.now;
        let mut dice = self.election_dice(Component::ApiServer, 0);
        let cut_off = std::mem::take(&mut self.control.cut_off);
        for node in cut_off {
            self.registry.revive(&node);
        }
        let gave_up = plus(since, RENEWAL_DEADLINE) <= now;
        for component in [Component::ControllerManager, Component::Scheduler] {
            let ran = |seat: &super::Seat| seat.component == Some(component) && seat.runs;
            if gave_up && self.seats.iter().any(ran) {
                // It ended and was started again by whoever looks after it.
                self.stop(component);
                self.control.waiting.push(component);
            }
        }
        for id in std::mem::take(&mut self.control.held) {
            let at = plus(now, dice.between(RECONNECTION.0, RECONNECTION.1));
            self.schedule(id, at);
        }
        for component in std::mem::take(&mut self.control.waiting) {
            self.start(component);
        }
    }

    /// A kubelet ended or came back while there was no API server.
    pub(super) fn cut_off(&mut self, node: &str, lives: bool) {
        if !self.control.is_down() {
            return;
        }
        match lives {
            true => drop(self.control.cut_off.insert(node.to_owned())),
            false => drop(self.control.cut_off.remove(node)),
        }
    }

    /// A program leads: its controllers begin anew and read everything.
    pub(super) fn lead(&mut self, component: Component, turn: u32) {
        if self.control.turns.get(component.program()) != Some(&turn) {
            return;
        }
        if self.control.is_down() {
            self.control.waiting.push(component);
            return;
        }
        self.announce(component, turn);
        let mut dice = self.election_dice(component, turn);
        let filled = plus(self.registry.now, dice.between(FILL.0, FILL.1));
        let everything: Vec<Arc<Change>> = self.registry.store.as_created().collect();
        let mut fresh: BTreeMap<String, Box<dyn Actor + Send>> = BTreeMap::new();
        for actor in controllers::all() {
            fresh.insert(actor.name().to_owned(), actor);
        }
        for id in self.order.clone() {
            let Some(seat) = self.seats.get_mut(id) else { continue };
            if seat.component != Some(component) {
                continue;
            }
            let Some(actor) = fresh.remove(seat.actor.name()) else { continue };
            seat.actor = actor;
            seat.life += 1;
            seat.runs = true;
            seat.wakes_at = None;
            let mine = everything.iter().filter(|change| seat.actor.reads(change));
            seat.inbox = mine.cloned().collect();
            let at = plus(filled, seat.dice.between(0, SECOND / 10));
            self.schedule(id, at);
        }
    }

    /// The new leader says so.
    fn announce(&mut self, component: Component, turn: u32) {
        let name = component.program();
        let holder = format!("{name}_{}", self.election_dice(component, turn).uuid());
        let spec = json!({
            "holderIdentity": holder, "leaseDurationSeconds": 15, "leaseTransitions": turn,
        });
        let known = self.registry.get(&LEASE, "kube-system", name).map(Arc::clone);
        let lease = match known {
            Ok(lease) => {
                self.registry.modify(&LEASE, &lease, Part::Spec, |lease| lease["spec"] = spec)
            }
            Err(_) => {
                let lease = json!({"metadata": {"name": name}, "spec": spec});
                self.registry.create(&LEASE, "kube-system", lease)
            }
        };
        // The scheduler's own event goes nowhere.
        let Ok(lease) = lease else { return };
        if component == Component::Scheduler {
            return;
        }
        let note = Note::normal("LeaderElection", format!("{holder} became leader"));
        self.registry.tell(Source { component: name, host: "" }, &lease, &note);
    }

    fn election_dice(&self, component: Component, turn: u32) -> Dice {
        Dice::of(self.scenario.seed, &format!("election-{}-{turn}", component.program()))
    }
}
