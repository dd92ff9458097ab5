//! What the node exporter says of a machine, as the machine's own tools would print it.

use std::collections::BTreeMap;

use model::{HostFact, HostFigure, Text};

use crate::answer::Series;
use crate::names::Names;

/// Figures of one machine by name of the metric, those of a disk with its mount point.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeMap<String, Machine>);

#[derive(Debug, Default)]
struct Machine {
    plain: BTreeMap<String, f64>,
    disks: BTreeMap<String, BTreeMap<String, f64>>,
}

impl Figures {
    /// Takes an answer.
    pub(crate) fn take(&mut self, series: &[Series], names: &Names) {
        for s in series {
            let Some(value) = s.last().filter(|v| *v >= 0.0) else { continue };
            let machine = self.0.entry(names.node(s).to_owned()).or_default();
            let metric = s.label("__name__");
            let mount = s.label("mountpoint");
            let into = match metric.strip_prefix("node_filesystem_") {
                // A mount point as the exporter's own container sees it.
                Some(_) => {
                    let mount = ["/host/root", "/rootfs", "/host"]
                        .iter()
                        .find_map(|p| mount.strip_prefix(p).filter(|m| is_path(m)))
                        .unwrap_or(mount);
                    let mount = if mount.is_empty() { "/" } else { mount };
                    machine.disks.entry(mount.to_owned()).or_default()
                }
                None => &mut machine.plain,
            };
            into.insert(metric.to_owned(), value);
        }
    }

    /// What a tool on each machine would say.
    pub(crate) fn facts(self, document: u16) -> Vec<HostFact> {
        let mut facts = Vec::new();
        for (node, machine) in self.0 {
            let node = Text::from(node);
            let mut add = |figure| facts.push(HostFact { node: node.clone(), figure, document });
            memory(&machine.plain).into_iter().for_each(&mut add);
            load(&machine.plain).into_iter().for_each(&mut add);
            tasks(&machine.plain).into_iter().for_each(&mut add);
            for (mount, disk) in &machine.disks {
                disk_figures(mount, disk).into_iter().for_each(&mut add);
            }
        }
        facts
    }
}

fn is_path(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('/')
}

fn memory(of: &BTreeMap<String, f64>) -> Option<HostFigure> {
    let get = |name: &str| of.get(&format!("node_memory_{name}_bytes")).map(|v| *v as u64);
    let (total, available) = (get("MemTotal")?, get("MemAvailable")?);
    let cache = get("Cached").unwrap_or(0).saturating_add(get("Buffers").unwrap_or(0));
    let free = get("MemFree").unwrap_or(available);
    Some(HostFigure::Memory {
        total_bytes: total,
        used_bytes: total.saturating_sub(free).saturating_sub(cache),
        available_bytes: available,
        cache_bytes: cache,
    })
}

fn load(of: &BTreeMap<String, f64>) -> Option<HostFigure> {
    let get = |name: &str| of.get(name).map(|v| (*v * 100.0) as u32);
    let (one, five) = (get("node_load1")?, get("node_load5")?);
    Some(HostFigure::Load { one, five, fifteen: get("node_load15")? })
}

fn tasks(of: &BTreeMap<String, f64>) -> Option<HostFigure> {
    let get = |name: &str| of.get(name).map(|v| *v as u32);
    let total = get("node_processes_threads").or(get("node_processes_pids"))?;
    let defunct = get("node_processes_state").unwrap_or(0);
    Some(HostFigure::Tasks { total, defunct })
}

/// Space and inodes, each in percent taken, as `df` counts: what only root may use is taken.
fn disk_figures(mount: &str, of: &BTreeMap<String, f64>) -> Vec<HostFigure> {
    let get = |name: &str| of.get(&format!("node_filesystem_{name}")).copied();
    let figure = |size: f64, left: f64, used: f64, inodes| {
        let all = used + left;
        (all > 0.0 && size > 0.0).then(|| HostFigure::FileSystem {
            mount: mount.into(),
            size: size as u64,
            used_percent: (used / all * 100.0).ceil().clamp(0.0, 100.0) as u8,
            inodes,
        })
    };
    let space = get("size_bytes").zip(get("avail_bytes")).and_then(|(size, left)| {
        let used = size - get("free_bytes").unwrap_or(left);
        figure(size, left, used.max(0.0), false)
    });
    let inodes = get("files").zip(get("files_free"));
    let inodes = inodes.and_then(|(all, left)| figure(all, left, (all - left).max(0.0), true));
    space.into_iter().chain(inodes).collect()
}
