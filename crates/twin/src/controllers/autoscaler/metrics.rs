//! Reading the metrics of an autoscaler and what they propose.

use serde_json::{Value, json};

use super::calculator::{self, PodView, Proposal, Reading, Readings, Target, Tolerance};
use crate::cluster::Context;
use crate::controllers::expression::told;
use crate::controllers::{has_ended, is_ready};
use crate::field;
use crate::kinds;
use crate::store::Object;
use crate::world::Answer;

/// What is scaled, and its pods.
pub(super) struct Scaled {
    pub replicas: i64,
    pub pods: Vec<Object>,
}

/// A number of pods by one metric.
pub(super) struct Metric {
    pub replicas: i64,
    /// What is told of it.
    pub name: String,
    pub status: Value,
}

/// Why a metric proposes nothing: the reason of the condition, and the error in two forms.
pub(super) struct Trouble {
    pub reason: &'static str,
    pub why: String,
    /// The same with what was being read.
    pub context: String,
}

/// The registration of the service that knows what pods use.
const SERVICE: &str = "v1beta1.metrics.k8s.io";
const NOT_FOUND: &str =
    "the server could not find the requested resource (get pods.metrics.k8s.io)";
const UNAVAILABLE: &str =
    "the server is currently unable to handle the request (get pods.metrics.k8s.io)";

/// What one metric of the specification proposes.
pub(super) fn propose(
    context: &Context<'_>,
    spec: &Value,
    scaled: &Scaled,
    tolerance: Tolerance,
) -> Result<Metric, Trouble> {
    match field::text(spec, "/type") {
        "Resource" => resource(context, &spec["resource"], scaled, tolerance, false),
        "ContainerResource" => {
            resource(context, &spec["containerResource"], scaled, tolerance, true)
        }
        "Pods" => of_pods(context, &spec["pods"], scaled, tolerance),
        "Object" => of_object(context, &spec["object"], scaled, tolerance),
        "External" => of_outside(context, &spec["external"], scaled, tolerance),
        other => {
            let why = format!("unknown metric source type \"{other}\"");
            Err(Trouble { reason: "InvalidMetricSourceType", context: why.clone(), why })
        }
    }
}

const NO_CUSTOM: &str = "unable to fetch metrics from custom metrics API: no custom metrics API \
                         (custom.metrics.k8s.io) registered";

/// A metric of each pod; readiness does not matter.
fn of_pods(
    context: &Context<'_>,
    source: &Value,
    scaled: &Scaled,
    tolerance: Tolerance,
) -> Result<Metric, Trouble> {
    let name = field::text(source, "/metric/name");
    let failed = |why: String| trouble("FailedGetPodsMetric", why, &format!("pods metric {name}"));
    let Some(all) = context.behaviours.metering.number(name) else {
        return Err(failed(format!("unable to get metric {name}: {NO_CUSTOM}")));
    };
    let now = context.now();
    let views: Vec<_> = scaled.pods.iter().map(|pod| view(pod, 0)).collect();
    let live: Vec<_> = views.iter().filter(|view| !view.pending && !view.leaving).collect();
    let value = all / (live.len() as i64).max(1);
    let reading = Reading { value, at: now, window_seconds: 0 };
    let readings: Readings = live.iter().map(|view| (view.name.clone(), reading)).collect();
    let target = Target::Each(milli(&source["target"]["averageValue"]));
    let when = (false, now);
    let found = calculator::pods(scaled.replicas, target, &views, &readings, when, tolerance)
        .map_err(failed)?;
    let status = json!({"type": "Pods", "pods": {
        "metric": source["metric"], "current": {"averageValue": quantity(found.average)},
    }});
    Ok(Metric { replicas: found.replicas, name: format!("pods metric {name}"), status })
}

/// A number that is told of some object.
fn of_object(
    context: &Context<'_>,
    source: &Value,
    scaled: &Scaled,
    tolerance: Tolerance,
) -> Result<Metric, Trouble> {
    let name = field::text(source, "/metric/name");
    let of = |key: &str| field::text(source, &format!("/describedObject/{key}"));
    let Some(value) = context.behaviours.metering.number(name) else {
        let object = format!("{} on {}", of("kind"), of("name"));
        let why = format!("unable to get metric {name}: {object} {NO_CUSTOM}");
        return Err(trouble("FailedGetObjectMetric", why, &format!("object metric {name}")));
    };
    let (replicas, current) = together(scaled, value, &source["target"], tolerance);
    let status = json!({"type": "Object", "object": {
        "metric": source["metric"], "describedObject": source["describedObject"],
        "current": current,
    }});
    Ok(Metric { replicas, name: format!("{} metric {name}", of("kind")), status })
}

/// A number that comes from outside the cluster.
fn of_outside(
    context: &Context<'_>,
    source: &Value,
    scaled: &Scaled,
    tolerance: Tolerance,
) -> Result<Metric, Trouble> {
    let name = field::text(source, "/metric/name");
    let Some(value) = context.behaviours.metering.number(name) else {
        let why = format!(
            "unable to get external metric {name}: unable to fetch metrics from external metrics \
             API: the server could not find the requested resource (get \
             {name}.external.metrics.k8s.io)"
        );
        return Err(trouble("FailedGetExternalMetric", why, &format!("external metric {name}")));
    };
    let (replicas, current) = together(scaled, value, &source["target"], tolerance);
    let status = json!({"type": "External", "external": {
        "metric": source["metric"], "current": current,
    }});
    let selector = told(&source["metric"]["selector"]);
    Ok(Metric { replicas, name: format!("external metric {name}({selector})"), status })
}

/// The number of pods for a number that all share, and how the number is told.
fn together(scaled: &Scaled, value: i64, target: &Value, tolerance: Tolerance) -> (i64, Value) {
    if target["averageValue"].is_null() {
        let ready = scaled.pods.iter().filter(|pod| is_ready(pod)).count() as i64;
        let pair = (value, milli(&target["value"]));
        let replicas = calculator::shared(scaled.replicas, ready, pair, tolerance);
        return (replicas, json!({"value": quantity(value)}));
    }
    let pair = (value, milli(&target["averageValue"]));
    let replicas = calculator::shared_each(scaled.replicas, pair, tolerance);
    let each = (value + scaled.replicas - 1) / scaled.replicas.max(1);
    (replicas, json!({"averageValue": quantity(each)}))
}

fn trouble(reason: &'static str, why: String, what: &str) -> Trouble {
    let context = format!("failed to get {what} value: {why}");
    Trouble { reason, why, context }
}

/// A resource of the pods, or of one container of each.
fn resource(
    context: &Context<'_>,
    source: &Value,
    scaled: &Scaled,
    tolerance: Tolerance,
    of_container: bool,
) -> Result<Metric, Trouble> {
    let name = field::text(source, "/name");
    let container = if of_container { field::text(source, "/container") } else { "" };
    let percent = source["target"]["averageUtilization"].as_i64();
    let (what, reason) = match of_container {
        true => (format!("{name} container metric"), "FailedGetContainerResourceMetric"),
        false => (format!("{name} resource metric"), "FailedGetResourceMetric"),
    };
    let form = if percent.is_some() { "utilization" } else { "usage" };
    let failed =
        |why: String| trouble(reason, format!("failed to get {name} {form}: {why}"), &what);
    let target = match percent {
        Some(percent) => Target::Percent(percent),
        None => Target::Each(milli(&source["target"]["averageValue"])),
    };
    let readings = read(context, scaled, name, container)
        .map_err(|why| failed(format!("unable to get metrics for resource {name}: {why}")))?;
    let mut views = Vec::with_capacity(scaled.pods.len());
    for pod in &scaled.pods {
        let asked = match percent {
            Some(_) => request(pod, name, container).map_err(&failed)?,
            None => 0,
        };
        views.push(view(pod, asked));
    }
    let when = (name == "cpu", context.now());
    let found = calculator::pods(scaled.replicas, target, &views, &readings, when, tolerance)
        .map_err(failed)?;
    let of = if of_container { "container resource" } else { "resource" };
    let told = match percent {
        Some(_) => format!("{name} {of} utilization (percentage of request)"),
        None => format!("{name} {of}"),
    };
    let status = status(name, container, percent.is_some(), &found);
    Ok(Metric { replicas: found.replicas, name: told, status })
}

fn status(name: &str, container: &str, percent: bool, found: &Proposal) -> Value {
    let mut current = json!({"averageValue": quantity(found.average)});
    if percent {
        current["averageUtilization"] = found.percent.into();
    }
    match container {
        "" => json!({"type": "Resource", "resource": {"name": name, "current": current}}),
        container => json!({"type": "ContainerResource", "containerResource": {
            "name": name, "container": container, "current": current,
        }}),
    }
}

/// A sum of thousandths as the API writes it.
fn quantity(milli: i64) -> String {
    if milli % 1000 == 0 { (milli / 1000).to_string() } else { format!("{milli}m") }
}

fn milli(amount: &Value) -> i64 {
    field::amount(Some(amount)).milli()
}

/// What each pod uses of a resource, in thousandths, as far as the metrics service tells.
fn read(
    context: &Context<'_>,
    scaled: &Scaled,
    resource: &str,
    container: &str,
) -> Result<Readings, String> {
    let registered = context.registry.get(&kinds::API_SERVICE, "", SERVICE).is_ok();
    let answer = match registered {
        false => Err(NOT_FOUND.to_owned()),
        true => match context.behaviours.metering.answer(context.now()) {
            Answer::Served => Ok(()),
            Answer::Refused(why) => Err(why),
            Answer::Unavailable => Err(UNAVAILABLE.to_owned()),
        },
    };
    answer.map_err(|why| format!("unable to fetch metrics from resource metrics API: {why}"))?;
    let mut readings = Readings::new();
    for pod in &scaled.pods {
        let Some(usage) = context.behaviours.usage(context.registry, pod) else { continue };
        let wanted = usage.containers.iter().filter(|c| container.is_empty() || c.0 == container);
        let each = wanted.map(|(_, cpu, memory)| match resource {
            "cpu" => *cpu,
            "memory" => memory.saturating_mul(1000),
            _ => 0,
        });
        let reading = Reading {
            value: each.fold(0, i64::saturating_add),
            at: usage.at,
            window_seconds: usage.window_seconds,
        };
        readings.insert(field::name(pod).to_owned(), reading);
    }
    if readings.is_empty() {
        return Err("no metrics returned from resource metrics API".to_owned());
    }
    Ok(readings)
}

/// What a pod asks for of a resource, in thousandths.
fn request(pod: &Value, resource: &str, container: &str) -> Result<i64, String> {
    let lasting = field::list(pod, "/spec/initContainers")
        .iter()
        .filter(|one| field::text(one, "/restartPolicy") == "Always");
    let all = field::list(pod, "/spec/containers").iter().chain(lasting);
    let mut sum = 0_i64;
    for one in all.filter(|one| container.is_empty() || field::text(one, "/name") == container) {
        let asked = one.pointer("/resources/requests").and_then(|all| all.get(resource));
        let Some(asked) = asked else {
            return Err(format!(
                "missing request for {resource} in container {} of Pod {}",
                field::text(one, "/name"),
                field::name(pod)
            ));
        };
        sum = sum.saturating_add(milli(asked));
    }
    Ok(sum)
}

fn view(pod: &Value, request: i64) -> PodView {
    let ready = field::condition(pod, "Ready");
    PodView {
        name: field::name(pod).to_owned(),
        pending: field::text(pod, "/status/phase") == "Pending",
        leaving: field::is_deleting(pod) || has_ended(pod),
        ready: ready.and_then(|condition| {
            let since = field::time(condition, "/lastTransitionTime")?;
            Some((field::text(condition, "/status") != "False", since))
        }),
        started: field::time(pod, "/status/startTime"),
        request,
    }
}
