//! A handle on a simulated cluster that can be shared between those who move its time and
//! those who talk to its API.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::service::TwinService;
use crate::access::{Authorization, User};
use crate::cluster::{Cluster, Recorded, UnknownObject};
use crate::registry::Deletion;
use crate::scenario::{Fault, Scenario};

/// Events handled before others get a turn at the lock.
const SLICE: usize = 512;

/// A simulated cluster. Clones are handles on the same cluster.
#[derive(Clone)]
pub struct Twin {
    pub(super) shared: Arc<Shared>,
}

pub(super) struct Shared {
    cluster: Mutex<Cluster>,
    /// Counts up whenever something may have happened.
    pub ticks: watch::Sender<u64>,
}

impl Shared {
    /// The cluster, also after a panic elsewhere: its state is always whole between events.
    pub fn cluster(&self) -> MutexGuard<'_, Cluster> {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn tick(&self) {
        self.ticks.send_modify(|n| *n = n.wrapping_add(1));
    }
}

impl Twin {
    /// Builds the scenario's cluster and lets it settle; time stands at the scenario's start.
    pub fn new(scenario: Scenario) -> Self {
        Self::of(Cluster::new(scenario))
    }

    /// A cluster without nodes in which nobody acts: the namespaces and objects that an API
    /// server makes itself, and time.
    pub fn empty(now: Timestamp) -> Self {
        Self::of(Cluster::bare(now))
    }

    /// A cluster that holds these objects (with apiVersion, kind and name, events among them)
    /// and in which nobody acts: it only answers as an API server with them would at `now`.
    ///
    /// # Errors
    /// When an object is of no kind that the twin knows.
    pub fn from_objects(objects: Vec<Value>, now: Timestamp) -> Result<Self, UnknownObject> {
        Cluster::of_objects(objects, now).map(Self::of)
    }

    fn of(cluster: Cluster) -> Self {
        let (ticks, _) = watch::channel(0);
        Self { shared: Arc::new(Shared { cluster: Mutex::new(cluster), ticks }) }
    }

    /// Decides from now on who may do what; the roles and bindings that a server with RBAC makes
    /// for itself are made.
    pub fn authorize(&self, authorization: Authorization) {
        self.shared.cluster().authorize(authorization);
    }

    /// Lets a bearer of this token in as an administrator.
    pub(super) fn admit(&self, token: &str, key: Vec<u8>) {
        let access = &mut self.shared.cluster().registry.access;
        access.tokens.insert(token.to_owned(), User::admin());
        access.key = key;
    }

    /// The current virtual time.
    pub fn now(&self) -> Timestamp {
        self.shared.cluster().registry.now
    }

    /// Lets everything happen up to and including `until`. Time never goes back.
    pub fn run_until(&self, until: Timestamp) {
        while !self.shared.cluster().run(until, SLICE) {
            self.shared.tick();
        }
        self.shared.tick();
    }

    /// Moves time on by so many seconds.
    pub fn advance_seconds(&self, seconds: i64) {
        self.run_until(self.now().plus_seconds(seconds));
    }

    /// Runs to the end of the scenario's story.
    pub fn run(&self) {
        let (start, seconds) = {
            let cluster = self.shared.cluster();
            (cluster.scenario().start, cluster.scenario().duration_seconds)
        };
        self.run_until(start.plus_seconds(seconds));
    }

    /// The API as a tower service, for `kube::Client::new(twin.service(), "default")`. Watches
    /// end on virtual time.
    pub fn service(&self) -> TwinService {
        TwinService::new(self.clone(), false)
    }

    /// What of the scenario's timeline could not be done up to now, each with the reason.
    pub fn refusals(&self) -> Vec<String> {
        self.shared.cluster().refusals.clone()
    }

    /// Something happens to the cluster from outside, now.
    pub fn strike(&self, fault: &Fault) {
        let mut cluster = self.shared.cluster();
        cluster.strike(fault);
        cluster.hand_out();
        drop(cluster);
        self.shared.tick();
    }

    /// Keeps every write, and every deletion of a pod by a component, from now on.
    pub fn record(&self) {
        self.shared.cluster().record();
    }

    /// The writes since `record`, or since they were last asked for.
    pub fn recorded(&self) -> Vec<Recorded> {
        let mut cluster = self.shared.cluster();
        cluster.hand_out();
        cluster.log().take()
    }

    /// The deletions of pods that components asked for, likewise.
    pub fn deletions(&self) -> Vec<Deletion> {
        self.shared.cluster().registry.take_deletions()
    }

    /// A hash over what was written when: equal for equal runs.
    pub fn log_hash(&self) -> u64 {
        let mut cluster = self.shared.cluster();
        cluster.hand_out();
        cluster.log().hash()
    }

    /// Every object as one line of JSON, in a fixed order.
    pub fn dump(&self) -> String {
        let cluster = self.shared.cluster();
        cluster.registry.store.all().map(|(_, object)| format!("{}\n", ***object)).collect()
    }
}

impl std::fmt::Debug for Twin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Twin").field("now", &self.now()).finish_non_exhaustive()
    }
}
