//! How Deployments and StatefulSets replace their pods.

use serde::Deserialize;

use crate::Text;

/// How a Deployment or StatefulSet replaces its pods, where that is not the usual way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rollout {
    /// `Recreate` or `OnDelete`; empty for rolling updates.
    pub strategy: Text,
    /// Time allowed for progress, in seconds, where it is not the usual 600.
    pub deadline_seconds: Option<i64>,
    /// How long a pod has to stay ready before it counts as available, in seconds.
    pub min_ready_seconds: i64,
    /// Pods with a lower ordinal keep the old template (StatefulSet).
    pub partition: i64,
    /// Whether pods are made at the same time instead of in order (StatefulSet).
    pub parallel: bool,
    /// Revision that all pods had (StatefulSet).
    pub current_revision: Text,
    /// Revision that all pods shall have (StatefulSet).
    pub update_revision: Text,
    /// What becomes of claims when the set is deleted and when it is made smaller; empty means
    /// `Retain` (StatefulSet).
    pub claims: (Text, Text),
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct StrategyWire {
    #[serde(rename = "type")]
    kind: Text,
    rolling_update: Option<RollingWire>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RollingWire {
    partition: Option<i64>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RetentionWire {
    when_deleted: Text,
    when_scaled: Text,
}

impl Rollout {
    /// From what the spec and the status say; `None` when all is as usual.
    pub(super) fn of(
        strategy: StrategyWire,
        claims: RetentionWire,
        parallel: bool,
        (deadline_seconds, min_ready_seconds): (Option<i64>, i64),
        (current_revision, update_revision): (Text, Text),
    ) -> Option<Box<Rollout>> {
        let other = |text: Text, usual: &str| if text == usual { Text::default() } else { text };
        let rollout = Rollout {
            partition: strategy.rolling_update.and_then(|r| r.partition).unwrap_or(0),
            strategy: other(strategy.kind, "RollingUpdate"),
            deadline_seconds: deadline_seconds.filter(|s| *s != 600),
            min_ready_seconds,
            parallel,
            current_revision,
            update_revision,
            claims: (other(claims.when_deleted, "Retain"), other(claims.when_scaled, "Retain")),
        };
        (rollout != Rollout::default()).then(|| Box::new(rollout))
    }
}
