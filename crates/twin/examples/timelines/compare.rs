//! One score for a recording and what the twin made of it: milestones, order, final state and
//! texts, with the differences in words.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::milestones::Tale;
use crate::replay::{Played, State};
use crate::spread::Spread;
use crate::{order, texts, view};

/// The head of the table.
pub const HEAD: &str = "recording                     milestones   order        state  texts";

/// What was compared and what agreed.
#[derive(Default)]
pub struct Score {
    milestones: (usize, usize),
    order: (usize, usize),
    states: (usize, usize),
    texts: (usize, usize),
    pub differences: Vec<String>,
}

impl Score {
    pub fn row(&self, name: &str) -> String {
        let pair = |(right, all): (usize, usize)| format!("{right}/{all}");
        let share = |(right, all): (usize, usize)| 100.0 * right as f64 / all.max(1) as f64;
        format!(
            "{name:<29} {:<7} {:>3.0}%  {:<11} {:<6} {}",
            pair(self.milestones),
            share(self.milestones),
            pair(self.order),
            pair(self.states),
            pair(self.texts)
        )
    }

    pub fn add(&mut self, other: &Self) {
        let sum = |own: &mut (usize, usize), other: (usize, usize)| {
            own.0 += other.0;
            own.1 += other.1;
        };
        sum(&mut self.milestones, other.milestones);
        sum(&mut self.order, other.order);
        sum(&mut self.states, other.states);
        sum(&mut self.texts, other.texts);
    }
}

/// Holds what the twin did against a recording.
pub fn compare(trace: &Value, played: &Played) -> Score {
    let mut score = Score::default();
    score.differences.extend(played.troubles.iter().map(|what| format!("trouble: {what}")));
    let list = |key: &str| trace[key].as_array().cloned().unwrap_or_default();
    let (timeline, requests, actions) = (list("timeline"), list("requests"), list("actions"));
    let recorded = Tale {
        trace,
        timeline: &timeline,
        requests: &requests,
        before: &trace["before"],
        commands: &actions,
    };
    let before = as_value(&played.before);
    let own = Tale {
        trace,
        timeline: &played.timeline,
        requests: &played.requests,
        before: &before,
        commands: &played.commands,
    };
    milestones(trace, &recorded, &own, &mut score);
    let (kept, all, differences) = order::compare(&timeline, &played.timeline);
    score.order = (kept, all);
    score.differences.extend(differences);
    let end = state_after(&trace["before"], &timeline);
    states("before", &state_after(&trace["before"], &[]), &played.before, &mut score.differences);
    let count = score.differences.len();
    states("state", &end, &played.after, &mut score.differences);
    score.states = (usize::from(count == score.differences.len()), 1);
    let (real, mine) = (texts::all(&timeline), texts::all(&played.timeline));
    score.texts = (real.intersection(&mine).count(), real.union(&mine).count());
    score.differences.extend(real.difference(&mine).map(|text| format!("text missing: {text}")));
    score.differences.extend(mine.difference(&real).map(|text| format!("text of its own: {text}")));
    score
}

fn milestones(trace: &Value, recorded: &Tale<'_>, own: &Tale<'_>, score: &mut Score) {
    for (name, value) in trace["milestones"].as_object().into_iter().flatten() {
        let spread = Spread::of(trace, name);
        let read = recorded.read(name);
        if !read.as_ref().is_some_and(|read| same(read, value)) {
            let read = read.unwrap_or_default();
            score.differences.push(format!("milestone {name} is not read: {read} for {value}"));
            continue;
        }
        let found = own.read(name).unwrap_or_default();
        score.milestones.1 += 1;
        if spread.holds(&found) {
            score.milestones.0 += 1;
        } else {
            score
                .differences
                .push(format!("milestone {name}: {found}, recorded {}", spread.told()));
        }
    }
}

/// Equal but for rounding.
fn same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => (a - b).abs() < 0.05,
            _ => false,
        },
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (a, b) => a == b,
    }
}

fn as_value(state: &State) -> Value {
    let mut all = Map::new();
    for ((kind, name), fields) in state {
        let of = all.entry(kind.clone()).or_insert_with(|| json!({}));
        of[name.as_str()] = fields.clone().into();
    }
    all.into()
}

/// The state at the end of a timeline.
fn state_after(before: &Value, timeline: &[Value]) -> State {
    let mut state = State::new();
    for (kind, all) in before.as_object().into_iter().flatten() {
        for (name, fields) in all.as_object().into_iter().flatten() {
            let fields = fields.as_object().cloned().unwrap_or_default();
            state.insert((kind.clone(), name.clone()), fields);
        }
    }
    for entry in timeline.iter().filter(|entry| entry["kind"] != "Event") {
        let word = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
        let key = (word("kind"), word("name"));
        if word("op") == "gone" {
            state.remove(&key);
            continue;
        }
        let fields = state.entry(key).or_default();
        for (name, value) in entry["set"].as_object().into_iter().flatten() {
            match (fields.get_mut(name), value) {
                (Some(Value::Object(old)), Value::Object(new)) if name == "conditions" => {
                    for (condition, told) in new {
                        old.insert(condition.clone(), told.clone());
                    }
                }
                _ => drop(fields.insert(name.clone(), value.clone())),
            }
        }
    }
    state
}

/// Final states, where it is chance which of equal pods or nodes one is.
fn states(what: &str, real: &State, own: &State, differences: &mut Vec<String>) {
    let kinds: BTreeSet<&String> = real.keys().map(|(kind, _)| kind).collect();
    let (real, own) = (counted(real, &kinds), counted(own, &kinds));
    for (line, count) in &real {
        let found = own.get(line).copied().unwrap_or(0);
        if found != *count {
            differences.push(format!("{what}: {line} x{count}, played x{found}"));
        }
    }
    for (line, count) in own.iter().filter(|(line, _)| !real.contains_key(*line)) {
        differences.push(format!("{what}: not recorded {line} x{count}"));
    }
}

fn counted(state: &State, kinds: &BTreeSet<&String>) -> BTreeMap<String, usize> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for ((kind, name), fields) in state.iter().filter(|((kind, _), _)| kinds.contains(kind)) {
        let outside = ["kube-system/", "kube-node-lease/", "kube-public/", "default/kubernetes"];
        let own = ["default", "kube-system", "kube-public", "kube-node-lease"];
        if outside.iter().any(|start| name.starts_with(start)) {
            continue;
        }
        if kind == "Namespace" && own.contains(&name.as_str()) || kind == "ConfigMap" {
            continue;
        }
        let mut told = fields.clone();
        told.remove("node");
        told.remove("utilisation");
        told.remove("uncounted");
        if let Some(Value::Object(conditions)) = told.get_mut("conditions") {
            conditions.retain(|_, value| !value.is_null());
        }
        told.retain(|_, value| !view::is_nothing(value));
        if told.get("finalizers") == Some(&json!(["kubernetes"])) {
            told.remove("finalizers");
        }
        let base = name.split(['#', '~']).next().unwrap_or(name);
        let line = format!("{kind} {base} {}", Value::from(told));
        *lines.entry(texts::normal(&line)).or_default() += 1;
    }
    lines
}
