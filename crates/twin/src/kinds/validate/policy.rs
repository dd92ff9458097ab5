//! Budgets, autoscalers, leases, events, limits, priorities.

use serde_json::Value;

use super::{at, not_negative, number_or_percent, selector};
use crate::field;
use crate::registry::Cause;

/// The highest priority that is not the system's.
const HIGHEST: i64 = 1_000_000_000;
const METRICS: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

pub(super) fn budget(budget: &Value) -> Vec<Cause> {
    let spec = at(budget, "/spec");
    let (least, most) = (at(spec, "/minAvailable"), at(spec, "/maxUnavailable"));
    let mut causes = Vec::new();
    if !least.is_null() && !most.is_null() {
        let told = format!(
            "{{\"MinAvailable\":{least},\"Selector\":{},\"MaxUnavailable\":{most},\
             \"UnhealthyPodEvictionPolicy\":{}}}",
            at(spec, "/selector"),
            at(spec, "/unhealthyPodEvictionPolicy")
        );
        let why = "minAvailable and maxUnavailable cannot be both set";
        let message = format!("Invalid value: {told}: {why}");
        causes.push(Cause::plain("FieldValueInvalid", "spec", message));
    }
    causes.extend(number_or_percent(least, "spec.minAvailable", true));
    causes.extend(number_or_percent(most, "spec.maxUnavailable", true));
    causes.extend(selector::selector(at(spec, "/selector"), "spec.selector"));
    causes.extend(not_negative(
        budget,
        &[
            ("/status/disruptionsAllowed", "status.disruptionsAllowed"),
            ("/status/currentHealthy", "status.currentHealthy"),
            ("/status/desiredHealthy", "status.desiredHealthy"),
            ("/status/expectedPods", "status.expectedPods"),
        ],
    ));
    causes
}

pub(super) fn autoscaler(autoscaler: &Value) -> Vec<Cause> {
    let spec = at(autoscaler, "/spec");
    let (least, most) = (at(spec, "/minReplicas"), at(spec, "/maxReplicas"));
    let count = |value: &Value| value.as_i64().unwrap_or(0);
    let mut causes = Vec::new();
    if !least.is_null() && count(least) < 1 {
        let why = "must be greater than or equal to 1";
        causes.push(Cause::invalid("spec.minReplicas", least, why));
    }
    if count(most) < 0 {
        let why = "must be greater than or equal to 1";
        causes.push(Cause::invalid("spec.maxReplicas", most, why));
    } else if count(most) < 1 {
        causes.push(Cause::required_because("spec.maxReplicas", "must be set and greater than 0"));
    }
    if !least.is_null() && count(most) < count(least) {
        let why = "must be greater than or equal to `minReplicas`";
        causes.push(Cause::invalid("spec.maxReplicas", &count(most).into(), why));
    }
    let target = at(spec, "/scaleTargetRef");
    for key in ["kind", "name"] {
        if field::text(target, &format!("/{key}")).is_empty() {
            causes.push(Cause::required(&format!("spec.scaleTargetRef.{key}")));
        }
    }
    let version = field::text(target, "/apiVersion");
    if version.is_empty() {
        let why = "apiVersion must specify API group";
        causes.push(Cause::invalid("spec.scaleTargetRef.apiVersion", &version.into(), why));
    }
    let metrics = field::list(spec, "/metrics");
    for (index, metric) in metrics.iter().enumerate() {
        causes.extend(self::metric(metric, &format!("spec.metrics[{index}]")));
    }
    let outside = |metric: &Value| matches!(field::text(metric, "/type"), "Object" | "External");
    if least == 0 && !metrics.iter().any(outside) {
        let why = "must specify at least one Object or External metric to support scaling to zero \
             replicas";
        causes.push(Cause::forbidden("spec.metrics", why));
    }
    causes
}

fn metric(metric: &Value, path: &str) -> Vec<Cause> {
    let kind = field::text(metric, "/type");
    if kind.is_empty() {
        let why = "must specify a metric source type";
        return vec![Cause::required_because(&format!("{path}.type"), why)];
    }
    if !METRICS.contains(&kind) {
        // The server says it twice: once for the type, once for what belongs to it.
        let cause = Cause::unsupported(&format!("{path}.type"), &kind.into(), &METRICS);
        return vec![cause.clone(), cause];
    }
    let mut key = kind.to_owned();
    if let Some(first) = key.get_mut(..1) {
        first.make_ascii_lowercase();
    }
    let source = at(metric, &format!("/{key}"));
    if source.is_null() {
        let why = "must populate information for the given metric source";
        return vec![Cause::required_because(&format!("{path}.{key}"), why)];
    }
    let mut causes = target_causes(at(source, "/target"), &format!("{path}.{key}.target"));
    let unset =
        ["averageUtilization", "averageValue"].iter().all(|k| source["target"].get(*k).is_none());
    if matches!(key.as_str(), "resource" | "containerResource") && unset {
        let why = "must set either a target raw value or a target utilization";
        let at = format!("{path}.{key}.target.averageUtilization");
        causes.push(Cause::required_because(&at, why));
    }
    if key == "pods" && !field::quantity(source, "/target/averageValue").is_positive() {
        let why = "must specify a positive target averageValue";
        let at = format!("{path}.{key}.target.averageValue");
        causes.push(Cause::required_because(&at, why));
    }
    causes
}

fn target_causes(target: &Value, path: &str) -> Vec<Cause> {
    let kind = field::text(target, "/type");
    let here = format!("{path}.type");
    let mut causes = Vec::new();
    if kind.is_empty() {
        causes.push(Cause::required_because(&here, "must specify a metric target type"));
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let why = "must be either Utilization, Value, or AverageValue";
        causes.push(Cause::invalid(&here, &kind.into(), why));
    }
    for key in ["value", "averageValue"] {
        let amount = at(target, &format!("/{key}"));
        if !amount.is_null() && !field::amount(Some(amount)).is_positive() {
            causes.push(Cause::invalid(&format!("{path}.{key}"), amount, "must be positive"));
        }
    }
    let share = at(target, "/averageUtilization");
    if share.as_i64().is_some_and(|n| n < 1) {
        let here = format!("{path}.averageUtilization");
        causes.push(Cause::invalid(&here, share, "must be greater than 0"));
    }
    causes
}

pub(super) fn lease(lease: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let seconds = at(lease, "/spec/leaseDurationSeconds");
    if seconds.as_i64().is_some_and(|n| n <= 0) {
        let why = "must be greater than 0";
        causes.push(Cause::invalid("spec.leaseDurationSeconds", seconds, why));
    }
    causes.extend(not_negative(lease, &[("/spec/leaseTransitions", "spec.leaseTransitions")]));
    causes
}

pub(super) fn event(event: &Value) -> Vec<Cause> {
    if is_new(event) {
        return new_event(event);
    }
    let about = field::text(event, "/involvedObject/namespace");
    let home = field::namespace(event);
    if about.is_empty() && home == "default" || about == home {
        return Vec::new();
    }
    let why = "does not match event.namespace";
    vec![Cause::invalid("involvedObject.namespace", &about.into(), why)]
}

/// Whether the event came in the words of its own group.
fn is_new(event: &Value) -> bool {
    let writers = field::list(event, "/metadata/managedFields");
    writers.iter().any(|writer| writer["apiVersion"] == "events.k8s.io/v1")
}

/// Events of their own group say more.
fn new_event(event: &Value) -> Vec<Cause> {
    let text = |key: &str| field::text(event, &format!("/{key}"));
    let name = Value::from(field::name(event));
    let wrong = super::metadata::subdomain(field::name(event));
    let mut causes: Vec<Cause> =
        wrong.iter().map(|why| Cause::invalid("metadata.name", &name, why)).collect();
    if text("eventTime").is_empty() {
        causes.push(Cause::required("eventTime"));
    }
    let controller = text("reportingComponent");
    if controller.is_empty() && !text("eventTime").is_empty() {
        causes.push(Cause::required("reportingController"));
    }
    if !text("eventTime").is_empty() {
        for why in super::metadata::qualified(controller) {
            causes.push(Cause::invalid("reportingController", &controller.into(), &why));
        }
        for (key, path) in
            [("reportingInstance", "reportingInstance"), ("action", "action"), ("reason", "reason")]
        {
            if text(key).is_empty() {
                causes.push(Cause::required(path));
            }
        }
    }
    let kind = text("type");
    if !matches!(kind, "Normal" | "Warning") {
        causes.push(Cause::invalid("type", &"".into(), &format!("has invalid value: {kind}")));
    }
    causes
}

pub(super) fn limit_range(range: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    for (index, item) in field::list(range, "/spec/limits").iter().enumerate() {
        let path = format!("spec.limits[{index}]");
        for (resource, most) in field::map(item, "/max").into_iter().flatten() {
            let bound = field::amount(Some(most));
            let told = most.as_str().unwrap_or_default();
            for (key, word) in [("defaultRequest", "default request"), ("default", "default")] {
                let Some(given) = item[key].get(resource) else { continue };
                if field::amount(Some(given)) > bound {
                    let text = given.as_str().unwrap_or_default();
                    let why = format!("{word} value {text} is greater than max value {told}");
                    // The server quotes the maximum for a default, the value for a request.
                    let quoted = if key == "default" { most } else { given };
                    causes.push(Cause::invalid(&format!("{path}.{key}[{resource}]"), quoted, &why));
                }
            }
        }
    }
    causes
}

pub(super) fn priority_class(class: &Value) -> Vec<Cause> {
    let system = field::name(class).starts_with("system-");
    if field::number(class, "/value") > HIGHEST && !system {
        let why = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        return vec![Cause::forbidden("value", &why)];
    }
    Vec::new()
}
