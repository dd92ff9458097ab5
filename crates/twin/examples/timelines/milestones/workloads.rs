//! What recordings read off about workloads: pods made and gone, outcomes, scaling.

use serde_json::{Value, json};

use super::{ALWAYS, Tale, time, word};

impl Tale<'_> {
    fn first(&self, kind: &str, is: impl Fn(&Value) -> bool) -> Value {
        self.moments(kind, ALWAYS, is).first().map_or(Value::Null, |t| json!(t))
    }

    pub(super) fn of_workloads(&self, name: &str) -> Option<Value> {
        let inside = |e: &Value, base: &str| {
            let full = word(e, "name");
            let short = full.rsplit('/').next().unwrap_or(full);
            full == base || short == base
        };
        let of = |e: &Value, base: &str| {
            let full = word(e, "name").split(['#', '~']).next().unwrap_or_default();
            full == base || full.rsplit('/').next() == Some(base)
        };
        match name {
            "namespace_gone" => return Some(self.first("Namespace", |e| e["op"] == "gone")),
            "fewest_available" => return Some(self.fewest()),
            "ProgressDeadlineExceeded" | "NewReplicaSetAvailable" => {
                return Some(
                    self.first("Deployment", |e| e["set"]["conditions"]["Progressing"][1] == name),
                );
            }
            "conditions" => return Some(self.conditions()),
            "pods_at_the_end" => return Some(self.pods_at_the_end()),
            "steps" | "scaled" | "desired" => return self.scaling(name),
            _ => {}
        }
        if let Some(node) = name.strip_prefix("deleting_on_") {
            return Some(self.first("Pod", |e| {
                e["set"]["deleting"].is_object() && self.node_of(word(e, "name")) == node
            }));
        }
        if let Some(node) = name.strip_suffix("_NoExecute_again") {
            let times = self.new_taints("NoExecute", &[node.to_owned()], ALWAYS);
            return Some(times.get(1).map_or(Value::Null, |t| json!(t)));
        }
        if let Some(pod) = name.strip_suffix("_deleting") {
            return Some(self.first("Pod", |e| e["set"]["deleting"].is_object() && inside(e, pod)));
        }
        if let Some(job) = name.strip_suffix("_pods_created") {
            let made = self.moments("Pod", ALWAYS, |e| e["op"] == "created" && of(e, job));
            return Some(json!(made));
        }
        if let Some(job) = name.strip_suffix("_jobs_created") {
            return Some(json!(self.jobs(job, "created")));
        }
        if let Some(job) = name.strip_suffix("_jobs_gone") {
            return Some(json!(self.jobs(job, "gone")));
        }
        if let Some(pod) = name.strip_prefix("created_") {
            let made = self.moments("Pod", ALWAYS, |e| e["op"] == "created" && of(e, pod));
            return Some(json!(made));
        }
        if let Some(pod) = name.strip_prefix("gone_") {
            let gone = self.moments("Pod", ALWAYS, |e| e["op"] == "gone" && of(e, pod));
            return Some(json!(gone));
        }
        if let Some(set) = name.strip_suffix("_FailedCreate_times") {
            let told = self.moments("Event", ALWAYS, |e| {
                e["reason"] == "FailedCreate" && word(e, "of").contains(&format!(" {set}-"))
            });
            return Some(json!(told));
        }
        self.outcome(name, &inside)
    }

    fn outcome(&self, name: &str, inside: &dyn Fn(&Value, &str) -> bool) -> Option<Value> {
        let failure = |set: &str| {
            let mut all = self.entries("ReplicaSet", ALWAYS).filter(|e| {
                e["set"]["conditions"]["ReplicaFailure"].is_array()
                    && word(e, "name").starts_with(&format!("{set}-"))
            });
            all.next().cloned().unwrap_or_default()
        };
        if let Some(set) = name.strip_suffix("_ReplicaFailure") {
            return Some(failure(set)["set"]["conditions"]["ReplicaFailure"][2].clone());
        }
        if let Some(set) = name.strip_suffix("_ReplicaFailure_t") {
            return Some(failure(set)["t"].clone());
        }
        if let Some(job) = name.strip_suffix("_gone") {
            return Some(self.first("Job", |e| e["op"] == "gone" && inside(e, job)));
        }
        for (end, condition) in [("_Failed", "Failed"), ("_Complete", "Complete")] {
            if let Some(job) = name.strip_suffix(end) {
                return Some(self.first("Job", |e| {
                    e["set"]["conditions"][condition].is_array() && inside(e, job)
                }));
            }
        }
        None
    }

    fn jobs(&self, cron: &str, op: &str) -> Vec<f64> {
        let start = format!("{cron}-");
        self.moments("Job", ALWAYS, |e| {
            let name = word(e, "name");
            let short = name.rsplit('/').next().unwrap_or(name);
            e["op"] == op && short.starts_with(&start)
        })
    }

    fn fewest(&self) -> Value {
        let before = self.before["Deployment"].as_object().into_iter().flatten();
        let before = before.filter_map(|(_, fields)| fields["available"].as_i64());
        let later =
            self.entries("Deployment", ALWAYS).filter_map(|e| e["set"]["available"].as_i64());
        before.chain(later).min().map_or(Value::Null, Value::from)
    }

    fn conditions(&self) -> Value {
        let all = self.entries("Namespace", ALWAYS);
        let names: std::collections::BTreeSet<&String> = all
            .filter_map(|e| e["set"]["conditions"].as_object())
            .flat_map(|conditions| conditions.keys())
            .collect();
        json!(names)
    }

    fn pods_at_the_end(&self) -> Value {
        let mut pods: std::collections::BTreeSet<&str> = std::collections::BTreeSet::new();
        pods.extend(self.before["Pod"].as_object().into_iter().flatten().map(|(n, _)| n.as_str()));
        for entry in self.entries("Pod", ALWAYS) {
            match word(entry, "op") {
                "gone" => drop(pods.remove(word(entry, "name"))),
                _ => drop(pods.insert(word(entry, "name"))),
            }
        }
        pods.into_iter().map(|name| name.rsplit('/').next().unwrap_or(name)).collect()
    }

    fn scaling(&self, name: &str) -> Option<Value> {
        let kind = if name == "desired" { "HorizontalPodAutoscaler" } else { "Deployment" };
        let all = self.entries(kind, ALWAYS).filter(|e| e["set"]["desired"].is_number());
        let all: Vec<Value> = match name {
            "steps" => all.map(|e| e["set"]["desired"].clone()).collect(),
            _ => all.map(|e| json!([time(e), e["set"]["desired"]])).collect(),
        };
        Some(all.into())
    }
}
