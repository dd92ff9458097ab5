//! Which pods are on which node. Built once, on the first question: asking every node about
//! every pod would take the product of a large cluster.

use rustc_hash::FxHashMap;

use super::{App, Snapshot};
use crate::Text;
use crate::record::Pod;

/// Places in `apps` and in their `pods`, by node.
pub(super) type Placement = FxHashMap<Text, Vec<(u32, u32)>>; // tidy: lookup only

impl Snapshot {
    /// Pods on the node, finished ones included, each with its workload, in the order of
    /// workloads.
    pub fn on_node<'s>(&'s self, node: &str) -> impl Iterator<Item = (&'s App, &'s Pod)> + use<'s> {
        self.placed(node).filter(|(_, pod)| !pod.node.is_empty())
    }

    /// Workloads with pods on the node, each with those pods, finished ones included.
    pub fn apps_on<'s>(&'s self, node: &str) -> Vec<(&'s App, Vec<&'s Pod>)> {
        let mut apps: Vec<(&App, Vec<&Pod>)> = Vec::new();
        for (app, pod) in self.on_node(node) {
            match apps.last_mut().filter(|(known, _)| std::ptr::eq(*known, app)) {
                Some((_, pods)) => pods.push(pod),
                None => apps.push((app, vec![pod])),
            }
        }
        apps
    }

    /// Pods of which no node is known, each with its workload, in the order of workloads.
    pub fn unplaced(&self) -> impl Iterator<Item = (&App, &Pod)> {
        self.placed("")
    }

    fn placed<'s>(&'s self, node: &str) -> impl Iterator<Item = (&'s App, &'s Pod)> + use<'s> {
        let index = self.placement.get_or_init(|| self.index_placement());
        let here = index.get(node).into_iter().flatten();
        here.filter_map(|(app, pod)| {
            let app = self.apps.get(*app as usize)?;
            Some((app, &**app.pods.get(*pod as usize)?))
        })
    }

    fn index_placement(&self) -> Placement {
        let mut index = Placement::default();
        for (i, app) in self.apps.iter().enumerate() {
            for (j, pod) in app.pods.iter().enumerate() {
                let place = u32::try_from(i).ok().zip(u32::try_from(j).ok());
                match index.get_mut(&pod.node) {
                    Some(here) => here.extend(place),
                    None => {
                        index.insert(pod.node.clone(), place.into_iter().collect());
                    }
                }
            }
        }
        index
    }
}
