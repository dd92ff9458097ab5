//! `eviction`: deletes a pod if the disruption budgets over it allow that.

use serde_json::{Value, json};

use super::super::query::Query;
use super::super::route::Target;
use super::super::write::{check_namespace, named};
use super::super::{Reply, Request, body};
use super::{document, done};
use crate::controllers::selects;
use crate::field;
use crate::kinds::{DISRUPTION_BUDGET, POD};
use crate::ownership::Manager;
use crate::registry::{Asked, DeleteOptions, Failure, Noted, Part, Registry, Write};
use crate::store::Object;
use crate::world::set_condition;

const TYPES: [&str; 2] = ["policy/v1/Eviction", "policy/v1beta1/Eviction"];
/// A budget that tracks more disrupted pods than this cannot keep up.
const MOST_DISRUPTED: usize = 2000;

pub(super) fn answer(
    registry: &mut Registry,
    target: &Target,
    query: &Query,
    request: &Request,
) -> Result<Reply, Failure> {
    let name = named(target, "get")?;
    let eviction = document(&TYPES, request, query)?;
    check_namespace(target.home(), &eviction)?;
    if field::name(&eviction) != name {
        let why = "name in URL does not match name in Eviction object";
        return Err(Failure::bad_request(why));
    }
    let options = Request {
        body: match eviction.get("deleteOptions") {
            Some(options) => options.to_string().into(),
            None => bytes::Bytes::new(),
        },
        ..request.clone()
    };
    let mut options = body::delete_options(query, &options)?;
    let pod = Value::clone(registry.get(&POD, target.home(), name)?);
    registry.admit(&Asked {
        operation: "CREATE",
        kind: &POD,
        subresource: "eviction",
        namespace: target.home(),
        name,
        object: Some(&eviction),
        old: None,
        user: &request.user,
        dry: options.dry_run,
    })?;
    if !goes_freely(&pod) {
        spend(registry, &pod, &options)?;
    }
    if !options.dry_run {
        mark(registry, &pod, &mut options)?;
    }
    registry.delete(&POD, target.home(), name, &options)?;
    Ok(done())
}

/// Says why the pod goes. The version that the caller knows is that from before.
fn mark(registry: &mut Registry, pod: &Value, options: &mut DeleteOptions) -> Result<(), Failure> {
    let version = |pod: &Value| field::text(pod, "/metadata/resourceVersion").to_owned();
    if options.uid.as_deref().is_some_and(|uid| uid != field::uid(pod))
        || options.resource_version.as_ref().is_some_and(|asked| *asked != version(pod))
    {
        // The deletion itself refuses these.
        return Ok(());
    }
    let now = registry.now;
    let marked = registry.modify(&POD, pod, Part::Status, |pod| {
        let told = ("EvictionByEvictionAPI", "Eviction API: evicting");
        set_condition(pod, "DisruptionTarget", "True", told, now);
    })?;
    if options.resource_version.is_some() {
        options.resource_version = Some(version(&marked));
    }
    Ok(())
}

/// Pods that do not run yet or any more need no budget.
fn goes_freely(pod: &Value) -> bool {
    let phase = field::text(pod, "/status/phase");
    matches!(phase, "Succeeded" | "Failed" | "Pending") || field::is_deleting(pod)
}

/// Takes one disruption from the pod's budget.
fn spend(registry: &mut Registry, pod: &Value, options: &DeleteOptions) -> Result<(), Failure> {
    let all = registry.store.in_namespace(DISRUPTION_BUDGET.storage, field::namespace(pod));
    let budgets: Vec<Object> = all
        .filter(|budget| budget["spec"]["selector"].is_object())
        .filter(|budget| selects(&budget["spec"]["selector"], pod))
        .cloned()
        .collect();
    let budget = match budgets.as_slice() {
        [] => return Ok(()),
        [one] => one,
        _ => {
            let why = "This pod has more than one PodDisruptionBudget, which the eviction \
                 subresource does not support.";
            return Err(Failure::new(500, "", why));
        }
    };
    let ready = field::condition_is(pod, "Ready", "True");
    let count = |key: &str| field::number(budget, &format!("/status/{key}"));
    let policy = field::text(budget, "/spec/unhealthyPodEvictionPolicy");
    let healthy = count("currentHealthy") >= count("desiredHealthy") && count("desiredHealthy") > 0;
    if !ready && (policy == "AlwaysAllow" || healthy) {
        return Ok(());
    }
    allowed(budget)?;
    let Some(next) = spent(registry, budget, field::name(pod)) else { return Ok(()) };
    let manager = Manager {
        name: "kube-apiserver".into(),
        applies: false,
        api_version: DISRUPTION_BUDGET.api_version(),
        subresource: "status".into(),
    };
    let noted = Noted::Update(&manager);
    let write = Write { noted, dry: options.dry_run, ..Write::own(Part::Status) };
    let place = (field::namespace(budget), field::name(budget));
    registry.update_by(&DISRUPTION_BUDGET, place, next, write)?;
    Ok(())
}

/// Whether the budget has a disruption left.
fn allowed(budget: &Value) -> Result<(), Failure> {
    let name = field::name(budget);
    let count = |key: &str| field::number(budget, &format!("/status/{key}"));
    if count("observedGeneration") < field::number(budget, "/metadata/generation") {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refused(&why, Some(10)));
    }
    let disrupted = field::map(budget, "/status/disruptedPods").map_or(0, serde_json::Map::len);
    if disrupted > MOST_DISRUPTED {
        let why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
        return Err(Failure::forbidden(&DISRUPTION_BUDGET, name, why));
    }
    if count("disruptionsAllowed") == 0 {
        let why = match (count("desiredHealthy"), count("currentHealthy")) {
            (wanted, healthy) if healthy <= wanted => format!(
                "The disruption budget {name} needs {wanted} healthy pods and has {healthy} \
                 currently"
            ),
            _ => format!("The disruption budget {name} does not allow evicting pods currently"),
        };
        return Err(refused(&why, None));
    }
    Ok(())
}

fn refused(why: &str, retry_after_seconds: Option<i64>) -> Failure {
    let message = "Cannot evict pod as it would violate the pod's disruption budget.";
    let mut details = json!({"causes": [{"reason": "DisruptionBudget", "message": why}]});
    if let Some(seconds) = retry_after_seconds {
        details["retryAfterSeconds"] = seconds.into();
    }
    Failure { details: Some(details), ..Failure::new(429, "TooManyRequests", message) }
}

/// The budget after the disruption.
fn spent(registry: &Registry, budget: &Value, pod: &str) -> Option<Value> {
    let mut next = budget.clone();
    let left = field::number(budget, "/status/disruptionsAllowed") - 1;
    let now = registry.now.to_string();
    let generation = field::number(budget, "/metadata/generation");
    let status = next.get_mut("status")?;
    status["disruptionsAllowed"] = left.into();
    status["disruptedPods"][pod] = now.clone().into();
    if left == 0 {
        let condition = json!({
            "type": "DisruptionAllowed", "status": "False", "observedGeneration": generation,
            "lastTransitionTime": now, "reason": "InsufficientPods", "message": "",
        });
        let conditions = status["conditions"].take();
        let mut conditions = conditions.as_array().cloned().unwrap_or_default();
        conditions.retain(|c| field::text(c, "/type") != "DisruptionAllowed");
        conditions.push(condition);
        status["conditions"] = conditions.into();
    }
    Some(next)
}
