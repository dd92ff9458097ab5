//! Objects that only their events tell of: they come with the first telling event and give way
//! to what is read.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::implied;
use super::{Snapshot, Step, Table};
use crate::record::{ClusterEvent, Node, Record};
use crate::{Coverage, Kind, Object, ObjectRef, Text};

/// Whether objects of this kind are taken from events where nobody listed them.
pub(super) fn can_be(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Pod
            | Kind::Node
            | Kind::Service
            | Kind::PersistentVolumeClaim
            | Kind::HorizontalPodAutoscaler
    )
}

/// What events tell of the rows of one kind.
type Told<T> = fn(&[ClusterEvent], &[Arc<T>], &Coverage) -> (Kind, Vec<Arc<T>>);

impl Step<'_> {
    /// Looks anew at objects that came or went or of which something else is said.
    pub(super) fn imply(&mut self, suspects: BTreeSet<ObjectRef>) {
        let nodes = !self.now.coverage.lists(Kind::Node, "")
            && suspects.iter().any(|o| matches!(o.kind, Kind::Node | Kind::Pod));
        let mut namespaces: BTreeSet<Text> = BTreeSet::new();
        for object in &suspects {
            if self.now.coverage.lists(object.kind, &object.namespace) {
                continue;
            }
            match object.kind {
                Kind::Pod => {
                    namespaces.insert(object.namespace.clone());
                }
                Kind::Service => {
                    self.imply_row(object, |s| &s.services, implied::services, Object::Service);
                }
                Kind::PersistentVolumeClaim => {
                    self.imply_row(object, |s| &s.claims, implied::claims, Object::Claim);
                }
                Kind::HorizontalPodAutoscaler => {
                    self.imply_row(object, |s| &s.scalers, implied::scalers, Object::Scaler);
                }
                _ => {}
            }
        }
        for namespace in namespaces {
            self.imply_pods(&namespace);
        }
        if nodes {
            self.imply_nodes();
        }
    }

    fn imply_row<T: Record + Clone>(
        &mut self,
        object: &ObjectRef,
        table: fn(&Snapshot) -> &Table<T>,
        told: Told<T>,
        make: fn(T) -> Object,
    ) {
        let known = table(self.now).row(object.kind, &object.namespace, &object.name);
        if known.is_some() && !self.now.implied.contains(object) {
            return;
        }
        let events = self.now.events.search(Some(object));
        let (_, rows) = told(events, &[], &self.now.coverage);
        match rows.into_iter().next() {
            Some(row) => {
                self.put(make((*row).clone()));
                self.now.implied.insert(object.clone());
            }
            None => {
                if self.now.implied.remove(object) {
                    self.gone(object);
                }
            }
        }
    }

    /// Pods are taken from events in namespaces of which none was read.
    fn imply_pods(&mut self, namespace: &str) {
        let known = self.now.pods.space(namespace).iter();
        let known: BTreeSet<ObjectRef> = known.map(|p| p.meta.object(Kind::Pod)).collect();
        let (were, read): (Vec<ObjectRef>, Vec<ObjectRef>) =
            known.into_iter().partition(|o| self.now.implied.contains(o));
        let rows = if read.is_empty() {
            let told = self.told_of(Kind::Pod, namespace);
            implied::pods(&told, &[], &self.now.coverage).1
        } else {
            Vec::new()
        };
        for gone in were.iter().filter(|o| !rows.iter().any(|p| p.meta.name == o.name)) {
            self.now.implied.remove(gone);
            self.gone(gone);
        }
        for pod in rows {
            self.now.implied.insert(pod.meta.object(Kind::Pod));
            self.put(Object::Pod((*pod).clone()));
        }
    }

    fn imply_nodes(&mut self) {
        let told = self.told_of(Kind::Node, "");
        let now = &*self.now;
        let told = (&*told, &*now.units, &*now.logs, &*now.hosts);
        let rows = implied::nodes(now.nodes.shared(), now.pods.shared(), told, &now.coverage);
        let gone: Vec<Arc<Node>> = now
            .implied_nodes
            .shared()
            .iter()
            .filter(|old| !rows.iter().any(|r| r.meta.name == old.meta.name))
            .cloned()
            .collect();
        for node in gone {
            self.gone_row(|s| &mut s.implied_nodes, &node.meta.object(Kind::Node));
        }
        for node in rows {
            self.put_row(|s| &mut s.implied_nodes, (*node).clone());
        }
    }

    /// Events about objects of a kind in a namespace.
    fn told_of(&self, kind: Kind, namespace: &str) -> Vec<ClusterEvent> {
        let events = &self.now.events;
        let about = events.subjects(kind, namespace);
        about.flat_map(|o| events.search(Some(o))).cloned().collect()
    }
}
