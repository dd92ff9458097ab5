//! Writes a whole cluster as `kubectl get -A -o json` prints it: one List, four blanks a level.
//!
//! Objects agree with each other as in a real cluster: owners, selectors, addresses, nodes,
//! events. The same size and seed give the same bytes. Pods of one application differ in a few
//! words, so they are stamped from a printed form.

mod app;
mod event;
mod node;
mod pod;
mod random;

use super::faults::{Fault, OF_APPS, Planted};
use anyhow::Result;
use app::App;
use random::Random;
use serde_json::Value;
use std::io::Write;

/// When the dump was taken, and the times that objects of it name.
pub const NOW: &str = "2026-01-15T12:00:00Z";
pub const CREATED: &str = "2026-01-05T12:00:00Z";
pub const STARTED: &str = "2026-01-15T09:30:00Z";
pub const RECENT: &str = "2026-01-15T11:58:30Z";

/// How large a cluster is made.
pub struct Size {
    pub pods: u32,
    pub nodes: u32,
    pub seed: u64,
}

/// What was made.
pub struct Made {
    pub objects: u64,
    pub planted: Vec<Planted>,
}

/// Writes the dump.
pub fn write(size: &Size, out: &mut dyn Write) -> Result<Made> {
    let mut random = Random::new(size.seed);
    let apps = plan(size, &mut random);
    let silent = (size.nodes >= 4).then(|| size.nodes - 1);
    let mut list = List { out, objects: 0 };
    list.open()?;
    for name in namespaces(&apps) {
        list.object(&node::namespace(&name, &mut random))?;
    }
    for index in 0..size.nodes {
        list.object(&node::node(index, Some(index) == silent, &mut random))?;
    }
    list.object(&node::storage_class(&mut random))?;
    // Pods are bound to the nodes that answer.
    let mut cluster = Cluster { nodes: size.nodes - u32::from(silent.is_some()), bound: 0, random };
    let mut planted = Vec::new();
    for app in &apps {
        app.write(&mut cluster, &mut list)?;
        if let Some(fault) = app.fault {
            let (namespace, name) = (app.namespace.clone(), app.name.clone());
            planted.push(Planted { fault, namespace, name });
        }
    }
    if let Some(index) = silent {
        let name = node::name(index);
        planted.push(Planted { fault: Fault::NodeSilent, namespace: String::new(), name });
    }
    list.close()?;
    Ok(Made { objects: list.objects, planted })
}

/// What changes while objects are written.
pub struct Cluster {
    /// Nodes that take pods.
    pub nodes: u32,
    /// Pods bound so far.
    pub bound: u32,
    pub random: Random,
}

/// The applications, their sizes and faults.
fn plan(size: &Size, random: &mut Random) -> Vec<App> {
    let mut apps = Vec::new();
    let mut left = size.pods;
    while left > 0 {
        let replicas = random.below(11).saturating_add(1).min(left);
        left -= replicas;
        apps.push(App::new(u32::try_from(apps.len()).unwrap_or(u32::MAX), replicas, random));
    }
    // One in a hundred fails, and each fault is there at least once if there is room.
    let failing = (apps.len() / 100).max(OF_APPS.len()).min(apps.len() / 2);
    let step = apps.len() / failing.max(1);
    for (app, fault) in
        apps.iter_mut().step_by(step.max(1)).zip(OF_APPS.iter().cycle().take(failing))
    {
        app.plant(*fault);
    }
    apps
}

fn namespaces(apps: &[App]) -> std::collections::BTreeSet<String> {
    apps.iter().map(|app| app.namespace.clone()).collect()
}

/// The list being written.
pub struct List<'o> {
    out: &'o mut dyn Write,
    objects: u64,
}

impl List<'_> {
    fn open(&mut self) -> Result<()> {
        Ok(self.out.write_all(b"{\n    \"apiVersion\": \"v1\",\n    \"items\": [")?)
    }

    /// An object as kubectl prints it.
    pub fn object(&mut self, object: &Value) -> Result<()> {
        self.printed(&print(object)?)
    }

    /// An object that is printed already.
    pub fn printed(&mut self, text: &str) -> Result<()> {
        let before: &[u8] = if self.objects == 0 { b"\n        " } else { b",\n        " };
        self.out.write_all(before)?;
        self.out.write_all(text.as_bytes())?;
        self.objects += 1;
        Ok(())
    }

    fn close(&mut self) -> Result<()> {
        let end = b"\n    ],\n    \"kind\": \"List\",\n    \"metadata\": {\n        \
            \"resourceVersion\": \"\"\n    }\n}\n";
        Ok(self.out.write_all(end)?)
    }
}

/// Four blanks a level, and as deep as items of a list stand.
pub fn print(object: &Value) -> Result<String> {
    let mut bytes = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut printer = serde_json::Serializer::with_formatter(&mut bytes, format);
    serde::Serialize::serialize(object, &mut printer)?;
    Ok(String::from_utf8(bytes)?.replace('\n', "\n        "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn dump(seed: u64) -> (Vec<u8>, Made) {
        let mut bytes = Vec::new();
        let made = write(&Size { pods: 300, nodes: 10, seed }, &mut bytes).unwrap();
        (bytes, made)
    }

    #[test]
    fn a_dump_is_whole_and_the_same_for_the_same_seed() {
        let (bytes, made) = dump(1);
        assert_eq!(bytes, dump(1).0);
        assert_ne!(bytes, dump(2).0);
        let list: Value = serde_json::from_slice(&bytes).unwrap();
        let items = list["items"].as_array().unwrap();
        assert_eq!(items.len() as u64, made.objects);
        let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
        for item in items {
            *kinds.entry(item["kind"].as_str().unwrap()).or_default() += 1;
        }
        assert_eq!(kinds["Node"], 10);
        assert!(kinds["Pod"] > 280, "{kinds:?}");
        assert_eq!(made.planted.len(), OF_APPS.len() + 1);
        let pods: Vec<&Value> = items.iter().filter(|i| i["kind"] == "Pod").collect();
        let bytes: usize = pods.iter().map(|pod| print(pod).unwrap().len()).sum();
        let mean = bytes / pods.len();
        assert!((5_000..9_000).contains(&mean), "a pod has {mean} bytes");
    }

    #[test]
    fn owners_exist() {
        let (bytes, _) = dump(3);
        let list: Value = serde_json::from_slice(&bytes).unwrap();
        let items = list["items"].as_array().unwrap();
        let uids: std::collections::BTreeSet<&str> =
            items.iter().filter_map(|i| i["metadata"]["uid"].as_str()).collect();
        assert_eq!(uids.len(), items.len(), "uids are unique");
        for item in items {
            for owner in item["metadata"]["ownerReferences"].as_array().into_iter().flatten() {
                assert!(uids.contains(owner["uid"].as_str().unwrap()), "{item}");
            }
            let text = item.to_string();
            for place in ["@POD@", "@UID@", "@NODE@", "@HOST@", "@IP@", "@CID@"] {
                assert!(!text.contains(place), "{text}");
            }
        }
    }
}
