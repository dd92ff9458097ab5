//! What happens in a rehearsal.

use anyhow::{bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use twin::scenario::{Fault, Scenario as Stage};

use super::super::acts::place;
use super::{Amount, Span};

/// Something that happens: exactly one of the fields beside the times.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct FaultPart {
    at: Span,
    /// When it ends, for what happens to nodes.
    until: Option<Span>,
    stop_kubelet: Option<Target>,
    stop_runtime: Option<Target>,
    lose_image: Option<String>,
    crash: Option<CrashOf>,
    grow_memory: Option<GrowthOf>,
    apply: Option<Vec<Value>>,
    patch: Option<PatchOf>,
}

/// Nodes, by name or zone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Target {
    #[serde(default)]
    nodes: Vec<String>,
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CrashOf {
    workload: String,
    exit_code: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct GrowthOf {
    workload: String,
    per_second: Amount,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PatchOf {
    api_version: String,
    kind: String,
    #[serde(default)]
    namespace: String,
    name: String,
    with: Value,
}

impl FaultPart {
    pub(super) fn schedule(self, stage: &mut Stage) -> anyhow::Result<()> {
        let (at, until) = (self.at.seconds()?, self.until.map(|s| s.seconds()).transpose()?);
        let mut faults = Vec::new();
        for (target, stop) in [(self.stop_kubelet, true), (self.stop_runtime, false)] {
            for node in target.map_or(Ok(Vec::new()), |t| t.find(stage))? {
                if let Some(until) = until {
                    ensure!(until > at, "it ends before it begins");
                    stage.timeline.push((until, Fault::StartKubelet { node: node.clone() }));
                }
                faults.push(if stop {
                    Fault::StopKubelet { node }
                } else {
                    Fault::StopRuntime { node }
                });
            }
        }
        ensure!(until.is_none() || !faults.is_empty(), "`until` is only known of nodes");
        let nodes = usize::from(!faults.is_empty());
        let mut others = Vec::new();
        others.extend(self.lose_image.map(|image| Fault::LoseImage { image }));
        others.extend(self.apply.map(|manifests| Fault::Apply { manifests }));
        others.extend(self.patch.map(PatchOf::fault));
        if let Some(crash) = self.crash {
            let (namespace, workload) = place(&crash.workload)?;
            others.push(Fault::Crash { namespace, workload, exit_code: crash.exit_code });
        }
        if let Some(growth) = self.grow_memory {
            let (namespace, workload) = place(&growth.workload)?;
            let bytes_per_second = growth.per_second.quantity()?.units();
            others.push(Fault::GrowMemory { namespace, workload, bytes_per_second });
        }
        if nodes + others.len() != 1 {
            bail!(
                "one of stopKubelet, stopRuntime, loseImage, crash, growMemory, apply and patch \
                 is needed, and only one"
            );
        }
        stage.timeline.extend(faults.into_iter().chain(others).map(|fault| (at, fault)));
        Ok(())
    }
}

impl PatchOf {
    fn fault(self) -> Fault {
        Fault::Patch {
            api_version: self.api_version,
            kind: self.kind,
            namespace: self.namespace,
            name: self.name,
            patch: self.with,
        }
    }
}

impl Target {
    fn find(self, stage: &Stage) -> anyhow::Result<Vec<String>> {
        let known = |name: &str| stage.nodes.iter().any(|n| n.name == name);
        if let Some(stranger) = self.nodes.iter().find(|name| !known(name)) {
            bail!("there is no node {stranger}");
        }
        let mut nodes = self.nodes;
        if let Some(zone) = self.zone {
            nodes.extend(stage.nodes.iter().filter(|n| n.zone == zone).map(|n| n.name.clone()));
            ensure!(!nodes.is_empty(), "there is no node in zone {zone}");
        }
        ensure!(!nodes.is_empty(), "it names no node");
        Ok(nodes)
    }
}
