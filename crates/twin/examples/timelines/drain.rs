//! `kubectl drain` as a machine on virtual time: cordon, choose pods, evict all at once, try
//! again after 5 s where a budget says no, and wait until they are gone.

use serde_json::Value;

use crate::client::path;
use crate::kubectl::{Next, Said, cordon};
use crate::replay::Play;

/// A refused eviction is tried again after this long; a pod that goes is looked at this often.
const RETRY: f64 = 5.0;
const POLL: f64 = 1.0;

/// A drain that goes on.
pub struct Drain {
    node: String,
    ignore_daemon_sets: bool,
    delete_empty_dirs: bool,
    force: bool,
    dry: bool,
    began: f64,
    timeout: f64,
    /// `None` before the pods were chosen.
    pods: Option<Vec<Leaving>>,
}

struct Leaving {
    namespace: String,
    name: String,
    alias: String,
    uid: Value,
    next: f64,
    evicted: bool,
}

impl Drain {
    pub fn of(words: &[String], began: f64) -> Self {
        let has = |flag: &str| words.iter().any(|word| word == flag);
        let value = |flag: &str| words.iter().find_map(|word| word.strip_prefix(flag));
        let timeout = value("--timeout=").and_then(|text| text.trim_end_matches('s').parse().ok());
        let named = words.iter().skip(1).find(|word| !word.starts_with('-'));
        Self {
            node: named.cloned().unwrap_or_default(),
            ignore_daemon_sets: has("--ignore-daemonsets"),
            delete_empty_dirs: has("--delete-emptydir-data"),
            force: has("--force"),
            dry: has("--dry-run=server"),
            began,
            timeout: timeout.filter(|limit| *limit > 0.0).unwrap_or(f64::MAX),
            pods: None,
        }
    }

    pub fn step(&mut self, play: &mut Play<'_>, said: &mut Said) -> Next {
        if self.pods.is_none()
            && let Some(over) = self.choose(play, said)
        {
            return over;
        }
        let now = play.now();
        let mut pods = self.pods.take().unwrap_or_default();
        let mut failed = None;
        pods.retain_mut(|pod| {
            if pod.next > now + 0.001 || failed.is_some() {
                return true;
            }
            match self.send_away(play, pod, said) {
                Ok(stays) => stays,
                Err(why) => {
                    failed = Some(why);
                    true
                }
            }
        });
        if let Some(why) = failed {
            said.push(("stderr", format!("There are pending nodes to be drained: {}", self.node)));
            said.push(("stderr", why));
            return Next::Over(1);
        }
        let next = pods.iter().map(|pod| pod.next).fold(f64::MAX, f64::min);
        let over = pods.is_empty();
        self.pods = Some(pods);
        if over {
            let suffix = if self.dry { " (server dry run)" } else { "" };
            said.push(("stdout", format!("node/{} drained{suffix}", self.node)));
            return Next::Over(0);
        }
        Next::At(next)
    }

    /// Cordons and chooses; an end if some pod must not be touched.
    fn choose(&mut self, play: &mut Play<'_>, said: &mut Said) -> Option<Next> {
        let now = play.now();
        if !self.dry {
            if let Err(why) = cordon(play, &self.node, true, said) {
                said.push(("stderr", format!("error: {why}")));
                return Some(Next::Over(1));
            }
        } else {
            let cordoned = play.client.get(&path("Node", "", &self.node));
            let already = if cordoned["spec"]["unschedulable"] == true { "already " } else { "" };
            said.push(("stdout", format!("node/{} {already}cordoned (server dry run)", self.node)));
        }
        let all = play.client.list("/api/v1/pods");
        let here = all.iter().filter(|pod| pod["spec"]["nodeName"] == self.node.as_str());
        let mut refusals: [Vec<String>; 3] = Default::default();
        let mut warnings: [Vec<String>; 2] = Default::default();
        let mut chosen = Vec::new();
        for pod in here {
            let name = play.aliases.name(pod);
            let (owner, over) = (owner(pod), has_ended(pod));
            if owner == "DaemonSet" && !over {
                let list =
                    if self.ignore_daemon_sets { &mut warnings[0] } else { &mut refusals[0] };
                list.push(name);
                continue;
            }
            let scratch = pod["spec"]["volumes"]
                .as_array()
                .is_some_and(|all| all.iter().any(|volume| !volume["emptyDir"].is_null()));
            if scratch && !over && !self.delete_empty_dirs {
                refusals[1].push(name);
                continue;
            }
            if owner.is_empty() && !over {
                if !self.force {
                    refusals[2].push(name);
                    continue;
                }
                warnings[1].push(name.clone());
            }
            chosen.push(leaving(pod, &name, now));
        }
        if let Some(over) = self.refuse(&refusals, said) {
            return Some(over);
        }
        warn(&warnings, said);
        self.pods = Some(chosen);
        None
    }

    fn refuse(&self, refusals: &[Vec<String>; 3], said: &mut Said) -> Option<Next> {
        const WHY: [&str; 3] = [
            "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)",
            "cannot delete Pods with local storage (use --delete-emptydir-data to override)",
            "cannot delete Pods that declare no controller (use --force to override)",
        ];
        let told = refusals.iter().zip(WHY).filter(|(names, _)| !names.is_empty());
        let told: Vec<String> =
            told.map(|(names, why)| format!("{why}: {}", names.join(", "))).collect();
        let why = match told.as_slice() {
            [] => return None,
            [one] => one.clone(),
            many => format!("[{}]", many.join(", ")),
        };
        let node = &self.node;
        let start = format!("error: unable to drain node {node:?} due to error: {why}");
        said.push(("stderr", format!("{start}, continuing command...")));
        said.push(("stderr", "There are pending nodes to be drained:".to_owned()));
        said.push(("stderr", format!(" {node}")));
        for line in told {
            said.push(("stderr", line));
        }
        Some(Next::Over(1))
    }

    /// Whether the pod still has to be looked at.
    fn send_away(
        &self,
        play: &mut Play<'_>,
        pod: &mut Leaving,
        said: &mut Said,
    ) -> Result<bool, String> {
        let now = play.now();
        let full = format!("{}/{}", pod.namespace, pod.alias);
        if pod.evicted {
            let found = play.client.get(&path("Pod", &pod.namespace, &pod.name));
            if found.is_null() || found["metadata"]["uid"] != pod.uid {
                said.push(("stdout", format!("pod/{} evicted", pod.alias)));
                return Ok(false);
            }
            if now > self.began + self.timeout {
                return Err(format!("error when waiting for pod {full} terminating"));
            }
            pod.next = now + POLL;
            return Ok(true);
        }
        if now > self.began + self.timeout {
            return Err(format!("error when evicting pods/{:?}: global timeout", pod.alias));
        }
        let suffix = if self.dry { " (server dry run)" } else { "" };
        said.push(("stdout", format!("evicting pod {full}{suffix}")));
        let (code, body) = play.client.evict(&pod.namespace, &pod.name, self.dry);
        play.note_eviction(&pod.namespace, &pod.alias, "kubectl", (code, &body));
        match code {
            200..=299 if self.dry => Ok(false),
            200..=299 => {
                pod.evicted = true;
                pod.next = now + POLL;
                Ok(true)
            }
            404 => Ok(false),
            429 => {
                let message = body["message"].as_str().unwrap_or_default();
                let (alias, space) = (&pod.alias, &pod.namespace);
                let line = format!(
                    "error when evicting pods/{alias:?} -n {space:?} (will retry after 5s): \
                     {message}"
                );
                said.push(("stderr", line));
                pod.next = now + RETRY;
                Ok(true)
            }
            _ => Err(format!("error when evicting pods/{:?}: {}", pod.alias, body["message"])),
        }
    }
}

fn leaving(pod: &Value, name: &str, now: f64) -> Leaving {
    let text = |key: &str| pod["metadata"][key].as_str().unwrap_or_default().to_owned();
    let alias = name.split_once('/').map_or(name, |(_, alias)| alias).to_owned();
    let uid = pod["metadata"]["uid"].clone();
    Leaving {
        namespace: text("namespace"),
        name: text("name"),
        alias,
        uid,
        next: now,
        evicted: false,
    }
}

fn owner(pod: &Value) -> &str {
    let all = pod["metadata"]["ownerReferences"].as_array();
    let controller = all.into_iter().flatten().find(|owner| owner["controller"] == true);
    controller.and_then(|owner| owner["kind"].as_str()).unwrap_or_default()
}

fn has_ended(pod: &Value) -> bool {
    matches!(pod["status"]["phase"].as_str(), Some("Succeeded" | "Failed"))
}

fn warn(warnings: &[Vec<String>; 2], said: &mut Said) {
    const WHAT: [&str; 2] =
        ["ignoring DaemonSet-managed Pods", "deleting Pods that declare no controller"];
    let told = warnings.iter().zip(WHAT).filter(|(names, _)| !names.is_empty());
    let told: Vec<String> =
        told.map(|(names, what)| format!("{what}: {}", names.join(", "))).collect();
    if !told.is_empty() {
        said.push(("stderr", format!("Warning: {}", told.join("; "))));
    }
}
