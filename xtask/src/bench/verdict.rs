//! Holds the diagnosis against the faults that were planted.

use super::faults::{Fault, Planted};
use anyhow::{Context, Result};
use serde_json::Value;
use std::fmt;

/// How many missing faults are named.
const NAMED: usize = 20;

/// What was found of what was planted.
pub struct Found {
    planted: usize,
    missing: Vec<Planted>,
    /// Incidents whose cause is on no object that anything was planted in.
    others: usize,
}

impl Found {
    /// How many planted faults no incident has as its cause.
    pub fn missing(&self) -> usize {
        self.missing.len()
    }
}

impl fmt::Display for Found {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let found = self.planted - self.missing.len();
        writeln!(out, "faults     {found} of {} found", self.planted)?;
        writeln!(out, "others     {} incidents of objects without a planted fault", self.others)?;
        for Planted { fault, namespace, name } in self.missing.iter().take(NAMED) {
            let wanted = fault.expected().0.join(" or ");
            writeln!(out, "  missing  {fault:?} {namespace}/{name}: {wanted}")?;
        }
        Ok(())
    }
}

/// Reads a diagnosis in JSON.
pub fn check(output: &[u8], planted: &[Planted]) -> Result<Found> {
    let diagnosis: Value = serde_json::from_slice(output).context("the diagnosis is not JSON")?;
    let incidents = diagnosis.get("incidents").and_then(Value::as_array);
    let incidents = incidents.context("the diagnosis has no incidents")?;
    let causes: Vec<Cause<'_>> = incidents.iter().filter_map(Cause::of).collect();
    let missing = planted.iter().filter(|p| !causes.iter().any(|c| c.is(p)));
    let others = causes.iter().filter(|c| !planted.iter().any(|p| c.concerns(p)));
    Ok(Found {
        planted: planted.len(),
        missing: missing.cloned().collect(),
        others: others.count(),
    })
}

/// The cause of an incident.
struct Cause<'a> {
    failure: &'a str,
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
}

impl<'a> Cause<'a> {
    fn of(incident: &'a Value) -> Option<Self> {
        let cause = incident.get("cause")?;
        let text = |pointer: &str| cause.pointer(pointer).and_then(Value::as_str);
        Some(Cause {
            failure: text("/failure")?,
            kind: text("/object/kind")?,
            namespace: text("/object/namespace").unwrap_or_default(),
            name: text("/object/name")?,
        })
    }

    fn is(&self, planted: &Planted) -> bool {
        let (failures, kinds) = planted.fault.expected();
        failures.contains(&self.failure) && kinds.contains(&self.kind) && self.concerns(planted)
    }

    /// The object is the planted one, or one made for it (`cart-00001-data`), or the quota of a
    /// namespace that was made for it.
    fn concerns(&self, planted: &Planted) -> bool {
        let own = self.name.strip_prefix(planted.name.as_str());
        let own = own.is_some_and(|r| r.is_empty() || r.starts_with('-'));
        let quota = planted.fault == Fault::Quota && self.kind == "ResourceQuota";
        self.namespace == planted.namespace && (own || quota)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn causes_are_compared() {
        let planted = |fault, name: &str| Planted {
            fault,
            namespace: "team-000".to_owned(),
            name: name.to_owned(),
        };
        let all = [
            planted(Fault::CrashLoop, "cart-00001"),
            planted(Fault::ClassMissing, "tax-00002"),
            planted(Fault::Quota, "rate-00003"),
        ];
        let incident = |failure: &str, kind: &str, name: &str| {
            let object = json!({"kind": kind, "namespace": "team-000", "name": name});
            json!({"cause": {"failure": failure, "object": object}})
        };
        let diagnosis = json!({"incidents": [
            incident("pod-crash-looping", "Deployment", "cart-00001"),
            incident("claim-pending", "Deployment", "tax-00002"),
            incident("pods-refused-at-admission", "ResourceQuota", "team-quota"),
            incident("node-overloaded", "Node", "node-00001"),
        ]});
        let found = check(diagnosis.to_string().as_bytes(), &all).unwrap();
        assert_eq!(found.missing, [all[1].clone()]);
        assert_eq!(found.others, 1);
        assert!(check(b"{}", &all).is_err());
    }
}
