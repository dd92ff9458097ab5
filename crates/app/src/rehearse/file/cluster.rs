//! The cluster of a rehearsal, where it is not the standard one.

use anyhow::{Context as _, ensure};
use model::Quantity;
use serde::Deserialize;
use serde_json::Value;
use twin::scenario::{Behaviour, Crash, Memory, NodeSpec, Scenario as Stage, Workload};

use super::{Amount, Span};

/// What stands instead of the standard cluster.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct ClusterPart {
    #[serde(default)]
    nodes: Vec<NodePart>,
    #[serde(default)]
    workloads: Vec<WorkloadPart>,
    #[serde(default)]
    objects: Vec<Value>,
}

impl ClusterPart {
    pub(super) fn build(self, stage: &mut Stage) -> anyhow::Result<()> {
        if !self.nodes.is_empty() {
            stage.nodes.clear();
            for part in self.nodes {
                part.add(&mut stage.nodes)?;
            }
        }
        if !self.workloads.is_empty() {
            // What every cluster needs stays: names are looked up in it.
            stage.workloads.retain(|w| w.namespace == "kube-system");
            for part in self.workloads {
                let name = part.name.clone();
                stage.workloads.push(part.read().with_context(|| format!("workload {name}"))?);
            }
        }
        stage.objects.extend(self.objects);
        Ok(())
    }
}

/// Machines that are alike.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct NodePart {
    name: String,
    #[serde(default)]
    count: u32,
    #[serde(default)]
    zones: Vec<String>,
    #[serde(default)]
    control_plane: bool,
    cpu: Option<Amount>,
    memory: Option<Amount>,
    reserved: Option<Amount>,
}

impl NodePart {
    fn add(&self, nodes: &mut Vec<NodeSpec>) -> anyhow::Result<()> {
        ensure!(self.count <= 1000, "nodes {}: at most 1000 of one sort", self.name);
        let cpu = self.cpu.as_ref().map(Amount::quantity).transpose()?;
        for number in 1..=self.count.max(1) {
            let zone = self.zones.iter().cycle().nth(number as usize - 1);
            nodes.push(NodeSpec {
                name: match self.count {
                    0 => self.name.clone(),
                    _ => format!("{}-{number}", self.name),
                },
                zone: zone.cloned().unwrap_or_else(|| "zone-a".to_owned()),
                control_plane: self.control_plane,
                cpu_milli: cpu.map_or(4000, Quantity::milli),
                memory_bytes: Amount::bytes(self.memory.as_ref(), 8 << 30)?,
                reserved_bytes: Amount::bytes(self.reserved.as_ref(), 0)?,
                daemons_bytes: 700 << 20,
            });
        }
        Ok(())
    }
}

/// A Deployment, with a port also its Service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct WorkloadPart {
    namespace: String,
    name: String,
    replicas: i64,
    image: Option<String>,
    port: Option<u16>,
    #[serde(default)]
    requests: Value,
    #[serde(default)]
    limits: Value,
    probe: Option<String>,
    #[serde(default)]
    node_selector: Value,
    memory: Option<MemoryPart>,
    ready_after: Option<Span>,
    stops_within: Option<Span>,
    crashes: Option<CrashPart>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct MemoryPart {
    holds: Amount,
    grows_after: Option<Span>,
    per_second: Option<Amount>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CrashPart {
    after: Span,
    exit_code: i64,
}

impl WorkloadPart {
    fn read(self) -> anyhow::Result<Workload> {
        let usual = Behaviour::default();
        let seconds = |span: Option<Span>, otherwise| span.map_or(Ok(otherwise), |s| s.seconds());
        let crash = self.crashes.map(|c| {
            anyhow::Ok(Crash { after_seconds: c.after.seconds()?, exit_code: c.exit_code })
        });
        Ok(Workload {
            image: self.image.unwrap_or_else(|| format!("registry.example/{}:1", self.name)),
            behaviour: Behaviour {
                memory: self.memory.map_or(Ok(usual.memory), MemoryPart::read)?,
                command: self.name.clone(),
                ready_seconds: seconds(self.ready_after, usual.ready_seconds)?,
                stop_seconds: seconds(self.stops_within, usual.stop_seconds)?,
                image_bytes: usual.image_bytes,
                crash: crash.transpose()?,
            },
            namespace: self.namespace,
            name: self.name,
            replicas: self.replicas,
            port: self.port,
            requests: self.requests,
            limits: self.limits,
            probe_path: self.probe,
            node_selector: self.node_selector,
        })
    }
}

impl MemoryPart {
    fn read(self) -> anyhow::Result<Memory> {
        let bytes = self.holds.quantity()?.units();
        let Some(growth) = self.per_second else {
            ensure!(self.grows_after.is_none(), "memory.growsAfter needs memory.perSecond");
            return Ok(Memory::Const { bytes });
        };
        let after = self.grows_after.map(|s| s.seconds()).transpose()?;
        Ok(Memory::Ramp {
            bytes,
            after_seconds: after.unwrap_or(0),
            bytes_per_second: growth.quantity()?.units(),
        })
    }
}
