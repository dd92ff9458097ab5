//! Pods that only events speak of: somebody pasted the events and not the pods.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::record::{Meta, Phase, Pod};
use model::{App, Kind, ObjectRef, Snapshot};

use super::told;

/// Workloads of pods that only events speak of.
pub(crate) fn of(now: &Snapshot) -> Vec<App> {
    let mut found: Vec<App> = Vec::new();
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for event in now.events_where(told::is_refusal) {
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else { continue };
        if now.coverage.lists(Kind::Pod, &about.namespace) {
            continue;
        }
        let seen = known.entry(&about.namespace).or_insert_with(|| {
            let pods = now.apps_in(&about.namespace).iter().flat_map(|a| &a.pods);
            pods.map(|p| p.meta.name.as_str()).collect()
        });
        let placed = || now.events_about(about).iter().any(|e| e.reason == "Scheduled");
        if seen.contains(about.name.as_str()) || placed() {
            continue;
        }
        let mut meta = Meta::default();
        meta.namespace.clone_from(&about.namespace);
        meta.name.clone_from(&about.name);
        meta.source = event.document;
        let pod = Arc::new(Pod { meta, phase: Phase::Pending, ..Pod::default() });
        let object = owner_by_name(about, now);
        match found.iter_mut().find(|a| a.object == object) {
            Some(app) if app.pods.iter().any(|p| p.meta.name == about.name) => {}
            Some(app) => app.pods.push(pod),
            None => {
                let known = now.app(&object);
                found.push(App {
                    workload: known.and_then(|a| a.workload.clone()),
                    sets: known.map(|a| a.sets.clone()).unwrap_or_default(),
                    pods: vec![pod],
                    object,
                });
            }
        }
    }
    let waits = |a: &App| a.running().any(Pod::is_unscheduled);
    found.retain(|a| !now.app(&a.object).is_some_and(waits));
    found
}

/// The workload that a pod's name tells: one that is known, else a Deployment's by its form.
fn owner_by_name(pod: &ObjectRef, now: &Snapshot) -> ObjectRef {
    let known = now.apps_in(&pod.namespace).iter().map(|a| &a.object);
    let parents = known.filter(|o| {
        o.kind != Kind::Pod
            && pod.name.strip_prefix(o.name.as_str()).is_some_and(|rest| rest.starts_with('-'))
    });
    if let Some(parent) = parents.max_by_key(|o| o.name.len()) {
        return parent.clone();
    }
    let hash = |t: &str, lengths: std::ops::RangeInclusive<usize>| {
        lengths.contains(&t.len())
            && t.bytes().all(|c| b"bcdfghjklmnpqrstvwxz0123456789".contains(&c))
    };
    let parts = pod.name.rsplit_once('-').and_then(|(set, end)| {
        let (name, template) = set.rsplit_once('-')?;
        (hash(end, 5..=5) && hash(template, 8..=10)).then_some(name)
    });
    parts.map_or_else(|| pod.clone(), |n| ObjectRef::new(Kind::Deployment, &pod.namespace, n))
}
