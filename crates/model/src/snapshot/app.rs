//! A workload with everything that belongs to it.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::apps::compare;
use crate::record::{ClusterEvent, Known, Owner, Pod, PodSpec, Workload};
use crate::{Kind, Labels, ObjectRef, Snapshot, Table};

/// A workload with everything that belongs to it. Its object is the one a person would edit:
/// the Deployment, not its ReplicaSet; the CronJob, not its Job; the pod itself when it has no
/// owner.
#[derive(Clone, Debug)]
pub struct App {
    /// The object a person would edit.
    pub object: ObjectRef,
    /// Its record, when it was in the input.
    pub workload: Option<Arc<Workload>>,
    /// ReplicaSets or Jobs in between.
    pub sets: Vec<Arc<Workload>>,
    /// Its pods.
    pub pods: Vec<Arc<Pod>>,
}

impl App {
    pub(super) fn new(object: ObjectRef) -> Self {
        App { object, workload: None, sets: Vec::new(), pods: Vec::new() }
    }

    /// The pod spec it wants: its own template, else the one of a set with pods, else a pod's.
    /// One that was shown whole goes before one of which only the images are known.
    pub fn spec(&self) -> Option<&PodSpec> {
        let is_whole = |w: &&Workload| w.meta.known.has(Known::SPEC) && w.template.is_some();
        // Asked very often, and nearly always answered here.
        if let Some(own) = self.workload.as_deref().filter(is_whole) {
            return own.template.as_deref();
        }
        let mut sets: Vec<&Workload> = self.sets.iter().map(|s| &**s).collect();
        sets.sort_by_key(|s| std::cmp::Reverse((s.replicas, s.counts.current)));
        let templates = || self.workload.as_deref().into_iter().chain(sets.iter().copied());
        let whole = || templates().find(is_whole).and_then(|w| w.template.as_deref());
        let pod = || self.pods.iter().find(|p| p.meta.known.has(Known::SPEC)).map(|p| &*p.spec);
        let named = || templates().find_map(|w| w.template.as_deref());
        whole().or_else(pod).or_else(named)
    }

    /// The field of the object a person would edit, for a field of its pod spec.
    pub fn spec_field(&self, field: &str) -> String {
        let spec = match self.object.kind {
            Kind::Pod => "spec",
            Kind::CronJob => "spec.jobTemplate.spec.template.spec",
            _ => "spec.template.spec",
        };
        format!("{spec}.{field}")
    }

    /// Labels of its pods.
    pub fn pod_labels(&self) -> Option<&Labels> {
        let known = |w: &&Arc<Workload>| !w.template_labels.is_empty();
        let own = self.workload.as_ref().filter(known).map(|w| &*w.template_labels);
        let pod = || {
            let shown = self.pods.iter().find(|p| p.meta.known.has(Known::LABELS));
            shown.map(|p| &*p.meta.labels)
        };
        own.or_else(pod)
            .or_else(|| self.sets.iter().find(known).map(|s| &*s.template_labels))
            .or_else(|| self.workload.as_ref().map(|w| &w.selector.match_labels))
            .filter(|l| !l.is_empty())
    }

    /// Replicas wanted, if known.
    pub fn wanted(&self) -> Option<i64> {
        let own = self.workload.as_ref().and_then(|w| w.replicas);
        own.or_else(|| self.sets.iter().filter_map(|s| s.replicas).max())
            .or_else(|| (self.object.kind == Kind::Pod).then_some(1))
    }

    /// Pods that are to run on: neither finished nor being deleted.
    pub fn running(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().map(|p| &**p).filter(|p| p.runs_on())
    }

    /// Pods that are ready.
    pub fn ready(&self) -> usize {
        self.running().filter(|p| p.is_ready() == Some(true)).count()
    }

    /// Replicas that are missing: wanted less ready, or the unready ones.
    pub fn lost_replicas(&self) -> u32 {
        let counted = self.workload.as_ref().map_or(0, |w| w.counts.ready);
        let ready = if self.pods.is_empty() { counted } else { self.ready() as i64 };
        let wanted = self.wanted().unwrap_or(self.running().count() as i64);
        u32::try_from((wanted - ready).max(0)).unwrap_or(u32::MAX)
    }

    /// Events about it, its sets and its pods, in that order.
    pub fn events<'s>(&'s self, snapshot: &'s Snapshot) -> impl Iterator<Item = &'s ClusterEvent> {
        let own = snapshot.events_about(&self.object).iter();
        let sets = self.sets.iter().flat_map(|s| snapshot.events_about(&s.object()));
        let pods = self.pods.iter().filter(|_| self.object.kind != Kind::Pod);
        own.chain(sets).chain(pods.flat_map(|p| snapshot.pod_events(p)))
    }

    /// Events about its pods.
    pub fn pod_events<'s>(&'s self, all: &'s Snapshot) -> impl Iterator<Item = &'s ClusterEvent> {
        self.pods.iter().flat_map(|p| all.pod_events(p))
    }

    /// The document its description was read from.
    pub fn document(&self) -> u16 {
        let own = self.workload.as_ref().map(|w| w.meta.source);
        own.or_else(|| self.pods.first().map(|p| p.meta.source)).unwrap_or(0)
    }
}

/// Groups workloads and pods (of some namespaces, whole) under the object a person would edit.
/// `of` are all workloads.
pub(super) fn group(
    of: &Table<Workload>,
    workloads: &[Arc<Workload>],
    pods: &[Arc<Pod>],
) -> Vec<App> {
    let mut groups = Groups::default();
    for w in workloads {
        let root = root_of_set(w, of);
        let own = root == w.object();
        groups.add(root, |app| match own {
            true => app.workload = Some(Arc::clone(w)),
            false => app.sets.push(Arc::clone(w)),
        });
    }
    // Pods of one set follow each other and share their owner: it is looked up once.
    let mut last: Option<(&Pod, usize)> = None;
    for pod in pods {
        let beside = last.filter(|(before, _)| is_sibling(before, pod)).map(|(_, at)| at);
        let at = beside.unwrap_or_else(|| groups.place(root_of_pod(pod, of)));
        groups.edit(at, |app| app.pods.push(Arc::clone(pod)));
        last = Some((pod, at));
    }
    // No two are called the same.
    groups.apps.sort_unstable_by(|a, b| compare(&a.object, &b.object));
    groups.apps
}

/// Whether two pods have one workload for certain: the same record of their owner.
fn is_sibling(a: &Pod, b: &Pod) -> bool {
    let owners = a.meta.owner.as_ref().zip(b.meta.owner.as_ref());
    let owner = owners.filter(|(a, b)| Arc::ptr_eq(a, b)).map(|(owner, _)| owner);
    a.meta.namespace == b.meta.namespace && owner.and_then(|o| owning_kind(o)).is_some()
}

/// The kind of an owner that pods are grouped under; a static pod's node is none.
fn owning_kind(owner: &Owner) -> Option<Kind> {
    Kind::from_name(&owner.kind).filter(|kind| *kind != Kind::Node)
}

/// Workloads so far, and where each stands.
#[derive(Default)]
struct Groups {
    apps: Vec<App>,
    places: FxHashMap<ObjectRef, usize>, // tidy: lookup only
}

impl Groups {
    fn place(&mut self, object: ObjectRef) -> usize {
        if let Some(at) = self.places.get(&object) {
            return *at;
        }
        self.places.insert(object.clone(), self.apps.len());
        self.apps.push(App::new(object));
        self.apps.len() - 1
    }

    fn edit(&mut self, at: usize, change: impl FnOnce(&mut App)) {
        if let Some(app) = self.apps.get_mut(at) {
            change(app);
        }
    }

    fn add(&mut self, object: ObjectRef, change: impl FnOnce(&mut App)) {
        let at = self.place(object);
        self.edit(at, change);
    }
}

/// The workload above a ReplicaSet or Job, or itself.
pub(super) fn root_of_set(w: &Workload, workloads: &Table<Workload>) -> ObjectRef {
    let namespace = &w.meta.namespace;
    if let Some(owner) = &w.meta.owner
        && let Some(kind) = Kind::from_name(&owner.kind)
    {
        return ObjectRef::new(kind, namespace, &owner.name);
    }
    // A table does not show owners; a ReplicaSet is named after its Deployment and template.
    if w.kind == Kind::ReplicaSet && !w.meta.known.has(Known::OWNER) {
        let parent = w.meta.name.rsplit_once('-').map(|(parent, _)| parent);
        let known =
            |name: &&str| workloads.all(namespace, name).any(|o| o.kind == Kind::Deployment);
        if let Some(parent) = parent.filter(known) {
            return ObjectRef::new(Kind::Deployment, namespace, parent);
        }
    }
    w.object()
}

/// The workload above a pod, or the pod itself.
pub(super) fn root_of_pod(pod: &Pod, workloads: &Table<Workload>) -> ObjectRef {
    let namespace = &pod.meta.namespace;
    if let Some(owner) = &pod.meta.owner
        && let Some(kind) = owning_kind(owner)
    {
        if let Some(set) = workloads.all(namespace, &owner.name).find(|w| w.kind == kind) {
            return root_of_set(set, workloads);
        }
        return root_by_name(kind, namespace, &owner.name, pod);
    }
    if !pod.meta.known.has(Known::OWNER)
        && let Some(root) = root_from_pod_name(pod, workloads)
    {
        return root;
    }
    pod.meta.object(Kind::Pod)
}

/// An owner that was not in the input: a ReplicaSet whose name ends with the template's hash
/// belongs to a Deployment.
fn root_by_name(kind: Kind, namespace: &str, name: &str, pod: &Pod) -> ObjectRef {
    let hash = pod.meta.labels.get("pod-template-hash");
    let parent = match (kind, name.rsplit_once('-')) {
        (Kind::ReplicaSet, Some((parent, end))) if hash == Some(end) || is_hash(end, 8..=10) => {
            Some((Kind::Deployment, parent))
        }
        (Kind::Job, Some((parent, end))) if end.len() >= 8 && is_number(end) => {
            Some((Kind::CronJob, parent))
        }
        _ => None,
    };
    let (kind, name) = parent.unwrap_or((kind, name));
    ObjectRef::new(kind, namespace, name)
}

/// Only the pod's name is known: `web-5d4f8c7b9-x2x4z`, `db-0`, `agent-k7x2p`.
fn root_from_pod_name(pod: &Pod, workloads: &Table<Workload>) -> Option<ObjectRef> {
    let namespace = &pod.meta.namespace;
    let (set, end) = pod.meta.name.rsplit_once('-')?;
    let known = |name: &str, kind: Kind| workloads.all(namespace, name).any(|w| w.kind == kind);
    if let Some((parent, hash)) = set.rsplit_once('-')
        && is_hash(end, 5..=5)
        && (is_hash(hash, 8..=10) || known(parent, Kind::Deployment))
    {
        return Some(ObjectRef::new(Kind::Deployment, namespace, parent));
    }
    let kinds = [Kind::StatefulSet, Kind::DaemonSet, Kind::Job, Kind::ReplicaSet];
    let kind = kinds.into_iter().find(|kind| known(set, *kind))?;
    Some(ObjectRef::new(kind, namespace, set))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

/// Names made by controllers draw from an alphabet without vowels.
fn is_hash(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len())
        && text.bytes().all(|c| b"bcdfghjklmnpqrstvwxz0123456789".contains(&c))
}
