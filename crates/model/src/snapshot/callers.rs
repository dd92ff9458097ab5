//! Which workloads name which Service in their settings. Built once, on the first question:
//! asking every workload about every Service would take the square of a large cluster. Names
//! that no Service has are kept too, so that one may come later.

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use super::apps::compare;
use super::reads::{Part, note};
use super::relation::Peer;
use super::{App, Apps, Snapshot};

/// Numbers of workloads, in their order, by what stands for the namespace and name they call.
#[derive(Clone, Debug, Default)]
pub(super) struct Callers(FxHashMap<u64, Vec<u32>>); // tidy: lookup only

impl Snapshot {
    /// Workloads whose settings name the Service, each with the setting that does. A workload
    /// comes once for each such setting.
    pub fn callers_of(&self, namespace: &str, service: &str) -> Vec<(&App, Peer<'_>)> {
        let called = hash(namespace, service);
        note(Part::Callers(called));
        if self.services.get(namespace, service).is_none() {
            return Vec::new();
        }
        let index = self.callers.get_or_init(|| Callers::of(&self.apps));
        let here = index.0.get(&called).into_iter().flatten();
        let apps = here.filter_map(|number| self.apps.0.number(*number));
        let peers = apps.flat_map(|app| self.peers_of(app).into_iter().map(move |p| (app, p)));
        let meant = |p: &Peer<'_>, app: &App| p.is(service, namespace, &app.object.namespace);
        let found: Vec<_> = peers.filter(|(app, peer)| meant(peer, app)).collect();
        for (app, _) in &found {
            app.heard();
        }
        found
    }
}

impl Callers {
    fn of(apps: &Apps) -> Self {
        let mut index = Callers::default();
        for number in apps.0.numbers() {
            for called in apps.0.number(*number).into_iter().flat_map(called_by) {
                index.0.entry(called).or_default().push(*number);
            }
        }
        index
    }

    /// A workload calls others than before.
    pub(super) fn change(&mut self, number: u32, apps: &Apps, before: &[u64], after: &[u64]) {
        for gone in before.iter().filter(|c| !after.contains(c)) {
            if let Some(callers) = self.0.get_mut(gone) {
                callers.retain(|n| *n != number);
                if callers.is_empty() {
                    self.0.remove(gone);
                }
            }
        }
        let Some(app) = apps.0.number(number) else { return };
        for new in after.iter().filter(|c| !before.contains(c)) {
            let callers = self.0.entry(*new).or_default();
            let is_before = |n: &u32| {
                let other = apps.0.number(*n);
                other.is_some_and(|o| compare(&o.object, &app.object).is_lt())
            };
            callers.insert(callers.partition_point(is_before), number);
        }
    }
}

/// What stands for the Services that a workload names, each once, sorted.
pub(super) fn called_by(app: &App) -> Vec<u64> {
    let peers = app.spec().into_iter().flat_map(super::relation::peers);
    let mut called: Vec<u64> = peers
        .map(|peer| {
            let (name, namespace) = peer.parts(&app.object.namespace);
            hash(namespace, name)
        })
        .collect();
    called.sort_unstable();
    called.dedup();
    called
}

/// What the callers of a Service stand under.
fn hash(namespace: &str, service: &str) -> u64 {
    let mut hasher = FxHasher::default();
    (namespace, service).hash(&mut hasher);
    hasher.finish()
}
