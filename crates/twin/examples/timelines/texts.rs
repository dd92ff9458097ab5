//! The texts of events and conditions, with what differs from run to run masked.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;

/// What is masked, and how.
const MASKS: [(&str, &str); 7] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "UID"),
    (r"^\S+_UID became leader", "WHO became leader"),
    (r"#\d+", "#N"),
    (r"~\d+", ""),
    (r"-[0-9a-f]{6,10}-[a-z0-9]{5}\b", "-HASH-NAME"),
    (r"-[bcdf0-9]{6,10}\b", "-HASH"),
    (r"^\(combined from similar events\): ", ""),
];

/// A text as it is in every run.
pub fn normal(text: &str) -> String {
    MASKS.iter().fold(text.to_owned(), |text, (form, mask)| match Regex::new(form) {
        Ok(form) => form.replace_all(&text, *mask).into_owned(),
        Err(_) => text,
    })
}

/// Every text of an event or a condition in a timeline.
pub fn all(timeline: &[Value]) -> BTreeSet<String> {
    let mut texts = BTreeSet::new();
    for entry in timeline {
        let word = |key: &str| entry[key].as_str().unwrap_or_default();
        if word("kind") == "Event" {
            let of = word("of").split(' ').next().unwrap_or_default();
            let (reason, source) = (word("reason"), word("source"));
            let message = hosts(&normal(word("message")), entry);
            texts.insert(format!("{of} {} {reason} ({source}): {message}", word("type")));
            continue;
        }
        for (name, value) in entry["set"].as_object().into_iter().flatten() {
            let conditions = match (name.as_str(), value) {
                ("conditions", Value::Object(all)) => {
                    all.iter().map(|(n, v)| (n.as_str(), v)).collect()
                }
                ("Ready" | "DisruptionTarget" | "condition" | "unschedulable", value) => {
                    vec![(name.as_str(), value)]
                }
                _ => Vec::new(),
            };
            for (condition, triple) in conditions {
                let told: Vec<String> = triple
                    .as_array()
                    .into_iter()
                    .flatten()
                    .map(|part| normal(part.as_str().unwrap_or_default()))
                    .collect();
                if !told.is_empty() {
                    texts.insert(format!("{} {condition}: {}", word("kind"), told.join(", ")));
                }
            }
        }
    }
    texts
}

/// On which node something happened is chance.
fn hosts(message: &str, entry: &Value) -> String {
    let message = message.to_owned();
    let of = entry["of"].as_str().unwrap_or_default();
    match of.split_once(' ') {
        Some(("Node", name)) => message.replace(name, "NODE"),
        Some((_, name)) => {
            let name = name.split_once('/').map_or(name, |(_, name)| name);
            let assigned = message.starts_with("Successfully assigned ");
            let end = message.rfind(" to ").filter(|_| assigned).unwrap_or(message.len());
            let shown = message.get(..end).unwrap_or_default();
            let base = name.split(['#', '~']).next().unwrap_or(name);
            shown.replace(&normal(name), base)
        }
        None => message,
    }
}
