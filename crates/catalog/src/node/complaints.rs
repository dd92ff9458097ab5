//! What pods say that is their machine's fault: their events, how their containers ended, the
//! end of their logs. Gathered by node, since one pod's word may be its own fault.

use std::collections::BTreeMap;

use model::record::{ContainerState, ContainerStatus, EventTime, Pod};
use model::{App, Evidence, Kind, ObjectRef, Snapshot, Timestamp};

use crate::evidence;

/// One complaint of one pod that still matters.
pub(super) struct Complaint<'s> {
    /// The workload, or the pod where nothing else is known of it.
    pub(super) object: ObjectRef,
    pub(super) app: Option<&'s App>,
    pub(super) text: &'s str,
    /// Whether a program of the pod says it, in its log.
    pub(super) by_program: bool,
    pub(super) count: u32,
    pub(super) first: Option<Timestamp>,
    pub(super) evidence: Evidence,
}

/// An event that came this long ago still speaks of now, in seconds.
const CURRENT_SECONDS: i64 = 900;

/// Lines at the end of a pod's log that are read.
const LAST_LINES: usize = 200;

/// Complaints that `fits` knows, by the name of the node; empty where that is not known.
pub(super) fn by_node<'s>(
    now: &'s Snapshot,
    fits: impl Fn(&str) -> bool + Copy + Send + Sync + 'static,
) -> BTreeMap<&'s str, Vec<Complaint<'s>>> {
    let mut found: BTreeMap<&str, Vec<Complaint<'_>>> = BTreeMap::new();
    let mut pods = Pods { now, known: BTreeMap::new() };
    events(now, &mut pods, fits, &mut found);
    let unready = |p: &&Pod| p.is_ready() != Some(true);
    let complains = move |app: &App, _: &Snapshot| {
        let containers = app.running().filter(unready).flat_map(Pod::all_containers);
        containers.flat_map(words).any(fits)
    };
    for app in now.apps_where(complains) {
        app.running().filter(unready).for_each(|pod| endings(app, pod, fits, &mut found));
    }
    logs(now, &mut pods, fits, &mut found);
    found
}

/// Pods of one namespace with their workloads, by name.
type Named<'s> = BTreeMap<&'s str, (&'s App, &'s Pod)>;

/// Pods with their workloads, for the namespaces that somebody has asked about.
struct Pods<'s> {
    now: &'s Snapshot,
    known: BTreeMap<&'s str, Named<'s>>,
}

impl<'s> Pods<'s> {
    fn get(&mut self, namespace: &'s str, name: &str) -> Option<(&'s App, &'s Pod)> {
        let named = self.known.entry(namespace).or_insert_with(|| {
            let apps = self.now.apps_in(namespace).iter();
            let pods = apps.flat_map(|a| a.pods.iter().map(move |p| (a, &**p)));
            pods.map(|(a, p)| (p.meta.name.as_str(), (a, p))).collect()
        });
        named.get(name).copied()
    }
}

fn events<'s>(
    now: &'s Snapshot,
    pods: &mut Pods<'s>,
    fits: impl Fn(&str) -> bool + Copy + Send + Sync + 'static,
    found: &mut BTreeMap<&'s str, Vec<Complaint<'s>>>,
) {
    for event in now.events_where(move |e| fits(&e.message)) {
        let Some(about) = event.about.as_ref().filter(|o| o.kind == Kind::Pod) else { continue };
        let known = pods.get(&about.namespace, &about.name);
        let last = evidence::last_time(event, now);
        let recent = event.last == EventTime::Unknown
            || last.is_some_and(|t| now.now.since(t) <= CURRENT_SECONDS);
        let well = known.is_some_and(|(_, p)| {
            let since = p.ready.and_then(|r| r.since);
            p.is_ready() == Some(true) && since.zip(last).is_none_or(|(s, l)| l <= s)
        });
        let Some(fact) = evidence::event(event, now).filter(|_| recent && !well) else { continue };
        found.entry(known.map_or("", |(_, p)| p.node.as_str())).or_default().push(Complaint {
            object: known.map_or_else(|| about.clone(), |(a, _)| a.object.clone()),
            app: known.map(|(a, _)| a),
            text: &event.message,
            by_program: false,
            count: event.count,
            first: evidence::first_time(event, now),
            evidence: fact,
        });
    }
}

/// Why a container waits, and what it said when it ended.
fn words(container: &ContainerStatus) -> impl Iterator<Item = &str> {
    let ended = container.ended().map(|e| e.message.as_str());
    let waits = match &container.state {
        ContainerState::Waiting(why) => Some(why.1.as_str()),
        _ => None,
    };
    waits.into_iter().chain(ended)
}

/// How containers of an unready pod ended, or why they wait.
fn endings<'s>(
    app: &'s App,
    pod: &'s Pod,
    fits: impl Fn(&str) -> bool,
    found: &mut BTreeMap<&'s str, Vec<Complaint<'s>>>,
) {
    for container in pod.all_containers() {
        let Some(text) = words(container).find(|t| fits(t)) else { continue };
        let field = format!("status.containerStatuses[{}]", container.name);
        let value: String = text.chars().take(300).collect();
        let object = pod.meta.object(Kind::Pod);
        found.entry(&pod.node).or_default().push(Complaint {
            object: app.object.clone(),
            app: Some(app),
            text,
            by_program: false,
            count: container.restarts.max(1),
            first: container.ended().and_then(|e| e.finished_at),
            evidence: evidence::field(pod.meta.source, &object, field, value),
        });
    }
}

/// The end of the logs of pods that are not well.
fn logs<'s>(
    now: &'s Snapshot,
    pods: &mut Pods<'s>,
    fits: impl Fn(&str) -> bool,
    found: &mut BTreeMap<&'s str, Vec<Complaint<'s>>>,
) {
    for log in now.logs.iter().filter(|l| l.unit.is_empty()) {
        let skip = log.lines.len().saturating_sub(LAST_LINES);
        let Some(line) = log.lines.iter().skip(skip).find(|l| fits(l)) else { continue };
        let known = pods.get(&log.namespace, &log.name);
        let Some((app, pod)) = known.filter(|(_, p)| p.is_ready() != Some(true)) else { continue };
        let value: String = line.chars().take(300).collect();
        let object = pod.meta.object(Kind::Pod);
        found.entry(&pod.node).or_default().push(Complaint {
            object: app.object.clone(),
            app: Some(app),
            text: line,
            by_program: true,
            count: 1,
            first: None,
            evidence: evidence::field(log.document, &object, "log", value),
        });
    }
}

/// The workloads that complain, each once.
pub(super) fn objects<'c>(complaints: &'c [Complaint<'_>]) -> Vec<&'c ObjectRef> {
    let mut objects: Vec<&ObjectRef> = complaints.iter().map(|c| &c.object).collect();
    objects.sort();
    objects.dedup();
    objects
}
