//! Autoscalers.

use serde::Deserialize;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, List, Text};

/// A HorizontalPodAutoscaler.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Scaler {
    /// Metadata.
    pub meta: Meta,
    /// Kind and name of what it scales.
    pub target: (Text, Text),
    /// Fewest replicas.
    pub min: Option<i64>,
    /// Most replicas.
    pub max: i64,
    /// Replicas now and wanted.
    pub replicas: (i64, i64),
    /// Conditions.
    pub conditions: List<Condition>,
}

#[derive(Deserialize)]
struct ScalerWire {
    metadata: Meta,
    spec: Option<ScalerSpec>,
    status: Option<ScalerStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ScalerSpec {
    scale_target_ref: TargetRef,
    min_replicas: Option<i64>,
    max_replicas: i64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TargetRef {
    kind: Text,
    name: Text,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct ScalerStatus {
    current_replicas: Option<i64>,
    desired_replicas: Option<i64>,
    conditions: List<Condition>,
}

impl<'de> Deserialize<'de> for Scaler {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ScalerWire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        Ok(Scaler {
            meta: wire.metadata,
            target: (spec.scale_target_ref.kind, spec.scale_target_ref.name),
            min: spec.min_replicas,
            max: spec.max_replicas,
            replicas: (status.current_replicas.unwrap_or(0), status.desired_replicas.unwrap_or(0)),
            conditions: status.conditions,
        })
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
            }
            Known::STATUS => self.replicas = other.replicas,
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
}
