//! All nodes and the pods on them, as the scheduler knows them.

use std::collections::{BTreeMap, BTreeSet};

use super::room::Room;
use crate::controllers::has_ended;
use crate::field;
use crate::store::Object;

/// Nodes by name, and where the pods of each namespace are.
#[derive(Debug, Default)]
pub(super) struct Rooms {
    nodes: BTreeMap<String, Room>,
    /// Node by uid of the pod, by namespace.
    namespaces: BTreeMap<String, BTreeMap<String, String>>,
    /// Pods on nodes that are not known yet.
    homeless: BTreeMap<String, Object>,
}

impl Rooms {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn values(&self) -> impl Iterator<Item = &Room> {
        self.nodes.values()
    }

    pub fn get(&self, node: &str) -> Option<&Room> {
        self.nodes.get(node)
    }

    /// The pods of a namespace and where they are.
    pub fn in_namespace(&self, namespace: &str) -> impl Iterator<Item = (&Room, &Object)> {
        let all = self.namespaces.get(namespace).into_iter().flatten();
        all.filter_map(|(uid, node)| {
            let room = self.nodes.get(node)?;
            Some((room, room.pods.get(uid)?))
        })
    }

    /// The same without some pods, by uid.
    pub fn without(&self, uids: &BTreeSet<&str>) -> Self {
        let mut nodes = self.nodes.clone();
        for room in nodes.values_mut() {
            for uid in uids {
                room.free(uid);
            }
        }
        Self { nodes, namespaces: self.namespaces.clone(), homeless: BTreeMap::new() }
    }

    /// A node is new, or changed.
    pub fn put_node(&mut self, node: &Object) {
        let name = field::name(node).to_owned();
        let mut room = Room::of(node);
        if let Some(old) = self.nodes.get(&name) {
            room.inherit(old);
        }
        self.nodes.insert(name.clone(), room);
        let here = |pod: &&Object| field::text(pod, "/spec/nodeName") == name;
        let arrived: Vec<Object> = self.homeless.values().filter(here).cloned().collect();
        for pod in &arrived {
            self.homeless.remove(field::uid(pod));
            self.take(pod);
        }
    }

    pub fn drop_node(&mut self, name: &str) {
        if let Some(room) = self.nodes.remove(name) {
            for (uid, pod) in room.pods {
                self.homeless.insert(uid, pod);
            }
        }
    }

    /// A pod changed: it counts where it is, unless it has ended.
    pub fn put_pod(&mut self, pod: &Object) {
        if field::text(pod, "/spec/nodeName").is_empty() {
            return;
        }
        match has_ended(pod) {
            true => self.drop_pod(pod),
            false => self.take(pod),
        }
    }

    fn take(&mut self, pod: &Object) {
        let node = field::text(pod, "/spec/nodeName");
        let uid = field::uid(pod).to_owned();
        match self.nodes.get_mut(node) {
            Some(room) => {
                room.take(pod);
                let all = self.namespaces.entry(field::namespace(pod).to_owned()).or_default();
                all.insert(uid, node.to_owned());
            }
            None => drop(self.homeless.insert(uid, pod.clone())),
        }
    }

    /// A pod is gone.
    pub fn drop_pod(&mut self, pod: &Object) {
        let uid = field::uid(pod);
        self.homeless.remove(uid);
        if let Some(room) = self.nodes.get_mut(field::text(pod, "/spec/nodeName")) {
            room.free(uid);
        }
        if let Some(all) = self.namespaces.get_mut(field::namespace(pod)) {
            all.remove(uid);
        }
    }
}
