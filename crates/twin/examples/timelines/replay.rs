//! Plays a recording on the twin: puts up its cluster, does at each time what was done, and
//! writes what happened in the recording's form.

use std::collections::{BTreeMap, VecDeque};

use model::Timestamp;
use serde_json::{Map, Value, json};
use twin::scenario::{Component, Controllers, Fault, plain};
use twin::{Recorded, Twin};

use crate::alias::Aliases;
use crate::client::{Client, path};
use crate::kubectl::Kubectl;
use crate::{Fallible, actions, view};

const SECOND: f64 = 1_000_000.0;
/// 2026-06-01T00:00:00Z
const EPOCH: i64 = 1_780_272_000;
/// The control plane is started so long before the first action, as it was for the recordings,
/// each on a fresh one: it shows in the phase of what is done every 20 s.
const BUILT_AT: f64 = -87.7;
const NODES_AT: f64 = -60.0;
/// Just after a period of what is done every 15 s has passed, as in the recordings.
const MANIFESTS_AT: f64 = -45.2;
const SCHEDULER_AT: f64 = -24.0;
/// What ends by itself is created shortly before.
const JOBS_AT: f64 = -4.2;
/// So long after the last recorded change the replay goes on.
const AFTERMATH: f64 = 14.0;

/// What the twin did, in the form of a recording.
pub struct Played {
    pub timeline: Vec<Value>,
    pub requests: Vec<Value>,
    /// Kind, name, fields at t=0.
    pub before: State,
    pub after: State,
    /// Actions with the output of their commands.
    pub commands: Vec<Value>,
    /// What could not be understood or done.
    pub troubles: Vec<String>,
}

/// Fields by kind and name.
pub type State = BTreeMap<(String, String), Map<String, Value>>;

/// A replay that goes on.
pub struct Play<'a> {
    pub trace: &'a Value,
    pub twin: Twin,
    pub client: Client,
    pub aliases: Aliases,
    pub requests: Vec<Value>,
    /// Manifests that are not applied yet.
    pub later: Vec<Value>,
    pub troubles: Vec<String>,
    /// Commands that go on, and when they do their next step.
    pub commands: Vec<(f64, Kubectl)>,
    done: Vec<Value>,
    timeline: Vec<Value>,
    state: State,
    start: Timestamp,
}

/// Replays a recording.
pub fn play(trace: &Value, seed: u64) -> Fallible<Played> {
    let actions = trace["actions"].as_array().cloned().unwrap_or_default();
    let mut play = Play::new(trace, seed)?;
    play.set_up(&actions);
    let before = play.state.clone();
    play.timeline.clear();
    play.requests.clear();
    let mut actions: VecDeque<Value> = actions.into();
    let last = |entries: &Value| {
        let times = entries.as_array().into_iter().flatten().filter_map(|e| e["t"].as_f64());
        times.fold(0.0, f64::max)
    };
    let end = last(&trace["timeline"]).max(last(&trace["actions"])) + AFTERMATH;
    loop {
        let action = actions.front().and_then(|action| action["t"].as_f64());
        let command = play.commands.iter().map(|(at, _)| *at).fold(f64::MAX, f64::min);
        match action {
            Some(at) if at <= command => {
                play.until(at);
                if let Some(action) = actions.pop_front() {
                    actions::act(&mut play, &action);
                }
            }
            _ if command <= end + 60.0 => {
                play.until(command);
                play.go_on(command);
            }
            _ => break,
        }
    }
    play.until(end);
    play.requests.sort_by(|a, b| time(a).total_cmp(&time(b)));
    Ok(Played {
        timeline: play.timeline,
        requests: play.requests,
        before,
        after: play.state,
        commands: play.done,
        troubles: play.troubles,
    })
}

fn time(entry: &Value) -> f64 {
    entry["t"].as_f64().unwrap_or_default()
}

impl<'a> Play<'a> {
    fn new(trace: &'a Value, seed: u64) -> Fallible<Self> {
        let aligned =
            trace["actions"].as_array().into_iter().flatten().find_map(|action| {
                Some(action["second_of_minute"].as_f64()? - action["t"].as_f64()?)
            });
        let start = EPOCH * 1_000_000 + (aligned.unwrap_or(0.3) * SECOND) as i64;
        let start = Timestamp::from_micros(start);
        let built = Timestamp::from_micros(start.micros() + (BUILT_AT * SECOND) as i64);
        let twin = Twin::new(plain(seed, built, 0, Controllers::All));
        twin.record();
        Ok(Self {
            trace,
            client: Client::of(&twin)?,
            twin,
            aliases: Aliases::default(),
            requests: Vec::new(),
            later: trace["manifests"].as_array().cloned().unwrap_or_default(),
            troubles: Vec::new(),
            commands: Vec::new(),
            done: Vec::new(),
            timeline: Vec::new(),
            state: State::new(),
            start,
        })
    }

    /// Lets time pass up to `t` seconds after the first action.
    pub fn until(&mut self, t: f64) {
        self.twin.run_until(Timestamp::from_micros(self.start.micros() + (t * SECOND) as i64));
        self.write_down();
    }

    /// Seconds since the first action.
    pub fn now(&self) -> f64 {
        self.since(self.twin.now())
    }

    fn since(&self, at: Timestamp) -> f64 {
        (at.micros() - self.start.micros()) as f64 / SECOND
    }

    /// The state of t=0: nodes, then manifests, with every pod on the node that it was on.
    fn set_up(&mut self, actions: &[Value]) {
        self.twin.strike(&Fault::StopComponent { component: Component::Scheduler });
        let renewed = self.trace["milestones"]["last_renewal_first"].as_f64().unwrap_or(-5.0);
        self.until(NODES_AT + renewed.rem_euclid(10.0));
        for node in self.trace["topology"].as_array().into_iter().flatten() {
            let name = node["name"].as_str().unwrap_or_default();
            if !actions::joins_later(actions, name) {
                self.register(name);
            }
        }
        self.until(MANIFESTS_AT - 1.0);
        self.apply_where(|play, manifest| {
            play.was_there(manifest, actions) && manifest["kind"] == "Namespace"
        });
        self.until(MANIFESTS_AT);
        self.apply_where(|play, manifest| {
            play.was_there(manifest, actions) && manifest["kind"] != "Job"
        });
        let mut t = MANIFESTS_AT;
        while t < 0.0 {
            t += 0.2;
            self.until(t.min(-0.001));
            if (t - SCHEDULER_AT).abs() < 0.1 {
                self.twin.strike(&Fault::StartComponent { component: Component::Scheduler });
            }
            if (t - JOBS_AT).abs() < 0.1 {
                self.apply_where(|play, manifest| play.was_there(manifest, actions));
            }
            self.place();
        }
    }

    /// Whether an object was there at t=0.
    fn was_there(&self, manifest: &Value, actions: &[Value]) -> bool {
        let kind = manifest["kind"].as_str().unwrap_or_default();
        let told = self.trace["timeline"].as_array().into_iter().flatten();
        let name = full_name(manifest);
        let mut created = told.filter(|entry| entry["op"] == "created");
        if created.any(|entry| entry["kind"] == kind && entry["name"] == name) {
            return false;
        }
        let before = &self.trace["before"][kind];
        match kind {
            "Pod" | "Deployment" | "StatefulSet" | "DaemonSet" | "Job" | "CronJob" => {
                before.get(&name).is_some() || kind == "Job" && !before.is_null()
            }
            _ => !actions::installs_later(actions, kind),
        }
    }

    /// Applies those of the manifests left that are chosen, in their order.
    pub fn apply_where(&mut self, chosen: impl Fn(&Self, &Value) -> bool) -> usize {
        let all = std::mem::take(&mut self.later);
        let (now, later): (Vec<_>, Vec<_>) = all.into_iter().partition(|one| chosen(self, one));
        self.later = later;
        for manifest in &now {
            if let Err(why) = self.client.create(manifest) {
                self.troubles.push(format!("applying {}: {why}", full_name(manifest)));
            }
        }
        now.len()
    }

    /// A node of the topology registers.
    pub fn register(&mut self, name: &str) {
        let topology = self.trace["topology"].as_array();
        let Some(node) = topology.into_iter().flatten().find(|node| node["name"] == name) else {
            self.troubles.push(format!("there is no node {name}"));
            return;
        };
        let taints = node["taints"].as_array().cloned().unwrap_or_default();
        let taints: Vec<Value> = taints.iter().map(actions::taint).collect();
        let cordoned = self.trace["before"]["Node"][name]["unschedulable"] == true;
        let object = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {
                "name": name, "labels": node["labels"], "annotations": {"twin/jobs-run": "yes"},
            },
            "spec": {"taints": taints, "unschedulable": cordoned},
            "status": {"capacity": node["capacity"], "allocatable": node["capacity"]},
        });
        if let Err(why) = self.client.create(&object) {
            self.troubles.push(why);
        }
        // The status of a new object is not taken from its maker.
        let status = json!({"status": object["status"]});
        let status_path = format!("{}/status", path("Node", "", name));
        if let Err(why) = self.client.merge(&status_path, &status) {
            self.troubles.push(why);
        }
    }

    /// Binds the pods that were on a node at t=0.
    fn place(&mut self) {
        for pod in self.client.list("/api/v1/pods") {
            if !pod["spec"]["nodeName"].is_null() {
                continue;
            }
            let name = self.aliases.name(&pod);
            let node = self.trace["before"]["Pod"][&name]["node"].clone();
            let Some(node) = node.as_str() else { continue };
            let namespace = pod["metadata"]["namespace"].as_str().unwrap_or_default();
            let real = pod["metadata"]["name"].as_str().unwrap_or_default();
            let binding = json!({
                "apiVersion": "v1", "kind": "Binding", "metadata": {"name": real},
                "target": {"apiVersion": "v1", "kind": "Node", "name": node},
            });
            let at = format!("{}/binding", path("Pod", namespace, real));
            // A pod that was bound meanwhile needs no binding.
            drop(self.client.ask("POST", &at, "application/json", &binding));
        }
    }

    /// The commands whose time has come do their next step.
    fn go_on(&mut self, now: f64) {
        let commands = std::mem::take(&mut self.commands);
        for (at, mut command) in commands {
            if at > now {
                self.commands.push((at, command));
                continue;
            }
            match command.step(self) {
                Some(next) => self.commands.push((next, command)),
                None => self.done.push(command.told()),
            }
            self.write_down();
        }
    }

    fn write_down(&mut self) {
        for record in self.twin.recorded() {
            self.note(&record);
        }
        for asked in self.twin.deletions() {
            // Whoever plays the kubelets is not part of a recording.
            if asked.user.starts_with("system:node:") {
                continue;
            }
            let t = self.since(asked.at);
            let pod = format!("{}/{}", asked.namespace, self.aliases.alias(&asked.pod));
            let namespaces = asked.user.ends_with(":namespace-controller");
            let verb = if namespaces { "deletecollection" } else { "delete" };
            self.requests.push(json!({
                "t": t, "user": asked.user, "verb": verb, "pod": pod, "code": asked.code,
                "message": self.aliases.clean(&asked.message),
            }));
        }
    }

    fn note(&mut self, record: &Recorded) {
        let Some(object) = record.after.as_ref().or(record.before.as_ref()) else { return };
        let kind = object["kind"].as_str().unwrap_or_default().to_owned();
        self.aliases.learn(object);
        if !view::KINDS.contains(&kind.as_str()) {
            return;
        }
        let t = (self.since(record.at) * 1000.0).round() / 1000.0;
        if kind == "Event" {
            if record.after.is_some() {
                self.timeline.push(self.event(t, object));
            }
            return;
        }
        let name = self.aliases.name(object);
        let key = (kind.clone(), name.clone());
        if record.after.is_none() {
            self.state.remove(&key);
            self.timeline.push(json!({"t": t, "kind": kind, "name": name, "op": "gone"}));
            return;
        }
        let new = view::of(object);
        let (op, set) = match self.state.get(&key) {
            Some(old) => ("changed", view::difference(old, &new)),
            None => ("created", new.clone()),
        };
        self.state.insert(key, new);
        if op == "created" && kind == "ConfigMap" || op == "changed" && set.is_empty() {
            return;
        }
        let entry = json!({"t": t, "kind": kind, "name": name, "op": op, "set": set});
        self.timeline.push(entry);
    }

    fn event(&self, t: f64, event: &Value) -> Value {
        let about = &event["involvedObject"];
        let word = |key: &str| about[key].as_str().unwrap_or_default();
        let alias = self.aliases.by_uid(word("uid")).filter(|_| word("kind") == "Pod");
        let name = alias.map_or_else(|| word("name").to_owned(), Clone::clone);
        let of = match word("namespace") {
            "" => format!("{} {name}", word("kind")),
            namespace => format!("{} {namespace}/{name}", word("kind")),
        };
        let message = event["message"].as_str().unwrap_or_default();
        json!({
            "t": t, "kind": "Event", "of": of, "type": event["type"], "reason": event["reason"],
            "message": self.aliases.clean(message), "count": event["count"],
            "source": event["source"]["component"],
        })
    }
}

/// Namespace and name of a manifest as recordings have it.
pub fn full_name(manifest: &Value) -> String {
    let name = manifest["metadata"]["name"].as_str().unwrap_or_default();
    match manifest["metadata"]["namespace"].as_str() {
        Some(namespace) => format!("{namespace}/{name}"),
        None => name.to_owned(),
    }
}
