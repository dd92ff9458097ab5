//! How the versions of the API write an autoscaler.

use serde::Deserialize;

use super::{Amount, MetricSource, Scaler, ScalerMetric, ScalingRules};
use crate::record::Meta;
use crate::{List, Quantity, Text, Timestamp};

/// Annotations of `autoscaling/v1` that hold what later versions have as fields.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

#[derive(Deserialize)]
struct ScalerWire {
    metadata: Meta,
    spec: Option<SpecWire>,
    status: Option<StatusWire>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct SpecWire {
    scale_target_ref: TargetRef,
    min_replicas: Option<i64>,
    max_replicas: Option<i64>,
    metrics: List<MetricWire>,
    behavior: Option<BehaviorWire>,
    #[serde(rename = "targetCPUUtilizationPercentage")]
    cpu_percent: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct BehaviorWire {
    #[serde(alias = "ScaleUp")]
    scale_up: Option<Box<ScalingRules>>,
    #[serde(alias = "ScaleDown")]
    scale_down: Option<Box<ScalingRules>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TargetRef {
    kind: Text,
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct StatusWire {
    current_replicas: Option<i64>,
    desired_replicas: Option<i64>,
    current_metrics: List<MetricWire>,
    last_scale_time: Option<Timestamp>,
    conditions: List<crate::Condition>,
    #[serde(rename = "currentCPUUtilizationPercentage")]
    cpu_percent: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct MetricWire {
    #[serde(rename = "type")]
    kind: MetricSource,
    resource: Option<DataWire>,
    container_resource: Option<DataWire>,
    pods: Option<DataWire>,
    object: Option<DataWire>,
    external: Option<DataWire>,
}

/// One metric's data, with the fields of all versions.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct DataWire {
    name: Text,
    container: Text,
    metric_name: Text,
    metric: Option<NameWire>,
    target: Option<GoalWire>,
    current: Option<GoalWire>,
    target_average_utilization: Option<i64>,
    target_average_value: Option<Quantity>,
    target_value: Option<Quantity>,
    current_average_utilization: Option<i64>,
    current_average_value: Option<Quantity>,
    current_value: Option<Quantity>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NameWire {
    name: Text,
}

/// In `v2beta1` the target of an object metric is the object: it then has none of these.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct GoalWire {
    average_utilization: Option<i64>,
    average_value: Option<Quantity>,
    value: Option<Quantity>,
}

/// The first that is stated. An average of nothing is not stated: old versions write `0`.
fn amount(
    percent: Option<i64>,
    average: Option<Quantity>,
    total: Option<Quantity>,
) -> Option<Amount> {
    let known = |q: &Quantity| *q != Quantity::UNREADABLE;
    let average = average.filter(known).map(Amount::Average);
    let total = total.filter(known).map(Amount::Total);
    percent.map(Amount::Percent).or(match (average, total) {
        (Some(Amount::Average(Quantity::ZERO)), Some(total)) => Some(total),
        (average, total) => average.or(total),
    })
}

impl DataWire {
    fn goal(&self) -> Option<Amount> {
        let new = self.target.as_ref();
        new.and_then(|t| amount(t.average_utilization, t.average_value, t.value)).or(amount(
            self.target_average_utilization,
            self.target_average_value,
            self.target_value,
        ))
    }

    /// The present value in the sort of the goal, when it is given in several.
    fn value(&self, goal: Option<Amount>) -> Option<Amount> {
        let new = self.current.as_ref();
        let percent = new.and_then(|c| c.average_utilization).or(self.current_average_utilization);
        let average = new.and_then(|c| c.average_value).or(self.current_average_value);
        let total = new.and_then(|c| c.value).or(self.current_value);
        let all =
            [amount(percent, None, None), amount(None, average, None), amount(None, None, total)];
        let fits = |a: &Amount| goal.is_some_and(|g| g.is_like(*a));
        all.into_iter().flatten().find(fits).or(match goal {
            None => amount(percent, average, total),
            Some(_) => None,
        })
    }

    fn full_name(&self) -> Text {
        let metric = self.metric.as_ref().map(|m| &m.name);
        let names = [Some(&self.name), metric, Some(&self.metric_name)];
        names.into_iter().flatten().find(|n| !n.is_empty()).cloned().unwrap_or_default()
    }
}

impl MetricWire {
    fn data(&self) -> Option<(MetricSource, &DataWire)> {
        let all = [
            (MetricSource::Resource, &self.resource),
            (MetricSource::ContainerResource, &self.container_resource),
            (MetricSource::Pods, &self.pods),
            (MetricSource::Object, &self.object),
            (MetricSource::External, &self.external),
        ];
        let given = all.into_iter().filter_map(|(s, d)| Some((s, d.as_ref()?)));
        let mut given =
            given.filter(|(s, _)| *s == self.kind || self.kind == MetricSource::Resource);
        given.next()
    }
}

/// Goals with their present values; what has a value and no goal is kept too.
fn joined(goals: &[MetricWire], values: &[MetricWire]) -> List<ScalerMetric> {
    let mut metrics: Vec<ScalerMetric> = Vec::new();
    let blank = |source, d: &DataWire| ScalerMetric {
        source,
        name: d.full_name(),
        container: d.container.clone(),
        ..ScalerMetric::default()
    };
    for (source, data) in goals.iter().filter_map(MetricWire::data) {
        metrics.push(ScalerMetric { target: data.goal(), ..blank(source, data) });
    }
    for (source, data) in values.iter().filter_map(MetricWire::data) {
        let (name, container) = (data.full_name(), &data.container);
        let same = |m: &&mut ScalerMetric| {
            m.source == source && m.name == name && m.container == *container
        };
        match metrics.iter_mut().find(same) {
            Some(metric) => metric.current = data.value(metric.target),
            None if data.value(None).is_some() && !name.is_empty() => {
                metrics.push(ScalerMetric { current: data.value(None), ..blank(source, data) });
            }
            None => {}
        }
    }
    metrics.into()
}

/// What `autoscaling/v1` has as fields of its own.
fn add_cpu(
    metrics: List<ScalerMetric>,
    goal: Option<i64>,
    value: Option<i64>,
) -> List<ScalerMetric> {
    let is_cpu = |m: &ScalerMetric| m.source == MetricSource::Resource && m.name == "cpu";
    if (goal.is_none() && value.is_none()) || metrics.iter().any(|m| is_cpu(m) && goal.is_none()) {
        return metrics;
    }
    let cpu = ScalerMetric {
        name: "cpu".into(),
        target: goal.map(Amount::Percent),
        current: value.map(Amount::Percent),
        ..ScalerMetric::default()
    };
    std::iter::once(cpu).chain(metrics.into_iter().filter(|m| !is_cpu(m))).collect()
}

/// An annotation as JSON; one that cannot be read is as good as none.
fn annotation<T: for<'a> Deserialize<'a>>(meta: &Meta, key: &str) -> Option<T> {
    meta.annotation(key).and_then(|text| serde_json::from_str(text).ok())
}

impl<'de> Deserialize<'de> for Scaler {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ScalerWire::deserialize(deserializer)?;
        let meta = wire.metadata;
        let spec = wire.spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        let or_old = |new: List<MetricWire>, key| match new.is_empty() {
            true => annotation(&meta, key).unwrap_or_default(),
            false => new,
        };
        let goals = or_old(spec.metrics, METRICS);
        let values = or_old(status.current_metrics, CURRENT);
        let conditions = match status.conditions.is_empty() {
            true => annotation(&meta, CONDITIONS).unwrap_or_default(),
            false => status.conditions,
        };
        let behavior = spec.behavior.or_else(|| annotation(&meta, BEHAVIOR)).unwrap_or_default();
        let metrics = joined(&goals, &values);
        Ok(Scaler {
            target: (spec.scale_target_ref.kind, spec.scale_target_ref.name),
            min: spec.min_replicas,
            max: spec.max_replicas.unwrap_or(0),
            replicas: (status.current_replicas.unwrap_or(0), status.desired_replicas.unwrap_or(0)),
            metrics: add_cpu(metrics, spec.cpu_percent, status.cpu_percent),
            up: behavior.scale_up,
            down: behavior.scale_down,
            last_scaled: status.last_scale_time,
            conditions,
            meta,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: serde_json::Value) -> Scaler {
        Scaler::deserialize(value).expect("an autoscaler")
    }

    #[test]
    fn all_versions_of_the_api_say_the_same() {
        let conditions =
            json!([{"type": "ScalingActive", "status": "False", "reason": "FailedGetMetric"}]);
        let spec = |more: serde_json::Value| {
            let mut spec = json!({"scaleTargetRef": {"kind": "Deployment", "name": "web"},
                "maxReplicas": 5});
            spec.as_object_mut().expect("a map").extend(more.as_object().cloned().expect("a map"));
            spec
        };
        let memory = |part: serde_json::Value| {
            let mut memory = json!({"name": "memory"});
            let part = part.as_object().cloned().expect("a map");
            memory.as_object_mut().expect("a map").extend(part);
            json!({"type": "Resource", "resource": memory})
        };
        let cpu = |part: serde_json::Value| {
            let mut cpu = json!({"name": "cpu"});
            cpu.as_object_mut().expect("a map").extend(part.as_object().cloned().expect("a map"));
            json!({"type": "Resource", "resource": cpu})
        };
        let (goal, value) =
            (json!({"targetAverageValue": "1Gi"}), json!({"currentAverageValue": "512Mi"}));
        let v1 = json!({
            "metadata": {"name": "web", "annotations": {
                METRICS: json!([memory(goal.clone())]).to_string(),
                CURRENT: json!([memory(value.clone())]).to_string(),
                CONDITIONS: conditions.to_string()}},
            "spec": spec(json!({"targetCPUUtilizationPercentage": 60})),
            "status": {"currentReplicas": 2, "currentCPUUtilizationPercentage": 72}});
        let beta = json!({
            "metadata": {"name": "web"},
            "spec": spec(json!({"metrics":
                [cpu(json!({"targetAverageUtilization": 60})), memory(goal)]})),
            "status": {"currentReplicas": 2, "conditions": conditions, "currentMetrics": [
                cpu(json!({"currentAverageUtilization": 72, "currentAverageValue": "72m"})),
                memory(value)]}});
        let v2 = json!({
            "metadata": {"name": "web"},
            "spec": spec(json!({"metrics": [
                cpu(json!({"target": {"type": "Utilization", "averageUtilization": 60}})),
                memory(json!({"target": {"type": "AverageValue", "averageValue": "1Gi"}}))]})),
            "status": {"currentReplicas": 2, "conditions": conditions, "currentMetrics": [
                cpu(json!({"current": {"averageUtilization": 72, "averageValue": "72m"}})),
                memory(json!({"current": {"averageValue": "512Mi"}}))]}});
        let [v1, beta, v2] = [v1, beta, v2].map(read);
        assert_eq!(v2.metrics.len(), 2);
        let cpu = v2.metrics.first().expect("a metric");
        assert_eq!(
            (cpu.target, cpu.current),
            (Some(Amount::Percent(60)), Some(Amount::Percent(72)))
        );
        for old in [v1, beta] {
            assert_eq!((&old.metrics, &old.conditions), (&v2.metrics, &v2.conditions));
        }
    }

    #[test]
    fn metrics_of_all_sources_and_behavior_are_read() {
        let scaler =
            read(json!({"metadata": {"name": "web"}, "spec": {"maxReplicas": 9, "metrics": [
            {"type": "Pods", "pods":
                {"metric": {"name": "rate"}, "target": {"averageValue": "10"}}},
            {"type": "Object", "object": {"metric": {"name": "hits"}, "target": {"value": "2k"}}},
            {"type": "External", "external": {"metricName": "queue", "targetValue": "30"}},
            {"type": "ContainerResource", "containerResource":
                {"name": "cpu", "container": "main", "target": {"averageUtilization": 50}}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 60, "selectPolicy": "Min",
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 30}]}}},
            "status": {"currentMetrics": [{"type": ""}]}}));
        let names: Vec<&str> = scaler.metrics.iter().map(|m| m.name.as_str()).collect();
        assert_eq!(names, ["rate", "hits", "queue", "cpu"]);
        let down = scaler.down.expect("rules");
        assert_eq!((down.stabilization_window_seconds, down.policies.len()), (Some(60), 1));
    }
}
