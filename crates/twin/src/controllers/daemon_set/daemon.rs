//! One daemon: the pod for a node, and which nodes take it.

use serde_json::{Value, json};

use crate::controllers::revisions;
use crate::controllers::scheduler::matches;
use crate::controllers::taint_eviction::tolerates;
use crate::field;
use crate::store::Object;

const GENERATION: &str = "deprecated.daemonset.template.generation";
/// States of a node that its daemons bear: key and effect.
const BORNE: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
];

/// The node that a pod is on, or is made for.
pub(super) fn home(pod: &Value) -> &str {
    const NAME: &str = "/spec/affinity/nodeAffinity/requiredDuringSchedulingIgnoredDuringExecution\
         /nodeSelectorTerms/0/matchFields/0/values/0";
    match field::text(pod, "/spec/nodeName") {
        "" => field::text(pod, NAME),
        node => node,
    }
}

/// The pod for one node; the scheduler puts it there.
pub(super) fn made(set: &Object, hash: &str, node: &str) -> Value {
    let mut pod = revisions::pod(set, hash);
    let metadata = field::child(&mut pod, "metadata");
    metadata.insert("generateName".into(), format!("{}-", field::name(set)).into());
    let annotations = field::map(set, "/metadata/annotations");
    let told = annotations.and_then(|all| all.get(GENERATION)).and_then(Value::as_str);
    metadata["labels"]["pod-template-generation"] = told.unwrap_or("1").into();
    let spec = field::child(&mut pod, "spec");
    if !node.is_empty() {
        let affinity = spec.entry("affinity").or_insert(json!({}));
        let required =
            &mut affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"];
        let one = json!([{"key": "metadata.name", "operator": "In", "values": [node]}]);
        match required["nodeSelectorTerms"].as_array_mut() {
            Some(terms) if !terms.is_empty() => {
                terms.iter_mut().for_each(|term| term["matchFields"] = one.clone());
            }
            _ => required["nodeSelectorTerms"] = json!([{"matchFields": one}]),
        }
    }
    let shares_host = spec.get("hostNetwork") == Some(&true.into());
    let tolerations = spec.entry("tolerations").or_insert(json!([]));
    let host = ("node.kubernetes.io/network-unavailable", "NoSchedule");
    for (key, effect) in BORNE.into_iter().chain(shares_host.then_some(host)) {
        let own = json!({"key": key, "operator": "Exists", "effect": effect});
        if let Some(all) = tolerations.as_array_mut().filter(|all| !all.contains(&own)) {
            all.push(own);
        }
    }
    pod
}

/// Whether the node takes such a pod, and whether one that is there may stay.
pub(super) fn takes(pod: &Value, node: &Value) -> (bool, bool) {
    let named = field::text(pod, "/spec/nodeName");
    if !matches(pod, node) || !named.is_empty() && named != field::name(node) {
        return (false, false);
    }
    let tolerations = field::list(pod, "/spec/tolerations");
    let bears = |taint: &&Value| tolerations.iter().any(|one| tolerates(one, taint));
    let of = |effect: &str| {
        let taints = field::list(node, "/spec/taints").iter();
        taints.filter(|taint| field::text(taint, "/effect") == effect).all(|taint| bears(&taint))
    };
    let stays = of("NoExecute");
    (stays && of("NoSchedule"), stays)
}
