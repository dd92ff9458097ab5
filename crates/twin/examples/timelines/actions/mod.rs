//! What somebody did, in the words of the recordings, and how the same is done to the twin.
//!
//! Every form is understood with any names; an action of an unknown form is reported.

mod workloads;

use regex::{Captures, Regex};
use serde_json::{Value, json};
use twin::scenario::{Component, Fault};

use crate::client::{kind_of, path};
use crate::kubectl::Kubectl;
use crate::replay::{Play, full_name};
use workloads::{
    change_image, create_all, create_pods, delete, hide_metrics, load, never_ready, scale,
    scale_named, select_node, set_image, start_metrics, stop_metrics, suspend,
};

type Doing = fn(&mut Play<'_>, &Captures<'_>, &Value) -> Result<(), String>;

/// Forms of actions. The first that fits is done.
const FORMS: [(&str, Doing); 42] = [
    (r"^kubectl (.+)$", command),
    (r"^lose group (\S+)$", lose),
    (r"^return group (\S+)$", give_back),
    (r"^lose (\S+) and delete its Node object$", lose_and_delete),
    (r"^(?:kill|stop) ([\w, -]+?)(?:; start [\w -]+)?$", kill),
    (r"^restart ([\w -]+)$", kill),
    (r"^start apiserver.*$", nothing),
    (r"^apiserver ready(?:; start ([\w, -]+))?$", ready),
    (r"^start ([\w, -]+?)(?: \(.*\))?$", start),
    (r"^node (\S+) (?:joins|registers).*$", join),
    (r"^delete node (\S+).*$", delete_node),
    (r"^install .*$", install),
    (r"^delete the binding '(\S+)'$", delete_binding),
    (r"^remove the NoExecute taint of (\S+) by hand.*$", remove_taint),
    (r"^add a toleration \((\S+):(\w+)\) to pod (\S+)(?: on \S+)?$", tolerate),
    (r"^add to pod (\S+) the toleration (\S+):(\w+) for ever$", tolerate_for_ever),
    (r"^label node (\S+).*$", label),
    (r"^annotate pod (\S+)$", annotate),
    (r"^taints of (\S+)$", taints),
    (r"^(\w+) taint on (\S+)$", taint_one),
    (r"^scale (\w+) (\S+) (?:up |down )?to (\d+)$", scale_named),
    (r"^scale to (\d+)$", scale),
    (r"^suspend job (\S+)$", suspend),
    (r"^delete (\w+) (\S+?),? (?:\((\w+)\)|propagationPolicy (\w+))$", delete),
    (r"^delete (\w+) (\S+)$", delete),
    (r"^change image of (\w+) (\S+)$", change_image),
    (r"^(?:set|template:) image (\S+?),? whose pods never get ready.*$", never_ready),
    (r"^template: image (\S+), never ready$", never_ready),
    (r"^(?:set image|template: image) (\S+?)(?:, gets ready)?$", set_image),
    (r"^give daemonset (\S+) a nodeSelector that only (\S+) has$", select_node),
    (r"^a pod of .*$", create_pods),
    (r"^create the .*$", create_all),
    (r"^case .*$", case),
    (r"^create a ConfigMap in the terminating namespace$", late_config_map),
    (r"^remove the finalizer of (\S+)$", release),
    (r"^quota: (.+)$", quota),
    (r"^evict pod \S+ through the API$", nothing),
    (r"^evict (\S+)/(\S+)$", evict),
    (r"^load$", load),
    (r"^metrics missing for (\d+) pods$", hide_metrics),
    (r"^metrics API answers again$", start_metrics),
    (r"^metrics API answers \d+$", stop_metrics),
];

/// Does one action.
pub fn act(play: &mut Play<'_>, action: &Value) {
    let what = action["do"].as_str().unwrap_or_default();
    if what == "its answer" {
        return;
    }
    for (form, doing) in FORMS {
        let Ok(form) = Regex::new(form) else { continue };
        if let Some(found) = form.captures(what) {
            if let Err(why) = doing(play, &found, action) {
                play.troubles.push(format!("{what}: {why}"));
            }
            return;
        }
    }
    play.troubles.push(format!("not understood: {what}"));
}

/// Whether a node registers only later.
pub fn joins_later(actions: &[Value], node: &str) -> bool {
    let joins = format!("node {node} joins");
    actions.iter().any(|action| action["do"].as_str().is_some_and(|what| what.starts_with(&joins)))
}

/// Whether objects of this kind are installed only later.
pub fn installs_later(actions: &[Value], kind: &str) -> bool {
    let installs =
        |action: &Value| action["do"].as_str().is_some_and(|what| what.starts_with("install "));
    kind.starts_with("ValidatingAdmissionPolicy") && actions.iter().any(installs)
}

/// A taint, as an object or as `key=value:Effect`.
pub fn taint(told: &Value) -> Value {
    let Some(text) = told.as_str() else { return told.clone() };
    let (key, effect) = text.split_once(':').unwrap_or((text, "NoSchedule"));
    match key.split_once('=') {
        Some((key, value)) => json!({"key": key, "value": value, "effect": effect}),
        None => json!({"key": key, "effect": effect}),
    }
}

fn group<'a>(found: &'a Captures<'_>, at: usize) -> &'a str {
    found.get(at).map_or("", |part| part.as_str())
}

fn nodes(play: &Play<'_>, found: &Captures<'_>, action: &Value) -> Vec<String> {
    if let Some(named) = action["nodes"].as_array() {
        return named.iter().filter_map(|n| n.as_str().map(str::to_owned)).collect();
    }
    let name = group(found, 1);
    let topology = play.trace["topology"].as_array().into_iter().flatten();
    let inside = topology.filter(|node| node["labels"]["group"] == name || node["name"] == name);
    inside.filter_map(|node| node["name"].as_str().map(str::to_owned)).collect()
}

fn lose(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    for node in nodes(play, found, action) {
        play.twin.strike(&Fault::StopKubelet { node });
    }
    Ok(())
}

fn give_back(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    for node in nodes(play, found, action) {
        play.twin.strike(&Fault::StartKubelet { node });
    }
    Ok(())
}

fn lose_and_delete(play: &mut Play<'_>, found: &Captures<'_>, a: &Value) -> Result<(), String> {
    lose(play, found, a)?;
    delete_node(play, found, a)
}

fn components(text: &str) -> Result<Vec<Component>, String> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty() && *word != "and");
    words
        .map(|word| match word {
            "apiserver" | "kube-apiserver" => Ok(Component::ApiServer),
            "kcm" | "kube-controller-manager" | "controller-manager" => {
                Ok(Component::ControllerManager)
            }
            "scheduler" | "kube-scheduler" => Ok(Component::Scheduler),
            other => Err(format!("there is no component {other}")),
        })
        .collect()
}

fn kill(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    let what = action["do"].as_str().unwrap_or_default();
    for component in components(group(found, 1))? {
        play.twin.strike(&Fault::StopComponent { component });
        if what.contains("start") {
            play.twin.strike(&Fault::StartComponent { component });
        }
    }
    Ok(())
}

fn start(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    for component in components(group(found, 1))? {
        play.twin.strike(&Fault::StartComponent { component });
    }
    Ok(())
}

/// The API server was started before; only now does it answer.
fn ready(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    play.twin.strike(&Fault::StartComponent { component: Component::ApiServer });
    start(play, found, action)
}

fn nothing(_: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    Ok(())
}

fn join(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    play.register(group(found, 1));
    Ok(())
}

fn delete_node(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    play.client.delete(&path("Node", "", group(found, 1)), "")
}

fn install(play: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    let is_policy = |one: &Value| {
        one["kind"].as_str().is_some_and(|kind| kind.starts_with("ValidatingAdmissionPolicy"))
    };
    play.apply_where(|_, one| is_policy(one));
    Ok(())
}

fn delete_binding(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    play.client.delete(&path("ValidatingAdmissionPolicyBinding", "", group(found, 1)), "")
}

fn remove_taint(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let at = path("Node", "", group(found, 1));
    let taints = play.client.get(&at)["spec"]["taints"].as_array().cloned().unwrap_or_default();
    let left: Vec<_> = taints.into_iter().filter(|t| t["effect"] != "NoExecute").collect();
    play.client.merge(&at, &json!({"spec": {"taints": left}}))
}

/// Where a pod is, by an alias with or without its namespace.
fn pod(play: &Play<'_>, alias: &str) -> (String, String) {
    let (namespace, alias) = alias.split_once('/').unwrap_or(("", alias));
    let real = play.aliases.real(alias);
    let all = play.client.list("/api/v1/pods");
    let is = |pod: &&Value| {
        pod["metadata"]["name"] == real.as_str()
            && (namespace.is_empty() || pod["metadata"]["namespace"] == namespace)
    };
    let found = all.iter().find(is).and_then(|pod| pod["metadata"]["namespace"].as_str());
    (found.unwrap_or("default").to_owned(), real)
}

fn add_toleration(play: &Play<'_>, alias: &str, toleration: Value) -> Result<(), String> {
    let (namespace, name) = pod(play, alias);
    let at = path("Pod", &namespace, &name);
    let all = play.client.get(&at)["spec"]["tolerations"].as_array().cloned();
    let mut all = all.unwrap_or_default();
    all.push(toleration);
    play.client.merge(&at, &json!({"spec": {"tolerations": all}}))
}

fn tolerate(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let (key, effect) = (group(found, 1), group(found, 2));
    let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
    add_toleration(play, group(found, 3), toleration)
}

fn tolerate_for_ever(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let (key, effect) = (group(found, 2), group(found, 3));
    let toleration = json!({"key": key, "operator": "Exists", "effect": effect});
    add_toleration(play, group(found, 1), toleration)
}

fn label(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let at = path("Node", "", group(found, 1));
    play.client.merge(&at, &json!({"metadata": {"labels": {"example.com/changed": "yes"}}}))
}

fn annotate(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let (namespace, name) = pod(play, group(found, 1));
    let change = json!({"metadata": {"annotations": {"example.com/changed": "yes"}}});
    play.client.merge(&path("Pod", &namespace, &name), &change)
}

fn taints(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    let all: Vec<Value> = action["taints"].as_array().into_iter().flatten().map(taint).collect();
    let at = path("Node", "", group(found, 1));
    play.client.merge(&at, &json!({"spec": {"taints": all}}))
}

fn taint_one(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let at = path("Node", "", group(found, 2));
    let mut all = play.client.get(&at)["spec"]["taints"].as_array().cloned().unwrap_or_default();
    all.push(json!({"key": "maint", "effect": group(found, 1)}));
    play.client.merge(&at, &json!({"spec": {"taints": all}}))
}

/// The place of an object of this kind and name: of the manifests, the first that fits.
fn place(play: &Play<'_>, kind: &str, name: &str) -> Result<String, String> {
    let kind = kind_of(kind).ok_or_else(|| format!("there is no kind {kind}"))?;
    let manifests = play.trace["manifests"].as_array().into_iter().flatten();
    let mut same = manifests.filter(|one| one["kind"] == kind);
    let is = |one: &&Value| name.is_empty() || one["metadata"]["name"] == name;
    let found = same.find(is);
    let metadata = found.map(|one| &one["metadata"]);
    let text = |key: &str| metadata.and_then(|m| m[key].as_str());
    let name = text("name").unwrap_or(name);
    if name.is_empty() {
        return Err(format!("there is no {kind}"));
    }
    Ok(path(kind, text("namespace").unwrap_or("default"), name))
}

/// The one workload of the recording that has replicas.
fn workload(play: &Play<'_>) -> Result<String, String> {
    place(play, "deployment", "").or_else(|_| place(play, "statefulset", ""))
}

/// What is in a namespace of its own.
fn case(play: &mut Play<'_>, _: &Captures<'_>, action: &Value) -> Result<(), String> {
    let namespace = action["namespace"].as_str().unwrap_or_default().to_owned();
    play.apply_where(|_, one| full_name(one) == namespace);
    // Its service account comes a moment later.
    play.until(play.now() + 0.3);
    play.apply_where(|_, one| {
        let place = full_name(one);
        place == namespace || place.starts_with(&format!("{namespace}/"))
    });
    Ok(())
}

fn late_config_map(play: &mut Play<'_>, _: &Captures<'_>, _: &Value) -> Result<(), String> {
    let namespaces = play.client.list("/api/v1/namespaces");
    let ending = namespaces.iter().find(|n| !n["metadata"]["deletionTimestamp"].is_null());
    let name = ending.and_then(|n| n["metadata"]["name"].as_str()).ok_or("no namespace ends")?;
    let late = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "late", "namespace": name},
    });
    match play.client.create(&late) {
        Ok(()) => Err("it was created".into()),
        Err(_) => Ok(()),
    }
}

fn release(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let name = group(found, 1);
    let manifests = play.trace["manifests"].as_array().into_iter().flatten();
    let mut named = manifests.filter(|one| one["metadata"]["name"] == name);
    let kind = named.next().and_then(|one| one["kind"].as_str()).unwrap_or_default();
    let at = place(play, kind, name)?;
    play.client.merge(&at, &json!({"metadata": {"finalizers": null}}))
}

fn quota(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let mut hard = serde_json::Map::new();
    for part in group(found, 1).split(", ") {
        let (what, amount) = part.rsplit_once(' ').ok_or("no amount")?;
        hard.insert(what.to_owned(), amount.into());
    }
    let at = place(play, "resourcequota", "")?;
    play.client.merge(&at, &json!({"spec": {"hard": hard}}))
}

fn evict(play: &mut Play<'_>, found: &Captures<'_>, _: &Value) -> Result<(), String> {
    let (namespace, alias) = (group(found, 1), group(found, 2));
    let real = play.aliases.real(alias);
    let (code, body) = play.client.evict(namespace, &real, false);
    play.note_eviction(namespace, alias, "record", (code, &body));
    Ok(())
}

fn command(play: &mut Play<'_>, found: &Captures<'_>, action: &Value) -> Result<(), String> {
    let at = action["t"].as_f64().unwrap_or_default();
    let command = Kubectl::parse(group(found, 1), at)?;
    let first = at + crate::kubectl::START;
    play.commands.push((first, command));
    Ok(())
}

impl Play<'_> {
    /// Keeps the answer to an eviction.
    pub fn note_eviction(
        &mut self,
        namespace: &str,
        alias: &str,
        agent: &str,
        (code, body): (u16, &Value),
    ) {
        let message = if code < 300 { Value::Null } else { body["message"].clone() };
        let entry = json!({
            "t": self.now(), "user": "admin", "agent": agent, "verb": "create/eviction",
            "pod": format!("{namespace}/{alias}"), "code": code, "message": message,
        });
        self.requests.push(entry);
    }
}
