//! Which workloads name which Service in their settings. Built once, on the first question:
//! asking every workload about every Service would take the square of a large cluster.

use std::collections::BTreeMap;

use super::relation::Peer;
use super::{App, Snapshot};
use crate::Text;

/// Indices of workloads by the namespace and name of the Service they call.
pub(super) type Callers = BTreeMap<(Text, Text), Vec<usize>>;

impl Snapshot {
    /// Workloads whose settings name the Service, each with the setting that does. A workload
    /// comes once for each such setting.
    pub fn callers_of(&self, namespace: &str, service: &str) -> Vec<(&App, Peer<'_>)> {
        let index = self.callers.get_or_init(|| self.index_callers());
        let here = index.get(&(namespace.into(), service.into()));
        let apps = here.into_iter().flatten().filter_map(|i| self.apps.get(*i));
        let peers = apps.flat_map(|app| self.peers_of(app).into_iter().map(move |p| (app, p)));
        let meant = |p: &Peer<'_>, app: &App| p.is(service, namespace, &app.object.namespace);
        peers.filter(|(app, peer)| meant(peer, app)).collect()
    }

    fn index_callers(&self) -> Callers {
        let mut index = Callers::new();
        for (i, app) in self.apps.iter().enumerate() {
            for peer in self.peers_of(app) {
                let (name, namespace) = peer.parts(&app.object.namespace);
                if self.services.get(namespace, name).is_none() {
                    continue;
                }
                let callers = index.entry((namespace.into(), name.into())).or_default();
                if callers.last() != Some(&i) {
                    callers.push(i);
                }
            }
        }
        index
    }
}
