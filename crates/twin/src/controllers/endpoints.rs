//! Endpoints and EndpointSlices: which pods stand behind a Service.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Place, has_ended, is_ready, labels_match, place, reference};
use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::{ENDPOINT_SLICE, ENDPOINTS, NODE, POD, SERVICE};
use crate::registry::Part;
use crate::store::{Change, Object};

/// Endpoints in one slice.
const SLICE: usize = 100;

/// The controller of both kinds.
#[derive(Debug, Default)]
pub(super) struct Endpoints;

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
                    sync(context, &service);
                }
                Ok(_) => {}
                Err(_) => {
                    let options = crate::registry::DeleteOptions::default();
                    drop(context.registry.delete(&ENDPOINTS, &namespace, &name, &options));
                }
            }
        }
    }
}

fn sync(context: &mut Context<'_>, service: &Object) {
    let namespace = field::namespace(service);
    let selector = field::map(service, "/spec/selector");
    let backs = |pod: &&Object| {
        labels_match(selector, pod)
            && !field::text(pod, "/status/podIP").is_empty()
            && !has_ended(pod)
    };
    let store = &context.registry.store;
    let pods: Vec<Object> =
        store.in_namespace(POD.storage, namespace).filter(backs).cloned().collect();
    write_slices(context, service, &pods);
    write_endpoints(context, service, &pods);
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

fn endpoint(context: &Context<'_>, pod: &Value) -> Value {
    let (ready, leaving) = (is_ready(pod), field::is_deleting(pod));
    let node = field::text(pod, "/spec/nodeName");
    let zone = context.registry.get(&NODE, "", node).ok();
    let labels = zone.and_then(|node| field::map(node, "/metadata/labels"));
    let zone = labels.and_then(|l| l.get("topology.kubernetes.io/zone"));
    json!({
        "addresses": [field::text(pod, "/status/podIP")],
        "conditions": {"ready": ready && !leaving, "serving": ready, "terminating": leaving},
        "nodeName": node, "targetRef": target(pod), "zone": zone,
    })
}

fn write_slices(context: &mut Context<'_>, service: &Object, pods: &[Object]) {
    let namespace = field::namespace(service);
    let uid = field::uid(service);
    let mine = |slice: &&Object| {
        field::controller(slice).is_some_and(|owner| field::text(owner, "/uid") == uid)
    };
    let store = &context.registry.store;
    let slices: Vec<Object> =
        store.in_namespace(ENDPOINT_SLICE.storage, namespace).filter(mine).cloned().collect();
    let endpoints: Vec<_> = pods.iter().map(|pod| endpoint(context, pod)).collect();
    let chunks: Vec<_> = endpoints.chunks(SLICE).map(<[Value]>::to_vec).collect();
    // There is always at least one slice, if an empty one.
    let count = chunks.len().max(1).max(slices.len());
    for i in 0..count {
        let chunk = chunks.get(i).cloned().unwrap_or_default();
        match slices.get(i) {
            Some(slice) => {
                let written =
                    context.registry.modify(&ENDPOINT_SLICE, slice, Part::Spec, |slice| {
                        slice["endpoints"] = chunk.into();
                        slice["ports"] = ports(service, pods).into();
                    });
                drop(written);
            }
            None => {
                let slice = new_slice(service, chunk, pods);
                drop(context.registry.create(&ENDPOINT_SLICE, namespace, slice));
            }
        }
    }
}

fn new_slice(service: &Object, endpoints: Vec<Value>, pods: &[Object]) -> Value {
    let mut labels = service.pointer("/metadata/labels").cloned().unwrap_or_else(|| json!({}));
    labels["kubernetes.io/service-name"] = field::name(service).into();
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
fn write_endpoints(context: &mut Context<'_>, service: &Object, pods: &[Object]) {
    let address = |pod: &Object| {
        json!({
            "ip": field::text(pod, "/status/podIP"), "targetRef": target(pod),
            "nodeName": field::text(pod, "/spec/nodeName"),
        })
    };
    let staying: Vec<_> = pods.iter().filter(|p| !field::is_deleting(p)).collect();
    let (ready, unready): (Vec<_>, Vec<_>) = staying.into_iter().partition(|p| is_ready(p));
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
            });
            drop(written);
        }
        Err(_) => {
            let labels = &service["metadata"]["labels"];
            let object = json!({
                "metadata": {"name": name, "labels": labels}, "subsets": subsets,
            });
            drop(context.registry.create(&ENDPOINTS, &namespace, object));
        }
    }
}
