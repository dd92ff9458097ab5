//! The control plane's controllers, each a state machine over the registry.
//!
//! A controller notes which objects a change concerns and brings them into line; it keeps no
//! truth of its own. Must never know memory, processes or anything else inside a machine.

pub(crate) use expression::selects;

mod autoscaler;
mod cluster_roles;
mod cron_job;
mod daemon_set;
mod deployment;
mod disruption;
mod endpoints;
mod expression;
mod garbage;
mod job;
mod namespaces;
mod node_ipam;
mod node_lifecycle;
mod pod_garbage;
mod pods;
mod policy_status;
mod protection;
mod quotas;
mod replica_set;
mod replica_sets;
mod revisions;
mod rollout;
mod scheduler;
mod stateful_set;
mod taint_eviction;
mod ttl_after_finished;
mod volumes;
mod work;

use serde_json::Value;

use crate::cluster::{Actor, Context};
use crate::field;
use crate::kinds::POD;
use crate::registry::Registry;
use crate::store::Object;

/// All controllers, in a fixed order.
pub(crate) fn all() -> Vec<Box<dyn Actor + Send>> {
    vec![
        Box::new(namespaces::Namespaces::default()),
        Box::new(deployment::Deployments::default()),
        Box::new(replica_set::ReplicaSets::of_sets()),
        Box::new(replica_set::ReplicaSets::of_controllers()),
        Box::new(stateful_set::StatefulSets::default()),
        Box::new(daemon_set::DaemonSets::default()),
        Box::new(job::Jobs::default()),
        Box::new(cron_job::CronJobs::default()),
        Box::new(ttl_after_finished::TtlAfterFinished::default()),
        Box::new(scheduler::Scheduler::default()),
        Box::new(endpoints::Endpoints::default()),
        Box::new(disruption::Disruption::default()),
        Box::new(autoscaler::Autoscalers::default()),
        Box::new(node_ipam::NodeIpam),
        Box::new(quotas::Quotas),
        Box::new(cluster_roles::ClusterRoles),
        Box::new(policy_status::PolicyStatus),
        Box::new(volumes::Volumes::default()),
        Box::new(protection::Protection::default()),
        Box::new(node_lifecycle::NodeLifecycle::default()),
        Box::new(taint_eviction::TaintEviction::default()),
        Box::new(garbage::GarbageCollector::default()),
        Box::new(pod_garbage::PodGarbage::default()),
    ]
}

/// The name under which a controller is chosen: without what many names have in common.
pub(crate) fn short_name(name: &str) -> &str {
    name.trim_end_matches("-controller").trim_start_matches("default-")
}

/// The names of all controllers.
pub(crate) fn names() -> Vec<String> {
    all().iter().map(|actor| short_name(actor.name()).to_owned()).collect()
}

/// Namespace and name of an object.
type Place = (String, String);

fn place(object: &Value) -> Place {
    (field::namespace(object).to_owned(), field::name(object).to_owned())
}

/// The place of the controlling owner, if it is of this kind.
fn owner_of(object: &Value, kind: &str) -> Option<Place> {
    let owner = field::controller(object).filter(|o| field::text(o, "/kind") == kind)?;
    Some((field::namespace(object).to_owned(), field::text(owner, "/name").to_owned()))
}

/// Objects of a resource that this one controls.
fn owned_by(registry: &Registry, resource: &str, owner: &Value) -> Vec<Object> {
    let uid = field::uid(owner);
    let mine = |o: &&Object| field::controller(o).is_some_and(|c| field::text(c, "/uid") == uid);
    registry.store.in_namespace(resource, field::namespace(owner)).filter(mine).cloned().collect()
}

/// The reference that makes `owner` the controller of an object.
fn reference(owner: &Value) -> Value {
    serde_json::json!([{
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": field::name(owner),
        "uid": field::uid(owner), "controller": true, "blockOwnerDeletion": true,
    }])
}

/// The pods of a node, in a fixed order.
fn pods_of(context: &Context<'_>, node: &str) -> Vec<Object> {
    let on_node = |pod: &&Object| field::text(pod, "/spec/nodeName") == node;
    context.registry.store.table(POD.storage).values().filter(on_node).cloned().collect()
}

/// Whether a pod still counts: neither ended nor being deleted.
fn is_active(pod: &Value) -> bool {
    !field::is_deleting(pod) && !has_ended(pod)
}

pub(crate) fn has_ended(pod: &Value) -> bool {
    matches!(field::text(pod, "/status/phase"), "Succeeded" | "Failed")
}

fn is_ready(pod: &Value) -> bool {
    field::condition_is(pod, "Ready", "True")
}

/// Whether labels meet a plain map of wanted labels; an empty map selects nothing here.
fn labels_match(wanted: Option<&serde_json::Map<String, Value>>, object: &Value) -> bool {
    let labels = field::map(object, "/metadata/labels");
    let has = |(k, v): (&String, &Value)| labels.and_then(|l| l.get(k)) == Some(v);
    wanted.is_some_and(|wanted| !wanted.is_empty() && wanted.iter().all(has))
}
