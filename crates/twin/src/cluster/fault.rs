//! What the scenario's timeline does to the cluster.

use serde_json::Value;

use super::Cluster;
use crate::field;
use crate::kinds::{self, Kind};
use crate::registry::{Failure, Part};
use crate::scenario::{Crash, Fault, Memory};

/// A program that crashes does so this long after its start.
const CRASH_AFTER_SECONDS: i64 = 2;
/// A program that grows begins to this long after its start.
const GROW_AFTER_SECONDS: i64 = 5;

impl Cluster {
    /// Something happens to the cluster from outside.
    pub fn strike(&mut self, fault: &Fault) {
        match fault {
            Fault::Patch { api_version, kind, namespace, name, patch } => {
                let mut manifest = patch.clone();
                let metadata = field::child(&mut manifest, "metadata");
                metadata.insert("name".into(), name.clone().into());
                metadata.insert("namespace".into(), namespace.clone().into());
                self.apply(api_version, kind, &manifest, false);
            }
            Fault::Apply { manifests } => {
                for manifest in manifests {
                    let of = |pointer| field::text(manifest, pointer);
                    self.apply(of("/apiVersion"), of("/kind"), manifest, true);
                    self.hand_out();
                }
            }
            Fault::Behave { namespace, workload, memory } => {
                self.behaviours.change(namespace, workload, |own| own.memory = *memory);
            }
            Fault::LoseImage { image } => self.behaviours.lose_image(image.clone()),
            Fault::Crash { namespace, workload, exit_code } => {
                let crash = Crash { after_seconds: CRASH_AFTER_SECONDS, exit_code: *exit_code };
                self.behaviours.change(namespace, workload, |own| own.crash = Some(crash));
            }
            Fault::GrowMemory { namespace, workload, bytes_per_second } => {
                self.behaviours.change(namespace, workload, |own| {
                    own.memory = Memory::Ramp {
                        bytes: own.memory.at(0),
                        after_seconds: GROW_AFTER_SECONDS,
                        bytes_per_second: *bytes_per_second,
                    };
                });
            }
            Fault::Load { namespace, workload, cpu_milli } => {
                let workload = (namespace.clone(), workload.clone());
                self.behaviours.metering.load(workload, *cpu_milli);
            }
            Fault::HideMetrics { namespace, workload, pods } => {
                let workload = (namespace.clone(), workload.clone());
                self.behaviours.metering.hide(workload, *pods);
            }
            Fault::Metric { name, milli } => {
                self.behaviours.metering.set_number(name.clone(), *milli);
            }
            Fault::StopMetrics { message } => {
                let now = self.registry.now;
                self.behaviours.metering.stop(now, message.clone());
            }
            Fault::StartMetrics => {
                let now = self.registry.now;
                self.behaviours.metering.start(now);
            }
            Fault::StopKubelet { node } => {
                self.registry.silence(node);
                self.cut_off(node, false);
            }
            Fault::StartKubelet { node } => self.cut_off(node, true),
            Fault::StopComponent { component } => self.stop(*component),
            Fault::StartComponent { component } => self.start(*component),
            Fault::StopRuntime { .. } => {}
        }
        for id in self.order.clone() {
            self.let_act(id, |actor, context| actor.hit(fault, context));
        }
    }

    /// Merges a manifest into its object under the rules of any writer, or, if it `may_create`
    /// one, creates it.
    fn apply(&mut self, api_version: &str, kind: &str, manifest: &Value, may_create: bool) {
        let refused = match kinds::of_object(api_version, kind) {
            Some(kind) => self.applied(kind, manifest, may_create).err().map(|why| why.message),
            None => Some("this cluster has no such kind".to_owned()),
        };
        if let Some(why) = refused {
            let name = field::name(manifest);
            self.refusals.push(format!("{kind} {name} of {api_version}: {why}"));
        }
    }

    fn applied(
        &mut self,
        kind: &'static Kind,
        manifest: &Value,
        may_create: bool,
    ) -> Result<(), Failure> {
        let name = field::name(manifest).to_owned();
        let namespace = match field::namespace(manifest) {
            _ if !kind.namespaced => String::new(),
            "" => "default".to_owned(),
            given => given.to_owned(),
        };
        match self.registry.get(kind, &namespace, &name) {
            Ok(found) => {
                let mut value = Value::clone(found);
                json_patch::merge(&mut value, manifest);
                self.registry.update(kind, &namespace, &name, value, Part::Spec)?;
            }
            Err(_) if may_create => {
                drop(self.registry.create(kind, &namespace, manifest.clone())?);
            }
            Err(missing) => return Err(missing),
        }
        Ok(())
    }
}
