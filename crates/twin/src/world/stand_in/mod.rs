//! Stand-ins: nodes that somebody made through the API have no machine, and yet their pods
//! shall run. They are well at once, so are their pods; pods of Jobs end at once; what is
//! deleted goes at once. No image is pulled and no event is told. Annotations of a pod make it
//! slower or let it fail (see [`stage`]).
//!
//! It must never touch what has been posted by hand: a pod is answered for only once.

mod stage;
mod status;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::json;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{LEASE, NODE, POD};
use crate::registry::{DeleteOptions, Heartbeat, NODE_LEASES, Part};
use crate::scenario::Fault;
use crate::store::{Change, Object};
use stage::Stage;

/// What such nodes say they run, as others that make nodes without machines have it.
const PROGRAM: &str = "kwok-0.8.0";
/// Under this name their writes are noted.
const MANAGER: &str = "kwok";
/// Whoever takes a node over has its lease at once, or at its second try.
const TAKES_OVER: (i64, i64) = (SECOND / 10, SECOND / 2);
const SECOND_TRY: i64 = 10 * SECOND;

/// The kubelets of all nodes without a machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct StandIns {
    nodes: BTreeSet<String>,
    /// Nodes whose kubelet does not run.
    lost: BTreeSet<String>,
    /// Nodes whose kubelet is back, and when it has their lease.
    returning: BTreeMap<String, Timestamp>,
    /// The last return and how long it takes: kubelets that come back together are one program.
    last_return: Option<(Timestamp, i64)>,
    /// When pods were started, by uid.
    since: BTreeMap<String, Timestamp>,
    /// When to look at a pod again.
    due: BTreeSet<(Timestamp, String, String)>,
    next_address: u32,
}

impl Actor for StandIns {
    fn name(&self) -> &str {
        "stand-ins"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NODE.storage || change.key.resource == POD.storage
    }

    fn hit(&mut self, fault: &Fault, context: &mut Context<'_>) {
        match fault {
            Fault::StopKubelet { node } => {
                self.returning.remove(node);
                self.lost.insert(node.clone());
            }
            Fault::StartKubelet { node } if self.lost.contains(node) => {
                let now = context.now();
                let known = self.last_return.filter(|(at, _)| *at == now);
                let (_, pause) = *self.last_return.insert(known.unwrap_or_else(|| {
                    let tries = context.dice.between(0, 2);
                    let first = context.dice.between(TAKES_OVER.0, TAKES_OVER.1);
                    (now, first + tries * SECOND_TRY)
                }));
                self.lost.remove(node);
                let at = plus(now, pause + context.dice.between(0, SECOND / 10));
                self.returning.insert(node.clone(), at);
                context.wake(at);
            }
            _ => {}
        }
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        let back: Vec<String> =
            self.returning.iter().filter(|(_, at)| **at <= now).map(|(n, _)| n.clone()).collect();
        for node in back {
            self.returning.remove(&node);
            self.take_over(context, &node);
        }
        for change in changes {
            let name = &change.key.name;
            match (&change.after, change.key.resource == NODE.storage) {
                (Some(node), true) => self.join(context, node),
                (None, true) if self.nodes.remove(name) => {
                    context.registry.heartbeats.remove(name);
                }
                (Some(pod), false) => self.play(context, pod),
                (None, false) => {
                    let uid = change.object().map_or("", |pod| field::uid(pod));
                    self.since.remove(uid);
                }
                _ => {}
            }
        }
        while let Some((at, namespace, name)) = self.due.pop_first() {
            if at > now {
                self.due.insert((at, namespace, name));
                break;
            }
            let found = context.registry.get(&POD, &namespace, &name).map(Arc::clone);
            if let Ok(pod) = found {
                self.play(context, &pod);
            }
        }
        let returns = self.returning.values().min().copied();
        let next = self.due.first().map(|(at, ..)| *at).into_iter().chain(returns).min();
        if let Some(next) = next {
            context.wake(next);
        }
    }
}

impl StandIns {
    /// Takes up a node that nobody runs.
    fn join(&mut self, context: &mut Context<'_>, node: &Object) {
        let (name, now) = (field::name(node).to_owned(), context.now());
        if context.registry.heartbeats.contains_key(&name) {
            return;
        }
        self.nodes.insert(name.clone());
        let away = self.lost.contains(&name) || self.returning.contains_key(&name);
        let stopped = away.then_some(now);
        let beat = Heartbeat { since: now, stopped, has_machine: false };
        context.registry.heartbeats.insert(name.clone(), beat);
        context.registry.beats += 1;
        if away {
            return;
        }
        self.run(context, node);
    }

    /// The kubelet of a node is back and has its lease.
    fn take_over(&mut self, context: &mut Context<'_>, node: &str) {
        context.registry.revive(node);
        let found = context.registry.get(&NODE, "", node).map(Arc::clone);
        if let Ok(node) = found {
            self.run(context, &node);
        }
    }

    /// Posts the node's status and looks after its pods.
    fn run(&mut self, context: &mut Context<'_>, node: &Object) {
        let (name, now) = (field::name(node), context.now().to_string());
        let lease = json!({
            "metadata": {"name": name, "ownerReferences": [{
                "apiVersion": "v1", "kind": "Node", "name": name, "uid": field::uid(node),
            }]},
            "spec": {"holderIdentity": name, "leaseDurationSeconds": 40},
        });
        // It may have been left by a node of the same name.
        drop(context.registry.create(&LEASE, NODE_LEASES, lease));
        let posted = context.registry.modify_as(MANAGER, (&NODE, node, Part::Status), |node| {
            status::node(node, &now);
        });
        drop(posted);
        let here = |pod: &&Object| field::text(pod, "/spec/nodeName") == name;
        let pods = context.registry.store.table(POD.storage).values();
        let pods: Vec<Object> = pods.filter(here).cloned().collect();
        let mut at = context.now();
        for pod in &pods {
            at = plus(at, context.dice.between(5_000, 40_000));
            let (namespace, name) = (field::namespace(pod), field::name(pod));
            self.due.insert((at, namespace.to_owned(), name.to_owned()));
        }
    }

    /// Brings a pod one step on.
    fn play(&mut self, context: &mut Context<'_>, pod: &Object) {
        let node = field::text(pod, "/spec/nodeName");
        let current = context.registry.get(&POD, field::namespace(pod), field::name(pod));
        // Newer changes come in their turn.
        let Ok(pod) = current.map(Arc::clone) else { return };
        let away = self.lost.contains(node) || self.returning.contains_key(node);
        if !self.nodes.contains(node) || away {
            return;
        }
        let uid = field::uid(&pod);
        let since = self.since.get(uid).copied();
        let ends = context.registry.get(&NODE, "", node).is_ok_and(|node| stage::ends_jobs(node));
        match stage::of(&pod, since, context.now(), ends) {
            Stage::Stay => {}
            Stage::Wait(at) => {
                let (namespace, name) = (field::namespace(&pod), field::name(&pod));
                self.due.insert((at, namespace.to_owned(), name.to_owned()));
            }
            next => self.post(context, &pod, next),
        }
    }

    fn post(&mut self, context: &mut Context<'_>, pod: &Object, stage: Stage) {
        let at = context.now();
        let now = at.to_string();
        let (namespace, name) = (field::namespace(pod), field::name(pod));
        match stage {
            Stage::Go => {
                let options = DeleteOptions {
                    grace_seconds: Some(0),
                    uid: Some(field::uid(pod).to_owned()),
                    ..DeleteOptions::default()
                };
                drop(context.registry.delete(&POD, namespace, name, &options));
                return;
            }
            Stage::Start { ready } => {
                self.since.insert(field::uid(pod).to_owned(), at);
                let hosts = host_addresses(context, field::text(pod, "/spec/nodeName"));
                let ips = match field::flag(pod, "/spec/hostNetwork") {
                    true => hosts.clone(),
                    false => vec![self.address()],
                };
                self.write(context, pod, |pod| status::running(pod, &now, (&hosts, &ips), ready));
            }
            Stage::BecomeReady => self.write(context, pod, |pod| status::ready(pod, &now)),
            Stage::End { success } => {
                self.write(context, pod, |pod| status::over(pod, &now, success));
            }
            Stage::Stay | Stage::Wait(_) => return,
        }
        self.play(context, pod);
    }

    fn write(
        &self,
        context: &mut Context<'_>,
        pod: &Object,
        change: impl FnOnce(&mut serde_json::Value),
    ) {
        drop(context.registry.modify_as(MANAGER, (&POD, pod, Part::Status), change));
    }

    fn address(&mut self) -> String {
        self.next_address += 1;
        let address = self.next_address;
        format!("10.{}.{}.{}", 1 + address / 64_000, address / 250 % 256, 1 + address % 250)
    }
}

fn host_addresses(context: &Context<'_>, node: &str) -> Vec<String> {
    let Ok(node) = context.registry.get(&NODE, "", node) else { return Vec::new() };
    let all = field::list(node, "/status/addresses").iter();
    let internal = all.filter(|address| field::text(address, "/type") == "InternalIP");
    internal.map(|address| field::text(address, "/address").to_owned()).collect()
}
