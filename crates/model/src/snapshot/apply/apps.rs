//! Pods and workloads that come, go or change: the workloads they belong to follow. A pod is
//! moved alone; where a workload comes, goes or gets another owner, its namespace is gathered
//! anew by the same code that built it, and what came out the same is left as it was.

use std::sync::Arc;

use super::super::app::{group, root_of_pod, root_of_set};
use super::super::apps::compare;
use super::super::callers::called_by;
use super::super::reads::{Part, Set};
use super::Step;
use crate::record::{Pod, Workload};
use crate::{App, Kind, Labels, ObjectRef};

/// What others may have read of a workload before it changed.
struct Before {
    calls: Vec<u64>,
    labels: Option<Labels>,
}

impl Step<'_> {
    pub(super) fn put_pod(&mut self, mut pod: Pod) {
        let (namespace, name) = (pod.meta.namespace.clone(), pod.meta.name.clone());
        let old = self.now.pods.row(Kind::Pod, &namespace, &name).cloned();
        if old.as_deref() == Some(&pod) {
            return;
        }
        let home = root_of_pod(&pod, &self.now.workloads);
        let sibling = || self.now.apps.unheard(&home)?.pods.first();
        if let Some(like) = old.as_ref().or_else(sibling) {
            share(&mut pod.spec, &like.spec);
            share(&mut pod.meta.labels, &like.meta.labels);
            if let (Some(owner), Some(known)) = (&mut pod.meta.owner, &like.meta.owner) {
                share(owner, known);
            }
        }
        let pod = Arc::new(pod);
        self.now.pods.put(Arc::clone(&pod));
        if self.regroup.contains(&namespace) {
            return;
        }
        let left = old.map(|old| (root_of_pod(&old, &self.now.workloads), old));
        match left {
            Some((left, old)) if left == home => self.swap_pod(&home, Some(&old), Some(&pod)),
            Some((left, old)) => {
                self.swap_pod(&left, Some(&old), None);
                self.swap_pod(&home, None, Some(&pod));
            }
            None => self.swap_pod(&home, None, Some(&pod)),
        }
    }

    pub(super) fn gone_pod(&mut self, object: &ObjectRef) {
        let Some(old) = self.now.pods.take(Kind::Pod, &object.namespace, &object.name) else {
            return;
        };
        if !self.regroup.contains(&object.namespace) {
            let left = root_of_pod(&old, &self.now.workloads);
            self.swap_pod(&left, Some(&old), None);
        }
    }

    /// Takes a pod out of a workload and puts one of the same name in.
    fn swap_pod(&mut self, home: &ObjectRef, old: Option<&Arc<Pod>>, new: Option<&Arc<Pod>>) {
        let Some(name) = new.or(old).map(|p| p.meta.name.clone()) else { return };
        self.edit(home, old.map_or(&[], std::slice::from_ref), new.cloned().as_slice(), |app| {
            let found = app.pods.binary_search_by(|p| p.meta.name.cmp(&name));
            match (found, new) {
                (Ok(at), Some(new)) => {
                    if let Some(place) = app.pods.get_mut(at) {
                        *place = Arc::clone(new);
                    }
                }
                (Ok(at), None) => drop(app.pods.remove(at)),
                (Err(at), Some(new)) => app.pods.insert(at, Arc::clone(new)),
                (Err(_), None) => {}
            }
        });
    }

    pub(super) fn put_workload(&mut self, mut workload: Workload) {
        let object = workload.object();
        let (namespace, name) = (&object.namespace, &object.name);
        let old = self.now.workloads.row(object.kind, namespace, name).cloned();
        if old.as_deref() == Some(&workload) {
            return;
        }
        if let Some(old) = &old {
            if let (Some(own), Some(known)) = (&mut workload.template, &old.template) {
                share(own, known);
            }
            share(&mut workload.template_labels, &old.template_labels);
        }
        let workload = Arc::new(workload);
        self.now.workloads.put(Arc::clone(&workload));
        self.touch(Part::Row(Set::Workloads, namespace, name));
        let root = root_of_set(&workload, &self.now.workloads);
        let stays = old.is_some_and(|old| root_of_set(&old, &self.now.workloads) == root);
        if !stays {
            self.regroup.insert(namespace.clone());
        } else if !self.regroup.contains(namespace) {
            self.edit(&root, &[], &[], |app| {
                if root == object {
                    app.workload = Some(workload);
                } else if let Some(set) = app.sets.iter_mut().find(|s| s.object() == object) {
                    *set = workload;
                }
            });
        }
    }

    pub(super) fn gone_workload(&mut self, object: &ObjectRef) {
        let (namespace, name) = (&object.namespace, &object.name);
        if self.now.workloads.take(object.kind, namespace, name).is_some() {
            self.touch(Part::Row(Set::Workloads, namespace, name));
            self.regroup.insert(namespace.clone());
        }
    }

    /// Gathers the workloads of a namespace anew.
    pub(super) fn regroup(&mut self, namespace: &str) {
        let (workloads, pods) = (&self.now.workloads, &self.now.pods);
        let new = group(workloads, workloads.space(namespace), pods.space(namespace));
        let known = self.now.apps.space(namespace).iter();
        let is_new = |o: &&ObjectRef| new.binary_search_by(|a| compare(&a.object, o)).is_err();
        let gone: Vec<ObjectRef> = known.map(|a| &a.object).filter(is_new).cloned().collect();
        let empty = gone.into_iter().map(App::new);
        for app in empty.chain(new) {
            let known = self.now.apps.unheard(&app.object);
            if known.is_some_and(|known| is_same(known, &app)) {
                continue;
            }
            let old = known.map(|known| known.pods.clone()).unwrap_or_default();
            let (object, new) = (app.object.clone(), app.pods.clone());
            self.edit(&object, &old, &new, |place| *place = app);
        }
    }

    /// Changes a workload, which comes with its first part and goes with its last; `old` pods
    /// are no more what they were, `new` ones are.
    fn edit(
        &mut self,
        object: &ObjectRef,
        old: &[Arc<Pod>],
        new: &[Arc<Pod>],
        change: impl FnOnce(&mut App),
    ) {
        let calls_matter = self.now.callers.get().is_some();
        let calls = |app: &App| if calls_matter { called_by(app) } else { Vec::new() };
        let apps = &mut self.now.apps;
        let was_empty = apps.0.numbers().is_empty();
        let found = apps.0.find(|a| compare(&a.object, object));
        let number = found.unwrap_or_else(|place| apps.0.insert(place, App::new(object.clone())));
        let Some(app) = apps.0.number_mut(number) else { return };
        let before = Before { calls: calls(app), labels: app.pod_labels().cloned() };
        change(app);
        let labels_stay = app.pod_labels() == before.labels.as_ref();
        let after = calls(app);
        let is_gone = app.workload.is_none() && app.sets.is_empty() && app.pods.is_empty();
        if let Some(placement) = self.now.placement.get_mut() {
            old.iter().for_each(|pod| placement.remove(number, pod));
            new.iter().for_each(|pod| placement.add(number, pod, &self.now.apps));
        }
        if let Some(callers) = self.now.callers.get_mut() {
            callers.change(number, &self.now.apps, &before.calls, &after);
        }
        if is_gone {
            self.now.apps.0.remove(|a| compare(&a.object, object));
        }
        let moved = found.is_err() || is_gone;
        if moved {
            self.touched.moved.insert(object.clone());
        }
        if was_empty != self.now.apps.0.numbers().is_empty() {
            self.touch(Part::Any(Set::Apps));
        }
        if moved || !labels_stay {
            self.touch(Part::Labels(&object.namespace));
        }
        for called in before.calls.iter().filter(|c| !after.contains(c)) {
            self.touch(Part::Callers(*called));
        }
        for called in after.iter().filter(|c| !before.calls.contains(c)) {
            self.touch(Part::Callers(*called));
        }
        for pod in old.iter().chain(new) {
            self.touch(Part::OnNode(&pod.node));
        }
        self.touch(Part::App(object.kind, &object.namespace, &object.name));
        self.touch(Part::Space(Set::Apps, &object.namespace));
        self.touch(Part::All(Set::Apps));
    }
}

/// Keeps one of two equal parts.
fn share<T: PartialEq>(own: &mut Arc<T>, known: &Arc<T>) {
    if **own == **known {
        *own = Arc::clone(known);
    }
}

/// Whether two are made of the same parts.
fn is_same(a: &App, b: &App) -> bool {
    let workloads = |a: &[Arc<Workload>], b: &[Arc<Workload>]| {
        a.len() == b.len() && a.iter().zip(b).all(|(a, b)| Arc::ptr_eq(a, b))
    };
    workloads(a.workload.as_slice(), b.workload.as_slice())
        && workloads(&a.sets, &b.sets)
        && a.pods.len() == b.pods.len()
        && a.pods.iter().zip(&b.pods).all(|(a, b)| Arc::ptr_eq(a, b))
}
