//! Taint eviction: pods leave a node with a NoExecute taint when their toleration is over.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::Value;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{NODE, POD};
use crate::registry::{DeleteOptions, Note, Part};
use crate::store::{Change, Object};
use crate::world::set_condition;

const COMPONENT: &str = "taint-eviction-controller";

/// Pods that will have to go, by uid. A running toleration is not shortened by later taints.
#[derive(Debug, Default)]
pub(super) struct TaintEviction {
    due: BTreeMap<String, (Timestamp, Object)>,
}

impl Actor for TaintEviction {
    fn name(&self) -> &str {
        COMPONENT
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == NODE.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        for change in changes {
            match &change.after {
                Some(node) if change.key.resource == NODE.storage => {
                    let on_node =
                        |pod: &&Object| field::text(pod, "/spec/nodeName") == field::name(node);
                    let pods = context.registry.store.table(POD.storage).values();
                    let pods: Vec<Object> = pods.filter(on_node).cloned().collect();
                    for pod in pods {
                        self.consider(context, &pod, node);
                    }
                }
                Some(pod) => {
                    let node = field::text(pod, "/spec/nodeName").to_owned();
                    if let Ok(node) = context.registry.get(&NODE, "", &node).map(Arc::clone) {
                        self.consider(context, pod, &node);
                    }
                }
                None => drop(self.due.remove(change.object().map_or("", |o| field::uid(o)))),
            }
        }
        self.evict(context);
    }
}

impl TaintEviction {
    fn consider(&mut self, context: &Context<'_>, pod: &Object, node: &Value) {
        let uid = field::uid(pod);
        let taints: Vec<_> = field::list(node, "/spec/taints")
            .iter()
            .filter(|t| field::text(t, "/effect") == "NoExecute")
            .collect();
        if taints.is_empty() || field::is_deleting(pod) {
            self.due.remove(uid);
            return;
        }
        if self.due.contains_key(uid) {
            return;
        }
        if let Some(seconds) = tolerated_seconds(pod, &taints) {
            let at = plus(context.now(), seconds.saturating_mul(SECOND));
            self.due.insert(uid.to_owned(), (at, Arc::clone(pod)));
        }
    }

    fn evict(&mut self, context: &mut Context<'_>) {
        let now = context.now();
        let over: Vec<_> =
            self.due.iter().filter(|(_, (at, _))| *at <= now).map(|(u, _)| u.clone()).collect();
        for uid in over {
            if let Some((_, pod)) = self.due.remove(&uid) {
                delete(context, &pod);
            }
        }
        if let Some(next) = self.due.values().map(|(at, _)| *at).min() {
            context.wake(next);
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

fn delete(context: &mut Context<'_>, pod: &Object) {
    let (namespace, name) = (field::namespace(pod), field::name(pod));
    let text = format!("Marking for deletion Pod {namespace}/{name}");
    context.tell(COMPONENT, pod, &Note::normal("TaintManagerEviction", text));
    let now = context.now();
    let marked = context.registry.modify(&POD, pod, Part::Status, |pod| {
        let told = ("DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint");
        set_condition(pod, "DisruptionTarget", "True", told, now);
    });
    let options =
        DeleteOptions { uid: Some(field::uid(pod).to_owned()), ..DeleteOptions::default() };
    if marked.is_ok() {
        // Gone meanwhile is as good as deleted.
        drop(context.registry.delete(&POD, namespace, name, &options));
    }
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
