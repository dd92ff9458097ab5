//! The partial order of what happened: which event or transition comes clearly before another.

use std::collections::BTreeMap;

use serde_json::Value;

/// What lies closer together has no order: a busy machine decides it.
const APART: f64 = 1.5;

/// The first moment of each event, by kind and reason, and of each transition.
pub fn first(timeline: &[Value]) -> BTreeMap<String, f64> {
    let mut first = BTreeMap::new();
    for entry in timeline {
        let t = entry["t"].as_f64().unwrap_or_default();
        for sign in signs(entry) {
            first.entry(sign).or_insert(t);
        }
    }
    first
}

fn signs(entry: &Value) -> Vec<String> {
    let word = |key: &str| entry[key].as_str().unwrap_or_default();
    let kind = word("kind");
    if kind == "Event" {
        let of = word("of").split(' ').next().unwrap_or_default();
        return vec![format!("event {of} {}", word("reason"))];
    }
    let set = &entry["set"];
    let mut signs = Vec::new();
    match word("op") {
        "created" => signs.push(format!("{kind} created")),
        "gone" => signs.push(format!("{kind} gone")),
        _ => {
            if !set["deleting"].is_null() {
                signs.push(format!("{kind} deleting"));
            }
            for (field, at) in [("Ready", 0), ("condition", 1), ("DisruptionTarget", 1)] {
                if let Some(value) = set[field][at].as_str() {
                    signs.push(format!("{kind} {field} {value}"));
                }
            }
            for (field, from) in [("phase", set), ("ready", set)] {
                if let Some(value) = from[field].as_str() {
                    signs.push(format!("{kind} {field} {value}"));
                }
            }
            for (condition, told) in set["conditions"].as_object().into_iter().flatten() {
                let reason = told[1].as_str().unwrap_or_default();
                signs.push(format!("{kind} {condition} {reason}"));
            }
            for taint in set["taints"].as_array().into_iter().flatten() {
                signs.push(format!("{kind} taint {}", taint.as_str().unwrap_or_default()));
            }
        }
    }
    signs
}

/// Pairs whose order the twin keeps, all pairs, and what is missing, new or turned round.
pub fn compare(recorded: &[Value], played: &[Value]) -> (usize, usize, Vec<String>) {
    let (real, own) = (first(recorded), first(played));
    let mut differences = Vec::new();
    for sign in real.keys().filter(|sign| !own.contains_key(*sign)) {
        differences.push(format!("order: missing {sign} (recorded at {:.1})", real[sign]));
    }
    for sign in own.keys().filter(|sign| !real.contains_key(*sign)) {
        differences.push(format!("order: not recorded {sign} (played at {:.1})", own[sign]));
    }
    let (mut kept, mut all) = (0, 0);
    for (a, at) in &real {
        for (b, bt) in real.iter().filter(|(_, bt)| **bt - *at > APART) {
            all += 1;
            match (own.get(a), own.get(b)) {
                (Some(x), Some(y)) if x <= y => kept += 1,
                (Some(x), Some(y)) => differences.push(format!(
                    "order: {a} before {b} ({at:.1}, {bt:.1}) but played {x:.1}, {y:.1}"
                )),
                _ => {}
            }
        }
    }
    (kept, all, differences)
}
