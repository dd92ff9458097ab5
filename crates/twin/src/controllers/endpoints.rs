//! Endpoints and EndpointSlices: which pods stand behind a Service.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Timestamp;
use serde_json::{Value, json};

use super::{Place, has_ended, is_ready, labels_match, place, reference};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{ENDPOINT_SLICE, ENDPOINTS, NODE, POD, SERVICE};
use crate::registry::Part;
use crate::store::{Change, Object};

/// Endpoints in one slice.
const SLICE: usize = 100;

/// Marks what belongs to a Service without an address of its own.
const HEADLESS: &str = "service.kubernetes.io/headless";
/// Since when what caused a change has been so.
const TRIGGER: &str = "endpoints.kubernetes.io/last-change-trigger-time";

/// The controller of both kinds.
#[derive(Debug, Default)]
pub(super) struct Endpoints {
    /// Of each Service: since when each of its pods has been ready or not.
    seen: BTreeMap<Place, BTreeMap<String, Timestamp>>,
}

impl Endpoints {
    /// The earliest of the causes of a change that were not there before.
    fn trigger(&mut self, service: &Object, pods: &[Object]) -> Option<Timestamp> {
        let since = |pod: &Object| {
            let ready = field::condition(pod, "Ready")?;
            Some((field::name(pod).to_owned(), field::time(ready, "/lastTransitionTime")?))
        };
        let now: BTreeMap<String, Timestamp> = pods.iter().filter_map(since).collect();
        let first = field::time(service, "/metadata/creationTimestamp");
        let known = self.seen.insert(place(service), now.clone());
        let first = first.filter(|_| known.is_none());
        let known = known.unwrap_or_default();
        let fresh = now.into_iter().filter(|(name, at)| known.get(name) != Some(at));
        fresh.map(|(_, at)| at).chain(first).min()
    }
}

/// Notes the cause of a change, if there was one.
fn note_trigger(before: &Value, object: &mut Value, trigger: Option<Timestamp>) {
    if before["subsets"] == object["subsets"] && before["endpoints"] == object["endpoints"] {
        return;
    }
    let metadata = field::child(object, "metadata");
    match trigger {
        Some(at) => {
            let all = metadata.entry("annotations").or_insert(json!({}));
            all[TRIGGER] = at.to_string().into();
        }
        None => {
            if let Some(all) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
                all.remove(TRIGGER);
            }
        }
    }
}

impl Actor for Endpoints {
    fn name(&self) -> &str {
        "endpointslice-controller"
    }

    fn reads(&self, change: &Change) -> bool {
        change.key.resource == SERVICE.storage || change.key.resource == POD.storage
    }

    fn step(&mut self, changes: &[Arc<Change>], context: &mut Context<'_>) {
        let mut touched: BTreeSet<Place> = BTreeSet::new();
        for change in changes {
            if change.key.resource == SERVICE.storage {
                touched.insert((change.key.namespace.clone(), change.key.name.clone()));
                continue;
            }
            let pods = [&change.before, &change.after];
            let store = &context.registry.store;
            for service in store.in_namespace(SERVICE.storage, &change.key.namespace) {
                let selector = field::map(service, "/spec/selector");
                if pods.iter().copied().flatten().any(|pod| labels_match(selector, pod)) {
                    touched.insert(place(service));
                }
            }
        }
        for (namespace, name) in touched {
            match context.registry.get(&SERVICE, &namespace, &name).map(Arc::clone) {
                Ok(service) if field::map(&service, "/spec/selector").is_some() => {
                    self.sync(context, &service);
                }
                Ok(_) => {}
                Err(_) => {
                    self.seen.remove(&(namespace.clone(), name.clone()));
                    let options = crate::registry::DeleteOptions::default();
                    drop(context.registry.delete(&ENDPOINTS, &namespace, &name, &options));
                }
            }
        }
    }
}

impl Endpoints {
    fn sync(&mut self, context: &mut Context<'_>, service: &Object) {
        let pods = behind(context, service);
        let trigger = self.trigger(service, &pods);
        write_slices(context, service, &pods, trigger);
        write_endpoints(context, service, &pods, trigger);
    }
}

/// The pods behind a Service.
fn behind(context: &Context<'_>, service: &Object) -> Vec<Object> {
    let namespace = field::namespace(service);
    let selector = field::map(service, "/spec/selector");
    let backs = |pod: &&Object| {
        labels_match(selector, pod)
            && !field::text(pod, "/status/podIP").is_empty()
            && !has_ended(pod)
    };
    let store = &context.registry.store;
    store.in_namespace(POD.storage, namespace).filter(backs).cloned().collect()
}

/// The ports behind a Service; one whose name no pod declares is left out.
fn ports(service: &Value, pods: &[Object]) -> Vec<Value> {
    let ports = field::list(service, "/spec/ports").iter();
    let told = ports.filter_map(|port| {
        let target = match port["targetPort"].as_str() {
            Some(name) => pods.iter().find_map(|pod| named_port(pod, name))?,
            None => port["targetPort"].as_i64().unwrap_or_else(|| field::number(port, "/port")),
        };
        let name = field::text(port, "/name");
        Some(json!({"name": name, "port": target, "protocol": port["protocol"]}))
    });
    told.collect()
}

/// The number that a pod gives to the name of a port.
fn named_port(pod: &Value, name: &str) -> Option<i64> {
    let containers = field::list(pod, "/spec/containers").iter();
    let mut ports = containers.flat_map(|c| field::list(c, "/ports"));
    let found = ports.find(|p| field::text(p, "/name") == name);
    found.map(|p| field::number(p, "/containerPort")).or_else(|| name.parse().ok())
}

fn target(pod: &Value) -> Value {
    json!({
        "kind": "Pod", "name": field::name(pod), "namespace": field::namespace(pod),
        "uid": field::uid(pod),
    })
}

/// Whether clients shall reach pods of a Service that are not ready.
fn publishes_all(service: &Value) -> bool {
    field::flag(service, "/spec/publishNotReadyAddresses")
}

fn is_headless(service: &Value) -> bool {
    field::text(service, "/spec/clusterIP") == "None"
}

/// The name of a pod under the name of its Service, if it has one.
fn hostname<'p>(service: &Value, pod: &'p Value) -> Option<&'p str> {
    let own = field::text(pod, "/spec/hostname");
    let here = field::text(pod, "/spec/subdomain") == field::name(service);
    (here && !own.is_empty()).then_some(own)
}

fn endpoint(context: &Context<'_>, service: &Value, pod: &Value) -> Value {
    let (ready, leaving) = (is_ready(pod), field::is_deleting(pod));
    let open = publishes_all(service) || ready && !leaving;
    let node = field::text(pod, "/spec/nodeName");
    let zone = context.registry.get(&NODE, "", node).ok();
    let labels = zone.and_then(|node| field::map(node, "/metadata/labels"));
    let zone = labels.and_then(|l| l.get("topology.kubernetes.io/zone"));
    let mut told = json!({
        "addresses": [field::text(pod, "/status/podIP")],
        "conditions": {"ready": open, "serving": ready, "terminating": leaving},
        "nodeName": node, "targetRef": target(pod), "zone": zone,
    });
    if let Some(name) = hostname(service, pod) {
        told["hostname"] = name.into();
    }
    told
}

fn write_slices(
    context: &mut Context<'_>,
    service: &Object,
    pods: &[Object],
    trigger: Option<Timestamp>,
) {
    let namespace = field::namespace(service);
    let uid = field::uid(service);
    let mine = |slice: &&Object| {
        field::controller(slice).is_some_and(|owner| field::text(owner, "/uid") == uid)
    };
    let store = &context.registry.store;
    let slices: Vec<Object> =
        store.in_namespace(ENDPOINT_SLICE.storage, namespace).filter(mine).cloned().collect();
    let endpoints: Vec<_> = pods.iter().map(|pod| endpoint(context, service, pod)).collect();
    let chunks: Vec<_> = endpoints.chunks(SLICE).map(<[Value]>::to_vec).collect();
    // There is always at least one slice, if an empty one.
    let count = chunks.len().max(1).max(slices.len());
    for i in 0..count {
        let chunk = chunks.get(i).cloned().unwrap_or_default();
        match slices.get(i) {
            Some(known) => {
                let written =
                    context.registry.modify(&ENDPOINT_SLICE, known, Part::Spec, |slice| {
                        slice["endpoints"] = chunk.into();
                        slice["ports"] = ports(service, pods).into();
                        note_trigger(known, slice, trigger);
                    });
                drop(written);
            }
            None => {
                let mut slice = new_slice(service, chunk, pods);
                note_trigger(&Value::Null, &mut slice, trigger);
                drop(context.registry.create(&ENDPOINT_SLICE, namespace, slice));
            }
        }
    }
}

fn new_slice(service: &Object, endpoints: Vec<Value>, pods: &[Object]) -> Value {
    let mut labels = service.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    labels["kubernetes.io/service-name"] = field::name(service).into();
    if is_headless(service) {
        labels[HEADLESS] = "".into();
    }
    labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io".into();
    json!({
        "metadata": {
            "generateName": format!("{}-", field::name(service)), "labels": labels,
            "ownerReferences": reference(service),
        },
        "addressType": "IPv4", "endpoints": endpoints, "ports": ports(service, pods),
    })
}

/// The older form: ready and unready addresses, none of pods that are leaving.
fn write_endpoints(
    context: &mut Context<'_>,
    service: &Object,
    pods: &[Object],
    trigger: Option<Timestamp>,
) {
    let address = |pod: &Object| {
        let mut told = json!({
            "ip": field::text(pod, "/status/podIP"), "targetRef": target(pod),
            "nodeName": field::text(pod, "/spec/nodeName"),
        });
        if let Some(name) = hostname(service, pod) {
            told["hostname"] = name.into();
        }
        told
    };
    let all = publishes_all(service);
    let staying: Vec<_> = pods.iter().filter(|p| all || !field::is_deleting(p)).collect();
    let (ready, unready): (Vec<_>, Vec<_>) = staying.into_iter().partition(|p| all || is_ready(p));
    let mut subset = json!({"ports": ports(service, pods)});
    for (key, pods) in [("addresses", &ready), ("notReadyAddresses", &unready)] {
        if !pods.is_empty() {
            subset[key] = pods.iter().map(|pod| address(pod)).collect();
        }
    }
    let subsets = if ready.is_empty() && unready.is_empty() { json!([]) } else { json!([subset]) };
    let (namespace, name) = place(service);
    match context.registry.get(&ENDPOINTS, &namespace, &name).map(Arc::clone) {
        Ok(known) => {
            let written = context.registry.modify(&ENDPOINTS, &known, Part::Spec, |object| {
                object["subsets"] = subsets;
                note_trigger(&known, object, trigger);
            });
            drop(written);
        }
        Err(_) => {
            let mut labels =
                service.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
            labels["endpoints.kubernetes.io/managed-by"] = "endpoint-controller".into();
            if is_headless(service) {
                labels[HEADLESS] = "".into();
            }
            let mut object = json!({
                "metadata": {"name": name, "labels": labels}, "subsets": subsets,
            });
            note_trigger(&Value::Null, &mut object, trigger);
            drop(context.registry.create(&ENDPOINTS, &namespace, object));
        }
    }
}
