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
    /// When it ends, for what happens to nodes and the metrics service.
    until: Option<Span>,
    stop_kubelet: Option<Target>,
    stop_runtime: Option<Target>,
    lose_image: Option<String>,
    crash: Option<CrashOf>,
    grow_memory: Option<GrowthOf>,
    load: Option<LoadOf>,
    /// What the metrics service says from now on, instead of answering.
    stop_metrics: Option<String>,
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
struct LoadOf {
    workload: String,
    cpu: Amount,
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
        let (at, until) = (self.at.seconds()?, self.until.as_ref().map(Span::seconds).transpose()?);
        ensure!(until.is_none_or(|until| until > at), "it ends before it begins");
        let (mut sorts, mut begin, mut end) = (0, Vec::new(), Vec::new());
        for (target, kubelet) in [(&self.stop_kubelet, true), (&self.stop_runtime, false)] {
            let Some(target) = target else { continue };
            sorts += 1;
            for node in target.find(stage)? {
                end.push(Fault::StartKubelet { node: node.clone() });
                begin.push(match kubelet {
                    true => Fault::StopKubelet { node },
                    false => Fault::StopRuntime { node },
                });
            }
        }
        if let Some(message) = &self.stop_metrics {
            sorts += 1;
            begin.push(Fault::StopMetrics { message: message.clone() });
            end.push(Fault::StartMetrics);
        }
        ensure!(until.is_none() || sorts > 0, "`until` is only known of nodes and metrics");
        let lasting = self.lasting()?;
        if sorts + lasting.len() != 1 {
            bail!(
                "one of stopKubelet, stopRuntime, stopMetrics, loseImage, crash, growMemory, \
                 load, apply and patch is needed, and only one"
            );
        }
        stage.timeline.extend(begin.into_iter().chain(lasting).map(|fault| (at, fault)));
        let end = until.into_iter().flat_map(|until| end.iter().map(move |f| (until, f.clone())));
        stage.timeline.extend(end);
        Ok(())
    }

    /// What stays as it is.
    fn lasting(self) -> anyhow::Result<Vec<Fault>> {
        let mut all = Vec::new();
        all.extend(self.lose_image.map(|image| Fault::LoseImage { image }));
        all.extend(self.apply.map(|manifests| Fault::Apply { manifests }));
        all.extend(self.patch.map(PatchOf::fault));
        if let Some(crash) = self.crash {
            let (namespace, workload) = place(&crash.workload)?;
            all.push(Fault::Crash { namespace, workload, exit_code: crash.exit_code });
        }
        if let Some(growth) = self.grow_memory {
            let (namespace, workload) = place(&growth.workload)?;
            let bytes_per_second = growth.per_second.quantity()?.units();
            all.push(Fault::GrowMemory { namespace, workload, bytes_per_second });
        }
        if let Some(load) = self.load {
            let (namespace, workload) = place(&load.workload)?;
            let cpu_milli = load.cpu.quantity()?.milli();
            all.push(Fault::Load { namespace, workload, cpu_milli });
        }
        Ok(all)
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
    fn find(&self, stage: &Stage) -> anyhow::Result<Vec<String>> {
        let known = |name: &str| stage.nodes.iter().any(|n| n.name == name);
        if let Some(stranger) = self.nodes.iter().find(|name| !known(name)) {
            bail!("there is no node {stranger}");
        }
        let mut nodes = self.nodes.clone();
        if let Some(zone) = &self.zone {
            nodes.extend(stage.nodes.iter().filter(|n| n.zone == *zone).map(|n| n.name.clone()));
            ensure!(!nodes.is_empty(), "there is no node in zone {zone}");
        }
        ensure!(!nodes.is_empty(), "it names no node");
        Ok(nodes)
    }
}
