//! Autoscalers, in all versions of the API: `autoscaling/v1` keeps in annotations what later
//! versions have as fields.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, List, Quantity, Text, Timestamp};

mod wire;

/// A HorizontalPodAutoscaler.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scaler {
    /// Metadata.
    pub meta: Meta,
    /// Kind and name of what it scales.
    pub target: (Text, Text),
    /// Fewest replicas; the API's default is 1.
    pub min: Option<i64>,
    /// Most replicas.
    pub max: i64,
    /// Replicas now and wanted.
    pub replicas: (i64, i64),
    /// What it looks at.
    pub metrics: List<ScalerMetric>,
    /// How fast it may add replicas, where that is stated.
    pub up: Option<Box<ScalingRules>>,
    /// How fast it may take replicas away, where that is stated.
    pub down: Option<Box<ScalingRules>>,
    /// When it changed the number of replicas last.
    pub last_scaled: Option<Timestamp>,
    /// Conditions.
    pub conditions: List<Condition>,
}

/// One metric of an autoscaler with its goal and its present value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ScalerMetric {
    /// Where it comes from.
    pub source: MetricSource,
    /// Name: `cpu`, `memory`, or that of a metric.
    pub name: Text,
    /// The only container that counts (`ContainerResource`), or empty.
    pub container: Text,
    /// The goal.
    pub target: Option<Amount>,
    /// The present value; `None` where the autoscaler does not know it.
    pub current: Option<Amount>,
}

/// Where a metric comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
pub enum MetricSource {
    /// CPU or memory of the pods.
    #[default]
    Resource,
    /// CPU or memory of one container of the pods.
    ContainerResource,
    /// A metric of the pods.
    Pods,
    /// A metric of another object.
    Object,
    /// A metric from outside the cluster.
    External,
    /// One that is not known here.
    #[serde(other)]
    Unknown,
}

/// A goal or a value of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Amount {
    /// Percent of what the pods request, on average.
    Percent(i64),
    /// An amount for each pod, on average.
    Average(Quantity),
    /// An amount for all together.
    Total(Quantity),
}

impl Amount {
    /// The figure in thousandths, for comparing amounts of one sort.
    pub fn milli(self) -> i64 {
        match self {
            Amount::Percent(p) => p.saturating_mul(1000),
            Amount::Average(q) | Amount::Total(q) => q.milli(),
        }
    }

    /// As people write it.
    pub fn text(self, resource: &str) -> String {
        match self {
            Amount::Percent(p) => format!("{p}%"),
            Amount::Average(q) | Amount::Total(q) => q.text(resource),
        }
    }

    fn is_like(self, other: Amount) -> bool {
        std::mem::discriminant(&self) == std::mem::discriminant(&other)
    }
}

/// How fast the number of replicas may change in one direction.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScalingRules {
    /// How long recommendations are looked back at, in seconds.
    pub stabilization_window_seconds: Option<i64>,
    /// `Max`, `Min` or `Disabled`; empty means `Max`.
    pub select_policy: Text,
    /// How much may change in how much time.
    pub policies: List<ScalingPolicy>,
}

/// How much may change in how much time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScalingPolicy {
    /// `Pods` or `Percent`.
    #[serde(rename = "type")]
    pub kind: Text,
    /// Pods or percent.
    pub value: i64,
    /// In this many seconds.
    pub period_seconds: i64,
}

impl Scaler {
    /// The condition of this type.
    pub fn condition(&self, kind: &str) -> Option<&Condition> {
        self.conditions.iter().find(|c| c.kind == kind)
    }

    /// Fewest replicas, with the API's default.
    pub fn fewest(&self) -> i64 {
        self.min.unwrap_or(1)
    }
}

impl Record for Scaler {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/scaleTargetRef"]),
        (Known::CONDITIONS, &["/status/conditions"]),
        (Known::STATUS, &["/status/currentReplicas"]),
    ];

    fn meta(&self) -> &Meta {
        &self.meta
    }

    fn meta_mut(&mut self) -> &mut Meta {
        &mut self.meta
    }

    fn take(&mut self, part: Known, other: &Self) {
        match part {
            Known::SPEC => {
                self.target.clone_from(&other.target);
                (self.min, self.max) = (other.min, other.max);
                if !other.metrics.is_empty() {
                    self.metrics.clone_from(&other.metrics);
                }
                if other.up.is_some() || other.down.is_some() {
                    self.up.clone_from(&other.up);
                    self.down.clone_from(&other.down);
                }
            }
            Known::STATUS => {
                self.replicas = other.replicas;
                self.last_scaled = other.last_scaled.or(self.last_scaled);
            }
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
}
