//! Which pods are on which node. Built once, on the first question: asking every node about
//! every pod would take the product of a large cluster.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::apps::compare;
use super::reads::{Part, note};
use super::{App, Apps, Snapshot};
use crate::record::Pod;
use crate::{ObjectRef, Text};

/// By node, or nothing where none is known, its pods in the order of workloads, each with the
/// number of its own.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement(FxHashMap<Text, Vec<(u32, Arc<Pod>)>>); // tidy: lookup only

impl Snapshot {
    /// Pods on the node, finished ones included, each with the name of its workload, in the order
    /// of workloads. Who reads more of a workload asks for it, and then rests on all its pods.
    pub fn on_node<'s>(
        &'s self,
        node: &str,
    ) -> impl Iterator<Item = (&'s ObjectRef, &'s Pod)> + use<'s> {
        note(Part::OnNode(node));
        let here = if node.is_empty() { &[] } else { self.placed(node) };
        here.iter().filter_map(|(number, pod)| {
            let app = self.apps.0.number(*number)?;
            Some((&app.object, &**pod))
        })
    }

    /// Workloads with pods on the node, each with those pods, finished ones included.
    pub fn apps_on<'s>(&'s self, node: &str) -> Vec<(&'s App, Vec<&'s Pod>)> {
        let mut apps: Vec<(&App, Vec<&Pod>)> = Vec::new();
        for (app, pod) in self.with_apps(node).filter(|(_, pod)| !pod.node.is_empty()) {
            match apps.last_mut().filter(|(known, _)| std::ptr::eq(*known, app)) {
                Some((_, pods)) => pods.push(pod),
                None => apps.push((app, vec![pod])),
            }
        }
        apps
    }

    /// Pods of which no node is known, each with its workload, in the order of workloads.
    pub fn unplaced(&self) -> impl Iterator<Item = (&App, &Pod)> {
        self.with_apps("")
    }

    fn with_apps<'s>(&'s self, node: &str) -> impl Iterator<Item = (&'s App, &'s Pod)> + use<'s> {
        note(Part::OnNode(node));
        let here = self.placed(node).iter();
        here.filter_map(|(number, pod)| {
            let app = self.apps.0.number(*number)?;
            app.heard();
            Some((app, &**pod))
        })
    }

    /// Pods on the node, finished ones included, in the order of workloads.
    pub fn pods_on<'s>(&'s self, node: &str) -> impl Iterator<Item = &'s Pod> + use<'s> {
        note(Part::OnNode(node));
        self.placed(node).iter().map(|(_, pod)| &**pod)
    }

    /// Pods on the node with the numbers of their workloads, for those who have noted what they
    /// read.
    pub(super) fn placed(&self, node: &str) -> &[(u32, Arc<Pod>)] {
        let index = self.placement.get_or_init(|| Placement::of(&self.apps));
        index.0.get(node).map(|here| &**here).unwrap_or_default()
    }
}

impl Placement {
    fn of(apps: &Apps) -> Self {
        let mut index = Placement::default();
        for number in apps.0.numbers() {
            for pod in apps.0.number(*number).into_iter().flat_map(|a| &a.pods) {
                match index.0.get_mut(&pod.node) {
                    Some(here) => here.push((*number, Arc::clone(pod))),
                    None => {
                        index.0.insert(pod.node.clone(), vec![(*number, Arc::clone(pod))]);
                    }
                }
            }
        }
        index
    }

    /// A pod of a workload is on its node.
    pub(super) fn add(&mut self, number: u32, pod: &Arc<Pod>, apps: &Apps) {
        let Some(app) = apps.0.number(number) else { return };
        let here = self.0.entry(pod.node.clone()).or_default();
        let is_before = |(n, p): &(u32, Arc<Pod>)| {
            let other = apps.0.number(*n);
            let workloads = other.map(|o| compare(&o.object, &app.object));
            workloads.is_some_and(|w| w.then_with(|| p.meta.name.cmp(&pod.meta.name)).is_lt())
        };
        here.insert(here.partition_point(is_before), (number, Arc::clone(pod)));
    }

    /// A pod of a workload is on its node no more.
    pub(super) fn remove(&mut self, number: u32, pod: &Pod) {
        let Some(here) = self.0.get_mut(&pod.node) else { return };
        here.retain(|(n, p)| *n != number || p.meta.name != pod.meta.name);
        if here.is_empty() {
            self.0.remove(&pod.node);
        }
    }
}
