//! Disruption budgets: how many pods may be taken away on purpose.

use std::fmt;

use serde::Deserialize;
use serde::de::Visitor;

use super::meta::common_parts;
use super::{Known, Meta, Record};
use crate::{Condition, List, Selector, Text};

/// A PodDisruptionBudget.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Budget {
    /// Metadata.
    pub meta: Meta,
    /// Which pods it protects; in `policy/v1` an empty one means all of the namespace.
    pub selector: Selector,
    /// Pods that must stay.
    pub min_available: Option<Share>,
    /// Pods that may be away.
    pub max_unavailable: Option<Share>,
    /// `AlwaysAllow` lets pods that are not ready be evicted; empty means `IfHealthyBudget`.
    pub unhealthy_pods: Text,
    /// Evictions allowed now.
    pub allowed: i64,
    /// Healthy pods, and how many there must be.
    pub healthy: (i64, i64),
    /// Pods it counts.
    pub expected: i64,
    /// Conditions.
    pub conditions: List<Condition>,
}

/// A number of pods, or a share of them in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Share {
    /// Pods.
    Pods(i64),
    /// Percent.
    Percent(i64),
}

impl Share {
    /// How many of `all` pods it is; shares are rounded up, as the API does.
    pub fn of(self, all: i64) -> i64 {
        match self {
            Share::Pods(n) => n,
            Share::Percent(p) => p.saturating_mul(all).saturating_add(99).div_euclid(100),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Share::Pods(n) => write!(f, "{n}"),
            Share::Percent(p) => write!(f, "{p}%"),
        }
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        struct NumberOrShare;
        impl Visitor<'_> for NumberOrShare {
            type Value = Share;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of pods or a percentage")
            }
            fn visit_i64<E>(self, n: i64) -> Result<Share, E> {
                Ok(Share::Pods(n))
            }
            fn visit_u64<E>(self, n: u64) -> Result<Share, E> {
                Ok(Share::Pods(i64::try_from(n).unwrap_or(i64::MAX)))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Share, E> {
                let bad = |_| E::custom(format!("neither a number nor a percentage: {text}"));
                match text.trim().strip_suffix('%') {
                    Some(percent) => percent.parse().map(Share::Percent).map_err(bad),
                    None => text.trim().parse().map(Share::Pods).map_err(bad),
                }
            }
        }
        d.deserialize_any(NumberOrShare)
    }
}

#[derive(Deserialize)]
struct Wire {
    metadata: Meta,
    spec: Option<Spec>,
    status: Option<Status>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Spec {
    selector: Option<Selector>,
    min_available: Option<Share>,
    max_unavailable: Option<Share>,
    unhealthy_pod_eviction_policy: Option<Text>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    disruptions_allowed: Option<i64>,
    current_healthy: Option<i64>,
    desired_healthy: Option<i64>,
    expected_pods: Option<i64>,
    conditions: List<Condition>,
}

impl<'de> Deserialize<'de> for Budget {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let spec = wire.spec.unwrap_or_default();
        let status = wire.status.unwrap_or_default();
        Ok(Budget {
            meta: wire.metadata,
            selector: spec.selector.unwrap_or_default(),
            min_available: spec.min_available,
            max_unavailable: spec.max_unavailable,
            unhealthy_pods: spec.unhealthy_pod_eviction_policy.unwrap_or_default(),
            allowed: status.disruptions_allowed.unwrap_or(0),
            healthy: (status.current_healthy.unwrap_or(0), status.desired_healthy.unwrap_or(0)),
            expected: status.expected_pods.unwrap_or(0),
            conditions: status.conditions,
        })
    }
}

impl Record for Budget {
    const SHOWN_BY: &'static [(Known, &'static [&'static str])] = common_parts![
        (Known::SPEC, &["/spec/minAvailable", "/spec/maxUnavailable"]),
        (Known::SELECTOR, &["/spec/selector"]),
        (Known::REPLICAS, &["/status/disruptionsAllowed"]),
        (Known::STATUS, &["/status/expectedPods"]),
        (Known::CONDITIONS, &["/status/conditions"]),
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
                self.min_available = other.min_available;
                self.max_unavailable = other.max_unavailable;
                self.unhealthy_pods.clone_from(&other.unhealthy_pods);
            }
            Known::SELECTOR => self.selector.clone_from(&other.selector),
            Known::REPLICAS => self.allowed = other.allowed,
            Known::STATUS => (self.healthy, self.expected) = (other.healthy, other.expected),
            Known::CONDITIONS => self.conditions.clone_from(&other.conditions),
            _ => {}
        }
    }
}
