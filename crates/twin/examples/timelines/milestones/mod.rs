//! The numbers that recordings read off a timeline, read off any timeline in the same way.
//!
//! Their names say what they mean; one whose reading does not give the recorded number back
//! when it is applied to the recording itself is not compared.

mod workloads;

use serde_json::{Value, json};

/// What is read: a timeline with all that belongs to it.
pub struct Tale<'a> {
    pub trace: &'a Value,
    pub timeline: &'a [Value],
    pub requests: &'a [Value],
    /// Fields at t=0, by kind and name.
    pub before: &'a Value,
    /// Commands with their output.
    pub commands: &'a [Value],
}

/// A stretch of time and what counts in it.
#[derive(Clone, Copy)]
struct Window {
    from: f64,
    to: f64,
}

const ALWAYS: Window = Window { from: f64::MIN, to: f64::MAX };

fn time(entry: &Value) -> f64 {
    entry["t"].as_f64().unwrap_or_default()
}

fn word<'a>(entry: &'a Value, key: &str) -> &'a str {
    entry[key].as_str().unwrap_or_default()
}

impl Tale<'_> {
    /// A milestone by its name; `None` if the name is not understood.
    pub fn read(&self, name: &str) -> Option<Value> {
        if let Some(rest) = name.strip_prefix("still_lost_") {
            return self.of_nodes(rest, self.returned(), &self.still_lost());
        }
        let (base, part) = split(name);
        if let Some(times) = self.times(base) {
            return Some(summary(&times, part));
        }
        self.of_nodes(name, self.loss(), &self.lost())
            .or_else(|| self.of_workloads(name))
            .or_else(|| self.of_commands(name))
            .or_else(|| self.of_users(name))
    }

    fn actions(&self) -> impl Iterator<Item = (f64, &str, &Value)> {
        let all = self.trace["actions"].as_array().into_iter().flatten();
        all.map(|action| (time(action), word(action, "do"), action))
    }

    fn when(&self, is: impl Fn(&str) -> bool) -> Option<f64> {
        self.actions().find(|(_, what, _)| is(what)).map(|(t, ..)| t)
    }

    fn names(&self, start: &str) -> Vec<String> {
        let groups = self.actions().filter(|(_, what, _)| what.starts_with(start));
        let nodes =
            groups.flat_map(|(.., action)| action["nodes"].as_array().into_iter().flatten());
        nodes.filter_map(|node| node.as_str().map(str::to_owned)).collect()
    }

    fn lost(&self) -> Vec<String> {
        let first = self.when(|what| what.starts_with("return group")).unwrap_or(f64::MAX);
        let groups =
            self.actions().filter(|(t, what, _)| what.starts_with("lose group") && *t < first);
        let nodes =
            groups.flat_map(|(.., action)| action["nodes"].as_array().into_iter().flatten());
        nodes.filter_map(|node| node.as_str().map(str::to_owned)).collect()
    }

    fn still_lost(&self) -> Vec<String> {
        let back = self.names("return group");
        self.lost().into_iter().filter(|node| !back.contains(node)).collect()
    }

    /// From the loss to the return, or to whatever changes the rules before.
    fn loss(&self) -> Window {
        let ends =
            |what: &str| what.starts_with("return group") || what.starts_with("delete the binding");
        Window { from: f64::MIN, to: self.when(ends).unwrap_or(f64::MAX) }
    }

    /// From the return to the next loss.
    fn returned(&self) -> Window {
        let from = self.when(|what| what.starts_with("return group")).unwrap_or(f64::MAX);
        let next = self.actions().find(|(t, what, _)| *t > from && what.starts_with("lose group"));
        Window { from, to: next.map_or(f64::MAX, |(t, ..)| t) }
    }

    fn entries(&self, kind: &str, window: Window) -> impl Iterator<Item = &Value> {
        self.timeline.iter().filter(move |entry| {
            entry["kind"] == kind && window.from <= time(entry) && time(entry) < window.to
        })
    }

    fn moments(&self, kind: &str, window: Window, is: impl Fn(&Value) -> bool) -> Vec<f64> {
        self.entries(kind, window).filter(|entry| is(entry)).map(time).collect()
    }

    /// The node that a pod was bound to.
    fn node_of(&self, pod: &str) -> &str {
        let bound = self.entries("Pod", ALWAYS).filter(|entry| entry["name"] == pod);
        let bound = bound.filter_map(|entry| entry["set"]["node"].as_str()).next();
        bound.or_else(|| self.before["Pod"][pod]["node"].as_str()).unwrap_or_default()
    }

    fn new_taints(&self, effect: &str, nodes: &[String], window: Window) -> Vec<f64> {
        let mut times = Vec::new();
        for node in nodes {
            let mut had = false;
            for entry in self.entries("Node", ALWAYS).filter(|e| e["name"] == node.as_str()) {
                let Some(taints) = entry["set"]["taints"].as_array() else { continue };
                let has = taints.iter().filter_map(Value::as_str).any(|taint| {
                    taint.starts_with("node.kubernetes.io/unreachable") && taint.ends_with(effect)
                });
                if has && !had && window.from <= time(entry) && time(entry) < window.to {
                    times.push(time(entry));
                }
                had = has;
            }
        }
        times
    }

    fn of_nodes(&self, name: &str, window: Window, nodes: &[String]) -> Option<Value> {
        let among = |entry: &Value| nodes.iter().any(|node| entry["name"] == node.as_str());
        let on_them = |entry: &Value| {
            let node = self.node_of(word(entry, "name"));
            nodes.iter().any(|lost| lost == node)
        };
        let (base, part) = split(name);
        let back = self.returned();
        let created = self.entries("Pod", window).filter(|e| e["op"] == "created");
        let created: Vec<(String, f64)> =
            created.map(|e| (word(e, "name").to_owned(), time(e))).collect();
        let deleting = |e: &Value| e["set"]["deleting"].is_object() && on_them(e);
        let ready = |e: &Value| e["set"]["ready"] == "True";
        let times = match base {
            "last_renewal" | "node_unknown_after_renewal" => {
                return self.renewal(name);
            }
            "pods_on_lost_nodes" => return Some(self.pods_on(nodes, window).into()),
            "node_unknown" => {
                self.moments("Node", window, |e| e["set"]["Ready"][0] == "Unknown" && among(e))
            }
            "taint_NoSchedule" => self.new_taints("NoSchedule", nodes, window),
            "taint_NoExecute" => self.new_taints("NoExecute", nodes, window),
            "pods_not_ready" => {
                self.moments("Pod", window, |e| e["set"]["ready"] == "False" && on_them(e))
            }
            "endpoints_drop" => self.drops(window),
            "disruption_target" => self.moments("Pod", window, |e| {
                e["set"]["DisruptionTarget"][0] == "True" && on_them(e)
            }),
            "pods_deleting" if !nodes.is_empty() => self.moments("Pod", window, deleting),
            "pods_gone" if !nodes.is_empty() => {
                self.moments("Pod", window, |e| e["op"] == "gone" && on_them(e))
            }
            "replacements_created" => created.iter().map(|(_, t)| *t).collect(),
            "replacements_ready" => self.moments("Pod", window, |e| {
                ready(e) && created.iter().any(|(name, _)| e["name"] == name.as_str())
            }),
            "returned_ready" => self.moments("Node", back, |e| e["set"]["Ready"][0] == "True"),
            "returned_untainted" => self.untainted(back),
            "after_return_pods_gone" => self.moments("Pod", back, |e| e["op"] == "gone"),
            "after_return_pods_created" => self.moments("Pod", back, |e| e["op"] == "created"),
            "after_return_pods_ready" => self.moments("Pod", back, ready),
            _ => return None,
        };
        Some(summary(&times, part))
    }

    fn untainted(&self, back: Window) -> Vec<f64> {
        self.moments("Node", back, |e| e["set"]["taints"].as_array().is_some_and(Vec::is_empty))
    }

    /// Pods on nodes at the beginning of a window.
    fn pods_on(&self, nodes: &[String], window: Window) -> usize {
        let mut pods: Vec<&str> = Vec::new();
        for pod in self.before["Pod"].as_object().into_iter().flatten().map(|(name, _)| name) {
            pods.push(pod);
        }
        for entry in self.entries("Pod", Window { from: f64::MIN, to: window.from }) {
            match word(entry, "op") {
                "created" => pods.push(word(entry, "name")),
                "gone" => pods.retain(|name| entry["name"] != *name),
                _ => {}
            }
        }
        pods.iter().filter(|pod| nodes.iter().any(|node| node == self.node_of(pod))).count()
    }

    /// Moments at which a service lost a ready endpoint.
    fn drops(&self, window: Window) -> Vec<f64> {
        let mut times = Vec::new();
        let mut last = std::collections::BTreeMap::new();
        for (name, fields) in self.before["EndpointSlice"].as_object().into_iter().flatten() {
            last.insert(name.as_str(), fields["ready"].as_i64().unwrap_or(0));
        }
        for entry in self.entries("EndpointSlice", ALWAYS) {
            let Some(ready) = entry["set"]["ready"].as_i64() else { continue };
            let before = last.insert(word(entry, "name"), ready).unwrap_or(0);
            if ready < before && window.from <= time(entry) && time(entry) < window.to {
                times.push(time(entry));
            }
        }
        times
    }

    /// When the lost kubelets renewed last is how the replay begins, not what comes of it.
    fn renewal(&self, name: &str) -> Option<Value> {
        let last = self.trace["milestones"]["last_renewal_first"].as_f64()?;
        match name {
            "node_unknown_after_renewal" => {
                let first = self.of_nodes("node_unknown_first", self.loss(), &self.lost())?;
                Some(json!(first.as_f64()? - last))
            }
            other => Some(self.trace["milestones"][other].clone()),
        }
    }

    /// Moments that a name stands for, whatever the recording is about.
    fn times(&self, base: &str) -> Option<Vec<f64>> {
        let of = |kind: &str, is: &dyn Fn(&Value) -> bool| self.moments(kind, ALWAYS, is);
        let deleting = |e: &Value| e["set"]["deleting"].is_object();
        let is_lossy = !self.lost().is_empty();
        Some(match base {
            "unknown" => of("Node", &|e| e["set"]["Ready"][0] == "Unknown"),
            "ready" => of("Node", &|e| e["set"]["Ready"][0] == "True"),
            "endpoints" => of("EndpointSlice", &|_| true),
            "cancelled" => of("Event", &|e| word(e, "message").starts_with("Cancelling deletion")),
            "denied" => {
                let denied = self.requests.iter().filter(|r| r["code"].as_u64() > Some(399));
                denied.map(time).collect()
            }
            "failed_phase" => of("Pod", &|e| e["set"]["phase"] == "Failed"),
            "replacements_created" if self.brake() => of("Pod", &|e| e["op"] == "created"),
            "pods_deleting" if self.brake() || !is_lossy => of("Pod", &deleting),
            "pods_gone" if self.brake() || !is_lossy => of("Pod", &|e| e["op"] == "gone"),
            "pods_created" | "created" => of("Pod", &|e| e["op"] == "created"),
            "gone" => of("Pod", &|e| e["op"] == "gone"),
            "pods_ready" => of("Pod", &|e| e["set"]["ready"] == "True"),
            "evictions_allowed" => of("Pod", &deleting),
            "replacements_ready" if !is_lossy => {
                let names = self.moments_of_new();
                of("Pod", &|e| {
                    e["set"]["ready"] == "True" && names.iter().any(|n| e["name"] == n.as_str())
                })
            }
            "deployment_gone" => of("Deployment", &|e| e["op"] == "gone"),
            "replicaset_gone" => of("ReplicaSet", &|e| e["op"] == "gone"),
            "configmaps_gone" => of("ConfigMap", &|e| e["op"] == "gone"),
            _ => return self.after_action(base),
        })
    }

    fn moments_of_new(&self) -> Vec<String> {
        let created = self.entries("Pod", ALWAYS).filter(|e| e["op"] == "created");
        created.map(|e| word(e, "name").to_owned()).collect()
    }

    /// Recordings of a brake without a return look at everything that dies.
    fn brake(&self) -> bool {
        self.when(|what| what.starts_with("install")).is_some()
            && self.trace["milestones"].get("node_unknown_first").is_none()
    }

    fn after_action(&self, base: &str) -> Option<Vec<f64>> {
        let window = if let Some(at) = base.strip_prefix("deleting_before_") {
            let from = self.when(|what| what.starts_with("lose")).unwrap_or(0.0);
            Window { from, to: at.parse().ok()? }
        } else if base == "deleting_after_kcm_restart" {
            Window { from: self.when(|what| what.contains("kill kcm"))?, to: f64::MAX }
        } else if base == "deleting_after_brake_off" {
            let from = self.when(|what| what.starts_with("delete the binding"))?;
            Window { from, to: self.when(|what| what.contains("kill kcm")).unwrap_or(f64::MAX) }
        } else {
            let at = base.strip_prefix("deleting_after_")?;
            Window { from: at.parse().ok()?, to: f64::MAX }
        };
        let back = self.returned();
        let to = if back.from > window.from { window.to.min(back.from) } else { window.to };
        let window = Window { to, ..window };
        Some(self.moments("Pod", window, |e| e["set"]["deleting"].is_object()))
    }

    fn of_commands(&self, name: &str) -> Option<Value> {
        let evictions = self.requests.iter().filter(|r| r["verb"] == "create/eviction");
        let first = self.commands.iter().find(|command| !command["exit"].is_null());
        Some(match name {
            "answers" => evictions.map(|r| json!(r["code"].to_string())).collect(),
            "answer_times" => evictions.map(|r| r["t"].clone()).collect(),
            "kubectl_exit" => first?["exit"].clone(),
            "kubectl_ended" => first?["ended"].clone(),
            _ => return None,
        })
    }

    /// Who asked for deletions, after each action and in all.
    fn of_users(&self, name: &str) -> Option<Value> {
        let users: std::collections::BTreeSet<&str> =
            self.requests.iter().map(|request| word(request, "user")).collect();
        if name == "all_users" {
            return Some(json!(users));
        }
        let from = self.when(|what| what == name)?;
        let next = self.actions().map(|(t, ..)| t).find(|t| *t > from + 1.0).unwrap_or(f64::MAX);
        let inside = self.requests.iter().filter(|r| from <= time(r) && time(r) < next);
        let told: std::collections::BTreeSet<String> = inside
            .map(|request| {
                let agent = agent(word(request, "user"), word(request, "agent"));
                format!("{} [{agent}] {}", word(request, "user"), word(request, "verb"))
            })
            .collect();
        Some(json!(told))
    }
}

fn agent<'a>(user: &str, told: &'a str) -> &'a str {
    match told {
        "" if user.ends_with("scheduler") => "kube-scheduler",
        "" => "kube-controller-manager",
        told => told,
    }
}

/// A name and what is wanted of its moments.
fn split(name: &str) -> (&str, &str) {
    for end in ["_count", "_first", "_last"] {
        if let Some(base) = name.strip_suffix(end) {
            return (base, end);
        }
    }
    (name, "")
}

fn summary(times: &[f64], part: &str) -> Value {
    let chosen = match part {
        "_count" => return times.len().into(),
        "_first" => times.iter().copied().reduce(f64::min),
        _ => times.iter().copied().reduce(f64::max),
    };
    chosen.map_or(Value::Null, |t| json!(t))
}
