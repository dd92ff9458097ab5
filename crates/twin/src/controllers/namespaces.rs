//! What every namespace gets, and the emptying of one that is deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::work::Work;
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kernel::{SECOND, plus};
use crate::kinds::{CONFIG_MAP, NAMESPACE, POD, SERVICE_ACCOUNT};
use crate::registry::{DeleteOptions, Part, Propagation};
use crate::store::{Change, Key, Object};
use crate::world::set_condition;

/// A namespace is looked at this long after it changed: its last objects may be on the way.
const PAUSE: i64 = 5 * SECOND;
/// Finalizers are thought to take so long.
const FINALIZER_SECONDS: i64 = 15;
const ACCOUNT: &str = "default";
const ROOT: &str = "kube-root-ca.crt";

/// Service accounts, root certificates, and the end of namespaces.
#[derive(Debug, Default)]
pub(super) struct Namespaces {
    ending: Work,
}

impl Actor for Namespaces {
    fn name(&self) -> &str {
        "namespace-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        let (resource, name) = (change.key.resource, change.key.name.as_str());
        resource == NAMESPACE.storage && change.after.is_some()
            || resource == SERVICE_ACCOUNT.storage && name == ACCOUNT && change.after.is_none()
            || resource == CONFIG_MAP.storage && name == ROOT && change.before.is_some()
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let now = context.now();
        for change in changes {
            if change.key.resource != NAMESPACE.storage {
                furnish(context, &change.key.namespace);
                continue;
            }
            let name = &change.key.name;
            match change.after.as_ref() {
                Some(namespace) if field::is_deleting(namespace) => {
                    self.ending.add((String::new(), name.clone()), plus(now, PAUSE));
                }
                _ => furnish(context, name),
            }
        }
        for (_, name) in self.ending.take(now) {
            if let Some(at) = empty(context, &name) {
                self.ending.add((String::new(), name), at);
            }
        }
        if let Some(next) = self.ending.next() {
            context.wake(next);
        }
    }
}

/// Makes what a living namespace lacks.
fn furnish(context: &mut Context<'_>, namespace: &str) {
    let alive = context.registry.get(&NAMESPACE, "", namespace);
    if !alive.is_ok_and(|namespace| !field::is_deleting(namespace)) {
        return;
    }
    if context.registry.get(&SERVICE_ACCOUNT, namespace, ACCOUNT).is_err() {
        let account = json!({"metadata": {"name": ACCOUNT}});
        drop(context.registry.create(&SERVICE_ACCOUNT, namespace, account));
    }
    let data = json!({"ca.crt": "the certificate authority of a simulated cluster\n"});
    match context.registry.get(&CONFIG_MAP, namespace, ROOT).map(Arc::clone) {
        Ok(root) if root["data"] != data => {
            let put = context.registry.modify(&CONFIG_MAP, &root, Part::Spec, |root| {
                root["data"] = data;
            });
            drop(put);
        }
        Ok(_) => {}
        Err(_) => {
            let root = json!({"metadata": {"name": ROOT}, "data": data});
            drop(context.registry.create(&CONFIG_MAP, namespace, root));
        }
    }
}

/// What is left of a namespace after everything was deleted.
#[derive(Default)]
struct Left {
    /// How many objects of each resource, and with each finalizer.
    resources: BTreeMap<String, usize>,
    finalizers: BTreeMap<String, usize>,
    /// How long the rest is thought to take.
    seconds: i64,
}

/// Deletes what is in a namespace; when to look again, unless it is gone.
fn empty(context: &mut Context<'_>, namespace: &str) -> Option<Timestamp> {
    let found = context.registry.get(&NAMESPACE, "", namespace).map(Arc::clone).ok()?;
    if !field::is_deleting(&found) {
        return None;
    }
    // Pods go first: others may be needed for their end.
    let mut left = clear(context, namespace, |resource| resource == POD.storage);
    if left.resources.is_empty() && left.seconds == 0 {
        left = clear(context, namespace, |resource| resource != POD.storage);
    }
    let now = context.now();
    let told = tell(context, &found, &left);
    if !left.resources.is_empty() || left.seconds > 0 {
        let pause = if told { PAUSE } else { (left.seconds / 2 + 1) * SECOND };
        return Some(plus(now, pause));
    }
    let others: Vec<Value> = field::list(&found, "/spec/finalizers")
        .iter()
        .filter(|f| *f != "kubernetes")
        .cloned()
        .collect();
    if others.is_empty() && field::list(&found, "/metadata/finalizers").is_empty() {
        let name = namespace.to_owned();
        let key = Key { resource: NAMESPACE.storage, namespace: String::new(), name };
        context.registry.store.remove(key);
        return None;
    }
    let freed = context.registry.modify(&NAMESPACE, &found, Part::Other("finalize"), |object| {
        object["spec"]["finalizers"] = others.into();
    });
    // Others have to let go of it too.
    drop(freed);
    None
}

/// Deletes the objects of some resources, and counts what stays all the same.
fn clear(context: &mut Context<'_>, namespace: &str, of: impl Fn(&str) -> bool) -> Left {
    let mut left = Left::default();
    for (resource, object) in inside(context, namespace, &of) {
        let Some(kind) = context.registry.kind_of_storage(resource) else { continue };
        if resource == POD.storage {
            let known = object["metadata"]["deletionGracePeriodSeconds"].as_i64();
            let own = field::number(&object, "/spec/terminationGracePeriodSeconds");
            let placed = !field::text(&object, "/spec/nodeName").is_empty();
            let grace = known.unwrap_or(if placed { own } else { 0 });
            left.seconds = left.seconds.max(grace);
        }
        if !field::is_deleting(&object) {
            let options = DeleteOptions {
                propagation: Some(Propagation::Background),
                ..DeleteOptions::default()
            };
            drop(context.registry.delete(kind, namespace, field::name(&object), &options));
        }
    }
    if left.seconds > 0 {
        // Pods that are given time are not told of.
        return left;
    }
    for (resource, object) in inside(context, namespace, &of) {
        *left.resources.entry(told_resource(resource)).or_default() += 1;
        for finalizer in field::list(&object, "/metadata/finalizers") {
            let name = finalizer.as_str().unwrap_or_default().to_owned();
            *left.finalizers.entry(name).or_default() += 1;
            left.seconds = left.seconds.max(FINALIZER_SECONDS);
        }
    }
    left
}

fn inside(
    context: &Context<'_>,
    namespace: &str,
    of: &impl Fn(&str) -> bool,
) -> Vec<(&'static str, Object)> {
    context
        .registry
        .store
        .all()
        .filter(|(resource, object)| of(resource) && field::namespace(object) == namespace)
        .map(|(resource, object)| (resource, Arc::clone(object)))
        .collect()
}

/// `configmaps.` of the core group, `deployments.apps` of another.
fn told_resource(resource: &str) -> String {
    if resource.contains('.') { resource.to_owned() } else { format!("{resource}.") }
}

/// Writes what is left into the conditions; whether they changed.
fn tell(context: &mut Context<'_>, namespace: &Object, left: &Left) -> bool {
    let now = context.now();
    let counted = |all: &BTreeMap<String, usize>, between: &str| {
        let told = all.iter().map(|(name, n)| format!("{name} {between} {n} resource instances"));
        told.collect::<Vec<_>>().join(", ")
    };
    let remaining = match left.resources.is_empty() {
        true => ("False", "ContentRemoved", "All content successfully removed".to_owned()),
        false => {
            let text = counted(&left.resources, "has");
            ("True", "SomeResourcesRemain", format!("Some resources are remaining: {text}"))
        }
    };
    let finalizers = match left.finalizers.is_empty() {
        true => (
            "False",
            "ContentHasNoFinalizers",
            "All content-preserving finalizers finished".to_owned(),
        ),
        false => {
            let text = counted(&left.finalizers, "in");
            let text = format!("Some content in the namespace has finalizers remaining: {text}");
            ("True", "SomeFinalizersRemain", text)
        }
    };
    let plain = [
        (
            "NamespaceDeletionDiscoveryFailure",
            "ResourcesDiscovered",
            "All resources successfully discovered",
        ),
        (
            "NamespaceDeletionGroupVersionParsingFailure",
            "ParsedGroupVersions",
            "All legacy kube types successfully parsed",
        ),
        (
            "NamespaceDeletionContentFailure",
            "ContentDeleted",
            "All content successfully deleted, may be waiting on finalization",
        ),
    ];
    let before = namespace["status"]["conditions"].clone();
    let written = context.registry.modify(&NAMESPACE, namespace, Part::Status, |object| {
        for (kind, reason, text) in plain {
            set_condition(object, kind, "False", (reason, text), now);
        }
        let counts = [
            ("NamespaceContentRemaining", &remaining),
            ("NamespaceFinalizersRemaining", &finalizers),
        ];
        for (kind, (status, reason, text)) in counts {
            set_condition(object, kind, status, (reason, text), now);
        }
    });
    written.is_ok_and(|object| object["status"]["conditions"] != before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resources_are_told_with_their_group() {
        assert_eq!(told_resource("configmaps"), "configmaps.");
        assert_eq!(told_resource("deployments.apps"), "deployments.apps");
    }
}
