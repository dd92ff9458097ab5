//! One exchange against a server: prepare, ask, clean up.

use std::collections::BTreeMap;
use std::sync::mpsc;
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::http;

/// How long a state is waited for: nothing settles by itself in a twin without controllers.
const PATIENCE_SECONDS: f64 = 1.0;
const PATIENCE: Duration = Duration::from_secs(10);

/// What one exchange does to the server, and how to undo it.
pub struct Run<'a> {
    pub address: &'a str,
    pub exchange: &'a Value,
    pub fixtures: &'a Value,
    /// Captured values, by name.
    pub variables: BTreeMap<String, Value>,
    made: Vec<String>,
    pub trouble: Vec<String>,
}

impl<'a> Run<'a> {
    pub fn new(address: &'a str, exchange: &'a Value, fixtures: &'a Value) -> Self {
        let variables = BTreeMap::from([("ns".to_owned(), exchange["id"].clone())]);
        Self { address, exchange, fixtures, variables, made: Vec::new(), trouble: Vec::new() }
    }

    /// The answer, in the form of the recordings.
    pub fn perform(&mut self) -> Result<Value> {
        self.prepare()?;
        let got = self.request();
        self.clean();
        got
    }

    fn prepare(&mut self) -> Result<()> {
        for step in self.exchange["before"].as_array().into_iter().flatten() {
            let steps = match step["fixture"].as_str() {
                Some(name) => self.fixtures[name].as_array().cloned().unwrap_or_default(),
                None => vec![step.clone()],
            };
            for one in steps {
                let wait = self.trouble.is_empty();
                let Some(answer) = self.step(&one, wait)? else { continue };
                let status = answer["status"].as_u64().unwrap_or(0);
                let fine = match &one["status"] {
                    Value::Array(all) => all.contains(&status.into()),
                    Value::Null => [200, 201, 202].contains(&status),
                    one => *one == status,
                };
                if !fine {
                    let (method, path) = (&one["method"], &one["path"]);
                    let body = answer["body"].to_string();
                    let told = format!("before: {method} {path} answered {status}: {body}");
                    self.trouble.push(told);
                }
            }
        }
        Ok(())
    }

    fn step(&mut self, step: &Value, may_wait: bool) -> Result<Option<Value>> {
        if let Some(seconds) = step["sleep"].as_f64() {
            sleep(Duration::from_secs_f64(seconds));
            return Ok(None);
        }
        if step.get("hook").is_some() {
            return Ok(None);
        }
        let full = substitute(step, &self.variables);
        let within = if may_wait { step["until_within"].as_f64().unwrap_or(0.0) } else { 0.0 };
        let within = within.min(PATIENCE_SECONDS);
        let deadline = Instant::now() + Duration::from_secs_f64(within);
        let answer = loop {
            let mut answer = http::send(self.address, &full, PATIENCE)?;
            let told = json!({
                "status": answer.status, "content_type": answer.content_type(),
                "headers": answer.compared(), "body": answer.whole()?,
            });
            if reached(step, &told) || Instant::now() >= deadline {
                break told;
            }
            sleep(Duration::from_millis(100));
        };
        self.remember(&full, &answer);
        for (name, pointer) in step["capture"].as_object().into_iter().flatten() {
            let value = answer["body"].pointer(pointer.as_str().unwrap_or_default());
            self.variables.insert(name.clone(), value.cloned().unwrap_or_else(|| "absent".into()));
        }
        Ok(Some(answer))
    }

    /// Cluster-scoped objects outlive the namespace: they are noted for the end.
    fn remember(&mut self, step: &Value, answer: &Value) {
        let path = step["path"].as_str().unwrap_or_default();
        let parts: Vec<&str> =
            path.split('?').next().unwrap_or_default().trim_matches('/').split('/').collect();
        let at = if parts.first() == Some(&"api") { 2 } else { 3 };
        let wrote = matches!(step["method"].as_str(), Some("POST" | "PUT" | "PATCH"));
        let done = matches!(answer["status"].as_u64(), Some(200 | 201));
        let inside = parts.get(at) == Some(&"namespaces") && parts.len() > at + 2;
        if !wrote || !done || path.contains("dryRun") || parts.len() <= at || inside {
            return;
        }
        if let Some(name) = answer["body"]["metadata"]["name"].as_str() {
            let made = format!("/{}/{name}", parts[..=at].join("/"));
            if !self.made.contains(&made) {
                self.made.push(made);
            }
        }
    }

    fn request(&mut self) -> Result<Value> {
        let step = substitute(&self.exchange["request"], &self.variables);
        if self.exchange.get("events").is_none() && step.get("watch").is_none() {
            return Ok(self.step(&step, true)?.unwrap_or_default());
        }
        self.watch(&step)
    }

    /// Opens the stream, acts, collects `events` lines (or all until the server closes).
    fn watch(&mut self, step: &Value) -> Result<Value> {
        let patience = Duration::from_secs_f64(step["patience"].as_f64().unwrap_or(10.0));
        let mut answer = http::send(self.address, step, patience)?;
        let mut told = json!({
            "status": answer.status, "content_type": answer.content_type(),
            "headers": answer.compared(),
        });
        if answer.status != 200 {
            told["body"] = answer.whole()?;
            return Ok(told);
        }
        let limit = step["events"].as_u64().and_then(|n| usize::try_from(n).ok());
        let bookmarks = step["bookmarks"] == true;
        let close = answer.closer();
        let (sender, lines) = mpsc::channel();
        let reader = spawn(move || {
            while let Some(line) = answer.line() {
                let periodic =
                    line.contains("\"BOOKMARK\"") && !line.contains("initial-events-end");
                if (bookmarks || !periodic) && sender.send(line).is_err() {
                    break;
                }
            }
        });
        for act in self.exchange["during"].as_array().into_iter().flatten() {
            sleep(Duration::from_millis(150));
            self.step(act, true)?;
        }
        let deadline = Instant::now() + patience;
        let mut events = Vec::new();
        while limit.is_none_or(|limit| events.len() < limit) {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = lines.recv_timeout(left) else { break };
            events
                .push(serde_json::from_str(&line).unwrap_or_else(|_| json!({"unreadable": line})));
        }
        close();
        drop(reader.join());
        told["body"] = json!({"events": events, "closed_by_server": limit.is_none()});
        Ok(told)
    }

    fn clean(&mut self) {
        let merge = json!({"Content-Type": "application/merge-patch+json"});
        for path in std::mem::take(&mut self.made).iter().rev() {
            let delete =
                json!({"method": "DELETE", "path": format!("{path}?gracePeriodSeconds=0")});
            let Ok(mut answer) = http::send(self.address, &delete, PATIENCE) else { continue };
            let body = answer.whole().unwrap_or_default().to_string();
            if body.contains("deletionTimestamp") {
                let patch = json!({
                    "method": "PATCH", "path": path, "headers": merge,
                    "body": {"metadata": {"finalizers": null}},
                });
                drop(http::send(self.address, &patch, PATIENCE));
            }
        }
    }
}

fn reached(step: &Value, answer: &Value) -> bool {
    if let Some(status) = step.get("until_status") {
        return answer["status"] == *status;
    }
    let wanted = step["until"].as_object().into_iter().flatten();
    wanted.into_iter().all(|(pointer, value)| answer["body"].pointer(pointer) == Some(value))
}

/// `${name}` in any text of the step becomes the captured value.
fn substitute(value: &Value, variables: &BTreeMap<String, Value>) -> Value {
    let fill = |text: &str| {
        let mut text = text.to_owned();
        for (name, value) in variables {
            let plain = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text = text.replace(&format!("${{{name}}}"), &plain);
        }
        text
    };
    match value {
        Value::String(text) => fill(text).into(),
        Value::Array(list) => list.iter().map(|item| substitute(item, variables)).collect(),
        Value::Object(map) => {
            Value::Object(map.iter().map(|(k, v)| (fill(k), substitute(v, variables))).collect())
        }
        other => other.clone(),
    }
}
