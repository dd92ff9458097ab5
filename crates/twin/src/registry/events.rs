//! Events: what a component tells about an object, repeated ones counted.

use std::collections::{BTreeMap, BTreeSet};

use model::Timestamp;
use serde_json::{Value, json};

use super::Registry;
use crate::field;
use crate::kernel::{SECOND, fnv64};
use crate::kinds::{EVENT, NAMESPACE};
use crate::store::Key;

/// Who tells.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub component: &'a str,
    /// The node for kubelets, else "".
    pub host: &'a str,
}

/// What is told.
#[derive(Clone, Debug)]
pub(crate) struct Note<'a> {
    pub warning: bool,
    pub reason: &'a str,
    pub message: String,
    /// Part of the object, such as `spec.containers{web}`, or "".
    pub part: String,
}

impl<'a> Note<'a> {
    pub fn normal(reason: &'a str, message: impl Into<String>) -> Self {
        Self { warning: false, reason, message: message.into(), part: String::new() }
    }

    pub fn warning(reason: &'a str, message: impl Into<String>) -> Self {
        Self { warning: true, ..Self::normal(reason, message) }
    }

    pub fn about(mut self, part: String) -> Self {
        self.part = part;
        self
    }
}

/// So many different events of one reason within ten minutes are told as one.
const MOST_ALIKE: usize = 10;
const ALIKE_SPAN: i64 = 600 * SECOND;
/// So many kinds of events are watched; then all begin anew.
const MOST_WATCHED: usize = 20_000;

/// What was told lately, so that a flood is told shortly.
#[derive(Debug, Default)]
pub(super) struct Flood {
    /// Signs of different messages by sign of what they have in common, and the last time.
    alike: BTreeMap<u64, (BTreeSet<u64>, Timestamp)>,
}

impl Flood {
    /// Whether an event is one of too many alike.
    fn is_one_of_many(&mut self, common: u64, own: u64, now: Timestamp) -> bool {
        if self.alike.len() > MOST_WATCHED {
            self.alike.clear();
        }
        let (signs, last) = self.alike.entry(common).or_insert_with(|| (BTreeSet::new(), now));
        if now.micros().saturating_sub(last.micros()) > ALIKE_SPAN {
            signs.clear();
        }
        *last = now;
        signs.insert(own);
        if signs.len() < MOST_ALIKE {
            return false;
        }
        signs.pop_first();
        true
    }
}

impl Registry {
    /// Records an event about `object`; the same event again only counts up.
    pub fn tell(&mut self, source: Source<'_>, object: &Value, note: &Note<'_>) {
        let reference = reference_to(object, &note.part);
        let told = format!("{}{}{source:?}", reference["kind"], reference["uid"]);
        let sign = |text: &str| fnv64(format!("{told}{text}").as_bytes());
        let common = sign(&format!("{}{}", note.warning, note.reason));
        let mut own = format!("{note:?}");
        let mut note = note.clone();
        if self.flood.is_one_of_many(common, sign(&own), self.now) {
            note.message = format!("(combined from similar events): {}", note.message);
            own = format!("{}{}", note.warning, note.reason);
        }
        let sign = sign(&own);
        let namespace = match field::namespace(object) {
            "" => "default",
            namespace => namespace,
        };
        let name = self.event_name(namespace, field::name(object), sign);
        let key = Key { resource: EVENT.storage, namespace: namespace.into(), name: name.clone() };
        let now = self.now.to_string();
        let home = self.get(&NAMESPACE, "", namespace);
        let is_ending = home.is_ok_and(|home| field::is_deleting(home));
        if is_ending && self.store.get(key.resource, namespace, &name).is_none() {
            // Nothing new is made in a namespace that is being removed.
            return;
        }
        if let Some(known) = self.store.get(key.resource, namespace, &name) {
            let mut again = Value::clone(known);
            again["count"] = (field::number(&again, "/count") + 1).into();
            again["lastTimestamp"] = now.into();
            again["message"] = note.message.into();
            self.store.put(key, again);
            return;
        }
        let mut from = json!({"component": source.component});
        if !source.host.is_empty() {
            from["host"] = source.host.into();
        }
        let event = json!({
            "apiVersion": "v1", "kind": "Event",
            "metadata": {
                "name": name, "namespace": namespace,
                "uid": self.dice.uuid(), "creationTimestamp": now,
            },
            "involvedObject": reference,
            "reason": note.reason, "message": note.message,
            "type": if note.warning { "Warning" } else { "Normal" },
            "source": from, "count": 1, "firstTimestamp": now, "lastTimestamp": now,
            "eventTime": null,
            "reportingComponent": source.component, "reportingInstance": source.host,
        });
        self.store.put(key, event);
    }

    /// The name of the event with this sign: of the one that was told before, or made of the
    /// time, so that names sort as events came.
    fn event_name(&mut self, namespace: &str, object: &str, sign: u64) -> String {
        let there = |name: &str| self.store.get(EVENT.storage, namespace, name).is_some();
        if let Some(known) = self.told.get(&sign).filter(|name| there(name)) {
            return known.clone();
        }
        let nanos = self.now.micros().saturating_mul(1000);
        let mut names = (nanos..).map(|nanos| format!("{object}.{nanos:x}"));
        let name = names.find(|name| !there(name)).unwrap_or_default();
        if self.told.len() >= MOST_SIGNS {
            self.told.clear();
        }
        self.told.insert(sign, name.clone());
        name
    }
}

/// So many events are counted up when they come again; then all begin anew.
const MOST_SIGNS: usize = 50_000;

/// The reference in an event. A kubelet knows its Node by name only and puts it as the uid.
fn reference_to(object: &Value, part: &str) -> Value {
    let mut reference = json!({
        "kind": object["kind"], "name": field::name(object), "uid": field::uid(object),
    });
    for (key, text) in [
        ("apiVersion", field::text(object, "/apiVersion")),
        ("namespace", field::namespace(object)),
        ("resourceVersion", field::text(object, "/metadata/resourceVersion")),
        ("fieldPath", part),
    ] {
        if !text.is_empty() {
            reference[key] = text.into();
        }
    }
    reference
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_is_told_shortly() {
        let now = Timestamp::from_seconds(1000);
        let mut flood = Flood::default();
        let many: Vec<bool> = (0..12).map(|own| flood.is_one_of_many(1, own, now)).collect();
        assert_eq!(many.iter().filter(|one| **one).count(), 3);
        assert!(!many.iter().take(9).any(|one| *one));
        assert!(!flood.is_one_of_many(2, 1, now));
    }
}
