//! Whether two captures show one cluster at different times.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Builder;
use crate::record::Record;
use crate::{Kind, Text};

/// Captures that were made within so many seconds are parts of one.
const ONE_MOMENT_SECONDS: i64 = 60;

/// Kinds by which two captures are compared.
const TELLING: [Kind; 6] =
    [Kind::DaemonSet, Kind::Deployment, Kind::Node, Kind::Pod, Kind::Service, Kind::StatefulSet];

impl Builder {
    /// Whether it lists any kind by which it can be compared with another capture.
    pub fn is_comparable(&self) -> bool {
        self.newest.is_some() && TELLING.into_iter().any(|k| self.coverage.lists_any(k))
    }

    /// Whether the two were read from one cluster at different times: they list the same kinds,
    /// have objects in common, some of these differ, and a minute at least lies between them.
    pub fn is_other_moment_of(&self, other: &Builder) -> bool {
        let (Some(a), Some(b)) = (self.newest, other.newest) else { return false };
        let listed = |k: Kind| self.coverage.lists_any(k) && other.coverage.lists_any(k);
        let mut common = Common::default();
        if listed(Kind::Pod) {
            common.count(&self.pods, &other.pods, |_| Kind::Pod);
        }
        if listed(Kind::Node) {
            common.count(&self.nodes, &other.nodes, |_| Kind::Node);
        }
        if listed(Kind::Service) {
            common.count(&self.services, &other.services, |_| Kind::Service);
        }
        let workloads = [Kind::Deployment, Kind::StatefulSet, Kind::DaemonSet];
        if workloads.into_iter().any(listed) {
            common.count(&self.workloads, &other.workloads, |w| w.kind);
        }
        a.since(b).abs() >= ONE_MOMENT_SECONDS && common.differ > 0 && common.same > common.other
    }
}

/// Objects of the same names in two captures.
#[derive(Default)]
struct Common {
    /// Made at the same time: the same objects.
    same: usize,
    /// Made at another time.
    other: usize,
    /// The same objects, and yet not equal.
    differ: usize,
}

impl Common {
    fn count<T: Record + Clone + PartialEq>(
        &mut self,
        a: &[Arc<T>],
        b: &[Arc<T>],
        kind: impl Fn(&T) -> Kind,
    ) {
        type Name = (Kind, Text, Text);
        let name = |row: &T| -> Name {
            (kind(row), row.meta().namespace.clone(), row.meta().name.clone())
        };
        let known: BTreeMap<Name, &Arc<T>> = a.iter().map(|row| (name(row), row)).collect();
        for row in b {
            let Some(old) = known.get(&name(row)) else { continue };
            match (old.meta().created, row.meta().created) {
                (Some(x), Some(y)) if x == y => self.same += 1,
                (Some(_), Some(_)) => self.other += 1,
                _ => continue,
            }
            let mut new = (**row).clone();
            new.meta_mut().source = old.meta().source;
            self.differ += usize::from(new != ***old);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::{Builder, Kind, decode_value};

    /// A capture of one Deployment, with the time of its newest condition.
    fn capture(created: &str, clock: &str, replicas: u32) -> Builder {
        let value = json!({
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "creationTimestamp": created},
            "spec": {"replicas": replicas},
            "status": {"conditions": [{"type": "Available", "status": "False",
                "lastTransitionTime": format!("2026-01-01T{clock}Z")}]},
        });
        let mut builder = Builder::default();
        builder.add(decode_value(Kind::Deployment, &value, false).expect("well-shaped"), 0);
        builder.coverage.list(Kind::Deployment, None);
        builder
    }

    #[test]
    fn two_moments_of_one_cluster_are_told_from_two_parts_of_one_capture() {
        let old = "2025-01-01T00:00:00Z";
        let first = capture(old, "09:00:00", 2);
        for (other, want) in [
            (capture(old, "10:00:00", 3), true),
            (capture(old, "09:00:30", 3), false),
            (capture("2024-01-01T00:00:00Z", "10:00:00", 3), false),
            (Builder::default(), false),
        ] {
            assert_eq!(first.is_other_moment_of(&other), want, "{other:?}");
        }
        let mut unlisted = capture(old, "10:00:00", 3);
        unlisted.coverage = Default::default();
        assert!(!first.is_other_moment_of(&unlisted), "one object is no capture");
    }
}
