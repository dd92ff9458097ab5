//! Command lines of kubectl, played on virtual time: what it asks, when, what it prints, and how
//! it ends.

use serde_json::{Value, json};

use crate::client::{kind_of, path};
use crate::drain::Drain;
use crate::replay::Play;

/// A command needs this long until its first request.
pub const START: f64 = 0.1;
/// How often a waiting command looks again.
const LOOK: f64 = 0.05;

/// A command that goes on.
pub struct Kubectl {
    line: String,
    began: f64,
    words: Vec<String>,
    namespace: String,
    output: Vec<Value>,
    exit: i64,
    ended: f64,
    drain: Option<Drain>,
}

impl Kubectl {
    pub fn parse(line: &str, began: f64) -> Result<Self, String> {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let mut namespace = "default".to_owned();
        if let Some(at) = words.iter().position(|word| word == "-n" || word == "--namespace") {
            words.remove(at);
            if at < words.len() {
                namespace = words.remove(at);
            }
        }
        let known = ["drain", "cordon", "uncordon", "rollout", "scale", "delete"];
        if !words.first().is_some_and(|first| known.contains(&first.as_str())) {
            return Err("no such command is played".into());
        }
        let drain = (words.first().is_some_and(|w| w == "drain")).then(|| Drain::of(&words, began));
        let (line, output) = (format!("kubectl {line}"), Vec::new());
        Ok(Self { line, began, words, namespace, output, exit: 0, ended: began, drain })
    }

    /// Does the next step; when to do the one after, `None` when it is over.
    pub fn step(&mut self, play: &mut Play<'_>) -> Option<f64> {
        let now = play.now();
        let mut said = Vec::new();
        let next = match &mut self.drain {
            Some(drain) => drain.step(play, &mut said),
            None => self.other(play, &mut said),
        };
        for (to, line) in said {
            self.output.push(json!({"t": now, "to": to, "line": line}));
        }
        match next {
            Next::At(at) => Some(at),
            Next::Over(exit) => {
                self.exit = exit;
                self.ended = now + 0.02;
                None
            }
        }
    }

    /// The command as recordings have it.
    pub fn told(&self) -> Value {
        json!({
            "t": self.began, "do": self.line, "output": self.output, "exit": self.exit,
            "ended": self.ended,
        })
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    fn other(&self, play: &mut Play<'_>, said: &mut Said) -> Next {
        let done = match (self.word(0), self.word(1)) {
            ("cordon" | "uncordon", node) => cordon(play, node, self.word(0) == "cordon", said),
            ("rollout", "status") => return self.status(play, said),
            ("rollout", "undo") => self.undo(play, said),
            ("scale", _) => self.scale(play, said),
            ("delete", _) => self.delete(play, said),
            _ => Err("no such command is played".to_owned()),
        };
        match done {
            Ok(()) => Next::Over(0),
            Err(why) => {
                said.push(("stderr", format!("error: {why}")));
                Next::Over(1)
            }
        }
    }

    /// Kind and name of `deployment/web` or `deployment web`.
    fn target(&self, from: usize) -> Result<(&'static str, String), String> {
        let plain: Vec<&str> = self
            .words
            .iter()
            .skip(from)
            .map(String::as_str)
            .filter(|w| !w.starts_with('-'))
            .collect();
        let (kind, name) = match plain.as_slice() {
            [one, ..] if one.contains('/') => one.split_once('/').unwrap_or_default(),
            [kind, name, ..] => (*kind, *name),
            _ => return Err("no object is named".into()),
        };
        let kind = kind_of(kind).ok_or_else(|| format!("there is no kind {kind}"))?;
        Ok((kind, name.to_owned()))
    }

    fn flag(&self, name: &str) -> Option<&str> {
        let start = format!("--{name}=");
        self.words.iter().find_map(|word| word.strip_prefix(start.as_str()))
    }

    fn scale(&self, play: &mut Play<'_>, said: &mut Said) -> Result<(), String> {
        let (kind, name) = self.target(1)?;
        let replicas: i64 =
            self.flag("replicas").and_then(|n| n.parse().ok()).ok_or("no --replicas")?;
        let at = path(kind, &self.namespace, &name);
        play.client.merge(&at, &json!({"spec": {"replicas": replicas}}))?;
        said.push(("stdout", format!("{} scaled", qualified(kind, &name))));
        Ok(())
    }

    fn delete(&self, play: &mut Play<'_>, said: &mut Said) -> Result<(), String> {
        let (kind, name) = self.target(1)?;
        let how = match self.flag("cascade").unwrap_or("background") {
            "orphan" => "Orphan",
            "foreground" => "Foreground",
            _ => "Background",
        };
        let real = if kind == "Pod" { play.aliases.real(&name) } else { name.clone() };
        play.client.delete(&path(kind, &self.namespace, &real), how)?;
        said.push(("stdout", format!("{} {name:?} deleted", kind.to_lowercase())));
        Ok(())
    }

    /// Back to the template of the revision before.
    fn undo(&self, play: &mut Play<'_>, said: &mut Said) -> Result<(), String> {
        let (kind, name) = self.target(2)?;
        let at = path(kind, &self.namespace, &name);
        let object = play.client.get(&at);
        let revision = |of: &Value| -> i64 {
            let all = &of["metadata"]["annotations"];
            let text = all["deployment.kubernetes.io/revision"].as_str();
            text.and_then(|n| n.parse().ok()).unwrap_or(0)
        };
        let current = revision(&object);
        let sets = play.client.list(&path("ReplicaSet", &self.namespace, ""));
        let mine = |set: &&Value| {
            let owners = set["metadata"]["ownerReferences"].as_array();
            owners.is_some_and(|all| all.iter().any(|o| o["uid"] == object["metadata"]["uid"]))
        };
        let before = sets.iter().filter(mine).filter(|set| revision(set) < current);
        let Some(before) = before.max_by_key(|set| revision(set)) else {
            return Err(format!("no rollout history found for deployment {name:?}"));
        };
        let mut template = before["spec"]["template"].clone();
        if let Some(labels) = template["metadata"]["labels"].as_object_mut() {
            labels.remove("pod-template-hash");
        }
        let patch = json!([{"op": "replace", "path": "/spec/template", "value": template}]);
        let (code, answer) = play.client.ask("PATCH", &at, "application/json-patch+json", &patch);
        if code >= 300 {
            return Err(answer["message"].to_string());
        }
        said.push(("stdout", format!("{} rolled back", qualified(kind, &name))));
        Ok(())
    }

    /// What keeps a rollout from being complete.
    fn status(&self, play: &mut Play<'_>, said: &mut Said) -> Next {
        let Ok((kind, name)) = self.target(2) else { return Next::Over(1) };
        let object = play.client.get(&path(kind, &self.namespace, &name));
        let count = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64).unwrap_or(0);
        let observed = count("/status/observedGeneration") >= count("/metadata/generation");
        let late = object["status"]["conditions"]
            .as_array()
            .is_some_and(|all| all.iter().any(|c| c["reason"] == "ProgressDeadlineExceeded"));
        let (wanted, updated) = (count("/spec/replicas"), count("/status/updatedReplicas"));
        let (all, available) = (count("/status/replicas"), count("/status/availableReplicas"));
        let waiting = format!("Waiting for deployment {name:?} rollout to finish: ");
        let line = if !observed {
            "Waiting for deployment spec update to be observed...".to_owned()
        } else if late {
            let why = format!("error: deployment {name:?} exceeded its progress deadline");
            said.push(("stderr", why));
            return Next::Over(1);
        } else if updated < wanted {
            format!("{waiting}{updated} out of {wanted} new replicas have been updated...")
        } else if all > updated {
            format!("{waiting}{} old replicas are pending termination...", all - updated)
        } else if available < updated {
            format!("{waiting}{available} of {updated} updated replicas are available...")
        } else {
            said.push(("stdout", format!("deployment {name:?} successfully rolled out")));
            return Next::Over(0);
        };
        if self.output.last().is_none_or(|last| last["line"] != line) {
            said.push(("stdout", line));
        }
        Next::At(play.now() + LOOK)
    }
}

/// Lines, and where they were printed.
pub type Said = Vec<(&'static str, String)>;

/// How a command goes on.
pub enum Next {
    At(f64),
    Over(i64),
}

fn qualified(kind: &str, name: &str) -> String {
    let group = match kind {
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" => ".apps",
        "Job" | "CronJob" => ".batch",
        _ => "",
    };
    format!("{}{group}/{name}", kind.to_lowercase())
}

/// Cordons a node or takes that back.
pub fn cordon(
    play: &mut Play<'_>,
    node: &str,
    wanted: bool,
    said: &mut Said,
) -> Result<(), String> {
    let at = path("Node", "", node);
    let object = play.client.get(&at);
    if object.is_null() {
        return Err(format!("nodes {node:?} not found"));
    }
    let is = object["spec"]["unschedulable"] == true;
    let word = if wanted { "cordoned" } else { "uncordoned" };
    if is == wanted {
        said.push(("stdout", format!("node/{node} already {word}")));
        return Ok(());
    }
    let value = if wanted { json!(true) } else { Value::Null };
    play.client.strategic(&at, &json!({"spec": {"unschedulable": value}}))?;
    said.push(("stdout", format!("node/{node} {word}")));
    Ok(())
}
