//! Taint eviction: pods leave a node with a NoExecute taint when their toleration is over.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use super::pods_of;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

const COMPONENT: &str = "taint-eviction-controller";

/// A deletion that is refused is tried so often, with so long between.
const TRIES: u32 = 5;
const PAUSE: (i64, i64) = (12_000, 25_000);

/// A pod that will have to go.
#[derive(Debug, Clone)]
struct Doomed {
    at: Timestamp,
    pod: Object,
    tries: u32,
}

/// Pods that will have to go, by uid. A running toleration is not shortened by later taints.
#[derive(Debug, Default, Clone)]
pub(super) struct TaintEviction {
    due: BTreeMap<String, Doomed>,
    /// Pods whose deletion was accepted: once is enough.
    deleted: BTreeSet<String>,
    /// When to look next.
    agenda: BTreeSet<(Timestamp, String)>,
}

impl Actor for TaintEviction {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        let (before, after) = (change.before.as_ref(), change.after.as_ref());
        let differs = |pointer: &str| {
            before.and_then(|o| o.pointer(pointer)) != after.and_then(|o| o.pointer(pointer))
        };
        let comes_or_goes = before.is_none() || after.is_none();
        match change.key.resource {
            resource if resource == NODE.storage => {
                comes_or_goes && after.is_some_and(|node| no_execute(node).next().is_some())
                    || differs("/spec/taints")
            }
            resource if resource == POD.storage => {
                comes_or_goes || differs("/spec/nodeName") || differs("/spec/tolerations")
            }
            _ => false,
        }
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            match &change.after {
                Some(node) if change.key.resource == NODE.storage => {
                    let before = change.before.as_ref().map(|node| no_execute(node));
                    if before.is_some_and(|before| before.eq(no_execute(node))) {
                        continue;
                    }
                    for pod in pods_of(context, field::name(node)) {
                        self.consider(context, &pod, node);
                    }
                }
                Some(pod) => {
                    let node = field::text(pod, "/spec/nodeName").to_owned();
                    if let Ok(node) = context.registry.get(&NODE, "", &node).map(Arc::clone) {
                        self.consider(context, pod, &node);
                    }
                }
                None if change.key.resource == POD.storage => {
                    if let Some(pod) = change.object() {
                        self.cancel(context, pod);
                    }
                }
                None => {}
            }
        }
        self.evict(context);
    }
}

/// Taints that drive pods away.
fn no_execute(node: &Value) -> impl Iterator<Item = &Value> {
    let taints = field::list(node, "/spec/taints").iter();
    taints.filter(|t| field::text(t, "/effect") == "NoExecute")
}

impl TaintEviction {
    fn consider(&mut self, context: &mut Context<'_>, pod: &Object, node: &Value) {
        let uid = field::uid(pod);
        let taints: Vec<_> = no_execute(node).collect();
        let stay = if taints.is_empty() { None } else { tolerated_seconds(pod, &taints) };
        let Some(seconds) = stay else { return self.cancel(context, pod) };
        let now = context.now();
        let at = plus(now, seconds.saturating_mul(SECOND));
        // What runs already goes on as it is, unless nothing of the new taints is tolerated.
        let waits = self.due.get(uid).is_some_and(|doomed| seconds > 0 || doomed.at <= now);
        if waits || self.deleted.contains(uid) {
            return;
        }
        let doomed = Doomed { at, pod: Arc::clone(pod), tries: 0 };
        if let Some(old) = self.due.insert(uid.to_owned(), doomed) {
            self.agenda.remove(&(old.at, uid.to_owned()));
        }
        self.agenda.insert((at, uid.to_owned()));
    }

    /// A pod that may stay after all, or is gone.
    fn cancel(&mut self, context: &mut Context<'_>, pod: &Object) {
        let uid = field::uid(pod);
        self.deleted.remove(uid);
        if let Some(doomed) = self.due.remove(uid) {
            self.agenda.remove(&(doomed.at, uid.to_owned()));
            let text = format!(
                "Cancelling deletion of Pod {}/{}",
                field::namespace(pod),
                field::name(pod)
            );
            context.tell(COMPONENT, pod, &Note::normal("TaintManagerEviction", text));
        }
    }

    fn evict(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        while let Some((at, uid)) = self.agenda.pop_first() {
            if at > now {
                context.wake(at);
                self.agenda.insert((at, uid));
                return;
            }
            let Some(mut doomed) = self.due.remove(&uid) else { continue };
            if doomed.tries == 0 {
                announce(context, &doomed.pod);
            }
            doomed.tries += 1;
            if delete(context, &doomed.pod) {
                self.deleted.insert(uid);
            } else if doomed.tries < TRIES {
                doomed.at = context.soon(PAUSE.0, PAUSE.1);
                self.agenda.insert((doomed.at, uid.clone()));
                self.due.insert(uid, doomed);
            }
        }
    }
}

/// How long a pod may stay: the shortest of its matching tolerations; `None` for ever.
fn tolerated_seconds(pod: &Value, taints: &[&Value]) -> Option<i64> {
    let tolerations = field::list(pod, "/spec/tolerations");
    let mut shortest: Option<i64> = None;
    for taint in taints {
        let matching: Vec<_> = tolerations.iter().filter(|t| tolerates(t, taint)).collect();
        if matching.is_empty() {
            return Some(0);
        }
        let limits = matching.iter().filter_map(|t| t.get("tolerationSeconds"));
        let limit = limits.filter_map(Value::as_i64).map(|n| n.max(0)).min();
        shortest = shortest.into_iter().chain(limit).min();
    }
    shortest
}

/// Whether a toleration covers a taint.
pub(super) fn tolerates(toleration: &Value, taint: &Value) -> bool {
    let same = |key: &str| {
        let wanted = field::text(toleration, key);
        wanted.is_empty() || wanted == field::text(taint, key)
    };
    let any_value = field::text(toleration, "/operator") == "Exists";
    let value = field::text(toleration, "/value") == field::text(taint, "/value");
    same("/effect") && same("/key") && (any_value || value)
}

fn announce(context: &mut Context<'_>, pod: &Object) {
    let text = format!("Marking for deletion Pod {}/{}", field::namespace(pod), field::name(pod));
    context.tell(COMPONENT, pod, &Note::normal("TaintManagerEviction", text));
}

/// Whether the pod is deleted, or gone anyway.
fn delete(context: &mut Context<'_>, pod: &Object) -> bool {
    let (namespace, name, uid) = (field::namespace(pod), field::name(pod), field::uid(pod));
    if context.registry.get(&POD, namespace, name).map_or(true, |pod| field::uid(pod) != uid) {
        return true;
    }
    let now = context.now();
    let marked = context.registry.modify(&POD, pod, Part::Status, |pod| {
        let told = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
        set_condition(pod, "DisruptionTarget", "True", told, now);
    });
    let options = DeleteOptions { uid: Some(uid.to_owned()), ..DeleteOptions::default() };
    marked.is_ok() && context.registry.delete(&POD, namespace, name, &options).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn check(tolerations: Value, taints: &[&str], stays: Option<i64>) {
        let pod = json!({"spec": {"tolerations": tolerations}});
        let taint = |key: &&str| json!({"key": *key, "effect": "NoExecute"});
        let taints: Vec<_> = taints.iter().map(taint).collect();
        assert_eq!(tolerated_seconds(&pod, &taints.iter().collect::<Vec<_>>()), stays);
    }

    #[test]
    fn the_shortest_matching_toleration_counts() {
        let for_seconds = |key: &str, seconds: i64| {
            json!({
                "key": key, "operator": "Exists", "effect": "NoExecute",
                "tolerationSeconds": seconds,
            })
        };
        check(json!([]), &["a"], Some(0));
        check(json!([for_seconds("a", 20)]), &["a"], Some(20));
        check(json!([for_seconds("a", 20), for_seconds("a", 40)]), &["a"], Some(20));
        check(json!([for_seconds("a", 20)]), &["a", "b"], Some(0));
        check(json!([{"operator": "Exists"}]), &["a", "b"], None);
        check(json!([{"key": "a", "operator": "Exists", "effect": "NoSchedule"}]), &["a"], Some(0));
    }
}
