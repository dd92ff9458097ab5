//! DaemonSets: one pod on every node that takes it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::scheduler::matches;
use super::taint_eviction::tolerates;
use super::{Place, has_ended, is_ready, owned_by, owner_of, place, revisions};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{DAEMON_SET, NODE, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};

const COMPONENT: &str = "daemonset-controller";
/// States of a node that its daemons bear: key and effect.
const BORNE: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// The controller.
#[derive(Debug, Default)]
pub(super) struct DaemonSets;

impl Actor for DaemonSets {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        [DAEMON_SET.storage, POD.storage, NODE.storage].contains(&change.key.resource)
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for object in changes.iter().filter_map(|c| c.object()) {
            if object["kind"] == NODE.kind {
                let all = context.registry.store.table(DAEMON_SET.storage).values();
                touched.extend(all.map(|set| place(set)));
            } else if object["kind"] == DAEMON_SET.kind {
                touched.insert(place(object));
            } else {
                touched.extend(owner_of(object, DAEMON_SET.kind));
            }
        }
        for (namespace, name) in touched {
            let found = context.registry.get(&DAEMON_SET, &namespace, &name).map(Arc::clone);
            if let Ok(set) = found {
                sync(context, &set);
            }
        }
    }
}

/// The node that a pod is on, or is made for.
fn home(pod: &Value) -> &str {
    const NAME: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution\
         /nodeSelectorTerms/0/matchFields/0/values/0";
    match field::text(pod, "/spec/nodeName") {
        "" => field::text(pod, NAME),
        node => node,
    }
}

fn sync(context: &mut Context<'_>, set: &Object) {
    let hash = revisions::current(context, set);
    let nodes: Vec<Object> = context.registry.store.table(NODE.storage).values().cloned().collect();
    let (takes, others): (Vec<_>, Vec<_>) =
        nodes.iter().partition(|node| takes(&made(set, &hash, field::name(node)), node));
    let pods = owned_by(context.registry, POD.storage, set);
    if !field::is_deleting(set) {
        for node in &takes {
            let here = |pod: &&Object| home(pod) == field::name(node);
            match pods.iter().find(here) {
                None => create(context, set, made(set, &hash, field::name(node))),
                Some(pod) if has_ended(pod) && !field::is_deleting(pod) => {
                    delete(context, set, pod);
                }
                Some(_) => {}
            }
        }
        for pod in &pods {
            let stays = takes.iter().any(|node| field::name(node) == home(pod));
            if !stays && !field::is_deleting(pod) {
                delete(context, set, pod);
            }
        }
        roll(context, set, &hash, &pods);
    }
    write_status(context, set, &hash, &takes, &others);
}

/// Replaces pods of old templates, one at a time unless more may be missing.
fn roll(context: &mut Context<'_>, set: &Object, hash: &str, pods: &[Object]) {
    if field::text(set, "/spec/updateStrategy/type") == "OnDelete" {
        return;
    }
    let most = field::number(set, "/spec/updateStrategy/rollingUpdate/maxUnavailable").max(1);
    let mut missing = pods.iter().filter(|pod| field::is_deleting(pod) || !is_ready(pod)).count();
    for pod in pods {
        let is_old = pod["metadata"]["labels"]["controller-revision-hash"] != hash;
        if !is_old || field::is_deleting(pod) {
            continue;
        }
        if is_ready(pod) {
            missing += 1;
        }
        if i64::try_from(missing).unwrap_or(i64::MAX) > most && is_ready(pod) {
            return;
        }
        delete(context, set, pod);
    }
}

/// The pod for one node; the scheduler puts it there.
fn made(set: &Object, hash: &str, node: &str) -> Value {
    let mut pod = revisions::pod(set, hash);
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(set)).into());
    let generation = field::number(set, "/metadata/generation");
    metadata["labels"]["pod-template-generation"] = generation.to_string().into();
    let spec = field::child(&mut pod, "spec");
    let affinity = spec.entry("affinity").or_insert(json!({}));
    let one = json!([{"matchFields": [
        {"key": "metadata.name", "operator": "In", "values": [node]},
    ]}]);
    affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        json!({"nodeSelectorTerms": one});
    let shares_host = spec.get("hostNetwork") == Some(&true.into());
    let tolerations = spec.entry("tolerations").or_insert(json!([]));
    let host = ("node.kubernetes.io/network-unavailable", "NoSchedule");
    for (key, effect) in BORNE.into_iter().chain(shares_host.then_some(host)) {
        if let Some(all) = tolerations.as_array_mut() {
            all.push(json!({"key": key, "operator": "Exists", "effect": effect}));
        }
    }
    pod
}

/// Whether the node takes such a pod at all.
fn takes(pod: &Value, node: &Value) -> bool {
    let taints = field::list(node, "/spec/taints").iter();
    let mut hard = taints.filter(|taint| field::text(taint, "/effect") != "PreferNoSchedule");
    let tolerations = field::list(pod, "/spec/tolerations");
    let bears = |taint: &Value| tolerations.iter().any(|one| tolerates(one, taint));
    matches(pod, node) && hard.all(bears)
}

fn create(context: &mut Context<'_>, set: &Object, pod: Value) {
    match context.registry.create(&POD, field::namespace(set), pod) {
        Ok(pod) => {
            let text = format!("Created pod: {}", field::name(&pod));
            context.tell(COMPONENT, set, &Note::normal("SuccessfulCreate", text));
        }
        Err(why) => {
            let text = format!("Error creating: {why}");
            context.tell(COMPONENT, set, &Note::warning("FailedCreate", text));
        }
    }
}

fn delete(context: &mut Context<'_>, set: &Object, pod: &Object) {
    let (namespace, name) = place(pod);
    if context.registry.delete(&POD, &namespace, &name, &DeleteOptions::default()).is_ok() {
        let text = format!("Deleted pod: {name}");
        context.tell(COMPONENT, set, &Note::normal("SuccessfulDelete", text));
    }
}

fn write_status(
    context: &mut Context<'_>,
    set: &Object,
    hash: &str,
    takes: &[&Object],
    others: &[&Object],
) {
    let pods = owned_by(context.registry, POD.storage, set);
    let on = |nodes: &[&Object], fits: &dyn Fn(&Object) -> bool| {
        let has =
            |node: &&&Object| pods.iter().any(|pod| home(pod) == field::name(node) && fits(pod));
        nodes.iter().filter(has).count()
    };
    let ready = on(takes, &|pod| is_ready(pod));
    let is_new = |pod: &Object| pod["metadata"]["labels"]["controller-revision-hash"] == hash;
    let (current, updated) = (on(takes, &|_| true), on(takes, &is_new));
    let wrong = on(others, &|_| true);
    let written = context.registry.modify(&DAEMON_SET, set, Part::Status, |set| {
        let generation = set["metadata"]["generation"].clone();
        let status = field::child(set, "status");
        status.insert("observedGeneration".into(), generation);
        status.insert("desiredNumberScheduled".into(), takes.len().into());
        status.insert("currentNumberScheduled".into(), current.into());
        status.insert("numberMisscheduled".into(), wrong.into());
        status.insert("numberReady".into(), ready.into());
        for (key, n) in [
            ("numberAvailable", ready),
            ("numberUnavailable", takes.len().saturating_sub(ready)),
            ("updatedNumberScheduled", updated),
        ] {
            match n {
                0 => drop(status.remove(key)),
                n => drop(status.insert(key.into(), n.into())),
            }
        }
    });
    // The set may have been removed by its own deletion.
    drop(written);
}
