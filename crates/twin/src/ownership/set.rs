//! Sets of fields, as managers own them, and their form in `managedFields` (`FieldsV1`).

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One step on the way to a field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Field(String),
    /// An element of a keyed list: its keys as JSON, in order.
    Key(String),
    /// A value of a set, as JSON.
    Value(String),
    Index(usize),
}

/// A set of fields: a tree of steps, in which some places are members.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// Whether this place itself is a member.
    pub owned: bool,
    pub below: BTreeMap<Step, Set>,
}

impl Step {
    fn parse(text: &str) -> Option<Self> {
        let (mark, rest) = text.split_once(':')?;
        let sorted = |text: &str| -> Option<String> {
            serde_json::from_str::<Value>(text).ok().map(|value| value.to_string())
        };
        match mark {
            "f" => Some(Self::Field(rest.to_owned())),
            "k" => sorted(rest).map(Self::Key),
            "v" => sorted(rest).map(Self::Value),
            "i" => rest.parse().ok().map(Self::Index),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Field(name) => format!("f:{name}"),
            Self::Key(keys) => format!("k:{keys}"),
            Self::Value(value) => format!("v:{value}"),
            Self::Index(index) => format!("i:{index}"),
        }
    }

    /// As conflicts tell it: `.spec`, `[name="web"]`.
    pub fn told(&self) -> String {
        match self {
            Self::Field(name) => format!(".{name}"),
            Self::Key(keys) => {
                let keys: Map<String, Value> = serde_json::from_str(keys).unwrap_or_default();
                let pairs: Vec<_> = keys.iter().map(|(k, v)| format!("{k}={v}")).collect();
                format!("[{}]", pairs.join(","))
            }
            Self::Value(value) => format!("[={value}]"),
            Self::Index(index) => format!("[{index}]"),
        }
    }
}

impl Set {
    /// The set of a `FieldsV1` document; what does not read is left out.
    pub fn parse(value: &Value) -> Self {
        let mut set = Self::default();
        for (key, below) in value.as_object().into_iter().flatten() {
            if key == "." {
                set.owned = true;
            } else if let Some(step) = Step::parse(key) {
                let mut child = Self::parse(below);
                child.owned |= child.below.is_empty();
                set.below.insert(step, child);
            }
        }
        set
    }

    /// The `FieldsV1` document.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        if self.owned && !self.below.is_empty() {
            map.insert(".".into(), Value::Object(Map::new()));
        }
        map.extend(self.below.iter().map(|(step, below)| (step.text(), below.to_value())));
        Value::Object(map)
    }

    pub fn is_empty(&self) -> bool {
        !self.owned && self.below.values().all(Self::is_empty)
    }

    /// Makes the place at the end of `path` a member.
    pub fn insert(&mut self, path: &[Step]) {
        match path.split_first() {
            None => self.owned = true,
            Some((step, rest)) => self.below.entry(step.clone()).or_default().insert(rest),
        }
    }

    pub fn union(&mut self, other: &Self) {
        self.owned |= other.owned;
        for (step, below) in &other.below {
            self.below.entry(step.clone()).or_default().union(below);
        }
    }

    /// Takes the members of `other` away.
    pub fn subtract(&mut self, other: &Self) {
        self.owned &= !other.owned;
        for (step, below) in &other.below {
            if let Some(mine) = self.below.get_mut(step) {
                mine.subtract(below);
                if mine.is_empty() {
                    self.below.remove(step);
                }
            }
        }
    }

    /// Takes the members of `other` away, and all that is below them.
    pub fn subtract_below(&mut self, other: &Self) {
        if other.owned {
            *self = Self::default();
            return;
        }
        for (step, below) in &other.below {
            if let Some(mine) = self.below.get_mut(step) {
                mine.subtract_below(below);
                if mine.is_empty() {
                    self.below.remove(step);
                }
            }
        }
    }

    /// The members of both.
    pub fn intersection(&self, other: &Self) -> Self {
        let mut both = Self { owned: self.owned && other.owned, below: BTreeMap::new() };
        for (step, mine) in &self.below {
            if let Some(theirs) = other.below.get(step) {
                let shared = mine.intersection(theirs);
                if !shared.is_empty() {
                    both.below.insert(step.clone(), shared);
                }
            }
        }
        both
    }

    /// Every member's path.
    pub fn paths(&self) -> Vec<String> {
        let mut all = Vec::new();
        self.collect(String::new(), &mut all);
        all
    }

    fn collect(&self, path: String, all: &mut Vec<String>) {
        if self.owned {
            all.push(path.clone());
        }
        for (step, below) in &self.below {
            below.collect(format!("{path}{}", step.told()), all);
        }
    }
}
